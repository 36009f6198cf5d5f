//! A Pod's pill: dashed is planned, outline is becoming, solid is Ready, hatched is doubtful.

use super::{cross, px, text};
use crate::layout::Rect;
use crate::layout::cluster::{PodBox, PodDetail};
use crate::path;
use crate::words::middle;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it. `now` puts it on yellow; `tab` makes it a stop of the Tab key.
#[inline(never)]
pub fn pill(
    pod: &PodView,
    place: &PodBox,
    detail: PodDetail,
    now: bool,
    tab: bool,
    on_object: &Callback<ObjectRef>,
) -> Html {
    let r = place.rect;
    let tiny = r.h < 12;
    let (class, solid) = match pod.look {
        PodLook::Planned => ("pod-plan", false),
        PodLook::Unschedulable if tiny => ("over off", false),
        PodLook::Unschedulable => ("pod-plan", false),
        PodLook::Ready => ("pod-ready", true),
        PodLook::Doubtful => ("pod-ghost", false),
        PodLook::Failed if tiny => ("over", false),
        _ => ("pod-wait", false),
    };
    let (x, y, w, h, rx) = (px(r.x), px(r.y), px(r.w), px(r.h), px(r.h / 2));
    let ring = now.then(|| {
        let out = if tiny { 2 } else { 4 };
        let (x, y) = (px(r.x - out), px(r.y - out));
        let (w, h) = (px(r.w + 2 * out), px(r.h + 2 * out));
        html! { <rect class="nowfill" x={x} y={y} width={w} height={h} rx={px(r.h / 2 + out)}/> }
    });
    let words = |solid: bool, at: Rect| {
        let words = (detail != PodDetail::Chip).then(|| label(pod, at, detail, solid));
        html! { <>{words}{sign(pod, at, solid, detail)}</> }
    };
    let fill = match pod.look {
        PodLook::Creating(done) => creating(r, done, &words(true, Rect::new(0, 0, r.w, r.h))),
        PodLook::Terminating(left) => terminating(r, left),
        _ => html! {},
    };
    let label = [&*pod.object.name, ", ", &*pod.status, ", ", &*pod.ready].concat();
    let (object, again) = (pod.object.clone(), pod.object.clone());
    let click = on_object.reform(move |_: MouseEvent| object.clone());
    let open = on_object.clone();
    let key = Callback::from(move |event: KeyboardEvent| {
        if super::is_opening(&event) {
            open.emit(again.clone());
        }
    });
    html! {
        <g key={pod.object.name.to_string()}>
            <g class="pod" role="button" tabindex={if tab { "0" } else { "-1" }} aria-label={label} onclick={click} onkeydown={key}>
                {ring}
                <rect class={class} x={x.clone()} y={y.clone()} width={w.clone()} height={h.clone()} rx={rx.clone()}/>
                <rect class="focus" x={x} y={y} width={w} height={h} rx={rx}/>
            </g>
            // Beside the button: a shortened name is not the button's name.
            {words(solid, r)}{fill}
        </g>
    }
}

/// The part that is done: the solid pill with its own words, seen through a window that widens.
#[inline(never)]
fn creating(r: Rect, done: u16, words: &Html) -> Html {
    let w = r.w * i32::from(done.min(1000)) / 1000;
    html! {
        <svg x={px(r.x)} y={px(r.y - 1)} width={px(w.max(1))} height={px(r.h + 2)} class="made" aria-hidden="true">
            <g transform="translate(0 1)">
                <rect class="pod-ready" x="0" y="0" width={px(r.w)} height={px(r.h)} rx={px(r.h / 2)}/>
                {words.clone()}
            </g>
        </svg>
    }
}

/// The strike through a Pod that is being deleted, as long as its grace period lasts.
#[inline(never)]
fn terminating(r: Rect, left: u16) -> Html {
    let run = (r.w - 16).max(4);
    let w = run * i32::from(left.min(1000)) / 1000;
    let rise = (r.h - 8).max(4);
    let d = path!(
        "M",
        r.x + 8,
        " ",
        r.bottom() - 4,
        "l",
        w.max(4),
        " ",
        -rise * w.max(4) / run
    );
    html! { <path class="inkline" d={d}/> }
}

fn sign(pod: &PodView, r: Rect, solid: bool, detail: PodDetail) -> Html {
    let chip = detail == PodDetail::Chip;
    let x = if chip { r.cx() } else { r.x + 13 };
    let y = r.cy();
    if r.h < 12 {
        return html! {};
    }
    match pod.look {
        PodLook::Unschedulable => text(x - 2, y + 5, "lab faulttext", "!"),
        PodLook::Failed => cross(x, y, 4),
        PodLook::Succeeded => {
            let d = path!("M", x - 4, " ", y, "l3 4 6 -8");
            html! { <path class="inkline" d={d}/> }
        }
        PodLook::Running => html! {
            <circle class="inkline" cx={px(x)} cy={px(y)} r="3.5"/>
        },
        PodLook::Ready if !chip => {
            let class = if solid { "on-pod" } else { "dot" };
            html! { <circle class={class} cx={px(x)} cy={px(y)} r="3.5"/> }
        }
        PodLook::Doubtful if chip => text(x - 3, y + 4, "lab2", "?"),
        _ => html! {},
    }
}

/// What tells a Pod from its siblings: what follows the last hyphen.
fn tail(name: &str) -> &str {
    name.rsplit('-').next().unwrap_or(name)
}

fn label(pod: &PodView, r: Rect, detail: PodDetail, solid: bool) -> Html {
    let signed = !matches!(
        pod.look,
        PodLook::Planned | PodLook::Creating(_) | PodLook::Doubtful | PodLook::Terminating(_)
    );
    let left = r.x + if signed { 24 } else { 12 };
    let status = if detail == PodDetail::Full {
        &*pod.status
    } else {
        ""
    };
    let doubt = pod.look == PodLook::Doubtful && !status.is_empty();
    let status_w = match (status.is_empty(), doubt) {
        (true, _) => 0,
        (_, true) => status.chars().count() as i32 * 66 / 10 + 30,
        _ => status.chars().count() as i32 * 64 / 10 + 10,
    };
    // The status goes before the name's first part, and before the whole name where there is no room.
    let room = r.right() - 10 - status_w - left;
    let most = (room * 10 / 66).max(0) as usize;
    let name = if most >= 9 || status.is_empty() {
        middle(&pod.object.name, most.max(5)).to_string()
    } else if most >= tail(&pod.object.name).chars().count() {
        tail(&pod.object.name).to_owned()
    } else {
        String::new()
    };
    let y = r.cy() + 4;
    let (name_class, status_class) = if solid {
        ("lab2 on-pod", "lab2 on-pod end")
    } else {
        ("lab2", "lab2 end")
    };
    html! { <>
        {text(left, y, name_class, name)}
        if doubt {
            <rect class="chip" x={px(r.right() - status_w - 2)} y={px(r.y + 3)} width={px(status_w - 4)}
                height={px(r.h - 6)} rx={px(r.h / 2 - 3)}/>
            {text(r.right() - 14, y, "lab2 end", [status, " ?"].concat())}
        } else if !status.is_empty() {
            {text(r.right() - 12, y, status_class, status.to_owned())}
        }
    </> }
}
