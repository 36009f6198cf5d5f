//! Edits and answers as codes with typed arguments.

use super::edit::Edit;
use super::search::{MAX_EDITS, MAX_NODES, Plan};
use super::{carry, trial};
use crate::cluster_view::object_ref;
use crate::view::*;
use crate::why_attempt::amount;
use podscope_api::{Key, Kind, Object};
use podscope_cluster::scheduler::taint::Taint;

/// What bounds the search.
pub fn bounds(weighed: u32, tried: u32, failed: u32) -> Msg {
    let count = |n: u32| Arg::Count(i64::from(n));
    Msg::new(
        "whatif.bounds",
        vec![
            ("weighed", count(weighed)),
            ("tried", count(tried)),
            ("failed", count(failed)),
            ("nodes", Arg::Count(i64::try_from(MAX_NODES).unwrap_or(0))),
            ("most", Arg::Count(i64::try_from(MAX_EDITS).unwrap_or(0))),
        ],
    )
}

/// How things stand.
pub fn now(pod: &Object, node: Option<&str>, found: bool) -> Msg {
    let on = pod.at("spec.nodeName").str_or_empty();
    let args = || {
        vec![
            ("node", Arg::Text(on.into())),
            ("to", Arg::Text(node.unwrap_or_default().into())),
        ]
    };
    match (on.is_empty(), found) {
        (true, true) => Msg::new("whatif.pending", args()),
        (true, false) => Msg::new("whatif.hopeless", args()),
        (false, true) => Msg::new("whatif.move", args()),
        (false, false) => Msg::new("whatif.stuck", args()),
    }
}

/// An answer that was carried out.
pub fn answer(
    pod: &Object,
    plan: &Plan,
    carried: carry::Plan,
    outcome: trial::Outcome,
) -> AnswerView {
    let victims = outcome.victims.iter();
    AnswerView {
        edits: plan.edits.iter().flat_map(|e| edits(pod, e)).collect(),
        kind: plan.kind.as_str().into(),
        node: outcome.node,
        after: outcome.after,
        victims: victims.map(|key| object_ref(Kind::Pod, key)).collect(),
        commands: carried.commands.into(),
        files: carried.files.into(),
    }
}

fn taint_text(taint: &Taint) -> Text {
    let value = if taint.value.is_empty() {
        String::new()
    } else {
        ["=", &taint.value].concat()
    };
    [&*taint.key, &value, ":", taint.effect.name()]
        .concat()
        .into()
}

/// An edit in words; a change of several containers is several edits.
pub fn edits(pod: &Object, edit: &Edit) -> Vec<EditView> {
    let text = |t: &str| Arg::Text(t.into());
    let view = |side, code, args, object| {
        vec![EditView {
            side,
            text: Msg::new(code, args),
            object,
        }]
    };
    let own = |code, args| view(EditSide::Pod, code, args, object_ref(Kind::Pod, &pod.key()));
    let node = |name: &str, code, args: Vec<(&'static str, Arg)>| {
        let mut all = vec![("node", text(name))];
        all.extend(args);
        let object = object_ref(Kind::Node, &Key::new("", name));
        view(EditSide::Node, code, all, object)
    };
    match edit {
        Edit::Request { resource, parts } => parts
            .iter()
            .flat_map(|(container, from, to)| {
                let code = if container.is_empty() {
                    "edit.request-pod"
                } else {
                    "edit.request"
                };
                let args = vec![
                    ("container", text(container)),
                    ("resource", text(resource)),
                    ("from", text(&amount(resource, *from))),
                    ("to", text(&amount(resource, *to))),
                ];
                own(code, args)
            })
            .collect(),
        Edit::Tolerate(taint) => own("edit.toleration", vec![("taint", text(&taint_text(taint)))]),
        Edit::DropSelector { key, value } => {
            let label = [key, "=", value].concat();
            own("edit.selector", vec![("label", text(&label))])
        }
        Edit::DropExpression { key, .. } => own("edit.node-affinity", vec![("term", text(key))]),
        Edit::DropNodeAffinity => own("edit.node-affinity-all", vec![]),
        Edit::DropPodTerm { anti, key, .. } => {
            let code = if *anti {
                "edit.pod-anti-affinity"
            } else {
                "edit.pod-affinity"
            };
            own(code, vec![("key", text(key))])
        }
        Edit::Skew { key, from, to, .. } => own(
            "edit.spread-skew",
            vec![
                ("key", text(key)),
                ("from", Arg::Count(*from)),
                ("to", Arg::Count(*to)),
            ],
        ),
        Edit::SoftSpread { key, .. } => own("edit.spread-soft", vec![("key", text(key))]),
        Edit::DropPort(port) => own("edit.port", vec![("port", Arg::Count(port.port))]),
        Edit::Priority { class, value, new } => {
            let code = if *new {
                "edit.new-priority"
            } else {
                "edit.priority"
            };
            own(
                code,
                vec![("class", text(class)), ("value", Arg::Count(*value))],
            )
        }
        Edit::DropGates(gates) => {
            let n = Arg::Count(i64::try_from(gates.len()).unwrap_or(0));
            own(
                "edit.gates",
                vec![("n", n), ("gates", text(&gates.join(", ")))],
            )
        }
        Edit::DropVolume { volume, claim } => own(
            "edit.volume",
            vec![("volume", text(volume)), ("claim", text(claim))],
        ),
        Edit::Pin(to) => own("edit.pin", vec![("node", text(to))]),
        Edit::Uncordon(name) => node(name, "edit.uncordon", vec![]),
        Edit::Cordon(name) => node(name, "edit.cordon", vec![]),
        Edit::Untaint { node: name, taint } => node(
            name,
            "edit.untaint",
            vec![("taint", text(&taint_text(taint)))],
        ),
        Edit::Label {
            node: name,
            key,
            value,
        } => {
            let label = [key, "=", value].concat();
            node(name, "edit.label", vec![("label", text(&label))])
        }
        Edit::Capacity {
            node: name,
            resource,
            from,
            to,
        } => node(
            name,
            "edit.capacity",
            vec![
                ("resource", text(resource)),
                ("from", text(&amount(resource, *from))),
                ("to", text(&amount(resource, *to))),
            ],
        ),
        Edit::AddNode { like, node: object } => {
            node(object.name(), "edit.add-node", vec![("like", text(like))])
        }
        Edit::Delete(gone) => {
            let code = if gone.owner.is_empty() {
                "edit.delete"
            } else {
                "edit.replace"
            };
            let args = vec![
                ("pod", text(&gone.pod.key.name)),
                ("owner", text(&gone.owner)),
            ];
            let object = object_ref(Kind::Pod, &gone.pod.key);
            view(EditSide::Others, code, args, object)
        }
        Edit::Scale {
            kind,
            key,
            from,
            to,
            ..
        } => {
            let owner = [kind.name(), "/", &key.name].concat();
            let args = vec![
                ("owner", text(&owner)),
                ("from", Arg::Count(*from)),
                ("to", Arg::Count(*to)),
            ];
            view(EditSide::Others, "edit.scale", args, object_ref(*kind, key))
        }
    }
}
