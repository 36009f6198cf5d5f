//! Kubernetes Events: about what, which type and reason, in which words, from whom, how often.
//!
//! How often may differ by a quarter when an Event was repeated: repetition follows the clock.

use super::{Check, Pair};
use crate::normal::Names;
use crate::run::{Change, Run, What};
use std::collections::BTreeMap;

/// Event objects and how often they were seen together.
#[derive(Clone, Copy, Default)]
struct Tally {
    objects: i64,
    times: i64,
}

pub fn compare(pair: &Pair) -> Vec<Check> {
    let theirs = tallies(pair.recorded, &pair.theirs);
    let ours = tallies(pair.played, &pair.ours);
    let mut checks = Vec::new();
    for (event, recorded) in &theirs {
        let told = match ours.get(event) {
            None => Some(format!("never, recorded {} times", recorded.times)),
            Some(played) => {
                let allowed = if recorded.times > recorded.objects {
                    (recorded.times / 4).max(1)
                } else {
                    0
                };
                let differs = (recorded.times - played.times).abs() > allowed;
                differs.then(|| format!("{} times, recorded {}", played.times, recorded.times))
            }
        };
        checks.push(Check::new(format!("event {event}"), told));
    }
    for (event, played) in ours
        .iter()
        .filter(|(event, _)| !theirs.contains_key(*event))
    {
        let told = format!("{} times, recorded never", played.times);
        checks.push(Check::new(format!("event {event}"), Some(told)));
    }
    checks
}

fn tallies(run: &Run, names: &Names) -> BTreeMap<String, Tally> {
    // The last state of each Event object that appeared within the run.
    let mut last: BTreeMap<&str, &Change> = BTreeMap::new();
    for change in run.changes.iter().filter(|c| c.resource == "events") {
        if change.what == What::Added || last.contains_key(change.object.name()) {
            last.insert(change.object.name(), change);
        }
    }
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for change in last.values() {
        let event = &change.object.0;
        let about = event.get("involvedObject");
        let reporter = [
            event.get("reportingComponent"),
            event.get("reportingController"),
            event.at("source.component"),
        ]
        .into_iter()
        .map(|v| v.str_or_empty())
        .find(|name| !name.is_empty())
        .unwrap_or("");
        let words = names.text(event.get("message").str_or_empty());
        let key = format!(
            "{} {}/{} {} from {reporter}: {}",
            event.get("type").str_or_empty(),
            about.get("kind").str_or_empty(),
            names.base(about.get("name").str_or_empty()),
            event.get("reason").str_or_empty(),
            words.trim()
        );
        let count = event.get("count").as_int().unwrap_or(0);
        let series = event.at("series.count").as_int().unwrap_or(0);
        let tally = tallies.entry(super::cut(&key)).or_default();
        tally.objects += 1;
        tally.times += count.max(series).max(1);
    }
    tallies
}
