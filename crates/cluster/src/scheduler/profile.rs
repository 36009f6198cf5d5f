//! The scheduler's configuration: a profile's arguments and the feature gates that tables switch.
//!
//! Models: `pkg/scheduler/apis/config` KubeSchedulerConfiguration v1 defaults (v1.36)

use super::affinity::label_selector;
use super::node_selector::{NodeSelector, NodeTerm};
use super::plugins::PluginId;
use podscope_api::selector::{Operator, Requirement};
use podscope_api::{Selector, Text, Value};

/// How full Nodes are rated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Emptier is better.
    LeastAllocated,
    /// Fuller is better.
    MostAllocated,
    /// As a broken line says: points of (utilization in percent, score 0 to 100).
    RequestedToCapacityRatio(Vec<(i64, i64)>),
}

/// A spread constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// The label's key.
    pub topology_key: Text,
    /// The largest difference allowed.
    pub max_skew: i64,
    /// Below this number of domains the smallest counts as 0.
    pub min_domains: i64,
    /// Whether it filters (`DoNotSchedule`) or scores (`ScheduleAnyway`).
    pub hard: bool,
    /// Which Pods are counted.
    pub selector: Selector,
    /// Whether Nodes that the Pod's node selector excludes are left out.
    pub honor_affinity: bool,
    /// Whether Nodes with taints that the Pod does not tolerate are left out.
    pub honor_taints: bool,
}

/// Feature gates that change a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Features {
    /// Tolerations may compare numbers.
    pub taint_comparisons: bool,
    /// Spread constraints may say which Nodes count.
    pub node_inclusion_policy: bool,
    /// Spread constraints may name label keys whose values the Pod gives.
    pub match_label_keys: bool,
}

impl Default for Features {
    fn default() -> Self {
        Features {
            taint_comparisons: false,
            node_inclusion_policy: true,
            match_label_keys: true,
        }
    }
}

/// A profile: the plugins' arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// The scheduler's name.
    pub scheduler_name: Text,
    /// The plugins that filter and score, in order.
    pub enabled: Vec<PluginId>,
    /// `percentageOfNodesToScore`; 0 for adaptive.
    pub percentage_of_nodes: i64,
    /// NodeResourcesFit: the strategy.
    pub strategy: Strategy,
    /// NodeResourcesFit: resources and weights.
    pub fit_resources: Vec<(Text, i64)>,
    /// NodeResourcesFit: extended resources that filtering ignores.
    pub ignored_resources: Vec<Text>,
    /// NodeResourcesFit: groups of extended resources that filtering ignores.
    pub ignored_groups: Vec<Text>,
    /// NodeResourcesBalancedAllocation: resources.
    pub balanced_resources: Vec<Text>,
    /// InterPodAffinity: the weight of an existing Pod's required affinity.
    pub hard_pod_affinity_weight: i64,
    /// InterPodAffinity: whether preferences of existing Pods count only for Pods with preferences.
    pub ignore_preferred_of_existing: bool,
    /// PodTopologySpread: whether the built-in constraints apply.
    pub system_default_spread: bool,
    /// PodTopologySpread: constraints for Pods without any.
    pub default_constraints: Vec<Constraint>,
    /// NodeAffinity: required affinity that is added to every Pod.
    pub added_required: Option<NodeSelector>,
    /// NodeAffinity: preferences that are added to every Pod.
    pub added_preferred: Vec<(i64, NodeTerm)>,
    /// DefaultPreemption: the least share of Nodes tried, in percent.
    pub min_candidates_percentage: i64,
    /// DefaultPreemption: the least number of Nodes tried.
    pub min_candidates_absolute: i64,
    /// Feature gates.
    pub features: Features,
}

impl Default for Profile {
    fn default() -> Self {
        let spread = |key: &str, max_skew| Constraint {
            topology_key: key.into(),
            max_skew,
            min_domains: 1,
            hard: false,
            selector: Selector::Nothing,
            honor_affinity: true,
            honor_taints: false,
        };
        Profile {
            scheduler_name: "default-scheduler".into(),
            enabled: PluginId::ALL.to_vec(),
            percentage_of_nodes: 0,
            strategy: Strategy::LeastAllocated,
            fit_resources: vec![("cpu".into(), 1), ("memory".into(), 1)],
            ignored_resources: Vec::new(),
            ignored_groups: Vec::new(),
            balanced_resources: vec!["cpu".into(), "memory".into()],
            hard_pod_affinity_weight: 1,
            ignore_preferred_of_existing: false,
            system_default_spread: true,
            default_constraints: vec![
                spread("kubernetes.io/hostname", 3),
                spread("topology.kubernetes.io/zone", 5),
            ],
            added_required: None,
            added_preferred: Vec::new(),
            min_candidates_percentage: 10,
            min_candidates_absolute: 100,
            features: Features::default(),
        }
    }
}

impl Constraint {
    /// A constraint from an entry of `topologySpreadConstraints` of a Pod with these labels.
    pub fn parse(constraint: &Value, labels: &Value, features: Features) -> Constraint {
        let mut selector = label_selector(constraint.get("labelSelector"));
        if let (true, Selector::All(requirements)) = (features.match_label_keys, &mut selector) {
            let keys = constraint.get("matchLabelKeys").items().iter();
            let same = |key: &Value| {
                let key = key.as_str()?;
                let values = vec![labels.get(key).as_str()?.to_string()];
                Some(Requirement {
                    key: key.to_string(),
                    operator: Operator::Equals,
                    values,
                })
            };
            requirements.extend(keys.filter_map(same));
            podscope_api::sort::by(requirements, |a, b| a.key.cmp(&b.key));
        }
        let policy = |field: &str, default: bool| match constraint.get(field).as_str() {
            Some(policy) if features.node_inclusion_policy => policy == "Honor",
            _ => default,
        };
        let key = constraint.get("topologyKey").as_text().cloned();
        Constraint {
            topology_key: key.unwrap_or_else(|| "".into()),
            max_skew: constraint.get("maxSkew").as_int().unwrap_or(1),
            min_domains: constraint.get("minDomains").as_int().unwrap_or(1),
            hard: constraint.get("whenUnsatisfiable").as_str() != Some("ScheduleAnyway"),
            selector,
            honor_affinity: policy("nodeAffinityPolicy", true),
            honor_taints: policy("nodeTaintsPolicy", false),
        }
    }
}
