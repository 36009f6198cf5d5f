//! Breakpoints, futures side by side, the sequence diagram, the story: as the page uses them.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::sequence::{MAX_STEPS, mermaid};
use podscope_session::time_api::TimeApi;
use podscope_session::view::*;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn open(preset: &str) -> Session {
    Session::open(Source::Preset(preset)).expect("a preset that opens")
}

fn on(kind: &str, value: &str) -> Breakpoint {
    Breakpoint {
        kind: kind.into(),
        value: value.into(),
    }
}

fn shown(session: &Session) -> String {
    session
        .transcript()
        .lines()
        .last()
        .unwrap_or_default()
        .to_string()
}

#[test]
fn play_stops_when_a_pod_becomes_ready() {
    let mut session = open("birth");
    session.seek(Seek::Event(0));
    let hit = session
        .run_to(&[on("warning", ""), on("pod-ready", "")])
        .expect("met");
    assert_eq!(hit.index, 1, "no Warning comes before");
    let object = hit.object.clone().expect("about a Pod");
    assert_eq!(&*object.kind, "Pod");
    assert_eq!(session.view().cursor.event, hit.event);
    assert!(
        shown(&session).contains("etcd.commit"),
        "{}",
        shown(&session)
    );
    // The state at that very moment agrees, and one event before it did not.
    let ready = |session: &Session| {
        let view = session.view();
        let mut pods = view.nodes.iter().flat_map(|node| node.pods.iter());
        pods.any(|pod| pod.object == object && pod.look == PodLook::Ready)
    };
    assert!(ready(&session));
    session.seek(Seek::Event(hit.event - 1));
    // The world of one entry is shown as a whole: go back to before that entry.
    while ready(&session) && session.back(StepSize::Event) {}
    assert!(session.view().cursor.event < hit.event && !ready(&session));
    // Each next run meets another Pod; the fourth finds none.
    session.seek(Seek::Event(0));
    let mut met = Vec::new();
    while let Ok(hit) = session.run_to(&[on("pod-ready", "")]) {
        met.push(hit.object.expect("a Pod").name);
        assert!(met.len() < 10);
    }
    met.sort();
    met.dedup();
    assert_eq!(met.len(), 3);
}

#[test]
fn a_breakpoint_never_met_leaves_everything_as_it_was() {
    let mut session = open("birth");
    session.seek(Seek::Event(40));
    let (hash, known) = (session.log_hash(), session.log().len());
    let refused = session
        .run_to(&[on("node-not-ready", "")])
        .expect_err("nothing breaks");
    assert_eq!(refused.code, "refused.break-never");
    assert_eq!(
        (
            session.log_hash(),
            session.log().len(),
            session.view().cursor.event
        ),
        (hash, known, 40)
    );
    assert_eq!(
        session.run_to(&[]).expect_err("none").code,
        "refused.no-breakpoint"
    );
    assert!(session.run_to(&[on("no-such-kind", "")]).is_err());
}

#[test]
fn every_kind_of_breakpoint_is_met_by_some_scenario() {
    let mut left: Vec<&str> = podscope_session::breakpoints::names();
    for (preset, commands) in [
        ("birth", &[][..]),
        ("node-burns-down", &[]),
        ("pending", &[]),
        ("cpu-limits", &[]),
        ("birth", &[["fault", "container-crash"]]),
        ("birth", &[["kubectl", "delete"]]),
        ("birth", &[["fault", "node-power"]]),
    ] {
        let mut session = open(preset);
        session.seek_end();
        for command in commands {
            match command {
                ["fault", "container-crash"] => {
                    let target = session
                        .view()
                        .nodes
                        .iter()
                        .flat_map(|n| n.pods.iter())
                        .next()
                        .expect("a Pod")
                        .object
                        .clone();
                    session
                        .fault("container-crash", &target.name, &[("times", "1")])
                        .expect("accepted");
                }
                ["fault", kind] => {
                    session.fault(kind, "node-2", &[]).expect("accepted");
                    session.seek_end();
                    let id = session.view().faults.first().expect("in force").id;
                    session.heal(id).expect("accepted");
                }
                _ => session
                    .kubectl(&["delete", "deployment", "nginx"])
                    .expect("accepted"),
            }
        }
        let all = session.log().len() as u32;
        left.retain(|kind| {
            let value = if *kind == "code" { "scheduler" } else { "" };
            session.met(&[on(kind, value)], 0, all).is_none()
        });
    }
    // Two writers at once do not happen in these.
    left.retain(|kind| *kind != "conflict");
    assert_eq!(left, Vec::<&str>::new());
}

