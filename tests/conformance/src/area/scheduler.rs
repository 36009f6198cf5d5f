//! Tables of scheduler: scheduler plugins, queue and pipeline.

use super::Outcome;
use crate::load::Table;
use podscope_api::{Object, Text, Value, value};
use podscope_cluster::scheduler::cache::Cache;
use podscope_cluster::scheduler::fit_error;
use podscope_cluster::scheduler::framework::{
    Decision, choose, find_feasible, num_feasible_nodes_to_find, pop_order, schedule, score,
};
use podscope_cluster::scheduler::node_info::Slot;
use podscope_cluster::scheduler::node_selector::NodeSelector;
use podscope_cluster::scheduler::node_tree::{NodeTree, zone_of};
use podscope_cluster::scheduler::plugins::default_preemption::{
    Candidate, PostFilter, dry_run, eligible, post_filter, post_filter_message, preempt, select,
};
use podscope_cluster::scheduler::plugins::image_locality::normalized_name;
use podscope_cluster::scheduler::plugins::node_affinity::preferred_terms;
use podscope_cluster::scheduler::plugins::{Cycle, PluginId, Plugins, PreFilter};
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_cluster::scheduler::profile::{Constraint, Features, Profile, Strategy};
use podscope_cluster::scheduler::resources::{Side, pod_amounts, pod_requests};
use podscope_cluster::scheduler::verdict::{Code, Rejection};
use std::rc::Rc;

/// Runs one case when the table belongs to this area.
pub fn run(table: &Table, case: &Value) -> Option<Outcome> {
    if !table.path.iter().any(|part| part == "scheduler") {
        return None;
    }
    Some(match case.get("kind").str_or_empty() {
        "filter" => World::new(case).filter_case(),
        "score" => World::new(case).score_case(),
        "filterState" => World::new(case).filter_state_case(),
        "postFilter" => World::new(case).post_filter_case(),
        "dryRunPreemption" => World::new(case).dry_run_case(),
        "selectCandidate" => World::new(case).select_case(),
        "preemptionEligible" => World::new(case).eligible_case(),
        "pipeline" => World::new(case).pipeline_case(),
        "e2e" => World::new(case).e2e_case(),
        "trace" => World::new(case).trace_case(),
        "function" => function_case(table, case),
        other => return other.is_empty().then(|| Outcome::Skip("no kind".into())),
    })
}

/// A case's cluster, configuration and Pod.
struct World<'a> {
    case: &'a Value,
    cache: Cache,
    profile: Profile,
    pod: PodInfo,
}

fn text(value: &Value) -> Text {
    value.as_text().cloned().unwrap_or_else(|| "".into())
}

impl<'a> World<'a> {
    fn new(case: &'a Value) -> World<'a> {
        let mut cache = Cache::default();
        let objects = ["objects", "pdbs", "nodes"];
        for object in objects.iter().flat_map(|field| case.get(field).items()) {
            let object = Object(object.clone());
            if let Some(kind) = object.kind() {
                cache.apply(kind, &object.key(), Some(&object));
            }
        }
        for pod in case.get("existingPods").items() {
            let pod = PodInfo::new(&Object(pod.clone()));
            let node: Text = pod.node_name().into();
            cache.add_pod(Rc::new(pod), &node);
        }
        World {
            case,
            cache,
            profile: profile(case),
            pod: PodInfo::new(&Object(case.get("pod").clone())),
        }
    }

    fn cycle(&self) -> Cycle<'_> {
        Cycle {
            cache: &self.cache,
            profile: &self.profile,
            pod: &self.pod,
        }
    }
    fn expect(&self) -> &Value {
        self.case.get("expect")
    }
    fn name(&self, slot: Slot) -> Value {
        Value::Str(self.cache.node(slot).name.clone())
    }
    fn slots(&self, names: &Value) -> Vec<Slot> {
        let names = names.items().iter().filter_map(Value::as_str);
        names
            .filter_map(|name| self.cache.find(name))
            .map(|node| node.slot)
            .collect()
    }
    fn plugin(&self) -> Option<PluginId> {
        let name = self.case.get("plugin").str_or_empty();
        PluginId::ALL.iter().copied().find(|id| id.name() == name)
    }

