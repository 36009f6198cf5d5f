//! DaemonSets, StatefulSets, Jobs, CronJobs, budgets, autoscalers and leader election inside the whole cluster:
//! requests, Events and statuses as in the recordings.

use super::*;

fn template(name: &str, image: &str) -> Value {
    value!({
        "metadata": {"labels": {"app": (name)}},
        "spec": {
            "terminationGracePeriodSeconds": 10,
            "containers": [{"name": "c", "image": (image),
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}}}]
        }
    })
}

fn daemonset(name: &str) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": (name)}},
            "template": (template(name, "nginx:1.25"))}
    })
}

fn statefulset(name: &str, replicas: i64) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"serviceName": (name), "replicas": (replicas),
            "selector": {"matchLabels": {"app": (name)}},
            "template": (template(name, "nginx:1.25"))}
    })
}

fn job(name: &str, script: &str) -> Value {
    value!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", (script)]}]
        }}}
    })
}

fn patch(kind: Kind, name: &str, patch: Value) -> Request {
    let target = Object(value!({"metadata": {"name": (name), "namespace": "default"}}));
    crate::controllers::meta::strategic(kind, &target, "", patch)
}

fn image(image: &str) -> Value {
    value!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": (image)}]}}}})
}

impl Run {
    /// The status of an object in the namespace `default`.
    fn status(&self, kind: Kind, name: &str) -> Value {
        let object = self.get(kind, "default", name);
        object.map_or(Value::Null, |o| o.status().clone())
    }
    /// What a component wrote, without Events and without its own name.
    fn written(&self, who: &str) -> Vec<String> {
        let writes = self.writes().into_iter();
        let own = writes.filter_map(|w| Some(w.strip_prefix(who)?.trim().to_string()));
        own.filter(|w| !w.contains(" events ")).collect()
    }
    fn says(&self, event: &str) -> bool {
        self.events().iter().any(|e| e == event)
    }
    /// Names of the Pods, and of each the image.
    fn pods(&self) -> Vec<(String, String)> {
        let pods = self.list(Kind::Pod);
        let image = |p: &Object| p.at("spec.containers").index(0).get("image").clone();
        pods.iter()
            .map(|p| (p.name().into(), image(p).str_or_empty().into()))
            .collect()
    }
    fn inject(&mut self, kind: &str, params: Value) -> SimTime {
        let at = self.cluster.now();
        let (kind, name) = (kind.into(), kind.into());
        self.cluster
            .command(at, &Command::Inject { kind, name, params });
        at
    }
    fn mend(&mut self, name: &str) -> SimTime {
        let at = self.cluster.now();
        self.cluster
            .command(at, &Command::Heal { name: name.into() });
        at
    }
}

fn counts(status: &Value, fields: &[&str]) -> Vec<i64> {
    let count = |f: &&str| status.get(f).as_int().unwrap_or(0);
    fields.iter().map(count).collect()
}

const DS: &[&str] = &[
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
];

#[test]
fn a_daemonset_has_a_pod_on_every_node() {
    let mut run = Run::new();
    run.create(Kind::DaemonSet, daemonset("agent")).run(20_000);
    assert_eq!(
        counts(&run.status(Kind::DaemonSet, "agent"), DS),
        [3, 3, 3, 3, 3]
    );
    assert_eq!(
        run.written("daemon-set-controller")[..5],
        [
            "create controllerrevisions 201",
            "create pods 201",
            "create pods 201",
            "create pods 201",
            "update daemonsets/status 200"
        ]
    );
    assert_eq!(
        run.count("daemon-set-controller update daemonsets/status 409"),
        0
    );
    for node in ["node-1", "node-2", "node-3"] {
        let pods = run.pods_on(node);
        assert_eq!(pods.len(), 1, "{node}");
        let message = format!("Normal SuccessfulCreate Created pod: {}", pods[0].name());
        assert!(run.says(&message), "{message}");
        assert_eq!(pods[0].label("pod-template-generation"), Some("1"));
    }
}

