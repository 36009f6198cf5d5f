//! How much the Pods of a workload use: a modelled load, where a real cluster measures.
//!
//! A person gives a workload work by its annotations `podscope.dev/cpu-load` and `podscope.dev/memory-load`:
//! quantities that all its ready Pods share evenly. Without them a Pod uses next to nothing. A Pod uses no
//! more than its limit, and is measured every 15 s, first when it has run for that long.

use super::replica_calculator::Metric;
use crate::controllers::meta::ready_since;
use podscope_api::quantity::Quantity;
use podscope_api::{Object, Text, Timestamp, Value};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// How often usage is measured, and the shortest run that is, in microseconds.
const SAMPLE: i64 = 15_000_000;
/// What an idle container uses: thousandths of a CPU, thousandths of a byte.
const IDLE: (i64, i64) = (1, 10 * 1024 * 1024 * 1000);

/// A quantity in thousandths; 0 when it cannot be read.
pub fn milli(value: &Value) -> i64 {
    Quantity::from_value(value).map_or(0, |q| q.milli_value())
}

/// The containers that count: all, or the one with this name.
pub fn containers<'a>(pod: &'a Object, only: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = pod.at("spec.containers").items().iter();
    all.filter(move |c| only.is_empty() || c.get("name").as_str() == Some(only))
}

/// What each Pod uses of `cpu` or `memory` now.
pub fn usage(
    workload: &Object,
    pods: &[Rc<Object>],
    resource: &str,
    only: &str,
    now: Timestamp,
) -> BTreeMap<Text, Metric> {
    let key = match resource {
        "cpu" => "podscope.dev/cpu-load",
        "memory" => "podscope.dev/memory-load",
        _ => return BTreeMap::new(),
    };
    let total = workload.annotation(key).map(Value::from);
    let total = total.as_ref().map_or(0, milli).max(0);
    let works = |p: &&Rc<Object>| ready_since(p).is_some() && !p.is_being_deleted();
    let workers = i64::try_from(pods.iter().filter(works).count()).unwrap_or(i64::MAX);
    let at = Timestamp(now.0 - now.0.rem_euclid(SAMPLE));
    let mut usage = BTreeMap::new();
    for pod in pods {
        let running = pod.at("status.phase").as_str() == Some("Running");
        let started = pod.at("status.startTime").as_str();
        let started = started.and_then(Timestamp::parse);
        if !running || started.is_none_or(|s| s.0 + SAMPLE > at.0) {
            continue;
        }
        let share = if works(&pod) && workers > 0 {
            total / workers
        } else {
            0
        };
        let mut count = 0;
        let mut limit = Some(0_i64);
        for container in containers(pod, only) {
            count += 1;
            let own = container.at("resources.limits").get(resource);
            limit = limit
                .filter(|_| !own.is_null())
                .map(|l| l.saturating_add(milli(own)));
        }
        let idle = if resource == "cpu" { IDLE.0 } else { IDLE.1 };
        let milli = share.max(idle * count);
        let milli = limit.map_or(milli, |limit| milli.min(limit));
        let metric = Metric {
            milli,
            at,
            window: SAMPLE,
        };
        usage.insert(pod.key().name, metric);
    }
    usage
}
