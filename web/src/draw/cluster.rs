//! The cluster view: control plane, wires, nodes, Pods, and the messages of the current event.

use super::frame::{Node, Props as NodeProps};
use super::{cross, cylinder, is_opening, kind_class, pod, px, text};
use crate::layout::Rect;
use crate::layout::cluster::{self, Cell, NodeBox, PodDetail, Stage};
use crate::layout::path::{Point, along, rounded};
use crate::motion;
use crate::path;
use crate::words::{Words, middle};
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// What the picture is drawn from.
#[derive(Properties)]
pub struct Props {
    /// The cluster.
    pub view: Rc<ClusterView>,
    /// Size in pixels.
    pub size: (i32, i32),
    /// Words.
    pub words: Words,
    /// Whether messages travel.
    pub moving: bool,
    /// Opens a component or node.
    pub on_open: Callback<Target>,
    /// Shows a Pod's object.
    pub on_object: Callback<ObjectRef>,
}

impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        // Callbacks never change what is drawn.
        (Rc::ptr_eq(&self.view, &other.view) || self.view == other.view)
            && self.size == other.size
            && self.words == other.words
            && self.moving == other.moving
    }
}

/// The picture. A message travels first; then what it changed is shown.
#[component]
pub fn ClusterPicture(props: &Props) -> Html {
    let event = props.view.cursor.event;
    let before = use_mut_ref(|| props.view.clone());
    let arrived = use_state(|| event);
    let (w, h) = props.size;
    let travels = props.moving && *arrived != event && !props.view.messages.is_empty();
    let traveller = use_node_ref();
    let (shown, path) = if travels {
        let old = before.borrow().clone();
        let stage = cluster::stage(&old, w, h);
        let path = routes(&stage, &props.view).into_iter().next();
        (old, path.map(|(points, _)| points))
    } else {
        (props.view.clone(), None)
    };
    let goes = path.is_some();
    {
        let (traveller, mark, before) = (traveller.clone(), traveller.clone(), before);
        let view = props.view.clone();
        let arrived = arrived.clone();
        use_effect_with((event, w, h, goes), move |_| {
            let ride = path.map(|path| {
                let at_end = arrived.clone();
                travel(traveller, path, move || at_end.set(event))
            });
            if ride.is_none() {
                // A travel that was cut short leaves no mark behind.
                if let Some(mark) = mark.cast::<web_sys::Element>() {
                    mark.set_attribute("opacity", "0").ok();
                }
                *before.borrow_mut() = view;
                if travels {
                    arrived.set(event);
                }
            }
            move || drop(ride)
        });
    }
    let shown = if goes { shown } else { props.view.clone() };
    picture(&shown, &props.view, props, &traveller)
}

/// How long a message is on its way, in milliseconds.
const TRAVEL_MS: f64 = 480.0;

/// Moves the mark along a polyline, then says so.
#[inline(never)]
fn travel(traveller: NodeRef, path: Vec<Point>, at_end: impl Fn() + 'static) -> motion::Ride {
    motion::run(TRAVEL_MS, move |share| {
        if let Some(element) = traveller.cast::<web_sys::Element>() {
            let (x, y) = along(&path, ease(share));
            let place = ["translate(", &round(x), " ", &round(y), ")"].concat();
            element.set_attribute("transform", &place).ok();
            let shown = if share < 1.0 { "1" } else { "0" };
            element.set_attribute("opacity", shown).ok();
        }
        if share >= 1.0 {
            at_end();
        }
    })
}