#[test]
fn a_daemonset_rolls_node_by_node_and_outlives_a_cordon() {
    let mut run = Run::new();
    run.create(Kind::DaemonSet, daemonset("agent")).run(20_000);
    let node = Object(value!({"metadata": {"name": "node-2"}}));
    let cordon = value!({"spec": {"unschedulable": true}});
    run.send(crate::controllers::meta::strategic(
        Kind::Node,
        &node,
        "",
        cordon,
    ));
    run.run(2_000);
    assert_eq!(
        run.pods_on("node-2").len(),
        1,
        "daemon Pods tolerate a cordon"
    );
    run.send(patch(Kind::DaemonSet, "agent", image("nginx:1.27")));
    let mut least = 3;
    for _ in 0..120 {
        run.run(500);
        let status = run.status(Kind::DaemonSet, "agent");
        least = least.min(status.get("numberAvailable").as_int().unwrap_or(0));
    }
    assert_eq!(least, 2, "one Node at a time");
    assert_eq!(
        counts(&run.status(Kind::DaemonSet, "agent"), DS),
        [3, 3, 3, 3, 3]
    );
    assert!(run.pods().iter().all(|(_, image)| image == "nginx:1.27"));
    let revisions = run.list(Kind::ControllerRevision);
    assert_eq!(revisions.len(), 2);
    run.delete(Kind::DaemonSet, "agent", Propagation::Background)
        .run(60_000);
    assert!(run.list(Kind::Pod).is_empty());
    assert!(run.list(Kind::ControllerRevision).is_empty());
}

#[test]
fn a_daemonset_is_not_evicted_from_a_lost_node() {
    let mut run = Run::new();
    run.create(Kind::DaemonSet, daemonset("agent"));
    run.create(Kind::StatefulSet, statefulset("db", 3))
        .run(60_000);
    run.inject("node-power", value!({"target": "node-2"}));
    run.run(420_000);
    let there = run.pods_on("node-2");
    let agent = there.iter().find(|p| p.name().starts_with("agent"));
    assert!(agent.is_some_and(|p| !p.is_being_deleted()));
    // The StatefulSet's Pod is marked, and not replaced as long as its name is taken.
    let db = there.iter().find(|p| p.name().starts_with("db"));
    assert!(db.is_some_and(|p| p.is_being_deleted()), "{there:?}");
    let status = run.status(Kind::StatefulSet, "db");
    assert_eq!(counts(&status, &["replicas", "readyReplicas"]), [3, 2]);
    let name = db.map_or("", |p| p.name()).to_string();
    let mut force = Request::delete(Kind::Pod, "default", name.clone());
    force.options.grace_period_seconds = Some(0);
    run.send(force).run(20_000);
    let again = run.get(Kind::Pod, "default", &name).expect("the same name");
    assert_ne!(again.at("spec.nodeName").as_str(), Some("node-2"));
}

const SS: &[&str] = &["replicas", "readyReplicas", "updatedReplicas"];

#[test]
fn a_statefulset_comes_one_after_the_other() {
    let mut run = Run::new();
    run.create(Kind::StatefulSet, statefulset("db", 3))
        .run(60_000);
    assert_eq!(counts(&run.status(Kind::StatefulSet, "db"), SS), [3, 3, 3]);
    assert_eq!(
        run.written("statefulset-controller"),
        [
            "create controllerrevisions 201",
            "create pods 201",
            "update statefulsets/status 200",
            "update statefulsets/status 200",
            "create pods 201",
            "update statefulsets/status 200",
            "update statefulsets/status 200",
            "create pods 201",
            "update statefulsets/status 200",
            "update statefulsets/status 200",
            "update statefulsets/status 200"
        ],
        "as recorded"
    );
    assert!(run.says("Normal SuccessfulCreate Create Pod db-0 in StatefulSet db successful"));
    let pod = run.get(Kind::Pod, "default", "db-1").expect("pod");
    assert_eq!(pod.label("apps.kubernetes.io/pod-index"), Some("1"));
    assert_eq!(pod.at("spec.hostname").as_str(), Some("db-1"));
}

