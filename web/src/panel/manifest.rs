//! The manifest editor: a textarea over its own coloured copy, so that input methods, phones,
//! screen readers and undo are the browser's. Diagnostics stand below with the server's words.

use super::popper;
use crate::draw::{glyph, kind_glyph, yaml_spans};
use crate::state::{Act, Menu, Scene};
use podscope_session::view::*;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// Lines above this number are not coloured.
const MOST_COLOURED: usize = 2_000;

/// Draws the pane.
pub fn draw(scene: &Scene<'_>) -> Html {
    let Some(file) = scene
        .files
        .get(scene.ui.file)
        .or_else(|| scene.files.first())
    else {
        return html! { <section class="manifest" aria-label={scene.t("pane.manifest")}></section> };
    };
    let here = scene
        .view
        .focus
        .lines
        .filter(|lines| usize::from(lines.0) == scene.ui.file);
    html! {
        <section class="manifest" aria-label={scene.t("pane.manifest")}>
            {head(scene)}
            <Editor file={FileRef(file.clone())} here={here.map(|(_, from, to)| (from, to))}
                label={scene.words.t1("editor.label", "file", &file.name)} hint={scene.t("editor.hint")}
                on={scene.on.clone()}/>
            {diagnostics(scene, file)}
            {foot(scene, file)}
        </section>
    }
}

fn errors(file: &FileView) -> usize {
    file.diagnostics
        .items
        .iter()
        .filter(|item| item.severity == Severity::Error)
        .count()
}

fn head(scene: &Scene<'_>) -> Html {
    let only = scene.files.len() < 2;
    let tab = |(i, file): (usize, &FileView)| {
        let count = errors(file);
        html! {
            <button key={file.name.to_string()} class="tab" type="button" role="tab" aria-selected={(i == scene.ui.file).to_string()}
                onclick={scene.act(Act::File(i))}>
                {file.name.to_string()}
                if count > 0 { <b class="badge">{scene.words.t1("editor.errors", "n", &count.to_string())}</b> }
            </button>
        }
    };
    html! {
        <div class="head">
            <h2>{scene.t("pane.manifest")}</h2>
            if only {
                <span class="muted">{scene.files.first().map(|file| file.name.to_string())}</span>
            } else {
                <div class="files" role="tablist" aria-label={scene.t("editor.files")}>{for scene.files.iter().enumerate().map(tab)}</div>
            }
            <span class="right">
                {popper(scene, Menu::Examples, html! { {scene.t("menu.examples")} }, "btn quiet menu", "right", || {
                    html! { <>{for super::bar::presets(scene, false)}</> }
                })}
            </span>
        </div>
    }
}

fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "",
        Severity::Warning => "warn",
        Severity::Info => "info",
    }
}

#[inline(never)]
fn diagnostics(scene: &Scene<'_>, file: &FileView) -> Html {
    if file.diagnostics.items.is_empty() {
        return html! {};
    }
    let item = |(i, item): (usize, &DiagnosticView)| {
        let line = item.line + 1;
        let place = [
            line.to_string(),
            ":".to_owned(),
            (item.column + 1).to_string(),
        ]
        .concat();
        let fixes = item.fixes.iter().enumerate().map(|(fix, view)| {
            let class = if fix == 0 { "btn go" } else { "btn" };
            html! { <button key={fix} class={class} type="button" onclick={scene.act(Act::Fix(i, fix))}>{scene.words.say(&view.label)}</button> }
        });
        let goto = {
            let (line, column) = (item.line, item.column);
            Callback::from(move |_: MouseEvent| go_to(line, column))
        };
        html! {
            <li key={i} class={classes!("diag", severity_class(item.severity))} id={["d", &i.to_string()].concat()}>
                {kind_glyph(item.source, 16)}
                <span><b>{scene.words.say(&item.heading)}</b>
                    <button class="at" type="button" onclick={goto}>{scene.words.t1("editor.line", "at", &place)}</button>
                    <br/><code>{item.text.to_string()}</code></span>
                if !item.fixes.is_empty() { <span class="acts">{for fixes}</span> }
            </li>
        }
    };
    html! {
        <ul class="diags" aria-label={scene.t("editor.problems")}>
            {for file.diagnostics.items.iter().take(20).enumerate().map(item)}
        </ul>
    }
}

