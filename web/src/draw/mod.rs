//! Drawings: one shape and one hue per kind of component, everywhere.

pub mod api_server;
pub mod call;
pub mod cluster;
pub mod controller;
pub mod etcd;
pub mod frame;
pub mod inside;
pub mod lanes;
pub mod legend;
pub mod node;
pub mod pod;
pub mod scheduler;

use podscope_session::view::{ComponentKind, LineMark};
use yew::prelude::*;

/// Symbols and patterns that every drawing refers to.
pub const SPRITE: &str = include_str!("sprite.svg");

/// The sprite as an element; must be in the same document or shadow tree as the drawings.
pub fn sprite() -> Html {
    let mut markup = String::from("<svg class=\"sprite\" aria-hidden=\"true\">");
    markup.push_str(SPRITE);
    markup.push_str("</svg>");
    Html::from_html_unchecked(AttrValue::from(markup))
}

/// The short name of a kind: its class is `k-<name>`, its symbol `g-<name>`.
pub fn kind_name(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Client | ComponentKind::You => "client",
        ComponentKind::ApiServer | ComponentKind::Webhook => "api",
        ComponentKind::Etcd => "etcd",
        ComponentKind::Controller => "ctrl",
        ComponentKind::Scheduler => "sched",
        ComponentKind::Kubelet => "kubelet",
        ComponentKind::Runtime => "runtime",
        ComponentKind::Network => "net",
    }
}

/// The class that gives a kind its hue.
pub fn kind_class(kind: ComponentKind) -> String {
    ["k-", kind_name(kind)].concat()
}

/// A glyph by name with a size in pixels that has a class `g-<px>`.
pub fn glyph(name: &str, px: u8) -> Html {
    let class = ["g g-", &px.to_string(), " k-", hue(name)].concat();
    let href = ["#g-", name].concat();
    html! { <svg class={class} viewBox="0 0 24 24" aria-hidden="true"><use href={href}/></svg> }
}

/// Whose hue a glyph has: a node has its kubelet's.
fn hue(name: &str) -> &str {
    if name == "node" { "kubelet" } else { name }
}

/// A component kind's glyph.
pub fn kind_glyph(kind: ComponentKind, px: u8) -> Html {
    glyph(kind_name(kind), px)
}

/// A control's icon.
pub fn icon(name: &str) -> Html {
    let href = ["#i-", name].concat();
    html! { <svg viewBox="0 0 24 24" aria-hidden="true"><use href={href}/></svg> }
}

/// A glyph inside a drawing, centred at a point.
pub fn glyph_at(name: &str, x: i32, y: i32, size: i32) -> Html {
    let half = size / 2;
    let class = ["g k-", hue(name)].concat();
    let href = ["#g-", name].concat();
    html! {
        <svg class={class} x={px(x - half)} y={px(y - half)} width={px(size)} height={px(size)}
            viewBox="0 0 24 24"><use href={href}/></svg>
    }
}

/// A number as an attribute.
pub fn px(n: i32) -> AttrValue {
    AttrValue::from(n.to_string())
}

/// Path data from pieces of text and numbers.
#[macro_export]
macro_rules! path {
    ($($part:expr),* $(,)?) => {{
        let mut d = String::new();
        $( $crate::draw::Part::push($part, &mut d); )*
        ::yew::AttrValue::from(d)
    }};
}

/// A piece of path data.
pub trait Part {
    /// Appends itself; numbers are parted by spaces.
    fn push(self, d: &mut String);
}
impl Part for &str {
    fn push(self, d: &mut String) {
        d.push_str(self);
    }
}
impl Part for i32 {
    fn push(self, d: &mut String) {
        if d.ends_with(|c: char| c.is_ascii_digit()) {
            d.push(' ');
        }
        d.push_str(&self.to_string());
    }
}

/// A text element; `class` as in page.css: `lab`, `lab2 mid`, ….
pub fn text(x: i32, y: i32, class: &'static str, content: impl Into<AttrValue>) -> Html {
    let content: AttrValue = content.into();
    html! { <text x={px(x)} y={px(y)} class={class}>{content}</text> }
}

/// A cylinder: etcd's shape, with its top's centre line at `y`.
pub fn cylinder(x: i32, y: i32, w: i32, h: i32, class: &'static str) -> Html {
    let body = path!(
        "M",
        x,
        " ",
        y + 5,
        "v",
        h - 10,
        "c0 6.5 ",
        w,
        " 6.5 ",
        w,
        " 0v",
        10 - h
    );
    let (cx, rx) = (px(x + w / 2), px(w / 2));
    html! {
        <g class="k-etcd">
            <path class={class} d={body}/>
            <ellipse class={class} cx={cx} cy={px(y + 5)} rx={rx} ry="5"/>
        </g>
    }
}

/// An octagon: the API server's shape.
#[inline(never)]
pub fn octagon(cx: i32, cy: i32, r: i32, class: &'static str) -> Html {
    let (a, b) = (r * 2 / 5 + 1, r * 3 / 5);
    let d = path!(
        "M",
        cx - a,
        " ",
        cy - r,
        "h",
        2 * a,
        "l",
        b,
        " ",
        b,
        "v",
        2 * (r - b),
        "l",
        -b,
        " ",
        b,
        "h",
        -2 * a,
        "l",
        -b,
        " ",
        -b,
        "v",
        -2 * (r - b),
        "z"
    );
    html! { <path class={class} d={d}/> }
}

/// The kubelet's shield on the edge of a frame.
pub fn shield(x: i32, y: i32) -> Html {
    let body = path!("M", x, " ", y, "h24v13.2l-12 10.8-12-10.8z");
    let line = path!("M", x + 7, " ", y + 8, "h10");
    html! { <g class="k-kubelet"><path class="shape" d={body}/><path class="sline" d={line}/></g> }
}

/// A cross: refused, failed, down.
#[inline(never)]
pub fn cross(x: i32, y: i32, r: i32) -> Html {
    let across = path!("M", x - r, " ", y - r, "l", 2 * r, " ", 2 * r);
    let up = path!("M", x + r, " ", y - r, "l", -2 * r, " ", 2 * r);
    html! { <path class="faultline" d={[&*across, &*up].concat()}/> }
}

/// Whether a key opens what has the focus: Enter or Space. Then nobody else hears of it.
#[inline(never)]
pub fn is_opening(event: &KeyboardEvent) -> bool {
    let opens = event.key() == "Enter" || event.key() == " ";
    if opens {
        event.prevent_default();
        event.stop_propagation();
    }
    opens
}

/// Class of a code line by its mark.
pub fn line_class(mark: LineMark) -> &'static str {
    match mark {
        LineMark::Same => "l",
        LineMark::Add => "l add",
        LineMark::Del => "l del",
        LineMark::Now => "l add hit",
        LineMark::Dim => "l dim",
    }
}

/// One line of YAML with its parts in spans.
pub fn yaml_spans(line: &str) -> Html {
    crate::yaml::parts(line)
        .into_iter()
        .map(|(class, part)| {
            let part = part.to_owned();
            if class.is_empty() {
                html! { {part} }
            } else {
                html! { <span class={class}>{part}</span> }
            }
        })
        .collect()
}