    fn filter_case(&self) -> Outcome {
        let Some(id) = self.plugin() else {
            return Outcome::Skip("plugin is not modelled".into());
        };
        let mut plugins = Plugins::default();
        let said = plugins.pre_filter(id, self.cycle());
        let mut got = value!({});
        match &said {
            PreFilter::Reject(rejection) => got.set("preFilter", status(Err(rejection))),
            PreFilter::Skip => got.set("preFilter", value!({"code": "Skip"})),
            _ => got.set("preFilter", value!({"code": "Success"})),
        }
        if let PreFilter::Only(names) = &said {
            got.set(
                "preFilterNodeNames",
                Value::list(names.iter().cloned().map(Value::Str)),
            );
        }
        // Some tables hold what Filter says although PreFilter has rejected the Pod already.
        let wanted = !self.expect().get("filter").is_null();
        if wanted || !matches!(said, PreFilter::Reject(_)) {
            let mut verdicts = value!({});
            let mut insufficient = Vec::new();
            for node in self.cache.nodes() {
                let verdict = match said {
                    PreFilter::Skip => Ok(()),
                    _ => plugins.filter(id, self.cycle(), node),
                };
                if let Err(rejection) = &verdict {
                    insufficient.extend(shortages(rejection));
                }
                *verdicts.entry(&node.name) = status(verdict.as_ref().copied());
            }
            got.set("filter", verdicts);
            got.set("insufficientResources", Value::list(insufficient));
        }
        compare(self.expect(), &got)
    }

    fn score_case(&self) -> Outcome {
        let Some(id) = self.plugin() else {
            return Outcome::Skip("plugin is not modelled".into());
        };
        let nodes = self.slots(self.case.get("candidateNodes"));
        let mut plugins = Plugins::default();
        let mut got = value!({});
        if plugins.pre_score(id, self.cycle(), &nodes) {
            let mut scores = plugins.scores(id, self.cycle(), &nodes);
            plugins.normalize(id, self.cycle(), &nodes, &mut scores);
            got.set("preScore", value!({"code": "Success"}));
            let mut named = value!({});
            for (slot, score) in nodes.iter().zip(scores) {
                *named.entry(&self.cache.node(*slot).name) = score.into();
            }
            got.set("scores", named);
        } else {
            got.set("preScore", value!({"code": "Skip"}));
        }
        compare(self.expect(), &got)
    }

    fn filter_state_case(&self) -> Outcome {
        let id = PluginId::PodTopologySpread;
        let mut plugins = Plugins::default();
        let mut got = value!({"preFilter": {"code": "Success"}});
        if plugins.pre_filter(id, self.cycle()) == PreFilter::Skip {
            got = value!({"preFilter": {"code": "Skip"}});
        }
        let policy = |honor: bool| if honor { "Honor" } else { "Ignore" };
        let constraints = plugins.pod_topology_spread.hard.iter().map(|hard| {
            let mut counts = value!({});
            for (domain, count) in hard.topology.values.iter().zip(&hard.counts) {
                if let Some(count) = count {
                    *counts.entry(domain) = (*count).into();
                }
            }
            value!({
                "topologyKey": (hard.constraint.topology_key.clone()),
                "maxSkew": (hard.constraint.max_skew),
                "minDomains": (hard.constraint.min_domains),
                "selector": (hard.constraint.selector.to_string()),
                "nodeAffinityPolicy": (policy(hard.constraint.honor_affinity)),
                "nodeTaintsPolicy": (policy(hard.constraint.honor_taints)),
                "matchNumPerDomain": (counts)
            })
        });
        got.set("constraints", Value::list(constraints.collect::<Vec<_>>()));
        compare(self.expect(), &got)
    }

    fn active(&self) -> Vec<PluginId> {
        let names = self.case.get("filterPlugins").items();
        let listed = |id: &&PluginId| names.iter().any(|n| n.as_str() == Some(id.name()));
        PluginId::ALL.iter().filter(listed).copied().collect()
    }