#[test]
fn values_narrow_a_breakpoint() {
    let mut session = open("birth");
    session.seek(Seek::Event(0));
    let hit = session.run_to(&[on("changed", "ReplicaSet")]).expect("met");
    assert_eq!(&*hit.object.expect("an object").kind, "ReplicaSet");
    let hit = session.run_to(&[on("event", "Scheduled")]).expect("met");
    assert_eq!(&*hit.object.expect("an object").kind, "Event");
    let kinds = session.breakpoint_kinds();
    let changed = kinds
        .iter()
        .find(|kind| kind.name == "changed")
        .expect("there");
    assert!(
        changed.values.iter().any(|value| &**value == "Deployment"),
        "{changed:?}"
    );
    assert!(
        session.run_to(&[on("code", "")]).is_err(),
        "a code must be given"
    );
}

#[test]
fn the_next_event_of_an_object_is_found_both_ways() {
    let mut session = open("birth");
    session.seek(Seek::Event(0));
    let deployment = ObjectRef {
        kind: "Deployment".into(),
        namespace: "default".into(),
        name: "nginx".into(),
    };
    let mut seen = Vec::new();
    while let Some(event) = session.next_of(&deployment, true) {
        assert!(event > session.view().cursor.event);
        session.seek(Seek::Event(event));
        assert!(
            session.view().focus.objects.contains(&deployment),
            "{}",
            shown(&session)
        );
        seen.push(event);
    }
    assert!(seen.len() > 10);
    seen.pop();
    while let Some(event) = session.next_of(&deployment, false) {
        assert_eq!(Some(event), seen.pop());
        session.seek(Seek::Event(event));
    }
    assert!(seen.is_empty());
}

/// Forks the birth of a Pod at its end: once scaled to 5, once node-2 loses power.
fn forked() -> Session {
    let mut session = open("birth");
    session.seek_end();
    let at = session.view().cursor.event;
    session
        .kubectl(&["scale", "deployment", "nginx", "--replicas=5"])
        .expect("accepted");
    session.seek(Seek::Event(at));
    session
        .fault("node-power", "node-2", &[])
        .expect("accepted");
    session
}

#[test]
fn futures_have_names_and_can_be_switched() {
    let mut session = forked();
    let forks = session.timeline().forks.clone();
    let names: Vec<&str> = forks.iter().map(|fork| fork.name.code).collect();
    assert!(
        names.contains(&"fork.kubectl") && names.contains(&"fork.fault"),
        "{names:?}"
    );
    assert_eq!(forks.iter().filter(|fork| fork.current).count(), 1);
    let before = session.export_scenario();
    let other = forks.iter().find(|fork| !fork.current).expect("another");
    session.switch(other.id).expect("there");
    assert_ne!(session.export_scenario(), before);
}

#[test]
fn two_futures_stand_side_by_side() {
    let session = forked();
    let forks = session.timeline().forks.clone();
    let id = |code: &str| {
        forks
            .iter()
            .find(|fork| fork.name.code == code)
            .expect("there")
            .id
    };
    let (left, right) = (id("fork.kubectl"), id("fork.fault"));
    let view = session.compare(left, right).expect("both there");
    assert_eq!(
        (view.names.0.code, view.names.1.code),
        ("fork.kubectl", "fork.fault")
    );
    let first = view
        .rows
        .get(usize::from(view.first.expect("they differ")))
        .expect("shown");
    assert_ne!(first.pairing, Pairing::Same);
    let code = |row: &Option<StoryRow>| row.as_ref().map_or("", |row| row.msg.code);
    assert!(
        [code(&first.left), code(&first.right)]
            .iter()
            .all(|code| !code.starts_with("you.") && !code.starts_with("fault."))
    );
    // Nothing before it differs but the commands themselves, and what kubectl sent for them.
    for row in view.rows.iter().take(usize::from(view.first.unwrap_or(0))) {
        let by_you = [&row.left, &row.right]
            .into_iter()
            .flatten()
            .any(|row| matches!(row.kind, ComponentKind::Client | ComponentKind::You));
        assert!(by_you || row.pairing == Pairing::Same, "{row:?}");
    }
    let end = |code: &str| {
        view.summary
            .iter()
            .find(|row| row.what.code == code)
            .expect("there")
    };
    assert_eq!(
        (&*end("end.deployment").left, &*end("end.deployment").right),
        ("5/5", "3/3")
    );
    let node = view.summary.iter().find(|row| {
        row.what.code == "end.node" && row.left != row.right && row.right.contains("NotReady")
    });
    assert!(node.is_some(), "{:?}", view.summary);
    // Mirrored when asked the other way round; the same with itself.
    let mirrored = session.compare(right, left).expect("both there");
    assert_eq!(mirrored.shared, view.shared);
    let same = session.compare(left, left).expect("there");
    assert_eq!((same.first, same.rows.len()), (None, 0));
    assert!(session.compare(left, 99).is_none());
}

