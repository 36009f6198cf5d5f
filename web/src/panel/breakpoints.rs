//! The menu of time: jumps, breakpoints, futures.

use crate::state::{Act, Scene, ZOOMS};
use crate::time_act::{MAX_BREAKS, TimeAct};
use crate::words::{Words, moment};
use podscope_session::view::*;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// Its items.
#[inline(never)]
pub fn menu(scene: &Scene<'_>) -> Html {
    html! { <div class="jumps">{small(scene)}{jumps(scene)}{breaks(scene)}{futures(scene)}</div> }
}

/// Speed and step size, which a phone's bar has no room for.
fn small(scene: &Scene<'_>) -> Html {
    let onchange = scene.on.reform(|event: Event| {
        let select: Option<HtmlSelectElement> = event.target_dyn_into();
        let at = select.and_then(|select| usize::try_from(select.selected_index()).ok());
        Act::Zoom(at.unwrap_or(1))
    });
    let option = |(i, (_, word)): (usize, &(StepSize, &'static str))| {
        html! { <option key={i} value={i.to_string()} selected={i == scene.ui.zoom}>{scene.t(word)}</option> }
    };
    html! { <div class="newbreak phone-only">
        {super::time::speeds(scene, "")}
        <select aria-label={scene.t("zoom.label")} {onchange}>{for ZOOMS.iter().enumerate().map(option)}</select>
    </div> }
}

fn time(act: TimeAct) -> Act {
    Act::Time(act)
}

/// What "the selected object" is: the one in the inspector, else what the step is about.
fn selected(scene: &Scene<'_>) -> Option<ObjectRef> {
    let in_focus = scene.view.focus.objects.first();
    scene.ui.object.as_ref().or(in_focus).cloned()
}

fn jumps(scene: &Scene<'_>) -> Html {
    let pair = |label: AttrValue, back: Act, forward: Act| {
        html! { <div class="pair"><span>{label}</span>
        <button type="button" onclick={scene.act(back)}>{scene.t("jump.before")}</button>
        <button type="button" onclick={scene.act(forward)}>{scene.t("jump.next")}</button></div> }
    };
    let of = |object: ObjectRef, forward| time(TimeAct::NextOf(object, forward));
    let object = selected(scene).map(|object| {
        let name = [&*object.kind, " ", &object.name].concat();
        let label = scene.words.t1("jump.object", "object", &name);
        pair(label, of(object.clone(), false), of(object, true))
    });
    let deadline = scene.view.next_deadline.map(|at| {
        html! { <button type="button" onclick={scene.act(Act::Step(Some(StepSize::NextDeadline)))}>
        {scene.words.t1("time.deadline", "at", &moment(at))}</button> }
    });
    html! { <>
        <h2>{scene.t("jump.title")}</h2>
        {pair(scene.t("jump.phase"), Act::Back(Some(StepSize::Phase)), Act::Step(Some(StepSize::Phase)))}
        {object.unwrap_or_else(|| html! { <p class="small muted">{scene.t("jump.no-object")}</p> })}
        {deadline.unwrap_or_else(|| html! { <p class="small muted">{scene.t("jump.no-deadline")}</p> })}
    </> }
}

/// A breakpoint in words.
pub fn name(words: &Words, point: &Breakpoint) -> String {
    let plain = ["break.", &*point.kind].concat();
    if point.value.is_empty() {
        return words.t(&plain).to_string();
    }
    let args = vec![
        ("what", Arg::Text(words.t(&plain).to_string().into())),
        ("value", Arg::Text(point.value.clone())),
    ];
    words.say(&Msg::new("break.narrowed", args))
}

fn breaks(scene: &Scene<'_>) -> Html {
    let set = scene.ui.time.breaks.iter().enumerate().map(|(i, point)| {
        let words = name(scene.words, point);
        let label = scene.words.t1("break.remove", "what", &words);
        html! { <li key={words.clone()}><span>{words}</span>
            <button type="button" class="x" aria-label={label} onclick={scene.act(time(TimeAct::RemoveBreak(i)))}>{crate::draw::icon("close")}</button></li> }
    });
    let kinds = scene.session.breakpoint_kinds();
    let chosen = kinds.get(scene.ui.time.kind);
    let option = |(i, kind): (usize, &BreakKindView)| {
        html! { <option key={kind.name} value={i.to_string()} selected={i == scene.ui.time.kind}>{scene.t(&["break.", kind.name].concat())}</option> }
    };
    let onkind = scene.on.reform(|event: Event| {
        let select: Option<HtmlSelectElement> = event.target_dyn_into();
        let at = select.and_then(|select| usize::try_from(select.selected_index()).ok());
        time(TimeAct::BreakKind(at.unwrap_or(0)))
    });
    let full = scene.ui.time.breaks.len() >= MAX_BREAKS;
    let none = scene.ui.time.breaks.is_empty();
    html! { <>
        <h2 id="breaks">{scene.t("break.title")}</h2>
        <ul class="breaks" aria-labelledby="breaks">{for set}
            if none { <li class="muted small">{scene.t("break.none")}</li> }</ul>
        <div class="newbreak">
            <select aria-label={scene.t("break.kind")} onchange={onkind}>{for kinds.iter().enumerate().map(option)}</select>
            {chosen.map(|kind| value(scene, kind))}
            <button class="btn" type="button" disabled={full} onclick={scene.act(time(TimeAct::AddBreak))}>{scene.t("break.add")}</button>
        </div>
        <button class="btn go run" type="button" disabled={none} onclick={scene.act(time(TimeAct::RunTo))}>{scene.t("break.run")}</button>
    </> }
}

/// The field that narrows a breakpoint.
fn value(scene: &Scene<'_>, kind: &BreakKindView) -> Html {
    let word = match kind.param {
        BreakParam::None => return html! {},
        BreakParam::Kind => "break.value.kind",
        BreakParam::Name => "break.value.name",
        BreakParam::Reason => "break.value.reason",
        BreakParam::Code => "break.value.code",
    };
    let oninput = scene.on.reform(|event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        time(TimeAct::BreakValue(
            input.map(|input| input.value()).unwrap_or_default(),
        ))
    });
    let on = scene.on.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            on.emit(time(TimeAct::AddBreak));
        }
    });
    let option = |value: &Text| html! { <option value={value.to_string()}/> };
    html! { <>
        <input type="text" list="break-values" maxlength="80" autocomplete="off" spellcheck="false" aria-label={scene.t(word)} placeholder={scene.t(word)}
            value={scene.ui.time.value.clone()} {oninput} {onkeydown}/>
        <datalist id="break-values">{for kind.values.iter().map(option)}</datalist>
    </> }
}

