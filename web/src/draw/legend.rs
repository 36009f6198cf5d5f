//! What the lines, shapes and states on the stage mean.

use super::pod;
use crate::layout::Rect;
use crate::layout::cluster::{PodBox, PodDetail};
use crate::path;
use crate::words::Words;
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// Lines: class, marker, word.
const LINES: [(&str, &str, &str); 4] = [
    ("msg-request", "url(#a-req)", "legend.request"),
    ("msg-response", "url(#a-res)", "legend.response"),
    ("msg-watch", "url(#a-res)", "legend.watch"),
    ("msg-none", "url(#a-no)", "legend.none"),
];

/// Pods: how they look, word.
const PODS: [(PodLook, &str); 9] = [
    (PodLook::Planned, "legend.pod.planned"),
    (PodLook::Unschedulable, "legend.pod.unschedulable"),
    (PodLook::Creating(500), "legend.pod.creating"),
    (PodLook::Running, "legend.pod.running"),
    (PodLook::Ready, "legend.pod.ready"),
    (PodLook::Terminating(700), "legend.pod.terminating"),
    (PodLook::Doubtful, "legend.pod.doubtful"),
    (PodLook::Failed, "legend.pod.failed"),
    (PodLook::Succeeded, "legend.pod.succeeded"),
];

/// Nodes: how they look, cordoned, word.
const NODES: [(NodeLook, bool, &str); 4] = [
    (NodeLook::Ready, false, "legend.node.ready"),
    (NodeLook::Ready, true, "legend.node.cordoned"),
    (NodeLook::NotReady, false, "legend.node.not-ready"),
    (NodeLook::Silent, false, "legend.node.silent"),
];

/// Draws it.
#[inline(never)]
pub fn draw(words: &Words) -> Html {
    let row = |key: &'static str, picture: Html| {
        html! { <li key={key}>{picture}<span>{words.t(key)}</span></li> }
    };
    let line = |(class, marker, word): &(&'static str, &'static str, &'static str)| {
        row(
            word,
            html! { <svg viewBox="0 0 76 30" width="76" height="30" aria-hidden="true">
            <path class={*class} d="M4 15H66" marker-end={*marker}/></svg> },
        )
    };
    let pod = |(look, word): &(PodLook, &'static str)| row(word, pod_of(*look));
    let node = |(look, cordoned, word): &(NodeLook, bool, &'static str)| {
        row(word, node_of(*look, *cordoned))
    };
    html! {
        <div class="shapes">
            <section><h3>{words.t("legend.lines")}</h3><ul>{for LINES.iter().map(line)}</ul></section>
            <section><h3>{words.t("legend.pods")}</h3><ul>{for PODS.iter().map(pod)}</ul></section>
            <section><h3>{words.t("legend.nodes")}</h3><ul>{for NODES.iter().map(node)}</ul></section>
        </div>
    }
}

fn pod_view(look: PodLook) -> PodView {
    PodView {
        object: ObjectRef {
            kind: "Pod".into(),
            namespace: "".into(),
            name: "web".into(),
        },
        look,
        status: "".into(),
        ready: "".into(),
        ip: "".into(),
        message: None,
        containers: Rc::new([]),
    }
}

fn pod_of(look: PodLook) -> Html {
    let place = PodBox {
        index: 0,
        rect: Rect::new(2, 3, 72, 24),
    };
    let pill = pod::pill(
        &pod_view(look),
        &place,
        PodDetail::Name,
        false,
        false,
        &Callback::noop(),
    );
    html! { <svg viewBox="0 0 76 30" width="76" height="30" aria-hidden="true" class="still">{pill}</svg> }
}

fn node_of(look: NodeLook, cordoned: bool) -> Html {
    let class = match look {
        NodeLook::Ready => "node",
        NodeLook::NotReady => "node notready",
        NodeLook::Silent => "node dead",
    };
    let bar = cordoned.then(|| html! { <path class="inkline" stroke-width="5" d="M2 5h72"/> });
    let (foot, badge) = match look {
        NodeLook::Silent => ("faultline", super::glyph_at("fault", 16, 8, 18)),
        _ => ("k-kubelet sline", html! {}),
    };
    html! { <svg viewBox="0 0 76 38" width="76" height="38" aria-hidden="true">
    <rect class={class} x="2" y="5" width="72" height="24"/>{bar}{badge}
    <path class={foot} d={path!("M2 34h72")}/></svg> }
}