    /// Runs PreFilter of the listed plugins only; gives the state and those that filter.
    fn prepared(&self) -> (Plugins, Vec<PluginId>) {
        let mut plugins = Plugins::default();
        let mut active = self.active();
        active.retain(|id| plugins.pre_filter(*id, self.cycle()) != PreFilter::Skip);
        (plugins, active)
    }

    fn nodes_by_name(&self) -> Vec<Slot> {
        let mut nodes: Vec<_> = self
            .cache
            .nodes()
            .map(|n| (n.name.clone(), n.slot))
            .collect();
        nodes.sort();
        nodes.into_iter().map(|(_, slot)| slot).collect()
    }

    fn candidates(&self, candidates: &[Candidate]) -> Value {
        let mut list: Vec<(Value, Value)> = Vec::new();
        for candidate in candidates {
            let victims = candidate
                .victims
                .iter()
                .map(|v| Value::Str(v.key.name.clone()));
            let name = self.name(candidate.node);
            let value = value!({
                "node": (name.clone()),
                "victims": (Value::list(victims)),
                "numPDBViolations": (candidate.violations as i64)
            });
            list.push((name, value));
        }
        list.sort_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
        Value::list(list.into_iter().map(|(_, value)| value))
    }

    fn dry_run_case(&self) -> Outcome {
        let (plugins, active) = self.prepared();
        let number = |field: &str| self.case.get(field).as_int().unwrap_or(0).max(0) as u64;
        let (offset, limit) = (number("offset"), number("numCandidates"));
        let nodes = self.nodes_by_name();
        let out = dry_run(self.cycle(), &plugins, &active, &nodes, offset, limit);
        compare(
            self.expect(),
            &value!({"candidates": (self.candidates(&out.candidates))}),
        )
    }

    fn select_case(&self) -> Outcome {
        let (plugins, active) = self.prepared();
        let nodes = self.nodes_by_name();
        let out = dry_run(self.cycle(), &plugins, &active, &nodes, 0, u64::MAX);
        let chosen = select(&out.candidates)
            .map(|c| self.name(c.node))
            .unwrap_or_default();
        let mut got = value!({"candidates": (self.candidates(&out.candidates))});
        got.set("anyOf", chosen_of(self.expect().get("anyOf"), chosen));
        compare(self.expect(), &got)
    }

    fn eligible_case(&self) -> Outcome {
        let code = match self
            .case
            .get("nominatedNodeStatus")
            .get("code")
            .str_or_empty()
        {
            "Unschedulable" => Some(Code::Unschedulable),
            "UnschedulableAndUnresolvable" => Some(Code::UnschedulableAndUnresolvable),
            _ => None,
        };
        let got = eligible(self.cycle(), code).is_ok();
        compare(self.expect(), &value!({"eligible": (got)}))
    }

    fn post_filter_case(&self) -> Outcome {
        let (plugins, active) = self.prepared();
        let statuses = self.case.get("filteredNodeStatuses");
        let resolvable =
            |name: &Text| statuses.get(name).get("code").as_str() == Some("Unschedulable");
        let nodes = self
            .cache
            .nodes()
            .filter(|n| resolvable(&n.name))
            .map(|n| n.slot);
        let helpful: Vec<Slot> = nodes.collect();
        let out = match eligible(self.cycle(), None) {
            Ok(()) => preempt(self.cycle(), &plugins, &active, &helpful, 0),
            Err(why) => PostFilter {
                message: why.to_string(),
                ..PostFilter::default()
            },
        };
        let got = match &out.chosen {
            Some(candidate) => value!({
                "nominatedNodeName": (self.name(candidate.node)), "status": {"code": "Success"}
            }),
            None => value!({
                "nominatedNodeName": "",
                "status": {"code": "Unschedulable", "reasons": [(["preemption: ", &out.message].concat())]}
            }),
        };
        compare(self.expect(), &got)
    }

