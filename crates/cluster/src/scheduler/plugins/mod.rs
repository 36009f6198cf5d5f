//! The plugins of the default profile, in the order in which they run.
//!
//! Models: `pkg/scheduler/apis/config/v1/default_plugins.go` (v1.36). To add one: write its file and its
//! line in `plugins!`.

pub mod default_preemption;
pub mod image_locality;
pub mod inter_pod_affinity;
pub mod node_affinity;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_balanced_allocation;
pub mod node_resources_fit;
pub mod node_unschedulable;
pub mod pod_topology_spread;
pub mod scheduling_gates;
pub mod taint_toleration;
pub mod volume_binding;
pub mod volume_restrictions;
pub mod volume_zone;
pub mod wakes;

use super::cache::Cache;
use super::events::ClusterEvent;
use super::node_info::{NodeInfo, Slot};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::verdict::Rejection;
use podscope_api::{Text, Value};
use podscope_kernel::collections::BTreeSet;

/// What one scheduling cycle looks at.
#[derive(Clone, Copy)]
pub struct Cycle<'a> {
    /// The cluster.
    pub cache: &'a Cache,
    /// The configuration.
    pub profile: &'a Profile,
    /// The Pod to be placed.
    pub pod: &'a PodInfo,
}

/// What PreFilter said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PreFilter {
    /// Go on.
    Success,
    /// This plugin's Filter need not run.
    Skip,
    /// Only the Nodes with these names can do.
    Only(BTreeSet<Text>),
    /// No Node can do.
    Reject(Rejection),
}

/// A scheduler plugin: its state during one cycle, and what it does at each extension point.
///
/// Defaults say yes and score nothing.
pub trait Plugin: Clone + Default {
    /// PreFilter: looks at the Pod and the cluster once.
    fn pre_filter(&mut self, _cycle: Cycle) -> PreFilter {
        PreFilter::Success
    }
    /// Filter: whether the Pod can run on this Node.
    fn filter(&self, _cycle: Cycle, _node: &NodeInfo) -> Result<(), Rejection> {
        Ok(())
    }
    /// PreFilter extension: another Pod is put on (`delta` 1) or taken off (-1) a Node, as if.
    fn change(&mut self, _cycle: Cycle, _node: &NodeInfo, _pod: &PodInfo, _delta: i64) {}
    /// PreScore: looks at the feasible Nodes once; false when this plugin's Score need not run.
    fn pre_score(&mut self, _cycle: Cycle, _nodes: &[Slot]) -> bool {
        true
    }
    /// Score: how good the Node is.
    fn score(&self, _cycle: Cycle, _node: &NodeInfo) -> i64 {
        0
    }
    /// NormalizeScore: brings the scores of all feasible Nodes to 0..=100.
    fn normalize(&self, _cycle: Cycle, _nodes: &[Slot], _scores: &mut [i64]) {}
    /// QueueingHint: whether a change may make a Pod fit that this plugin rejected.
    fn hint(_cycle: Cycle, _event: &ClusterEvent) -> bool {
        false
    }
    /// The numbers behind a Node's score, for a reader. Called when somebody looks, perhaps much later: the
    /// Node is as it was, `cycle.cache` is empty; what else is needed belongs into the state.
    fn account(&self, _cycle: Cycle, _node: &NodeInfo) -> Value {
        Value::Null
    }
}

