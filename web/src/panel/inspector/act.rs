//! Does what a person asks of the inspector.

use super::network::source_value;
use super::object::editable;
use super::size;
use super::state::{InspectAct, TerminalUi};
use crate::app::{App, split};
use crate::state::Section;
use podscope_session::view::*;

/// The most lines of history.
const MAX_HISTORY: usize = 500;
/// The most lines that one paste runs.
const MAX_LINES: usize = 50;

impl App {
    /// Does it; whether anything is to be drawn.
    #[inline(never)]
    pub(crate) fn inspect_act(&mut self, act: InspectAct) -> bool {
        let ui = &mut self.ui.inspector;
        match act {
            InspectAct::Height(height) => size::set_height(ui, height),
            InspectAct::Find(text) => ui.find = text,
            InspectAct::Tree(tree) => ui.tree = tree,
            InspectAct::Against(revision) => ui.against = Some(revision),
            InspectAct::Managed => ui.managed = !ui.managed,
            InspectAct::Status => ui.folded = !ui.folded,
            InspectAct::Breaking => self.break_here(),
            InspectAct::EventFind(text) => self.ui.filter = text,
            InspectAct::Warnings => ui.warnings = !ui.warnings,
            InspectAct::KeyFind(text) => ui.key_find = text,
            InspectAct::Key(key) => ui.key = key,
            InspectAct::Node(name) => ui.node = Some(name.into()),
            InspectAct::From(from) => {
                ui.from = from;
                ui.sent = None;
            }
            InspectAct::To(to) => {
                ui.to = to;
                ui.sent = None;
            }
            InspectAct::Send => self.send(),
            InspectAct::LogComponent(kind) => {
                ui.log.component = kind;
                ui.log_page = None;
            }
            InspectAct::LogKind(kind) => {
                ui.log.kind = kind.into();
                ui.log_page = None;
            }
            InspectAct::LogText(text) => {
                ui.log.text = text.into();
                ui.log_page = None;
            }
            InspectAct::LogQuiet => {
                ui.log.quiet = !ui.log.quiet;
                ui.log_page = None;
            }
            InspectAct::LogPage(page) => ui.log_page = page,
            InspectAct::Line(line) => {
                let was_open = !ui.terminal.options.is_empty();
                ui.terminal.options.clear();
                ui.terminal.line = line;
                ui.terminal.back = 0;
                return was_open;
            }
            InspectAct::Enter(text) => self.enter(&text),
            InspectAct::Complete => self.complete_line(),
            InspectAct::Mark(on) => {
                let count = ui.terminal.options.len().max(1);
                let step = if on { 1 } else { count - 1 };
                ui.terminal.marked = (ui.terminal.marked + step) % count;
            }
            InspectAct::Take(i) => {
                if let Some(word) = ui.terminal.options.get(i).cloned() {
                    take(&mut ui.terminal, &word, true);
                }
            }
            InspectAct::History(on) => self.recall(on),
            InspectAct::Cancel => {
                let line = std::mem::take(&mut ui.terminal.line) + "^C";
                self.local(&line, String::new());
            }
            InspectAct::Clear => self.clear_terminal(),
            InspectAct::Fault(act) => self.fault_act(act),
        }
        true
    }

    fn recall(&mut self, on: bool) {
        self.seed_history();
        recall(&mut self.ui.inspector.terminal, on);
    }

    /// At first the history holds the commands that the scenario came with.
    fn seed_history(&mut self) {
        let ui = &mut self.ui.inspector.terminal;
        if ui.history.is_empty() {
            let entries = self.session.terminal();
            let lines = entries.iter().map(|entry| entry.command.to_string());
            ui.history = lines.take(MAX_HISTORY).collect();
        }
    }

    fn send(&mut self) {
        let ui = &mut self.ui.inspector;
        let sources = self.session.network("").sources;
        let from = sources.iter().find(|from| source_value(from) == ui.from);
        let Some(from) = from.or(sources.first()).cloned() else {
            return;
        };
        ui.from = source_value(&from);
        let draw = ui.sent.as_ref().map_or(0, |sent| sent.2.wrapping_add(1));
        ui.sent = Some((from, ui.to.clone(), draw));
    }

