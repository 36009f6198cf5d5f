//! The time panel: transport, phases, lanes.

use super::{icon_button, popper};
use crate::draw::{icon, lanes, px};
use crate::layout::lanes::Axis;
use crate::state::{Act, Menu, SPEEDS, Scene};
use crate::words::moment;
use podscope_session::view::*;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Draws it. `strip` is measured to size the lanes.
pub fn draw(scene: &Scene<'_>, axis: &Rc<Axis>, strip: &NodeRef) -> Html {
    html! {
        <footer class="time" aria-label={scene.t("time.label")}>
            {range(scene)}
            <div class="transport">
                {buttons(scene)}
                {clock(scene)}
                {speed(scene)}
                {deadline(scene)}
                {popper(scene, Menu::Jump, html! { {scene.t("time.jump")} }, "btn quiet menu goto", "up", || super::breakpoints::menu(scene))}
                {phases(scene)}
            </div>
            {lanes_of(scene, axis, strip)}
        </footer>
    }
}

fn buttons(scene: &Scene<'_>) -> Html {
    let cursor = scene.view.cursor;
    let at_start = cursor.event == 0;
    let play = if scene.ui.playing {
        ("pause", "time.pause")
    } else {
        ("play", "time.play")
    };
    let soft = if at_start && !scene.ui.playing {
        "ib play soft"
    } else {
        "ib play"
    };
    html! {
        <div role="toolbar" aria-label={scene.t("time.transport")} class="jump">
            {icon_button(scene, "first", "time.first", "ib wide", Act::Seek(Seek::Event(0)), at_start)}
            {icon_button(scene, "prev", "time.back", "ib", Act::Back(None), at_start)}
            {icon_button(scene, play.0, play.1, soft, Act::Play, false)}
            {icon_button(scene, "next", "time.forward", "ib", Act::Step(None), false)}
            {icon_button(scene, "end", "time.end", "ib wide", Act::End, cursor.at_end)}
        </div>
    }
}

fn clock(scene: &Scene<'_>) -> Html {
    let cursor = scene.view.cursor;
    let small = if cursor.event == 0 {
        scene.t("time.nothing").to_string()
    } else {
        let count = |n: u32| Arg::Count(n.into());
        let args = vec![
            ("n", count(cursor.event)),
            ("of", count(scene.timeline.events)),
        ];
        scene.words.say(&Msg::new("time.step", args))
    };
    html! { <div class="clock num">{moment(cursor.time)}<small>{small}</small></div> }
}

fn speed(scene: &Scene<'_>) -> Html {
    speeds(scene, "speed wide")
}