    fn pipeline_case(&self) -> Outcome {
        let cycle = self.cycle();
        let mut plugins = Plugins::default();
        let decision = find_feasible(cycle, &mut plugins, 0);
        let mut verdicts = value!({});
        for slot in &decision.feasible {
            *verdicts.entry(&self.cache.node(*slot).name) = value!({"code": "Success"});
        }
        for (slot, rejection) in &decision.rejected {
            let mut status = status(Err(rejection));
            status.set("plugin", rejection.plugin.name());
            *verdicts.entry(&self.cache.node(*slot).name) = status;
        }
        if let Some((by, _)) = &decision.narrowed {
            // Nodes that were left out are listed without a plugin.
            for node in self.cache.nodes() {
                let plugin = by.first().map_or("", |id| id.name());
                let missing = verdicts.get(&node.name).is_null();
                if missing && !self.expect().get("filter").get(&node.name).is_null() {
                    let reason = ["node(s) didn't satisfy plugin(s) [", plugin, "]"].concat();
                    *verdicts.entry(&node.name) =
                        value!({"code": "UnschedulableAndUnresolvable", "reasons": [(reason)]});
                }
            }
        }
        let mut feasible: Vec<Value> = decision.feasible.iter().map(|s| self.name(*s)).collect();
        feasible.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        let mut got = value!({"feasible": (Value::list(feasible))});
        match &decision.pre_filter {
            Some(rejection) => got.set("preFilter", status(Err(rejection))),
            None => got.set("filter", verdicts),
        }
        if decision.feasible.is_empty() {
            self.add_failure(&mut got, &plugins, &decision);
        } else {
            self.add_scores(&mut got, &mut plugins, &decision.feasible);
        }
        compare(self.expect(), &got)
    }

    fn add_failure(&self, got: &mut Value, plugins: &Plugins, decision: &Decision) {
        let out = post_filter(self.cycle(), plugins, decision, 0);
        let nominated = out.chosen.as_ref().map(|c| self.name(c.node));
        let names = self.expect().get("preemption").get("nominatedAnyOf");
        let any_of = match nominated {
            Some(name) => chosen_of(names, name),
            None => Value::list([]),
        };
        let mut candidates = Vec::new();
        for candidate in self.candidates(&out.dry_run.candidates).items() {
            candidates.push(value!({
                "node": (candidate.get("node").clone()), "victims": (candidate.get("victims").clone())
            }));
        }
        let message = post_filter_message(self.cycle(), decision, &out);
        got.set("fitError", decision.fit_error(""));
        got.set("message", decision.fit_error(&message));
        let alone = message
            .strip_prefix("no new claims to deallocate, ")
            .unwrap_or(&message);
        got.set("messageWithoutDRA", decision.fit_error(alone));
        got.set(
            "preemption",
            value!({"candidates": (Value::list(candidates)), "nominatedAnyOf": (any_of)}),
        );
    }

    fn add_scores(&self, got: &mut Value, plugins: &mut Plugins, feasible: &[Slot]) {
        let scores = score(self.cycle(), plugins, feasible);
        let best = scores.totals.iter().max().copied().unwrap_or(0);
        let mut names = Vec::new();
        for (slot, total) in feasible.iter().zip(&scores.totals) {
            if *total == best {
                names.push(self.name(*slot));
            }
        }
        names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        got.set("best", Value::list(names));
        let mut skipped: Vec<&str> = scores.skipped.iter().map(|id| id.name()).collect();
        skipped.sort_unstable();
        got.set(
            "skippedScorePlugins",
            Value::list(skipped.into_iter().map(Value::str)),
        );
        got.set("scores", self.named_scores(&scores));
    }

    fn named_scores(&self, scores: &podscope_cluster::scheduler::framework::Scores) -> Value {
        let mut named = value!({});
        for (i, slot) in scores.nodes.iter().enumerate() {
            let mut weighted = value!({});
            for by in &scores.by_plugin {
                let score = by.normalized[i] * by.plugin.weight();
                *weighted.entry(by.plugin.name()) = score.into();
            }
            *named.entry(&self.cache.node(*slot).name) =
                value!({"total": (scores.totals[i]), "weighted": (weighted)});
        }
        named
    }