    fn clear_terminal(&mut self) {
        let ui = &mut self.ui.inspector.terminal;
        ui.cleared = self.view.cursor.event;
        ui.local.clear();
        ui.options.clear();
    }

    /// Shows a line with an answer of the page's own.
    fn local(&mut self, line: &str, answer: String) {
        let behind = self.session.view().cursor.event;
        let ui = &mut self.ui.inspector.terminal;
        ui.local.push((behind, line.to_owned(), answer));
        if ui.local.len() > MAX_HISTORY {
            ui.local.remove(0);
        }
    }

    /// Runs one line or several; `\` at the end of a line continues it.
    fn enter(&mut self, text: &str) {
        self.seed_history();
        let ui = &mut self.ui.inspector.terminal;
        ui.line.clear();
        ui.options.clear();
        ui.back = 0;
        let text = text.replace("\r\n", "\n").replace("\\\n", " ");
        let lines = text.lines().map(str::trim);
        let lines: Vec<&str> = lines
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .take(MAX_LINES)
            .collect();
        for line in lines {
            let line = line.strip_prefix("$ ").unwrap_or(line);
            let history = &mut self.ui.inspector.terminal.history;
            if history.last().map(String::as_str) != Some(line) {
                history.push(line.to_owned());
            }
            if history.len() > MAX_HISTORY {
                history.remove(0);
            }
            self.run_line(line);
        }
    }

    fn run_line(&mut self, line: &str) {
        let words = split(line);
        let plain: Vec<&str> = words.iter().map(String::as_str).collect();
        match plain.as_slice() {
            ["clear"] => self.clear_terminal(),
            ["history"] => {
                let history = &self.ui.inspector.terminal.history;
                let lines: Vec<String> = history
                    .iter()
                    .enumerate()
                    .map(|(i, line)| ["  ", &*(i + 1).to_string(), "  ", line].concat())
                    .collect();
                self.local(line, lines.join("\n"));
            }
            ["kubectl", "edit", rest @ ..] | ["edit", rest @ ..]
                if !rest.iter().any(|w| w.starts_with('-')) =>
            {
                self.edit_object(line, rest);
            }
            words
                if words
                    .iter()
                    .any(|w| matches!(*w, "|" | ">" | ">>" | "<" | "&&" | "||" | ";" | "&")) =>
            {
                let answer = self.words.t("terminal.no-shell").to_string();
                self.local(line, answer);
            }
            [first, ..]
                if matches!(
                    *first,
                    "ls" | "cd"
                        | "cat"
                        | "echo"
                        | "vi"
                        | "vim"
                        | "grep"
                        | "helm"
                        | "docker"
                        | "exit"
                ) =>
            {
                let answer = self
                    .words
                    .t1("terminal.only-kubectl", "word", first)
                    .to_string();
                self.local(line, answer);
            }
            ["kubectl"] => self.kubectl("help"),
            _ => self.kubectl(line),
        }
    }

    /// `kubectl edit`: the object's YAML as a file in the page's editor.
    fn edit_object(&mut self, line: &str, words: &[&str]) {
        let (kind, name) = match words {
            [kind, name] => (*kind, *name),
            [one] => one.split_once('/').unwrap_or(("", "")),
            _ => ("", ""),
        };
        let wanted = kind.to_ascii_lowercase();
        let tables = self.session.objects();
        let table = tables.iter().find(|table| {
            let singular = table.kind.to_ascii_lowercase();
            singular == wanted
                || *table.plural == *wanted
                || wanted.len() > 1 && short_name(&singular) == wanted
        });
        let row = table.and_then(|table| {
            let named = |row: &&RowView| {
                let namespace = &*row.object.namespace;
                *row.object.name == *name && (namespace.is_empty() || namespace == "default")
            };
            table.rows.iter().find(named)
        });
        let view = row.and_then(|row| self.session.object(&row.object, None, Some(0)));
        let Some(view) = view else {
            // kubectl's own words for what is missing.
            return self.kubectl(&["get ", &words.join(" ")].concat());
        };
        let file = [
            &*view.object.kind.to_ascii_lowercase(),
            "-",
            &*view.object.name,
            ".yaml",
        ]
        .concat();
        self.session.edit(&file, &editable(&view.lines));
        let files = self.session.files();
        self.ui.file = files
            .iter()
            .position(|known| *known.name == *file)
            .unwrap_or(0);
        self.ui.pane = Section::Manifest;
        let answer = self.words.t1("terminal.edited", "file", &file).to_string();
        self.local(line, answer);
    }