/// Puts the caret at a place and the keyboard into the editor.
fn go_to(line: u32, column: u32) {
    let Some(area) = textarea() else { return };
    let text = area.value();
    let mut at = 0u32;
    for (i, row) in text.split('\n').enumerate() {
        if i as u32 == line {
            at += column.min(row.encode_utf16().count() as u32);
            break;
        }
        at += row.encode_utf16().count() as u32 + 1;
    }
    area.focus().ok();
    area.set_selection_range(at, at).ok();
    let top = (f64::from(line) * 18.0 - 60.0).max(0.0) as i32;
    if let Some(pane) = area.closest(".code").ok().flatten() {
        pane.set_scroll_top(top);
    }
}

fn textarea() -> Option<HtmlTextAreaElement> {
    let document = web_sys::window()?.document()?;
    document.get_element_by_id("manifest-text")?.dyn_into().ok()
}

fn foot(scene: &Scene<'_>, file: &FileView) -> Html {
    let state = match (&file.diagnostics.effect, errors(file)) {
        (Effect::Unknown, _) => scene.t("effect.unknown").to_string(),
        (Effect::Refused { .. }, _) => scene.t("effect.refused").to_string(),
        (Effect::Pending { pods, .. }, _) => scene
            .words
            .t1("effect.pending", "n", &pods.to_string())
            .to_string(),
        (Effect::Unchanged, _) => scene.t("effect.unchanged").to_string(),
        (Effect::Runs, _) => scene.t("effect.valid").to_string(),
    };
    let bad = matches!(
        file.diagnostics.effect,
        Effect::Unknown | Effect::Refused { .. }
    );
    html! {
        <div class="foot">
            <button class="btn" type="button" onclick={scene.act(Act::Apply)}>{scene.t("editor.apply")}</button>
            <span class="wide"><kbd>{"Ctrl"}</kbd>{" "}<kbd>{"Enter"}</kbd></span>
            <span class={classes!("right", "small", if bad { "badge" } else { "muted" })}>{state}</span>
        </div>
    }
}

/// A file as a property: equal when it is the same.
#[derive(Clone)]
pub struct FileRef(FileView);

impl PartialEq for FileRef {
    fn eq(&self, other: &FileRef) -> bool {
        Rc::ptr_eq(&self.0.diagnostics, &other.0.diagnostics)
            && self.0.text == other.0.text
            && self.0.name == other.0.name
    }
}

/// Properties of the editor.
#[derive(Properties, PartialEq)]
struct EditorProps {
    file: FileRef,
    /// Lines that the current step is about.
    here: Option<(u32, u32)>,
    label: AttrValue,
    hint: AttrValue,
    on: Callback<Act>,
}

#[component]
fn Editor(props: &EditorProps) -> Html {
    let file = &props.file.0;
    // Escape, then Tab leaves the editor; else Tab indents.
    let leaving = use_mut_ref(|| false);
    let oninput = props.on.reform(|event: InputEvent| {
        let area: Option<HtmlTextAreaElement> = event.target_dyn_into();
        Act::Edit(area.map(|area| area.value()).unwrap_or_default())
    });
    let onkeydown = {
        let on = props.on.clone();
        Callback::from(move |event: KeyboardEvent| key(&event, &on, &mut leaving.borrow_mut()))
    };
    let lines = file.text.split('\n');
    let count = lines.clone().count();
    let coloured = count <= MOST_COLOURED;
    let last = count.saturating_sub(1);
    let line = |(i, text): (usize, &str)| {
        let number = i as u32;
        let here = props
            .here
            .is_some_and(|(from, to)| from <= number && number <= to);
        let mut on_line = file
            .diagnostics
            .items
            .iter()
            .filter(|item| item.line == number);
        let worst = on_line.clone().map(|item| item.severity).min();
        let class = match worst {
            Some(Severity::Error) => "l bad",
            Some(Severity::Warning) => "l warn",
            _ if here => "l here",
            _ => "l",
        };
        let spans = match on_line.next() {
            Some(item) => marked(text, item),
            None => yaml_spans(text),
        };
        let who = file
            .diagnostics
            .readers
            .iter()
            .filter(|reader| reader.0 == number);
        let blank = i == last && text.is_empty();
        html! {
            <div key={i} class={class}><span>{spans}{if blank { "\u{200b}" } else { "" }}</span>
                <span class="who">{for who.take(2).map(|reader| kind_glyph(reader.1, 14))}</span></div>
        }
    };
    html! {
        <div class="code">
            <div class="ed">
                <div aria-hidden="true">
                    if coloured { {for lines.enumerate().map(line)} }
                </div>
                <textarea id="manifest-text" class={if coloured { "" } else { "plain" }} aria-label={props.label.clone()}
                    aria-describedby="manifest-hint" spellcheck="false" autocomplete="off" autocapitalize="off" autocorrect="off"
                    wrap="off" value={file.text.to_string()} {oninput} {onkeydown} rows={count.to_string()}/>
            </div>
            <p id="manifest-hint" class="sr">{props.hint.clone()}</p>
        </div>
    }
}

