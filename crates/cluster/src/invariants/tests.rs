//! Each invariant finds what it forbids, and a cluster that nobody disturbs breaks none.

use super::checker::at_rest;
use super::*;
use crate::{ClusterConfig, Command, ControllerId};
use podscope_api::{Request, Value, value};
use podscope_kernel::SimDuration;

fn pod(name: &str, node: &str, phase: &str, ready: &str) -> Value {
    value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": (name), "namespace": "default", "uid": (format!("u-{name}")),
            "resourceVersion": "900", "labels": {"app": "web"}},
        "spec": {"nodeName": (node), "containers": [
            {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "3"}}}]},
        "status": {"phase": (phase), "podIP": "10.244.1.9",
            "conditions": [{"type": "Ready", "status": (ready)}],
            "containerStatuses": [{"name": "c", "restartCount": 2}]}
    })
}

fn with(mut object: Value, path: &str, value: impl Into<Value>) -> Value {
    object.set(path, value);
    object
}

/// What a rule about changes says of one, by a person unless another actor is given.
fn judge(name: &str, old: Option<Value>, new: Option<Value>) -> Option<Finding> {
    judge_in(
        &Cluster::new(ClusterConfig::default()),
        name,
        None,
        old,
        new,
    )
}

fn judge_in(
    cluster: &Cluster,
    name: &str,
    actor: Option<ComponentId>,
    old: Option<Value>,
    new: Option<Value>,
) -> Option<Finding> {
    let mut history = History::default();
    let stored = cluster.etcd.objects().iter();
    let stored = stored.map(|((kind, _), s)| (*kind, s.object.clone()));
    history.start(stored, SimTime::ZERO);
    let (old, new) = (
        old.map(|o| Rc::new(Object(o))),
        new.map(|o| Rc::new(Object(o))),
    );
    let object = new.as_ref().or(old.as_ref()).cloned().unwrap_or_default();
    let commit = Commit {
        cluster,
        history: &history,
        kind: object.kind().expect("a kind"),
        key: &object.key(),
        revision: 900,
        at: SimTime::ZERO,
        old: old.as_ref(),
        new: new.as_ref(),
        actor,
    };
    match invariant(name).expect("it is there").rule {
        Rule::Change(rule) => rule(&commit),
        _ => panic!("{name} is not about changes"),
    }
}

/// What a rule says of a cluster.
fn state(name: &str, cluster: &Cluster) -> Vec<Finding> {
    let mut found = Vec::new();
    match invariant(name).expect("it is there").rule {
        Rule::Rest(rule) | Rule::Runtime(rule) | Rule::Tick(rule) => rule(cluster, &mut found),
        Rule::Change(_) => panic!("{name} is about changes"),
    }
    found
}

fn put(cluster: &mut Cluster, object: Value) {
    let object = Object(object);
    let kind = object.kind().expect("a kind");
    cluster.etcd.commit(kind, object.key(), Some(object));
}

#[test]
fn forbidden_changes_of_pods_are_found() {
    let run = || pod("p", "node-1", "Running", "True");
    for (name, old, new) in [
        (
            "bound-pod-stays",
            run(),
            pod("p", "node-2", "Running", "True"),
        ),
        ("bound-pod-stays", run(), pod("p", "", "Running", "True")),
        (
            "phase-goes-forward",
            run(),
            pod("p", "node-1", "Pending", "False"),
        ),
        (
            "ended-stays-ended",
            pod("p", "node-1", "Failed", "False"),
            run(),
        ),
        (
            "restarts-count-up",
            run(),
            with(
                run(),
                "status.containerStatuses",
                value!([{"name": "c", "restartCount": 1}]),
            ),
        ),
        (
            "uids-are-given-once",
            run(),
            with(run(), "metadata.uid", "another"),
        ),
        (
            "revisions-grow",
            run(),
            with(run(), "metadata.resourceVersion", "5"),
        ),
        (
            "deletion-is-final",
            with(run(), "metadata.deletionTimestamp", "2026-11-20T10:00:30Z"),
            run(),
        ),
        (
            "deletion-is-final",
            with(run(), "metadata.deletionTimestamp", "2026-11-20T10:00:30Z"),
            with(run(), "metadata.deletionTimestamp", "2026-11-20T10:00:31Z"),
        ),
        (
            "generation-grows",
            with(run(), "metadata.generation", 3),
            with(run(), "metadata.generation", 2),
        ),
        (
            "observed-generation-grows",
            run(),
            with(run(), "status.observedGeneration", 7),
        ),
        (
            "one-controller",
            run(),
            with(
                run(),
                "metadata.ownerReferences",
                value!([{"uid": "a", "controller": true}, {"uid": "b", "controller": true}]),
            ),
        ),
        (
            "conditions-are-unique",
            run(),
            with(
                run(),
                "status.conditions",
                value!([{"type": "Ready"}, {"type": "Ready"}]),
            ),
        ),
    ] {
        assert_eq!(judge(name, Some(run()), Some(run())), None, "{name}");
        assert!(judge(name, Some(old), Some(new)).is_some(), "{name}");
    }
    let held = with(run(), "metadata.finalizers", value!(["a", "b"]));
    assert!(judge("finalizers-hold", Some(held), None).is_some());
    assert!(judge("finalizers-hold", Some(run()), None).is_none());
    let mut cluster = Cluster::new(ClusterConfig::default());
    put(&mut cluster, run());
    let again = pod("q", "", "Pending", "False");
    let twice = with(again.clone(), "metadata.uid", "u-p");
    let judge = |new| judge_in(&cluster, "uids-are-given-once", None, None, Some(new));
    assert!(judge(twice).is_some() && judge(again).is_none());
}