/// The drawing of `view` with the messages of `new`.
fn picture(view: &Rc<ClusterView>, new: &ClusterView, props: &Props, traveller: &NodeRef) -> Html {
    let props = &Props {
        view: view.clone(),
        size: props.size,
        words: props.words.clone(),
        moving: props.moving,
        on_open: props.on_open.clone(),
        on_object: props.on_object.clone(),
    };
    let stage = cluster::stage(view, props.size.0, props.size.1);
    let routes = routes(&stage, new);
    let view_box = ["0 0 ", &stage.w.to_string(), " ", &stage.h.to_string()].concat();
    let label = summary(new, &props.words);
    let pods: usize = view.nodes.iter().map(|node| node.pods.len()).sum();
    let tab = pods + view.pending.len() <= TAB_STOPS;
    html! {
        <svg class="pic" viewBox={view_box} preserveAspectRatio="xMidYMin meet" role="group"
            aria-label={label}>
            { for wires(&stage, view) }
            { silences(&stage, view, &props.words) }
            { for routes.iter().map(|(points, message)| message_line(points, message)) }
            { for stage.places.iter().filter_map(|place| controller(place, props)) }
            { client(&stage, props) }
            { api(&stage, props) }
            { etcd(&stage, props) }
            { for stage.zones.iter().map(|(rect, name)| zone(*rect, name)) }
            { for stage.nodes.iter().filter_map(|place| node(place, tab, props)) }
            { for stage.pending.iter().filter_map(|place| {
                let pod = view.pending.get(place.index)?;
                let detail = if stage.narrow { PodDetail::Chip } else { PodDetail::Name };
                let now = view.focus.objects.contains(&pod.object);
                Some(pod::pill(pod, place, detail, now, tab, &props.on_object))
            }) }
            { more_pending(&stage, props) }
            { more_nodes(&stage, props) }
            { for routes.iter().map(|(points, message)| message_label(&stage, points, message)) }
            <g ref={traveller.clone()} opacity="0" aria-hidden="true"><circle class="nowfill" r="6"/></g>
        </svg>
    }
}

/// With more Pods than this, the Tab key stops at nodes only; a node's inside lists its Pods.
const TAB_STOPS: usize = 60;

fn node(place: &NodeBox, tab: bool, props: &Props) -> Option<Html> {
    let view = &props.view;
    let node = view.nodes.get(place.index)?;
    let own = |id| component(view, id).is_some_and(|c| c.node.as_ref() == Some(&node.name));
    let focus = view.focus.node.as_ref() == Some(&node.name)
        || is_focus(view, node.kubelet)
        || view.focus.component.is_some_and(own);
    let touched = |pod: &PodView| view.focus.objects.contains(&pod.object);
    let node_props = NodeProps {
        place: place.clone(),
        node: node.clone(),
        focus,
        objects: if node.pods.iter().any(touched) {
            view.focus.objects.clone()
        } else {
            Rc::new([])
        },
        doing: component(view, node.kubelet).and_then(|c| c.doing.clone()),
        tab,
        words: props.words.clone(),
        on_open: props.on_open.clone(),
        on_object: props.on_object.clone(),
    };
    Some(html! { <Node key={node.name.to_string()} ..node_props/> })
}

/// Wires to nodes that cannot be heard, and for how long they have been silent.
fn silences(stage: &Stage, view: &ClusterView, words: &Words) -> Html {
    if view.nodes.iter().all(|node| node.look != NodeLook::Silent) {
        return html! {};
    }
    silent_wires(stage, view, words)
}

#[inline(never)]
fn silent_wires(stage: &Stage, view: &ClusterView, words: &Words) -> Html {
    let mut said = 0;
    let quiet = stage.nodes.iter().filter_map(|place| {
        let node = view.nodes.get(place.index)?;
        (node.look == NodeLook::Silent).then_some(())?;
        let wire = stage.wires.iter().find(|wire| wire.id == node.kubelet)?;
        let mut points = wire.points.clone();
        points.reverse();
        // Beside the bolt, not through it.
        if place.cell == Cell::Frame && place.rect.w >= 100 {
            points
                .iter_mut()
                .rev()
                .take(2)
                .for_each(|point| point.0 += 44);
        }
        let lease = view.timers.iter().find(|timer| {
            let of = Arg::Text(node.name.clone());
            timer.name.code == "timer.lease" && timer.name.args.iter().any(|(_, arg)| *arg == of)
        });
        let clear = !stage.narrow && view.pending.is_empty() && said < 2;
        let label = lease.filter(|_| clear).map(|timer| {
            let span = crate::words::length(view.cursor.time.saturating_sub(timer.from));
            let label = words.t1("stage.no-answer", "span", &span);
            let y = stage.api.bottom() + 16 + 14 * said;
            said += 1;
            text(
                stage.api.cx() + 10,
                y,
                "lab2 halo faulttext",
                [&*node.name, ": ", &label].concat(),
            )
        });
        Some(html! { <>
            <path class="msg-none" d={rounded(&points, 12)} marker-end="url(#a-no)"/>
            {label}
        </> })
    });
    html! { {for quiet.take(8)} }
}

fn ease(share: f64) -> f64 {
    share * share * (3.0 - 2.0 * share)
}