    fn trace_case(mut self) -> Outcome {
        let replicas = self.case.get("replicas").as_int().unwrap_or(0);
        let pod = Object(self.case.get("pod").clone());
        let mut start = 0;
        let mut steps = Vec::new();
        for i in 0..replicas {
            let mut copy = pod.clone();
            let name = format!("{}-{i}", pod.name());
            copy.set("metadata.name", name.clone());
            copy.set("metadata.uid", format!("uid-{name}"));
            self.pod = PodInfo::new(&copy);
            let decision = self.schedule_in_listed_order(start);
            start = decision.next_start;
            let mut step = value!({"pod": (name)});
            if let Some(scores) = &decision.scores {
                step.set("scores", self.named_scores(scores));
            }
            match decision.chosen {
                None => step.set("unschedulable", true),
                Some(slot) => {
                    step.set("node", self.name(slot));
                    let node = self.cache.node(slot).name.clone();
                    copy.set("spec.nodeName", node.clone());
                    self.cache.add_pod(Rc::new(PodInfo::new(&copy)), &node);
                }
            }
            steps.push(step);
        }
        compare(self.expect(), &value!({"steps": (Value::list(steps))}))
    }

    /// A decision with the Nodes looked at as the case lists them, whatever zones they are in.
    fn schedule_in_listed_order(&self, start: u64) -> Decision {
        let mut plugins = Plugins::default();
        let mut decision = find_feasible(self.cycle(), &mut plugins, start);
        let listed: Vec<Text> = self
            .case
            .get("nodes")
            .items()
            .iter()
            .map(|n| Object(n.clone()).key().name)
            .collect();
        let place = |slot: &Slot| {
            listed
                .iter()
                .position(|n| *n == self.cache.node(*slot).name)
        };
        decision.feasible.sort_by_key(place);
        choose(self.cycle(), &mut plugins, &mut decision);
        decision
    }

    /// What a user sees of the attempt(s), on the pure functions alone.
    fn e2e_case(mut self) -> Outcome {
        let mut events = Vec::new();
        let mut got = value!({});
        let event = |kind: &str, reason: &str, action: &str, note: String, regarding: &str| {
            value!({
                "type": (kind), "reason": (reason), "action": (action), "note": (note),
                "regarding": (regarding), "reportingController": "default-scheduler"
            })
        };
        let gates = !self
            .pod
            .object
            .spec()
            .get("schedulingGates")
            .items()
            .is_empty();
        if gates {
            got.set("stays", "gated");
        }
        let mut attempts = if gates { 0 } else { 2 };
        let mut preempted = Vec::new();
        while attempts > 0 {
            attempts -= 1;
            let (decision, plugins) = schedule(&self.pod, &self.cache, &self.profile, 0);
            let (name, key) = (self.pod.key.name.clone(), self.pod.key.to_string());
            if let Some(slot) = decision.chosen {
                let node = self.cache.node(slot).name.clone();
                let note = format!("Successfully assigned {key} to {node}");
                events.push(event("Normal", "Scheduled", "Binding", note, &name));
                got.set("boundTo", node);
                break;
            }
            let out = post_filter(self.cycle(), &plugins, &decision, 0);
            let message = decision.fit_error(&post_filter_message(self.cycle(), &decision, &out));
            events.push(event(
                "Warning",
                "FailedScheduling",
                "Scheduling",
                message.clone(),
                &name,
            ));
            got.set(
                "condition",
                value!({"status": "False", "reason": "Unschedulable", "message": (message)}),
            );
            let Some(candidate) = out.chosen else {
                break;
            };
            got.set("afterPreemption", true);
            let node = self.cache.node(candidate.node).name.clone();
            for victim in &candidate.victims {
                let by = self.pod.object.uid();
                let note = format!("Preempted by pod {by} on node {node}");
                preempted.push(event(
                    "Normal",
                    "Preempted",
                    "Preempting",
                    note,
                    &victim.key.name,
                ));
                self.cache.remove_pod(victim, &node);
            }
            // The recorded API deleted at once, so the retry came before the nomination was seen.
        }
        events.extend(preempted);
        got.set("events", Value::list(events));
        compare(self.expect(), &got)
    }
}

/// The expected choices when the choice is among them (so that both compare equal), else the choice.
fn chosen_of(any_of: &Value, chosen: Value) -> Value {
    if any_of.items().contains(&chosen) {
        any_of.clone()
    } else {
        Value::list([chosen])
    }
}