#[test]
fn a_partition_keeps_the_low_numbers_back() {
    let mut run = Run::new();
    let mut db = statefulset("db", 3);
    db.set(
        "spec.updateStrategy",
        value!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}),
    );
    run.create(Kind::StatefulSet, db).run(60_000);
    run.send(patch(Kind::StatefulSet, "db", image("nginx:1.27")))
        .run(60_000);
    let images = |run: &Run| -> Vec<String> { run.pods().into_iter().map(|(_, i)| i).collect() };
    assert_eq!(images(&run), ["nginx:1.25", "nginx:1.25", "nginx:1.27"]);
    // A Pod below the partition comes back as it was.
    run.delete(Kind::Pod, "db-0", Propagation::Background)
        .run(30_000);
    assert_eq!(images(&run), ["nginx:1.25", "nginx:1.25", "nginx:1.27"]);
    let all = value!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}});
    run.send(patch(Kind::StatefulSet, "db", all)).run(90_000);
    assert_eq!(images(&run), ["nginx:1.27"; 3]);
    let status = run.status(Kind::StatefulSet, "db");
    assert_eq!(status.get("currentRevision"), status.get("updateRevision"));
    run.send(patch(
        Kind::StatefulSet,
        "db",
        value!({"spec": {"replicas": 1}}),
    ))
    .run(60_000);
    let names: Vec<String> = run.pods().into_iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["db-0"]);
    assert!(run.says("Normal SuccessfulDelete Delete Pod db-2 in StatefulSet db successful"));
}

#[test]
fn parallel_pods_come_at_once_and_orphans_are_taken_back() {
    let mut run = Run::new();
    let mut par = statefulset("par", 3);
    par.set("spec.podManagementPolicy", "Parallel");
    run.create(Kind::StatefulSet, par.clone()).run(1_000);
    assert_eq!(run.pods().len(), 3);
    run.run(30_000);
    run.delete(Kind::StatefulSet, "par", Propagation::Orphan)
        .run(2_000);
    assert!(run.get(Kind::StatefulSet, "default", "par").is_none());
    let before: Vec<String> = run.list(Kind::Pod).iter().map(|p| p.uid().into()).collect();
    run.create(Kind::StatefulSet, par).run(10_000);
    let after = run.list(Kind::Pod);
    let uids: Vec<String> = after.iter().map(|p| p.uid().into()).collect();
    assert_eq!(uids, before, "the same Pods");
    assert!(after.iter().all(|p| p.controller().is_some()));
    assert_eq!(counts(&run.status(Kind::StatefulSet, "par"), SS), [3, 3, 3]);
}

#[test]
fn each_pod_of_a_statefulset_has_claims_of_its_own() {
    let mut run = Run::new();
    let mut db = statefulset("db", 1);
    let claim = value!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    db.set("spec.volumeClaimTemplates", vec![claim]);
    run.create(Kind::StatefulSet, db).run(2_000);
    let claim = run
        .get(Kind::PersistentVolumeClaim, "default", "data-db-0")
        .expect("claim");
    assert_eq!(claim.label("app"), Some("db"));
    let message =
        "Normal SuccessfulCreate Create Claim data-db-0 Pod db-0 in StatefulSet db success";
    assert!(run.says(message), "{:?}", run.events());
    let pod = run.get(Kind::Pod, "default", "db-0").expect("pod");
    let volumes = pod.at("spec.volumes").items();
    let named = |v: &Value| v.at("persistentVolumeClaim.claimName").as_str() == Some("data-db-0");
    assert!(volumes.iter().any(named));
}

#[test]
fn a_job_counts_each_pod_once() {
    let mut run = Run::new();
    let mut ok = job("ok", "sleep 1");
    ok.set("spec.completions", 3);
    ok.set("spec.parallelism", 2);
    run.create(Kind::Job, ok).run(30_000);
    let status = run.status(Kind::Job, "ok");
    assert_eq!(
        counts(&status, &["succeeded", "failed", "active", "ready"]),
        [3, 0, 0, 0]
    );
    let types: Vec<&str> = status
        .get("conditions")
        .items()
        .iter()
        .map(|c| c.get("type").str_or_empty())
        .collect();
    assert_eq!(types, ["SuccessCriteriaMet", "Complete"]);
    assert!(run.says("Normal Completed Job completed"));
    assert_eq!(run.count("job-controller create pods 201"), 3);
    assert_eq!(
        run.count("job-controller patch pods 200"),
        3,
        "a finalizer each"
    );
    let finalizers = |p: &Rc<Object>| p.at("metadata.finalizers").items().len();
    assert!(run.list(Kind::Pod).iter().all(|p| finalizers(p) == 0));
}

