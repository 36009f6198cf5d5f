//! The inspector: objects with YAML and diffs, events, etcd, scheduler, node, kubectl.

use super::explain::arrows;
use super::stage::heads;
use crate::draw::{self, kind_glyph, lanes, scheduler, yaml_lines};
use crate::state::{Act, Scene, TABS, Tab};
use crate::words::{Words, bytes, moment};
use podscope_session::view::*;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Draws the tab row, and the open panel. `always` opens one (small screens).
pub fn draw(scene: &Scene<'_>, always: bool) -> Html {
    let open = scene.ui.tab.or(always.then_some(Tab::Objects));
    let tab = |(tab, word): &(Tab, &'static str)| {
        let here = open == Some(*tab);
        let first = open.is_none() && *tab == Tab::Objects;
        html! {
            <button key={*word} class="tab" type="button" role="tab" aria-selected={here.to_string()} aria-controls={here.then_some("inspector")}
                tabindex={if here || first { "0" } else { "-1" }} onclick={scene.act(Act::Tab(*tab))}>{scene.t(word)}</button>
        }
    };
    html! {
        <section class="inspect" aria-label={scene.t("pane.inspect")}>
            <div class="tabs">
                <div class="tabs" role="tablist" aria-label={scene.t("pane.inspect")} onkeydown={arrows()}>{for TABS.iter().map(tab)}</div>
                {legend(scene)}
            </div>
            if let Some(open) = open { <div class="ipanel" id="inspector" role="tabpanel">{panel(scene, open)}</div> }
        </section>
    }
}

fn legend(scene: &Scene<'_>) -> Html {
    const MARKS: [(MarkKind, &str, bool); 7] = [
        (MarkKind::Create, "mark.create", false),
        (MarkKind::Status, "mark.status", true),
        (MarkKind::Bind, "mark.bind", false),
        (MarkKind::Event, "mark.event", true),
        (MarkKind::Read, "mark.read", true),
        (MarkKind::Conflict, "mark.conflict", true),
        (MarkKind::Lease, "mark.lease", false),
    ];
    let mark = |(kind, word, open): &(MarkKind, &'static str, bool)| {
        html! { <span key={*word}><svg class="k-client" viewBox="-7 -7 14 14" aria-hidden="true">
        <path class={if *open { "mk h" } else { "mk" }} d={lanes::shape(*kind, 0, 0)}/></svg>{scene.t(word)}</span> }
    };
    html! { <div class="legend wide">{for MARKS.iter().map(mark)}</div> }
}

fn panel(scene: &Scene<'_>, tab: Tab) -> Html {
    match tab {
        Tab::Objects => objects(scene),
        Tab::Events => events(scene),
        Tab::Etcd => etcd(scene),
        Tab::Scheduler => of_component(scene, ComponentKind::Scheduler),
        Tab::Node => nodes(scene),
        Tab::Kubectl => {
            html! { <Terminal entries={scene.session.terminal()} words={scene.words.clone()} on={scene.on.clone()}
            completions={scene.session.complete("")}/> }
        }
    }
}

#[inline(never)]
fn objects(scene: &Scene<'_>) -> Html {
    let tables = scene.session.objects();
    let selected = scene.ui.object.as_ref();
    let table = |table: &TableView| {
        let head = |text: &Text| html! { <th scope="col">{text.to_string()}</th> };
        let row = |row: &RowView| {
            let object = row.object.clone();
            let chosen = selected == Some(&row.object);
            let class = if chosen {
                "sel"
            } else if row.now {
                "now"
            } else {
                ""
            };
            let name = row
                .cells
                .iter()
                .position(|cell| *cell == row.object.name)
                .unwrap_or(0);
            let cells = row.cells.iter().enumerate().map(|(i, cell)| {
                if i != name {
                    return html! { <td>{cell.to_string()}</td> };
                }
                html! { <td><button type="button" onclick={scene.act(Act::Object(object.clone()))}>{cell.to_string()}</button></td> }
            });
            let key = [&*row.object.namespace, "/", &*row.object.name].concat();
            html! { <tr key={key} class={class}>{for cells}</tr> }
        };
        html! { <div key={table.kind.to_string()}>
            <h2>{table.plural.to_string()}{" "}<span class="muted">{table.rows.len()}</span></h2>
            <table><thead><tr>{for table.heads.iter().map(head)}</tr></thead><tbody>{for table.rows.iter().take(200).map(row)}</tbody></table>
        </div> }
    };
    html! { <>
        <div class="list" tabindex="0">{for tables.iter().map(table)}
            if tables.is_empty() { <p class="empty">{scene.t("objects.empty")}</p> }
        </div>
        if let Some(object) = selected { {object_side(scene, object)} }
    </> }
}