/// Status as the tables write it.
fn status(verdict: Result<(), &Rejection>) -> Value {
    match verdict {
        Ok(()) => value!({"code": "Success"}),
        Err(rejection) => {
            let reasons = rejection.reasons.iter().map(|r| Value::Str(r.message()));
            value!({"code": (rejection.code.name()), "reasons": (Value::list(reasons))})
        }
    }
}

/// `insufficientResources` of a rejection by NodeResourcesFit.
fn shortages(rejection: &Rejection) -> Vec<Value> {
    let mut out = Vec::new();
    for reason in &rejection.reasons {
        let facts = reason.facts();
        if !facts.get("resource").is_null() {
            let number = |field: &str| facts.get(field).as_int().unwrap_or(0);
            let (requested, capacity) = (number("requested"), number("allocatable"));
            out.push(value!({
                "resource": (facts.get("resource").clone()),
                "reason": (reason.message()),
                "requested": (requested),
                "used": (number("used")),
                "capacity": (capacity),
                "unresolvable": (requested > capacity)
            }));
        }
    }
    out
}

/// Compares every expected field with what was got; lists of reasons and of objects in any order.
fn compare(expect: &Value, got: &Value) -> Outcome {
    for (key, want) in expect.entries() {
        let got = got.get(key);
        if sorted(want) != sorted(got) {
            return Outcome::Fail(format!(
                "{key}\nwant {}\n got {}",
                podscope_api::json::to_string(&sorted(want)),
                podscope_api::json::to_string(&sorted(got))
            ));
        }
    }
    Outcome::Pass
}

/// The same value with lists in a fixed order, apart from lists whose order matters.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::from_pairs(map.entries().iter().map(|(key, value)| {
            let ordered = matches!(key.as_ref(), "steps" | "constraints" | "popOrder");
            let value = match value {
                Value::List(items) if ordered => Value::list(items.iter().map(sorted)),
                value => sorted(value),
            };
            (key.clone(), value)
        })),
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(podscope_api::json::to_string);
            Value::list(items)
        }
        other => other.clone(),
    }
}

/// The configuration that a case asks for.
fn profile(case: &Value) -> Profile {
    let mut profile = Profile::default();
    let args = case.get("args");
    let feature =
        |name: &str, default: bool| case.get("features").get(name).as_bool().unwrap_or(default);
    profile.features = Features {
        taint_comparisons: feature("TaintTolerationComparisonOperators", false),
        node_inclusion_policy: feature("NodeInclusionPolicyInPodTopologySpread", true),
        match_label_keys: feature("MatchLabelKeysInPodTopologySpread", true),
    };
    if args.get("defaultingType").as_str() == Some("List") {
        profile.system_default_spread = false;
        let constraints = args.get("defaultConstraints").items().iter();
        profile.default_constraints = constraints
            .map(|c| Constraint::parse(c, &Value::Null, profile.features))
            .collect();
    }
    if let Some(weight) = args.get("hardPodAffinityWeight").as_int() {
        profile.hard_pod_affinity_weight = weight;
    }
    profile.ignore_preferred_of_existing = args.get("ignorePreferredTermsOfExistingPods").is_true();
    let added = args.get("addedAffinity");
    let required = added.get("requiredDuringSchedulingIgnoredDuringExecution");
    profile.added_required = (!required.is_null()).then(|| NodeSelector::parse(required));
    profile.added_preferred =
        preferred_terms(added.get("preferredDuringSchedulingIgnoredDuringExecution"));
    let texts = |list: &Value| -> Vec<Text> { list.items().iter().map(text).collect() };
    profile.ignored_resources = texts(args.get("ignoredResources"));
    profile.ignored_groups = texts(args.get("ignoredResourceGroups"));
    let balanced = args.get("resources").items();
    if !balanced.is_empty() {
        profile.balanced_resources = balanced.iter().map(|r| text(r.get("name"))).collect();
    }
    let strategy = args.get("scoringStrategy");
    profile.strategy = match strategy.get("type").str_or_empty() {
        "MostAllocated" => Strategy::MostAllocated,
        "RequestedToCapacityRatio" => {
            let shape = strategy
                .get("requestedToCapacityRatio")
                .get("shape")
                .items()
                .iter();
            let number = |point: &Value, field: &str| point.get(field).as_int().unwrap_or(0);
            Strategy::RequestedToCapacityRatio(
                shape
                    .map(|p| (number(p, "utilization"), 10 * number(p, "score")))
                    .collect(),
            )
        }
        _ => Strategy::LeastAllocated,
    };
    let rated = strategy.get("resources").items();
    if !rated.is_empty() {
        let weight = |r: &Value| r.get("weight").as_int().unwrap_or(1);
        profile.fit_resources = rated
            .iter()
            .map(|r| (text(r.get("name")), weight(r)))
            .collect();
    }
    profile
}

