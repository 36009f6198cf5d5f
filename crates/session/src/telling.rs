//! Which words tell an event: plain steps of every request say what is asked for, by whom and why.

use podscope_api::{Kind, Request, Verb};
use podscope_cluster::{ComponentId, ControllerId, Data, TraceEvent};

podscope_cluster::codes! {
    /// kubectl reads an object before it writes.
    CLIENT_GET = "request.client.get";
    /// kubectl lists or watches.
    CLIENT_LIST = "request.client.list";
    /// kubectl creates.
    CLIENT_CREATE = "request.client.create";
    /// kubectl changes.
    CLIENT_CHANGE = "request.client.change";
    /// kubectl deletes.
    CLIENT_DELETE = "request.client.delete";
    /// A Kubernetes Event is left.
    EVENT = "request.event";
    /// A ReplicaSet is created.
    CREATE_REPLICASET = "request.deployment.create";
    /// A ReplicaSet is scaled or adopted.
    CHANGE_REPLICASET = "request.deployment.change";
    /// A controller writes its object's status.
    STATUS = "request.controller.status";
    /// A Pod is created.
    CREATE_POD = "request.replicaset.create";
    /// A surplus Pod is deleted.
    DELETE_POD = "request.replicaset.delete";
    /// A Binding.
    BIND = "request.scheduler.bind";
    /// The scheduler says why a Pod waits.
    UNSCHEDULABLE = "request.scheduler.status";
    /// A victim of preemption.
    PREEMPT = "request.scheduler.delete";
    /// The kubelet reads a Pod before it writes its status.
    KUBELET_GET = "request.kubelet.get";
    /// The kubelet reports a Pod's status.
    KUBELET_STATUS = "request.kubelet.status";
    /// A token for a Pod.
    TOKEN = "request.kubelet.token";
    /// A sign of life.
    LEASE = "request.kubelet.lease";
    /// A node's own status.
    NODE_STATUS = "request.kubelet.node";
    /// The Pod may disappear.
    KUBELET_DELETE = "request.kubelet.delete";
    /// Endpoints are written.
    ENDPOINTS = "request.endpointslice.write";
    /// A node's conditions are written for it.
    NODE_UNKNOWN = "request.node_lifecycle.status";
    /// Taints.
    TAINT = "request.node_lifecycle.taint";
    /// A silent node's Pods count as not ready.
    PODS_NOT_READY = "request.node_lifecycle.pod";
    /// Eviction by taint.
    EVICT = "request.taint_eviction.delete";
    /// Another read of a component.
    READ = "request.other.read";
    /// Another write of a component.
    WRITE = "request.other.write";
    /// Another delete of a component.
    DELETE = "request.other.delete";

    /// 201.
    CREATED = "response.created";
    /// 200.
    OK = "response.ok";
    /// 404.
    NOT_FOUND = "response.not_found";
    /// 409.
    CONFLICT = "response.conflict";
    /// Another refusal.
    REFUSED = "response.refused";

    /// A controller manager's caches hear of something.
    HEAR_MANAGER = "watch.manager";
    /// The scheduler hears of a Pod.
    HEAR_SCHEDULER_POD = "watch.scheduler.pod";
    /// The scheduler hears of a node.
    HEAR_SCHEDULER_NODE = "watch.scheduler.node";
    /// A kubelet hears of a Pod of its own.
    HEAR_KUBELET_POD = "watch.kubelet.pod";
    /// kube-proxy hears of endpoints or Services.
    HEAR_PROXY = "watch.proxy";

    /// No plugin changed anything.
    MUTATE_NONE = "apiserver.mutate_none";
    /// All validating plugins agree.
    ADMIT_ALL = "apiserver.admit_all";

    /// RunPodSandbox is called.
    CALL_SANDBOX = "cri.call.RunPodSandbox";
    /// PullImage is called.
    CALL_PULL = "cri.call.PullImage";
    /// CreateContainer is called.
    CALL_CREATE = "cri.call.CreateContainer";
    /// StartContainer is called.
    CALL_START = "cri.call.StartContainer";
    /// StopContainer is called.
    CALL_STOP = "cri.call.StopContainer";
    /// StopPodSandbox is called.
    CALL_STOP_SANDBOX = "cri.call.StopPodSandbox";

    /// The pause container's process is made.
    RUNC_PAUSE = "runc.create_pause";
}