#[test]
fn a_job_gives_up_after_its_limit() {
    let mut run = Run::new();
    let mut bad = job("bad", "sleep 1; exit 1");
    bad.set("spec.backoffLimit", 2);
    run.create(Kind::Job, bad).run(120_000);
    let status = run.status(Kind::Job, "bad");
    assert_eq!(counts(&status, &["failed", "succeeded"]), [3, 0]);
    assert!(run.says("Warning BackoffLimitExceeded Job has reached the specified backoff limit"));
    // 10 s and 20 s after the failures before, as recorded.
    let mut born: Vec<i64> = run
        .list(Kind::Pod)
        .iter()
        .filter_map(|p| p.created())
        .map(|t| t.unix_seconds())
        .collect();
    born.sort();
    let gaps = (born[1] - born[0], born[2] - born[1]);
    assert!(
        (11..=13).contains(&gaps.0) && (21..=23).contains(&gaps.1),
        "{gaps:?}"
    );
}

#[test]
fn an_indexed_job_suspends_times_out_and_goes_away() {
    let mut run = Run::new();
    let mut work = job("work", "sleep 1");
    work.set("spec.completions", 4);
    work.set("spec.parallelism", 2);
    work.set("spec.completionMode", "Indexed");
    work.set("spec.suspend", true);
    work.set("spec.ttlSecondsAfterFinished", 20);
    run.create(Kind::Job, work).run(5_000);
    assert!(run.list(Kind::Pod).is_empty());
    assert!(run.says("Normal Suspended Job suspended"));
    run.send(patch(
        Kind::Job,
        "work",
        value!({"spec": {"suspend": false}}),
    ))
    .run(2_000);
    assert!(run.says("Normal Resumed Job resumed"));
    let hosts: Vec<String> = run
        .list(Kind::Pod)
        .iter()
        .map(|p| p.at("spec.hostname").str_or_empty().to_string())
        .collect();
    assert_eq!(hosts, ["work-0", "work-1"]);
    run.run(15_000);
    let status = run.status(Kind::Job, "work");
    assert_eq!(status.get("completedIndexes").as_str(), Some("0-3"));
    run.run(30_000);
    assert!(
        run.get(Kind::Job, "default", "work").is_none(),
        "its time is over"
    );
    assert!(run.list(Kind::Pod).is_empty());

    let mut late = job("late", "sleep 300");
    late.set("spec.activeDeadlineSeconds", 5);
    run.create(Kind::Job, late).run(60_000);
    let message = "Warning DeadlineExceeded Job was active longer than specified deadline";
    assert!(run.says(message), "{:?}", run.events());
    assert!(run.list(Kind::Pod).is_empty());
}