fn round(n: f64) -> String {
    let halves = (n * 2.0).round() as i64;
    let sign = if halves < 0 { "-" } else { "" };
    let half = if halves % 2 == 0 { "" } else { ".5" };
    format!("{sign}{}{half}", halves.abs() / 2)
}

/// The sentence that a screen reader hears for the whole picture.
pub fn summary(view: &ClusterView, words: &Words) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(now) = &view.now {
        parts.push(words.say(now));
    }
    parts.extend(view.summary.iter().map(|msg| words.say(msg)));
    parts.extend(view.faults.iter().map(|fault| words.say(&fault.name)));
    if parts.is_empty() {
        parts.push(words.t("stage.nothing").to_string());
    }
    parts.join(". ")
}

type Route<'a> = (Vec<Point>, &'a MessageView);

fn routes<'a>(stage: &Stage, view: &'a ClusterView) -> Vec<Route<'a>> {
    let route = |message: &'a MessageView| {
        let points = cluster::route(stage, view, message.from, message.to)?;
        Some((points, message))
    };
    view.messages.iter().filter_map(route).take(8).collect()
}

/// Each wire once: what runs on one machine shares its machine's. Nodes that are only cells share
/// one down to their zone.
fn wires(stage: &Stage, view: &ClusterView) -> Vec<Html> {
    let silent = |id: ComponentId| {
        let quiet = |node: &NodeView| node.look == NodeLook::Silent && node.kubelet == id;
        view.nodes.iter().any(quiet)
    };
    let mut out = Vec::new();
    let many = stage
        .nodes
        .first()
        .is_some_and(|node| matches!(node.cell, Cell::Count | Cell::Dot));
    let upper = stage.places.len() + 2;
    let mut last: &[Point] = &[];
    let shown = if many { upper } else { stage.wires.len() };
    if many {
        out.extend(trunks(stage));
    }
    for wire in stage.wires.iter().take(shown) {
        if wire.points != last && !silent(wire.id) {
            out.push(html! { <path class="wire" d={rounded(&wire.points, 12)}/> });
        }
        last = &wire.points;
    }
    out
}

/// One wire to each zone, for nodes that are only cells.
#[inline(never)]
fn trunks(stage: &Stage) -> Vec<Html> {
    let api = stage.api;
    let top = stage
        .places
        .iter()
        .map(|place| place.y - place.r - 7)
        .next()
        .unwrap_or(0);
    let trunk = |(rect, _): &(Rect, String)| {
        // Narrow: along the left edge, past the controllers.
        let points = if stage.narrow {
            let side = if rect.cx() < api.cx() { 4 } else { stage.w - 4 };
            vec![
                (rect.cx(), rect.y),
                (rect.cx(), rect.y - 8),
                (side, rect.y - 8),
                (side, top),
                (api.cx(), top),
                (api.cx(), api.bottom()),
            ]
        } else {
            vec![
                (rect.cx(), rect.y),
                (rect.cx(), rect.y - 12),
                (api.cx(), rect.y - 12),
                (api.cx(), api.bottom()),
            ]
        };
        html! { <path class="wire" d={rounded(&points, 12)}/> }
    };
    stage.zones.iter().map(trunk).collect()
}

fn message_line(points: &[Point], message: &MessageView) -> Html {
    let (class, marker) = match message.kind {
        MessageKind::Request | MessageKind::Local => ("msg-request", "url(#a-req)"),
        MessageKind::Response if message.ok => ("msg-response", "url(#a-res)"),
        MessageKind::Response => ("msg-response msg-bad", "url(#a-res)"),
        MessageKind::Watch => ("msg-watch", "url(#a-res)"),
        MessageKind::NoAnswer => ("msg-none", "url(#a-no)"),
    };
    html! { <path class={class} d={rounded(points, 12)} marker-end={marker}/> }
}

