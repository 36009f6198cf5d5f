//! Disruption: keeps the status of disruption budgets, which the eviction API asks.
//!
//! Models: pkg/controller/disruption (v1.36)
//! Left out: taking the condition DisruptionTarget back from Pods that stay.

pub mod plan;

use super::meta::{self, failure_text, selector};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::{Note, joined};
use podscope_api::{Key, Kind, Object, Request};
use podscope_kernel::SimDuration;
use std::rc::Rc;

crate::codes! {
    /// A budget's numbers have changed: its status is written.
    STATUS = "disruption.status";
    /// A budget's Pods cannot be counted: nothing is allowed.
    FAILED = "disruption.failed";
}

const WRITTEN: u8 = 1;
const FAILSAFE: u8 = 2;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DisruptionController {
    recorder: Recorder,
}

impl Default for DisruptionController {
    fn default() -> Self {
        DisruptionController {
            recorder: Recorder::new("controllermanager", "", Style::Core),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    again: Option<SimDuration>,
    why: String,
}

impl Controller for DisruptionController {
    const ID: ControllerId = ControllerId::Disruption;
    const WORKERS: usize = 1;
    const DEADLINE: &'static str = "disruption.deletion_timeout";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for budget in caches.list(Kind::PodDisruptionBudget) {
            work.add(budget.key(), None);
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(object) = event.object() else { return };
        match event.kind {
            Kind::PodDisruptionBudget => work.add(object.key(), event.cause),
            Kind::Pod => {
                for pod in event.new.iter().chain(&event.old) {
                    if let Some(key) = plan::of_pod(pod, caches).into_iter().next() {
                        work.add(key, event.cause);
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, Sync>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let Resume {
            stage,
            answers,
            sync,
        } = resume;
        if stage > 0 {
            return match answers.first() {
                _ if stage == FAILSAFE => Next::Retry(std::mem::take(&mut sync.why)),
                Some(Err(failure)) if meta::code(&answers[0]) != 404 => {
                    Next::Retry(failure_text(failure).to_string())
                }
                _ => sync.again.map_or(Next::Done, Next::After),
            };
        }
        let Some(budget) = caches.get(Kind::PodDisruptionBudget, key).cloned() else {
            return Next::Done;
        };
        self.sync(&budget, sync, caches, ctx)
    }
}

impl DisruptionController {
    fn sync(
        &mut self,
        budget: &Rc<Object>,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let now = ctx.wall();
        let selector = selector(budget);
        let pods = caches.list_in(Kind::Pod, budget.namespace());
        let pods: Vec<Rc<Object>> = pods
            .filter(|p| selector.matches(p.labels()))
            .cloned()
            .collect();
        let regarding = || Regarding::object(Kind::PodDisruptionBudget, budget);
        if pods.is_empty() {
            let message = "No matching pods found";
            self.recorder
                .record(ctx, regarding(), "Normal", "NoPods", "", message);
        }
        let (object, stage) = match plan::numbers(budget, &pods, caches, now) {
            Ok(numbers) => {
                if !numbers.unmanaged.is_empty() {
                    let list = joined(&numbers.unmanaged);
                    let message = format!(
                        "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value. List of unmanaged pods: [{list}]"
                    );
                    self.recorder.record(
                        ctx,
                        regarding(),
                        "Warning",
                        "UnmanagedPods",
                        "",
                        &message,
                    );
                }
                for pod in &numbers.overdue {
                    let message = format!(
                        "Pod was expected by PDB {}/{} to be deleted but it wasn't",
                        budget.namespace(),
                        budget.name()
                    );
                    let pod = Regarding::object(Kind::Pod, pod);
                    self.recorder
                        .record(ctx, pod, "Warning", "NotDeleted", "", &message);
                }
                sync.again = numbers.again.map(|at| {
                    SimDuration(u64::try_from(at.0 - now.0).unwrap_or(0)) + SimDuration::millis(1)
                });
                (plan::written(budget, &numbers, now), WRITTEN)
            }
            Err(why) => {
                let message = format!("Failed to calculate the number of expected pods: {why}");
                let reason = "CalculateExpectedPodCountFailed";
                self.recorder
                    .record(ctx, regarding(), "Warning", reason, "", &message);
                let note = Note::new(FAILED)
                    .about(Kind::PodDisruptionBudget, budget.key())
                    .arg("why", why.clone());
                ctx.trace(note);
                sync.why.clone_from(&why);
                (plan::failed(budget, &why, now), FAILSAFE)
            }
        };
        if object == **budget {
            return Next::Call {
                requests: Vec::new(),
                stage,
            };
        }
        let count = |field: &str| meta::status_count(&object, field);
        let note = Note::new(STATUS)
            .about(Kind::PodDisruptionBudget, budget.key())
            .arg("current", count("currentHealthy"))
            .arg("desired", count("desiredHealthy"))
            .arg("allowed", count("disruptionsAllowed"));
        ctx.trace(note);
        Next::Call {
            requests: vec![Request::update(Kind::PodDisruptionBudget, "status", object)],
            stage,
        }
    }
}