/// The code of an event's words: its own, or one that tells more.
#[inline(never)]
pub fn code(event: &TraceEvent) -> &'static str {
    let kind = event.subject.as_ref().map(|s| s.kind);
    match (event.code, &event.data) {
        ("client.request", Data::Request(r)) => request(event.actor, r),
        ("client.response", _) => match event.arg("code").as_int() {
            Some(201) => CREATED,
            Some(200) => OK,
            Some(404) => NOT_FOUND,
            Some(409) => CONFLICT,
            Some(code) if code >= 400 => REFUSED,
            _ => event.code,
        },
        ("watch.event", _) => match (event.actor, kind) {
            (ComponentId::Controller(_), _) => HEAR_MANAGER,
            (ComponentId::Scheduler, Some(Kind::Pod)) => HEAR_SCHEDULER_POD,
            (ComponentId::Scheduler, Some(Kind::Node)) => HEAR_SCHEDULER_NODE,
            (ComponentId::Kubelet(_), Some(Kind::Pod)) => HEAR_KUBELET_POD,
            (ComponentId::KubeProxy(_), _) => HEAR_PROXY,
            _ => event.code,
        },
        ("apiserver.mutate", _) if event.arg("plugin").str_or_empty().is_empty() => MUTATE_NONE,
        ("apiserver.admit", _) if event.arg("plugin").str_or_empty().is_empty() => ADMIT_ALL,
        ("runc.create", _) if event.arg("container").str_or_empty() == "pause" => RUNC_PAUSE,
        ("cri.call", _) => match event.arg("call").str_or_empty() {
            "RunPodSandbox" => CALL_SANDBOX,
            "PullImage" => CALL_PULL,
            "CreateContainer" => CALL_CREATE,
            "StartContainer" => CALL_START,
            "StopContainer" => CALL_STOP,
            "StopPodSandbox" => CALL_STOP_SANDBOX,
            _ => event.code,
        },
        _ => event.code,
    }
}

fn request(actor: ComponentId, r: &Request) -> &'static str {
    let status = &*r.subresource == "status";
    if r.kind == Kind::Event && r.verb.writes() {
        return EVENT;
    }
    let own = match actor {
        ComponentId::Client(_) => Some(match r.verb {
            Verb::Get => CLIENT_GET,
            Verb::List | Verb::Watch => CLIENT_LIST,
            Verb::Create => CLIENT_CREATE,
            Verb::Delete | Verb::DeleteCollection => CLIENT_DELETE,
            _ => CLIENT_CHANGE,
        }),
        ComponentId::Scheduler => match (r.verb, &*r.subresource) {
            (Verb::Create, "binding") => Some(BIND),
            (Verb::Delete, _) => Some(PREEMPT),
            (_, "status") => Some(UNSCHEDULABLE),
            _ => None,
        },
        ComponentId::Kubelet(_) => match (r.verb, r.kind, &*r.subresource) {
            (_, Kind::Lease, _) => Some(LEASE),
            (_, Kind::Node, _) => Some(NODE_STATUS),
            (Verb::Get, Kind::Pod, _) => Some(KUBELET_GET),
            (_, Kind::Pod, "status") => Some(KUBELET_STATUS),
            (Verb::Delete, Kind::Pod, _) => Some(KUBELET_DELETE),
            (_, _, "token") => Some(TOKEN),
            _ => None,
        },
        ComponentId::Controller(controller) => match (controller, r.kind, r.verb) {
            (ControllerId::Deployment, Kind::ReplicaSet, Verb::Create) => Some(CREATE_REPLICASET),
            (ControllerId::Deployment, Kind::ReplicaSet, verb) if verb.writes() => {
                Some(CHANGE_REPLICASET)
            }
            (ControllerId::ReplicaSet, Kind::Pod, Verb::Create) => Some(CREATE_POD),
            (ControllerId::ReplicaSet, Kind::Pod, Verb::Delete) => Some(DELETE_POD),
            (ControllerId::EndpointSlice, _, verb) if verb.writes() => Some(ENDPOINTS),
            (ControllerId::NodeLifecycle, Kind::Node, _) if status => Some(NODE_UNKNOWN),
            (ControllerId::NodeLifecycle, Kind::Node, verb) if verb.writes() => Some(TAINT),
            (ControllerId::NodeLifecycle, Kind::Pod, _) if status => Some(PODS_NOT_READY),
            (ControllerId::TaintEviction, Kind::Pod, Verb::Delete) => Some(EVICT),
            (_, _, verb) if status && verb.writes() => Some(STATUS),
            _ => None,
        },
        _ => None,
    };
    own.unwrap_or(match r.verb {
        Verb::Get | Verb::List | Verb::Watch => READ,
        Verb::Delete | Verb::DeleteCollection => DELETE,
        _ => WRITE,
    })
}