#[test]
fn forbidden_changes_of_others_are_found() {
    let lease = |holder: &str| {
        value!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "l", "namespace": "kube-system"},
            "spec": {"holderIdentity": (holder), "leaseDurationSeconds": 15,
                "renewTime": "2026-11-20T10:00:00.000000Z"}})
    };
    assert!(judge("lease-has-one-holder", Some(lease("a")), Some(lease("b"))).is_some());
    assert!(judge("lease-has-one-holder", Some(lease("")), Some(lease("b"))).is_none());
    let old = with(lease("a"), "spec.renewTime", "2026-11-20T09:59:00.000000Z");
    assert!(judge("lease-has-one-holder", Some(old), Some(lease("b"))).is_none());
    let job = |succeeded: i64, complete: &str| {
        value!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "j", "namespace": "default"},
            "status": {"succeeded": (succeeded),
                "conditions": [{"type": "Complete", "status": (complete)}]}})
    };
    let (done, less) = (job(2, "True"), job(1, "False"));
    assert!(judge("job-stays-finished", Some(done.clone()), Some(less.clone())).is_some());
    assert!(judge("job-counts-grow", Some(done.clone()), Some(less.clone())).is_some());
    assert!(judge("job-counts-grow", Some(less), Some(done)).is_none());
}

fn owned(pod: Value, kind: &str, name: &str) -> Value {
    let owner = value!({"apiVersion": "apps/v1", "kind": (kind), "name": (name),
        "uid": (format!("u-{name}")), "controller": true});
    with(pod, "metadata.ownerReferences", Value::list([owner]))
}

fn workload(kind: &str, name: &str, replicas: i64) -> Value {
    value!({"apiVersion": "apps/v1", "kind": (kind),
        "metadata": {"name": (name), "namespace": "default", "uid": (format!("u-{name}"))},
        "spec": {"replicas": (replicas), "strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}})
}

#[test]
fn workloads_that_break_their_bounds_are_found() {
    let by = |c| Some(ComponentId::Controller(c));
    let mut cluster = Cluster::new(ClusterConfig::default());
    put(&mut cluster, workload("Deployment", "web", 2));
    let set = |n| owned(workload("ReplicaSet", "web-1", n), "Deployment", "web");
    for (replicas, broken) in [(3, false), (4, true)] {
        put(&mut cluster, set(replicas));
        let actor = by(ControllerId::Deployment);
        let found = judge_in(&cluster, "rollout-surge", actor, None, Some(set(replicas)));
        assert_eq!(found.is_some(), broken, "{replicas}");
    }
    let served = |name: &str| {
        owned(
            pod(name, "node-1", "Running", "True"),
            "ReplicaSet",
            "web-1",
        )
    };
    put(&mut cluster, served("a"));
    let actor = by(ControllerId::ReplicaSet);
    let gone = |cluster: &Cluster| {
        judge_in(cluster, "rollout-available", actor, Some(served("z")), None).is_some()
    };
    assert!(gone(&cluster), "one is left of two");
    put(&mut cluster, served("b"));
    assert!(!gone(&cluster), "two are left of two");

    put(&mut cluster, workload("StatefulSet", "db", 3));
    let ordinal = |name: &str| owned(pod(name, "", "Pending", "False"), "StatefulSet", "db");
    let actor = by(ControllerId::StatefulSet);
    let judge = |rule: &str, name: &str| {
        judge_in(&cluster, rule, actor, None, Some(ordinal(name))).is_some()
    };
    assert!(judge("statefulset-in-order", "db-1") && !judge("statefulset-in-order", "db-0"));
    assert!(judge("statefulset-ordinals", "db-x") && !judge("statefulset-ordinals", "db-1"));

    // Two Pods of 3 CPUs on a Node with 4.
    let bound = pod("b", "node-1", "Pending", "False");
    let actor = Some(ComponentId::Scheduler);
    let unbound = pod("b", "", "Pending", "False");
    let found = judge_in(&cluster, "node-has-room", actor, Some(unbound), Some(bound));
    assert_eq!(
        found.map(|f| f.expected.to_string()),
        Some("cpu 4000".into())
    );
}

#[test]
fn a_state_that_must_not_be_is_found() {
    let mut cluster = Cluster::new(ClusterConfig::default());
    for rule in ALL {
        if !matches!(rule.rule, Rule::Change(_)) {
            assert_eq!(state(rule.name(), &cluster), [], "{}", rule.name());
        }
    }
    let orphan = owned(pod("p", "node-1", "Running", "False"), "ReplicaSet", "gone");
    put(&mut cluster, orphan);
    put(
        &mut cluster,
        with(workload("ReplicaSet", "rs", 2), "spec.selector", value!({})),
    );
    put(
        &mut cluster,
        with(workload("Deployment", "d", 2), "status.replicas", 2),
    );
    for name in ["a", "b"] {
        put(
            &mut cluster,
            owned(pod(name, "node-1", "Running", "True"), "DaemonSet", "ds"),
        );
    }
    put(&mut cluster, workload("DaemonSet", "ds", 0));
    put(
        &mut cluster,
        value!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": {"app": "web"}}}),
    );
    put(
        &mut cluster,
        value!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": "s-1", "namespace": "default",
                "labels": {"kubernetes.io/service-name": "s"}},
            "endpoints": [{"conditions": {"ready": true},
                "targetRef": {"kind": "Pod", "name": "p", "uid": "u-p"}}]}),
    );
    let later = SimTime::ZERO + SimDuration::secs(80);
    cluster.idle_until(later);
    for name in [
        "owners-resolve",
        "caches-equal-the-store",
        "endpoints-are-ready",
        "ready-pods-are-endpoints",
        "replicaset-counts",
        "workload-counts",
        "one-daemon-per-node",
        "machines-run-what-is-bound",
        "scheduler-counts-right",
        "ready-needs-a-lease",
    ] {
        assert_ne!(state(name, &cluster), [], "{name}");
    }
}

