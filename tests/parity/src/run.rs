//! What was seen of a cluster over a stretch of time, recorded or simulated.

use podscope_api::{Object, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A stretch of time in a cluster. Times are microseconds from the recording's start.
#[derive(Default)]
pub struct Run {
    /// Commands in the order of the script.
    pub commands: Vec<Command>,
    /// Requests that may change something, by the time they were received.
    pub writes: Vec<Write>,
    /// Changes of objects, in the order of their revisions.
    pub changes: Vec<Change>,
    /// Decisions of the scheduler for a Node, in order.
    pub decisions: Vec<Decision>,
    /// Names that stand for others, with those others.
    pub aliases: BTreeMap<String, String>,
}

impl Run {
    /// When an owner and its Pods were being deleted at once, up to the next command that deletes nothing. Three clients race then: who deletes a Pod
    /// first, and whether its owner makes another one before it is gone itself, differs from run to run.
    fn races(&self) -> Vec<(i64, i64)> {
        let deletes = |line: &str| line.starts_with("kubectl delete");
        let first = |c: &&Command| c.line.starts_with("kubectl delete deploy");
        let until = |from: i64| {
            let rest = self.commands.iter().filter(|c| c.start > from);
            let next = rest.filter(|c| !deletes(&c.line)).map(|c| c.start).min();
            next.unwrap_or(i64::MAX)
        };
        let starts = self.commands.iter().filter(first).map(|c| c.start);
        starts.map(|from| (from, until(from))).collect()
    }

    /// Takes out what depends on such a race: Pods made in its course with all that concerns them, and who
    /// asked for Pods to be deleted.
    pub fn take_out_races(&mut self) {
        let races = self.races();
        let racing = |at: i64| races.iter().any(|(from, to)| (*from..*to).contains(&at));
        let stray = |c: &&Change| c.what == What::Added && c.resource == "pods" && racing(c.at);
        let strays = self.changes.iter().filter(stray);
        let strays: BTreeSet<String> = strays.map(|c| c.object.name().to_owned()).collect();
        self.decisions.retain(|d| !strays.contains(&d.pod));
        self.writes.retain(|w| {
            let deletes = w.verb == "delete" && w.resource == "pods" && racing(w.at);
            let machine = w.user.starts_with("system:node:");
            !strays.contains(&w.name) && (!deletes || machine)
        });
        self.changes.retain(|c| {
            let about = c.object.0.at("involvedObject.name").str_or_empty();
            let message = c.object.0.get("message").str_or_empty();
            let told = message.rsplit(' ').next().unwrap_or("");
            ![c.object.name(), about, told]
                .iter()
                .any(|name| strays.contains(*name))
        });
    }
}

/// A command of the script and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// Number and short name, as in the recording: `012-after-get-wide`.
    pub stem: String,
    /// The line as it was typed.
    pub line: String,
    /// When it started.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// Its exit code; `None` when it did not end.
    pub exit: Option<i64>,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
    /// Why it was not run, if it was not.
    pub skipped: Option<String>,
}

/// A request that may change something.
#[derive(Clone, Debug)]
pub struct Write {
    /// When it was received.
    pub at: i64,
    /// When it was answered.
    pub done: i64,
    /// Who asked, without the prefix of service accounts.
    pub user: String,
    /// The verb, as audit names it.
    pub verb: String,
    /// `pods/binding`, `deployments`.
    pub resource: String,
    /// The namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The HTTP status code.
    pub code: i64,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It appeared.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// A change of an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// When it was seen.
    pub at: i64,
    /// The same by the script's clock, which stands still while the script waits longer than recorded.
    pub moment: i64,
    /// The plural, such as `pods`.
    pub resource: String,
    /// What happened.
    pub what: What,
    /// The object after it (before it, when deleted).
    pub object: Object,
}

/// The scheduler takes a Node for a Pod.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// The Pod's name.
    pub pod: String,
    /// The Node.
    pub node: String,
    /// Node → plugin → weighted score; empty when only one Node was feasible.
    pub scores: BTreeMap<String, BTreeMap<String, i64>>,
}

impl Decision {
    /// The total of each Node.
    pub fn totals(&self) -> BTreeMap<&str, i64> {
        let total = |by: &BTreeMap<String, i64>| by.values().sum();
        self.scores
            .iter()
            .map(|(node, by)| (node.as_str(), total(by)))
            .collect()
    }
    /// Nodes that no other one beats.
    pub fn best(&self) -> Vec<&str> {
        let totals = self.totals();
        let best = totals.values().max().copied();
        let of = totals.into_iter().filter(|(_, total)| Some(*total) == best);
        of.map(|(node, _)| node).collect()
    }
}

/// The name that a random one was made from: `web-5575568fcc-*****`, from an object's generateName.
///
/// The stars are as many as the random letters, so that columns stay as wide. A stem that stands for another
/// (see [`Run::aliases`]) is replaced.
pub fn base_of(object: &Object, aliases: &BTreeMap<String, String>) -> Option<(String, String)> {
    let name = object.name();
    let stem = object.0.at("metadata.generateName").as_str()?;
    let tail = name.strip_prefix(stem)?;
    let owner = stem.strip_suffix('-').unwrap_or(stem);
    let owner = aliases.get(owner).map_or(owner, String::as_str);
    Some((
        name.to_owned(),
        format!("{owner}-{}", "*".repeat(tail.len())),
    ))
}

/// The text at a path, or nothing.
pub fn text(value: &Value, path: &str) -> String {
    value.at(path).str_or_empty().to_owned()
}
