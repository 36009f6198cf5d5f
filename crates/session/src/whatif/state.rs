//! What the search weighs: the Pod and the scheduler's picture of the cluster, with edits made to both as if.
//!
//! Verdicts come from the scheduler's own plugins; nothing here decides by itself.

use podscope_api::{Key, Kind, Object, Text};
use podscope_cluster::Cluster;
use podscope_cluster::scheduler::cache::Cache;
use podscope_cluster::scheduler::framework::{self, filter_with_nominated};
use podscope_cluster::scheduler::node_info::NodeInfo;
use podscope_cluster::scheduler::plugins::{Cycle, PluginId, Plugins, PreFilter};
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_cluster::scheduler::profile::Profile;
use podscope_cluster::scheduler::verdict::{Reason, Rejection};
use podscope_kernel::collections::BTreeMap;
use std::rc::Rc;

/// A Pod and a cluster as they would be. Cheap to clone: what is not changed is shared.
#[derive(Clone)]
pub struct State {
    /// The Pod as it would be.
    pub pod: Object,
    /// The scheduler's picture as it would be.
    pub cache: Rc<Cache>,
    /// The Node objects as they would be.
    pub nodes: Rc<BTreeMap<Text, Rc<Object>>>,
    profile: Rc<Profile>,
}

impl State {
    /// The cluster as it is. A Pod that has a Node is taken off it: another like it is looked at.
    pub fn new(cluster: &Cluster, pod: &Object) -> State {
        let scheduler = cluster.scheduler();
        let mut cache = scheduler.cache().clone();
        let info = PodInfo::new(pod);
        if !info.node_name().is_empty() {
            cache.remove_pod(&info, info.node_name());
        }
        cache.forget_nomination(&info);
        let objects = cluster.etcd().objects();
        let nodes = objects
            .range((Kind::Node, Key::new("", ""))..)
            .take_while(|((kind, _), _)| *kind == Kind::Node)
            .map(|((_, key), stored)| (key.name.clone(), stored.object.clone()));
        let mut pod = pod.clone();
        pod.remove("spec.nodeName");
        pod.remove("status.nominatedNodeName");
        State {
            pod,
            cache: Rc::new(cache),
            nodes: Rc::new(nodes.collect()),
            profile: Rc::new(scheduler.profile().clone()),
        }
    }

    /// The configuration of the scheduler.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Puts a Node in the place of the one of its name, or adds it.
    pub fn set_node(&mut self, node: Object) {
        let key = node.key();
        Rc::make_mut(&mut self.cache).apply(Kind::Node, &key, Some(&node));
        Rc::make_mut(&mut self.nodes).insert(key.name, Rc::new(node));
    }

    /// Takes a Pod off its Node.
    pub fn remove_pod(&mut self, pod: &PodInfo) {
        let node = pod.node_name().to_string();
        Rc::make_mut(&mut self.cache).remove_pod(pod, &node);
    }

    /// Puts a Pod on a Node.
    pub fn add_pod(&mut self, pod: Rc<PodInfo>, node: &Text) {
        Rc::make_mut(&mut self.cache).add_pod(pod, node);
    }

    /// The plugins after PreFilter, or the first no: of PreFilter, or for the Nodes that it leaves out.
    fn prepare(&self, pod: &PodInfo) -> Prepared {
        let cycle = Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod,
        };
        let mut out = Prepared {
            plugins: Plugins::default(),
            active: Vec::new(),
            only: Vec::new(),
            no: None,
        };
        let filters = self.profile.enabled.iter().copied();
        for id in filters.filter(|id| id.filters()) {
            match out.plugins.pre_filter(id, cycle) {
                PreFilter::Success => out.active.push(id),
                PreFilter::Skip => {}
                PreFilter::Only(names) => {
                    out.active.push(id);
                    out.only.push((id, names.iter().cloned().collect()));
                }
                PreFilter::Reject(no) => {
                    out.no.get_or_insert(no);
                }
            }
        }
        out
    }

    /// The first no for a Node; `Ok` when the Pod fits.
    pub fn first_no(&self, node: &str) -> Result<(), Rejection> {
        let pod = PodInfo::new(&self.pod);
        let prepared = self.prepare(&pod);
        match self.cache.find(node) {
            Some(info) => self.verdict(&pod, &prepared, info),
            None => Ok(()),
        }
    }

    fn verdict(
        &self,
        pod: &PodInfo,
        prepared: &Prepared,
        node: &NodeInfo,
    ) -> Result<(), Rejection> {
        if let Some(no) = &prepared.no {
            return Err(no.clone());
        }
        for (id, names) in &prepared.only {
            if !names.contains(&node.name) {
                return Err(Rejection::unresolvable(*id, Reason::NodeAffinity));
            }
        }
        let cycle = Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod,
        };
        filter_with_nominated(cycle, &prepared.plugins, &prepared.active, node)
    }

    /// Every no for a Node, one for each plugin that says no.
    pub fn all_noes(&self, node: &str) -> Vec<Rejection> {
        let pod = PodInfo::new(&self.pod);
        let prepared = self.prepare(&pod);
        let Some(node) = self.cache.find(node) else {
            return Vec::new();
        };
        if let Some(no) = &prepared.no {
            return vec![no.clone()];
        }
        let mut noes = Vec::new();
        let cycle = Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod: &pod,
        };
        for (id, names) in &prepared.only {
            if !names.contains(&node.name) {
                noes.push(Rejection::unresolvable(*id, Reason::NodeAffinity));
            }
        }
        for id in &prepared.active {
            let known = noes.iter().any(|no| no.plugin == *id);
            if let Err(no) = filter_with_nominated(cycle, &prepared.plugins, &[*id], node)
                && !known
            {
                noes.push(no);
            }
        }
        noes
    }

    /// The first Node, in the scheduler's order, on which the Pod fits.
    pub fn fits_anywhere(&self) -> Option<Text> {
        if self.is_gated() {
            return None;
        }
        let pod = PodInfo::new(&self.pod);
        let prepared = self.prepare(&pod);
        let mut nodes = self.cache.nodes();
        let found = nodes.find(|node| self.verdict(&pod, &prepared, node).is_ok());
        found.map(|node| node.name.clone())
    }

    /// Whether the Pod fits on this Node, or (with none) anywhere.
    pub fn fits(&self, node: Option<&str>) -> bool {
        match node {
            None => self.fits_anywhere().is_some(),
            Some(node) => !self.is_gated() && self.first_no(node).is_ok(),
        }
    }

    /// Whether a scheduling gate keeps the Pod from being tried.
    pub fn is_gated(&self) -> bool {
        !self.pod.spec().get("schedulingGates").items().is_empty()
    }

    /// The Node that the scheduler would choose. Beyond 100 Nodes the scheduler looks at some only, and
    /// where it begins is not known here: then it is asked from the beginning.
    pub fn chosen(&self) -> Option<Text> {
        let pod = PodInfo::new(&self.pod);
        let (decision, _) = framework::schedule(&pod, &self.cache, &self.profile, 0);
        let slot = decision.chosen?;
        Some(self.cache.node(slot).name.clone())
    }
}

struct Prepared {
    plugins: Plugins,
    active: Vec<PluginId>,
    only: Vec<(PluginId, Vec<Text>)>,
    no: Option<Rejection>,
}