#[test]
fn the_same_step_with_other_data_says_which_fields() {
    let mut session = open("birth");
    let text = session.files()[0].text.to_string();
    session.seek(Seek::Event(0));
    session.edit("nginx.yaml", &text.replace("replicas: 3", "replicas: 2"));
    session.apply("nginx.yaml").expect("accepted");
    let forks = session.timeline().forks.clone();
    assert_eq!(forks.len(), 2);
    let view = session.compare(forks[0].id, forks[1].id).expect("there");
    let fields = view.rows.iter().find_map(|row| match &row.pairing {
        Pairing::Differs(fields) => fields.iter().find(|f| &*f.0 == "spec.replicas"),
        _ => None,
    });
    let (_, a, b) = fields.expect("the replicas are named");
    assert_eq!((&**a, &**b), ("3", "2"));
}

#[test]
fn a_sequence_diagram_is_valid_and_bounded() {
    for preset in ["birth", "node-burns-down"] {
        let mut session = open(preset);
        session.seek_end();
        let view = session.sequence();
        assert!(view.steps.len() <= MAX_STEPS && !view.steps.is_empty());
        let text = mermaid(&view, "A title: with \"quotes\"", &|msg| {
            msg.code.to_string()
        });
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("---"));
        assert_eq!(lines.next(), Some(r#"title: "A title: with \"quotes\"""#));
        assert_eq!(
            (lines.next(), lines.next()),
            (Some("---"), Some("sequenceDiagram"))
        );
        let mut participants = 0;
        for line in lines {
            let line = line.trim_start();
            if line.starts_with("participant p") {
                participants += 1;
                continue;
            }
            let message = ["-->>", "->>", "--)", "-x"]
                .iter()
                .find_map(|arrow| line.split_once(arrow));
            let fine = line == "autonumber"
                || line.starts_with("Note over p")
                || message.is_some_and(|(from, rest)| {
                    let (to, label) = rest.split_once(": ").unwrap_or_default();
                    let known = |p: &str| {
                        p.strip_prefix('p')
                            .and_then(|n| n.parse::<usize>().ok())
                            .is_some_and(|n| n < participants)
                    };
                    known(from)
                        && known(to)
                        && !label.is_empty()
                        && !label.contains(';')
                        && !label.contains('\n')
                });
            assert!(fine, "{line}");
        }
    }
}

#[test]
fn the_story_is_what_happened_up_to_the_cursor() {
    let mut session = open("birth");
    session.seek(Seek::Event(0));
    assert!(session.story().is_empty());
    session.seek_end();
    let story = session.story();
    assert!(story.windows(2).all(|pair| pair[0].event < pair[1].event));
    let phases: Vec<&str> = story
        .iter()
        .filter_map(|row| Some(row.phase.as_ref()?.code))
        .collect();
    assert_eq!(phases.first(), Some(&"phase.submit"));
    assert!(story.iter().all(|row| !row.who.is_empty()));
}

/// At a deadline nothing may have happened yet: the controller looks every five seconds.
#[test]
fn from_deadline_to_deadline_a_silent_node_is_noticed() {
    let mut session = Session::open(Source::Preset("birth")).expect("opens");
    session.step(StepSize::UntilStable);
    session
        .fault("node-power", "node-2", &[])
        .expect("can be broken");
    let mut moments = vec![session.view().cursor.time];
    for _ in 0..40 {
        assert!(session.step(StepSize::NextDeadline), "it goes on");
        let view = session.view();
        assert!(view.cursor.time >= *moments.last().expect("one"));
        moments.push(view.cursor.time);
        let node = view.nodes.iter().find(|n| &*n.name == "node-2");
        if node.is_some_and(|n| n.status.contains("NotReady")) {
            return;
        }
    }
    panic!("never noticed: {moments:?}");
}
