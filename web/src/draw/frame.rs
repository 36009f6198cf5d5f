//! A node on the stage: a frame with its Pods, a row, or a cell with counts. Drawn anew only when
//! something in it has changed.

use super::{cluster::opener, glyph_at, is_opening, pod, px, shield, text};
use crate::layout::Rect;
use crate::layout::cluster::{Cell, LOW, NodeBox};
use crate::path;
use crate::words::{Words, middle};
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// What a node is drawn from.
#[derive(Clone, Properties)]
pub struct Props {
    /// Where.
    pub place: NodeBox,
    /// The node.
    pub node: NodeView,
    /// The step is about it.
    pub focus: bool,
    /// What the step touches, when one of its Pods is among it.
    pub objects: Rc<[ObjectRef]>,
    /// What its kubelet does, for readers.
    pub doing: Option<Msg>,
    /// Its Pods are stops of the Tab key.
    pub tab: bool,
    /// Words.
    pub words: Words,
    /// Opens the node.
    pub on_open: Callback<Target>,
    /// Shows a Pod's object.
    pub on_object: Callback<ObjectRef>,
}

impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        // Callbacks never change what is drawn.
        self.focus == other.focus
            && self.tab == other.tab
            && self.place == other.place
            && self.objects == other.objects
            && self.doing == other.doing
            && self.node == other.node
            && self.words == other.words
    }
}

/// The node.
#[component]
pub fn Node(props: &Props) -> Html {
    match props.place.cell {
        Cell::Frame | Cell::Row => frame(props),
        Cell::Count => count(props),
        Cell::Dot => dot(props),
    }
}

/// What a reader hears.
fn spoken(props: &Props) -> String {
    let (node, words) = (&props.node, &props.words);
    let mut label = node.name.to_string();
    label.push_str(", ");
    label.push_str(&node.status);
    label.push_str(", ");
    label.push_str(&words.t1("stage.pods", "n", &node.pods.len().to_string()));
    if !node.alive {
        label.push_str(", ");
        label.push_str(&words.t("stage.silent"));
    } else if let Some(doing) = &props.doing {
        label.push_str(", ");
        label.push_str(&words.say(doing));
    }
    label
}

fn class(node: &NodeView) -> &'static str {
    match node.look {
        NodeLook::Ready => "node",
        NodeLook::NotReady => "node notready",
        NodeLook::Silent => "node dead",
    }
}

fn ring(r: Rect, out: i32) -> Html {
    let (x, y) = (px(r.x - out), px(r.y - out));
    let (w, h) = (px(r.w + 2 * out), px(r.h + 2 * out));
    html! { <rect class="nowring" x={x} y={y} width={w} height={h}/> }
}