#[inline(never)]
fn message_label(stage: &Stage, points: &[Point], message: &MessageView) -> Html {
    if message.label.is_empty() {
        return html! {};
    }
    // On the longest horizontal piece, above the line; requests and answers on their own sides.
    let pieces = points
        .windows(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
    let longest = pieces.max_by_key(|(a, b)| ((a.0 - b.0).abs(), (a.1 - b.1).abs()));
    let Some((a, b)) = longest else {
        return html! {};
    };
    let below = !stage.narrow && matches!(message.kind, MessageKind::Response);
    let (x, y) = ((a.0 + b.0) / 2, (a.1 + b.1) / 2);
    let class = match (message.ok, message.kind) {
        (false, _) | (_, MessageKind::NoAnswer) => "lab2 mid halo faulttext",
        _ => "lab2 mid halo strong",
    };
    let half = message.label.chars().count() as i32 * 33 / 10;
    // A label longer than its line does not lie over what the line connects.
    let y = if !below && a.1 == b.1 && half * 2 > (a.0 - b.0).abs() && y == stage.api.cy() {
        stage.api.y - 2
    } else {
        y
    };
    let x = x.clamp(half + 4, (stage.w - half - 4).max(half + 4));
    text(
        x,
        if below { y + 16 } else { y - 6 },
        class,
        message.label.to_string(),
    )
}

/// Attributes of something that opens on click, Enter or Space.
pub struct Opener {
    /// On click.
    pub click: Callback<MouseEvent>,
    /// On a key.
    pub key: Callback<KeyboardEvent>,
}

pub fn opener(on_open: &Callback<Target>, target: Target) -> Opener {
    let again = target.clone();
    Opener {
        click: on_open.reform(move |_: MouseEvent| target.clone()),
        key: {
            let open = on_open.clone();
            Callback::from(move |event: KeyboardEvent| {
                if is_opening(&event) {
                    open.emit(again.clone());
                }
            })
        },
    }
}

fn component(view: &ClusterView, id: ComponentId) -> Option<&ComponentView> {
    view.components.get(usize::from(id))
}

fn first_of(view: &ClusterView, kind: ComponentKind) -> Option<&ComponentView> {
    view.components
        .iter()
        .find(|component| component.kind == kind)
}

fn is_focus(view: &ClusterView, id: ComponentId) -> bool {
    view.focus.component == Some(id)
}

fn controller(place: &cluster::Place, props: &Props) -> Option<Html> {
    let view = &props.view;
    let component = component(view, place.id)?;
    let focus = is_focus(view, place.id);
    let (x, y, r) = (place.x, place.y, place.r);
    let label_y = y + r + 15;
    let back = focus.then(|| {
        if place.label == 0 {
            return html! { <circle class="nowfill" cx={px(x)} cy={px(y)} r={px(r + 5)}/> };
        }
        let lines = two_lines(
            &component.name,
            ((place.label + 4) * 10 / 59).max(6) as usize,
        );
        let longest = lines
            .iter()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0) as i32;
        // Not into the neighbour's label.
        let half = (longest * 36 / 10 + 8).min(place.label / 2 + 5).max(r + 6);
        let height = r * 2 + 13 + 13 * lines.len() as i32;
        html! {
            <rect class="nowfill" x={px(x - half)} y={px(y - r - 5)} width={px(half * 2)}
                height={px(height)} rx={px(12)}/>
        }
    });
    let label = (place.label > 0).then(|| {
        let class = if focus {
            "lab2 mid nowt"
        } else {
            "lab2 mid halo"
        };
        let lines = two_lines(
            &component.name,
            ((place.label + 4) * 10 / 59).max(6) as usize,
        );
        let lines = lines.into_iter().zip([0, 13]);
        lines
            .map(|(line, dy)| text(x, label_y + dy, class, line))
            .collect::<Html>()
    });
    let shape_class = if component.up { "shape" } else { "shape off" };
    let shape = match component.kind {
        ComponentKind::Scheduler => {
            let s = r + 3;
            let d = path!(
                "M",
                x,
                " ",
                y - s,
                "l",
                s,
                " ",
                s,
                " ",
                -s,
                " ",
                s,
                " ",
                -s,
                " ",
                -s,
                "z"
            );
            let line = path!("M", x - 6, " ", y - 3, "h13M", x - 6, " ", y + 4, "h7");
            html! { <><path class={shape_class} d={d}/><path class="sline" d={line}/></> }
        }
        ComponentKind::Webhook => super::octagon(x, y, r, shape_class),
        _ => {
            let line = path!(
                "M",
                x + r * 7 / 17,
                " ",
                y - r * 5 / 17,
                "A",
                r / 2,
                " ",
                r / 2,
                " 0 1 0 ",
                x + r / 2,
                " ",
                y + 1,
                "M",
                x + r / 2,
                " ",
                y - r * 10 / 17,
                "v",
                r / 3,
                "h",
                -r / 3
            );
            html! { <>
                <circle class={shape_class} cx={px(x)} cy={px(y)} r={px(r)}/>
                <path class="sline" d={line}/>
            </> }
        }
    };
    let down = (!component.up).then(|| cross(x + r - 3, y - r + 3, 5));
    let open = opener(&props.on_open, Target::Component(place.id));
    let name = spoken(component, props);
    Some(html! {
        <g key={usize::from(place.id)} class={kind_class(component.kind)}>
            {back}
            <g role="button" tabindex="0" aria-label={name} onclick={open.click} onkeydown={open.key}>
                {shape}{down}
                <rect class="focus" x={px(x - r - 8)} y={px(y - r - 7)} width={px(r * 2 + 16)}
                    height={px(r * 2 + 30)} rx="4"/>
            </g>
            // Beside the button: a shortened label is not the button's name.
            {label}
        </g>
    })
}

