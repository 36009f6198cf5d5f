//! What the inspector asks for, headless: tree, log, network, nodes, queues, faults with parameters.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::*;

fn at_end(preset: &str) -> Session {
    let mut session = Session::open(Source::Preset(preset)).expect("a preset");
    session.seek_end();
    session
}

fn pods(session: &Session) -> Vec<ObjectRef> {
    let tables = session.objects();
    let pods = tables.iter().find(|t| &*t.kind == "Pod").expect("Pods");
    pods.rows.iter().map(|r| r.object.clone()).collect()
}

#[test]
fn the_tree_goes_from_deployment_to_container() {
    let session = at_end("birth");
    let tree = session.tree();
    let start = tree
        .iter()
        .position(|r| &*r.kind == "Deployment" && &*r.name == "nginx")
        .expect("the Deployment");
    let kinds: Vec<(u8, &str)> = tree[start..start + 4]
        .iter()
        .map(|r| (r.depth, &*r.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            (0, "Deployment"),
            (1, "ReplicaSet"),
            (2, "Pod"),
            (3, "container")
        ]
    );
    let container = &tree[start + 3];
    assert!(
        container
            .cells
            .iter()
            .any(|(h, c)| &**h == "STATE" && &**c == "running")
    );
    let service = at_end("service");
    let tree = service.tree();
    let slice = tree
        .iter()
        .find(|r| &*r.kind == "EndpointSlice" && r.depth == 1);
    assert!(slice.is_some(), "a Service owns its EndpointSlice");
}

#[test]
fn the_log_is_filtered_and_follows_the_trace() {
    let mut session = at_end("birth");
    session.step(StepSize::For(30_000_000_000));
    let all = session.log_find(&LogFilter::default());
    assert_eq!(all.len(), session.log().len());
    let quiet = LogFilter {
        quiet: true,
        ..LogFilter::default()
    };
    assert!(session.log_find(&quiet).len() < all.len());
    let scheduler = LogFilter {
        component: Some(ComponentKind::Scheduler),
        ..LogFilter::default()
    };
    let rows = session.log_rows(&session.log_find(&scheduler));
    assert!(!rows.is_empty() && rows.iter().all(|r| r.kind == ComponentKind::Scheduler));
    let text = LogFilter {
        text: "NGINX".into(),
        kind: "Pod".into(),
        ..LogFilter::default()
    };
    let before = session.log_find(&text);
    let rows = session.log_rows(&before);
    assert!(!rows.is_empty());
    assert!(
        rows.iter()
            .all(|r| r.object.as_ref().is_some_and(|o| &*o.kind == "Pod"))
    );
    session
        .kubectl(&["scale", "deployment/nginx", "--replicas=4"])
        .expect("runs");
    let after = session.log_find(&text);
    assert!(after.len() > before.len(), "new events are found too");
    assert!(after.is_sorted());
}

#[test]
fn any_two_revisions_are_compared() {
    let session = at_end("birth");
    let pod = pods(&session).remove(0);
    let newest = session.object(&pod, None, None).expect("a Pod");
    assert!(newest.revisions.len() >= 3);
    assert!(newest.revisions.iter().all(|r| r.bytes > 0 && !r.deletes));
    let first = newest.revisions[0].revision;
    let whole = session.object(&pod, None, Some(first)).expect("a Pod");
    assert_eq!(whole.against, Some(first));
    assert!(
        whole
            .lines
            .iter()
            .any(|l| l.mark == LineMark::Add && l.text.contains("nodeName"))
    );
    let plain = session.object(&pod, None, Some(0)).expect("a Pod");
    assert_eq!(plain.against, None);
    assert!(plain.lines.iter().all(|l| l.mark == LineMark::Same));
}

fn codes(request: &RequestView) -> Vec<&'static str> {
    request.hops.iter().map(|h| h.text.code).collect()
}

