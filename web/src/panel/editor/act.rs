//! Does what is asked of the editor.

use super::snippets;
use super::text::{self, Selection};
use super::ui::{EditorAct, List};
use crate::app::App;
use crate::state::Notice;
use gloo_timers::callback::Timeout;
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// Texts of more bytes are looked at when typing pauses, shorter ones at every key.
const QUICK: usize = 16 << 10;
/// How long typing pauses until everything is looked at, kept and said.
const PAUSE_MS: u32 = 350;
/// The most bytes that one letter has.
const MOST_OF_A_LETTER: usize = 4;
/// The longest text, in bytes, in which proposals come by themselves.
const SUGGESTED: usize = 128 << 10;

impl App {
    /// Does what was asked of the editor; whether anything is to be drawn.
    #[inline(never)]
    pub fn editor_act(&mut self, ctx: &Context<App>, act: EditorAct) -> bool {
        match act {
            EditorAct::Type(new, caret, how, composing) => {
                self.editor_typed(ctx, new, caret, &how, composing);
            }
            EditorAct::Caret => return self.editor_caret(ctx),
            EditorAct::Hover(line) => return self.editor_hover(line),
            EditorAct::Undo => self.editor_travel(ctx, true),
            EditorAct::Redo => self.editor_travel(ctx, false),
            EditorAct::Indent(back) => {
                if let Some((_, old)) = self.editor_file() {
                    let (new, caret) = text::shifted(&old, self.ui.editor.caret, back);
                    self.editor_change(ctx, &new, caret, false, true);
                }
            }
            EditorAct::Suggest => self.editor_suggest(true),
            EditorAct::Move(by) => self.editor_move(by),
            EditorAct::Take(which) => self.editor_take(ctx, which),
            EditorAct::Close => self.ui.editor.list = None,
            EditorAct::Fix(item, fix) => self.editor_fix(ctx, item, fix),
            EditorAct::ShowLine(file, line) => self.editor_line(&file, line),
            EditorAct::Put(fix) => self.editor_put(ctx, &fix),
            EditorAct::FixHere => self.editor_fix_here(ctx),
            EditorAct::Problem(back) => self.editor_problem(back),
            EditorAct::GoTo(line, column) => self.editor_go(line, column),
            EditorAct::Find(replacing) => self.editor_find(replacing),
            EditorAct::Needle(needle) => {
                if let Some(find) = &mut self.ui.editor.find {
                    find.needle = needle;
                    self.editor_found(self.ui.editor.caret.0, false);
                }
            }
            EditorAct::With(with) => {
                if let Some(find) = &mut self.ui.editor.find {
                    find.with = with;
                }
            }
            EditorAct::Next(back) => {
                let (from, to) = self.ui.editor.caret;
                self.editor_found(if back { from } else { to }, back);
            }
            EditorAct::Replace(all) => self.editor_replace(ctx, all),
            EditorAct::Unfind => {
                self.ui.editor.find = None;
                self.ui.editor.select = Some((self.ui.editor.caret, true));
            }
            EditorAct::Changes => {
                self.ui.menu = None;
                self.ui.editor.changes = match self.ui.editor.changes {
                    Some(_) => None,
                    None => self.editor_changes(),
                };
            }
            EditorAct::Settle => self.editor_settle(),
            EditorAct::Say => self.editor_say_field(),
            other => self.editor_file_act(ctx, other),
        }
        true
    }

