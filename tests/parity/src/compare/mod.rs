//! Compares a recorded run with a simulated one; each thing that can agree or differ is a check with a name.

mod conditions;
mod events;
mod outputs;
mod scheduling;
mod writes;

use crate::normal::Names;
use crate::run::{Change, Run};

/// Whether a thing agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Agrees,
    /// It does not; how.
    Differs(String),
    /// It could not be played; why.
    Skipped(String),
}

/// One thing that was compared.
#[derive(Clone, Debug)]
pub struct Check {
    /// What, in words that stay the same from run to run.
    pub name: String,
    /// Whether it agrees.
    pub verdict: Verdict,
}

impl Check {
    /// A check that agrees unless there is something to tell.
    pub fn new(name: String, difference: Option<String>) -> Check {
        let verdict = difference.map_or(Verdict::Agrees, Verdict::Differs);
        Check { name, verdict }
    }
}

/// Both runs with their random names.
pub struct Pair<'a> {
    /// What was recorded.
    pub recorded: &'a Run,
    /// What was simulated.
    pub played: &'a Run,
    /// Names of the recording.
    pub theirs: Names,
    /// Names of the simulation.
    pub ours: Names,
}

/// Compares everything; the names are those of the recorded and of the simulated run.
pub fn compare(recorded: &Run, played: &Run, names: [Names; 2]) -> Vec<Check> {
    let [theirs, ours] = names;
    let pair = Pair {
        recorded,
        played,
        theirs,
        ours,
    };
    let mut checks = outputs::compare(&pair);
    checks.extend(scheduling::compare(&pair));
    checks.extend(writes::compare(&pair));
    checks.extend(events::compare(&pair));
    checks.extend(conditions::compare(&pair));
    checks
}

impl Pair<'_> {
    /// Whether two moments (microseconds since the start) are as close as the two machines let expect: two
    /// seconds, and three parts in a hundred of the time gone by; three seconds more where the recorded machines pulled images
    /// in no time.
    pub fn close(&self, recorded: i64, played: i64) -> bool {
        let pulled = |change: &Change| {
            let message = change.object.0.get("message").str_or_empty();
            message.contains("in 0s (0s including waiting)")
        };
        let pulls = self.recorded.changes.iter().any(pulled);
        let base = if pulls { 5_000_000 } else { 2_000_000 };
        (recorded - played).abs() <= base + recorded.abs() * 3 / 100
    }
}

/// A moment for readers: seconds.
pub fn seconds(micros: i64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros.abs() / 1_000 % 1_000)
}

/// At most this much of a line is shown.
const SHOWN: usize = 220;

/// A line cut to a readable length.
pub fn cut(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
