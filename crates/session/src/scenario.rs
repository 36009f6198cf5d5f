//! The scenario file: cluster, seed, manifests, timed commands, cursor, expectations. The one stable format.
//!
//! Version 1 is documented in `docs/scenario.md`; old files open for ever.

use crate::simulation::Command;
use crate::{scenario_schedulers, scenario_text};
use podscope_api::{Map, Text, Value};
use podscope_cluster::{ClusterConfig, NodeConfig};
use podscope_kernel::{SimDuration, SimTime, timeline::Timed};
use podscope_kubectl::Invocation;
use std::rc::Rc;

/// The version that this program writes.
pub const VERSION: u32 = 1;
/// The longest scenario text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most nodes.
pub const MAX_NODES: usize = 10_000;
/// The most commands.
pub const MAX_COMMANDS: usize = 4_096;

/// A scenario as written in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// The format's version: 1.
    pub podscope: u32,
    /// A title for people.
    pub title: String,
    /// The cluster at the start.
    pub cluster: ClusterSpec,
    /// Manifests by file name.
    pub files: Vec<File>,
    /// What is done, and when.
    pub commands: Vec<Step>,
    /// How far it runs, such as `6m` or `stable`; `stable` when left out.
    pub until: String,
    /// Where the cursor stands when it is opened: an event's number or a time such as `50.4s`.
    pub cursor: String,
    /// What must be true at the end.
    pub expect: Vec<Expectation>,
}

/// The cluster of a scenario. Everything has a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterSpec {
    /// Seed of every random choice; 1 when left out.
    pub seed: Option<u64>,
    /// The workers; three in two zones when left out.
    pub nodes: Vec<NodeSpec>,
    /// etcd members: 1, 3 or 5; 3 when left out.
    pub etcd: Option<u8>,
    /// Registers the sidecar-injecting webhook.
    pub sidecar_webhook: bool,
    /// Binds the policy that demands CPU limits.
    pub cpu_limit_policy: bool,
    /// Profiles of the scheduler as `name=Strategy`, see docs/scenario.md.
    pub schedulers: Vec<String>,
}

/// Workers of one shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its name; with `count` above 1 a number is appended.
    pub name: String,
    /// How many of this shape; 1 when left out.
    pub count: Option<u32>,
    /// Its zone.
    pub zone: String,
    /// CPU as a quantity; `4` when left out.
    pub cpu: String,
    /// Memory as a quantity; `8Gi` when left out.
    pub memory: String,
    /// How many Pods fit; 110 when left out.
    pub pods: Option<u32>,
    /// Labels as `key=value`.
    pub labels: Vec<String>,
    /// Taints as `key=value:Effect` or `key:Effect`.
    pub taints: Vec<String>,
    /// Extended resources as `name=count`.
    pub resources: Vec<String>,
    /// Images already on the node.
    pub images: Vec<String>,
}

/// A manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The file's name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// One command at a time. Exactly one of `kubectl`, `fault`, `heal` is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// When, such as `0s`, `1.5s`, `2m`, `350ms`; the start when left out.
    pub at: String,
    /// A kubectl command line without the word kubectl.
    pub kubectl: String,
    /// A manifest's text as it was when the command was given, when it differs from `files`.
    pub files: Vec<File>,
    /// A fault: its kind and parameters as `kind key=value …`.
    pub fault: String,
    /// The fault's name for `heal`; its kind when left out.
    pub name: String,
    /// Heals the fault with this name.
    pub heal: String,
}

/// Something that must be true when the scenario has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// `kubectl` command whose output is looked at.
    pub kubectl: String,
    /// Text that the output must contain.
    pub contains: String,
    /// A trace code that must have been reported.
    pub event: String,
    /// The earliest time of that event.
    pub after: String,
    /// The latest time of that event.
    pub before: String,
    /// Text that the event's object must contain in its name.
    pub object: String,
}

/// A scenario that cannot be used: where and why, in words for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError(pub String);

impl std::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn error<T>(text: impl Into<String>) -> Result<T, ScenarioError> {
    Err(ScenarioError(text.into()))
}