    /// What is done to whole files.
    #[inline(never)]
    fn editor_file_act(&mut self, ctx: &Context<App>, act: EditorAct) {
        self.ui.menu = None;
        let name = self.editor_file().map(|(name, _)| name);
        match act {
            EditorAct::New => {
                let taken = |name: &str| self.files.iter().any(|file| *file.name == *name);
                let name = text::free_name("manifest", ".yaml", taken);
                // There may be as many files as there can be.
                if self.editor_open(&name, "") {
                    self.ui.editor.naming = true;
                }
            }
            EditorAct::Rename => self.ui.editor.naming = true,
            EditorAct::Name(new) => {
                self.ui.editor.naming = false;
                if let (Some(name), Some(new)) = (name, new) {
                    let done = self.session.rename_file(&name, &new);
                    if done.is_ok() {
                        self.ui.editor.renamed(&name, &new.trim().into());
                    }
                    self.report(done);
                }
                self.ui.editor.select = Some((self.ui.editor.caret, true));
                self.keep();
            }
            EditorAct::Remove => {
                if let Some(name) = name {
                    self.session.remove_file(&name);
                    self.editor_says(self.words.t1("editor.removed", "file", &name));
                    self.ui.editor.removed = Some(name);
                    if self.files.len() < 2 {
                        self.session.edit("manifest.yaml", "");
                    }
                    self.editor_show(self.ui.file.saturating_sub(1));
                    self.keep();
                }
            }
            EditorAct::Restore => {
                self.ui.editor.removed = None;
                if let Some(at) = self.session.restore_file() {
                    self.editor_show(at);
                }
                self.keep();
            }
            EditorAct::Insert(id) => self.editor_insert(ctx, id),
            EditorAct::ApplyAll => {
                self.editor_settle();
                self.apply_with(|session, _| session.apply_all());
            }
            _ => {}
        }
    }

    /// Gives a file a text from elsewhere and shows it; whether there was room for it.
    #[inline(never)]
    pub fn editor_open(&mut self, name: &str, text: &str) -> bool {
        self.editor_settle();
        self.session.edit(name, text);
        self.files = self.session.files();
        let at = self.files.iter().position(|file| *file.name == *name);
        if let Some(at) = at {
            self.editor_show(at);
        }
        at.is_some()
    }

    /// Shows a file of the editor: by its index, with the caret at its beginning.
    pub fn editor_show(&mut self, file: usize) {
        self.editor_settle();
        let editor = &mut self.ui.editor;
        (editor.list, editor.field, editor.changes) = (None, None, None);
        editor.caret = (0, 0);
        if let Some(find) = &mut editor.find {
            find.at = 0;
        }
        self.ui.file = file;
    }

    /// Name and text of the file shown.
    pub(super) fn editor_file(&self) -> Option<(Text, Text)> {
        let file = self.files.get(self.ui.file)?;
        Some((file.name.clone(), file.text.clone()))
    }

    fn editor_typed(
        &mut self,
        ctx: &Context<App>,
        new: String,
        caret: Selection,
        how: &str,
        composing: bool,
    ) {
        super::keys::told();
        let old = self.editor_file().map_or(0, |(_, text)| text.len());
        let letter = matches!(
            how,
            "insertText" | "deleteContentBackward" | "insertCompositionText"
        );
        let single = letter && new.len().abs_diff(old) <= MOST_OF_A_LETTER;
        let sound = self.ui.editor.holds || !self.editor_has_errors();
        self.editor_change(ctx, &new, caret, single, false);
        self.ui.editor.holds = single && sound;
        self.ui.editor.list = None;
        if !composing && how == "insertText" && new.len() <= SUGGESTED {
            self.editor_suggest(false);
        }
    }

    /// The file gets another text. `typed`: letter by letter; `moved`: the caret has to be set.
    pub(super) fn editor_change(
        &mut self,
        ctx: &Context<App>,
        new: &str,
        caret: Selection,
        typed: bool,
        moved: bool,
    ) {
        let Some((name, old)) = self.editor_file() else {
            return;
        };
        if moved && super::keys::is_ahead() {
            return;
        }
        let before = self.ui.editor.caret;
        self.ui.editor.used = true;
        self.ui.editor.removed = None;
        let history = self.ui.editor.history(&name);
        history.record(&old, new, before, caret, typed);
        self.editor_set(ctx, &name, new, caret, moved);
    }

    fn editor_set(
        &mut self,
        ctx: &Context<App>,
        name: &str,
        new: &str,
        caret: Selection,
        moved: bool,
    ) {
        self.ui.editor.caret = caret;
        self.ui.editor.holds = false;
        if moved {
            super::rewrite(new, caret);
        }
        self.ui.editor.behind = new.len() > QUICK;
        if !self.ui.editor.behind {
            self.session.edit(name, new);
        } else {
            self.session.retype(name, new);
            let oversized = self
                .session
                .files()
                .iter()
                .any(|f| *f.name == *name && *f.text != *new);
            if oversized {
                // It was looked at and refused: there is nothing to make up for.
                self.session.edit(name, new);
                self.ui.editor.behind = false;
            }
        }
        self.editor_wait(ctx);
    }

