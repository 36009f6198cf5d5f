//! HorizontalPodAutoscaler: every 15 s it compares what Pods use with what they should, and sets the scale.
//!
//! It never touches Pods: it writes the `scale` of their owner.
//!
//! Models: pkg/controller/podautoscaler (v1.36)
//! Left out: metrics of other types than Resource and ContainerResource.

pub mod behavior;
pub mod load;
pub mod metric;
pub mod replica_calculator;

use super::meta::{self, failure_text, find_condition};
use super::{Controller, Next, Resume, Work};
use crate::apiserver::special::set_condition;
use crate::client::informer::{CacheEvent, Caches};
use crate::client::recorder::{Recorder, Regarding, Style};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::Note;
use behavior::History;
use podscope_api::selector::Selector;
use podscope_api::{Key, Kind, Object, Request, Text, Timestamp, Value, value};
use podscope_kernel::SimDuration;
use podscope_kernel::collections::BTreeMap;
pub use replica_calculator::{Decision, Metric, Rules, resource_replicas};
use std::rc::Rc;

crate::codes! {
    /// The metrics are compared with their targets.
    COMPARE = "autoscaler.compare";
    /// The scale is set.
    RESCALE = "autoscaler.rescale";
    /// The metrics say nothing.
    NO_METRICS = "autoscaler.no_metrics";
}

/// How often an autoscaler looks.
const PERIOD: SimDuration = SimDuration::secs(15);

const SCALE_READ: u8 = 1;
const SCALED: u8 = 2;
const WRITTEN: u8 = 3;

/// The controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HorizontalPodAutoscalerController {
    recorder: Recorder,
    histories: BTreeMap<Key, History>,
}

impl Default for HorizontalPodAutoscalerController {
    fn default() -> Self {
        let name = ControllerId::HorizontalPodAutoscaler.name();
        HorizontalPodAutoscalerController {
            recorder: Recorder::new(name, "", Style::Core),
            histories: BTreeMap::new(),
        }
    }
}

/// A sync in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sync {
    autoscaler: Option<Rc<Object>>,
    status: Value,
    current: i64,
    desired: i64,
    reason: String,
    failure: Option<String>,
}

/// What the metrics ask for: the size, which metric, and what was measured.
struct Asked {
    replicas: i64,
    metric: String,
    measured: Vec<Value>,
}