#[test]
fn a_pod_failure_policy_decides() {
    let mut run = Run::new();
    let mut bad = job("bad", "exit 42");
    bad.set(
        "spec.podFailurePolicy",
        value!({"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}),
    );
    run.create(Kind::Job, bad).run(20_000);
    let name = run
        .pods()
        .first()
        .map(|(n, _)| n.clone())
        .unwrap_or_default();
    let message = format!(
        "Warning PodFailurePolicy Container c for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
    );
    assert!(run.says(&message), "{:?}", run.events());
    assert_eq!(run.pods().len(), 1);
}

#[test]
fn a_job_that_is_deleted_takes_its_pods_along() {
    let mut run = Run::new();
    run.create(Kind::Job, job("work", "sleep 100")).run(10_000);
    assert_eq!(run.pods().len(), 1);
    run.delete(Kind::Job, "work", Propagation::Background)
        .run(60_000);
    assert!(run.list(Kind::Pod).is_empty(), "no finalizer holds them");
}

#[test]
fn a_cronjob_starts_a_job_each_minute() {
    let mut run = Run::new();
    let spec = job("x", "sleep 2").remove("spec").expect("spec");
    let cron = value!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "default"},
        "spec": {"schedule": "* * * * *", "successfulJobsHistoryLimit": 2,
            "jobTemplate": {"spec": (spec)}}
    });
    run.create(Kind::CronJob, cron).run(270_000);
    let jobs: Vec<String> = run
        .list(Kind::Job)
        .iter()
        .map(|j| j.name().into())
        .collect();
    assert_eq!(jobs, ["tick-29919483", "tick-29919484"]);
    for event in [
        "Normal SuccessfulCreate Created job tick-29919481",
        "Normal SawCompletedJob Saw completed job: tick-29919481, condition: Complete",
        "Normal SuccessfulDelete Deleted job tick-29919481",
    ] {
        assert!(run.says(event), "{event}");
    }
    let status = run.status(Kind::CronJob, "tick");
    assert_eq!(
        status.get("lastScheduleTime").as_str(),
        Some("2026-11-20T10:04:00Z")
    );
    run.send(patch(
        Kind::CronJob,
        "tick",
        value!({"spec": {"suspend": true}}),
    ))
    .run(130_000);
    assert_eq!(run.list(Kind::Job).len(), 2, "nothing while suspended");
}

fn evict(run: &mut Run, pod: &str) -> (u16, String) {
    let mut request = Request::new(podscope_api::Verb::Create, Kind::Pod, "default", pod);
    request.subresource = "eviction".into();
    let body = value!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": (pod), "namespace": "default"}});
    request.body = podscope_api::Body::Object(Rc::new(Object(body)));
    run.cluster.take_answers();
    run.send(request).run(100);
    match &*run.cluster.take_answers().pop().expect("an answer").2 {
        Ok(answer) => (
            answer.code,
            answer.object.at("status").str_or_empty().into(),
        ),
        Err(podscope_api::Failure::Status(status)) => (status.code, status.message.to_string()),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_budget_keeps_two_of_three() {
    const PDB: &[&str] = &[
        "expectedPods",
        "desiredHealthy",
        "currentHealthy",
        "disruptionsAllowed",
    ];
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(20_000);
    let budget = value!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minAvailable": "60%", "selector": {"matchLabels": {"app": "web"}}}
    });
    run.create(Kind::PodDisruptionBudget, budget).run(1_000);
    let numbers = |run: &Run| counts(&run.status(Kind::PodDisruptionBudget, "web"), PDB);
    assert_eq!(numbers(&run), [3, 2, 3, 1], "60% of 3, rounded up");
    let pods: Vec<String> = run.pods().into_iter().map(|(n, _)| n).collect();
    assert_eq!(evict(&mut run, &pods[0]), (201, "Success".into()));
    let blocked = "Cannot evict pod as it would violate the pod's disruption budget.";
    assert_eq!(evict(&mut run, &pods[1]), (429, blocked.into()));
    let gone = run
        .get(Kind::Pod, "default", &pods[0])
        .expect("still stopping");
    let condition = gone.condition("DisruptionTarget");
    assert_eq!(
        condition.get("reason").as_str(),
        Some("EvictionByEvictionAPI")
    );
    run.run(40_000);
    assert_eq!(numbers(&run), [3, 2, 3, 1]);
    assert_eq!(evict(&mut run, &pods[1]), (201, "Success".into()));
}