    fn editor_wait(&mut self, ctx: &Context<App>) {
        let link = ctx.link().clone();
        let settle = move || link.send_message(crate::state::Act::Editor(EditorAct::Settle));
        self.ui.editor.timer = Some(Rc::new(Timeout::new(PAUSE_MS, settle)));
    }

    /// Typing paused: what was put off is done now.
    pub fn editor_settle(&mut self) {
        if self.ui.editor.timer.take().is_none() {
            return;
        }
        self.ui.editor.holds = false;
        self.files = self.session.files();
        let Some((name, text)) = self.editor_file() else {
            return;
        };
        if std::mem::take(&mut self.ui.editor.behind) {
            self.session.edit(&name, &text);
            self.files = self.session.files();
        }
        self.keep();
        let byte = text::to_byte(&text, self.ui.editor.caret.0);
        self.session.warm(&text, byte as u32);
        let problems = self.editor_problems();
        if problems != self.ui.editor.said {
            self.ui.editor.said = problems;
            let words = match problems {
                0 => self.words.t("editor.no-problems"),
                n => self.words.t1("editor.said", "n", &n.to_string()),
            };
            self.editor_says(words);
        }
        if self.ui.editor.changes.is_some() {
            self.ui.editor.changes = self.editor_changes();
        }
        self.editor_field();
    }

    fn editor_changes(&self) -> Option<Rc<[ObjectChange]>> {
        let (_, text) = self.editor_file()?;
        Some(self.session.changes(&text))
    }

    fn editor_problems(&self) -> usize {
        let file = self.files.get(self.ui.file);
        let items = file.map(|file| file.diagnostics.items.clone());
        let items = items.iter().flat_map(|items| items.iter());
        items.filter(|item| item.severity != Severity::Info).count()
    }

    /// Whether the file shown has an error.
    pub fn editor_has_errors(&self) -> bool {
        self.files
            .get(self.ui.file)
            .is_some_and(|file| super::errors(file) > 0)
    }

    pub(super) fn editor_says(&mut self, words: AttrValue) {
        self.ui.editor.says = Some((self.view.cursor.event, words));
    }

    /// What the live region says in the editor's name; until the next step.
    #[inline(never)]
    pub fn editor_spoken(&self) -> Option<AttrValue> {
        let (event, words) = self.ui.editor.says.as_ref()?;
        (*event == self.view.cursor.event).then(|| words.clone())
    }

    fn editor_travel(&mut self, ctx: &Context<App>, back: bool) {
        self.ui.menu = None;
        let Some((name, text)) = self.editor_file().filter(|_| !super::keys::is_ahead()) else {
            return;
        };
        let history = self.ui.editor.history(&name);
        let found = if back {
            history.undo(&text)
        } else {
            history.redo(&text)
        };
        if let Some((new, caret)) = found {
            self.ui.editor.list = None;
            self.editor_set(ctx, &name, &new, caret, true);
        }
    }

    fn editor_caret(&mut self, ctx: &Context<App>) -> bool {
        let area = super::textarea().filter(|_| !super::keys::is_ahead());
        let caret = area.map_or(self.ui.editor.caret, |area| super::code::selection(&area));
        let fresh = !self.ui.editor.used;
        self.ui.editor.used = true;
        if caret == self.ui.editor.caret && !fresh {
            return false;
        }
        self.ui.editor.caret = caret;
        self.editor_wait(ctx);
        let had_list = self.ui.editor.list.take().is_some();
        self.editor_field() || fresh || had_list
    }

    /// Looks up the field at the caret; whether it is another.
    pub(super) fn editor_field(&mut self) -> bool {
        let found = self.editor_file().and_then(|(_, text)| {
            let byte = text::to_byte(&text, self.ui.editor.caret.0);
            self.field_of_line(&text, text::place(&text, byte).0)
        });
        self.editor_new_field(found)
    }

    fn field_of_line(&self, text: &str, line: u32) -> Option<FieldView> {
        let start = text::byte_of(text, line, 0);
        let row = text.get(start..)?.split('\n').next()?;
        let key = row.len() - row.trim_start_matches([' ', '-']).len();
        let byte = (start + key + 1).min(start + row.len());
        self.session.field(text, byte as u32, None)
    }

