//! The cluster view: control plane, wires, nodes, Pods, and the messages of the current event.

use super::{cylinder, glyph_at, kind_class, px, shield, text};
use crate::layout::Rect;
use crate::layout::cluster::{self, NodeBox, PodBox, PodDetail, Stage};
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

/// The picture.
#[component]
pub fn ClusterPicture(props: &Props) -> Html {
    let (w, h) = props.size;
    let stage = cluster::stage(&props.view, w, h);
    let routes = routes(&stage, &props.view);
    let traveller = use_node_ref();
    {
        let traveller = traveller.clone();
        let path = routes
            .first()
            .map(|(points, _)| points.clone())
            .unwrap_or_default();
        let moving = props.moving;
        use_effect_with((props.view.cursor.event, w, h), move |_| {
            let run = moving && path.len() > 1;
            let ride = run.then(|| {
                motion::run(480.0, move |share| {
                    if let Some(element) = traveller.cast::<web_sys::Element>() {
                        let (x, y) = along(&path, ease(share));
                        let place = ["translate(", &round(x), " ", &round(y), ")"].concat();
                        element.set_attribute("transform", &place).ok();
                        let shown = if share < 1.0 { "1" } else { "0" };
                        element.set_attribute("opacity", shown).ok();
                    }
                })
            });
            move || drop(ride)
        });
    }
    let view_box = ["0 0 ", &stage.w.to_string(), " ", &stage.h.to_string()].concat();
    let label = summary(&props.view, &props.words);
    html! {
        <svg class="pic" viewBox={view_box} preserveAspectRatio="xMidYMin meet" role="group"
            aria-label={label}>
            { for wires(&stage) }
            { for routes.iter().map(|(points, message)| message_line(points, message)) }
            { for stage.places.iter().filter_map(|place| controller(place, props)) }
            { client(&stage, props) }
            { api(&stage, props) }
            { etcd(&stage, props) }
            { for stage.zones.iter().map(|(rect, name)| zone(*rect, name)) }
            { for stage.nodes.iter().filter_map(|node| frame(node, props)) }
            { for stage.pending.iter().filter_map(|place| {
                let pod = props.view.pending.get(place.index)?;
                let detail = if stage.narrow { PodDetail::Chip } else { PodDetail::Name };
                Some(pod_pill(pod, place, detail, props))
            }) }
            { more_pending(&stage, props) }
            { more_nodes(&stage, props) }
            { for routes.iter().map(|(points, message)| message_label(&stage, points, message)) }
            <g ref={traveller} opacity="0" aria-hidden="true"><circle class="nowfill" r="6"/></g>
        </svg>
    }
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

/// Each wire once: what runs on one machine shares its machine's.
fn wires(stage: &Stage) -> Vec<Html> {
    let mut out = Vec::new();
    let mut last: &[Point] = &[];
    for wire in &stage.wires {
        if wire.points != last {
            out.push(html! { <path class="wire" d={rounded(&wire.points, 12)}/> });
        }
        last = &wire.points;
    }
    out
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
struct Opener {
    click: Callback<MouseEvent>,
    key: Callback<KeyboardEvent>,
}

fn opener(props: &Props, target: Target) -> Opener {
    let again = target.clone();
    Opener {
        click: props.on_open.reform(move |_: MouseEvent| target.clone()),
        key: {
            let open = props.on_open.clone();
            Callback::from(move |event: KeyboardEvent| {
                if event.key() == "Enter" || event.key() == " " {
                    event.prevent_default();
                    event.stop_propagation();
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
            "lab2 mid nowtext"
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
    let open = opener(props, Target::Component(place.id));
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

#[inline(never)]
fn cross(x: i32, y: i32, r: i32) -> Html {
    let d = path!(
        "M",
        x - r,
        " ",
        y - r,
        "l",
        2 * r,
        " ",
        2 * r,
        "M",
        x + r,
        " ",
        y - r,
        "l",
        -2 * r,
        " ",
        2 * r
    );
    html! { <path class="faultline" d={d}/> }
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
    html! {
        <g class="k-client">
            <path class={shape} d={d}/>
            {text(x, r.cy() + if you { -2 } else { 4 }, lab, component.name.to_string())}
            if you { {text(x, r.cy() + 13, sub, props.words.t("stage.you"))} }
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
    let open = opener(props, Target::Component(component.id));
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
    let open = opener(props, Target::Component(component.id));
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

fn frame(place: &NodeBox, props: &Props) -> Option<Html> {
    let view = &props.view;
    let node = view.nodes.get(place.index)?;
    let r = place.rect;
    let silent = node.look == NodeLook::Silent;
    let class = match node.look {
        NodeLook::Ready => "node",
        NodeLook::NotReady => "node notready",
        NodeLook::Silent => "node dead",
    };
    let focus = view.focus.node.as_ref() == Some(&node.name)
        || is_focus(view, node.kubelet)
        || view.focus.component.is_some_and(|id| {
            component(view, id).is_some_and(|c| c.node.as_ref() == Some(&node.name))
        });
    let foot_class = if silent {
        "faultline"
    } else {
        "k-kubelet sline"
    };
    let foot = path!("M", r.x, " ", r.bottom() + 5, "h", r.w);
    let open = opener(props, Target::Node(node.name.clone()));
    let small = r.h < 60;
    let (shield_x, shield_y) = match place.row {
        true => (r.x + 6, r.cy() - 12),
        false => (r.x + 10, r.y - 10),
    };
    let name_x = if place.row { r.x + 36 } else { r.x + 40 };
    let name_y = match (place.row, small) {
        (true, _) => r.cy() + 4,
        (false, true) => r.y + 14,
        (false, false) => r.y + 19,
    };
    let status_text = match node.look {
        NodeLook::Ready if node.cordoned => node.status.to_string(),
        NodeLook::Ready if place.row || !node.pods.is_empty() => node.status.to_string(),
        NodeLook::Ready => node.capacity.to_string(),
        _ => node.status.to_string(),
    };
    let status_class = if node.look == NodeLook::Ready {
        "lab3 end halo-p num"
    } else {
        "lab2 end halo-p faulttext"
    };
    let room = (r.w - 50 - node.name.chars().count() as i32 * 8) / 7;
    let status = (place.status && room >= status_text.chars().count() as i32)
        .then(|| text(r.right() - 12, name_y, status_class, status_text));
    let badge = match (silent, r.h >= 24) {
        (true, _) => glyph_at("fault", shield_x + 12, shield_y + 12, 26),
        (false, true) => shield(shield_x, shield_y),
        _ => html! {},
    };
    let focus_mark = focus.then(|| {
        let (x, y, w, h) = (px(r.x - 4), px(r.y - 4), px(r.w + 8), px(r.h + 8));
        html! { <rect class="nowring" x={x} y={y} width={w} height={h}/> }
    });
    let doing = component(view, node.kubelet)
        .map(|c| spoken(c, props))
        .unwrap_or_default();
    let mut label = node.name.to_string();
    label.push_str(", ");
    label.push_str(&node.status);
    label.push_str(", ");
    label.push_str(
        &props
            .words
            .t1("stage.pods", "n", &node.pods.len().to_string()),
    );
    if !node.alive {
        label.push_str(", ");
        label.push_str(&props.words.t("stage.silent"));
    } else if doing.len() > node.name.len() {
        label.push_str(", ");
        label.push_str(&doing);
    }
    let (x, y, w, h) = (px(r.x), px(r.y), px(r.w), px(r.h));
    let cordon = node.cordoned.then(|| {
        let d = path!("M", r.x, " ", r.y, "h", r.w);
        html! { <path class="inkline" stroke-width="5" d={d}/> }
    });
    let empty = node.pods.is_empty() && !place.row && r.h >= 80;
    Some(html! {
        <g key={node.name.to_string()}>
            <g role="button" tabindex="0" aria-label={label} onclick={open.click} onkeydown={open.key}>
                {focus_mark}
                <rect class={class} x={x.clone()} y={y.clone()} width={w.clone()} height={h.clone()}/>
                {cordon}
                <path class={foot_class} d={foot}/>
                {badge}
                <rect class="focus" x={x} y={y} width={w} height={h}/>
            </g>
            // Beside the button: a shortened name is not the button's name.
            {text(name_x, name_y, "lab halo-p", middle(&node.name, ((r.w - 46) / 8).max(6) as usize).to_string() + " ")}
            {status}
            if empty {
                {text(r.cx(), r.y + r.h / 2 + 6, "lab3 mid halo-p", props.words.t("stage.empty"))}
            }
            if place.foot { {foot_of(r)} }
            { for place.pods.boxes.iter().filter_map(|slot| {
                node.pods.get(slot.index).map(|pod| pod_pill(pod, slot, place.pods.detail, props))
            }) }
            if place.pods.more > 0 {
                {text(r.right() - 8, r.bottom() - 6, "lab3 end halo-p", ["+", &place.pods.more.to_string()].concat())}
            }
        </g>
    })
}

fn foot_of(r: Rect) -> Html {
    let y = r.bottom() - 18;
    html! { <g aria-hidden="true">
        {glyph_at("runtime", r.x + 24, y, 15)}{text(r.x + 35, y + 4, "lab3", "containerd")}
        {glyph_at("net", r.x + 112, y, 15)}{text(r.x + 123, y + 4, "lab3", "kube-proxy")}
    </g> }
}

#[inline(never)]
fn pod_pill(pod: &PodView, place: &PodBox, detail: PodDetail, props: &Props) -> Html {
    let r = place.rect;
    let now = props.view.focus.objects.contains(&pod.object);
    let (class, solid) = match pod.look {
        PodLook::Planned | PodLook::Unschedulable => ("pod-plan", false),
        PodLook::Ready => ("pod-ready", true),
        PodLook::Doubtful => ("pod-ghost", false),
        _ => ("pod-wait", false),
    };
    let (x, y, w, h, rx) = (px(r.x), px(r.y), px(r.w), px(r.h), px(r.h / 2));
    let ring = now.then(|| {
        let (x, y) = (px(r.x - 4), px(r.y - 4));
        let (w, h) = (px(r.w + 8), px(r.h + 8));
        html! { <rect class="nowfill" x={x} y={y} width={w} height={h} rx={px(r.h / 2 + 4)}/> }
    });
    let fill = match pod.look {
        PodLook::Creating(done) => creating(r, done),
        PodLook::Terminating(left) => terminating(r, left),
        _ => html! {},
    };
    let words = (detail != PodDetail::Chip).then(|| pod_words(pod, r, detail, solid));
    let sign = pod_sign(pod, r, solid, detail);
    let label = [&*pod.object.name, ", ", &*pod.status, ", ", &*pod.ready].concat();
    let object = pod.object.clone();
    let click = props.on_object.reform(move |_: MouseEvent| object.clone());
    html! {
        <g key={pod.object.name.to_string()} class="pod" role="img" aria-label={label} onclick={click}>
            {ring}
            <rect class={class} x={x} y={y} width={w} height={h} rx={rx}/>
            {fill}{words}{sign}
        </g>
    }
}

/// The filled part of a Pod that is being made.
fn creating(r: Rect, done: u16) -> Html {
    let w = r.w * i32::from(done.min(1000)) / 1000;
    let rad = r.h / 2;
    if w < rad {
        return html! {};
    }
    let d = path!(
        "M",
        r.x + rad,
        " ",
        r.y,
        "H",
        (r.x + w).min(r.right() - rad),
        "v",
        r.h,
        "H",
        r.x + rad,
        "a",
        rad,
        " ",
        rad,
        " 0 0 1 0 ",
        -r.h,
        "z"
    );
    html! { <path class="pod-ready" d={d} opacity=".16"/> }
}

/// The strike through a Pod that is being deleted, as long as its grace period lasts.
fn terminating(r: Rect, left: u16) -> Html {
    let w = (r.w - 16) * i32::from(left.min(1000)) / 1000;
    let d = path!(
        "M",
        r.x + 8,
        " ",
        r.bottom() - 4,
        "l",
        w.max(4),
        " ",
        8 - r.h
    );
    html! { <path class="inkline" d={d}/> }
}

fn pod_sign(pod: &PodView, r: Rect, solid: bool, detail: PodDetail) -> Html {
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

fn pod_words(pod: &PodView, r: Rect, detail: PodDetail, solid: bool) -> Html {
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
        (_, true) => status.chars().count() as i32 * 67 / 10 + 30,
        _ => status.chars().count() as i32 * 67 / 10 + 10,
    };
    // A status longer than the name's room goes before it.
    let fits = r.right() - 10 - status_w - left >= 40;
    let status_w = if fits { status_w } else { 0 };
    let room = (r.right() - 10 - status_w - left).max(24);
    let name = middle(&pod.object.name, (room * 10 / 66).max(5) as usize);
    let y = r.cy() + 4;
    let (name_class, status_class) = if solid {
        ("lab2 on-pod", "lab2 on-pod end")
    } else {
        ("lab2", "lab2 end")
    };
    html! { <>
        {text(left, y, name_class, name.to_string())}
        if doubt && fits {
            <rect class="chip" x={px(r.right() - status_w - 2)} y={px(r.y + 3)} width={px(status_w - 4)}
                height={px(r.h - 6)} rx={px(r.h / 2 - 3)}/>
            {text(r.right() - 14, y, "lab2 end", [status, " ?"].concat())}
        } else if fits {
            {text(r.right() - 12, y, status_class, status.to_owned())}
        }
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
