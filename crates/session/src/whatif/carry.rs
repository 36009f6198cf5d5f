//! How a set of edits is carried out: the requests that a trial sends, and the kubectl commands that a person
//! would give. Both say the same.

use super::edit::Edit;
use crate::why_attempt::amount;
use podscope_api::patch::two_way_strategic;
use podscope_api::{Key, Kind, Object, PatchType, Request, Text, Value, json, value};
use podscope_cluster::Cluster;
use podscope_manifest::yaml;
use std::rc::Rc;

/// What is to be bound in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The very Pod that waits.
    Same,
    /// Another Pod of its name.
    Named,
    /// A new Pod of this controller's, or of one that this one controls.
    Of(Text),
}

/// What carries a set of edits out.
pub struct Plan {
    /// Requests, one after the other.
    pub requests: Vec<Request>,
    /// The same for a person, without the word `kubectl`.
    pub commands: Vec<Text>,
    /// Files that the commands read.
    pub files: Vec<(Text, Text)>,
    /// What is to be bound.
    pub goal: Goal,
    /// Whether machines take part: Pods have to end before the waiting one can have their room.
    pub machines: bool,
    /// Nodes as they are after the edits planned so far.
    nodes: Vec<Object>,
}

/// Plans the edits for a Pod as it stands in etcd; `None` when they cannot be carried out, such as when the
/// Pod's controller has no template that can be changed.
#[inline(never)]
pub fn plan(cluster: &Cluster, pod: &Object, edits: &[Edit]) -> Option<Plan> {
    let mut out = Plan {
        requests: Vec::new(),
        commands: Vec::new(),
        files: Vec::new(),
        goal: Goal::Same,
        machines: false,
        nodes: Vec::new(),
    };
    for edit in edits {
        if let Edit::Priority {
            class,
            value,
            new: true,
        } = edit
        {
            let object = value!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                "metadata": {"name": (class.clone())}, "value": (*value),
                "globalDefault": false, "description": ""
            });
            let command = [
                "create priorityclass ",
                class,
                " --value=",
                &value.to_string(),
            ];
            out.commands.push(command.concat().into());
            out.requests
                .push(Request::create(Kind::PriorityClass, Object(object)));
        }
        others(cluster, edit, &mut out)?;
    }
    let bound = !pod.at("spec.nodeName").str_or_empty().is_empty();
    let own: Vec<&Edit> = edits.iter().filter(|e| e.is_of_pod()).collect();
    out.machines |= own.iter().any(|e| matches!(e, Edit::Priority { .. }));
    out.machines |= super::search::lesser(cluster, pod);
    if !own.is_empty() {
        change(cluster, pod, &own, bound, &mut out)?;
    } else if bound {
        let Some(owner) = pod.controller() else {
            replace(pod, pod.clone(), &mut out);
            return Some(out);
        };
        out.goal = Goal::Of(owner.uid.into());
        delete_at_once(&pod.key(), &mut out);
    }
    Some(out)
}