    fn editor_new_field(&mut self, found: Option<FieldView>) -> bool {
        let other = found != self.ui.editor.field;
        self.ui.editor.field = found;
        other
    }

    fn editor_hover(&mut self, line: Option<u32>) -> bool {
        if !self.ui.editor.used || self.ui.editor.list.is_some() {
            return false;
        }
        match (line, self.editor_file()) {
            (Some(line), Some((_, text))) => {
                let found = self.field_of_line(&text, line);
                found.is_some() && self.editor_new_field(found)
            }
            _ => self.editor_field(),
        }
    }

    fn editor_say_field(&mut self) {
        self.editor_field();
        let words = match &self.ui.editor.field {
            Some(field) => super::field::sentence(&self.words, field),
            None => self.words.t("editor.no-field").to_string(),
        };
        self.editor_says(AttrValue::from(words));
    }

    fn editor_suggest(&mut self, asked: bool) {
        self.ui.menu = None;
        self.files = self.session.files();
        let Some((_, text)) = self.editor_file() else {
            return;
        };
        let byte = text::to_byte(&text, self.ui.editor.caret.0);
        let view = self.session.suggest(&text, byte as u32);
        let word = text
            .get(view.from as usize..view.to as usize)
            .unwrap_or_default();
        let done = view.items.len() == 1 && view.items.iter().all(|item| *item.label == *word);
        let after_colon = text.get(..byte).is_some_and(|t| t.ends_with(": "));
        let wanted = asked || !word.is_empty() || after_colon;
        if view.items.is_empty() || done || !wanted {
            self.ui.editor.list = None;
            if asked {
                self.editor_says(self.words.t("editor.no-suggestions"));
            }
            return;
        }
        let place = text::place(&text, view.from as usize);
        self.ui.editor.list = Some(List {
            view,
            active: 0,
            place,
        });
        self.editor_move(0);
    }

    fn editor_move(&mut self, by: i32) {
        let Some((_, text)) = self.editor_file() else {
            return;
        };
        let byte = text::to_byte(&text, self.ui.editor.caret.0) as u32;
        let Some(list) = &mut self.ui.editor.list else {
            return;
        };
        let count = list.view.items.len() as i32;
        list.active = (list.active as i32 + by).rem_euclid(count.max(1)) as usize;
        let item = list.view.items.get(list.active);
        let label = item.map(|item| item.label.clone()).unwrap_or_default();
        let is_key = item.is_some_and(|item| item.insert.contains(':'));
        let child = is_key.then_some(&*label);
        let found = self.session.field(&text, byte, child);
        self.editor_new_field(found);
    }

    fn editor_take(&mut self, ctx: &Context<App>, which: Option<usize>) {
        let (Some(list), Some((_, old))) = (self.ui.editor.list.take(), self.editor_file()) else {
            return;
        };
        let Some(item) = list.view.items.get(which.unwrap_or(list.active)) else {
            return;
        };
        let (from, to) = (list.view.from as usize, list.view.to as usize);
        let (new, caret) = text::replaced(&old, from, to, &item.insert);
        self.editor_change(ctx, &new, caret, false, true);
        self.files = self.session.files();
        // A value of few choices follows at once.
        if item.insert.ends_with(": ") {
            self.editor_suggest(false);
        }
    }

    fn editor_insert(&mut self, ctx: &Context<App>, id: &str) {
        let (Some(snippet), Some((_, old))) = (snippets::of(id), self.editor_file()) else {
            return;
        };
        let (new, caret) = if snippet.part {
            text::with_lines(&old, self.ui.editor.caret.1, snippet.text)
        } else {
            let base = id.to_ascii_lowercase();
            let taken = |name: &str| {
                let line = ["\n  name: ", name, "\n"].concat();
                self.files.iter().any(|file| file.text.contains(&line))
            };
            let name = text::free_name(&base, "", taken);
            text::with_document(&old, &snippet.text.replace("NAME", &name))
        };
        self.editor_change(ctx, &new, caret, false, true);
        self.ui.notice = None::<Notice>;
    }
}
