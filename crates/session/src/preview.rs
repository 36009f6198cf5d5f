//! What applying a text would do, found out by doing it to a copy of the cluster.

use crate::session::Session;
use crate::simulation::{Command, Simulation};
use crate::view::Effect;
use podscope_api::{Failure, Kind, Object, Quantity, Status, Text};
use podscope_cluster::{Data, TraceEvent};
use podscope_kernel::{SimDuration, World};
use podscope_kubectl::Invocation;
use std::rc::Rc;

/// The most entries of the queue that a preview carries out.
const MAX_STEPS: usize = 6_000;
/// How far a preview looks ahead.
const MAX_AHEAD: SimDuration = SimDuration::secs(4);
/// The most nodes that are listed with their free resources.
const MAX_NODES: usize = 8;

/// A request that the server would refuse.
pub struct Refusal {
    /// The kind of the object.
    pub kind: Kind,
    /// Its name.
    pub name: Text,
    /// The stage that refuses.
    pub stage: Text,
    /// The server's answer.
    pub status: Status,
}

/// What was found out.
pub struct Preview {
    /// In one word.
    pub effect: Effect,
    /// Requests that would be refused.
    pub refusals: Vec<Refusal>,
    /// What kubectl itself would complain about.
    pub client: Vec<String>,
    /// The server's warnings.
    pub warnings: Vec<String>,
}

/// Applies a text to a copy of the cluster at the cursor.
pub fn preview(session: &Session, text: &str) -> Preview {
    let mut copy: Simulation = session.simulation().clone();
    // It ends when every Pod has been given a node or refused one: what machines do comes later.
    copy.leave_out_machines();
    let invocation = Invocation {
        argv: vec!["apply".into(), "-f".into(), "manifest.yaml".into()],
        files: vec![("manifest.yaml".into(), text.into())],
        stdin: String::new(),
    };
    let mine = copy.terminals().count();
    let start = copy.now();
    let at = podscope_kernel::SimTime(start.0 + 1);
    let mut trace = Vec::new();
    copy.command(at, &Command::Kubectl(Rc::new(invocation)), &mut trace);
    let mut refusals = Vec::new();
    let mut touched: Vec<(Kind, podscope_api::Key)> = Vec::new();
    // Whether it has settled can change only with what is stored.
    let mut looked_at = None;
    for _ in 0..MAX_STEPS {
        if copy.next_time().is_none_or(|t| t.since(start) > MAX_AHEAD) {
            break;
        }
        for event in trace.drain(..) {
            note(&copy, mine, &event, &mut refusals, &mut touched);
        }
        let revision = Some(copy.cluster().etcd().revision());
        if revision != looked_at && copy.terminals().nth(mine).is_some_and(|t| t.exit.is_some()) {
            looked_at = revision;
            if settled(&copy, &touched) {
                break;
            }
        }
        copy.step(&mut trace);
    }
    let (mut client, mut warnings, mut unchanged) = (Vec::new(), Vec::new(), false);
    if let Some(terminal) = copy.terminals().nth(mine) {
        unchanged = !terminal.stdout.is_empty()
            && terminal.stdout.lines().all(|l| l.ends_with(" unchanged"));
        for line in terminal.stderr.lines() {
            if let Some(words) = line.strip_prefix("Warning: ") {
                warnings.push(words.to_string());
            } else if refusals.is_empty() && line.starts_with("error:") {
                client.push(line.to_string());
            }
        }
    }
    let effect = match (refusals.first(), client.is_empty()) {
        (Some(refusal), _) => Effect::Refused {
            stage: stage_index(&refusal.stage),
            code: refusal.status.code,
            reason: refusal.status.reason.clone(),
        },
        (None, false) => Effect::Unknown,
        (None, true) if unchanged => Effect::Unchanged,
        (None, true) => outcome(&copy, &touched),
    };
    Preview {
        effect,
        refusals,
        client,
        warnings,
    }
}

fn stage_index(stage: &str) -> u16 {
    let name = if stage == "patch" || stage == "default" {
        "decode"
    } else {
        stage
    };
    crate::view::PIPELINE
        .iter()
        .position(|s| *s == name)
        .and_then(|i| u16::try_from(i).ok())
        .unwrap_or(8)
}

/// Takes note of what happens to the requests of the previewed command.
fn note(
    copy: &Simulation,
    mine: usize,
    event: &TraceEvent,
    refusals: &mut Vec<Refusal>,
    touched: &mut Vec<(Kind, podscope_api::Key)>,
) {
    let client = podscope_cluster::ComponentId::Client(u16::try_from(mine).unwrap_or(u16::MAX));
    match (event.code, &event.data) {
        ("client.request", Data::Request(r)) if event.actor == client && r.verb.writes() => {
            let mut key = podscope_api::Key::new(r.namespace.clone(), r.name.clone());
            if let podscope_api::Body::Object(o) = &r.body
                && key.name.is_empty()
            {
                key.name = o.key().name;
            }
            touched.push((r.kind, key));
        }
        ("client.response", Data::Response(response)) if event.actor == client => {
            if let Err(Failure::Status(status)) = &**response
                && status.code != 404
                && let Some((kind, key)) = touched.last()
            {
                let stage = copy.last_refusal().unwrap_or_else(|| "storage".into());
                refusals.push(Refusal {
                    kind: *kind,
                    name: key.name.clone(),
                    stage,
                    status: status.clone(),
                });
            }
        }
        _ => {}
    }
}