#[test]
fn a_request_is_followed_to_an_endpoint_or_to_the_reason() {
    let session = at_end("service");
    let network = session.network("node-1");
    let web = network
        .services
        .iter()
        .find(|s| &*s.object.namespace == "default" && &*s.object.name != "kubernetes")
        .expect("a Service");
    let pod = network
        .sources
        .iter()
        .find(|s| matches!(s, RequestFrom::Pod(p) if &*p.namespace == "default"))
        .expect("a Pod")
        .clone();
    let by_name = session.request(&pod, &web.object.name, 0);
    assert!(by_name.ok, "{by_name:?}");
    let codes = codes(&by_name);
    assert_eq!(codes[..2], ["request.resolved", "request.leaves-pod"]);
    assert!(codes.contains(&"request.translate") && codes.contains(&"request.veth"));
    // Every rule quoted is one of that machine's rules.
    let quoted = by_name.hops.iter().filter(|h| !h.verbatim.is_empty());
    for hop in quoted {
        let known = network.nodes.iter().any(|n| {
            let rules = session.network(n).rules;
            rules.iter().any(|r| r.rule == hop.verbatim)
        });
        assert!(known, "{}", hop.verbatim);
    }
    let node = RequestFrom::Node("node-1".into());
    assert!(session.request(&node, &web.ip, 0).ok);
    let dns = session.request(&node, &web.object.name, 0);
    assert_eq!(dns.end.code, "request.no-dns");
    let outside = session.request(&RequestFrom::Outside, &web.ip, 0);
    assert_eq!(outside.end.code, "request.not-outside");
    let port = session.request(&pod, &format!("{}:81", web.ip), 0);
    assert_eq!(port.end.code, "request.wrong-port");
    let nobody = session.request(&pod, "nobody", 0);
    assert_eq!(nobody.end.code, "request.unknown-name");
    for bad in ["", "a:99999", "a/b", ":80", "300.1.1.1:1", "💥", "a:"] {
        assert!(!session.request(&pod, bad, 7).ok, "{bad}");
    }
}

#[test]
fn without_ready_pods_a_request_is_refused() {
    let mut session = at_end("service");
    session
        .kubectl(&["scale", "deployment", "--all", "--replicas=0"])
        .expect("runs");
    session.seek_end();
    let network = session.network("node-1");
    let web = network
        .services
        .iter()
        .find(|s| &*s.object.namespace == "default" && &*s.object.name != "kubernetes")
        .expect("a Service");
    let node = RequestFrom::Node("node-1".into());
    let request = session.request(&node, &web.ip, 0);
    assert_eq!(request.end.code, "request.no-endpoints", "{request:?}");
    assert!(request.says.contains("Connection refused"));
}

#[test]
fn a_node_is_shown_with_its_processes_and_cgroups() {
    let session = at_end("birth");
    let node = session.node("node-1").expect("a node");
    assert!(node.processes.iter().any(|p| &*p.container == "pause"));
    assert!(node.processes.iter().any(|p| p.command.contains("nginx")));
    assert!(node.cgroups.iter().any(|c| {
        c.files
            .iter()
            .any(|(f, v)| &**f == "cpu.weight" && !v.is_empty())
    }));
    assert!(
        node.volumes
            .iter()
            .any(|v| v.name.starts_with("kube-api-access-"))
    );
    assert!(!node.images.is_empty() && !node.routes.is_empty() && !node.sandboxes.is_empty());
    assert_eq!(session.node("nobody"), None);
}

#[test]
fn the_queue_and_the_tries_of_the_scheduler() {
    let session = at_end("pending");
    let queues = session.queues();
    assert!(
        queues
            .queue
            .iter()
            .any(|q| q.place == "queue.unschedulable" && q.attempts > 0)
    );
    assert!(queues.attempts.iter().any(|a| a.message.starts_with("0/")));
    let birth = at_end("birth").queues();
    assert!(birth.attempts.iter().any(|a| a.node.starts_with("node-")));
}

#[test]
fn etcd_says_where_its_members_are() {
    let mut session = at_end("birth");
    session.fault("etcd-member-down", "2", &[]).expect("down");
    session
        .kubectl(&["create", "configmap", "late"])
        .expect("runs");
    session.seek_end();
    let etcd = session.etcd();
    assert_eq!(etcd.quorum, 2);
    let (up, down) = (&etcd.members[0], &etcd.members[2]);
    assert!(up.up && !down.up && down.index < up.index, "{etcd:?}");
}

#[test]
fn every_fault_of_the_registry_is_offered_with_its_parameters() {
    let session = at_end("birth");
    let kinds = session.fault_kinds();
    let names = podscope_session::fault_kinds();
    assert_eq!(kinds.iter().map(|k| k.kind).collect::<Vec<_>>(), names);
    let crash = kinds
        .iter()
        .find(|k| k.kind == "container-crash")
        .expect("it");
    let accepts: Vec<&FaultAccepts> = crash.params.iter().map(|p| &p.accepts).collect();
    assert_eq!(accepts[1], &FaultAccepts::OneOf(&["1", "always"]));
    assert_eq!(accepts[2], &FaultAccepts::Number(0, 255));
    assert!(
        kinds.iter().all(|k| k.code != "fault.other"),
        "each has its words"
    );
}