macro_rules! plugins {
    ($($module:ident $name:ident: $filter:literal, $weight:literal;)*) => {
        /// A plugin of the default profile that filters or scores.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PluginId { $(#[doc = concat!("`", stringify!($name), "`")] $name,)* }

        impl PluginId {
            /// Every plugin in order.
            pub const ALL: &'static [PluginId] = &[$(PluginId::$name),*];

            /// The plugin's name.
            pub fn name(self) -> &'static str {
                match self { $(PluginId::$name => stringify!($name),)* }
            }
            /// The weight of its score; 0 when it does not score.
            pub fn weight(self) -> i64 {
                match self { $(PluginId::$name => $weight,)* }
            }
            /// See [`Plugin::hint`].
            pub fn hint(self, cycle: Cycle, event: &ClusterEvent) -> bool {
                match self { $(PluginId::$name => $module::$name::hint(cycle, event),)* }
            }
            /// Whether it filters.
            pub fn filters(self) -> bool {
                match self { $(PluginId::$name => $filter,)* }
            }
        }

        /// The state of every plugin during one cycle.
        #[derive(Clone, Default)]
        pub struct Plugins { $(/// Its state.
            pub $module: $module::$name,)* }

        impl Plugins {
            /// See [`Plugin::pre_filter`].
            pub fn pre_filter(&mut self, id: PluginId, cycle: Cycle) -> PreFilter {
                match id { $(PluginId::$name => self.$module.pre_filter(cycle),)* }
            }
            /// See [`Plugin::filter`].
            pub fn filter(&self, id: PluginId, cycle: Cycle, node: &NodeInfo) -> Result<(), Rejection> {
                match id { $(PluginId::$name => self.$module.filter(cycle, node),)* }
            }
            /// See [`Plugin::change`].
            pub fn change(&mut self, id: PluginId, cycle: Cycle, node: &NodeInfo, pod: &PodInfo, delta: i64) {
                match id { $(PluginId::$name => self.$module.change(cycle, node, pod, delta),)* }
            }
            /// See [`Plugin::pre_score`].
            pub fn pre_score(&mut self, id: PluginId, cycle: Cycle, nodes: &[Slot]) -> bool {
                match id { $(PluginId::$name => self.$module.pre_score(cycle, nodes),)* }
            }
            /// The raw scores of Nodes, see [`Plugin::score`].
            pub fn scores(&self, id: PluginId, cycle: Cycle, nodes: &[Slot]) -> Vec<i64> {
                match id { $(PluginId::$name => {
                    let score = |slot: &Slot| self.$module.score(cycle, cycle.cache.node(*slot));
                    nodes.iter().map(score).collect()
                })* }
            }
            /// See [`Plugin::normalize`].
            pub fn normalize(&self, id: PluginId, cycle: Cycle, nodes: &[Slot], scores: &mut [i64]) {
                match id { $(PluginId::$name => self.$module.normalize(cycle, nodes, scores),)* }
            }
            /// See [`Plugin::account`].
            pub fn account(&self, id: PluginId, cycle: Cycle, node: &NodeInfo) -> Value {
                match id { $(PluginId::$name => self.$module.account(cycle, node),)* }
            }
        }
    };
}

// module, plugin: filters, weight of the score.
plugins! {
    node_unschedulable NodeUnschedulable: true, 0;
    node_name NodeName: true, 0;
    taint_toleration TaintToleration: true, 3;
    node_affinity NodeAffinity: true, 2;
    node_ports NodePorts: true, 0;
    node_resources_fit NodeResourcesFit: true, 1;
    volume_restrictions VolumeRestrictions: true, 0;
    volume_binding VolumeBinding: true, 0;
    volume_zone VolumeZone: true, 0;
    pod_topology_spread PodTopologySpread: true, 2;
    inter_pod_affinity InterPodAffinity: true, 2;
    node_resources_balanced_allocation NodeResourcesBalancedAllocation: false, 1;
    image_locality ImageLocality: false, 1;
}

/// Scales scores so that the largest becomes 100; reversed, so that the largest becomes 0.
///
/// Models: `helper.DefaultNormalizeScore` (v1.36)
pub fn default_normalize(scores: &mut [i64], reverse: bool) {
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        if max == 0 {
            if reverse {
                *score = 100;
            }
            continue;
        }
        let scaled = 100 * *score / max;
        *score = if reverse { 100 - scaled } else { scaled };
    }
}