/// An edit of something else than the Pod.
fn others(cluster: &Cluster, edit: &Edit, out: &mut Plan) -> Option<()> {
    let etcd = cluster.etcd();
    match edit {
        Edit::AddNode { node, .. } => {
            let name = Text::from([node.name(), ".yaml"].concat());
            out.files.push((name.clone(), yaml::to_string(node).into()));
            out.commands.push(["create -f ", &name].concat().into());
            out.requests
                .push(Request::create(Kind::Node, (**node).clone()));
        }
        Edit::Delete(gone) => {
            let Key { namespace, name } = gone.pod.key.clone();
            let command = [
                "delete pod ",
                &name,
                &in_namespace(&namespace),
                " --wait=false",
            ];
            out.commands.push(command.concat().into());
            out.requests
                .push(Request::delete(Kind::Pod, namespace, name));
            out.machines = true;
        }
        Edit::Scale { kind, key, to, .. } => {
            let what = kind.name().to_lowercase();
            let command = [
                "scale ",
                &what,
                " ",
                &key.name,
                " --replicas=",
                &to.to_string(),
                &in_namespace(&key.namespace),
            ];
            out.commands.push(command.concat().into());
            let patch = value!({"spec": {"replicas": (*to)}});
            out.requests.push(patch_of(*kind, key, "", patch));
            out.machines = true;
        }
        _ => {
            let Some(name) = edit.node() else {
                return Some(());
            };
            let key = Key::new("", name.clone());
            let old = &etcd.get(Kind::Node, &key)?.object;
            let known = out.nodes.iter().find(|n| n.name() == &**name);
            let old = known.cloned().unwrap_or_else(|| (**old).clone());
            let mut new = old.clone();
            edit.apply_to_node(&mut new);
            out.nodes.retain(|n| n.name() != &**name);
            out.nodes.push(new.clone());
            let (sub, command) = match edit {
                Edit::Uncordon(_) => ("", ["uncordon ", name].concat()),
                Edit::Cordon(_) => ("", ["cordon ", name].concat()),
                Edit::Untaint { taint, .. } => {
                    let effect = taint.effect.name();
                    let gone = [&taint.key, ":", effect, "-"].concat();
                    ("", ["taint nodes ", name, " ", &gone].concat())
                }
                Edit::Label { key, value, .. } => {
                    let pair = [key, "=", value].concat();
                    (
                        "",
                        ["label node ", name, " ", &pair, " --overwrite"].concat(),
                    )
                }
                Edit::Capacity { resource, to, .. } => {
                    let patch = capacity(&old, &new, resource, *to);
                    let text = json::to_string(&patch);
                    let words = [
                        "patch node ",
                        name,
                        " --subresource=status --type=merge -p '",
                        &text,
                        "'",
                    ];
                    ("status", words.concat())
                }
                _ => return Some(()),
            };
            out.commands.push(command.into());
            let patch = match edit {
                // The taint of a cordoned Node is the node lifecycle controller's business.
                Edit::Uncordon(_) => value!({"spec": {"unschedulable": null}}),
                Edit::Cordon(_) => value!({"spec": {"unschedulable": true}}),
                Edit::Untaint { .. } => {
                    let taints = new.spec().get("taints").clone();
                    value!({"spec": {"taints": (taints)}})
                }
                Edit::Label { key, value, .. } => {
                    let mut patch = Value::map();
                    *patch.at_mut("metadata.labels").entry(key) = Value::Str(value.clone());
                    patch
                }
                Edit::Capacity { resource, to, .. } => capacity(&old, &new, resource, *to),
                _ => return Some(()),
            };
            let request = merge_of(Kind::Node, &key, sub, patch);
            out.requests.push(request);
        }
    }
    Some(())
}

/// The patch of a Node's status that gives it more of a resource.
fn capacity(old: &Object, new: &Object, resource: &Text, to: i64) -> Value {
    let mut patch = Value::map();
    let text: Value = amount(resource, to).into();
    *patch.at_mut("status.allocatable").entry(resource) = text;
    let has = new.status().get("capacity").get(resource);
    if has != old.status().get("capacity").get(resource) {
        *patch.at_mut("status.capacity").entry(resource) = has.clone();
    }
    patch
}

fn in_namespace(namespace: &str) -> String {
    match namespace {
        "" | "default" => String::new(),
        other => [" -n ", other].concat(),
    }
}

fn patch_of(kind: Kind, key: &Key, subresource: &str, patch: Value) -> Request {
    let Key { namespace, name } = key.clone();
    Request::patch(
        kind,
        namespace,
        name,
        subresource,
        PatchType::Strategic,
        patch,
    )
}

fn merge_of(kind: Kind, key: &Key, subresource: &str, patch: Value) -> Request {
    let Key { namespace, name } = key.clone();
    Request::patch(kind, namespace, name, subresource, PatchType::Merge, patch)
}

