//! The tables of `kubectl get`: columns per kind, and aligning them.
//!
//! In a real cluster the server makes the cells; here they are made by the client.
//! Models: pkg/printers/internalversion/printers.go (v1.36)

mod column;
mod pod;
mod workload;

use crate::text::{TABLE, align_after};
use podscope_api::{Kind, Object, Timestamp, Value, duration};

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Int(i64),
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}
impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_string())
    }
}
impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Int(number)
    }
}
impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Text(text) => f.write_str(text),
            Cell::Int(number) => write!(f, "{number}"),
        }
    }
}

/// A kind's column titles with those of `-o wide` marked by a plus, separated by `|`.
fn titles(kind: Kind) -> &'static str {
    const WORKLOAD: &str = "NAME|DESIRED|CURRENT|READY|AGE|+CONTAINERS|+IMAGES|+SELECTOR";
    match kind {
        Kind::Pod => "NAME|READY|STATUS|RESTARTS|AGE|+IP|+NODE|+NOMINATED NODE|+READINESS GATES",
        Kind::Deployment => "NAME|READY|UP-TO-DATE|AVAILABLE|AGE|+CONTAINERS|+IMAGES|+SELECTOR",
        Kind::ReplicaSet | Kind::ReplicationController => WORKLOAD,
        Kind::DaemonSet => {
            "NAME|DESIRED|CURRENT|READY|UP-TO-DATE|AVAILABLE|NODE SELECTOR|AGE|+CONTAINERS|+IMAGES|+SELECTOR"
        }
        Kind::StatefulSet => "NAME|READY|AGE|+CONTAINERS|+IMAGES",
        Kind::Job => "NAME|STATUS|COMPLETIONS|DURATION|AGE|+CONTAINERS|+IMAGES|+SELECTOR",
        Kind::CronJob => {
            "NAME|SCHEDULE|TIMEZONE|SUSPEND|ACTIVE|LAST SCHEDULE|AGE|+CONTAINERS|+IMAGES|+SELECTOR"
        }
        Kind::Node => {
            "NAME|STATUS|ROLES|AGE|VERSION|+INTERNAL-IP|+EXTERNAL-IP|+OS-IMAGE|+KERNEL-VERSION|+CONTAINER-RUNTIME"
        }
        Kind::Service => "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE|+SELECTOR",
        Kind::Endpoints => "NAME|ENDPOINTS|AGE",
        Kind::EndpointSlice => "NAME|ADDRESSTYPE|PORTS|ENDPOINTS|AGE",
        Kind::Event => {
            "LAST SEEN|TYPE|REASON|OBJECT|+SUBOBJECT|+SOURCE|MESSAGE|+FIRST SEEN|+COUNT|+NAME"
        }
        Kind::Namespace => "NAME|STATUS|AGE",
        Kind::ConfigMap => "NAME|DATA|AGE",
        Kind::Secret => "NAME|TYPE|DATA|AGE",
        Kind::ServiceAccount => "NAME|AGE",
        Kind::PersistentVolume => {
            "NAME|CAPACITY|ACCESS MODES|RECLAIM POLICY|STATUS|CLAIM|STORAGECLASS|VOLUMEATTRIBUTESCLASS|REASON|AGE|+VOLUMEMODE"
        }
        Kind::PersistentVolumeClaim => {
            "NAME|STATUS|VOLUME|CAPACITY|ACCESS MODES|STORAGECLASS|VOLUMEATTRIBUTESCLASS|AGE|+VOLUMEMODE"
        }
        Kind::PodTemplate => "NAME|CONTAINERS|IMAGES|POD LABELS",
        Kind::ControllerRevision => "NAME|CONTROLLER|REVISION|AGE",
        Kind::PodDisruptionBudget => "NAME|MIN AVAILABLE|MAX UNAVAILABLE|ALLOWED DISRUPTIONS|AGE",
        Kind::HorizontalPodAutoscaler => "NAME|REFERENCE|TARGETS|MINPODS|MAXPODS|REPLICAS|AGE",
        Kind::Lease => "NAME|HOLDER|AGE",
        Kind::PriorityClass => "NAME|VALUE|GLOBAL-DEFAULT|AGE|PREEMPTIONPOLICY",
        Kind::StorageClass => {
            "NAME|PROVISIONER|RECLAIMPOLICY|VOLUMEBINDINGMODE|ALLOWVOLUMEEXPANSION|AGE"
        }
        Kind::RuntimeClass => "NAME|HANDLER|AGE",
        Kind::Ingress => "NAME|CLASS|HOSTS|ADDRESS|PORTS|AGE",
        Kind::IngressClass => "NAME|CONTROLLER|PARAMETERS|AGE",
        Kind::NetworkPolicy => "NAME|POD-SELECTOR|AGE",
        Kind::ResourceQuota => "NAME|REQUEST|LIMIT|AGE",
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            "NAME|ROLE|AGE|+USERS|+GROUPS|+SERVICEACCOUNTS"
        }
        Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration => {
            "NAME|WEBHOOKS|AGE"
        }
        Kind::ValidatingAdmissionPolicy => "NAME|VALIDATIONS|PARAMKIND|AGE",
        Kind::ValidatingAdmissionPolicyBinding => "NAME|POLICYNAME|PARAMREF|AGE",
        Kind::Role | Kind::ClusterRole | Kind::LimitRange => "NAME|CREATED AT",
    }
}

