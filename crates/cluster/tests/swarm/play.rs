//! Plays a draw, heals everything and waits for the cluster to come to what it should be.

use crate::converge;
use crate::draw::{Act, Plan};
use podscope_api::{Key, Kind, Request};
use podscope_cluster::invariants::Checker;
use podscope_cluster::{Cluster, Command, faults};
use podscope_kernel::{SimTime, state_hash};
use std::rc::Rc;

/// How long a cluster has to come to rest after everything was healed: the longest back-offs (5 minutes) and
/// evictions (5 minutes and 40 s) one after the other, with room for a progress deadline.
const PATIENCE: u64 = 2_400_000_000;
/// The most queue entries of one draw.
const MOST_STEPS: u64 = 3_000_000;

/// What came of a draw.
#[derive(Debug, Default)]
pub struct Report {
    /// Queue entries carried out.
    pub steps: u64,
    /// A hash of all trace events.
    pub hash: u64,
    /// When it had converged.
    pub converged: SimTime,
    /// Violations that a fault explains, by invariant and fault.
    pub excused: Vec<String>,
    /// The first thing that is wrong.
    pub problem: Option<String>,
}

struct Play {
    cluster: Cluster,
    checker: Checker,
    report: Report,
    told: bool,
}

/// Prints an event for people.
fn tell(event: &podscope_cluster::TraceEvent) {
    let args: Vec<String> = event
        .args
        .iter()
        .map(|(name, value)| format!("{name}={}", podscope_api::json::to_string(value)))
        .collect();
    let subject = event.subject.as_ref().map(|s| s.key.to_string());
    println!(
        "{:>6} {:>11.6} {} {} {} {}",
        event.id.0 + 1,
        event.at.0 as f64 / 1e6,
        event.actor,
        event.code,
        subject.unwrap_or_default(),
        args.join(" ")
    );
}

impl Play {
    fn look(&mut self) {
        let events = self.cluster.take_trace();
        for event in &events {
            self.report.hash = state_hash(&(self.report.hash, event));
            if self.told {
                tell(event);
            }
        }
        self.checker.step(&self.cluster, &events);
    }
    fn run(&mut self, until: SimTime) {
        while self.cluster.next_time().is_some_and(|t| t <= until) && self.report.steps < MOST_STEPS
        {
            self.cluster.step();
            self.report.steps += 1;
            self.look();
        }
        self.cluster.idle_until(until);
    }
    fn act(&mut self, at: SimTime, act: &Act) {
        let command = match act {
            Act::Request(request) => Command::Request(Rc::new(request.clone())),
            Act::Heal(name) => Command::Heal { name: name.clone() },
            Act::DeletePod(place, grace) => {
                let pods: Vec<Key> = self
                    .cluster
                    .etcd()
                    .of_kind(Kind::Pod)
                    .map(|(k, _)| k.clone())
                    .collect();
                if pods.is_empty() {
                    return;
                }
                let key = &pods[place % pods.len()];
                let mut delete =
                    Request::delete(Kind::Pod, key.namespace.clone(), key.name.clone());
                delete.options.grace_period_seconds = *grace;
                Command::Request(Rc::new(delete))
            }
            Act::Fault {
                kind,
                name,
                target,
                params,
            } => {
                let Some(known) = faults::kind(kind) else {
                    return;
                };
                let targets = faults::targets(&self.cluster, known);
                if targets.is_empty() {
                    return;
                }
                let target = targets[target % targets.len()].clone();
                let mut params = params.clone();
                if !target.is_empty() {
                    params.set("target", target);
                }
                Command::Inject {
                    kind: (*kind).into(),
                    name: name.clone(),
                    params,
                }
            }
        };
        self.cluster.command(at, &command);
        self.look();
    }
    fn broken(&mut self) -> bool {
        let first = self
            .checker
            .violations()
            .iter()
            .find(|v| v.excuse.is_none());
        if let Some(v) = first {
            self.report.problem = Some(format!(
                "{} at {:.3} s, event {}: {}: {} expected, {} found",
                v.invariant.name(),
                v.at.0 as f64 / 1e6,
                v.event,
                v.finding.object,
                v.finding.expected,
                v.finding.found
            ));
        }
        self.report.problem.is_some()
    }
}

/// Plays a draw to its end.
pub fn play(plan: &Plan) -> Report {
    play_aloud(plan, false)
}

/// Plays a draw; `told`: prints each event.
pub fn play_aloud(plan: &Plan, told: bool) -> Report {
    let cluster = Cluster::new(plan.config.clone());
    let checker = Checker::new(&cluster);
    let mut play = Play {
        cluster,
        checker,
        report: Report::default(),
        told,
    };
    play.look();
    for (at, act) in &plan.acts {
        play.run(*at);
        play.act(*at, act);
    }
    let healed = play.cluster.now();
    let mut left = vec!["nothing was tried".to_string()];
    while play.cluster.now().0 < healed.0 + PATIENCE {
        let names: Vec<_> = faults::active(&play.cluster)
            .into_iter()
            .filter(|(_, f)| !f.ending)
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            let at = play.cluster.now();
            play.act(at, &Act::Heal(name));
        }
        let until = SimTime(play.cluster.now().0 + 15_000_000);
        play.run(until);
        if play.report.steps >= MOST_STEPS {
            left = vec![format!("still busy after {MOST_STEPS} steps")];
            break;
        }
        left = converge::left(&play.cluster);
        if left.is_empty() {
            break;
        }
    }
    play.report.converged = play.cluster.now();
    play.broken();
    if !left.is_empty() {
        left.truncate(3);
        let stuck = format!("does not converge: {}", left.join("; "));
        let broken = play.report.problem.take();
        play.report.problem = Some(broken.map_or(stuck.clone(), |b| format!("{b}; {stuck}")));
    }
    let mut excused: Vec<String> = play
        .checker
        .violations()
        .iter()
        .filter_map(|v| Some(format!("{} ({})", v.invariant.name(), v.excuse.as_ref()?)))
        .collect();
    excused.sort();
    excused.dedup();
    play.report.excused = excused;
    play.report
}

/// What kind of problem it is: the first word, so that shrinking keeps to one.
fn sort_of(report: &Report) -> Option<String> {
    let problem = report.problem.as_ref()?;
    problem.split(' ').next().map(str::to_string)
}

/// The smallest plan that fails in the same way, one act taken out at a time.
pub fn shrink(mut plan: Plan) -> Plan {
    let wanted = sort_of(&play(&plan));
    loop {
        let before = plan.acts.len();
        for i in (0..plan.acts.len()).rev() {
            let mut smaller = plan.clone();
            smaller.acts.remove(i);
            if sort_of(&play(&smaller)) == wanted {
                plan = smaller;
            }
        }
        if plan.acts.len() == before {
            return plan;
        }
    }
}
