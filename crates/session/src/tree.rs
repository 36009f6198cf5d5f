//! Objects by their owners: Deployment, ReplicaSet, Pod, container; Service, EndpointSlice.

use crate::cluster_view::object_ref;
use crate::objects::touched;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Object, Timestamp, Value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most rows.
const MAX_ROWS: usize = 3_000;
/// The deepest nesting; owners that own each other end here.
const MAX_DEPTH: u8 = 8;
/// Columns that say how an object is.
const TELLING: &[&str] = &[
    "READY",
    "STATUS",
    "RESTARTS",
    "DESIRED",
    "CURRENT",
    "AVAILABLE",
    "COMPLETIONS",
    "TYPE",
    "CLUSTER-IP",
    "PORT(S)",
    "PORTS",
    "ENDPOINTS",
    "NODE",
];

type ByUid<'a> = BTreeMap<&'a str, Vec<(Kind, &'a Rc<Object>)>>;

struct Walk<'a> {
    children: ByUid<'a>,
    now: Timestamp,
    touched: Option<ObjectRef>,
    rows: Vec<TreeRow>,
}

/// The tree: whatever has an owner or is one, and Pods and Services that stand alone.
pub fn rows(session: &Session) -> Rc<[TreeRow]> {
    let etcd = session.simulation().cluster().etcd();
    let all = || {
        etcd.objects()
            .iter()
            .filter(|((kind, _), _)| !matches!(kind, Kind::Event | Kind::Lease))
            .map(|((kind, _), stored)| (*kind, &stored.object))
    };
    let known: BTreeSet<&str> = all()
        .map(|(_, o)| o.at("metadata.uid").str_or_empty())
        .collect();
    let mut children: ByUid<'_> = BTreeMap::new();
    let mut roots = Vec::new();
    for (kind, object) in all() {
        let refs = object.at("metadata.ownerReferences").items();
        let owner = refs
            .iter()
            .map(|r| r.get("uid").str_or_empty())
            .find(|uid| known.contains(uid));
        match owner {
            Some(uid) => children.entry(uid).or_default().push((kind, object)),
            None => roots.push((kind, object)),
        }
    }
    let order = |kind: Kind| match kind {
        Kind::Deployment => 0,
        Kind::ReplicaSet => 1,
        Kind::Pod => 3,
        Kind::Service => 4,
        _ => 2,
    };
    podscope_api::sort::by_key(&mut roots, |(kind, o)| (order(*kind), o.key()));
    let mut walk = Walk {
        children,
        now: session.simulation().wall(),
        touched: touched(session),
        rows: Vec::new(),
    };
    for (kind, object) in roots {
        let uid = object.at("metadata.uid").str_or_empty();
        let alone = matches!(
            kind,
            Kind::Pod | Kind::Service | Kind::Deployment | Kind::ReplicaSet
        );
        if alone || walk.children.contains_key(uid) {
            walk.add(kind, object, 0);
        }
    }
    walk.rows.into()
}

impl Walk<'_> {
    fn add(&mut self, kind: Kind, object: &Object, depth: u8) {
        if self.rows.len() >= MAX_ROWS || depth > MAX_DEPTH {
            return;
        }
        let this = object_ref(kind, &object.key());
        let heads = podscope_kubectl::columns(kind, true);
        let row = podscope_kubectl::row(kind, object, true, self.now);
        let cells = heads
            .zip(row.iter())
            .filter(|(head, _)| TELLING.contains(head))
            .map(|(head, cell)| (Text::from(head), Text::from(cell.to_string())));
        self.rows.push(TreeRow {
            depth,
            kind: kind.name().into(),
            name: this.name.clone(),
            cells: cells.collect(),
            now: self.touched.as_ref() == Some(&this),
            object: Some(this),
        });
        if kind == Kind::Pod {
            self.containers(object, depth + 1);
        }
        let uid = object.at("metadata.uid").str_or_empty();
        for (kind, child) in self.children.get(uid).cloned().unwrap_or_default() {
            self.add(kind, child, depth + 1);
        }
    }

    fn containers(&mut self, pod: &Object, depth: u8) {
        let lists = [
            (
                "spec.initContainers",
                "status.initContainerStatuses",
                "init container",
            ),
            ("spec.containers", "status.containerStatuses", "container"),
        ];
        for (spec, status, kind) in lists {
            for container in pod.at(spec).items() {
                let name = container.get("name").str_or_empty();
                let mut statuses = pod.at(status).items().iter();
                let status = statuses.find(|s| s.get("name").as_str() == Some(name));
                let mut cells: Vec<(Text, Text)> = Vec::new();
                let mut cell = |head: &str, text: String| cells.push((head.into(), text.into()));
                cell("IMAGE", container.get("image").str_or_empty().into());
                if let Some(status) = status {
                    cell("STATE", state(status.get("state")));
                    let restarts = status.get("restartCount").as_int().unwrap_or(0);
                    cell("RESTARTS", restarts.to_string());
                }
                self.rows.push(TreeRow {
                    depth,
                    object: None,
                    kind: kind.into(),
                    name: name.into(),
                    cells: cells.into(),
                    now: false,
                });
            }
        }
    }
}

/// `running`, `waiting: ContainerCreating`, `terminated: Error (1)`.
fn state(state: &Value) -> String {
    let Some((name, detail)) = state.entries().first() else {
        return "waiting".into();
    };
    let mut out = name.to_string();
    let reason = detail.get("reason").str_or_empty();
    if !reason.is_empty() {
        out.push_str(": ");
        out.push_str(reason);
    }
    if let Some(code) = detail.get("exitCode").as_int() {
        out.push_str(&format!(" ({code})"));
    }
    out
}
