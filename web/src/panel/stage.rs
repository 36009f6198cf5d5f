//! The stage: the cluster, or the inside of what was opened; timers and the preview below it.

use crate::draw::cluster::ClusterPicture;
use crate::draw::inside::Frame;
use crate::draw::{
    api_server, call, controller, etcd, glyph, icon, kind_glyph, node, px, scheduler,
};
use crate::path;
use crate::state::{Act, Scene, ZOOMS};
use crate::words::{length, moment};
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it. `figure` is measured to size the picture.
pub fn draw(scene: &Scene<'_>, figure: &NodeRef, moving: bool) -> Html {
    let start = scene.view.cursor.event == 0
        && scene.ui.target == Target::Cluster
        && scene.ui.learn.running().is_none();
    html! {
        <section class="stage" id="stage" tabindex="-1" aria-label={scene.t("pane.stage")}>
            if start && !scene.ui.as_text { {intro(scene)} } else { {head(scene)} }
            {body(scene, figure, moving)}
            if scene.ui.target == Target::Cluster { {waiting(scene)}{timers(scene)} }
            {super::editor::effect::effect(scene)}
        </section>
    }
}

fn intro(scene: &Scene<'_>) -> Html {
    let code = scene.session.preset();
    let part = |suffix: &str| {
        let own = ["preset.", &*code, suffix].concat();
        if scene.words.has(&own) {
            scene.t(&own)
        } else {
            scene.t(&["intro", suffix].concat())
        }
    };
    html! {
        <div class="intro">
            <h1>{part(".head")}</h1>
            <p>{part(".text")}</p>
            <div class="acts">
                <button class="btn go big" type="button" onclick={scene.act(Act::Play)}>{icon("play")}{part(".play")}</button>
                if &*code == "birth" {
                    <button class="btn big" type="button" onclick={scene.act(Act::Learn(crate::learn::LearnAct::Start("birth")))}>{scene.t("intro.lesson")}</button>
                }
                <span class="muted small wide">{scene.t("intro.or")}{" "}<kbd>{"Ctrl"}</kbd>{" "}<kbd>{"Enter"}</kbd></span>
            </div>
        </div>
    }
}

