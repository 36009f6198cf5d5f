//! The scheduler against a slow reference of its own rules, on random clusters.
//!
//! The reference (`amounts`, `matching`, `filters`, `scores`, `preemption`, `outcome`) is written from the
//! documented behaviour of kube-scheduler v1.36, on plain objects and without anything of the engine's
//! scheduler: it counts everything anew for each question. `engine` is the only file that knows the engine.
//!
//! `SEEDS=from..to cargo test -p podscope-cluster --release --test scheduler_reference -- --ignored` looks at
//! more draws.

mod amounts;
mod engine;
mod filters;
mod generate;
mod hints;
mod matching;
mod outcome;
mod preemption;
mod properties;
mod scores;
mod simulation;

use generate::{World, world};
use outcome::Outcome;
use std::collections::BTreeMap;

/// What both say differs, as text; empty when it does not.
fn difference(world: &World) -> String {
    let (want, mut got) = (outcome::attempt(world), engine::attempt(world));
    if let [nominated] = got.nominated.as_slice()
        && want.nominated.contains(nominated)
    {
        got.nominated = want.nominated.clone();
    }
    let differs = |a: &dyn std::fmt::Debug, b: &dyn std::fmt::Debug, what: &str| {
        let (a, b) = (format!("{a:?}"), format!("{b:?}"));
        match a == b {
            true => String::new(),
            false => format!("{what}\n  reference {a}\n  engine    {b}\n"),
        }
    };
    let fields: [(&str, fn(&Outcome) -> Box<dyn std::fmt::Debug>); 8] = [
        ("pre_filter", |o| Box::new(o.pre_filter.clone())),
        ("verdicts", |o| Box::new(o.verdicts.clone())),
        ("scores", |o| Box::new(o.scores.clone())),
        ("chosen", |o| Box::new(o.chosen.clone())),
        ("candidates", |o| Box::new(o.candidates.clone())),
        ("nominated", |o| Box::new(o.nominated.clone())),
        ("message", |o| Box::new(o.message.clone())),
        ("next_start", |o| Box::new(o.next_start)),
    ];
    fields
        .iter()
        .map(|(what, of)| differs(&*of(&want), &*of(&got), what))
        .collect()
}

/// Smaller worlds that still differ, one part taken out at a time.
fn shrink(mut world: World) -> World {
    loop {
        let mut smaller: Vec<World> = Vec::new();
        for (count, which) in [
            (world.placed.len(), 0),
            (world.plans.len(), 1),
            (world.others.len(), 2),
            (world.nodes.len(), 3),
        ] {
            for i in (0..count).rev() {
                let mut next = world.clone();
                match which {
                    0 => drop(next.placed.remove(i)),
                    1 => drop(next.plans.remove(i)),
                    2 => drop(next.others.remove(i)),
                    _ => {
                        let gone = next.nodes.remove(i);
                        let on = |p: &podscope_api::Value| {
                            p.at("spec.nodeName") == gone.at("metadata.name")
                        };
                        next.placed.retain(|p| !on(p));
                        next.plans.retain(|p| !on(p));
                        next.start = 0;
                    }
                }
                smaller.push(next);
            }
        }
        for (key, _) in world.pod.get("spec").entries() {
            let mut next = world.clone();
            next.pod.remove(&format!("spec.{key}"));
            smaller.push(next);
        }
        match smaller.into_iter().find(|w| !difference(w).is_empty()) {
            Some(next) => world = next,
            None => return world,
        }
    }
}

fn describe(world: &World) -> String {
    let mut lines = String::new();
    for (what, objects) in [
        ("node", &world.nodes),
        ("placed", &world.placed),
        ("plan", &world.plans),
        ("other", &world.others),
        ("pod", &vec![world.pod.clone()]),
    ] {
        for object in objects {
            lines += &format!("{what} {}\n", podscope_api::json::to_string(object));
        }
    }
    lines
}

/// Compares a range of draws; panics with up to three small worlds that differ.
fn compare(seeds: std::ops::Range<u64>, most: usize) {
    let count = seeds.end - seeds.start;
    let (mut feasible, mut preempted, mut scored, mut bad) = (0, 0, 0, Vec::new());
    let mut census: BTreeMap<String, u64> = BTreeMap::new();
    for seed in seeds {
        let world = world(seed, most);
        let got = engine::attempt(&world);
        feasible += !got.chosen.is_empty() as u64;
        preempted += !got.candidates.is_empty() as u64;
        scored += !got.scores.is_empty() as u64;
        for verdict in got.verdicts.values().chain([&got.pre_filter]) {
            for reason in verdict.split("; ") {
                *census.entry(reason.to_string()).or_default() += 1;
            }
        }
        let parts = got.scores.values().flatten();
        for (plugin, score) in parts.filter(|(plugin, _)| plugin != "total") {
            let weight = scores::WEIGHTS
                .iter()
                .find(|w| w.0 == plugin)
                .map_or(1, |w| w.1);
            let what = match score / weight {
                0 => "nothing",
                100 => "all",
                _ => "between",
            };
            *census.entry(format!("{plugin} gives {what}")).or_default() += 1;
        }
        if !difference(&world).is_empty() {
            bad.push(seed);
        }
    }
    for (what, times) in &census {
        println!("{times:8} {what}");
    }
    println!(
        "{count} draws: {feasible} placed, {scored} of them scored, {preempted} with candidates"
    );
    let shown: Vec<String> = bad
        .iter()
        .take(3)
        .map(|seed| {
            let small = shrink(world(*seed, most));
            format!("seed {seed}\n{}{}", difference(&small), describe(&small))
        })
        .collect();
    assert!(
        bad.is_empty(),
        "{} of {count} draws differ\n{}",
        bad.len(),
        shown.join("\n")
    );
    // A generator that only draws dull worlds would find nothing.
    assert!(feasible * 4 > count && scored * 8 > count && preempted * 50 > count);
}

#[test]
fn the_engine_decides_as_the_reference_does() {
    compare(0..2000, 8);
}

/// More draws: the range in `SEEDS`, 100,000 by default.
#[test]
#[ignore = "takes minutes"]
fn the_engine_decides_as_the_reference_does_on_many_more_draws() {
    let text = std::env::var("SEEDS").unwrap_or_default();
    let (from, to) = text.split_once("..").unwrap_or(("100000", "200000"));
    let read = |text: &str| text.parse().expect("SEEDS is from..to");
    compare(read(from)..read(to), 10);
}