/// Plays a cluster with commands and gives what the checker found.
fn play(commands: &[(u64, Command)], until: u64) -> (Cluster, Checker) {
    let mut cluster = Cluster::new(ClusterConfig::default());
    let mut checker = Checker::new(&cluster);
    let mut look = |cluster: &mut Cluster| {
        let events = cluster.take_trace();
        checker.step(cluster, &events);
    };
    look(&mut cluster);
    let mut run = |cluster: &mut Cluster, until: SimTime| {
        while cluster.next_time().is_some_and(|t| t <= until) {
            cluster.step();
            look(cluster);
        }
    };
    for (at, command) in commands {
        let at = SimTime::ZERO + SimDuration::millis(*at);
        run(&mut cluster, at);
        cluster.command(at, command);
    }
    run(&mut cluster, SimTime::ZERO + SimDuration::millis(until));
    (cluster, checker)
}

fn request(request: Request) -> Command {
    Command::Request(Rc::new(request))
}

fn plain(name: &str) -> Command {
    let object = value!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "nginx:1.25"}]}});
    request(Request::create(Kind::Pod, Object(object)))
}

#[test]
fn a_pod_that_is_forced_away_from_a_lost_machine_runs_twice_and_that_is_explained() {
    let mut delete = Request::delete(Kind::Pod, "default", "p");
    delete.options.grace_period_seconds = Some(0);
    let mut elsewhere = value!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"}});
    elsewhere.set(
        "spec",
        value!({"nodeName": "node-2", "containers": [{"name": "c", "image": "nginx:1.25"}]}),
    );
    let again = Request::create(Kind::Pod, Object(elsewhere));
    let cut = Command::Inject {
        kind: "partition".into(),
        name: "cut".into(),
        params: value!({"target": "node-1"}),
    };
    let commands = [
        (1, plain("p")),
        (20_000, cut),
        (21_000, request(delete)),
        (22_000, request(again)),
    ];
    let (_, checker) = play(&commands, 45_000);
    let [twice] = checker.violations() else {
        panic!("{:?}", checker.violations());
    };
    assert_eq!(twice.invariant.name(), "pod-runs-once");
    assert_eq!(twice.excuse.as_deref(), Some("partition"));
    assert_eq!(&*twice.finding.found, "node-1, node-2");
    assert!(twice.event > 0);
}

#[test]
fn a_cluster_that_nobody_disturbs_breaks_nothing_and_comes_to_rest() {
    let (cluster, checker) = play(&[(1, plain("p"))], 30_000);
    assert!(
        checker.violations().is_empty(),
        "{:?}",
        checker.violations()
    );
    assert!(at_rest(&cluster));
}
