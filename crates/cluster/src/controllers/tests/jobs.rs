//! Jobs, CronJobs, budgets, autoscalers and leader election inside the whole cluster, as in the recordings.

use super::workloads::{counts, job, patch};
use super::*;

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

#[test]
fn a_secret_gets_its_accounts_token_and_goes_with_it() {
    let mut run = Run::new();
    let account = value!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "robot", "namespace": "default"}});
    run.create(Kind::ServiceAccount, account).run(1_000);
    let secret = value!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "robot-token", "namespace": "default",
            "annotations": {"kubernetes.io/service-account.name": "robot"}},
        "type": "kubernetes.io/service-account-token"});
    run.create(Kind::Secret, secret).run(2_000);
    let secret = run
        .get(Kind::Secret, "default", "robot-token")
        .expect("secret");
    for key in ["token", "ca.crt", "namespace"] {
        assert!(!secret.at("data").get(key).is_empty(), "{key}");
    }
    run.delete(Kind::ServiceAccount, "robot", Propagation::Background)
        .run(2_000);
    assert!(run.get(Kind::Secret, "default", "robot-token").is_none());
}

#[test]
fn without_a_majority_of_etcd_nobody_leads() {
    let mut run = Run::new();
    run.run(5_000);
    let at = run.cluster.now();
    for member in ["0", "1"] {
        let inject = Command::Inject {
            kind: "etcd-member-down".into(),
            name: member.into(),
            params: value!({"target": (member)}),
        };
        run.cluster.command(at, &inject);
    }
    run.run(40_000);
    // Recorded: +10.1 s and +16.7 s.
    let lost = run.first(crate::election::LOST, at).expect("exits");
    assert!((10..=13).contains(&lost), "{lost}");
    let healed = run.mend("0");
    run.run(60_000);
    let leads = run.first(crate::election::ACQUIRED, healed).expect("leads");
    // Recorded: leaders again 17.5 s after the quorum is back.
    assert!((15..=22).contains(&leads), "{leads}");
    assert!(run.cluster.sim.election.is_quiet());
}
