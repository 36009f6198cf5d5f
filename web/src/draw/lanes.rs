//! Lanes: one per component, one mark per request. The marks are drawn once; a veil pales the future.

use super::{glyph_at, kind_class, kind_name, px, text};
use crate::layout::clusters::{Cluster, clusters};
use crate::layout::lanes::Axis;
use crate::path;
use crate::words::{Words, length, moment};
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// Left edge of the time axis.
pub const LEFT: i32 = 150;
const TOP: i32 = 22;

/// Distance of two lanes: closer when there are many, so that fifteen are seen without scrolling.
fn pitch(lanes: usize) -> i32 {
    match lanes {
        0..=8 => 16,
        9 => 14,
        10 => 13,
        _ => 12,
    }
}

/// What the marks are drawn from; the cursor is not among it.
#[derive(Properties)]
pub struct Props {
    /// The timeline.
    pub timeline: Rc<TimelineView>,
    /// Its axis.
    pub axis: Rc<Axis>,
    /// Width in pixels.
    pub width: i32,
    /// Words.
    pub words: Words,
}

impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        Rc::ptr_eq(&self.timeline, &other.timeline)
            && self.axis == other.axis
            && self.width == other.width
            && self.words == other.words
    }
}

/// Height of the drawing for a number of lanes.
pub fn height(lanes: usize) -> i32 {
    (TOP + 6 + pitch(lanes) * lanes as i32).max(156)
}

/// Lanes with all marks.
#[component]
pub fn Marks(props: &Props) -> Html {
    let right = props.width - 16;
    let h = height(props.timeline.lanes.len());
    let gaps = props.axis.gaps.iter().map(|gap| {
        let label = (gap.x1 - gap.x0 >= 50).then(|| {
            text((gap.x0 + gap.x1) / 2, 13, "brkt mid", props.words.t1("lanes.silence", "span", &length(gap.length)))
        });
        html! { <>
            <rect class="brk" x={px(gap.x0)} y="20" width={px(gap.x1 - gap.x0)} height={px(h - 22)}/>
            <path class="wire" d={tear(gap.x0, h)}/><path class="wire" d={tear(gap.x1, h)}/>
            {label}
        </> }
    });
    let ticks = props.axis.ticks().into_iter().filter(|(x, _)| {
        let apart = |gap: &crate::layout::lanes::Gap| *x < gap.x0 - 24 || *x > gap.x1 + 24;
        *x > LEFT + 30 && props.axis.gaps.iter().all(apart)
    }).map(|(x, at)| {
        html! { <><path class="ln" d={path!("M", x, " 18v4")}/>{text(x, 13, "tk mid", moment(at))}</> }
    });
    let lanes = props.timeline.lanes.iter().enumerate().map(|(i, lane)| {
        let y = TOP + pitch(props.timeline.lanes.len()) * (2 * i as i32 + 1) / 2;
        let class = kind_class(lane.kind);
        let dead = lane.silent.iter().map(|(from, to)| {
            let x0 = props.axis.x(*from);
            let x1 = to.map_or(right, |to| props.axis.x(to));
            html! { <path class="dead" d={path!("M", x0, " ", y, "H", x1)}/> }
        });
        let (solid, open, counts) = marks(lane, &props.axis, y);
        html! { <g key={i} class={class}>
            {glyph_at(kind_name(lane.kind), 26, y, 13)}
            {text(40, y + 4, "lt", lane.name.to_string())}
            <path class="ln" d={path!("M", LEFT, " ", y, "H", right)}/>
            {for dead}
            <path class="mk" d={solid}/><path class="mk h" d={open}/>{for counts}
            {for faults(lane, &props.axis, y)}
        </g> }
    });
    let partings = partings(props, h);
    let mut phases = String::new();
    for phase in props.timeline.phases.iter() {
        phases.push_str(&path!("M", props.axis.x(phase.at), " 16v6"));
    }
    html! { <g>{for lanes}{for gaps}{for ticks}<path class="wire" d={phases}/>{partings}</g> }
}