/// A name in one line, or in two when it is longer than `most` characters: parted at a space, or
/// before the last capital.
pub fn two_lines(name: &str, most: usize) -> Vec<String> {
    if name.chars().count() <= most {
        return vec![name.to_owned()];
    }
    let capital = name
        .char_indices()
        .skip(1)
        .filter(|(_, c)| c.is_ascii_uppercase())
        .last();
    let at = name
        .rfind(' ')
        .or(capital.map(|(at, _)| at))
        .unwrap_or(name.len());
    let (first, second) = name.split_at(at);
    let mut lines = vec![middle(first, most.max(6)).to_string()];
    if !second.is_empty() {
        // The space stays, so that the text reads as the name does.
        if second.starts_with(' ') {
            lines.iter_mut().for_each(|line| line.push(' '));
        }
        lines.push(middle(second.trim_start(), most.max(6)).to_string());
    }
    lines
}

/// A component's name with what it does, for readers.
fn spoken(component: &ComponentView, props: &Props) -> String {
    let mut name = component.name.to_string();
    if let Some(doing) = &component.doing {
        name.push_str(": ");
        name.push_str(&props.words.say(doing));
    }
    if !component.up {
        name.push_str(", ");
        name.push_str(&props.words.t("stage.down"));
    }
    name
}

fn client(stage: &Stage, props: &Props) -> Html {
    let Some(component) = first_of(&props.view, ComponentKind::Client) else {
        return html! {};
    };
    let r = stage.client;
    let d = path!(
        "M",
        r.x,
        " ",
        r.y,
        "h",
        r.w - 14,
        "l14 ",
        r.h / 2,
        "-14 ",
        r.h / 2,
        "h",
        14 - r.w,
        "z"
    );
    let focus = is_focus(&props.view, component.id);
    let shape = if focus { "nowfill" } else { "shape" };
    let (lab, sub) = if focus {
        ("lab mid nowtext", "lab3 mid nowt")
    } else {
        ("lab mid", "lab3 mid")
    };
    let x = r.x + (r.w - 10) / 2;
    let you = !stage.narrow;
    let open = opener(&props.on_open, Target::Component(component.id));
    let name = [&*component.name, " "].concat();
    let label = [&*name, &*props.words.t("stage.you")].concat();
    html! {
        <g class="k-client" role="button" tabindex="0" aria-label={label}
            onclick={open.click} onkeydown={open.key}>
            <path class={shape} d={d.clone()}/>
            {text(x, r.cy() + if you { -2 } else { 4 }, lab, name)}
            if you { {text(x, r.cy() + 13, sub, props.words.t("stage.you"))} }
            <path class="focus" d={d}/>
        </g>
    }
}