fn pods_of<'a>(
    copy: &'a Simulation,
    touched: &'a [(Kind, podscope_api::Key)],
) -> Vec<&'a Rc<Object>> {
    let objects = copy.cluster().etcd().objects();
    let all_pods = || {
        objects
            .range((Kind::Pod, podscope_api::Key::new("", ""))..)
            .take_while(|((k, _), _)| *k == Kind::Pod)
            .map(|(_, s)| &s.object)
    };
    let mut owners: Vec<String> = touched
        .iter()
        .filter_map(|(kind, key)| copy.cluster().etcd().get(*kind, key))
        .map(|s| s.object.uid().to_string())
        .collect();
    let sets: Vec<String> = objects
        .range((Kind::ReplicaSet, podscope_api::Key::new("", ""))..)
        .take_while(|((k, _), _)| *k == Kind::ReplicaSet)
        .filter(|(_, s)| {
            s.object
                .controller()
                .is_some_and(|o| owners.iter().any(|u| u == o.uid))
        })
        .map(|(_, s)| s.object.uid().to_string())
        .collect();
    owners.extend(sets);
    all_pods()
        .filter(|p| {
            owners.iter().any(|u| u == p.uid())
                || p.controller()
                    .is_some_and(|o| owners.iter().any(|u| u == o.uid))
        })
        .collect()
}

/// Whether every Pod that comes of it has been given a node or refused one.
fn settled(copy: &Simulation, touched: &[(Kind, podscope_api::Key)]) -> bool {
    let wants = |kind: &Kind| {
        matches!(
            kind,
            Kind::Deployment | Kind::ReplicaSet | Kind::Pod | Kind::StatefulSet
        )
    };
    let wanted: usize = touched
        .iter()
        .filter(|(kind, _)| wants(kind))
        .filter_map(|(kind, key)| copy.cluster().etcd().get(*kind, key))
        .map(|s| match s.object.kind() {
            Some(Kind::Pod) => 1,
            _ => usize::try_from(s.object.at("spec.replicas").as_int().unwrap_or(0)).unwrap_or(0),
        })
        .sum();
    if wanted == 0 {
        return true;
    }
    let pods = pods_of(copy, touched);
    pods.len() >= wanted && pods.iter().all(|p| !p.condition("PodScheduled").is_null())
}

fn outcome(copy: &Simulation, touched: &[(Kind, podscope_api::Key)]) -> Effect {
    let pods = pods_of(copy, touched);
    let stuck: Vec<&&Rc<Object>> = pods
        .iter()
        .filter(|p| p.condition("PodScheduled").get("status").as_str() == Some("False"))
        .collect();
    let Some(first) = stuck.first() else {
        return Effect::Runs;
    };
    Effect::Pending {
        pods: u32::try_from(stuck.len()).unwrap_or(u32::MAX),
        message: first
            .condition("PodScheduled")
            .get("message")
            .str_or_empty()
            .into(),
        nodes: free(copy, first).into(),
    }
}

/// Per node: what one Pod asks for and what is free, in thousandths of a CPU.
fn free(copy: &Simulation, pod: &Object) -> Vec<(Text, i64, i64, Text)> {
    let cpu = |o: &podscope_api::Value| Quantity::from_value(o).map_or(0, |q| q.milli_value());
    let asks = |pod: &Object| -> i64 {
        pod.at("spec.containers")
            .items()
            .iter()
            .map(|c| cpu(c.at("resources.requests.cpu")))
            .sum()
    };
    let wanted = asks(pod);
    let objects = copy.cluster().etcd().objects();
    copy.cluster()
        .nodes()
        .iter()
        .take(MAX_NODES)
        .filter_map(|n| {
            let key = podscope_api::Key::new("", n.config.name.clone());
            let node = &copy.cluster().etcd().get(Kind::Node, &key)?.object;
            let used: i64 = objects
                .range((Kind::Pod, podscope_api::Key::new("", ""))..)
                .take_while(|((k, _), _)| *k == Kind::Pod)
                .filter(|(_, s)| s.object.at("spec.nodeName").as_str() == Some(&*n.config.name))
                .map(|(_, s)| asks(&s.object))
                .sum();
            Some((
                n.config.name.clone(),
                wanted,
                cpu(node.at("status.allocatable.cpu")) - used,
                Text::from(""),
            ))
        })
        .collect()
}