    /// Completes the last word: what all candidates share, or the list of them.
    fn complete_line(&mut self) {
        let line = self.ui.inspector.terminal.line.clone();
        let options: Vec<Text> = self.session.complete(&line);
        let ui = &mut self.ui.inspector.terminal;
        ui.marked = 0;
        ui.options.clear();
        match options.as_slice() {
            [] => {}
            [one] => take(ui, &one.clone(), true),
            several => {
                let shared = shared_start(several);
                let last = line.rsplit(' ').next().unwrap_or("");
                if shared.len() > last.len() {
                    take(ui, &shared, false);
                } else {
                    ui.options = options;
                }
            }
        }
    }

    fn break_here(&mut self) {
        self.ui.inspector.breaking = !self.ui.inspector.breaking;
        self.ui.inspector.faults = Default::default();
    }
}

fn short_name(singular: &str) -> &str {
    match singular {
        "deployment" => "deploy",
        "replicaset" => "rs",
        "service" => "svc",
        "pod" => "po",
        "node" => "no",
        "configmap" => "cm",
        "namespace" => "ns",
        "serviceaccount" => "sa",
        other => other,
    }
}

/// What all words begin with.
fn shared_start(words: &[Text]) -> String {
    let Some((first, rest)) = words.split_first() else {
        return String::new();
    };
    let mut shared: &str = first;
    for word in rest {
        let same = shared.char_indices().zip(word.chars());
        let end = same.take_while(|((_, a), b)| a == b).last();
        let end = end.map_or(0, |((at, c), _)| at + c.len_utf8());
        shared = shared.get(..end).unwrap_or("");
    }
    shared.to_owned()
}

/// Puts a word in place of the line's last one.
fn take(ui: &mut TerminalUi, word: &str, whole: bool) {
    let start = ui.line.rfind(' ').map_or(0, |at| at + 1);
    ui.line.truncate(start);
    ui.line.push_str(word);
    if whole && !word.ends_with(['/', '=']) {
        ui.line.push(' ');
    }
    ui.options.clear();
}

/// Goes back (`false`) or forward in the history.
fn recall(ui: &mut TerminalUi, on: bool) {
    if ui.back == 0 {
        ui.draft = ui.line.clone();
    }
    let back = if on {
        ui.back.saturating_sub(1)
    } else {
        (ui.back + 1).min(ui.history.len())
    };
    ui.back = back;
    let place = ui.history.len().checked_sub(back).filter(|_| back > 0);
    ui.line = match place.and_then(|place| ui.history.get(place)) {
        Some(line) => line.clone(),
        None => ui.draft.clone(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_history_goes_back_and_comes_back_to_what_was_typed() {
        let mut ui = TerminalUi {
            line: "dra".into(),
            history: vec!["one".into(), "two".into()],
            ..TerminalUi::default()
        };
        let mut seen = Vec::new();
        for on in [false, false, false, true, true, true] {
            recall(&mut ui, on);
            seen.push(ui.line.clone());
        }
        assert_eq!(seen, ["two", "one", "one", "two", "dra", "dra"]);
    }

    #[test]
    fn words_are_completed_in_place() {
        let words: Vec<Text> = ["node-1".into(), "node-2".into()].into();
        assert_eq!(shared_start(&words), "node-");
        let mut ui = TerminalUi {
            line: "cordon no".into(),
            ..TerminalUi::default()
        };
        take(&mut ui, "node-", false);
        assert_eq!(ui.line, "cordon node-");
        take(&mut ui, "node-2", true);
        assert_eq!(ui.line, "cordon node-2 ");
        assert_eq!(shared_start(&[]), "");
    }
}
