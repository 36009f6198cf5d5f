//! One sync of a Deployment as a list of writes, decided from what the caches show.
//!
//! Models: pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go (v1.36)
//! Left out: the rollback annotation of the removed `extensions` API.

use super::super::meta::{annotate, is_terminal, replicas, status_count};
use super::replica_sets::{
    REVISION, annotate_new, annotate_sizes, find_new, new_replica_set, revision, sizes_differ,
    surplus_history,
};
use super::{scale, status};
use crate::apiserver::strategy::hash::template_hash;
use podscope_api::{Key, Object, Timestamp, Value};
use podscope_kernel::SimDuration;
use std::collections::VecDeque;
use std::rc::Rc;

/// One write of a sync. They go out one after the other; the first failure ends the sync.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Creates the ReplicaSet for the template.
    Create(Object),
    /// Updates a ReplicaSet; with the old and new size when that changes.
    Update(Object, Option<(i64, i64)>),
    /// Deletes a ReplicaSet of the surplus history.
    Delete(Key),
    /// Updates the Deployment's status.
    Status(Object),
}

/// What a sync is going to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The writes, in order.
    pub steps: VecDeque<Step>,
    /// When to look again at a rollout without progress.
    pub again: Option<SimDuration>,
}

/// What a sync is decided from.
pub struct Inputs {
    /// The Deployment as the cache has it; the plan works on this copy.
    pub deployment: Object,
    /// Its ReplicaSets.
    pub sets: Vec<Rc<Object>>,
    /// The Pods of its ReplicaSets (only looked at by `Recreate`).
    pub pods: Vec<Rc<Object>>,
    /// The wall clock.
    pub now: Timestamp,
}

struct Sync {
    deployment: Object,
    old: Vec<Rc<Object>>,
    new: Option<Rc<Object>>,
    now: Timestamp,
    plan: Plan,
}

/// Decides a sync.
pub fn plan(inputs: Inputs) -> Plan {
    let Inputs {
        deployment,
        mut sets,
        pods,
        now,
    } = inputs;
    let new = find_new(&deployment, &sets).map(|i| sets.remove(i));
    let mut sync = Sync {
        deployment,
        old: sets,
        new,
        now,
        plan: Plan::default(),
    };
    if sync.deployment.is_being_deleted() {
        sync.use_new();
        sync.status_only();
        return sync.plan;
    }
    if let Some(condition) = status::paused_condition(&sync.deployment, now) {
        status::set_condition(sync.deployment.entry("status"), condition);
        sync.write_status();
    }
    let paused = sync.deployment.at("spec.paused").is_true();
    if paused || scale::is_scaling_event(&sync.deployment, &sync.all()) {
        sync.use_new();
        sync.scale();
        if paused {
            sync.clean_up();
        }
        sync.status_only();
    } else if sync.deployment.at("spec.strategy.type").as_str() == Some("Recreate") {
        sync.recreate(&pods);
    } else {
        sync.rolling_update();
    }
    sync.plan
}

impl Sync {
    fn all(&self) -> Vec<Rc<Object>> {
        self.old.iter().chain(&self.new).cloned().collect()
    }

    fn write_status(&mut self) {
        self.plan
            .steps
            .push_back(Step::Status(self.deployment.clone()));
    }

    /// Brings the existing new ReplicaSet's annotations and the Deployment's revision up to date.
    fn use_new(&mut self) {
        let Some(current) = self.new.clone() else {
            return;
        };
        let next = self.next_revision();
        let mut updated = (*current).clone();
        let mut changed = annotate_new(&mut updated, &self.deployment, next);
        let min_ready = self.deployment.at("spec.minReadySeconds").clone();
        if !same_number(&min_ready, updated.at("spec.minReadySeconds")) {
            updated.set("spec.minReadySeconds", min_ready.as_int().unwrap_or(0));
            changed = true;
        }
        if changed {
            self.plan
                .steps
                .push_back(Step::Update(updated.clone(), None));
            self.new = Some(Rc::new(updated));
            return;
        }
        let text = revision(&current).to_string();
        let mut write = current.annotation(REVISION).is_some()
            && annotate(&mut self.deployment, REVISION, &text);
        if status::progress_deadline(&self.deployment).is_some()
            && self.deployment.condition("Progressing").is_null()
        {
            let message = format!("Found new replica set \"{}\"", current.name());
            let condition = status::condition(
                "Progressing",
                "True",
                "FoundNewReplicaSet",
                &message,
                self.now,
            );
            status::set_condition(self.deployment.entry("status"), condition);
            write = true;
        }
        if write {
            self.write_status();
        }
    }

    fn next_revision(&self) -> i64 {
        let newest = self.old.iter().map(|rs| revision(rs)).max().unwrap_or(0);
        newest.saturating_add(1)
    }