fn frame(props: &Props) -> Html {
    let (place, node) = (&props.place, &props.node);
    let r = place.rect;
    let row = place.cell == Cell::Row;
    let silent = node.look == NodeLook::Silent;
    let foot_class = if silent {
        "faultline"
    } else {
        "k-kubelet sline"
    };
    let foot = path!("M", r.x, " ", r.bottom() + 5, "h", r.w);
    let open = opener(&props.on_open, Target::Node(node.name.clone()));
    let low = r.h < LOW && !row;
    let (shield_x, shield_y) = match row {
        true => (r.x + 6, r.cy() - 12),
        false => (r.x + 10, r.y - 10),
    };
    let name_x = match (row, low) {
        (true, _) => r.x + 36,
        (_, true) => r.x + 6,
        _ => r.x + 40,
    };
    let name_y = match (row, low) {
        (true, _) => r.cy() + 4,
        (false, true) => r.y + 14,
        (false, false) => r.y + 19,
    };
    let status_text = match node.look {
        NodeLook::Ready if node.cordoned => node.status.to_string(),
        NodeLook::Ready if row || !node.pods.is_empty() => node.status.to_string(),
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
    let badge = match (silent, low) {
        (true, true) => glyph_at("fault", r.right() - 9, r.y + 10, 14),
        (true, false) => glyph_at("fault", shield_x + 12, shield_y + 12, 26),
        (false, false) => shield(shield_x, shield_y),
        _ => html! {},
    };
    let (x, y, w, h) = (px(r.x), px(r.y), px(r.w), px(r.h));
    let cordon = node.cordoned.then(|| {
        let d = path!("M", r.x, " ", r.y, "h", r.w);
        html! { <path class="inkline" stroke-width="5" d={d}/> }
    });
    let empty = node.pods.is_empty() && !row && r.h >= 80;
    let most = ((r.right() - name_x - 6) / if low { 7 } else { 8 }).max(5) as usize;
    html! {
        <g>
            <g role="button" tabindex="0" aria-label={spoken(props)} onclick={open.click} onkeydown={open.key}>
                if props.focus { {ring(r, 4)} }
                <rect class={class(node)} x={x.clone()} y={y.clone()} width={w.clone()} height={h.clone()}/>
                {cordon}
                <path class={foot_class} d={foot}/>
                {badge}
                <rect class="focus" x={x} y={y} width={w} height={h}/>
            </g>
            // Beside the button: a shortened name is not the button's name.
            {text(name_x, name_y, if low { "lab2 halo-p strong" } else { "lab halo-p" }, middle(&node.name, most).to_string() + " ")}
            {status}
            if empty {
                {text(r.cx(), r.y + r.h / 2 + 6, "lab3 mid halo-p", props.words.t("stage.empty"))}
            }
            if place.foot { {foot_of(r)} }
            { for place.pods.boxes.iter().filter_map(|slot| {
                let pod = node.pods.get(slot.index)?;
                let now = props.objects.contains(&pod.object);
                Some(pod::pill(pod, slot, place.pods.detail, now, props.tab, &props.on_object))
            }) }
            if place.pods.more > 0 {
                {text(r.right() - 8, r.bottom() - 6, "lab3 end halo-p", ["+", &place.pods.more.to_string()].concat())}
            }
        </g>
    }
}

fn foot_of(r: Rect) -> Html {
    let y = r.bottom() - 18;
    html! { <g aria-hidden="true">
        {glyph_at("runtime", r.x + 24, y, 15)}{text(r.x + 35, y + 4, "lab3", "containerd")}
        {glyph_at("net", r.x + 112, y, 15)}{text(r.x + 123, y + 4, "lab3", "kube-proxy")}
    </g> }
}

/// Pods by what matters from afar: Ready, on the way, in trouble.
fn tally(node: &NodeView) -> [usize; 3] {
    let mut tally = [0; 3];
    for pod in node.pods.iter() {
        let i = match pod.look {
            PodLook::Ready | PodLook::Succeeded => 0,
            PodLook::Failed | PodLook::Doubtful | PodLook::Unschedulable => 2,
            _ => 1,
        };
        if let Some(n) = tally.get_mut(i) {
            *n += 1;
        }
    }
    tally
}

/// Attributes and parts that cells share.
fn cell(props: &Props, inner: Html) -> Html {
    let r = props.place.rect;
    let open = props.on_open.clone();
    let target = Target::Node(props.node.name.clone());
    let again = target.clone();
    let click = open.reform(move |_: MouseEvent| target.clone());
    let open = props.on_open.clone();
    let key = Callback::from(move |event: KeyboardEvent| {
        if is_opening(&event) {
            open.emit(again.clone());
        }
    });
    let [ready, becoming, trouble] = tally(&props.node);
    let mut label = spoken(props);
    for (n, word) in [
        (ready, "stage.count-ready"),
        (becoming, "stage.count-becoming"),
        (trouble, "stage.count-trouble"),
    ] {
        if n > 0 {
            label.push_str(", ");
            label.push_str(&props.words.t1(word, "n", &n.to_string()));
        }
    }
    let (x, y, w, h) = (px(r.x), px(r.y), px(r.w), px(r.h));
    html! {
        <g role="button" tabindex="0" aria-label={label} onclick={click} onkeydown={key}>
            <title>{props.node.name.to_string()}</title>
            {inner}
            <rect class="focus" x={x} y={y} width={w} height={h}/>
        </g>
    }
}

/// A cell: name, and a bar of its Pods by state with their numbers.
#[inline(never)]
fn count(props: &Props) -> Html {
    let (r, node) = (props.place.rect, &props.node);
    let tally = tally(node);
    let all: usize = tally.iter().sum();
    let (x, y, w, h) = (px(r.x), px(r.y), px(r.w), px(r.h));
    let wide = r.w >= 60 && r.h >= 30;
    let numbers = [("", tally[0]), ("○", tally[1]), ("✕", tally[2])]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(sign, n)| [sign, &n.to_string()].concat())
        .take(if wide { 3 } else { 1 })
        .collect::<Vec<_>>()
        .join(" ");
    let trouble = tally[2] > 0 || node.look != NodeLook::Ready;
    let number_class = if trouble {
        "lab3 end strong faulttext num"
    } else {
        "lab3 end num"
    };
    let inner = if wide {
        let room = (r.w - 12).max(8);
        let mut at = r.x + 6;
        let part = |n: usize| (room as usize * n / all.max(1)) as i32;
        let bar_y = r.bottom() - 12;
        let bars = tally.into_iter().zip(["pod-ready", "pod-wait", "over"]).map(|(n, class)| {
            let w = part(n).max(if n > 0 { 4 } else { 0 });
            let from = at;
            at += w;
            if n == 0 {
                return html! {};
            }
            html! { <rect class={class} x={px(from)} y={px(bar_y)} width={px(w.min(r.right() - 6 - from).max(1))} height="6"/> }
        });
        let name_room = ((r.w - 14 - numbers.chars().count() as i32 * 7) / 7).max(0) as usize;
        let name = if name_room >= 5 {
            middle(&node.name, name_room).to_string()
        } else {
            String::new()
        };
        html! { <>
            {text(r.x + 6, r.y + 15, "lab3 strong", name)}
            {text(r.right() - 6, r.y + 15, number_class, if all == 0 { "0".to_owned() } else { numbers })}
            {for bars}
        </> }
    } else {
        small(props, &tally)
    };
    let silent = node.look == NodeLook::Silent;
    cell(
        props,
        html! { <>
            if props.focus { {ring(r, 3)} }
            <rect class={class(node)} x={x} y={y} width={w} height={h}/>
            if node.cordoned { <path class="inkline" stroke-width="4" d={path!("M", r.x, " ", r.y, "h", r.w)}/> }
            {inner}
            if silent && wide { {glyph_at("fault", r.right() - 8, r.bottom() - 9, 14)} }
        </> },
    )
}

