//! The search for sets of edits: Node by Node, no by no, each set cut down to what is needed.
//!
//! What is found here is weighed with the scheduler's plugins on a changed picture of the cluster; it is
//! offered only after it was carried out on a copy (`trial.rs`).

use super::edit::{Edit, asked, lower};
use super::options::{options, workload};
use super::state::State;
use podscope_api::{Key, Kind, Object, Text, Value};
use podscope_cluster::Cluster;
use podscope_cluster::scheduler::framework::{Decision, schedule};
use podscope_cluster::scheduler::plugins::default_preemption::post_filter;
use podscope_cluster::scheduler::plugins::{Cycle, Plugins};
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most edits in a set.
pub const MAX_EDITS: usize = 4;
/// The most Nodes for which sets are sought: those with the fewest plugins in the way.
pub const MAX_NODES: usize = 16;
/// The most states that are weighed.
pub const MAX_WEIGHED: u32 = 3_000;
/// The most workloads that are weighed for being scaled.
const MAX_WORKLOADS: usize = 16;

/// A set of edits with its rank.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The edits, in the order in which they are made.
    pub edits: Vec<Edit>,
    /// The names of their kinds, joined by `+`.
    pub kind: String,
    /// Smaller is better among plans of one kind.
    pub cost: i64,
}

impl Plan {
    fn new(edits: Vec<Edit>) -> Plan {
        let mut kinds: Vec<String> = edits.iter().map(Edit::kind).collect();
        podscope_api::sort::by_key(&mut kinds, |k| k.clone());
        let cost = edits.iter().map(Edit::cost).fold(0, i64::saturating_add);
        Plan {
            kind: kinds.join("+"),
            cost,
            edits,
        }
    }
}

impl Plan {
    /// What is a little smaller: without one of the edits (or of the containers that are to ask for less), or
    /// with one unit more asked for.
    pub fn smaller(&self) -> Vec<Vec<Edit>> {
        let mut out = Vec::new();
        for place in 0..self.edits.len() {
            let mut fewer = self.edits.clone();
            fewer.remove(place);
            if !fewer.is_empty() {
                out.push(fewer);
            }
            let Some(Edit::Request { parts, .. }) = self.edits.get(place) else {
                continue;
            };
            for (part, (_, from, to)) in parts.iter().enumerate() {
                // One unit more for this container, or what it asked for before.
                let mut changes = vec![to + 1];
                if parts.len() > 1 {
                    changes.push(*from);
                }
                for now in changes {
                    let mut more = self.edits.clone();
                    if let Some(Edit::Request { parts, .. }) = more.get_mut(place) {
                        match now < *from {
                            true => parts[part].2 = now,
                            false if parts.len() > 1 => drop(parts.remove(part)),
                            false => continue,
                        }
                    }
                    out.push(more);
                }
            }
        }
        out
    }

    /// The same with a workload scaled down by one Pod fewer, where there is one that is scaled down by more.
    pub fn one_fewer(&self) -> Option<Plan> {
        let mut less = self.clone();
        for edit in &mut less.edits {
            if let Edit::Scale { from, to, .. } = edit
                && *from - *to > 1
            {
                *to += 1;
                return Some(less);
            }
        }
        None
    }
}

/// The search and what it has counted.
pub struct Search<'a> {
    cluster: &'a Cluster,
    base: State,
    /// The Node that is asked for.
    target: Option<Text>,
    /// States weighed so far.
    pub weighed: u32,
    /// Whether some Pod is less important than this one.
    preempts: bool,
    found: Vec<Plan>,
    seen: BTreeSet<String>,
}

