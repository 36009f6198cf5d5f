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
#[derive(Clone)]
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
#[derive(Clone, Default)]
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

impl Preview {
    /// Whether everything was accepted and every Pod was given a node.
    pub fn is_calm(&self) -> bool {
        self.refusals.is_empty()
            && self.client.is_empty()
            && matches!(self.effect, Effect::Runs | Effect::Unchanged)
    }
}

/// Applies a text to a copy of the cluster at the cursor.
pub fn preview(session: &Session, text: &str) -> Preview {
    let mut copy = world(session);
    apply(&mut copy, text)
}

/// A copy of the cluster at the cursor, for looking ahead.
pub fn world(session: &Session) -> Simulation {
    let mut copy = session.simulation().clone();
    // It ends when every Pod has been given a node or refused one: what machines do comes later.
    copy.leave_out_machines();
    copy
}

/// Applies a text to a copy and runs it until every Pod of it has been given a node or refused one.
pub fn apply(copy: &mut Simulation, text: &str) -> Preview {
    let mut seen = Seen::default();
    let mine = enter(copy, text);
    let start = copy.now();
    run(copy, mine, &mut seen, |copy, seen, looked_at| {
        if copy.next_time().is_none_or(|t| t.since(start) > MAX_AHEAD) {
            return true;
        }
        // Whether it has settled can change only with what is stored.
        let revision = Some(copy.cluster().etcd().revision());
        if revision == *looked_at || !has_ended(copy, mine) {
            return false;
        }
        *looked_at = revision;
        settled(copy, &seen.touched)
    });
    let Seen {
        refusals, touched, ..
    } = seen;
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
        (None, true) => outcome(copy, &touched),
    };
    Preview {
        effect,
        refusals,
        client,
        warnings,
    }
}

/// What the server stored for each object of a text: the object before, if there was one, and after.
/// Stops as soon as kubectl has ended.
pub fn stored(session: &Session, text: &str) -> Vec<(Option<Rc<Object>>, Rc<Object>)> {
    let mut copy = world(session);
    let mine = enter(&mut copy, text);
    let start = copy.now();
    let mut seen = Seen::default();
    run(&mut copy, mine, &mut seen, |copy, _, _| {
        has_ended(copy, mine) || copy.next_time().is_none_or(|t| t.since(start) > MAX_AHEAD)
    });
    let before = session.simulation().cluster().etcd();
    seen.answers
        .into_iter()
        .filter_map(|object| {
            let kind = object.kind()?;
            let old = before.get(kind, &object.key()).map(|s| s.object.clone());
            Some((old, object))
        })
        .collect()
}

fn has_ended(copy: &Simulation, mine: usize) -> bool {
    copy.terminals().nth(mine).is_some_and(|t| t.exit.is_some())
}

/// Enters `kubectl apply -f` with a text; the number of the command.
fn enter(copy: &mut Simulation, text: &str) -> usize {
    let invocation = Invocation {
        argv: vec!["apply".into(), "-f".into(), "manifest.yaml".into()],
        files: vec![("manifest.yaml".into(), text.into())],
        stdin: String::new(),
    };
    let mine = copy.terminals().count();
    let at = podscope_kernel::SimTime(copy.now().0 + 1);
    let command = Command::Kubectl(Rc::new(invocation));
    copy.command(at, &command, &mut Vec::new());
    mine
}

/// What has been seen of the previewed command.
#[derive(Default)]
struct Seen {
    refusals: Vec<Refusal>,
    touched: Vec<(Kind, podscope_api::Key)>,
    /// Objects as the server stored them, in answers to writes.
    answers: Vec<Rc<Object>>,
    writing: bool,
}