/// Where other futures leave this one: a dotted line with a forked top.
fn partings(props: &Props, h: i32) -> Option<Html> {
    let forks = props.timeline.forks.iter().filter(|fork| !fork.current);
    let mut d = String::new();
    for fork in forks.take(12) {
        let x = props.axis.x(fork.at);
        d.push_str(&path!("M", x, " ", h, "V22l-4-7m4 7l4-7"));
    }
    (!d.is_empty()).then(|| html! { <path class="parting" {d}/> })
}

fn tear(x: i32, h: i32) -> AttrValue {
    let mut d = path!("M", x, " 20").to_string();
    for _ in 0..(h - 24) / 18 {
        d.push_str("l3 9-3 9");
    }
    AttrValue::from(d)
}

/// A lane's marks: the path of filled ones, the path of open ones, and counts of clusters.
fn marks(lane: &LaneView, axis: &Axis, y: i32) -> (AttrValue, AttrValue, Vec<Html>) {
    let (mut solid, mut open, mut counts) = (String::new(), String::new(), Vec::new());
    for Cluster { x, kind, count } in clusters(&lane.marks, axis) {
        let path = match kind {
            MarkKind::Status
            | MarkKind::Event
            | MarkKind::Read
            | MarkKind::Conflict
            | MarkKind::Delete => &mut open,
            _ => &mut solid,
        };
        path.push_str(&shape(kind, x, y));
        if count > 1 {
            counts.push(text(x + 7, y + 4, "ct", count.to_string()));
        }
    }
    (solid.into(), open.into(), counts)
}

/// The path of one mark.
pub fn shape(kind: MarkKind, x: i32, y: i32) -> AttrValue {
    match kind {
        MarkKind::Create | MarkKind::Call => path!("M", x - 3, " ", y - 4, "l8 4-8 4z"),
        MarkKind::Status => path!("M", x - 3, " ", y - 4, "l8 4-8 4z"),
        MarkKind::Update => path!("M", x, " ", y - 5, "v10m0-10l5 2.5-5 2.5z"),
        MarkKind::Bind => path!("M", x, " ", y - 5, "l5 5-5 5-5-5z"),
        MarkKind::Event => path!("M", x - 2, " ", y + 5, "v-10h6v5h-6"),
        MarkKind::Read => path!("M", x, " ", y - 4, "v8"),
        MarkKind::Lease => path!("M", x - 1, " ", y, "a1 1 0 1 0 2 0 1 1 0 1 0-2 0z"),
        MarkKind::Conflict => path!("M", x - 4, " ", y - 4, "l8 8m0-8l-8 8"),
        MarkKind::Delete => path!("M", x - 4, " ", y - 4, "h8v8h-8zm8 0l-8 8"),
        MarkKind::You => path!("M", x - 5, " ", y - 4, "h10l-5 9z"),
        MarkKind::Fault => path!("M", x + 1, " ", y - 7, "l-5 8h4l-1 6 5-8h-4z"),
    }
}

fn faults(lane: &LaneView, axis: &Axis, y: i32) -> Vec<Html> {
    let marks = lane
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Fault)
        .take(40);
    marks
        .map(|mark| {
            let d = shape(MarkKind::Fault, axis.x(mark.at), y);
            html! { <g class="k-fault"><path class="mk" d={d}/></g> }
        })
        .collect()
}

/// The veil over the future and the needle.
pub fn needle(axis: &Axis, now: Nanos, width: i32, h: i32) -> Html {
    let x = axis.x(now);
    let (left, veil) = (LEFT, (width - 16 - x).max(0));
    html! { <>
        <rect class="past" x={px(left)} y="0" width={px((x - left).max(0))} height={px(h)}/>
        <rect class="veil" x={px(x + 1)} y="18" width={px(veil)} height={px(h)}/>
        <path class="needle" d={path!("M", x, " 14V", h)}/>
        <path class="cap" d={path!("M", x - 7, " 2h14v9l-7 7-7-7z")}/>
    </> }
}