fn object_side(scene: &Scene<'_>, object: &ObjectRef) -> Html {
    let Some(view) = scene.session.object(object, scene.ui.revision, None) else {
        return html! { <div class="side"><p class="empty">{scene.t("objects.gone")}</p></div> };
    };
    let title = [&*object.kind, " ", &*object.name].concat();
    let revision = |revision: &RevisionView| {
        let here = revision.revision == view.shown;
        let label = [&revision.by, ", ", &*moment(revision.at)].concat();
        html! { <button key={revision.revision} type="button" aria-pressed={here.to_string()} title={label}
        onclick={scene.act(Act::Revision(revision.revision))}>{kind_glyph(revision.kind, 13)}{revision.revision}</button> }
    };
    let written = view
        .revisions
        .iter()
        .find(|revision| revision.revision == view.shown);
    let skip = view.revisions.len().saturating_sub(40);
    html! {
        <div class="side">
            <div class="inh"><h2>{title}</h2>
                if view.deleted { <b class="badge">{scene.t("objects.deleted")}</b> }
                if let Some(written) = written {
                    <span class="small muted">{scene.words.t1("objects.by", "who", &written.by)}{", "}{moment(written.at)}</span>
                    <button class="linky small" type="button" onclick={scene.act(Act::Seek(Seek::Event(written.event)))}>{scene.t("objects.go")}</button>
                }
                <button class="linky small right" type="button" onclick={scene.act(Act::CloseObject)}>{scene.t("close")}</button>
            </div>
            <div class="revs" role="group" aria-label={scene.t("objects.revisions")}>{for view.revisions.iter().skip(skip).map(revision)}</div>
            <div class="code" tabindex="0" role="region" aria-label={scene.t("objects.yaml")}>{yaml_lines(&view.lines)}</div>
        </div>
    }
}

#[inline(never)]
fn events(scene: &Scene<'_>) -> Html {
    let filter = scene.ui.filter.to_ascii_lowercase();
    let all = scene.session.events();
    let matches = |event: &&KubeEventView| {
        let hit = |text: &str| text.to_ascii_lowercase().contains(&filter);
        filter.is_empty() || hit(&event.reason) || hit(&event.message) || hit(&event.object.name)
    };
    let row = |event: &KubeEventView| {
        let object = [
            &*event.object.kind.to_ascii_lowercase(),
            "/",
            &*event.object.name,
        ]
        .concat();
        let target = event.object.clone();
        html! { <tr>
            <td class="num">{moment(event.at)}</td>
            <td class={if event.warning { "badge warn" } else { "" }}>{if event.warning { "Warning" } else { "Normal" }}</td>
            <td>{event.reason.to_string()}</td>
            <td><button type="button" onclick={scene.act(Act::Object(target))}>{object}</button></td>
            <td class="wrap">{event.message.to_string()}</td><td class="num">{event.count}</td>
        </tr> }
    };
    let oninput = scene.on.reform(|event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        Act::Filter(input.map(|input| input.value()).unwrap_or_default())
    });
    html! {
        <div class="list" tabindex="0">
            <div class="inh"><h2>{scene.t("tab.events")}</h2>
                <input class="filter" type="search" aria-label={scene.t("events.filter")} placeholder={scene.t("events.filter")} value={scene.ui.filter.clone()} {oninput}/></div>
            <table><thead><tr>{heads(scene, &["events.at", "events.type", "events.reason", "events.object", "events.message", "events.count"])}</tr></thead>
                <tbody>{for all.iter().rev().filter(matches).take(200).map(row)}</tbody></table>
            if all.is_empty() { <p class="empty">{scene.t("events.empty")}</p> }
        </div>
    }
}

#[inline(never)]
fn etcd(scene: &Scene<'_>) -> Html {
    let keys = scene.session.etcd_keys();
    let row = |key: &EtcdKeyView| {
        let object = key.object.clone();
        html! { <tr key={key.key.to_string()} class={if key.now { "now" } else { "" }}>
            <td class="mono"><button type="button" onclick={scene.act(Act::Object(object))}>{key.key.to_string()}</button></td>
            <td class="num">{key.modified}</td><td class="num">{key.create}</td><td class="num">{key.version}</td><td class="num">{bytes(key.bytes.into())}</td>
        </tr> }
    };
    html! {
        <div class="list" tabindex="0">
            <div class="inh"><h2>{scene.words.t1("stage.revision", "n", &scene.view.revision.to_string())}</h2>
                <span class="small muted">{scene.words.t1("etcd.keys", "n", &keys.len().to_string())}</span></div>
            <table><thead><tr>{heads(scene, &["etcd.key", "etcd.modified", "etcd.created", "etcd.version", "etcd.size"])}</tr></thead>
                <tbody>{for keys.iter().take(300).map(row)}</tbody></table>
        </div>
    }
}

