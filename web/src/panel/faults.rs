//! Faults: what can be broken, with its parameters; what is broken, with its timers and the way to mend it.

use super::inspector::{InspectAct, chosen};
use super::popper;
use crate::app::App;
use crate::draw::glyph;
use crate::state::{Act, Menu, Scene};
use crate::words::{length, moment};
use podscope_session::view::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The latest moment that a fault can be planned for, in seconds from now.
const MAX_LATER: u64 = 1_800;
/// From so many targets on the target is typed, with suggestions.
const MAX_TARGETS: usize = 60;

/// What the menu remembers.
#[derive(Clone, Debug, Default)]
pub struct FaultsUi {
    /// The kind whose form is open.
    pub kind: Option<&'static str>,
    /// What it is aimed at; empty: the first that is offered.
    pub target: String,
    /// Parameters that were changed.
    pub params: Vec<(&'static str, String)>,
    /// In how many seconds; empty: now.
    pub later: String,
    /// Why the last try was refused.
    pub problem: Option<Msg>,
}

/// What a person can do with faults.
#[derive(Clone, Debug)]
pub enum FaultAct {
    /// Opens or closes the form of a kind.
    Kind(&'static str),
    /// Aims.
    Target(String),
    /// Sets a parameter.
    Param(&'static str, String),
    /// Sets when.
    Later(String),
    /// Breaks it. The text is what it is aimed at when nothing was chosen.
    Break(&'static str, Text),
    /// Heals one.
    Heal(u32),
}

impl App {
    /// Does it.
    #[inline(never)]
    pub(crate) fn fault_act(&mut self, act: FaultAct) {
        let ui = &mut self.ui.inspector.faults;
        ui.problem = None;
        match act {
            FaultAct::Kind(kind) => {
                let open = ui.kind != Some(kind);
                *ui = FaultsUi {
                    kind: open.then_some(kind),
                    ..FaultsUi::default()
                };
            }
            FaultAct::Target(target) => ui.target = target,
            FaultAct::Param(name, value) => {
                ui.params.retain(|(known, _)| *known != name);
                ui.params.push((name, value));
            }
            FaultAct::Later(seconds) => ui.later = seconds,
            FaultAct::Break(kind, first) => self.break_it(kind, &first),
            FaultAct::Heal(id) => {
                self.ui.menu = None;
                let done = self.session.heal(id);
                self.report(done);
                focus_stage();
            }
        }
    }

    fn break_it(&mut self, kind: &'static str, first: &str) {
        self.pause();
        let ui = &self.ui.inspector.faults;
        let target = match ui.target.trim() {
            "" => first.to_owned(),
            target => target.to_owned(),
        };
        let later = ui.later.trim();
        let seconds = if later.is_empty() {
            Ok(0)
        } else {
            later.parse::<u64>()
        };
        let params: Vec<(&str, &str)> = ui
            .params
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let done = match seconds {
            Ok(0) => self.session.fault(kind, &target, &params),
            Ok(seconds) if seconds <= MAX_LATER => {
                self.session
                    .fault_later(kind, &target, &params, seconds * 1_000_000_000)
            }
            _ => Err(Msg::new(
                "fault.bad-later",
                vec![("most", Arg::Text(MAX_LATER.to_string().into()))],
            )),
        };
        match done {
            Ok(()) => {
                self.ui.menu = None;
                self.ui.inspector.breaking = false;
                self.ui.inspector.faults = FaultsUi::default();
                focus_stage();
            }
            Err(why) => self.ui.inspector.faults.problem = Some(why),
        }
    }
}

/// The form that had the focus is gone: reading goes on where the effect is seen.
fn focus_stage() {
    let document = web_sys::window().and_then(|window| window.document());
    let stage = document.and_then(|document| document.get_element_by_id("stage"));
    let stage = stage.and_then(|stage| stage.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(stage) = stage {
        stage.focus().ok();
    }
}

/// What a fault is aimed at, for the heal button.
fn short(scene: &Scene<'_>, name: &Msg) -> String {
    let short = scene.words.part(name, ".short");
    short.unwrap_or_else(|| scene.words.say(name))
}

fn act<E: 'static>(scene: &Scene<'_>, act: FaultAct) -> Callback<E> {
    scene.act(Act::Inspect(InspectAct::Fault(act)))
}

/// What the faults are looked at from: everything, or one thing.
#[derive(Clone, PartialEq, Eq)]
enum Aim {
    All,
    At(FaultTarget, Text),
    Only(&'static [&'static str]),
}

/// What can be broken where the stage is.
fn aim(scene: &Scene<'_>) -> Aim {
    match &scene.ui.target {
        Target::Cluster | Target::Call(_) | Target::Plugin(_) => Aim::All,
        Target::Node(name) => Aim::At(FaultTarget::Node, name.clone()),
        Target::Component(id) => {
            let component = scene.view.components.get(usize::from(*id));
            match component.map(|component| (component.kind, component.node.clone())) {
                Some((_, Some(node))) => Aim::At(FaultTarget::Node, node),
                Some((ComponentKind::ApiServer, _)) => {
                    Aim::Only(&["apiserver-down", "apiserver-overload", "watch-cut"])
                }
                Some((ComponentKind::Etcd, _)) => Aim::Only(&[
                    "etcd-member-down",
                    "etcd-slow",
                    "etcd-quorum-loss",
                    "etcd-no-space",
                ]),
                Some((ComponentKind::Scheduler, _)) => Aim::Only(&["scheduler-down"]),
                Some((ComponentKind::Controller, _)) => Aim::Only(&["controller-manager-down"]),
                _ => Aim::All,
            }
        }
    }
}

/// Heal buttons and the menu, for the head of the stage.
#[inline(never)]
pub fn head(scene: &Scene<'_>) -> Html {
    let heal = scene.view.faults.iter().take(2).map(|fault| {
        html! { <button key={fault.id} class="btn" type="button" onclick={act(scene, FaultAct::Heal(fault.id))}>
            {scene.t("fault.heal")}{" "}{short(scene, &fault.name)}</button> }
    });
    let aim = aim(scene);
    let word = match (&aim, scene.view.faults.is_empty()) {
        (Aim::All, true) => "fault.break",
        (Aim::All, false) => "fault.break-more",
        _ => "fault.here",
    };
    html! { <>
        {for heal}
        {popper(scene, Menu::Faults, html! { {scene.t(word)} }, "btn quiet menu", "right faults", || html! { <>{active(scene)}{palette(scene, &aim)}</> })}
    </> }
}

/// What can be done to one object, for the inspector.
#[inline(never)]
pub fn here(scene: &Scene<'_>, object: &ObjectRef) -> Html {
    let target = match (&*object.kind, &*object.namespace) {
        ("Node", _) => Aim::At(FaultTarget::Node, object.name.clone()),
        (_, "default") => Aim::At(FaultTarget::Pod, object.name.clone()),
        (_, namespace) => Aim::At(
            FaultTarget::Pod,
            [namespace, "/", &*object.name].concat().into(),
        ),
    };
    palette(scene, &target)
}

/// Everything that is broken, being mended or planned.
fn active(scene: &Scene<'_>) -> Html {
    let faults = scene.session.faults();
    if faults.is_empty() {
        return html! {};
    }
    let now = scene.view.cursor.time;
    let fault = |(i, fault): (usize, &FaultDetail)| {
        let span = |code: &str, span: Nanos| scene.words.t1(code, "span", &length(span));
        let age = match fault.state {
            FaultState::InForce => span("fault.since", now.saturating_sub(fault.at)),
            FaultState::Ending => span("fault.ending", now.saturating_sub(fault.at)),
            FaultState::Planned => span("fault.planned", fault.at.saturating_sub(now)),
        };
        let params: Vec<String> = fault
            .params
            .iter()
            .map(|(name, value)| [&**name, "=", value].concat())
            .collect();
        let timer = |timer: &TimerView| {
            let due = timer.due.map(|due| {
                if due > now {
                    scene.words.t1("fault.due", "span", &length(due - now))
                } else {
                    scene.t("fault.overdue")
                }
            });
            html! { <li>{scene.words.say(&timer.name)}{": "}{due.unwrap_or_else(|| scene.t("timer.for-ever"))}
            <small>{scene.words.say(&timer.then)}</small></li> }
        };
        html! { <li key={i}>
            {glyph("fault", 14)}
            <span><b>{scene.words.say(&fault.name)}</b>{" "}{short(scene, &fault.name)}
                <small>{age}{" "}{params.join(" ")}</small>
                if !fault.timers.is_empty() { <ul>{for fault.timers.iter().take(5).map(timer)}</ul> }</span>
            if fault.state == FaultState::InForce {
                <button class="btn" type="button" onclick={act(scene, FaultAct::Heal(fault.id))}>{scene.t("fault.heal")}</button>
            } else if fault.state == FaultState::Planned {
                <button class="btn" type="button" onclick={scene.act(Act::Seek(Seek::Time(fault.at)))}>{scene.words.t1("timer.at", "at", &moment(fault.at))}</button>
            }
        </li> }
    };
    html! { <>
        <h2>{scene.t("fault.active")}</h2>
        <ul class="inforce">{for faults.iter().enumerate().map(fault)}</ul>
    </> }
}

/// Kinds of faults by what they are aimed at; the chosen one with its form.
fn palette(scene: &Scene<'_>, aim: &Aim) -> Html {
    const GROUPS: [(&str, &[FaultTarget]); 4] = [
        ("fault.group.node", &[FaultTarget::Node, FaultTarget::Zone]),
        ("fault.group.pod", &[FaultTarget::Pod, FaultTarget::Object]),
        ("fault.group.image", &[FaultTarget::Image]),
        (
            "fault.group.control",
            &[
                FaultTarget::Nothing,
                FaultTarget::EtcdMember,
                FaultTarget::Webhooks,
            ],
        ),
    ];
    let kinds = scene.session.fault_kinds();
    let fits = |kind: &FaultKindView| match aim {
        Aim::All => true,
        Aim::At(target, _) => kind.aims_at == *target,
        Aim::Only(names) => names.contains(&kind.kind),
    };
    let group = |(word, targets): &(&str, &[FaultTarget])| {
        let mine: Vec<&FaultKindView> = kinds
            .iter()
            .filter(|kind| targets.contains(&kind.aims_at) && fits(kind))
            .collect();
        if mine.is_empty() {
            return html! {};
        }
        html! { <div key={(*word).to_owned()}><h2>{scene.t(word)}</h2>{for mine.iter().map(|kind| entry(scene, kind, aim))}</div> }
    };
    html! { <div class="palette">{for GROUPS.iter().map(group)}</div> }
}

fn entry(scene: &Scene<'_>, kind: &FaultKindView, aim: &Aim) -> Html {
    let part = |part: &str| scene.t(&[kind.code, part].concat());
    let open = scene.ui.inspector.faults.kind == Some(kind.kind);
    html! { <div key={kind.kind} class={if open { "kind open" } else { "kind" }}>
        <button class="what" type="button" aria-expanded={open.to_string()} onclick={act(scene, FaultAct::Kind(kind.kind))}>
            {glyph("fault", 14)}<span><b>{part(".title")}</b><small>{part(".help")}</small></span></button>
        if open { {form(scene, kind, aim)} }
    </div> }
}

fn form(scene: &Scene<'_>, kind: &FaultKindView, aim: &Aim) -> Html {
    let ui = &scene.ui.inspector.faults;
    let first: Text = match aim {
        Aim::At(target, name) if *target == kind.aims_at => name.clone(),
        _ => kind.targets.first().cloned().unwrap_or_else(|| "".into()),
    };
    let target: &str = if ui.target.is_empty() {
        &first
    } else {
        &ui.target
    };
    let needs = kind.aims_at != FaultTarget::Nothing;
    let onsubmit = {
        let (kind, first) = (kind.kind, first.clone());
        scene.on.reform(move |event: SubmitEvent| {
            event.prevent_default();
            Act::Inspect(InspectAct::Fault(FaultAct::Break(kind, first.clone())))
        })
    };
    let next = [kind.code, ".next"].concat();
    let problem = ui.problem.as_ref().map(|why| scene.words.say(why));
    html! {
        <form class="faultform" {onsubmit} novalidate=true>
            if scene.words.has(&next) { <p>{scene.t(&next)}</p> }
            if needs { {target_field(scene, kind, target)} }
            {for kind.params.iter().map(|param| param_field(scene, param, target))}
            <label>{scene.t("fault.later")}<span class="unit"><input type="number" min="0" max={MAX_LATER.to_string()} step="1" placeholder="0" value={ui.later.clone()}
                oninput={scene.on.reform(|event: InputEvent| Act::Inspect(InspectAct::Fault(FaultAct::Later(field(&event)))))}/>{" s"}</span></label>
            if let Some(problem) = problem { <p class="problem" role="alert">{problem}</p> }
            <button class="btn go" type="submit" disabled={needs && target.is_empty()}>{scene.t("fault.do")}</button>
        </form>
    }
}

fn field(event: &InputEvent) -> String {
    let input: Option<HtmlInputElement> = event.target_dyn_into();
    input.map(|input| input.value()).unwrap_or_default()
}

fn target_field(scene: &Scene<'_>, kind: &FaultKindView, target: &str) -> Html {
    let word = match kind.aims_at {
        FaultTarget::Node => "fault.target.node",
        FaultTarget::Image => "fault.target.image",
        FaultTarget::EtcdMember => "fault.target.member",
        FaultTarget::Zone => "fault.target.zone",
        FaultTarget::Webhooks => "fault.target.webhooks",
        FaultTarget::Object => "fault.target.object",
        _ => "fault.target.pod",
    };
    if kind.targets.is_empty() && kind.aims_at != FaultTarget::Image {
        return html! { <p class="problem">{scene.t("fault.no-target")}</p> };
    }
    let closed = !matches!(
        kind.aims_at,
        FaultTarget::Pod | FaultTarget::Image | FaultTarget::Object
    );
    let label = |name: &Text| match kind.aims_at {
        FaultTarget::EtcdMember => {
            let member = name
                .parse()
                .ok()
                .and_then(|i: usize| scene.view.etcd.get(i));
            member.map_or_else(|| name.to_string(), |member| member.name.to_string())
        }
        _ => name.to_string(),
    };
    if closed {
        let option = |name: &Text| html! { <option key={name.to_string()} value={name.to_string()} selected={**name == *target}>{label(name)}</option> };
        let onchange = scene.on.reform(|event: Event| {
            Act::Inspect(InspectAct::Fault(FaultAct::Target(chosen(&event))))
        });
        return html! { <label>{scene.t(word)}<select {onchange}>{for kind.targets.iter().map(option)}</select></label> };
    }
    let oninput = scene.on.reform(|event: InputEvent| {
        Act::Inspect(InspectAct::Fault(FaultAct::Target(field(&event))))
    });
    let option = |name: &Text| html! { <option value={name.to_string()}/> };
    html! { <>
        <label>{scene.t(word)}<input type="text" list="fault-targets" value={target.to_owned()} spellcheck="false" autocomplete="off" autocapitalize="off" {oninput}/></label>
        <datalist id="fault-targets">{for kind.targets.iter().take(MAX_TARGETS).map(option)}</datalist>
    </> }
}

fn param_field(scene: &Scene<'_>, param: &FaultParamView, target: &str) -> Html {
    let ui = &scene.ui.inspector.faults;
    let name = param.name;
    let given = ui.params.iter().find(|(known, _)| *known == name);
    let value = given.map_or(param.default, |(_, value)| value);
    let word = ["fault.param.", name].concat();
    let onchange = scene.on.reform(move |event: Event| {
        Act::Inspect(InspectAct::Fault(FaultAct::Param(name, chosen(&event))))
    });
    let input = match param.accepts {
        FaultAccepts::Number(low, high) => {
            let oninput = scene.on.reform(move |event: InputEvent| {
                Act::Inspect(InspectAct::Fault(FaultAct::Param(name, field(&event))))
            });
            let range = [&*low.to_string(), "–", &*high.to_string()].concat();
            html! { <span class="unit"><input type="number" min={low.to_string()} max={high.to_string()} step="1" value={value.to_owned()} {oninput}/>
            <small>{range}</small></span> }
        }
        FaultAccepts::OneOf(words) => {
            let option = |choice: &&'static str| {
                let label = match *choice {
                    "" => scene.t("fault.param.open"),
                    choice => AttrValue::Static(choice),
                };
                html! { <option value={*choice} selected={*choice == value}>{label}</option> }
            };
            html! { <select onchange={onchange}>{for words.iter().map(option)}</select> }
        }
        FaultAccepts::Container => {
            let pods = scene.view.nodes.iter().flat_map(|node| node.pods.iter());
            let mut pods =
                pods.filter(|pod| *pod.object.name == *target.rsplit('/').next().unwrap_or(target));
            let containers = pods
                .next()
                .map(|pod| pod.containers.clone())
                .unwrap_or_default();
            let option = |container: &ContainerView| {
                let here = *container.name == *value;
                html! { <option value={container.name.to_string()} selected={here}>{container.name.to_string()}</option> }
            };
            html! { <select onchange={onchange}><option value="" selected={value.is_empty()}>{scene.t("fault.param.first")}</option>{for containers.iter().map(option)}</select> }
        }
    };
    html! { <label>{scene.t(&word)}{input}</label> }
}