impl Controller for HorizontalPodAutoscalerController {
    const ID: ControllerId = ControllerId::HorizontalPodAutoscaler;
    const WORKERS: usize = 5;
    const DEADLINE: &'static str = "loop.autoscaler";
    type Sync = Sync;

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for autoscaler in caches.list(Kind::HorizontalPodAutoscaler) {
            work.add_after(autoscaler.key(), PERIOD);
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        if event.kind != Kind::HorizontalPodAutoscaler {
            return;
        }
        match (&event.old, &event.new) {
            // The first look comes after a period, and each look sets the next.
            (None, Some(new)) => work.add_after(new.key(), PERIOD),
            (Some(old), None) => {
                self.histories.remove(&old.key());
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
        let Some(autoscaler) = sync.autoscaler.clone() else {
            return begin(key, sync, caches);
        };
        match stage {
            SCALE_READ => match answers.first() {
                Some(Ok(answer)) => {
                    let scale = answer.object.clone();
                    self.compare(key, &autoscaler, &scale, sync, caches, ctx)
                }
                _ => {
                    let why = meta::first_failure(answers).unwrap_or_default();
                    self.tell(&autoscaler, "Warning", "FailedGetScale", &why, ctx);
                    let message = format!(
                        "the HPA controller was unable to get the target's current scale: {why}"
                    );
                    let failed = ("AbleToScale", "False", "FailedGetScale", &*message);
                    condition(sync, failed, ctx.wall());
                    write(sync, ctx)
                }
            },
            SCALED => {
                self.scaled(key, &autoscaler, sync, answers, ctx);
                write(sync, ctx)
            }
            _ => {
                if let Some(Err(failure)) = answers.first()
                    && meta::code(&answers[0]) != 404
                {
                    let why = failure_text(failure);
                    self.tell(&autoscaler, "Warning", "FailedUpdateStatus", &why, ctx);
                }
                Next::After(PERIOD)
            }
        }
    }
}

/// The kind that an autoscaler scales.
fn target(autoscaler: &Object) -> Option<(Kind, Key)> {
    let reference = autoscaler.at("spec.scaleTargetRef");
    let version = reference.get("apiVersion").str_or_empty();
    let kind = Kind::from_api(version, reference.get("kind").str_or_empty())?;
    let name = reference.get("name").str_or_empty();
    Some((kind, Key::new(autoscaler.namespace(), name)))
}

fn begin(key: &Key, sync: &mut Sync, caches: &Caches) -> Next {
    let Some(autoscaler) = caches.get(Kind::HorizontalPodAutoscaler, key) else {
        return Next::Done;
    };
    sync.autoscaler = Some(autoscaler.clone());
    sync.status = autoscaler.status().clone();
    let Some((kind, key)) = target(autoscaler) else {
        return Next::After(PERIOD);
    };
    let mut request = Request::get(kind, key.namespace, key.name);
    request.subresource = "scale".into();
    Next::Call {
        requests: vec![request],
        stage: SCALE_READ,
    }
}

/// Sets a condition; its time changes with its status only.
fn condition(
    sync: &mut Sync,
    (kind, status, reason, message): (&str, &str, &str, &str),
    now: Timestamp,
) {
    let old = find_condition(&sync.status, kind);
    let same = old.get("status").as_str() == Some(status);
    let since = match same {
        true => old.get("lastTransitionTime").clone(),
        false => now.seconds_text().into(),
    };
    let new = value!({
        "type": (kind), "status": (status), "lastTransitionTime": (since),
        "reason": (reason), "message": (message)
    });
    let mut object = Object(value!({"status": (std::mem::take(&mut sync.status))}));
    set_condition(&mut object, new);
    sync.status = object.status().clone();
}

fn set_sizes(autoscaler: &Object, sync: &mut Sync, measured: Option<Vec<Value>>) {
    if sync.current == 0 {
        sync.status.remove("currentReplicas");
    } else {
        sync.status.set("currentReplicas", sync.current);
    }
    sync.status.set("desiredReplicas", sync.desired);
    if let Some(measured) = measured {
        sync.status.set("currentMetrics", measured);
    }
    let generation = autoscaler.generation();
    if generation > 0 {
        sync.status.set("observedGeneration", generation);
    }
}

/// Writes the status when it has changed.
fn write(sync: &Sync, _ctx: &mut Ctx<'_>) -> Next {
    let Some(autoscaler) = &sync.autoscaler else {
        return Next::Done;
    };
    if *autoscaler.status() == sync.status {
        return Next::After(PERIOD);
    }
    let mut object = (**autoscaler).clone();
    object.set("status", sync.status.clone());
    Next::Call {
        requests: vec![Request::update(
            Kind::HorizontalPodAutoscaler,
            "status",
            object,
        )],
        stage: WRITTEN,
    }
}

impl HorizontalPodAutoscalerController {
    fn tell(
        &mut self,
        autoscaler: &Object,
        event: &str,
        reason: &str,
        message: &str,
        ctx: &mut Ctx<'_>,
    ) {
        let regarding = Regarding::object(Kind::HorizontalPodAutoscaler, autoscaler);
        self.recorder
            .record(ctx, regarding, event, reason, "", message);
    }

    /// From the scale as it is to the scale as it should be.
    fn compare(
        &mut self,
        key: &Key,
        autoscaler: &Rc<Object>,
        scale: &Object,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let now = ctx.wall();
        let able = "the HPA controller was able to get the target's current scale";
        condition(
            sync,
            ("AbleToScale", "True", "SucceededGetScale", able),
            now,
        );
        let current = scale.at("spec.replicas").as_int().unwrap_or(0);
        let (least, most) = behavior::bounds(autoscaler);
        sync.current = current;
        sync.desired = current;
        let history = self.histories.entry(key.clone()).or_default();
        history.forget(now);
        if history.recommended.is_empty() {
            history.recommended.push((now, current));
        }
        if current == 0 && least != 0 {
            sync.desired = 0;
            let message = "scaling is disabled since the replica count of the target is zero";
            let off = ("ScalingActive", "False", "ScalingDisabled", message);
            condition(sync, off, now);
            set_sizes(autoscaler, sync, None);
            return write(sync, ctx);
        }
        if current > most || current < least {
            let which = if current > most {
                "above Spec.MaxReplicas"
            } else {
                "below Spec.MinReplicas"
            };
            sync.reason = format!("Current number of replicas {which}");
            sync.desired = current.clamp(least, most);
            return self.rescale(autoscaler, sync, ctx);
        }
        let asked = match self.ask(autoscaler, scale, sync, caches, ctx) {
            Ok(asked) => asked,
            Err(why) => {
                let reason = "FailedComputeMetricsReplicas";
                self.tell(autoscaler, "Warning", reason, &why, ctx);
                ctx.trace(
                    Note::new(NO_METRICS)
                        .about(Kind::HorizontalPodAutoscaler, key.clone())
                        .arg("why", why),
                );
                set_sizes(autoscaler, sync, None);
                return write(sync, ctx);
            }
        };
        let history = self.histories.entry(key.clone()).or_default();
        let outcome = behavior::normalize(autoscaler, current, asked.replicas, history, now);
        let (reason, message) = outcome.able;
        condition(sync, ("AbleToScale", "True", reason, message), now);
        let (limited, reason, message) = outcome.limited;
        let limited = if limited { "True" } else { "False" };
        condition(sync, ("ScalingLimited", limited, reason, message), now);
        let note = Note::new(COMPARE)
            .about(Kind::HorizontalPodAutoscaler, key.clone())
            .arg("current", current)
            .arg("asked", asked.replicas)
            .arg("desired", outcome.replicas)
            .arg("metric", asked.metric.clone());
        ctx.trace(note);
        sync.desired = outcome.replicas;
        // A recent higher recommendation may decide when the metrics ask for no change: then no reason is given.
        sync.reason = match asked.replicas {
            n if n > current => format!("{} above target", asked.metric),
            n if n < current => "All metrics below target".into(),
            _ => String::new(),
        };
        let desired = sync.desired;
        set_sizes(autoscaler, sync, Some(asked.measured));
        if desired == current {
            return write(sync, ctx);
        }
        self.rescale(autoscaler, sync, ctx)
    }

    fn rescale(&mut self, autoscaler: &Object, sync: &mut Sync, ctx: &mut Ctx<'_>) -> Next {
        let Some((kind, key)) = target(autoscaler) else {
            return Next::After(PERIOD);
        };
        set_sizes(autoscaler, sync, None);
        let note = Note::new(RESCALE)
            .about(Kind::HorizontalPodAutoscaler, autoscaler.key())
            .arg("from", sync.current)
            .arg("to", sync.desired)
            .arg("reason", sync.reason.clone());
        ctx.trace(note);
        let scale = value!({
            "apiVersion": "autoscaling/v1", "kind": "Scale",
            "metadata": {"name": (key.name.clone()), "namespace": (key.namespace.clone())},
            "spec": {"replicas": (sync.desired)}
        });
        Next::Call {
            requests: vec![Request::update(kind, "scale", Object(scale))],
            stage: SCALED,
        }
    }

    fn scaled(
        &mut self,
        key: &Key,
        autoscaler: &Object,
        sync: &mut Sync,
        answers: &[podscope_api::Response],
        ctx: &mut Ctx<'_>,
    ) {
        let now = ctx.wall();
        let (desired, reason) = (sync.desired, sync.reason.clone());
        if let Some(why) = meta::first_failure(answers) {
            let message = format!("New size: {desired}; reason: {reason}; error: {why}");
            self.tell(autoscaler, "Warning", "FailedRescale", &message, ctx);
            let message =
                format!("the HPA controller was unable to update the target scale: {why}");
            let failed = ("AbleToScale", "False", "FailedUpdateScale", &*message);
            condition(sync, failed, now);
            sync.desired = sync.current;
            sync.status.set("desiredReplicas", sync.current);
            return;
        }
        let message =
            format!("the HPA controller was able to update the target scale to {desired}");
        let done = ("AbleToScale", "True", "SucceededRescale", &*message);
        condition(sync, done, now);
        sync.status.set("lastScaleTime", now.seconds_text());
        let message = format!("New size: {desired}; reason: {reason}");
        self.tell(autoscaler, "Normal", "SuccessfulRescale", &message, ctx);
        let history = self.histories.entry(key.clone()).or_default();
        let change = desired - sync.current;
        let list = if change > 0 {
            &mut history.up
        } else {
            &mut history.down
        };
        list.push((now, change.abs()));
    }

    /// What all metrics ask for: the largest wins; one that says nothing forbids shrinking.
    fn ask(
        &mut self,
        autoscaler: &Object,
        scale: &Object,
        sync: &mut Sync,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Result<Asked, String> {
        let now = ctx.wall();
        let metrics = autoscaler.at("spec.metrics").items();
        let selector = scale.at("status.selector").str_or_empty();
        let selector = Selector::parse(selector).map_err(|e| e.to_string())?;
        let pods = caches.list_in(Kind::Pod, autoscaler.namespace());
        let pods = pods.filter(|p| selector.matches(p.labels())).cloned();
        let pods: Vec<Rc<Object>> = pods.collect();
        let workload = target(autoscaler).and_then(|(kind, key)| caches.get(kind, &key));
        let mut best: Option<(i64, String)> = None;
        let mut measured = Vec::new();
        let mut failed: Vec<(Text, String)> = Vec::new();
        for metric in metrics {
            let found = workload
                .ok_or_else(|| "the target is not known".to_string())
                .and_then(|w| metric::one(metric, w, &pods, sync.current, autoscaler, now));
            match found {
                Ok((replicas, name, status)) => {
                    measured.push(status);
                    if best.as_ref().is_none_or(|(most, _)| replicas > *most) {
                        best = Some((replicas, name));
                    }
                }
                Err(why) => {
                    let kind = metric.get("type").str_or_empty();
                    failed.push((format!("FailedGet{kind}Metric").into(), why));
                }
            }
        }
        let shrinks = best.as_ref().is_some_and(|(n, _)| *n < sync.current);
        match (best, failed.first()) {
            (Some((replicas, metric)), None) => {
                let message = format!(
                    "the HPA was able to successfully calculate a replica count from {metric}"
                );
                let valid = ("ScalingActive", "True", "ValidMetricFound", &*message);
                condition(sync, valid, now);
                Ok(Asked {
                    replicas,
                    metric,
                    measured,
                })
            }
            (Some((replicas, metric)), Some(_)) if !shrinks => Ok(Asked {
                replicas,
                metric,
                measured,
            }),
            (_, Some((reason, why))) => {
                let message = format!("the HPA was unable to compute the replica count: {why}");
                condition(sync, ("ScalingActive", "False", reason, &message), now);
                self.tell(autoscaler, "Warning", reason, why, ctx);
                let (bad, all) = (failed.len(), metrics.len());
                Err(format!(
                    "invalid metrics ({bad} invalid out of {all}), first error is: {why}"
                ))
            }
            (None, None) => Err("no metrics are given".into()),
        }
    }
}