/// A time or span such as `350ms`, `1.5s`, `2m`, `1h`, `1m30s`, or a bare number of seconds.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<SimDuration, ScenarioError> {
    let whole = text.trim();
    let mut rest = whole;
    let mut micros: u64 = 0;
    if rest.is_empty() {
        return error("a duration is empty; write for example 1.5s, 2m or 350ms");
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_len);
        let scale: u64 = match unit.trim() {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" | "" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            other => {
                return error(format!(
                    "{whole:?}: {other:?} is no unit of time; use us, ms, s, m or h"
                ));
            }
        };
        let (int, fraction) = number.split_once('.').unwrap_or((number, ""));
        let valid = (!int.is_empty() || !fraction.is_empty())
            && int.len() <= 9
            && fraction.len() <= 9
            && fraction.bytes().all(|b| b.is_ascii_digit());
        if !valid {
            return error(format!(
                "{whole:?} is no duration; write for example 1.5s, 2m or 350ms"
            ));
        }
        let int: u64 = int.parse().unwrap_or(0);
        let mut part = int.saturating_mul(scale);
        let mut weight = scale;
        for digit in fraction.bytes() {
            weight /= 10;
            part = part.saturating_add(u64::from(digit - b'0') * weight);
        }
        micros = micros.saturating_add(part);
        rest = next;
    }
    // A year is far beyond everything that is simulated here.
    if micros > 366 * 24 * 3_600_000_000 {
        return error(format!("{whole:?} is longer than a year"));
    }
    Ok(SimDuration(micros))
}

/// The shortest text of a time that reads back to the same microsecond.
pub fn duration_text(span: SimDuration) -> String {
    let micros = span.0;
    if micros.is_multiple_of(1_000_000) {
        format!("{}s", micros / 1_000_000)
    } else if micros.is_multiple_of(1_000) {
        format!("{}ms", micros / 1_000)
    } else {
        format!("{micros}us")
    }
}

/// Splits a command line into words; quotes group, a backslash takes the next character as it is.
///
/// # Errors
/// An open quote.
pub fn split_words(line: &str) -> Result<Vec<String>, ScenarioError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\\', q) if q != Some('\'') => {
                if let Some(next) = chars.next() {
                    word.get_or_insert_default().push(next);
                }
            }
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return error(format!("a quote is not closed in {line:?}"));
    }
    words.extend(word);
    Ok(words)
}