fn function_case(table: &Table, case: &Value) -> Outcome {
    let expect = case.get("expect");
    let int = |value: &Value| value.as_int().unwrap_or(0);
    match table.name.as_str() {
        "num_feasible_nodes" => {
            let profile = case.get("profilePercentage");
            let percentage = profile
                .as_int()
                .unwrap_or(int(case.get("globalPercentage")));
            let got = num_feasible_nodes_to_find(percentage, int(case.get("numAllNodes")));
            compare(expect, &value!({"numNodes": (got)}))
        }
        "node_tree_order" => {
            let (mut tree, mut names) = (NodeTree::default(), Vec::<Text>::new());
            for operation in case.get("operations").items() {
                let node = Object(operation.get("node").clone());
                let name = node.key().name;
                let known = names.iter().position(|n| *n == name);
                let slot = known.unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                match operation.get("op").str_or_empty() {
                    "add" => tree.add(zone_of(node.labels()), slot as Slot),
                    _ => tree.remove(&zone_of(node.labels()), slot as Slot),
                }
            }
            let order = tree.order();
            let order: Vec<&str> = order
                .iter()
                .map(|slot| names[*slot as usize].as_ref())
                .collect();
            let want: Vec<&str> = expect
                .get("order")
                .items()
                .iter()
                .map(Value::str_or_empty)
                .collect();
            Outcome::equal(order, want)
        }
        "select_host" => {
            let scores = case.get("scores").items();
            let keys: Vec<(i64, i64)> = scores
                .iter()
                .map(|s| (int(s.get("totalScore")), int(s.get("randomizer"))))
                .collect();
            let got = pop_order(&keys).into_iter().map(|i| scores[i].clone());
            Outcome::equal(Value::list(got), expect.get("popOrder").clone())
        }
        "fiterror_message" => {
            let mut reasons = Vec::new();
            for (_, status) in case.get("nodeStatuses").entries() {
                reasons.extend(status.get("reasons").items().iter().map(|r| (text(r), 1)));
            }
            let got = fit_error::message(
                int(case.get("numAllNodes")) as u64,
                case.get("preFilterMsg").str_or_empty(),
                reasons,
                case.get("postFilterMsg").str_or_empty(),
            );
            compare(expect, &value!({"message": (got)}))
        }
        "imagelocality_normalized_name" => {
            let got = normalized_name(case.get("input").str_or_empty());
            compare(expect, &value!({"output": (got)}))
        }
        "pod_requests" => pod_requests_case(case),
        _ => Outcome::Skip("no runner for this table yet".into()),
    }
}

fn pod_requests_case(case: &Value) -> Outcome {
    let expect = case.get("expect");
    let pod = case.get("pod");
    let (requests, non_zero) = pod_requests(pod);
    let amounts = |side: Side| {
        let amounts = pod_amounts(pod, side).0;
        Value::from_pairs(
            amounts
                .iter()
                .map(|(name, q)| (name.clone(), Value::from(q.canonical()))),
        )
    };
    let mut got = value!({
        "milliCPU": (requests.milli_cpu),
        "memoryBytes": (requests.memory),
        "ephemeralStorageBytes": (requests.ephemeral_storage),
        "nonZeroMilliCPU": (non_zero.0),
        "nonZeroMemoryBytes": (non_zero.1),
        "requests": (amounts(Side::Requests)),
        "limits": (amounts(Side::Limits))
    });
    let mut scalar = value!({});
    for (name, amount) in &requests.scalar {
        *scalar.entry(name) = (*amount).into();
    }
    got.set("scalar", scalar);
    compare(expect, &got)
}
