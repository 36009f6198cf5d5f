//! What a kind of fault is: what it is aimed at, its parameters, what it does.

use super::Fault;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

/// What a kind of fault is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Nothing in particular.
    None,
    /// A machine, by its Node's name.
    Node,
    /// A Pod: `name`, `namespace/name`, or all Pods with a label: `key=value`.
    Pod,
    /// An image name.
    Image,
    /// The number of an etcd member, from 0.
    EtcdMember,
    /// A zone, by the machines' label `topology.kubernetes.io/zone`.
    Zone,
    /// A MutatingWebhookConfiguration, by its name: the server behind its webhooks.
    Webhooks,
    /// An object of one of these kinds: `resource/name`, or `resource/namespace/name`.
    Object(&'static [podscope_api::Kind]),
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Accepts {
    /// A whole number within these bounds, both included.
    Number(i64, i64),
    /// One of these words; the empty one leaves it open.
    OneOf(&'static [&'static str]),
    /// The name of a container of the Pod aimed at; empty for the first.
    Container,
}

/// A parameter of a kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Param {
    /// Its name; units come last in it (`boot_s`).
    pub name: &'static str,
    /// What it is when it is not given.
    pub default: &'static str,
    /// What it may be.
    pub accepts: Accepts,
}

impl Param {
    /// Why a text cannot be this parameter.
    pub fn problem(&self, text: &str) -> Option<String> {
        let name = self.name;
        match self.accepts {
            Accepts::Number(low, high) => {
                let number: Option<i64> = text.trim().parse().ok();
                let fits = number.is_some_and(|n| (low..=high).contains(&n));
                (!fits).then(|| {
                    format!("{name} must be a number from {low} to {high}, not \"{text}\"")
                })
            }
            Accepts::OneOf(words) if words.contains(&text) => None,
            Accepts::OneOf(words) => {
                let words: Vec<&str> = words
                    .iter()
                    .map(|w| if w.is_empty() { "empty" } else { w })
                    .collect();
                Some(format!(
                    "{name} must be {}, not \"{text}\"",
                    words.join(" or ")
                ))
            }
            Accepts::Container => None,
        }
    }
}

/// A parameter that is a number.
pub(super) const fn number(
    name: &'static str,
    default: &'static str,
    low: i64,
    high: i64,
) -> Param {
    Param {
        name,
        default,
        accepts: Accepts::Number(low, high),
    }
}

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name in commands, links and the catalogue of texts.
    pub name: &'static str,
    /// What its parameter `target` names.
    pub target: Target,
    /// Further parameters.
    pub params: &'static [Param],
    /// What it does, in one line.
    pub help: &'static str,
    pub(super) inject: fn(&mut Cluster, &Fault) -> Result<Outcome, Text>,
    /// What follows at once, caused by the report of the injection.
    pub(super) strike: fn(&mut Cluster, &Fault, Option<TraceId>),
    pub(super) heal: fn(&mut Cluster, &Fault) -> Option<SimDuration>,
    pub(super) end: fn(&mut Cluster, &Fault, Option<TraceId>) -> Option<SimDuration>,
}

/// What became of an injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It stays until it is healed.
    Stays,
    /// It was over at once.
    Momentary,
    /// It ends by itself after this long.
    EndsAfter(SimDuration),
}
