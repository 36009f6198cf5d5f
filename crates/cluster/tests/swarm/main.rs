//! The swarm: random clusters, workloads, changes and faults. Every invariant is looked at after every step; then
//! everything is healed, and all workloads must come to what they should be or be stuck for a reason that is told.
//!
//! A few draws run with the other tests. More, with progress, on all cores:
//! `SWARM=0..1000 cargo test -p podscope-cluster --release --test swarm -- --ignored --nocapture`
//! (1,000 is what CI runs; `SWARM=0..100000` is the large one). `SWARM=17 …` prints one draw, shrunk when it fails.

mod converge;
mod draw;
mod play;
mod workloads;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Draws in the normal tests.
const FEW: std::ops::Range<u64> = 0..8;

fn failure(seed: u64) -> Option<String> {
    let played = std::panic::catch_unwind(|| play::play(&draw::draw(seed)));
    match played {
        Ok(report) => report.problem.map(|p| format!("seed {seed}: {p}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_string()));
            Some(format!("seed {seed}: panic: {}", text.unwrap_or_default()))
        }
    }
}

#[test]
fn a_few_draws_hold_and_converge() {
    let failures: Vec<String> = FEW.filter_map(failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_draw_plays_the_same_twice() {
    let (a, b) = (play::play(&draw::draw(3)), play::play(&draw::draw(3)));
    assert_eq!((a.steps, a.hash), (b.steps, b.hash));
}

#[test]
fn draws_vary() {
    let mut names = std::collections::BTreeSet::new();
    for seed in 0..300 {
        for (_, act) in &draw::draw(seed).acts {
            names.insert(act.name());
        }
    }
    for kind in podscope_cluster::faults::KINDS {
        assert!(names.contains(kind.name), "no draw has {}", kind.name);
    }
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"] {
        assert!(names.contains(kind), "no draw has a {kind}");
    }
}

#[test]
#[ignore = "takes minutes: SWARM=0..1000"]
fn many_draws_hold_and_converge() {
    let range = std::env::var("SWARM").unwrap_or_else(|_| "0..1000".into());
    let Some((from, to)) = range.split_once("..") else {
        let seed = range.parse().expect("a seed or from..to");
        let plan = draw::draw(seed);
        let report = play::play(&plan);
        println!("{}", plan.text());
        println!("{report:#?}");
        if report.problem.is_some() {
            let small = play::shrink(plan);
            println!("shrunk to\n{}", small.text());
            println!("{:#?}", play::play(&small));
            panic!("seed {seed} fails");
        }
        return;
    };
    let (from, to): (u64, u64) = (from.parse().expect("from"), to.parse().expect("to"));
    let (next, done) = (AtomicU64::new(from), AtomicU64::new(0));
    let failures = Mutex::new(Vec::new());
    #[allow(clippy::disallowed_types, reason = "only the progress is timed")]
    let start = std::time::Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        break;
                    }
                    if let Some(text) = failure(seed) {
                        eprintln!("{text}");
                        failures.lock().expect("no panic").push(text);
                    }
                    let count = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if count.is_multiple_of(100) {
                        let seconds = start.elapsed().as_secs();
                        eprintln!("{count} of {} draws after {seconds} s", to - from);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    eprintln!(
        "{} draws, {} fail, {} s",
        to - from,
        failures.len(),
        start.elapsed().as_secs()
    );
    assert!(failures.is_empty(), "{} draws fail", failures.len());
}