/// A line with its diagnostic underlined.
fn marked(text: &str, item: &DiagnosticView) -> Html {
    let byte = |column: u32| {
        text.char_indices()
            .nth(column as usize)
            .map_or(text.len(), |(at, _)| at)
    };
    let (from, to) = (
        byte(item.column),
        byte(item.end_column.max(item.column + 1)),
    );
    let (before, rest) = text.split_at(from);
    let (inside, after) = rest.split_at(to.saturating_sub(from).min(rest.len()));
    let class = ["squig ", severity_class(item.severity)].concat();
    html! { <>{yaml_spans(before)}<span class={class}>{inside.to_owned()}</span><span class="val">{after.to_owned()}</span></> }
}

fn key(event: &KeyboardEvent, on: &Callback<Act>, leaving: &mut bool) {
    let command = event.ctrl_key() || event.meta_key();
    match event.key().as_str() {
        "Enter" if command => {
            event.prevent_default();
            event.stop_propagation();
            on.emit(Act::Apply);
        }
        "Escape" => *leaving = true,
        "Tab" if *leaving || command => *leaving = false,
        "Tab" => {
            event.prevent_default();
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                indent(&area, event.shift_key());
            }
        }
        "Enter" if !event.is_composing() => {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>()
                && let Some(indent) = indent_of_line(&area)
            {
                event.prevent_default();
                insert(&["\n", &indent].concat());
            }
        }
        _ => *leaving = false,
    }
    // Letters are text here, not shortcuts.
    if event.key() != "Escape" {
        event.stop_propagation();
    }
}

/// Inserts at the caret as if typed, so that undo knows it.
fn insert(text: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let document = document.and_then(|document| document.dyn_into::<web_sys::HtmlDocument>().ok());
    if let Some(document) = document {
        document
            .exec_command_with_show_ui_and_value("insertText", false, text)
            .ok();
    }
}

fn line_before_caret(area: &HtmlTextAreaElement) -> Option<(String, u32)> {
    let caret = area.selection_start().ok()??;
    let units: Vec<u16> = area.value().encode_utf16().take(caret as usize).collect();
    let before = String::from_utf16_lossy(&units);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.get(start..)?.to_owned();
    let start_units = caret - line.encode_utf16().count() as u32;
    Some((line, start_units))
}

fn indent_of_line(area: &HtmlTextAreaElement) -> Option<String> {
    let (line, _) = line_before_caret(area)?;
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let deeper = line.trim_end().ends_with(':');
    let indent = if deeper {
        [&indent, "  "].concat()
    } else {
        indent
    };
    (!indent.is_empty()).then_some(indent)
}

fn indent(area: &HtmlTextAreaElement, back: bool) {
    if !back {
        return insert("  ");
    }
    let Some((line, start)) = line_before_caret(area) else {
        return;
    };
    let spaces = line.chars().take_while(|c| *c == ' ').count().min(2) as u32;
    if spaces == 0 {
        return;
    }
    let caret = start + line.encode_utf16().count() as u32;
    area.set_selection_range(start, start + spaces).ok();
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(document) = document.and_then(|d| d.dyn_into::<web_sys::HtmlDocument>().ok()) {
        document.exec_command("delete").ok();
    }
    let caret = caret.saturating_sub(spaces).max(start);
    area.set_selection_range(caret, caret).ok();
}

/// Preview of what applying would do; shown on the stage while the text differs from the cluster.
pub fn effect(scene: &Scene<'_>) -> Html {
    let Some(file) = scene.files.get(scene.ui.file) else {
        return html! {};
    };
    if file.applied {
        return html! {};
    }
    let title = html! { <>{glyph("obj", 18)}{file.name.to_string()}</> };
    match &file.diagnostics.effect {
        Effect::Refused {
            stage,
            code,
            reason,
        } => html! {
            <section class="eff" tabindex="0" aria-label={scene.t("effect.label")}>
                <h2>{title}<b class="badge">{scene.t("effect.refused")}</b><span class="muted small">{scene.t("effect.note")}</span></h2>
                {refused(scene, *stage, *code, reason)}
            </section>
        },
        Effect::Pending {
            pods,
            message,
            nodes,
        } => html! {
            <section class="eff" tabindex="0" aria-label={scene.t("effect.label")}>
                <h2>{title}<b class="badge warn">{scene.words.t1("effect.pending", "n", &pods.to_string())}</b>
                    <span class="muted small">{scene.t("effect.note")}</span></h2>
                <p class="verbatim"><code>{message.to_string()}</code></p>
                {capacities(scene, nodes)}
            </section>
        },
        _ => html! {},
    }
}