/// Runs until told to stop, within bounds.
fn run(
    copy: &mut Simulation,
    mine: usize,
    seen: &mut Seen,
    mut stop: impl FnMut(&Simulation, &Seen, &mut Option<u64>) -> bool,
) {
    let mut trace = Vec::new();
    let mut looked_at = None;
    for _ in 0..MAX_STEPS {
        if stop(copy, seen, &mut looked_at) {
            break;
        }
        copy.step(&mut trace);
        for event in trace.drain(..) {
            note(copy, mine, &event, seen);
        }
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
fn note(copy: &Simulation, mine: usize, event: &TraceEvent, seen: &mut Seen) {
    let client = podscope_cluster::ComponentId::Client(u16::try_from(mine).unwrap_or(u16::MAX));
    match (event.code, &event.data) {
        ("client.request", Data::Request(r)) if event.actor == client => {
            seen.writing = r.verb.writes();
            if !seen.writing {
                return;
            }
            let mut key = podscope_api::Key::new(r.namespace.clone(), r.name.clone());
            if let podscope_api::Body::Object(o) = &r.body
                && key.name.is_empty()
            {
                key.name = o.key().name;
            }
            seen.touched.push((r.kind, key));
        }
        ("client.response", Data::Response(response)) if event.actor == client => {
            match &**response {
                Err(Failure::Status(status)) if status.code != 404 => {
                    if let Some((kind, key)) = seen.touched.last() {
                        let stage = copy.last_refusal().unwrap_or_else(|| "storage".into());
                        seen.refusals.push(Refusal {
                            kind: *kind,
                            name: key.name.clone(),
                            stage,
                            status: status.clone(),
                        });
                    }
                }
                // What is unchanged is only read.
                Ok(answer) if answer.object.kind().is_some() => {
                    let key = answer.object.key();
                    seen.answers
                        .retain(|o| o.key() != key || o.kind() != answer.object.kind());
                    seen.answers.push(answer.object.clone());
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn pods_of<'a>(
    copy: &'a Simulation,
    touched: &'a [(Kind, podscope_api::Key)],
) -> Vec<&'a Rc<Object>> {
    let etcd = copy.cluster().etcd();
    let mut owners: Vec<String> = touched
        .iter()
        .filter_map(|(kind, key)| etcd.get(*kind, key))
        .map(|s| s.object.uid().to_string())
        .collect();
    let sets: Vec<String> = etcd
        .of_kind(Kind::ReplicaSet)
        .filter(|(_, s)| {
            s.object
                .controller()
                .is_some_and(|o| owners.iter().any(|u| u == o.uid))
        })
        .map(|(_, s)| s.object.uid().to_string())
        .collect();
    owners.extend(sets);
    etcd.of_kind(Kind::Pod)
        .map(|(_, s)| &s.object)
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

/// What would give a Pod a node that would stay Pending if a text were applied: the smallest changes, tried
/// on a copy. `None` when everything would be placed, or the text is refused.
#[inline(never)]
pub fn fix(session: &Session, text: &str) -> Option<crate::view::WhatIfView> {
    let mut copy = world(session);
    let mine = enter(&mut copy, text);
    let start = copy.now();
    let mut seen = Seen::default();
    run(&mut copy, mine, &mut seen, |copy, seen, _| {
        copy.next_time().is_none_or(|t| t.since(start) > MAX_AHEAD)
            || has_ended(copy, mine) && settled(copy, &seen.touched)
    });
    let pods = pods_of(&copy, &seen.touched);
    let stuck =
        |p: &&&Rc<Object>| p.condition("PodScheduled").get("status").as_str() == Some("False");
    let pod = pods.iter().find(stuck)?;
    Some(crate::whatif::ask(copy.cluster(), pod, None))
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
    let because = crate::whatif::because(copy.cluster(), pod, MAX_NODES);
    let etcd = copy.cluster().etcd();
    copy.cluster()
        .nodes()
        .iter()
        .take(MAX_NODES)
        .filter_map(|n| {
            let key = podscope_api::Key::new("", n.config.name.clone());
            let node = &etcd.get(Kind::Node, &key)?.object;
            let used: i64 = etcd
                .of_kind(Kind::Pod)
                .filter(|(_, s)| s.object.at("spec.nodeName").as_str() == Some(&*n.config.name))
                .map(|(_, s)| asks(&s.object))
                .sum();
            Some((
                n.config.name.clone(),
                wanted,
                cpu(node.at("status.allocatable.cpu")) - used,
                because
                    .iter()
                    .find(|(name, _)| *name == n.config.name)
                    .map_or_else(|| Text::from(""), |(_, reason)| reason.clone()),
            ))
        })
        .collect()
}
