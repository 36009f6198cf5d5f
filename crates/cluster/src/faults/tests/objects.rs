//! Objects and drains: what faults do through the API.

use super::*;

#[test]
fn a_stuck_finalizer_keeps_a_deleted_pod_and_its_controller_goes_on() {
    let mut cluster = one_node();
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 1)),
    );
    on(&mut cluster, 20);
    let names = |c: &Cluster| -> Vec<String> {
        let pods = c.etcd().of_kind(Kind::Pod);
        pods.map(|(key, _)| key.name.to_string()).collect()
    };
    let old = names(&cluster).pop().expect("a Pod");
    let target = format!("pods/{old}");
    inject(
        &mut cluster,
        "stuck-finalizer",
        "s",
        value!({"target": (target.clone())}),
    );
    on(&mut cluster, 2);
    inject(
        &mut cluster,
        "stuck-finalizer",
        "t",
        value!({"target": (target)}),
    );
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("already"), "{why}");
    submit(
        &mut cluster,
        Request::delete(Kind::Pod, "default", old.clone()),
    );
    on(&mut cluster, 60);
    let stuck = stored(&cluster, &old).expect("it stays");
    assert!(stuck.is_being_deleted());
    assert_eq!(names(&cluster).len(), 2, "it has been replaced");
    assert_eq!(ready_pods(&cluster, "web"), 1);
    heal(&mut cluster, "s");
    on(&mut cluster, 3);
    assert_eq!(stored(&cluster, &old), None);
    assert!(super::super::active(&cluster).is_empty());
}

#[test]
fn a_container_waits_for_a_config_map_that_is_missing() {
    let mut cluster = one_node();
    let object = value!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "app", "namespace": "default"}, "data": {"a": "b"}});
    submit(
        &mut cluster,
        Request::create(Kind::ConfigMap, Object(object)),
    );
    on(&mut cluster, 2);
    let config = value!({"target": "configmaps/app"});
    inject(&mut cluster, "config-missing", "c", config.clone());
    on(&mut cluster, 2);
    inject(&mut cluster, "config-missing", "d", config);
    let why = refused(&cluster.take_trace()).expect("refused");
    assert!(why.contains("there is no \"configmaps/app\""), "{why}");
    let mut container = nginx();
    container.set("envFrom", value!([{"configMapRef": {"name": "app"}}]));
    submit(
        &mut cluster,
        Request::create(Kind::Pod, pod("web", container)),
    );
    on(&mut cluster, 20);
    assert_eq!(waiting(&cluster, "web"), "CreateContainerConfigError");
    assert!(has_event(&cluster, "configmap \"app\" not found"));
    heal(&mut cluster, "c");
    let ready = |c: &Cluster| stored(c, "web").is_some_and(|p| p.condition_true("Ready"));
    let back = until(&mut cluster, 60, ready);
    assert!(back.is_some(), "{:?}", events(&cluster));
    let again = cluster
        .etcd()
        .get(Kind::ConfigMap, &Key::new("default", "app"));
    assert_eq!(again.expect("back").object.at("data.a").as_str(), Some("b"));
}

fn pods_on(cluster: &Cluster, node: &str) -> usize {
    let pods = cluster.etcd().of_kind(Kind::Pod);
    pods.filter(|(_, s)| s.object.at("spec.nodeName").as_str() == Some(node))
        .count()
}

fn unschedulable(cluster: &Cluster, name: &str) -> bool {
    node(cluster, name).at("spec.unschedulable").is_true()
}

#[test]
fn a_drain_asks_the_budget_again_and_again() {
    let mut cluster = cluster_of(&[("node-1", "zone-1"), ("node-2", "zone-1")]);
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 2)),
    );
    let budget = value!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}});
    submit(
        &mut cluster,
        Request::create(Kind::PodDisruptionBudget, Object(budget)),
    );
    on(&mut cluster, 25);
    let before = pods_on(&cluster, "node-1");
    assert!(before > 0);
    inject(
        &mut cluster,
        "node-drain",
        "d",
        value!({"target": "node-1"}),
    );
    let trace = on(&mut cluster, 31);
    assert!(unschedulable(&cluster, "node-1"));
    assert_eq!(pods_on(&cluster, "node-1"), before, "the budget holds them");
    let refusals = trace
        .iter()
        .filter(|e| e.code == crate::apiserver::REFUSED && e.arg("code").as_int() == Some(429));
    assert!((5..=8).contains(&(refusals.count() / before)), "every 5 s");
    let more = value!({"spec": {"replicas": 4}});
    let patch = podscope_api::PatchType::Merge;
    submit(
        &mut cluster,
        Request::patch(Kind::Deployment, "default", "web", "", patch, more),
    );
    let gone = until(&mut cluster, 120, |c| pods_on(c, "node-1") == 0);
    assert!(gone.is_some(), "with more replicas the budget lets them go");
    inject(
        &mut cluster,
        "spot-termination",
        "e",
        value!({"target": "node-1"}),
    );
    assert!(refused(&cluster.take_trace()).is_some(), "drained already");
    heal(&mut cluster, "d");
    on(&mut cluster, 3);
    assert!(!unschedulable(&cluster, "node-1"));
    assert!(super::super::active(&cluster).is_empty());
}

#[test]
fn a_spot_machine_is_empty_before_it_goes() {
    let mut cluster = cluster_of(&[("node-1", "zone-1"), ("node-2", "zone-1")]);
    submit(
        &mut cluster,
        Request::create(Kind::Deployment, deployment("web", 3)),
    );
    on(&mut cluster, 25);
    let params = value!({"target": "node-1", "warning_s": "30", "boot_s": "10"});
    inject(&mut cluster, "spot-termination", "s", params);
    on(&mut cluster, 28);
    assert_eq!(pods_on(&cluster, "node-1"), 0);
    assert_eq!(ready_pods(&cluster, "web"), 3);
    assert!(!cluster.network().powered_off.contains(&0));
    on(&mut cluster, 4);
    assert!(cluster.network().powered_off.contains(&0));
    let unknown = until(&mut cluster, 80, |c| {
        condition(c, "node-1", "Ready") == "Unknown"
    });
    assert!(matches!(unknown, Some(35..=56)), "{unknown:?}");
    heal(&mut cluster, "s");
    let back = until(&mut cluster, 60, |c| {
        condition(c, "node-1", "Ready") == "True"
    });
    assert!(matches!(back, Some(9..=30)), "{back:?}");
    on(&mut cluster, 2);
    assert!(!unschedulable(&cluster, "node-1"));
}
