//! Requests that may change something: who, what, on which object, with which answer, and in which order.
//!
//! Counts: creations, deletions and bindings must be as many. Updates and patches may be
//! merged into fewer by whoever writes them, and refusals depend on who was faster: there a third may
//! differ, or one for each object, or two refusals. The order is a partial one: a write that had ended a twentieth of a second
//! before another began must not begin after it here, if both are about one object, or both create or bind.
//! It is looked at from one command that changes something to the next.

use super::{Check, Pair, cut, seconds};
use crate::normal::Names;
use crate::run::{Command, Run, Write};
use std::collections::{BTreeMap, BTreeSet};

/// What separates two writes for certain, in microseconds.
const APART: i64 = 50_000;

pub fn compare(pair: &Pair) -> Vec<Check> {
    let (theirs, ours) = (
        counts(pair.recorded, &pair.theirs),
        counts(pair.played, &pair.ours),
    );
    let mut checks = Vec::new();
    let keys: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for key in keys {
        let recorded = theirs.get(key).copied().unwrap_or_default();
        let played = ours.get(key).copied().unwrap_or_default();
        let allowed = if recorded.loose || played.loose {
            (recorded.count / 3)
                .max(recorded.objects)
                .max(recorded.least)
                .max(played.least)
        } else {
            0
        };
        let differs = (recorded.count - played.count).abs() > allowed;
        let told = format!("{} times, recorded {}", played.count, recorded.count);
        checks.push(Check::new(format!("write {key}"), differs.then_some(told)));
    }
    checks.extend(order(pair));
    checks
}

#[derive(Clone, Copy, Default)]
struct Tally {
    count: i64,
    objects: i64,
    loose: bool,
    /// How many more or fewer are always allowed.
    least: i64,
}

/// Writes that no recording keeps, or that follow the clock alone.
fn left_out(write: &Write) -> bool {
    write.resource == "leases" || write.resource == "nodes/status"
}

fn key(write: &Write, names: &Names) -> String {
    let name = match &*write.resource {
        "events" => "",
        _ => names.base(&write.name),
    };
    let place = if write.namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{}/{name}", write.namespace)
    };
    format!(
        "{} {} {} {place} {}",
        write.user, write.verb, write.resource, write.code
    )
}

fn counts(run: &Run, names: &Names) -> BTreeMap<String, Tally> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for write in run.writes.iter().filter(|w| !left_out(w)) {
        let key = key(write, names);
        let tally = tallies.entry(key.clone()).or_default();
        tally.count += 1;
        tally.objects += i64::from(seen.insert((key, write.name.clone())));
        let status = write.resource.ends_with("/status") || write.resource == "events";
        let status = status || write.resource == "serviceaccounts/token";
        let changes = matches!(&*write.verb, "update" | "patch");
        tally.loose = changes || status || write.code >= 400;
        tally.least = if write.code >= 400 { 2 } else { 1 };
    }
    tallies
}

/// The first write with a key in a stretch.
struct First<'a> {
    from: i64,
    end: i64,
    /// Whether it creates an object or binds one.
    makes: bool,
    base: &'a str,
    user: &'a str,
}

impl First<'_> {
    /// Whether the order of two writes says something: they are about one object, or both create or bind.
    /// Machines do not wait for each other.
    fn bears_on(&self, other: &First<'_>) -> bool {
        let machine = |user: &str| user.starts_with("system:node:");
        let apart = self.user != other.user && machine(self.user) && machine(other.user);
        !apart && (self.base == other.base || (self.makes && other.makes))
    }
}

type Firsts<'a> = BTreeMap<String, First<'a>>;

fn order(pair: &Pair) -> Vec<Check> {
    let mut checks = Vec::new();
    let commands = &pair.recorded.commands;
    let changing: Vec<usize> = (0..commands.len())
        .filter(|i| changes_something(&commands[*i]))
        .collect();
    for (n, i) in changing.iter().enumerate() {
        let until = |commands: &[Command]| {
            let next = changing.get(n + 1).and_then(|next| commands.get(*next));
            next.map_or(i64::MAX, |next| next.start)
        };
        let played = &pair.played.commands;
        if played[*i].skipped.is_some() {
            continue;
        }
        let theirs = firsts(
            pair.recorded,
            &pair.theirs,
            commands[*i].start,
            until(commands),
        );
        let ours = firsts(pair.played, &pair.ours, played[*i].start, until(played));
        let mut told = Vec::new();
        for (a, x) in &theirs {
            for (b, y) in &theirs {
                if !x.bears_on(y) || x.end + APART > y.from {
                    continue;
                }
                let (Some(our_x), Some(our_y)) = (ours.get(a), ours.get(b)) else {
                    continue;
                };
                if our_y.from < our_x.from {
                    told.push(cut(&format!(
                        "{b} at {} before {a} at {}; recorded {} after {}",
                        seconds(our_y.from),
                        seconds(our_x.from),
                        seconds(y.from),
                        seconds(x.from)
                    )));
                }
            }
        }
        let count = told.len();
        told.truncate(3);
        if count > 3 {
            told.push(format!("… {count} pairs"));
        }
        let told = (count > 0).then(|| told.join("\n"));
        checks.push(Check::new(
            format!("order after {}", commands[*i].stem),
            told,
        ));
    }
    checks
}

fn changes_something(command: &Command) -> bool {
    const READS: [&str; 8] = [
        "get",
        "describe",
        "rollout status",
        "rollout history",
        "wait",
        "version",
        "logs",
        "events",
    ];
    let reads = READS
        .iter()
        .any(|verb| command.line.starts_with(&format!("kubectl {verb}")));
    !reads && !command.line.contains("delete events")
}

fn firsts<'a>(run: &'a Run, names: &'a Names, from: i64, until: i64) -> Firsts<'a> {
    let mut firsts = Firsts::new();
    let stretch = run.writes.iter().filter(|w| (from..until).contains(&w.at));
    for write in stretch.filter(|w| !left_out(w) && w.resource != "events") {
        let token = write.resource == "serviceaccounts/token";
        firsts.entry(key(write, names)).or_insert(First {
            from: write.at,
            end: write.done,
            makes: write.verb == "create" && !token,
            base: if token {
                &write.user
            } else {
                names.base(&write.name)
            },
            user: &write.user,
        });
    }
    firsts
}