impl<'a> Search<'a> {
    /// A search from the cluster as it is.
    pub fn new(cluster: &'a Cluster, pod: &Object, target: Option<&str>) -> Search<'a> {
        Search {
            cluster,
            preempts: lesser(cluster, pod),
            base: State::new(cluster, pod),
            target: target.map(Text::from),
            weighed: 0,
            found: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Where the search begins.
    pub fn base(&self) -> &State {
        &self.base
    }

    fn done(&self, state: &State) -> bool {
        match &self.target {
            None => state.fits(None) || self.makes_room(state),
            Some(node) => {
                !state.is_gated()
                    && state.first_no(node).is_ok()
                    && state.chosen().as_ref() == Some(node)
            }
        }
    }

    /// Whether the Pod would make less important ones go and have a Node then.
    fn makes_room(&self, state: &State) -> bool {
        self.preempts && !state.is_gated() && self.target.is_none() && preempts(state)
    }

    /// All plans that were found, the smallest sets first, then by cost. Plans of one kind stand in order.
    #[inline(never)]
    pub fn run(mut self) -> (Vec<Plan>, u32) {
        let mut start = Vec::new();
        let gates = self.base.pod.spec().get("schedulingGates").items();
        let gates: Vec<Text> = gates
            .iter()
            .filter_map(|g| g.get("name").as_text().cloned())
            .collect();
        let mut open = self.base.clone();
        if !gates.is_empty() {
            let edit = Edit::DropGates(gates);
            edit.apply(&mut open);
            start.push(edit);
        }
        if !start.is_empty() && self.makes_room(&open) {
            self.offer(start.clone());
        }
        for node in self.nodes(&open) {
            self.descend(&open, &node, start.clone());
        }
        if self.target.is_none() && !self.done(&open) {
            self.whole_requests(&open, &start);
            self.add_node(&open, &start);
            self.priority(&open, &start);
            self.scale(&open, &start);
        }
        let mut found = std::mem::take(&mut self.found);
        let others = self.waiting();
        found.retain(|plan| self.stands(plan, &others));
        podscope_api::sort::by_key(&mut found, |p| {
            let rank = p.edits.iter().map(Edit::rank).fold(0, u32::saturating_add);
            // Sets of one person's doing before those for which two have to meet.
            let of_pod = p.edits.iter().filter(|e| e.is_of_pod()).count();
            let mixed = of_pod > 0 && of_pod < p.edits.len();
            let rank = rank + if mixed { 20 } else { 0 };
            (p.edits.len(), rank, p.kind.clone(), p.cost)
        });
        (found, self.weighed)
    }

    /// Other Pods that wait, in the order of their names. At most 64.
    fn waiting(&self) -> Vec<Rc<PodInfo>> {
        const MOST: usize = 64;
        let queue = self.cluster.scheduler().queue().iter();
        let own = self.base.pod.key();
        let others = queue.filter(|(key, waiting)| **key != own && waiting.gate.is_empty());
        others.take(MOST).map(|(_, w)| w.pod.clone()).collect()
    }

    /// Whether a set helps however the other Pods that wait come to hear of it: they may come first and take
    /// the room. What is only changed in the Pod itself wakes no other.
    fn stands(&self, plan: &Plan, others: &[Rc<PodInfo>]) -> bool {
        if others.is_empty() || plan.edits.iter().all(Edit::is_of_pod) {
            return true;
        }
        let own = PodInfo::new(&self.base.pod).priority;
        let first = |others: &mut dyn Iterator<Item = &Rc<PodInfo>>| {
            let mut state = self.with(&plan.edits);
            for pod in others {
                let (decision, plugins) = schedule(pod, &state.cache, state.profile(), 0);
                let node = decision
                    .chosen
                    .map(|slot| state.cache.node(slot).name.clone());
                match node {
                    Some(node) => state.add_pod(pod.clone(), &node),
                    // It would make others go, and have the room before this one.
                    None if pod.priority >= own
                        && would_preempt(&state, pod, &plugins, &decision) =>
                    {
                        return false;
                    }
                    None => {}
                }
            }
            self.done(&state)
        };
        first(&mut others.iter()) && first(&mut others.iter().rev())
    }

    /// The Nodes with the fewest plugins in the way.
    fn nodes(&self, state: &State) -> Vec<Text> {
        if let Some(target) = &self.target {
            return vec![target.clone()];
        }
        let mut nodes: Vec<(usize, Text)> = Vec::new();
        for node in state.cache.nodes() {
            let noes = if nodes.len() < 256 {
                state.all_noes(&node.name).len()
            } else {
                usize::MAX
            };
            nodes.push((noes, node.name.clone()));
        }
        podscope_api::sort::by_key(&mut nodes, |n| n.clone());
        nodes.truncate(MAX_NODES);
        nodes.into_iter().map(|(_, name)| name).collect()
    }

    /// Answers the first no of a Node in each way, then the next, until the Pod fits there.
    fn descend(&mut self, state: &State, node: &Text, edits: Vec<Edit>) {
        if self.weighed >= MAX_WEIGHED {
            return;
        }
        self.weighed += 1;
        match state.first_no(node) {
            Ok(()) => self.arrived(state, node, edits),
            Err(no) => {
                for way in options(state, node, &no) {
                    if edits.len() + way.len() > MAX_EDITS {
                        continue;
                    }
                    let mut next = state.clone();
                    way.iter().for_each(|edit| edit.apply(&mut next));
                    let mut all = edits.clone();
                    all.extend(way);
                    if self.makes_room(&next) {
                        self.offer(all.clone());
                    }
                    self.descend(&next, node, all);
                }
            }
        }
    }

    /// The Pod fits on the Node; with a target it also has to win there.
    fn arrived(&mut self, state: &State, node: &Text, edits: Vec<Edit>) {
        let Some(target) = self.target.clone() else {
            return self.offer(edits);
        };
        if *node != target || state.chosen().as_ref() == Some(&target) {
            return self.offer(edits);
        }
        let mut pinned = edits.clone();
        pinned.push(Edit::Pin(target.clone()));
        self.offer(pinned);
        // Or those that win before it take no new Pods.
        let mut after = state.clone();
        let mut cordoned = edits;
        while cordoned.len() < MAX_EDITS {
            self.weighed += 1;
            match after.chosen() {
                Some(winner) if winner != target => {
                    let edit = Edit::Cordon(winner);
                    edit.apply(&mut after);
                    cordoned.push(edit);
                }
                Some(_) => return self.offer(cordoned),
                None => return,
            }
        }
    }

    fn with(&self, edits: &[Edit]) -> State {
        let mut state = self.base.clone();
        edits.iter().for_each(|edit| edit.apply(&mut state));
        state
    }

    /// Takes a set in: without the edits that it can do without, and with each quantity as small a change as
    /// does.
    fn offer(&mut self, mut edits: Vec<Edit>) {
        // After one has gone, those that were needed because of it may go, too.
        let mut place = edits.len();
        while place > 0 && edits.len() > 1 {
            place -= 1;
            let mut fewer = edits.clone();
            fewer.remove(place);
            self.weighed += 1;
            if self.done(&self.with(&fewer)) {
                edits = fewer;
                place = edits.len();
            }
        }
        for place in 0..edits.len() {
            self.tighten(&mut edits, place);
        }
        let print = format!("{edits:?}");
        if self
            .seen
            .insert(podscope_kernel::state_hash(&print).to_string())
        {
            self.found.push(Plan::new(edits));
        }
    }

    /// The smallest change of one quantity with which the whole set still does.
    fn tighten(&mut self, edits: &mut [Edit], place: usize) {
        let Some(edit) = edits.get(place).cloned() else {
            return;
        };
        let others: Vec<Edit> = edits
            .iter()
            .enumerate()
            .filter(|(i, e)| {
                let same = matches!((&edit, e), (Edit::Request { resource: a, .. }, Edit::Request { resource: b, .. }) if a == b);
                *i != place && !same
            })
            .map(|(_, e)| e.clone())
            .collect();
        let rest = self.with(&others);
        let does = |edit: &Edit| {
            let mut state = rest.clone();
            edit.apply(&mut state);
            self.done(&state)
        };
        // `no` does not do, `yes` does; between them the border is found.
        let border = |mut no: i64, mut yes: i64, make: &dyn Fn(i64) -> Edit| -> Edit {
            while (yes - no).abs() > 1 {
                let middle = no + (yes - no) / 2;
                if does(&make(middle)) {
                    yes = middle;
                } else {
                    no = middle;
                }
            }
            make(yes)
        };
        let better = match &edit {
            Edit::Request { resource, .. } => {
                let make = |most: i64| Edit::Request {
                    resource: resource.clone(),
                    parts: lower(&rest.pod, resource, most),
                };
                let mut now = rest.clone();
                edit.apply(&mut now);
                let (has, to) = (asked(&rest.pod, resource), asked(&now.pod, resource));
                border(has, to, &make)
            }
            Edit::Capacity {
                node,
                resource,
                from,
                to,
            } => {
                let make = |to: i64| Edit::Capacity {
                    node: node.clone(),
                    resource: resource.clone(),
                    from: *from,
                    to,
                };
                border(*from, *to, &make)
            }
            Edit::Skew {
                index,
                key,
                from,
                to,
            } => {
                let make = |to: i64| Edit::Skew {
                    index: *index,
                    key: key.clone(),
                    from: *from,
                    to,
                };
                border(*from, *to, &make)
            }
            _ => return,
        };
        if !does(&better) {
            return;
        }
        if let Some(slot) = edits.get_mut(place) {
            *slot = better;
        }
    }

    /// The request of each resource alone, against all Nodes at once.
    fn whole_requests(&mut self, open: &State, start: &[Edit]) {
        let names: Vec<Text> = {
            let info = PodInfo::new(&open.pod);
            let scalar = info.requests.scalar.iter().map(|(name, _)| name.clone());
            let named = ["cpu", "memory", "ephemeral-storage"];
            named.into_iter().map(Text::from).chain(scalar).collect()
        };
        for name in names.iter().take(8) {
            self.weighed += 1;
            if let Some(way) = super::options::request_option(open, name, None) {
                let mut edits = start.to_vec();
                edits.extend(way);
                if self.done(&self.with(&edits)) {
                    self.offer(edits);
                }
            }
        }
    }

    /// A Node like one of those that are there, without what people did to it.
    fn add_node(&mut self, open: &State, start: &[Edit]) {
        let mut shapes: BTreeSet<String> = BTreeSet::new();
        let nodes = open.nodes.clone();
        for (name, like) in nodes.iter().take(256) {
            let mut node = (**like).clone();
            let fresh = new_name(name, &nodes);
            node.set("metadata.name", fresh.clone());
            for gone in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "annotations",
                "managedFields",
            ] {
                node.remove(&["metadata.", gone].concat());
            }
            *node
                .at_mut("metadata.labels")
                .entry("kubernetes.io/hostname") = fresh.into();
            for gone in [
                "spec.unschedulable",
                "spec.taints",
                "spec.podCIDR",
                "spec.podCIDRs",
            ] {
                node.remove(gone);
            }
            if !like.condition_true("Ready") {
                continue;
            }
            let kept = own_taints(like);
            if !kept.is_empty() {
                node.set("spec.taints", Value::list(kept));
            }
            let shape = podscope_api::json::to_string(&Value::list([
                node.spec().clone(),
                node.status().get("allocatable").clone(),
                without_host(node.labels()),
            ]));
            if !shapes.insert(shape) || shapes.len() > MAX_NODES {
                continue;
            }
            self.weighed += 1;
            let edit = Edit::AddNode {
                like: name.clone(),
                node: Box::new(node),
            };
            let mut edits = start.to_vec();
            edits.push(edit);
            if self.done(&self.with(&edits)) {
                self.offer(edits);
                return;
            }
        }
    }

    /// The least important priority class with which the Pod may make others go.
    fn priority(&mut self, open: &State, start: &[Edit]) {
        if open.pod.spec().get("preemptionPolicy").as_str() == Some("Never") {
            return;
        }
        let own = open.pod.spec().get("priority").as_int().unwrap_or(0);
        let objects = self.cluster.etcd().objects();
        let classes = objects
            .range((Kind::PriorityClass, Key::new("", ""))..)
            .take_while(|((kind, _), _)| *kind == Kind::PriorityClass)
            .map(|(_, stored)| &stored.object)
            .filter(|class| class.get("preemptionPolicy").as_str() != Some("Never"));
        let mut ways: Vec<(i64, Text, bool)> = classes
            .filter_map(|c| Some((c.get("value").as_int()?, c.key().name, false)))
            .filter(|(value, name, _)| *value > own && !name.starts_with("system-"))
            .collect();
        // One more than a Pod that is there has is a class of its own.
        let mut levels: BTreeSet<i64> = BTreeSet::new();
        for node in open.cache.nodes().take(256) {
            for placed in &node.pods {
                let level = placed.pod.priority.saturating_add(1);
                if level > own && level <= 1_000_000_000 {
                    levels.insert(level);
                }
            }
        }
        for level in levels.into_iter().take(8) {
            if !ways.iter().any(|(value, _, _)| *value == level) {
                let name = ["priority-", &level.to_string()].concat();
                ways.push((level, name.into(), true));
            }
        }
        podscope_api::sort::by_key(&mut ways, |w| w.clone());
        for (value, class, new) in ways.into_iter().take(16) {
            self.weighed += 1;
            let edit = Edit::Priority { class, value, new };
            let mut state = open.clone();
            edit.apply(&mut state);
            if preempts(&state) {
                let mut edits = start.to_vec();
                edits.push(edit);
                self.found.push(Plan::new(edits));
                return;
            }
        }
    }

    /// Workloads with fewer Pods: as few fewer as can help; the trial says whether it does.
    fn scale(&mut self, open: &State, start: &[Edit]) {
        let etcd = self.cluster.etcd();
        let namespace = Text::from(self.base.pod.namespace());
        let mut by_owner: BTreeMap<(Kind, Key), Vec<Rc<PodInfo>>> = BTreeMap::new();
        let own = workload(&self.base.pod, &|kind, name| {
            etcd.get(kind, &Key::new(namespace.clone(), name))
                .map(|s| s.object.clone())
        });
        for node in open.cache.nodes() {
            for placed in &node.pods {
                let space = &placed.pod.key.namespace;
                let found = workload(&placed.pod.object, &|kind, name| {
                    etcd.get(kind, &Key::new(space.clone(), name))
                        .map(|s| s.object.clone())
                });
                let Some((kind, name)) = found else { continue };
                let mine = own.as_ref() == Some(&(kind, name.clone())) && *space == namespace;
                let scales = matches!(
                    kind,
                    Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet
                );
                if !mine && scales && by_owner.len() < MAX_WORKLOADS {
                    let key = (kind, Key::new(space.clone(), name));
                    by_owner.entry(key).or_default().push(placed.pod.clone());
                }
            }
        }
        for ((kind, key), pods) in by_owner {
            let Some(stored) = etcd.get(kind, &key) else {
                continue;
            };
            let from = stored.object.at("spec.replicas").as_int().unwrap_or(1);
            let Some(least) = self.least(open, &pods) else {
                continue;
            };
            for less in least..=pods.len().min(least + 3) {
                let less = i64::try_from(less).unwrap_or(i64::MAX);
                let gone = pods.iter().take(usize::try_from(less).unwrap_or(0));
                let mut edits = start.to_vec();
                edits.push(Edit::Scale {
                    kind,
                    key: key.clone(),
                    from,
                    to: from.saturating_sub(less).max(0),
                    gone: gone.cloned().collect(),
                });
                self.found.push(Plan::new(edits));
            }
        }
    }

    /// The fewest of these Pods without which the Pod fits somewhere, taking the best ones of each Node.
    fn least(&mut self, open: &State, pods: &[Rc<PodInfo>]) -> Option<usize> {
        let mut least: Option<usize> = None;
        let mut by_node: BTreeMap<&str, Vec<&Rc<PodInfo>>> = BTreeMap::new();
        for pod in pods {
            by_node.entry(pod.node_name()).or_default().push(pod);
        }
        let mut all = open.clone();
        pods.iter().for_each(|pod| all.remove_pod(pod));
        self.weighed += 1;
        if !all.fits(None) {
            return None;
        }
        for pods in by_node.values() {
            let mut state = open.clone();
            for (n, pod) in pods.iter().enumerate() {
                state.remove_pod(pod);
                self.weighed += 1;
                if state.fits(None) {
                    least = Some(least.map_or(n + 1, |l| l.min(n + 1)));
                    break;
                }
            }
        }
        Some(least.unwrap_or(1).max(1))
    }
}

/// Whether a Pod that has a Node is less important than this one, which may make others go.
pub fn lesser(cluster: &Cluster, pod: &Object) -> bool {
    let own = pod.spec().get("priority").as_int().unwrap_or(0);
    let never = pod.spec().get("preemptionPolicy").as_str() == Some("Never");
    let mut nodes = cluster.scheduler().cache().nodes();
    !never && nodes.any(|node| node.pods.iter().any(|p| p.pod.priority < own))
}

/// Whether preemption would find a Node to make free.
fn preempts(state: &State) -> bool {
    let pod = PodInfo::new(&state.pod);
    let (decision, plugins) = schedule(&pod, &state.cache, state.profile(), 0);
    if decision.chosen.is_some() || decision.pre_filter.is_some() {
        return decision.chosen.is_some();
    }
    would_preempt(state, &pod, &plugins, &decision)
}

/// Whether a Pod that fits nowhere would find a Node to make free.
fn would_preempt(state: &State, pod: &PodInfo, plugins: &Plugins, decision: &Decision) -> bool {
    let never = pod.object.spec().get("preemptionPolicy").as_str() == Some("Never");
    if never || decision.pre_filter.is_some() {
        return false;
    }
    let cycle = Cycle {
        cache: &state.cache,
        profile: state.profile(),
        pod,
    };
    post_filter(cycle, plugins, decision, 0).chosen.is_some()
}

/// A Node's taints that are not the cluster's own remarks about its state.
fn own_taints(node: &Object) -> Vec<Value> {
    let taints = node.spec().get("taints").items().iter();
    let own = taints.filter(|t| {
        !t.get("key")
            .str_or_empty()
            .starts_with("node.kubernetes.io/")
    });
    own.cloned().collect()
}

fn without_host(labels: &Value) -> Value {
    let mut labels = labels.clone();
    labels.map_mut().remove("kubernetes.io/hostname");
    labels
}

/// A name that no Node has: the number at the end counts on.
fn new_name(like: &str, nodes: &BTreeMap<Text, Rc<Object>>) -> Text {
    let stem = like.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = if stem.is_empty() || stem.len() == like.len() {
        [like, "-"].concat()
    } else {
        stem.to_string()
    };
    let mut n = nodes.len() + 1;
    loop {
        let name = [&stem, &*n.to_string()].concat();
        if !nodes.contains_key(&*name) {
            return name.into();
        }
        n += 1;
    }
}
