//! Measuring, and the table that is printed.

use crate::clock;
use std::hint::black_box;

/// A budget of the page in a browser, in milliseconds.
#[derive(Clone, Copy)]
pub struct Budget {
    /// What is aimed for.
    pub target: f64,
    /// What may not be exceeded.
    pub hard: f64,
}

/// A budget of so many milliseconds: target and hard limit.
pub const fn budget(target: f64, hard: f64) -> Option<Budget> {
    Some(Budget { target, hard })
}

/// The table: prints each line when it is measured, counts what is over budget.
///
/// Lines are judged by their mean time on the processor where the system tells it, so that other work
/// of a busy machine does not count; otherwise by the median of the wall clock.
pub struct Table {
    filter: Vec<String>,
    /// How many lines exceed their hard limit.
    pub over: u32,
}

impl Table {
    /// A table of the lines whose names contain one of the words; of all, without words.
    pub fn new(filter: Vec<String>) -> Table {
        clock::say(&format!(
            "{:<50} {:>10} {:>10} {:>10} {:>8} {:>8} {:>7}",
            "milliseconds", "processor", "median", "worst", "target", "hard", "of hard"
        ));
        Table { filter, over: 0 }
    }

    /// Whether a line is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|word| name.contains(word.as_str()))
    }

    /// Measures `run` on fresh inputs from `prepare`, which is not measured, `runs` times.
    pub fn line<I, O>(
        &mut self,
        name: &str,
        budget: Option<Budget>,
        runs: u32,
        mut prepare: impl FnMut(u32) -> I,
        mut run: impl FnMut(I) -> O,
    ) {
        if !self.wants(name) {
            return;
        }
        let mut times = Vec::new();
        let mut busy = Some(0.0);
        for i in 0..runs.max(1) {
            let input = prepare(i);
            let before = clock::on_processor();
            let start = clock::now();
            let output = black_box(run(black_box(input)));
            times.push(clock::now() - start);
            let spent = clock::on_processor().zip(before).map(|(b, a)| b - a);
            busy = busy.zip(spent).map(|(sum, more)| sum + more);
            // What is dropped here is not part of what a person waits for.
            drop(output);
        }
        times.sort_by(f64::total_cmp);
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        let processor = busy.map_or(median, |sum| sum / f64::from(runs.max(1)));
        let (target, hard, ratio) = match budget {
            Some(b) => {
                self.over += u32::from(processor > b.hard);
                (
                    format!("{:.0}", b.target),
                    format!("{:.0}", b.hard),
                    format!("{:.2}", processor / b.hard),
                )
            }
            None => (String::new(), String::new(), String::new()),
        };
        clock::say(&format!(
            "{name:<50} {processor:>10.2} {median:>10.2} {worst:>10.2} {target:>8} {hard:>8} {ratio:>7}"
        ));
    }

    /// Measures how many things are done in a second: `run` says how many milliseconds `count` of them took.
    /// The best of three counts, as whatever disturbs makes it slower.
    pub fn rate(
        &mut self,
        name: &str,
        goal: Option<f64>,
        count: u32,
        mut run: impl FnMut() -> f64,
    ) {
        if !self.wants(name) {
            return;
        }
        let best = (0..3).map(|_| run()).fold(f64::INFINITY, f64::min);
        let rate = f64::from(count) * 1e3 / best;
        let goal = goal.map(|g| format!("goal {g:.0}, {:.2} of it", rate / g));
        clock::say(&format!(
            "{name:<58} {rate:>10.0}/s  {}",
            goal.unwrap_or_default()
        ));
    }
}