#[test]
fn everything_has_its_words() {
    let words = podscope_lesson::english();
    let mut codes: Vec<String> = Vec::new();
    for kind in at_end("birth").fault_kinds().iter() {
        codes
            .extend(["title", "help", "next", "short"].map(|part| format!("{}.{part}", kind.code)));
        codes.extend(
            kind.params
                .iter()
                .map(|p| format!("fault.param.{}", p.name)),
        );
    }
    for source in [
        include_str!("../src/network.rs"),
        include_str!("../src/glance.rs"),
        include_str!("../src/faults.rs"),
    ] {
        let quoted = source.split('"').skip(1).step_by(2);
        let starts = ["request.", "queue.", "refused."];
        let ours = quoted.filter(|q| starts.iter().any(|p| q.starts_with(p)));
        codes.extend(ours.map(String::from));
    }
    assert!(codes.len() > 100, "only {} codes", codes.len());
    let missing: Vec<&String> = codes.iter().filter(|c| words.get(c).is_none()).collect();
    assert!(missing.is_empty(), "content/en lacks {missing:?}");
}

#[test]
fn words_are_completed_by_what_stands_before_them() {
    let session = at_end("birth");
    let complete = |line: &str| -> Vec<String> {
        session
            .complete(line)
            .iter()
            .map(|w| w.to_string())
            .collect()
    };
    assert_eq!(complete("sc"), ["scale"]);
    assert_eq!(complete("kubectl cordon "), ["node-1", "node-2", "node-3"]);
    assert_eq!(complete("rollout un"), ["undo"]);
    assert_eq!(complete("rollout undo deployment/"), ["deployment/nginx"]);
    assert_eq!(complete("scale deployment nginx --rep"), ["--replicas="]);
    assert_eq!(complete("get pods -o w"), ["wide"]);
    assert_eq!(complete("apply -f "), ["nginx.yaml"]);
    assert_eq!(complete("get pods -n def"), ["default"]);
    assert!(complete("get ").iter().any(|w| w == "pods"));
    assert!(
        complete("describe pod ")
            .iter()
            .all(|w| w.starts_with("nginx-"))
    );
    assert!(complete("nonsense nonsense ").is_empty());
}

#[test]
fn impossible_faults_are_refused_and_leave_no_trace() {
    let mut session = at_end("birth");
    let (events, hash) = (session.log().len(), session.log_hash());
    let code = |r: Result<(), Refused>| r.expect_err("refused").code;
    let power = [("boot_s", "-1")];
    assert_eq!(
        code(session.fault("node-power", "node-1", &power)),
        "refused.number"
    );
    assert_eq!(
        code(session.fault("node-power", "node-1", &[("x", "1")])),
        "refused.no-parameter"
    );
    assert_eq!(
        code(session.fault("node-power", "node-99", &[])),
        "refused.fault"
    );
    assert_eq!(
        code(session.fault("nonsense", "", &[])),
        "refused.no-fault-kind"
    );
    assert_eq!(
        code(session.fault("liveness-failure", &pods(&session)[0].name.clone(), &[])),
        "refused.fault"
    );
    assert_eq!((session.log().len(), session.log_hash()), (events, hash));
    session
        .fault("node-power", "node-1", &[("boot_s", "5")])
        .expect("allowed");
    assert_eq!(
        code(session.fault("node-power", "node-1", &[])),
        "refused.fault"
    );
}

#[test]
fn a_fault_can_be_planned() {
    let mut session = at_end("birth");
    let (cursor, now) = (session.view().cursor.event, session.view().cursor.time);
    session
        .fault_later("node-power", "node-2", &[], 30_000_000_000)
        .expect("planned");
    assert_eq!(session.view().cursor.event, cursor, "the cursor stays");
    let planned = session.faults();
    assert_eq!(planned.len(), 1);
    assert_eq!((planned[0].state, planned[0].id), (FaultState::Planned, 0));
    assert!(planned[0].at >= now + 30_000_000_000);
    session.step(StepSize::For(31_000_000_000));
    let there = session.faults();
    assert_eq!(there[0].state, FaultState::InForce);
    assert!(!there[0].timers.is_empty(), "the node's lease runs out");
    let id = there[0].id;
    session.heal(id).expect("healed");
    assert_eq!(session.faults()[0].state, FaultState::Ending, "it boots");
    let code = session
        .fault_later("node-power", "node-99", &[], 1_000)
        .expect_err("refused")
        .code;
    assert_eq!(code, "refused.fault");
}
