//! A dump of `kubectl get … -o yaml` becomes a scenario that runs.

use podscope_session::api::{SessionApi, Source};
use podscope_session::view::*;
use podscope_session::{Scenario, Session, import};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SHOP: &str = include_str!("dumps/shop.yaml");

fn args(msg: &Msg) -> String {
    let parts = msg.args.iter().map(|(name, arg)| match arg {
        Arg::Text(text) => format!("{name}={text}"),
        Arg::Count(n) => format!("{name}={n}"),
        other => format!("{name}={other:?}"),
    });
    parts.collect::<Vec<_>>().join(" ")
}

#[test]
fn nodes_become_machines_and_workloads_become_a_manifest() {
    let imported = import::read(SHOP).expect("read");
    assert_eq!(
        (imported.what.code, &*args(&imported.what)),
        ("import.dump", "nodes=2 objects=6")
    );
    let scenario = Scenario::parse(&imported.scenario).expect("a scenario");
    let [a, b] = &scenario.cluster.nodes[..] else {
        panic!("two nodes: {:?}", scenario.cluster.nodes)
    };
    assert_eq!(
        (&*a.name, &*a.zone, &*a.cpu, &*a.memory, a.pods),
        ("worker-a", "west-1a", "3920m", "7098184Ki", Some(58))
    );
    assert_eq!(
        (&a.labels[..], &a.images[..]),
        (
            &["disk=ssd".to_string()][..],
            &["docker.io/library/nginx:1.25".to_string()][..]
        )
    );
    assert_eq!(
        (&b.taints[..], &b.resources[..]),
        (
            &["dedicated=gpu:NoSchedule".to_string()][..],
            &["nvidia.com/gpu=2".to_string()][..]
        )
    );
    let text = &scenario.files[0].text;
    for gone in [
        "uid",
        "resourceVersion",
        "status:",
        "nodeName",
        "kube-api-access",
        "clusterIP:",
        "last-applied",
        "creationTimestamp",
        "ReplicaSet",
        "tolerationSeconds",
        "kube-root-ca",
        "coredns",
    ] {
        assert!(!text.contains(gone), "{gone} in\n{text}");
    }
    for there in [
        "name: shop",
        "replicas: 2",
        "name: alone",
        "colour: blue",
        "kind: Service",
    ] {
        assert!(text.contains(there), "{there} in\n{text}");
    }
}

#[test]
fn what_is_not_taken_over_is_said() {
    let imported = import::read(SHOP).expect("read");
    let notes: Vec<String> = imported
        .notes
        .iter()
        .map(|note| format!("{}: {}", note.code, args(note)))
        .collect();
    expect(
        &notes,
        &[
            "import.control-plane: n=1 names=cp-1",
            "import.not-ready: n=1 names=worker-b",
            "import.owned: n=2 names=ReplicaSet shop/web-798fc94764, Pod shop/web-798fc94764-abcde",
            "import.server-made: n=3 names=Service default/kubernetes, ConfigMap shop/kube-root-ca.crt, Event shop/web.18a",
            "import.system: n=1 names=Pod kube-system/coredns-x",
            "import.unknown: n=1 names=Certificate shop/shop-tls",
        ],
    );
}

fn expect(got: &[String], wanted: &[&str]) {
    assert_eq!(got, wanted);
}

#[test]
fn the_imported_cluster_runs() {
    let imported = import::read(SHOP).expect("read");
    let session = Session::open(Source::Scenario(&imported.scenario)).expect("opens");
    let terminal = session.terminal();
    assert_eq!(
        terminal.last().and_then(|entry| entry.exit),
        Some(0),
        "{:?}",
        terminal.last()
    );
    let view = session.view();
    let names: Vec<&str> = view.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["worker-a", "worker-b"]);
    let ready = view.nodes[0]
        .pods
        .iter()
        .filter(|pod| pod.look == PodLook::Ready)
        .count();
    assert_eq!(
        ready, 4,
        "two of the Deployment, one of the DaemonSet and the lone one: {:?}",
        view.nodes[0].pods
    );
}

#[test]
fn a_scenario_file_is_taken_as_it_is() {
    let text = podscope_session::preset("birth").expect("there");
    let imported = import::read(text).expect("read");
    assert_eq!(
        (imported.what.code, &*imported.scenario),
        ("import.scenario", text)
    );
    let mut session = Session::open(Source::Preset("node-burns-down")).expect("opens");
    session.seek_end();
    let exported = session.export_scenario();
    let again = import::read(&exported).expect("read");
    let mut opened = Session::open(Source::Scenario(&again.scenario)).expect("opens");
    opened.seek_end();
    assert_eq!(opened.log_hash(), session.log_hash());
}

#[test]
fn json_single_objects_and_several_documents_are_read() {
    let json = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}}]}"#;
    assert_eq!(
        args(&import::read(json).expect("read").what),
        "nodes=0 objects=1"
    );
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n";
    let imported =
        import::read(&format!("{pod}---\n{}", pod.replace("name: a", "name: b"))).expect("read");
    assert_eq!(args(&imported.what), "nodes=0 objects=2");
    assert_eq!(imported.notes[0].code, "import.no-nodes");
}

#[test]
fn bad_input_gives_a_reason_and_never_a_panic() {
    for (text, code) in [
        ("", "import.nothing"),
        ("hello", "import.nothing"),
        ("- a\n- b\n", "import.nothing"),
        ("a: [", "import.failed"),
        ("podscope: 2\n", "import.failed"),
        ("podscope: 1\nnope: 1\n", "import.failed"),
        ("kind: List\nitems: 7\n", "import.nothing"),
        (
            "kind: List\nitems: [1, null, {}, {kind: Pod}]\n",
            "import.nothing",
        ),
        (
            "apiVersion: v1\nkind: Node\nmetadata: {name: 'No Such Name'}\n",
            "import.nothing",
        ),
        (
            "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {allocatable: {cpu: many}}\n",
            "import.nothing",
        ),
        (&"x".repeat(import::MAX_BYTES + 1), "import.too-large"),
    ] {
        let got = import::read(text)
            .map(|i| i.scenario)
            .map_err(|msg| msg.code);
        assert_eq!(got, Err(code), "{text:.60}");
    }
}
