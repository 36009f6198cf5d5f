//! Fixes, problems and places found: what moves the caret.

use super::{find, text};
use crate::app::App;
use podscope_session::view::*;
use yew::prelude::*;

impl App {
    pub(super) fn editor_fix(&mut self, ctx: &Context<App>, item: usize, fix: usize) {
        let Some(file) = self.files.get(self.ui.file) else {
            return;
        };
        let found = file.diagnostics.items.get(item);
        let Some(fix) = found.and_then(|item| item.fixes.get(fix)).cloned() else {
            return;
        };
        self.editor_put(ctx, &fix);
    }

    /// Changes the text as one edit that can be undone.
    pub(super) fn editor_put(&mut self, ctx: &Context<App>, fix: &Fix) {
        let Some(file) = self.files.get(self.ui.file) else {
            return;
        };
        let mut new = file.text.to_string();
        let mut caret = 0;
        for edit in fix.edits.iter().rev() {
            let range = edit.from as usize..edit.to as usize;
            if new.get(range.clone()).is_some() {
                caret = range.start + edit.text.len();
                new.replace_range(range, &edit.text);
            }
        }
        let caret = text::to_unit(&new, caret);
        let label = self.words.say(&fix.label);
        self.editor_change(ctx, &new, (caret, caret), false, true);
        self.editor_says(AttrValue::from(label));
    }

    pub(super) fn editor_fix_here(&mut self, ctx: &Context<App>) {
        self.editor_settle();
        let Some(file) = self.files.get(self.ui.file) else {
            return;
        };
        let byte = text::to_byte(&file.text, self.ui.editor.caret.0);
        let line = text::place(&file.text, byte).0;
        let items = file.diagnostics.items.iter().enumerate();
        let mut fixable = items.filter(|(_, item)| !item.fixes.is_empty());
        let all: Vec<(usize, u32)> = fixable.by_ref().map(|(i, item)| (i, item.line)).collect();
        let here = all.iter().find(|(_, at)| *at == line);
        let next = all.iter().find(|(_, at)| *at > line);
        match here.or(next).or(all.first()) {
            Some((item, _)) => self.editor_fix(ctx, *item, 0),
            None => self.editor_says(self.words.t("editor.no-fix")),
        }
    }

    pub(super) fn editor_problem(&mut self, back: bool) {
        self.editor_settle();
        let Some(file) = self.files.get(self.ui.file) else {
            return;
        };
        let byte = text::to_byte(&file.text, self.ui.editor.caret.0);
        let here = text::place(&file.text, byte);
        let items = &file.diagnostics.items;
        let at = |item: &DiagnosticView| (item.line, item.column);
        let found = if back {
            let before = items.iter().rev().find(|item| at(item) < here);
            before.or(items.last())
        } else {
            let after = items.iter().find(|item| at(item) > here);
            after.or(items.first())
        };
        let Some(found) = found else {
            return self.editor_says(self.words.t("editor.no-problems"));
        };
        let words = [&self.words.say(&found.heading), ". ", &*found.text].concat();
        let (line, column) = at(found);
        self.editor_go(line, column);
        self.editor_says(AttrValue::from(words));
    }

    pub(super) fn editor_go(&mut self, line: u32, column: u32) {
        if let Some((_, text)) = self.editor_file() {
            let unit = text::to_unit(&text, text::byte_of(&text, line, column));
            self.ui.editor.used = true;
            self.ui.editor.caret = (unit, unit);
            self.ui.editor.select = Some(((unit, unit), true));
            self.editor_field();
        }
    }

    /// Selects a line of a file, whichever is shown.
    #[inline(never)]
    pub(super) fn editor_line(&mut self, file: &str, line: u32) {
        let Some(at) = self.files.iter().position(|f| *f.name == *file) else {
            return;
        };
        self.editor_show(at);
        if let Some((_, text)) = self.editor_file() {
            let of = |line| text::to_unit(&text, text::byte_of(&text, line, 0));
            let (from, next) = (of(line), of(line + 1));
            let to = if next > from {
                next - 1
            } else {
                text::to_unit(&text, text.len())
            };
            self.ui.editor.used = true;
            self.ui.editor.caret = (from, to);
            self.ui.editor.select = Some(((from, to), true));
        }
        if crate::app::is_small() {
            self.ui.pane = crate::state::Section::Manifest;
        }
    }

    pub(super) fn editor_find(&mut self, replacing: bool) {
        self.ui.menu = None;
        self.ui.editor.list = None;
        let selected = self.editor_file().and_then(|(_, text)| {
            let (from, to) = self.ui.editor.caret;
            let range = text::to_byte(&text, from)..text::to_byte(&text, to);
            text.get(range).map(str::to_owned)
        });
        let selected = selected.filter(|s| !s.is_empty() && !s.contains('\n'));
        self.ui.editor.used = true;
        let find = self.ui.editor.find.get_or_insert_default();
        find.replacing |= replacing;
        if let Some(selected) = selected {
            find.needle = selected;
        }
        self.editor_found(self.ui.editor.caret.0, false);
        super::focus_later("editor-find");
    }

    /// Selects the place to go to from a UTF-16 unit.
    pub(super) fn editor_found(&mut self, unit: u32, back: bool) {
        let Some((_, text)) = self.editor_file() else {
            return;
        };
        let Some(find) = &mut self.ui.editor.find else {
            return;
        };
        let places = find::places(&text, &find.needle);
        find.at = find::step(&places, text::to_byte(&text, unit), back);
        if let Some((from, to)) = places.get(find.at) {
            let selection = (text::to_unit(&text, *from), text::to_unit(&text, *to));
            self.ui.editor.caret = selection;
            self.ui.editor.select = Some((selection, false));
        }
    }

    pub(super) fn editor_replace(&mut self, ctx: &Context<App>, all: bool) {
        let (Some((_, old)), Some(find)) = (self.editor_file(), self.ui.editor.find.clone()) else {
            return;
        };
        let places = find::places(&old, &find.needle);
        let chosen: Vec<(usize, usize)> = match all {
            true => places,
            false => places.get(find.at).copied().into_iter().collect(),
        };
        let Some(first) = chosen.first() else { return };
        let new = find::replaced(&old, &chosen, &find.with);
        let after = first.0 + find.with.len();
        let caret = text::to_unit(&new, after);
        let count = chosen.len().to_string();
        self.editor_change(ctx, &new, (caret, caret), false, false);
        self.files = self.session.files();
        self.editor_found(caret, false);
        self.editor_says(self.words.t1("find.replaced", "n", &count));
    }
}
