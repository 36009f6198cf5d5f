//! DaemonSets and StatefulSets inside the whole cluster.

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
        "spec": {"selector": {"matchLabels": {"app": (name)}}, "template": (template(name, "nginx:1.25"))}
    })
}

fn statefulset(name: &str, replicas: i64) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": (name), "namespace": "default"},
        "spec": {"serviceName": (name), "replicas": (replicas),
            "selector": {"matchLabels": {"app": (name)}},
            "template": (template(name, "postgres:15"))}
    })
}

fn patch(kind: Kind, name: &str, patch: Value) -> Request {
    let target = Object(value!({"metadata": {"name": (name), "namespace": "default"}}));
    crate::controllers::meta::strategic(kind, &target, "", patch)
}

fn image(image: &str) -> Value {
    value!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": (image)}]}}}})
}

#[test]
fn a_daemonset_has_a_pod_on_every_node() {
    let mut run = Run::new();
    run.create(Kind::DaemonSet, daemonset("agent")).run(20_000);
    let set = run.get(Kind::DaemonSet, "default", "agent").expect("set");
    println!("{}", podscope_api::json::to_string_pretty(set.status()));
    for w in run.writes() {
        if !w.contains("events") {
            println!("{w}");
        }
    }
    for w in run.events() {
        println!("{w}");
    }
    assert_eq!(set.at("status.numberAvailable").as_int(), Some(3));
}

#[test]
fn a_statefulset_comes_one_after_the_other() {
    let mut run = Run::new();
    run.create(Kind::StatefulSet, statefulset("db", 3))
        .run(60_000);
    let set = run.get(Kind::StatefulSet, "default", "db").expect("set");
    println!("{}", podscope_api::json::to_string_pretty(set.status()));
    for w in run.writes() {
        if !w.contains("events") {
            println!("{w}");
        }
    }
    for w in run.events() {
        println!("{w}");
    }
    assert_eq!(set.at("status.availableReplicas").as_int(), Some(3));
    run.send(patch(Kind::StatefulSet, "db", image("postgres:16")))
        .run(100_000);
    let set = run.get(Kind::StatefulSet, "default", "db").expect("set");
    println!("{}", podscope_api::json::to_string_pretty(set.status()));
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

#[test]
fn a_job_counts_each_pod_once() {
    let mut run = Run::new();
    let mut ok = job("ok", "sleep 1");
    ok.set("spec.completions", 3);
    ok.set("spec.parallelism", 2);
    run.create(Kind::Job, ok).run(30_000);
    for w in run.writes() {
        if w.contains("job") {
            println!("{w}");
        }
    }
    let job = run.get(Kind::Job, "default", "ok").expect("job");
    println!("{}", podscope_api::json::to_string_pretty(job.status()));
    for w in run.events() {
        println!("{w}");
    }
}

#[test]
fn a_job_gives_up_after_its_limit() {
    let mut run = Run::new();
    let mut bad = job("bad", "sleep 1; exit 1");
    bad.set("spec.backoffLimit", 2);
    run.create(Kind::Job, bad).run(120_000);
    for w in run.writes() {
        if w.contains("job") {
            println!("{w}");
        }
    }
    let job = run.get(Kind::Job, "default", "bad").expect("job");
    println!("{}", podscope_api::json::to_string_pretty(job.status()));
    for w in run.events() {
        println!("{w}");
    }
    for p in run.list(Kind::Pod) {
        println!(
            "{} {} {}",
            p.name(),
            p.at("metadata.creationTimestamp").str_or_empty(),
            p.at("metadata.finalizers").items().len()
        );
    }
}

#[test]
fn a_cronjob_starts_a_job_each_minute() {
    let mut run = Run::new();
    let cron = value!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "default"},
        "spec": {"schedule": "* * * * *", "successfulJobsHistoryLimit": 2,
            "jobTemplate": {"spec": (job("x", "sleep 2").remove("spec").expect("spec"))}}
    });
    run.create(Kind::CronJob, cron).run(270_000);
    for w in run.writes() {
        if w.contains("job") {
            println!("{w}");
        }
    }
    let cron = run.get(Kind::CronJob, "default", "tick").expect("cron");
    println!("{}", podscope_api::json::to_string_pretty(&cron));
    for w in run.events() {
        println!("{w}");
    }
    for p in run.list(Kind::Job) {
        println!(
            "{} {}",
            p.name(),
            p.at("metadata.creationTimestamp").str_or_empty()
        );
    }
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
    let mut run = Run::new();
    run.create(Kind::Deployment, deployment("web", 3, "nginx:1.25"))
        .run(20_000);
    let budget = value!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    });
    run.create(Kind::PodDisruptionBudget, budget).run(1_000);
    let budget = run
        .get(Kind::PodDisruptionBudget, "default", "web")
        .expect("budget");
    println!("{}", podscope_api::json::to_string_pretty(budget.status()));
    let pods: Vec<String> = run
        .list(Kind::Pod)
        .iter()
        .map(|p| p.name().to_string())
        .collect();
    println!("{:?}", evict(&mut run, &pods[0]));
    println!("{:?}", evict(&mut run, &pods[1]));
    let budget = run
        .get(Kind::PodDisruptionBudget, "default", "web")
        .expect("budget");
    println!("{}", podscope_api::json::to_string_pretty(budget.status()));
    println!(
        "{}",
        podscope_api::json::to_string_pretty(
            run.get(Kind::Pod, "default", &pods[0])
                .expect("pod")
                .condition("DisruptionTarget")
        )
    );
    run.run(40_000);
    let budget = run
        .get(Kind::PodDisruptionBudget, "default", "web")
        .expect("budget");
    println!("{}", podscope_api::json::to_string_pretty(budget.status()));
    println!("{:?}", evict(&mut run, &pods[1]));
    for w in run.writes() {
        if w.contains("disruption") || w.contains("evict") {
            println!("{w}");
        }
    }
}

#[test]
fn an_autoscaler_follows_the_load() {
    let mut run = Run::new();
    let mut web = deployment("web", 2, "nginx:1.25");
    web.set(
        "spec.template.spec.containers",
        vec![value!({"name": "c", "image": "nginx:1.25",
        "resources": {"requests": {"cpu": "100m"}}})],
    );
    web.at_mut("metadata.annotations")
        .map_mut()
        .insert("podscope.dev/cpu-load", "600m".into());
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
    let scaler = run
        .get(Kind::HorizontalPodAutoscaler, "default", "web")
        .expect("hpa");
    println!("{}", podscope_api::json::to_string_pretty(scaler.status()));
    for w in run.writes() {
        if w.contains("scale") {
            println!("{w}");
        }
    }
    for w in run.events() {
        if w.contains("scale") || w.contains("etric") {
            println!("{w}");
        }
    }
    run.send(patch(
        Kind::Deployment,
        "web",
        value!({"metadata": {"annotations": {"podscope.dev/cpu-load": "100m"}}}),
    ))
    .run(400_000);
    let scaler = run
        .get(Kind::HorizontalPodAutoscaler, "default", "web")
        .expect("hpa");
    println!("{}", podscope_api::json::to_string_pretty(scaler.status()));
    for w in run.events() {
        if w.contains("scale") || w.contains("etric") {
            println!("{w}");
        }
    }
}
