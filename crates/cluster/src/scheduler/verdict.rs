//! What a plugin says about a Node, with the facts that decided it.
//!
//! Models: `k8s.io/kube-scheduler/framework` Status and Code (v1.36)

use super::plugins::PluginId;
use super::pod_info::HostPort;
use super::taint::Taint;
use podscope_api::{Text, Value, value};

/// Whether removing other Pods could help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// It could.
    Unschedulable,
    /// It could not.
    UnschedulableAndUnresolvable,
    /// Something went wrong that is not about fitting.
    Error,
}

impl Code {
    /// The code's name.
    pub fn name(self) -> &'static str {
        match self {
            Code::Unschedulable => "Unschedulable",
            Code::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Code::Error => "Error",
        }
    }
}

/// Why a Node (or, before filtering, the whole Pod) was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The Node is cordoned.
    Cordoned,
    /// The Pod names another Node.
    OtherNode,
    /// A taint that the Pod does not tolerate.
    Taint(Taint),
    /// The Pod's node selector or required node affinity does not match.
    NodeAffinity,
    /// The affinity that the scheduler's configuration adds does not match.
    EnforcedAffinity,
    /// A wanted host port that a Pod on the Node has.
    Port(HostPort),
    /// The Node has all the Pods that it may have.
    TooManyPods {
        /// Pods on the Node.
        used: i64,
        /// Pods that it may have.
        allocatable: i64,
    },
    /// Not enough of a resource is left.
    Insufficient {
        /// The resource's name.
        resource: Text,
        /// What the Pod asks for.
        requested: i64,
        /// What the Pods on the Node ask for.
        used: i64,
        /// What the Node has.
        allocatable: i64,
    },
    /// The Node lacks the label of a spread constraint.
    SpreadLabel {
        /// The label's key.
        topology_key: Text,
    },
    /// The Pods would be spread too unevenly.
    Spread {
        /// The label's key.
        topology_key: Text,
        /// Matching Pods where the Node is.
        matching: i64,
        /// 1 when the Pod itself matches, else 0.
        own: i64,
        /// Matching Pods where there are fewest.
        minimum: i64,
        /// The largest difference allowed.
        max_skew: i64,
    },
    /// No Pod that it must be near is near.
    PodAffinity,
    /// A Pod that it must not be near is near.
    PodAntiAffinity {
        /// The label's key.
        topology_key: Text,
    },
    /// A Pod near does not want it near.
    ExistingAntiAffinity {
        /// The label's key.
        topology_key: Text,
    },
    /// A volume or claim stands in the way.
    Volume {
        /// The reason in Kubernetes' words.
        message: &'static str,
        /// Which claim or volume, and what it wants: a map.
        facts: Value,
    },
    /// Any other reason, in Kubernetes' words.
    Other(Text),
}

impl Reason {
    /// The reason in Kubernetes' words.
    #[inline(never)]
    pub fn message(&self) -> Text {
        let fixed = match self {
            Reason::Cordoned => "node(s) were unschedulable",
            Reason::OtherNode => "node(s) didn't match the requested node name",
            Reason::Taint(_) => "node(s) had untolerated taint(s)",
            Reason::NodeAffinity => "node(s) didn't match Pod's node affinity/selector",
            Reason::EnforcedAffinity => "node(s) didn't match scheduler-enforced node affinity",
            Reason::Port(_) => "node(s) didn't have free ports for the requested pod ports",
            Reason::TooManyPods { .. } => "Too many pods",
            Reason::Insufficient { resource, .. } => {
                return ["Insufficient ", resource].concat().into();
            }
            Reason::SpreadLabel { .. } => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Reason::Spread { .. } => "node(s) didn't match pod topology spread constraints",
            Reason::PodAffinity => "node(s) didn't match pod affinity rules",
            Reason::PodAntiAffinity { .. } => "node(s) didn't match pod anti-affinity rules",
            Reason::ExistingAntiAffinity { .. } => {
                "node(s) didn't satisfy existing pods anti-affinity rules"
            }
            Reason::Volume { message, .. } => message,
            Reason::Other(text) => return text.clone(),
        };
        fixed.into()
    }

    /// The facts that decided, for a reader: a map, or null when there is nothing beyond the message.
    pub fn facts(&self) -> Value {
        let text = |t: &Text| Value::Str(t.clone());
        match self {
            Reason::Taint(taint) => value!({
                "key": (text(&taint.key)), "value": (text(&taint.value)), "effect": (taint.effect.name())
            }),
            Reason::Port(port) => value!({
                "hostIP": (text(&port.ip)), "protocol": (text(&port.protocol)), "hostPort": (port.port)
            }),
            Reason::TooManyPods { used, allocatable } => value!({
                "resource": "pods", "requested": 1, "used": (*used), "allocatable": (*allocatable)
            }),
            Reason::Insufficient {
                resource,
                requested,
                used,
                allocatable,
            } => value!({
                "resource": (text(resource)), "requested": (*requested),
                "used": (*used), "allocatable": (*allocatable)
            }),
            Reason::SpreadLabel { topology_key }
            | Reason::PodAntiAffinity { topology_key }
            | Reason::ExistingAntiAffinity { topology_key } => {
                value!({"topologyKey": (text(topology_key))})
            }
            Reason::Spread {
                topology_key,
                matching,
                own,
                minimum,
                max_skew,
            } => value!({
                "topologyKey": (text(topology_key)), "matching": (*matching), "own": (*own),
                "minimum": (*minimum), "maxSkew": (*max_skew)
            }),
            Reason::Volume { facts, .. } => facts.clone(),
            _ => Value::Null,
        }
    }
}

/// A plugin's no.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rejection {
    /// Who said it.
    pub plugin: PluginId,
    /// Whether removing other Pods could help.
    pub code: Code,
    /// Why, in order.
    pub reasons: Vec<Reason>,
}

impl Rejection {
    /// A no that removing Pods could turn into a yes.
    pub fn unschedulable(plugin: PluginId, reason: Reason) -> Rejection {
        Rejection {
            plugin,
            code: Code::Unschedulable,
            reasons: vec![reason],
        }
    }
    /// A no that removing Pods cannot turn into a yes.
    pub fn unresolvable(plugin: PluginId, reason: Reason) -> Rejection {
        Rejection {
            plugin,
            code: Code::UnschedulableAndUnresolvable,
            reasons: vec![reason],
        }
    }
    /// All reasons in Kubernetes' words, joined by commas.
    #[inline(never)]
    pub fn message(&self) -> String {
        let texts: Vec<Text> = self.reasons.iter().map(Reason::message).collect();
        texts.join(", ")
    }
}
