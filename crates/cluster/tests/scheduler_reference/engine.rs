//! The same questions put to the engine; the only file here that knows its types.

use crate::generate::World;
use crate::outcome::Outcome;
use crate::preemption::Victims;
use podscope_api::{Object, Value};
use podscope_cluster::scheduler::cache::Cache;
use podscope_cluster::scheduler::framework::{Decision, schedule};
use podscope_cluster::scheduler::plugins::default_preemption::{post_filter, post_filter_message};
use podscope_cluster::scheduler::plugins::{Cycle, Plugins};
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_cluster::scheduler::profile::Profile;
use podscope_cluster::scheduler::verdict::Rejection;
use std::rc::Rc;

/// A cache that knows the cluster.
pub fn cache(world: &World) -> Cache {
    let mut cache = Cache::default();
    for object in world.others.iter().chain(&world.nodes) {
        let object = Object(object.clone());
        let kind = object.kind().expect("a known kind");
        cache.apply(kind, &object.key(), Some(&object));
    }
    for pod in &world.placed {
        let node = pod.at("spec.nodeName").as_text().expect("a Node").clone();
        cache.add_pod(Rc::new(PodInfo::new(&Object(pod.clone()))), &node);
    }
    for plan in &world.plans {
        let node = plan.at("spec.nodeName").as_text().expect("a Node").clone();
        let mut pod = plan.clone();
        pod.remove("spec.nodeName");
        pod.set("status.nominatedNodeName", node.clone());
        cache.nominate(Rc::new(PodInfo::new(&Object(pod))), &node);
    }
    cache
}

pub fn pod_info(pod: &Value) -> PodInfo {
    PodInfo::new(&Object(pod.clone()))
}

fn rejection(no: &Rejection) -> String {
    let mut reasons: Vec<String> = no.reasons.iter().map(|r| r.message().to_string()).collect();
    reasons.sort();
    format!(
        "{} {}: {}",
        no.code.name(),
        no.plugin.name(),
        reasons.join("; ")
    )
}

/// One decision without preemption.
pub fn decide(world: &World, cache: &Cache) -> (Decision, Plugins) {
    schedule(
        &pod_info(&world.pod),
        cache,
        &Profile::default(),
        world.start,
    )
}

/// The engine's answer.
pub fn attempt(world: &World) -> Outcome {
    let cache = cache(world);
    let (pod, profile) = (pod_info(&world.pod), Profile::default());
    let cycle = Cycle {
        cache: &cache,
        profile: &profile,
        pod: &pod,
    };
    let (decision, plugins) = decide(world, &cache);
    let of = |slot| cache.node(slot).name.to_string();
    let mut out = Outcome {
        next_start: decision.next_start,
        pre_filter: decision
            .pre_filter
            .as_ref()
            .map(rejection)
            .unwrap_or_default(),
        chosen: decision.chosen.iter().map(|slot| of(*slot)).collect(),
        ..Outcome::default()
    };
    for slot in &decision.feasible {
        out.verdicts.insert(of(*slot), "ok".to_string());
    }
    for (slot, no) in &decision.rejected {
        out.verdicts.insert(of(*slot), rejection(no));
    }
    if let Some(scores) = &decision.scores {
        for (i, slot) in scores.nodes.iter().enumerate() {
            let parts = scores.by_plugin.iter();
            let mut parts: Vec<(String, i64)> = parts
                .map(|by| {
                    (
                        by.plugin.name().into(),
                        by.normalized[i] * by.plugin.weight(),
                    )
                })
                .collect();
            parts.push(("total".to_string(), scores.totals[i]));
            out.scores.insert(of(*slot), parts);
        }
    }
    if decision.feasible.is_empty() {
        let after = post_filter(cycle, &plugins, &decision, 0);
        let victims = |c: &podscope_cluster::scheduler::plugins::default_preemption::Candidate| {
            let names = c.victims.iter().map(|v| v.key.name.to_string());
            Victims {
                node: of(c.node),
                names: names.collect(),
                violations: c.violations,
            }
        };
        out.candidates = after.dry_run.candidates.iter().map(victims).collect();
        out.candidates.sort_by(|a, b| a.node.cmp(&b.node));
        out.nominated = after.chosen.iter().map(|c| of(c.node)).collect();
        out.message = decision.fit_error(&post_filter_message(cycle, &decision, &after));
    }
    out
}
