//! The binding cycle: the choice is told to the API server; many may be under way.
//!
//! Models: `pkg/scheduler/schedule_one.go` bindingCycle (v1.36)

use super::{BIND, BOUND, Call, FAILED, Scheduler};
use crate::client::informer::Caches;
use crate::client::recorder::Regarding;
use crate::scheduler::events::ClusterEvent;
use crate::scheduler::plugins::scheduling_gates::pre_enqueue;
use crate::scheduler::pod_info::PodInfo;
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use podscope_api::{Failure, Key, Kind, Object, Request, Response, Text, value};
use podscope_kernel::collections::BTreeSet;
use std::rc::Rc;

impl Scheduler {
    pub(super) fn bind(&mut self, pod: Rc<PodInfo>, node: Text, ctx: &mut Ctx<'_>) {
        let Key { namespace, name } = pod.key.clone();
        ctx.trace(
            Note::new(BIND)
                .about(Kind::Pod, pod.key.clone())
                .arg("node", node.clone()),
        );
        let binding = value!({
            "kind": "Binding", "apiVersion": "v1",
            "metadata": {
                "name": (name.clone()), "namespace": (namespace.clone()), "uid": (pod.object.uid())
            },
            "target": {"kind": "Node", "name": (node.clone())}
        });
        let mut request = Request::create(Kind::Pod, Object(binding));
        request.name = name;
        request.subresource = "binding".into();
        let id = ctx.request(request);
        self.calls.insert(id, Call::Bind { pod, node });
    }

    pub(super) fn bound(
        &mut self,
        pod: &Rc<PodInfo>,
        node: &Text,
        answer: &Response,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        match answer {
            Ok(_) => {
                self.reserved.remove(&pod.key);
                ctx.trace(
                    Note::new(BOUND)
                        .about(Kind::Pod, pod.key.clone())
                        .arg("node", node.clone()),
                );
                let note = format!("Successfully assigned {} to {node}", pod.key);
                let regarding = Regarding::object(Kind::Pod, &pod.object);
                self.recorder_for(&pod.object).record(
                    ctx,
                    regarding,
                    "Normal",
                    "Scheduled",
                    "Binding",
                    &note,
                );
            }
            Err(failure) => {
                let Key { namespace, name } = &pod.key;
                let path = format!("namespaces/{namespace}/pods/{name}/binding");
                let why = failure_text(failure, "Post", &path);
                let message = format!("running Bind plugin \"DefaultBinder\": {why}");
                self.failed(pod, node, &message, caches, ctx);
            }
        }
    }

    /// Binding went wrong: the Pod is not on the Node after all.
    #[inline(never)]
    pub(super) fn failed(
        &mut self,
        pod: &Rc<PodInfo>,
        node: &Text,
        message: &str,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) {
        ctx.trace(
            Note::new(FAILED)
                .about(Kind::Pod, pod.key.clone())
                .arg("message", message.to_string())
                .data(Data::Json(
                    self.back_to_queue(&pod.key, &BTreeSet::new()).into(),
                )),
        );
        self.unreserve(pod, caches, ctx);
        if self.assumed.remove(&pod.key).is_some() {
            self.cache.remove_pod(pod, node);
            let mut gone = pod.object.clone();
            gone.set("spec.nodeName", node.clone());
            let event = ClusterEvent {
                kind: Kind::Pod,
                old: Some(Rc::new(gone)),
                new: None,
                own: false,
                cause: ctx.cause(),
            };
            self.tell(event, ctx);
        }
        self.warn(pod, message, ctx);
        match self.latest(pod, caches) {
            None => {
                self.queue.remove(&pod.key);
            }
            Some(latest) => {
                self.queue
                    .update(Rc::new(PodInfo::new(&latest)), pre_enqueue(&latest));
                self.queue.failed(&pod.key, ctx.now());
                self.patch_status(&latest, "SchedulerError", message, None, ctx);
            }
        }
    }
}

/// The text of a failed request, as the client library puts it: `Post` or `Put`, and the path below `/api/v1/`.
pub(super) fn failure_text(failure: &Failure, method: &str, path: &str) -> String {
    const SERVER: &str = "10.0.0.10:6443";
    let url = format!("{method} \"https://{SERVER}/api/v1/{path}\"");
    match failure {
        Failure::Status(status) => status.message.to_string(),
        Failure::ConnectionRefused => {
            format!("{url}: dial tcp {SERVER}: connect: connection refused")
        }
        Failure::Timeout => format!("{url}: context deadline exceeded"),
    }
}