#[test]
fn an_autoscaler_follows_the_load() {
    let mut run = Run::new();
    let mut web = deployment("web", 2, "nginx:1.25");
    let container = value!({"name": "c", "image": "nginx:1.25",
        "resources": {"requests": {"cpu": "100m"}}});
    web.set("spec.template.spec.containers", vec![container]);
    let annotations = web.at_mut("metadata.annotations").map_mut();
    annotations.insert("podscope.dev/cpu-load", "600m".into());
    run.create(Kind::Deployment, web).run(20_000);
    let scaler = value!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minReplicas": 2, "maxReplicas": 10,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50}}}]}
    });
    run.create(Kind::HorizontalPodAutoscaler, scaler)
        .run(180_000);
    let above = "cpu resource utilization (percentage of request) above target";
    assert!(run.says(&format!(
        "Normal SuccessfulRescale New size: 4; reason: {above}"
    )));
    let status = run.status(Kind::HorizontalPodAutoscaler, "web");
    assert_eq!(
        counts(&status, &["currentReplicas", "desiredReplicas"]),
        [10, 10]
    );
    let less = value!({"metadata": {"annotations": {"podscope.dev/cpu-load": "100m"}}});
    run.send(patch(Kind::Deployment, "web", less)).run(240_000);
    let status = run.status(Kind::HorizontalPodAutoscaler, "web");
    assert_eq!(
        counts(&status, &["desiredReplicas"]),
        [10],
        "shrinking waits 5 minutes"
    );
    run.run(160_000);
    let status = run.status(Kind::HorizontalPodAutoscaler, "web");
    assert_eq!(counts(&status, &["desiredReplicas"]), [2]);
    assert!(run.says("Normal SuccessfulRescale New size: 2; reason: All metrics below target"));
}

#[test]
fn a_restarted_controller_manager_waits_for_its_lease() {
    let mut run = Run::new();
    run.run(5_000);
    run.inject("controller-manager-down", value!({}));
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(10_000);
    assert!(run.list(Kind::ReplicaSet).is_empty());
    let healed = run.mend("controller-manager-down");
    run.run(40_000);
    // Recorded: it leads 18.7 s after its start, and works within the next two.
    let leads = run.first(crate::election::ACQUIRED, healed).expect("leads");
    assert!((16..=20).contains(&leads), "{leads}");
    assert_eq!(run.list(Kind::ReplicaSet).len(), 1);
    let lease = run
        .get(Kind::Lease, "kube-system", "kube-controller-manager")
        .expect("lease");
    assert_eq!(lease.at("spec.leaseTransitions").as_int(), Some(1));
    let holder = lease.at("spec.holderIdentity").str_or_empty();
    assert!(run.says(&format!("Normal LeaderElection {holder} became leader")));
    assert!(run.cluster.sim.election.is_quiet());
}

#[test]
fn a_scheduler_that_is_asked_to_end_lets_go_of_its_lease() {
    let mut run = Run::new();
    run.run(5_000);
    run.inject("scheduler-down", value!({}));
    let lease = run.get(Kind::Lease, "kube-system", "kube-scheduler");
    assert_eq!(
        lease.expect("lease").at("spec.holderIdentity").as_str(),
        Some("")
    );
    run.run(3_000);
    let healed = run.mend("scheduler-down");
    run.run(5_000);
    let leads = run.first(crate::election::ACQUIRED, healed).expect("leads");
    assert!(leads <= 1, "recorded: bound 0.81 s later");
}

#[test]
fn without_the_api_server_the_leaders_end_and_come_back() {
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 2, "nginx:1.25"))
        .run(20_000);
    let broken = run.inject("apiserver-down", value!({}));
    run.run(5_000);
    assert_eq!(run.first(crate::election::LOST, broken), None);
    run.run(55_000);
    // Recorded: 10.8 s and 11.4 s.
    let lost = run.first(crate::election::LOST, broken).expect("exits");
    assert!((10..=12).contains(&lost), "{lost}");
    let healed = run.mend("apiserver-down");
    run.run(60_000);
    // The API server takes 3 s to come back; recorded: 20 to 23 s after that.
    let leads = run.first(crate::election::ACQUIRED, healed).expect("leads");
    assert!((18..=26).contains(&leads), "{leads}");
    assert!(run.cluster.sim.election.is_quiet());
    assert!(run.list(Kind::Pod).iter().all(|p| !p.is_being_deleted()));
}

#[test]
fn a_short_outage_does_not_change_the_leader() {
    let mut run = Run::new();
    run.run(5_000);
    let broken = run.inject("apiserver-down", value!({}));
    run.run(4_000);
    run.mend("apiserver-down");
    run.run(60_000);
    assert_eq!(run.first(crate::election::LOST, broken), None);
    assert!(run.cluster.sim.election.is_quiet());
}