/// The titles of a kind's columns.
pub fn columns(kind: Kind, wide: bool) -> impl Iterator<Item = &'static str> {
    titles(kind)
        .split('|')
        .filter_map(move |title| match title.strip_prefix('+') {
            Some(title) => wide.then_some(title),
            None => Some(title),
        })
}

/// An object's cells, one for each of its kind's columns.
pub fn row(kind: Kind, object: &Object, wide: bool, now: Timestamp) -> Vec<Cell> {
    let cells = cells(kind, object, now);
    let visible = titles(kind)
        .split('|')
        .map(|title| wide || !title.starts_with('+'));
    visible
        .zip(cells)
        .filter(|(visible, _)| *visible)
        .map(|(_, cell)| cell)
        .collect()
}

fn cells(kind: Kind, o: &Object, now: Timestamp) -> Vec<Cell> {
    let ctx = column::Of { object: o, now };
    match kind {
        Kind::Pod => pod::cells(o, now),
        Kind::Event => column::event(&ctx),
        _ => {
            let known = titles(kind).split('|');
            known
                .map(|title| ctx.cell(kind, title.trim_start_matches('+')))
                .collect()
        }
    }
}

/// How long ago `time` (a field) was: `5m`, or `<unknown>` when there is no time.
pub(crate) fn since(time: &Value, now: Timestamp) -> String {
    match time.as_str().and_then(Timestamp::parse) {
        Some(at) => age(at, now),
        None => "<unknown>".into(),
    }
}

pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    duration::human((now.0 - at.0).saturating_mul(1000))
}

/// Rows under titles.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The titles; none to print rows only.
    pub titles: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The aligned text, one line for each row.
    pub fn print(&self) -> String {
        self.print_after(&mut Vec::new())
    }

    /// The text when it follows another table whose column widths were `remembered`.
    pub(crate) fn print_after(&self, remembered: &mut Vec<usize>) -> String {
        let mut text = String::new();
        if !self.titles.is_empty() {
            text.push_str(&self.titles.join("\t"));
            text.push('\n');
        }
        for row in &self.rows {
            for (i, cell) in row.iter().enumerate() {
                if i > 0 {
                    text.push('\t');
                }
                let shown = cell.to_string();
                // A cell ends at its first line break.
                match shown.find(['\n', '\r', '\u{c}']) {
                    Some(at) => {
                        text.push_str(shown.get(..at).unwrap_or(""));
                        text.push_str("...");
                    }
                    None => text.push_str(&shown.replace('\t', " ")),
                }
            }
            text.push('\n');
        }
        align_after(&text, TABLE, remembered)
    }
}

pub(crate) use column::labels;
pub(crate) use workload::{hpa_metric, node_roles, text};