#[inline(never)]
fn head(scene: &Scene<'_>) -> Html {
    // A call has no parts that could break.
    let breaks = !matches!(scene.ui.target, Target::Call(_) | Target::Plugin(_));
    let zoom = |(i, (_, word)): (usize, &(StepSize, &'static str))| {
        let here = i == scene.ui.zoom;
        html! { <button key={i} type="button" role="radio" aria-checked={here.to_string()} tabindex={if here { "0" } else { "-1" }}
        onclick={scene.act(Act::Zoom(i))}>{scene.t(word)}</button> }
    };
    html! {
        <div class="stagehead">
            {crumbs(scene)}
            <span class="right">
                if breaks { {super::faults::head(scene)} }
                <button class="btn quiet wide astext-button" type="button" aria-pressed={scene.ui.as_text.to_string()} onclick={scene.act(Act::AsText)}>{scene.t("stage.as-text")}</button>
                <span class="zoom" role="radiogroup" aria-label={scene.t("zoom.label")} onkeydown={super::explain::arrows()}>{for ZOOMS.iter().enumerate().map(zoom)}</span>
            </span>
        </div>
    }
}

/// The way from the cluster to what is shown; each level is a button, the last one the title.
#[inline(never)]
pub fn crumbs(scene: &Scene<'_>) -> Html {
    let (name, mark) = title(scene, &scene.ui.target);
    let heading = html! { <h1 id="stage-title" tabindex="-1">{mark}<span>{name}</span></h1> };
    if scene.ui.target == Target::Cluster {
        return heading;
    }
    let level = |(i, target): (usize, &Target)| {
        let (name, _) = title(scene, target);
        html! { <li key={i}><button class="btn quiet" type="button" onclick={scene.act(Act::Open(target.clone()))}>{name}</button></li> }
    };
    html! {
        <nav class="crumbs" aria-label={scene.t("stage.where")}><ol>
            <li><button class="btn quiet" type="button" onclick={scene.act(Act::Open(Target::Cluster))}>{icon("back")}{scene.t("stage.cluster")}</button></li>
            {for scene.ui.stage.path.iter().enumerate().map(level)}
            <li aria-current="page">{heading}</li>
        </ol></nav>
    }
}

/// A level's name and mark.
fn title(scene: &Scene<'_>, target: &Target) -> (String, Html) {
    match target {
        Target::Cluster => (scene.t("stage.cluster").to_string(), glyph("node", 18)),
        Target::Node(name) => (name.to_string(), glyph("node", 18)),
        Target::Component(id) => match scene.view.components.get(usize::from(*id)) {
            Some(component) => (component.name.to_string(), kind_glyph(component.kind, 18)),
            None => (String::new(), html! {}),
        },
        Target::Plugin(name) => (name.to_string(), glyph("sched", 18)),
        Target::Call(_) => match &*scene.session.inside(target) {
            InsideView::Call(call) if !call.label.is_empty() => {
                (call.label.to_string(), kind_glyph(call.from.0, 18))
            }
            _ => (scene.t("zoom.call").to_string(), html! {}),
        },
    }
}

/// The picture, or the inside of what was opened.
pub fn body(scene: &Scene<'_>, figure: &NodeRef, moving: bool) -> Html {
    if scene.ui.target != Target::Cluster {
        return inside(scene);
    }
    if scene.ui.as_text {
        return as_text(scene);
    }
    html! {
        <div class="fig" ref={figure.clone()}>
            <ClusterPicture view={scene.view.clone()} size={scene.ui.stage_size} words={scene.words.clone()} {moving}
                on_open={scene.on.reform(Act::Open)} on_object={scene.on.reform(Act::Object)}/>
        </div>
    }
}

/// What was opened.
#[inline(never)]
fn inside(scene: &Scene<'_>) -> Html {
    let frame = &Frame::of(scene);
    match &*scene.session.inside(&scene.ui.target) {
        InsideView::ApiServer(inside) => api_server::draw(frame, inside),
        InsideView::Scheduler(nearest) => {
            let chosen = scene.ui.stage.sched.attempt;
            let chosen = chosen.map(|event| scene.session.matrix(Some(event)));
            let inside = chosen.as_deref().unwrap_or(nearest);
            match &scene.ui.target {
                Target::Plugin(name) => scheduler::plugin(frame, inside, name),
                _ => scheduler::draw(frame, inside),
            }
        }
        InsideView::Node(inside) => node::draw(frame, inside),
        InsideView::Etcd(inside) => etcd::draw(frame, inside),
        InsideView::Controller(inside) => controller::draw(frame, inside),
        InsideView::Client(inside) => etcd::client(frame, inside),
        InsideView::Call(inside) => call::draw(frame, inside),
        InsideView::Nothing => html! { <p class="empty">{scene.t("inside.nothing")}</p> },
    }
}

/// The same as the picture, in words and tables.
#[inline(never)]
fn as_text(scene: &Scene<'_>) -> Html {
    let view = scene.view;
    let words = scene.words;
    let pod = |node: &str, pod: &PodView| {
        let object = pod.object.clone();
        let message = pod.message.as_deref().unwrap_or_default().to_owned();
        html! { <tr key={pod.object.name.to_string()}>
            <td><button class="linky" type="button" onclick={scene.act(Act::Object(object))}>{pod.object.name.to_string()}</button></td>
            <td>{pod.ready.to_string()}</td><td>{pod.status.to_string()}</td><td>{node.to_owned()}</td><td>{message}</td>
        </tr> }
    };
    let pods = view
        .nodes
        .iter()
        .flat_map(|node| node.pods.iter().map(|p| pod(&node.name, p)));
    let node = |node: &NodeView| {
        html! { <tr key={node.name.to_string()}>
            <td><button class="linky" type="button" onclick={scene.act(Act::Open(Target::Node(node.name.clone())))}>{node.name.to_string()}</button></td>
            <td>{node.status.to_string()}</td><td>{node.zone.to_string()}</td><td>{node.capacity.to_string()}</td>
            <td class="num">{node.pods.len()}</td>
        </tr> }
    };
    let message = |message: &MessageView| {
        let name = |id: ComponentId| {
            view.components
                .get(usize::from(id))
                .map(|c| c.name.to_string())
                .unwrap_or_default()
        };
        html! { <li>{[name(message.from).as_str(), " → ", &name(message.to), ": ", &message.label].concat()}</li> }
    };
    let component = |component: &ComponentView| {
        let doing = component
            .doing
            .as_ref()
            .map(|doing| words.say(doing))
            .unwrap_or_default();
        let state = if component.up {
            html! {}
        } else {
            html! { <b class="badge">{scene.t("stage.down")}</b> }
        };
        html! { <li key={component.id}>
        <button class="linky" type="button" onclick={scene.act(Act::Open(Target::Component(component.id)))}>{component.name.to_string()}</button>
        {" "}{state}{" "}<span class="muted">{doing}</span></li> }
    };
    let upper = view
        .components
        .iter()
        .filter(|c| c.node.is_none() && c.drawn);
    html! {
        <div class="astext" tabindex="0" role="region" aria-label={scene.t("stage.as-text")}>
            <p>{crate::draw::cluster::summary(view, words)}</p>
            if !view.messages.is_empty() {
                <h2>{scene.t("text.messages")}</h2><ul>{for view.messages.iter().map(message)}</ul>
            }
            <h2>{scene.t("text.components")}</h2><ul>{for upper.map(component)}</ul>
            <h2>{scene.t("text.nodes")}</h2>
            <table><thead><tr>{heads(scene, &["text.name", "text.status", "text.zone", "text.capacity", "text.pods"])}</tr></thead>
                <tbody>{for view.nodes.iter().map(node)}</tbody></table>
            <h2>{scene.t("text.pods")}</h2>
            <table><thead><tr>{heads(scene, &["text.name", "text.ready", "text.status", "text.node", "text.message"])}</tr></thead>
                <tbody>{for view.pending.iter().map(|p| pod("", p))}{for pods}</tbody></table>
        </div>
    }
}

/// Column heads from words.
pub fn heads(scene: &Scene<'_>, codes: &[&str]) -> Html {
    codes
        .iter()
        .map(|code| html! { <th scope="col">{scene.t(code)}</th> })
        .collect()
}

/// Pods that fit on no node, and the way to the reasons.
fn waiting(scene: &Scene<'_>) -> Html {
    let waits = |pod: &&PodView| matches!(pod.look, PodLook::Unschedulable);
    if !scene.view.pending.iter().any(|pod| waits(&pod)) {
        return html! {};
    }
    waiting_for(scene)
}

/// Pods that are named.
const MOST_WAITING: usize = 2;

#[inline(never)]
fn waiting_for(scene: &Scene<'_>) -> Html {
    let waits = scene.view.pending.iter();
    let waits = waits.filter(|pod| matches!(pod.look, PodLook::Unschedulable));
    let hidden = waits.clone().count().saturating_sub(MOST_WAITING);
    let pod = |pod: &PodView| {
        let name = crate::words::middle(&pod.object.name, 28);
        let act = Act::Sched(crate::draw::scheduler::ui::SchedAct::Why(
            pod.object.clone(),
        ));
        let label = scene.words.t1("sched.why-of", "n", &pod.object.name);
        html! { <span key={pod.object.name.to_string()} class="waiter"><b>{"! "}</b>{scene.words.t1("sched.waits", "n", &name)}
        <button class="btn" type="button" aria-label={label} onclick={scene.act(act)}>{scene.t("sched.why")}</button></span> }
    };
    html! { <div class="waiters" role="group" aria-label={scene.t("sched.waiting")}>{for waits.take(MOST_WAITING).map(pod)}
    if hidden > 0 { <span class="muted small">{scene.words.t1("sched.more", "n", &hidden.to_string())}</span> }</div> }
}

fn timers(scene: &Scene<'_>) -> Html {
    if !scene.view.timers.iter().any(|timer| matters(scene, timer)) {
        return html! {};
    }
    meters(scene)
}

/// How long a rollout may take before its own deadline is worth a look.
const PATIENCE: Nanos = 60_000_000_000;

/// Whether a deadline says something about the moment: a rollout that goes on as it should has one too.
fn matters(scene: &Scene<'_>, timer: &TimerView) -> bool {
    let passed = scene.view.cursor.time.saturating_sub(timer.from);
    timer.name.code != "deployment.progress_deadline" || passed > PATIENCE
}

#[inline(never)]
fn meters(scene: &Scene<'_>) -> Html {
    let now = scene.view.cursor.time;
    let timer = |(i, timer): (usize, &TimerView)| {
        let kind = scene
            .view
            .components
            .get(usize::from(timer.component))
            .map_or(ComponentKind::Controller, |c| c.kind);
        let passed = now.saturating_sub(timer.from);
        let (value, filled, due) = match timer.due {
            None => (scene.t("timer.for-ever").to_string(), 0, false),
            Some(at) => {
                let whole = at.saturating_sub(timer.from).max(1);
                let filled = (u128::from(passed.min(whole)) * 330 / u128::from(whole)) as i32;
                let over = now >= at;
                let text = if over {
                    [&length(passed), " ", &scene.t("timer.old")].concat()
                } else {
                    let mut text = length(passed);
                    text.push(' ');
                    text.push_str(&scene.t("timer.of"));
                    text.push(' ');
                    text.push_str(&length(whole));
                    text
                };
                (text, filled, over)
            }
        };
        let then = scene.words.say(&timer.then);
        let then = match timer.due {
            Some(at) if at > now => {
                [&then, ", ", &scene.words.t1("timer.at", "at", &moment(at))].concat()
            }
            _ => then,
        };
        let class = if due {
            "meter k-fault".to_owned()
        } else {
            ["meter ", &crate::draw::kind_class(kind)].concat()
        };
        html! {
            <div key={i} class={classes!("timer", due.then_some("due"))}>
                <b>{scene.words.say(&timer.name)}</b><span class="v">{value}</span>
                <svg class={class} viewBox="0 0 330 18" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="t" x="0" y="5" width="330" height="8"/><rect class="b" x="0" y="5" width={px(filled)} height="8"/>
                    <path class="nowline" d={path!("M", filled.clamp(1, 329), " 0v18")}/>
                </svg>
                <small>{then}</small>
            </div>
        }
    };
    html! { <div class="timers" tabindex="0" role="group" aria-label={scene.t("timer.label")}>{for scene.view.timers.iter().filter(|timer| matters(scene, timer)).take(6).enumerate().map(timer)}</div> }
}