fn api(stage: &Stage, props: &Props) -> Html {
    let Some(component) = first_of(&props.view, ComponentKind::ApiServer) else {
        return html! {};
    };
    let r = stage.api;
    let c = 10;
    let d = path!(
        "M",
        r.x + c,
        " ",
        r.y,
        "h",
        r.w - 2 * c,
        "l",
        c,
        " ",
        c,
        "v",
        r.h - 2 * c,
        "l",
        -c,
        " ",
        c,
        "h",
        2 * c - r.w,
        "l",
        -c,
        " ",
        -c,
        "v",
        2 * c - r.h,
        "z"
    );
    let focus = is_focus(&props.view, component.id);
    let shape = match (focus, component.up) {
        (true, _) => "nowfill",
        (_, true) => "shape",
        _ => "shape off",
    };
    let (lab, sub) = if focus {
        ("lab mid nowtext", "lab3 mid nowt")
    } else {
        ("lab mid", "lab3 mid")
    };
    let open = opener(&props.on_open, Target::Component(component.id));
    let sub_text = match &component.doing {
        Some(doing) => AttrValue::from(props.words.say(doing)),
        None => props.words.t("stage.api"),
    };
    let room = (r.w / 6) as usize;
    let show_sub = !stage.narrow && sub_text.chars().count() <= room;
    let mut label = [&*component.name, " ", &*sub_text].concat();
    if !component.up {
        label.push_str(", ");
        label.push_str(&props.words.t("stage.down"));
    }
    let name = [&*component.name, " "].concat();
    html! {
        <g class="k-api" role="button" tabindex="0" aria-label={label}
            onclick={open.click} onkeydown={open.key}>
            <path class={shape} d={d.clone()}/>
            {text(r.cx(), r.cy() + if show_sub { -1 } else { 5 }, lab, name)}
            if show_sub { {text(r.cx(), r.cy() + 15, sub, sub_text)} }
            if !component.up { {cross(r.right() - 8, r.y + 8, 6)} }
            <path class="focus" d={d}/>
        </g>
    }
}

fn etcd(stage: &Stage, props: &Props) -> Html {
    let Some(component) = first_of(&props.view, ComponentKind::Etcd) else {
        return html! {};
    };
    let focus = is_focus(&props.view, component.id);
    let open = opener(&props.on_open, Target::Component(component.id));
    let first = stage.etcd.first().copied().unwrap_or_default();
    let last = stage.etcd.last().copied().unwrap_or_default();
    let all = Rect::new(
        first.x - 6,
        first.y - 6,
        last.right() - first.x + 12,
        first.h + 12,
    );
    let member = |(i, rect): (usize, &Rect)| {
        let up = props.view.etcd.get(i).is_none_or(|member| member.up);
        let class = if up { "shape" } else { "shape off" };
        html! { <>
            {cylinder(rect.x, rect.y, rect.w, rect.h, class)}
            if !up { {cross(rect.cx(), rect.cy(), 6)} }
        </> }
    };
    let caption = if focus {
        props
            .words
            .t1("stage.revision", "n", &props.view.revision.to_string())
    } else {
        props
            .words
            .t1("stage.etcd", "n", &stage.etcd.len().to_string())
    };
    let label = [&*spoken(component, props), ", ", &*caption].concat();
    let half = caption.chars().count() as i32 * 33 / 10 + 8;
    let x = all.cx().min(stage.w - half - 4);
    let y = all.bottom() + 10;
    html! {
        <g class="k-etcd" role="button" tabindex="0" aria-label={label}
            onclick={open.click} onkeydown={open.key}>
            { for stage.etcd.iter().enumerate().map(member) }
            if !stage.narrow {
                if focus {
                    <rect class="nowfill" x={px(x - half)} y={px(y - 13)} width={px(half * 2)} height="18"/>
                }
                {text(x, y, if focus { "lab2 mid nowtext" } else { "lab2 mid halo" }, caption)}
            }
            <rect class="focus" x={px(all.x)} y={px(all.y)} width={px(all.w)} height={px(all.h)}/>
        </g>
    }
}

fn zone(rect: Rect, name: &str) -> Html {
    let (x, y, w, h) = (px(rect.x), px(rect.y), px(rect.w), px(rect.h));
    html! { <>
        <rect class="zone" x={x} y={y} width={w} height={h}/>
        {text(rect.right() - 12, rect.y + 4, "lab3 end halo", name.to_owned())}
    </> }
}

fn more_pending(stage: &Stage, props: &Props) -> Html {
    if stage.more_pending == 0 {
        return html! {};
    }
    let last = stage
        .pending
        .last()
        .map_or(Rect::default(), |place| place.rect);
    let label = props
        .words
        .t1("stage.more", "n", &stage.more_pending.to_string());
    text(last.right() + 6, last.cy() + 4, "lab3 halo", label)
}

fn more_nodes(stage: &Stage, props: &Props) -> Html {
    if stage.more_nodes == 0 {
        return html! {};
    }
    let label = props
        .words
        .t1("stage.more-nodes", "n", &stage.more_nodes.to_string());
    text(stage.w - 12, stage.h - 4, "lab3 end halo", label)
}
