//! One object: its YAML at any revision, compared with any other; who wrote it; its owners.

use super::{InspectAct, chosen, go, short};
use crate::draw::scheduler::ui::SchedAct;
use crate::draw::{kind_glyph, line_class, yaml_spans};
use crate::panel::faults;
use crate::state::{Act, Scene};
use crate::words::{bytes, moment};
use podscope_session::view::*;
use yew::prelude::*;

/// The most revisions on offer.
const MAX_REVISIONS: usize = 300;

/// Draws the object beside the list.
#[inline(never)]
pub fn side(scene: &Scene<'_>, object: &ObjectRef) -> Html {
    let ui = &scene.ui.inspector;
    let Some(view) = scene.session.object(object, scene.ui.revision, ui.against) else {
        return html! { <div class="side"><div class="inh"><h2>{short(object)}</h2>{closer(scene)}</div>
        <p class="empty">{scene.t("objects.gone")}</p></div> };
    };
    let title = [&*object.kind, " ", &*object.name].concat();
    let written = view.revisions.iter().find(|r| r.revision == view.shown);
    let owner = |owner: &ObjectRef| html! { <span class="small">{scene.t("objects.owner")}{" "}<span class="tdlink">{super::opens(scene, owner, short(owner))}</span></span> };
    let can_break = &*object.kind == "Pod" || &*object.kind == "Node";
    html! {
        <div class="side one" role="region" aria-label={title.clone()}>
            <div class="inh"><h2>{title}</h2>
                if view.deleted { <b class="badge">{scene.t("objects.deleted")}</b> }
                {for view.owners.iter().map(owner)}
                if can_break {
                    <button class="linky small" type="button" aria-expanded={ui.breaking.to_string()}
                        onclick={scene.act(Act::Inspect(InspectAct::Breaking))}>{scene.t("fault.here")}</button>
                }
                {why(scene, object)}
                {closer(scene)}
            </div>
            if can_break && ui.breaking { <div class="breakhere">{faults::here(scene, object)}</div> }
            {revisions(scene, &view)}
            if let Some(written) = written {
                <p class="wrote small muted">{kind_glyph(written.kind, 13)}{" "}
                    if !written.by.is_empty() { {scene.words.t1("objects.by", "who", &written.by)}{", "} }
                    {moment(written.at)}{", "}{bytes(written.bytes.into())}{" "}
                    <span class="tdlink">{go(scene, written.event, scene.t("objects.go").to_string())}</span></p>
            }
            <div class="code" tabindex="0" role="region" aria-label={scene.t("objects.yaml")}>{yaml(scene, &view.lines)}</div>
        </div>
    }
}

/// Of a Pod: to the receipts of its last try.
fn why(scene: &Scene<'_>, object: &ObjectRef) -> Html {
    if &*object.kind != "Pod" || scene.session.last_attempt(object).is_none() {
        return html! {};
    }
    let waits = scene.view.pending.iter().any(|pod| pod.object == *object);
    let word = if waits {
        "sched.why-pending"
    } else {
        "sched.why-node"
    };
    let act = Act::Sched(SchedAct::Why(object.clone()));
    html! { <button class="linky small" type="button" onclick={scene.act(act)}>{scene.t(word)}</button> }
}

fn closer(scene: &Scene<'_>) -> Html {
    html! { <button class="linky small right" type="button" onclick={scene.act(Act::CloseObject)}>{scene.t("close")}</button> }
}

/// Two selections: the revision shown, and the one that it is compared with.
fn revisions(scene: &Scene<'_>, view: &ObjectView) -> Html {
    let skip = view.revisions.len().saturating_sub(MAX_REVISIONS);
    let option = |revision: &RevisionView, selected: bool| {
        let mut label = revision.revision.to_string();
        if !revision.by.is_empty() {
            label = [&label, ", ", &*revision.by, ", ", &*moment(revision.at)].concat();
        }
        html! { <option key={revision.revision} value={revision.revision.to_string()} selected={selected}>{label}</option> }
    };
    let shown = view
        .revisions
        .iter()
        .skip(skip)
        .map(|r| option(r, r.revision == view.shown));
    let against = view.revisions.iter().skip(skip);
    let against = against.map(|r| option(r, view.against == Some(r.revision)));
    let onshown = scene
        .on
        .reform(|event: Event| Act::Revision(chosen(&event).parse().unwrap_or(0)));
    let onagainst = scene.on.reform(|event: Event| {
        Act::Inspect(InspectAct::Against(chosen(&event).parse().unwrap_or(0)))
    });
    let at = view.revisions.iter().position(|r| r.revision == view.shown);
    let beside = |step: isize| {
        let to = at
            .and_then(|at| at.checked_add_signed(step))
            .and_then(|at| view.revisions.get(at));
        let (word, sign) = if step < 0 {
            ("objects.older", "‹")
        } else {
            ("objects.newer", "›")
        };
        html! { <button class="step" type="button" aria-label={scene.t(word)} title={scene.t(word)} disabled={to.is_none()}
        onclick={scene.act(Act::Revision(to.map_or(0, |r| r.revision)))}>{sign}</button> }
    };
    html! {
        <div class="picks" role="group" aria-label={scene.t("objects.revisions")}>
            <label>{scene.t("objects.revision")}{" "}<select onchange={onshown}>{for shown}</select></label>
            {beside(-1)}{beside(1)}
            <label>{scene.t("objects.against")}{" "}<select onchange={onagainst}>
                <option value="0" selected={view.against.is_none()}>{scene.t("objects.nothing")}</option>{for against}</select></label>
            <span class="muted small num">{scene.words.t1("objects.count", "n", &view.revisions.len().to_string())}</span>
        </div>
    }
}