/// A cell without room for a name: how many Pods, on a pill in the state of most concern.
fn small(props: &Props, tally: &[usize; 3]) -> Html {
    let (r, node) = (props.place.rect, &props.node);
    let all: usize = tally.iter().sum();
    let (class, lab) = match tally {
        _ if node.look != NodeLook::Ready => ("over", "lab3 mid strong faulttext num"),
        [_, _, n] if *n > 0 => ("over", "lab3 mid strong faulttext num"),
        [_, n, _] if *n > 0 => ("pod-wait", "lab3 mid num"),
        _ => ("pod-ready", "lab3 mid num on-pod"),
    };
    let mut shown = all.to_string();
    if class == "over" {
        shown.insert(0, '!');
    }
    let wide = shown.len() as i32 * 7 + 8;
    if all == 0 && class != "over" || wide + 2 > r.w {
        return html! {};
    }
    let pill = (wide + 6 <= r.w && r.h >= 18).then(|| {
        let (x, y) = (px(r.cx() - wide / 2), px(r.cy() - 7));
        html! { <rect class={class} x={x} y={y} width={px(wide)} height="14" rx="7"/> }
    });
    let lab = if pill.is_none() && class == "pod-ready" {
        "lab3 mid num"
    } else {
        lab
    };
    html! { <>{pill}{text(r.cx(), r.cy() + 4, lab, shown)}</> }
}

/// A mark: solid with Pods, outlined without, crossed in trouble.
#[inline(never)]
fn dot(props: &Props) -> Html {
    let (r, node) = (props.place.rect, &props.node);
    let [ready, becoming, trouble] = tally(node);
    let class = match (node.look, trouble) {
        _ if props.focus => "nowfill",
        (NodeLook::Silent | NodeLook::NotReady, _) => "over",
        (_, 1..) => "over",
        _ if ready + becoming == 0 => "node",
        _ => "pod-ready",
    };
    let (x, y, w, h) = (px(r.x), px(r.y), px(r.w), px(r.h));
    let bad = class == "over" && r.w >= 8;
    cell(
        props,
        html! { <>
            <rect class={class} x={x} y={y} width={w} height={h}/>
            if bad { {super::cross(r.cx(), r.cy(), r.w / 2 - 2)} }
        </> },
    )
}