/// The words of what started a future.
pub fn started(words: &Words, name: &Msg) -> String {
    // A fault's kind has its own words.
    let arg = |wanted: &str| {
        name.args.iter().find_map(|(key, arg)| match arg {
            Arg::Text(text) if *key == wanted => Some(text.to_string()),
            _ => None,
        })
    };
    let text = words.say(name);
    match arg("kind") {
        Some(kind) => {
            let title = words.t(&["fault.", &kind, ".title"].concat()).to_string();
            let target = arg("target").unwrap_or_default();
            if target.is_empty() {
                title
            } else {
                [title.as_str(), ": ", &target].concat()
            }
        }
        None => text,
    }
}

fn futures(scene: &Scene<'_>) -> Html {
    let forks = &scene.timeline.forks;
    if forks.is_empty() {
        return html! { <>
            <h2>{scene.t("fork.title")}</h2>
            <p class="small muted">{scene.t("fork.none")}</p>
        </> };
    }
    let current = forks
        .iter()
        .find(|fork| fork.current)
        .map_or(0, |fork| fork.id);
    let item = |fork: &ForkView| {
        let words = started(scene.words, &fork.name);
        let parts = scene.words.t1("fork.parts", "at", &moment(fork.at));
        let compare = scene.words.t1("fork.compare", "name", &words);
        html! { <li key={fork.id}>
            <button type="button" aria-current={fork.current.to_string()} onclick={scene.act(Act::Switch(fork.id))}>
                <span>{words}<small>{if fork.current { scene.t("fork.here") } else { parts }}</small></span></button>
            if !fork.current {
                <button type="button" class="btn" aria-label={compare} onclick={scene.act(time(TimeAct::Compare(current, fork.id)))}>{scene.t("fork.beside")}</button>
            }
        </li> }
    };
    html! { <>
        <h2>{scene.t("fork.title")}</h2>
        <ul class="forks">{for forks.iter().map(item)}</ul>
    </> }
}