fn of_component(scene: &Scene<'_>, kind: ComponentKind) -> Html {
    let Some(component) = scene
        .view
        .components
        .iter()
        .find(|component| component.kind == kind)
    else {
        return html! {};
    };
    let inside = scene.session.inside(&Target::Component(component.id));
    match &*inside {
        InsideView::Scheduler(inside) => scheduler::draw(inside, scene.words),
        _ => html! { <p class="empty">{scene.t("inside.nothing")}</p> },
    }
}

#[inline(never)]
fn nodes(scene: &Scene<'_>) -> Html {
    let node = scene
        .view
        .focus
        .node
        .clone()
        .or_else(|| match &scene.ui.target {
            Target::Node(name) => Some(name.clone()),
            _ => scene.view.nodes.first().map(|node| node.name.clone()),
        });
    let Some(node) = node else { return html! {} };
    let inside = scene.session.inside(&Target::Node(node));
    match &*inside {
        InsideView::Node(inside) => draw::node::draw(inside, scene.view.cursor.time, scene.words),
        _ => html! { <p class="empty">{scene.t("inside.nothing")}</p> },
    }
}

#[derive(Properties, PartialEq)]
struct TerminalProps {
    entries: std::rc::Rc<[TerminalEntry]>,
    words: Words,
    completions: Vec<std::rc::Rc<str>>,
    on: Callback<Act>,
}

/// The terminal: kubectl of the engine, with history.
#[component]
fn Terminal(props: &TerminalProps) -> Html {
    let history = use_state(|| 0usize);
    let input = use_node_ref();
    let end = use_node_ref();
    {
        let end = end.clone();
        use_effect_with(props.entries.clone(), move |_| {
            if let Some(end) = end.cast::<web_sys::Element>() {
                end.set_scroll_top(end.scroll_height());
            }
        });
    }
    let onkeydown = {
        let (on, entries, history, input) = (
            props.on.clone(),
            props.entries.clone(),
            history.clone(),
            input.clone(),
        );
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            let Some(field) = input.cast::<HtmlInputElement>() else {
                return;
            };
            match event.key().as_str() {
                "Enter" => {
                    let line = field.value();
                    if !line.trim().is_empty() {
                        field.set_value("");
                        history.set(0);
                        on.emit(Act::Kubectl(line));
                    }
                }
                "ArrowUp" | "ArrowDown" => {
                    event.prevent_default();
                    let next = if event.key() == "ArrowUp" {
                        *history + 1
                    } else {
                        history.saturating_sub(1)
                    };
                    let next = next.min(entries.len());
                    let line = next
                        .checked_sub(1)
                        .and_then(|back| entries.get(entries.len() - 1 - back));
                    field.set_value(line.map_or("", |entry| &entry.command));
                    history.set(next);
                }
                _ => {}
            }
        })
    };
    let entry = |entry: &TerminalEntry| {
        let bad = entry.exit.is_some_and(|exit| exit != 0);
        html! { <div key={entry.event}><span class="p">{"$ "}</span>{entry.command.to_string()}{"\n"}
        <span class={if bad { "bad" } else { "" }}>{entry.output.to_string()}</span></div> }
    };
    html! {
        <div class="terminal">
            <div class="term" ref={end} tabindex="0" role="log" aria-label={props.words.t("terminal.log")}>
                if props.entries.is_empty() { <span class="p">{props.words.t("terminal.empty")}</span> }
                {for props.entries.iter().map(entry)}
            </div>
            <label class="prompt"><span>{"kubectl"}</span>
                <input ref={input} type="text" list="kubectl-words" spellcheck="false" autocomplete="off" autocapitalize="off"
                    aria-label={props.words.t("terminal.input")} placeholder="get pods -o wide" {onkeydown}/>
            </label>
            <datalist id="kubectl-words">{for props.completions.iter().map(|word| html! { <option value={word.to_string()}/> })}</datalist>
        </div>
    }
}