/// Changes the Pod itself: in place where the API allows it, by its controller's template where it has one,
/// else as a new Pod of the same name.
fn change(
    cluster: &Cluster,
    pod: &Object,
    edits: &[&Edit],
    bound: bool,
    out: &mut Plan,
) -> Option<()> {
    let mut changed = pod.clone();
    edits
        .iter()
        .for_each(|edit| edit.apply_to_pod(&mut changed));
    let in_place = |e: &&Edit| matches!(e, Edit::DropGates(_) | Edit::Tolerate(_));
    let alone = pod.controller().is_none();
    if !bound && edits.iter().all(in_place) && (alone || edits.len() == 1) {
        let mut patch = Value::map();
        for field in ["schedulingGates", "tolerations"] {
            let (old, new) = (pod.spec().get(field), changed.spec().get(field));
            if old != new {
                *patch.entry("spec").entry(field) = new.clone();
            }
        }
        let key = pod.key();
        let words = [
            "patch pod ",
            &key.name,
            &in_namespace(&key.namespace),
            " --type=merge -p '",
            &json::to_string(&patch),
            "'",
        ];
        out.commands.push(words.concat().into());
        out.requests.push(merge_of(Kind::Pod, &key, "", patch));
        return Some(());
    }
    let Some(owner) = pod.controller() else {
        replace(pod, changed, out);
        return Some(());
    };
    let etcd = cluster.etcd();
    let object = |kind: Kind, name: &str| -> Option<Rc<Object>> {
        let key = Key::new(pod.namespace(), name);
        etcd.get(kind, &key).map(|stored| stored.object.clone())
    };
    let first = Kind::from_api(owner.api_version, owner.kind)?;
    let below = object(first, owner.name)?;
    let above = below.controller().and_then(|o| {
        let kind = Kind::from_api(o.api_version, o.kind)?;
        Some((kind, object(kind, o.name)?))
    });
    let (kind, top) = above.unwrap_or((first, below));
    let rolls = match kind {
        Kind::Deployment => true,
        Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController => false,
        _ => return None,
    };
    let mut template = Object(value!({"spec": (top.at("spec.template.spec").clone())}));
    for edit in edits {
        edit.apply_to_pod(&mut template);
    }
    // The server fills the number in.
    template.remove("spec.priority");
    let mut new = (*top).clone();
    new.set("spec.template.spec", template.spec().clone());
    let mut patch = two_way_strategic(kind.name(), &top, &new);
    without_order(&mut patch);
    if patch.is_empty() {
        return None;
    }
    let key = top.key();
    let words = [
        "patch ",
        &kind.name().to_lowercase(),
        " ",
        &key.name,
        &in_namespace(&key.namespace),
        " -p '",
        &json::to_string(&patch),
        "'",
    ];
    out.commands.push(words.concat().into());
    out.requests.push(patch_of(kind, &key, "", patch));
    out.goal = Goal::Of(top.uid().into());
    if !rolls {
        delete_at_once(&pod.key(), out);
    }
    Some(())
}

/// Takes out what says in which order lists are to stand: the order stays as it is.
fn without_order(patch: &mut Value) {
    match patch {
        Value::Map(_) => {
            let map = patch.map_mut();
            map.retain(|name, inner| {
                without_order(inner);
                !name.starts_with("$setElementOrder/")
            });
        }
        Value::List(_) => patch.list_mut().iter_mut().for_each(without_order),
        _ => {}
    }
}

fn delete_at_once(key: &Key, out: &mut Plan) {
    let Key { namespace, name } = key.clone();
    let words = [
        "delete pod ",
        &name,
        &in_namespace(&namespace),
        " --grace-period=0 --force",
    ];
    out.commands.push(words.concat().into());
    let mut request = Request::delete(Kind::Pod, namespace, name);
    request.options.grace_period_seconds = Some(0);
    out.requests.push(request);
}

/// A new Pod in the place of one without a controller.
fn replace(pod: &Object, mut changed: Object, out: &mut Plan) {
    changed.remove("status");
    for gone in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "ownerReferences",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        changed.remove(&["metadata.", gone].concat());
    }
    changed.remove("spec.nodeName");
    if !pod.at("spec.priorityClassName").is_null()
        || !changed.at("spec.priorityClassName").is_null()
    {
        changed.remove("spec.priority");
        changed.remove("spec.preemptionPolicy");
    }
    let key = pod.key();
    delete_at_once(&key, out);
    let file = Text::from([&*key.name, ".yaml"].concat());
    out.commands.push(
        ["create -f ", &file, &in_namespace(&key.namespace)]
            .concat()
            .into(),
    );
    out.files.push((file, yaml::to_string(&changed).into()));
    out.requests.push(Request::create(Kind::Pod, changed));
    out.goal = Goal::Named;
}