    /// Creates the new ReplicaSet with the size that it may have at once.
    fn create_new(&mut self) {
        let collisions = self.deployment.at("status.collisionCount").as_int();
        let hash = template_hash(self.deployment.at("spec.template"), collisions);
        let next = self.next_revision();
        let mut created = new_replica_set(&self.deployment, &hash, next);
        let size = scale::new_size(&self.deployment, scale::total(&self.old), 0);
        created.set("spec.replicas", size);
        annotate(&mut self.deployment, REVISION, &next.to_string());
        if status::progress_deadline(&self.deployment).is_some() {
            let message = format!("Created new replica set \"{}\"", created.name());
            let condition = status::condition(
                "Progressing",
                "True",
                "NewReplicaSetCreated",
                &message,
                self.now,
            );
            status::set_condition(self.deployment.entry("status"), condition);
        }
        self.plan.steps.push_back(Step::Create(created.clone()));
        self.write_status();
        self.new = Some(Rc::new(created));
    }

    /// Gives a ReplicaSet its size, and its annotations when they are out of date.
    fn resize(&mut self, set: &Object, size: i64) -> Object {
        let before = replicas(set);
        let mut updated = set.clone();
        if before == size && !sizes_differ(set, &self.deployment) {
            return updated;
        }
        updated.set("spec.replicas", size);
        annotate_sizes(&mut updated, &self.deployment);
        let change = (before != size).then_some((before, size));
        self.plan
            .steps
            .push_back(Step::Update(updated.clone(), change));
        updated
    }

    #[inline(never)]
    fn scale(&mut self) {
        let all = self.all();
        let new = self.new.as_ref().map(|_| self.old.len());
        for resize in scale::scale(&self.deployment, &all, new) {
            if let Some(set) = all.get(resize.index) {
                self.resize(set, resize.replicas);
            }
        }
    }

    fn rolling_update(&mut self) {
        if self.new.is_some() {
            self.use_new();
        } else {
            self.create_new();
        }
        let all_total = scale::total(&self.all());
        if let Some(new) = self.new.clone()
            && let Some(size) = scale::reconcile_new(&self.deployment, all_total, replicas(&new))
        {
            self.resize(&new, size);
            self.rollout_status();
            return;
        }
        let mut active: Vec<Rc<Object>> = self
            .old
            .iter()
            .filter(|rs| replicas(rs) > 0)
            .cloned()
            .collect();
        let resizes = scale::reconcile_old(&self.deployment, &active, self.new.as_deref());
        let scaled = !resizes.is_empty();
        for resize in resizes {
            if let Some(set) = active.get(resize.index).cloned() {
                let updated = self.resize(&set, resize.replicas);
                active[resize.index] = Rc::new(updated);
            }
        }
        if !scaled && status::is_complete(&self.deployment, self.deployment.status()) {
            self.clean_up();
        }
        self.rollout_status();
    }

    #[inline(never)]
    fn recreate(&mut self, pods: &[Rc<Object>]) {
        self.use_new();
        let active: Vec<Rc<Object>> = self
            .old
            .iter()
            .filter(|rs| replicas(rs) > 0)
            .cloned()
            .collect();
        for set in &active {
            self.resize(set, 0);
        }
        if !active.is_empty() || self.old_pods_run(pods) {
            self.rollout_status();
            return;
        }
        if self.new.is_none() {
            self.create_new();
        }
        if let Some(new) = self.new.clone() {
            self.resize(&new, replicas(&self.deployment));
        }
        if status::is_complete(&self.deployment, self.deployment.status()) {
            self.clean_up();
        }
        self.rollout_status();
    }

    fn old_pods_run(&self, pods: &[Rc<Object>]) -> bool {
        let counted: i64 = self.old.iter().map(|rs| status_count(rs, "replicas")).sum();
        let new = self.new.as_ref().map_or("", |rs| rs.uid());
        counted > 0
            || pods
                .iter()
                .any(|p| !is_terminal(p) && p.controller().is_some_and(|c| c.uid != new))
    }

    fn clean_up(&mut self) {
        for key in surplus_history(&self.deployment, &self.old) {
            self.plan.steps.push_back(Step::Delete(key));
        }
    }

    /// The status after scaling or while paused or being deleted: counts and Available only.
    fn status_only(&mut self) {
        let status =
            status::calculate(&self.deployment, &self.all(), self.new.as_deref(), self.now);
        self.set_status(status);
    }

    fn rollout_status(&mut self) {
        let status = status::rollout(&self.deployment, &self.all(), self.new.as_deref(), self.now);
        if same_status(&status, self.deployment.status()) {
            let wait = status::look_again(&self.deployment, &status, self.now);
            self.plan.again = wait.map(|micros| {
                // A second more, so that the deadline has surely passed by then.
                SimDuration(u64::try_from(micros).unwrap_or(0)) + SimDuration::secs(1)
            });
            return;
        }
        self.set_status(status);
    }

    fn set_status(&mut self, status: Value) {
        if same_status(&status, self.deployment.status()) {
            return;
        }
        self.deployment.set("status", status);
        self.write_status();
    }
}

fn same_number(a: &Value, b: &Value) -> bool {
    a.as_int().unwrap_or(0) == b.as_int().unwrap_or(0)
}

/// Compares statuses as the server stores them: zero counts are left out.
fn same_status(a: &Value, b: &Value) -> bool {
    let filled = |v: &Value| -> Vec<(podscope_api::Text, Value)> {
        v.entries()
            .iter()
            .filter(|(k, v)| &**k == "terminatingReplicas" || !v.is_empty())
            .cloned()
            .collect()
    };
    filled(a) == filled(b)
}