/// Joins words to a line that [`split_words`] takes apart again.
pub fn join_words(words: &[String]) -> String {
    let quoted = words.iter().map(|w| {
        let plain = !w.is_empty()
            && w.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_=./:,@%+[]{}$*!<>~^#?".contains(c));
        if plain {
            w.clone()
        } else {
            format!("\"{}\"", w.replace('\\', "\\\\").replace('"', "\\\""))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// A fault as written: `kind key=value …`.
///
/// # Errors
/// A word that is not `key=value`.
#[inline(never)]
pub fn parse_fault(text: &str) -> Result<(Text, Value), ScenarioError> {
    let words = split_words(text)?;
    let Some((kind, rest)) = words.split_first() else {
        return error("a fault has no kind; write for example: node-power target=node-2");
    };
    let mut params = Map::default();
    for word in rest {
        let Some((key, value)) = word.split_once('=') else {
            return error(format!("fault {kind}: {word:?} is not key=value"));
        };
        params.insert(key, Value::str(value));
    }
    Ok((kind.as_str().into(), Value::from(params)))
}

impl Scenario {
    /// Reads a scenario from YAML (or JSON) text.
    ///
    /// # Errors
    /// Where and what is wrong.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        if text.len() > MAX_BYTES {
            return error(format!(
                "the scenario has {} bytes; at most {MAX_BYTES} are read",
                text.len()
            ));
        }
        let scenario = scenario_text::read(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        if self.podscope != VERSION {
            return error(format!(
                "podscope: {} is a version that this program does not know; it reads version {VERSION}",
                self.podscope
            ));
        }
        if self.commands.len() > MAX_COMMANDS {
            return error(format!(
                "{} commands; at most {MAX_COMMANDS} are carried out",
                self.commands.len()
            ));
        }
        self.cluster.config().map(|_| ())?;
        self.journal().map(|_| ())?;
        if !self.until.is_empty() && self.until != "stable" {
            parse_duration(&self.until)?;
        }
        Ok(())
    }

    /// The scenario as YAML.
    pub fn to_yaml(&self) -> String {
        scenario_text::write(self)
    }

    /// The commands as a journal.
    ///
    /// # Errors
    /// The first command that cannot be understood.
    pub fn journal(&self) -> Result<Vec<Timed<Command>>, ScenarioError> {
        let mut journal = Vec::new();
        for (i, step) in self.commands.iter().enumerate() {
            let timed = self
                .command(step)
                .map_err(|e| ScenarioError(format!("commands[{i}]: {e}")))?;
            journal.push(timed);
        }
        Ok(journal)
    }

    fn command(&self, step: &Step) -> Result<Timed<Command>, ScenarioError> {
        let at = if step.at.is_empty() {
            SimDuration(1)
        } else {
            parse_duration(&step.at)?
        };
        let given = [&step.kubectl, &step.fault, &step.heal]
            .iter()
            .filter(|t| !t.is_empty())
            .count();
        if given != 1 {
            return error("exactly one of kubectl, fault and heal must be given");
        }
        let command = if !step.kubectl.is_empty() {
            let mut argv = split_words(&step.kubectl)?;
            if argv.first().is_some_and(|w| w == "kubectl") {
                argv.remove(0);
            }
            let files = if step.files.is_empty() {
                &self.files
            } else {
                &step.files
            };
            let files = files
                .iter()
                .map(|f| (f.name.clone(), f.text.clone()))
                .collect();
            Command::Kubectl(Rc::new(Invocation {
                argv,
                files,
                stdin: String::new(),
            }))
        } else if !step.fault.is_empty() {
            let (kind, params) = parse_fault(&step.fault)?;
            let name = if step.name.is_empty() {
                kind.clone()
            } else {
                step.name.as_str().into()
            };
            Command::Inject { kind, name, params }
        } else {
            Command::Heal {
                name: step.heal.as_str().into(),
            }
        };
        Ok(Timed {
            at: SimTime(at.0.max(1)),
            command,
        })
    }
}

impl ClusterSpec {
    /// The cluster's configuration.
    ///
    /// # Errors
    /// A node that cannot be made.
    pub fn config(&self) -> Result<ClusterConfig, ScenarioError> {
        let mut config = ClusterConfig {
            sidecar_webhook: self.sidecar_webhook,
            cpu_limit_policy: self.cpu_limit_policy,
            ..ClusterConfig::default()
        };
        if let Some(seed) = self.seed {
            config.seed = seed;
        }
        if let Some(members) = self.etcd {
            if ![1, 3, 5].contains(&members) {
                return error(format!(
                    "cluster.etcd: {members} members; it must be 1, 3 or 5"
                ));
            }
            config.etcd_members = members;
        }
        if !self.nodes.is_empty() {
            config.nodes = Vec::new();
            for (i, node) in self.nodes.iter().enumerate() {
                node.expand(&mut config.nodes)
                    .map_err(|e| ScenarioError(format!("cluster.nodes[{i}]: {e}")))?;
            }
        }
        if !self.schedulers.is_empty() {
            config.schedulers = scenario_schedulers::read(&self.schedulers)?;
        }
        Ok(config)
    }

    /// So many workers of the default shape, in zones of two.
    pub fn with_nodes(count: u32) -> ClusterSpec {
        let zones = ["zone-1", "zone-2"];
        let nodes = (0..count).map(|i| NodeSpec {
            name: format!("node-{}", i + 1),
            zone: zones[(i as usize * zones.len()) / (count.max(1) as usize)].to_string(),
            ..NodeSpec::default()
        });
        ClusterSpec {
            nodes: nodes.collect(),
            ..ClusterSpec::default()
        }
    }
}

impl NodeSpec {
    #[inline(never)]
    fn expand(&self, nodes: &mut Vec<NodeConfig>) -> Result<(), ScenarioError> {
        let count = self.count.unwrap_or(1);
        if nodes.len() + count as usize > MAX_NODES {
            return error(format!("more than {MAX_NODES} nodes"));
        }
        if let Some(why) = podscope_api::selector::subdomain_errors(&self.name).first() {
            return error(format!("name {:?}: {why}", self.name));
        }
        let mut shape = NodeConfig::worker(self.name.as_str(), self.zone.as_str());
        let quantity = |text: &str| {
            podscope_api::Quantity::parse(text).map_err(|e| ScenarioError(format!("{text:?}: {e}")))
        };
        if !self.cpu.is_empty() {
            shape.milli_cpu = quantity(&self.cpu)?.milli_value();
        }
        if !self.memory.is_empty() {
            shape.memory_bytes = quantity(&self.memory)?.value();
        }
        if let Some(pods) = self.pods {
            shape.max_pods = i64::from(pods);
        }
        for label in &self.labels {
            let Some((key, value)) = label.split_once('=') else {
                return error(format!("label {label:?} is not key=value"));
            };
            shape.labels.push((key.into(), value.into()));
        }
        for taint in &self.taints {
            let Some((pair, effect)) = taint.rsplit_once(':') else {
                return error(format!("taint {taint:?} is not key=value:Effect"));
            };
            if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
                return error(format!("taint {taint:?}: unknown effect {effect:?}"));
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            shape.taints.push((key.into(), value.into(), effect.into()));
        }
        for resource in &self.resources {
            let count = resource
                .split_once('=')
                .and_then(|(n, c)| Some((n, c.parse::<i64>().ok()?)));
            let Some((name, count)) = count else {
                return error(format!("resource {resource:?} is not name=count"));
            };
            shape.extended.push((name.into(), count));
        }
        shape.images = self.images.iter().map(|i| i.as_str().into()).collect();
        for i in 0..count {
            let mut node = shape.clone();
            if count > 1 {
                node.name = format!("{}-{}", self.name, i + 1).into();
            }
            nodes.push(node);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write() {
        for (text, micros) in [
            ("1.5s", 1_500_000),
            ("2m", 120_000_000),
            ("350ms", 350_000),
            ("1m30s", 90_000_000),
            ("7", 7_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(SimDuration(micros)), "{text}");
            assert_eq!(
                parse_duration(&duration_text(SimDuration(micros))),
                Ok(SimDuration(micros))
            );
        }
        for bad in ["", "x", "1y", "1..5s", ".", "99999999999s", "-1s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_split_and_join() {
        let words = split_words(r#"get pods -l "a b" 'c"d' e\ f"#);
        let expected = ["get", "pods", "-l", "a b", "c\"d", "e f"]
            .map(String::from)
            .to_vec();
        assert_eq!(words.as_ref(), Ok(&expected));
        assert_eq!(split_words(&join_words(&expected)), Ok(expected));
        assert!(split_words("\"open").is_err());
    }

    #[test]
    fn a_scenario_reads_back() {
        let text = "podscope: 1\ncluster:\n  seed: 7\n  nodes:\n  - {name: w, count: 2, cpu: 500m, taints: ['a=b:NoSchedule']}\ncommands:\n- {at: 1s, kubectl: get pods}\n- {at: 2s, fault: node-power target=w-1, name: x}\n- {at: 3s, heal: x}\n";
        let scenario = Scenario::parse(text).expect("valid");
        let config = scenario.cluster.config().expect("valid");
        assert_eq!((config.nodes.len(), config.nodes[1].milli_cpu), (2, 500));
        assert_eq!(scenario.journal().map(|j| j.len()), Ok(3));
        assert_eq!(Scenario::parse(&scenario.to_yaml()), Ok(scenario));
        for (bad, word) in [
            ("podscope: 2", "version"),
            ("podscope: 1\nnope: 1", "nope"),
            ("podscope: 1\ncommands:\n- {at: 1s}", "commands[0]"),
            ("podscope: 1\ncluster: {etcd: 2}", "cluster.etcd"),
        ] {
            let message = Scenario::parse(bad).map(|_| ()).map_err(|e| e.0);
            assert!(
                message.as_ref().is_err_and(|m| m.contains(word)),
                "{bad}: {message:?}"
            );
        }
    }
}