/// The choice of a speed.
pub fn speeds(scene: &Scene<'_>, class: &'static str) -> Html {
    let onchange = scene.on.reform(|event: Event| {
        let select: Option<web_sys::HtmlSelectElement> = event.target_dyn_into();
        Act::Speed(
            select
                .and_then(|select| usize::try_from(select.selected_index()).ok())
                .unwrap_or(1),
        )
    });
    let option = |(i, (_, word)): (usize, &(crate::state::Speed, &'static str))| {
        html! { <option key={i} value={i.to_string()} selected={i == scene.ui.speed}>{scene.t(word)}</option> }
    };
    html! { <select {class} aria-label={scene.t("speed.label")} {onchange}>{for SPEEDS.iter().enumerate().map(option)}</select> }
}

fn deadline(scene: &Scene<'_>) -> Html {
    let Some(at) = scene
        .view
        .next_deadline
        .filter(|_| !scene.view.faults.is_empty())
    else {
        return html! {};
    };
    html! {
        <button class="btn go" type="button" onclick={scene.act(Act::Step(Some(StepSize::NextDeadline)))}>
            {icon("dead")}<span>{scene.words.t1("time.deadline", "at", &moment(at))}</span></button>
    }
}

fn phases(scene: &Scene<'_>) -> Html {
    let all = &scene.timeline.phases;
    let current = scene.view.cursor.phase.map(usize::from);
    let mut items: Vec<Html> = Vec::new();
    let mut from = 0;
    while from < all.len() {
        let to = story_end(all, from);
        let open = to - from == all.len() || (from..to).contains(&current.unwrap_or(0));
        let mut first = from;
        while first < to {
            let last = if open { first } else { to - 1 };
            let here = current == Some(first) && open;
            let class = match current {
                _ if here => "cur",
                Some(current) if current > last => "done",
                _ => "",
            };
            let mut number = (first + 1).to_string();
            if !open {
                number.push('–');
                number.push_str(&to.to_string());
            }
            if let Some(phase) = all.get(first) {
                items.push(html! { <li key={first} class={classes!(class, (!open).then_some("far"))}>
                    <button type="button" aria-current={here.then_some("step")} onclick={scene.act(Act::Seek(Seek::Event(phase.event)))}>
                        <b>{number}</b><span class="name">{scene.words.say(&phase.name)}</span></button></li> });
            }
            first = last + 1;
        }
        from = to;
    }
    for (i, name) in scene.timeline.expected.iter().enumerate() {
        let number = all.len() + i;
        items.push(html! { <li key={number}><span class="later"><b>{number + 1}</b><span class="name">{scene.words.say(name)}</span></span></li> });
    }
    html! { <ol class="steps wide" aria-label={scene.t("time.phases")}>{for items}</ol> }
}

/// Where the story ends that begins at a phase: each command and each fault begins one. Stories other
/// than the current one are drawn as one step.
fn story_end(phases: &[PhaseView], from: usize) -> usize {
    let mut to = from + 1;
    while let Some(phase) = phases.get(to) {
        if matches!(phase.name.code, "phase.submit" | "phase.fault") {
            break;
        }
        to += 1;
    }
    to
}

fn range(scene: &Scene<'_>) -> Html {
    let cursor = scene.view.cursor;
    let oninput = scene.on.reform(|event: InputEvent| {
        let input: Option<HtmlInputElement> = event.target_dyn_into();
        let value = input
            .and_then(|input| input.value().parse().ok())
            .unwrap_or(0);
        Act::Seek(Seek::Event(value))
    });
    let mut now = moment(cursor.time);
    if let Some(msg) = &scene.view.now {
        now.push_str(", ");
        now.push_str(&scene.words.say(msg));
    }
    html! {
        <input class="range" type="range" aria-label={scene.t("time.timeline")} min="0" max={scene.timeline.events.to_string()}
            value={cursor.event.to_string()} aria-valuetext={now} {oninput}/>
    }
}

fn lanes_of(scene: &Scene<'_>, axis: &Rc<Axis>, strip: &NodeRef) -> Html {
    let width = scene.ui.lanes_width;
    let h = lanes::height(scene.timeline.lanes.len());
    let seek = {
        let (axis, on, strip) = (axis.clone(), scene.on.clone(), strip.clone());
        move |client_x: i32| {
            let Some(element) = strip.cast::<web_sys::Element>() else {
                return;
            };
            let x = client_x - element.get_bounding_client_rect().left() as i32;
            if x >= lanes::LEFT {
                on.emit(Act::Seek(Seek::Time(axis.at(x))));
            }
        }
    };
    let drag = seek.clone();
    let onpointerdown = Callback::from(move |event: PointerEvent| seek(event.client_x()));
    let onpointermove = Callback::from(move |event: PointerEvent| {
        if event.buttons() & 1 == 1 {
            drag(event.client_x());
        }
    });
    let view_box = ["0 0 ", &width.to_string(), " ", &h.to_string()].concat();
    html! {
        <div class="lanes" tabindex="0" role="group" aria-label={scene.t("lanes.label")} ref={strip.clone()} {onpointerdown} {onpointermove}>
            <svg viewBox={view_box} height={px(h)} preserveAspectRatio="none" role="img" aria-label={scene.t("lanes.label")}>
                <lanes::Marks timeline={scene.timeline.clone()} axis={axis.clone()} {width} words={scene.words.clone()}/>
                {lanes::needle(axis, scene.view.cursor.time, width, h)}
            </svg>
        </div>
    }
}
