//! DaemonSets and StatefulSets inside the whole cluster: requests, Events and statuses as in the recordings.

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

pub(super) fn job(name: &str, script: &str) -> Value {
    value!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", (script)]}]
        }}}
    })
}

pub(super) fn patch(kind: Kind, name: &str, patch: Value) -> Request {
    let target = Object(value!({"metadata": {"name": (name), "namespace": "default"}}));
    crate::controllers::meta::strategic(kind, &target, "", patch)
}

fn image(image: &str) -> Value {
    value!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": (image)}]}}}})
}

impl Run {
    /// The status of an object in the namespace `default`.
    pub(super) fn status(&self, kind: Kind, name: &str) -> Value {
        let object = self.get(kind, "default", name);
        object.map_or(Value::Null, |o| o.status().clone())
    }
    /// What a component wrote, without Events and without its own name.
    pub(super) fn written(&self, who: &str) -> Vec<String> {
        let writes = self.writes().into_iter();
        let own = writes.filter_map(|w| Some(w.strip_prefix(who)?.trim().to_string()));
        own.filter(|w| !w.contains(" events ")).collect()
    }
    pub(super) fn says(&self, event: &str) -> bool {
        self.events().iter().any(|e| e == event)
    }
    /// Names of the Pods, and of each the image.
    pub(super) fn pods(&self) -> Vec<(String, String)> {
        let pods = self.list(Kind::Pod);
        let image = |p: &Object| p.at("spec.containers").index(0).get("image").clone();
        pods.iter()
            .map(|p| (p.name().into(), image(p).str_or_empty().into()))
            .collect()
    }
    pub(super) fn inject(&mut self, kind: &str, params: Value) -> SimTime {
        let at = self.cluster.now();
        let (kind, name) = (kind.into(), kind.into());
        self.cluster
            .command(at, &Command::Inject { kind, name, params });
        at
    }
    pub(super) fn mend(&mut self, name: &str) -> SimTime {
        let at = self.cluster.now();
        self.cluster
            .command(at, &Command::Heal { name: name.into() });
        at
    }
}

pub(super) fn counts(status: &Value, fields: &[&str]) -> Vec<i64> {
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