#[inline(never)]
fn refused(scene: &Scene<'_>, stage: u16, code: u16, reason: &str) -> Html {
    use crate::draw::{cylinder, octagon, px, text};
    use crate::path;
    let count = PIPELINE.len() as i32;
    let pitch = (590 - 180) / (count - 1);
    let x_of = |i: i32| 180 + pitch * i;
    let stop = x_of(i32::from(stage));
    let stages = (0..count).map(|i| {
        let x = x_of(i);
        let name = PIPELINE.get(i as usize).copied().unwrap_or_default();
        let word = scene.t(&["stage.", name, ".short"].concat());
        let here = i == i32::from(stage);
        let drawing = if here {
            html! { <g class="k-fault">{octagon(x, 36, 18, "shape")}<path class="faultline" d={path!("M", x - 6, " 30l12 12m0-12l-12 12")}/></g> }
        } else if i + 1 == count {
            cylinder(x - 11, 22, 22, 28, "shape")
        } else if i < i32::from(stage) {
            html! { <g class="k-api">{octagon(x, 36, 11, "shape")}<path class="sline" d={path!("M", x - 5, " 36l3.5 4 6.5-8")}/></g> }
        } else {
            html! { <g class="k-api">{octagon(x, 36, 11, "shape off")}</g> }
        };
        html! { <g key={i}>{drawing}{text(x, if here { 72 } else { 66 }, if here { "lab2 mid faulttext" } else { "lab3 mid" }, word)}</g> }
    });
    let answer = [&*code.to_string(), " ", reason].concat();
    html! {
        <svg viewBox="0 0 620 104" role="img" aria-label={answer.clone()}>
            <path class="rail" d={path!("M128 36H", stop)}/><path class="rail ahead" d={path!("M", stop, " 36H590")}/>
            <g class="k-client"><path class="shape" d="M0 15h114l14 21-14 21H0z"/></g>
            {text(56, 41, "lab mid", "POST")}
            {for stages}
            <path class="faultline" stroke-dasharray="6 3" d={path!("M", stop, " 80V94H64V64")} marker-end="url(#a-res)"/>
            {text((stop + 64) / 2, 90, "lab2 faulttext mid halo-p", answer)}
            <rect width={px(0)} height="0"/>
        </svg>
    }
}

#[inline(never)]
fn capacities(scene: &Scene<'_>, nodes: &[(Text, i64, i64, Text)]) -> Html {
    use crate::draw::{glyph_at, px, text};
    let shown = nodes.len().min(6) as i32;
    let most = nodes
        .iter()
        .map(|node| node.1.max(node.2))
        .max()
        .unwrap_or(1)
        .max(1);
    let rows = nodes.iter().take(6).enumerate().map(|(i, (name, wanted, free, reason))| {
        let y = 8 + 34 * i as i32;
        let scale = |milli: i64| (milli.max(0) * 330 / most) as i32;
        let (free_w, wanted_w) = (scale(*free), scale(*wanted));
        html! { <g key={name.to_string()}>
            {glyph_at("node", 10, y + 13, 18)}{text(26, y + 18, "lab", name.to_string())}
            <rect class="node" x="96" y={px(y)} width={px(free_w)} height="26"/>
            <rect class="pod-plan" x="99" y={px(y + 4)} width={px(wanted_w.max(10))} height="18" rx="9"/>
            if wanted_w > free_w {
                <rect class="over" x={px(96 + free_w)} y={px(y + 4)} width={px(wanted_w - free_w)} height="18"/>
            }
            {text(620, y + 18, "lab2 end faulttext", reason.to_string())}
        </g> }
    });
    let height = 12 + 34 * shown;
    let view_box = ["0 0 620 ", &height.to_string()].concat();
    html! { <svg viewBox={view_box} role="img" aria-label={scene.t("effect.capacity")}>{for rows}</svg> }
}