/// A part of the YAML that can be folded: its first line, and one past its last.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    managed: bool,
    from: usize,
    to: usize,
}

/// Where `metadata.managedFields` and `status` stand.
fn parts(lines: &[CodeLine]) -> Vec<Part> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let (managed, indent) = match &*line.text {
            "  managedFields:" => (true, 2),
            "status:" => (false, 0),
            _ => {
                at += 1;
                continue;
            }
        };
        let inside = |line: &&CodeLine| {
            let text = line.text.trim_start_matches(' ');
            let own = line.text.len() - text.len();
            own > indent || own == indent && text.starts_with("- ")
        };
        let rest = lines.get(at + 1..).unwrap_or_default();
        let to = at + 1 + rest.iter().take_while(inside).count();
        out.push(Part {
            managed,
            from: at,
            to,
        });
        at = to;
    }
    out
}

/// The YAML without what only the server writes, so that it can be changed and applied.
pub fn editable(lines: &[CodeLine]) -> String {
    const SERVERS: [&str; 4] = ["resourceVersion", "uid", "creationTimestamp", "generation"];
    let parts = parts(lines);
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        let folded = parts.iter().any(|part| (part.from..part.to).contains(&i));
        let field = line
            .text
            .strip_prefix("  ")
            .and_then(|rest| rest.split_once(':'));
        let servers = field.is_some_and(|(name, _)| SERVERS.contains(&name));
        if !folded && !servers {
            out.push_str(&line.text);
            out.push('\n');
        }
    }
    out
}

fn yaml(scene: &Scene<'_>, lines: &[CodeLine]) -> Html {
    let ui = &scene.ui.inspector;
    let parts = parts(lines);
    let mut out: Vec<Html> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let part = parts.iter().find(|part| part.from == at);
        let (span, open, act) = match part {
            None => {
                out.push(html! { <div class={line_class(line.mark)}><span>{yaml_spans(&line.text)}</span></div> });
                at += 1;
                continue;
            }
            Some(part) if part.managed => (part.to - at, ui.managed, InspectAct::Managed),
            Some(part) => (part.to - at, !ui.folded, InspectAct::Status),
        };
        let hidden = lines.get(at + 1..at + span).unwrap_or_default();
        let count = |mark: LineMark| hidden.iter().filter(|line| line.mark == mark).count();
        let (added, removed) = (count(LineMark::Add), count(LineMark::Del));
        let mut note = scene
            .words
            .t1("objects.folded", "n", &(span - 1).to_string())
            .to_string();
        if added + removed > 0 {
            note = [
                &*note,
                ", +",
                &added.to_string(),
                " −",
                &removed.to_string(),
            ]
            .concat();
        }
        let mark = if open { "▾ " } else { "▸ " };
        out.push(html! { <div class={line_class(line.mark)}><span>
            <button class="fold" type="button" aria-expanded={open.to_string()} onclick={scene.act(Act::Inspect(act))}>
                <span aria-hidden="true">{mark}</span>{yaml_spans(&line.text)}{" "}<span class="muted">{note}</span></button></span></div> });
        at += if open { 1 } else { span };
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn foldable_parts_end_where_the_next_field_begins() {
        let text = "metadata:\n  managedFields:\n  - manager: a\n    fieldsV1:\n      f: {}\n  name: x\nspec:\n  status:\n    a: 1\nstatus:\n  phase: Running\n  list:\n  - a";
        let lines: Vec<CodeLine> = text
            .lines()
            .map(|line| CodeLine {
                text: line.into(),
                mark: LineMark::Same,
            })
            .collect();
        let found: Vec<(bool, usize, usize)> = parts(&lines)
            .iter()
            .map(|p| (p.managed, p.from, p.to))
            .collect();
        assert_eq!(found, [(true, 1, 5), (false, 9, 13)]);
        assert_eq!(
            editable(&lines),
            "metadata:\n  name: x\nspec:\n  status:\n    a: 1\n"
        );
    }
}
