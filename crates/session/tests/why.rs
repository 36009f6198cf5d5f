//! Every event has a cause: a person's act, a manifest's line or a timer. In every preset, lesson and fault.

use podscope_kernel::{SimTime, World};
use podscope_session::api::{SessionApi, Source};
use podscope_session::simulation::Simulation;
use podscope_session::view::*;
use podscope_session::whatif::api::WhatIfApi;
use podscope_session::words;
use podscope_session::{Scenario, Session, preset_titles};
use std::collections::BTreeMap;

/// How many events there are, and those whose chain ends in nothing, by code.
fn loose(session: &Session) -> (usize, BTreeMap<String, u32>) {
    let log = session.log();
    let mut loose: BTreeMap<String, u32> = BTreeMap::new();
    // What has no cause is a root; all others go back to one through causes that come before them.
    for (i, event) in log.iter().enumerate() {
        if let Some(cause) = event.cause {
            assert!(
                cause < event.id,
                "a cause comes before its effect: {event:?}"
            );
            continue;
        }
        let root = session.root(i as EventIndex + 1).expect("it is known");
        if matches!(root, RootView::Unknown(_)) {
            let name = format!("{} by {:?}", event.code, event.actor);
            *loose.entry(name).or_default() += 1;
        }
    }
    // The same by the call itself, for a sample.
    for i in (0..log.len()).step_by(97) {
        let root = session.root(i as EventIndex + 1).expect("it is known");
        assert!(
            !matches!(root, RootView::Unknown(_)) || !loose.is_empty(),
            "event {i}"
        );
    }
    (log.len(), loose)
}

#[test]
fn every_event_of_presets_and_lessons_goes_back_to_an_act_or_a_timer() {
    let mut all = 0;
    for (id, _) in preset_titles() {
        let session = Session::open(Source::Preset(id)).expect("it opens");
        let (events, loose) = loose(&session);
        assert!(loose.is_empty(), "{id}: {loose:#?}");
        all += events;
    }
    for id in podscope_lesson::lessons::lessons() {
        let lesson = podscope_session::lesson::Lesson::named(id).expect("it can be read");
        let mut session = Session::open(Source::Lesson(&lesson)).expect("it opens");
        for step in 0..lesson.steps.len() {
            let _ = session.show_lesson(&lesson, step);
        }
        let (events, loose) = loose(&session);
        assert!(loose.is_empty(), "{id}: {loose:#?}");
        all += events;
    }
    assert!(all > 10_000, "only {all} events");
}

/// Pods with a probe, and a target for every kind of fault.
fn broken(kind: &str, target: &str) -> String {
    format!(
        "podscope: 1
files:
- name: web.yaml
  text: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: web}}
    spec:
      replicas: 2
      selector: {{matchLabels: {{app: web}}}}
      template:
        metadata: {{labels: {{app: web}}}}
        spec:
          containers:
          - name: web
            image: nginx
            readinessProbe: {{httpGet: {{path: /, port: 80}}}}
            livenessProbe: {{httpGet: {{path: /, port: 80}}}}
commands:
- {{at: 1ms, kubectl: apply -f web.yaml}}
- {{at: 10s, fault: {kind}{target}}}
- {{at: 12s, kubectl: scale deployment web --replicas=3}}
- {{at: 80s, heal: {kind}}}
"
    )
}

#[test]
fn every_event_of_every_fault_goes_back_to_an_act_or_a_timer() {
    let mut injected = 0;
    for kind in podscope_session::fault_kinds() {
        let aim = podscope_cluster::faults::kind(kind)
            .expect("it is in the registry")
            .target;
        let target = match aim {
            podscope_cluster::faults::Target::None => "",
            podscope_cluster::faults::Target::Node => " target=node-1",
            podscope_cluster::faults::Target::Pod => " target=app=web",
            podscope_cluster::faults::Target::Image => " target=nginx",
            podscope_cluster::faults::Target::EtcdMember => " target=1",
            podscope_cluster::faults::Target::Zone => " target=zone-a",
            podscope_cluster::faults::Target::Webhooks => "",
        };
        let scenario = Scenario::parse(&broken(kind, target)).expect("a scenario");
        let config = scenario.cluster.config().expect("a cluster");
        let mut simulation = Simulation::new(config);
        let mut trace = Vec::new();
        for timed in scenario.journal().expect("commands") {
            advance(&mut simulation, timed.at, &mut trace);
            simulation.command(timed.at, &timed.command, &mut trace);
        }
        advance(&mut simulation, SimTime(110_000_000), &mut trace);
        injected += u32::from(trace.iter().any(|e| e.code.starts_with("fault.inject")));
        let loose = |e: &&podscope_cluster::TraceEvent| {
            e.cause.is_none_or(|cause| cause >= e.id) && !podscope_session::whatif::is_root(e)
        };
        let loose = trace.iter().filter(loose);
        let loose: Vec<_> = loose
            .map(|e| (e.code, e.actor, &e.subject))
            .take(9)
            .collect();
        assert!(loose.is_empty(), "{kind}: {loose:#?}");
    }
    assert!(injected > 10, "only {injected} faults were injected");
}

/// Runs to a time. Bounded.
fn advance(
    simulation: &mut Simulation,
    until: SimTime,
    trace: &mut Vec<podscope_cluster::TraceEvent>,
) {
    for _ in 0..200_000 {
        if simulation.next_time().is_none_or(|t| t >= until) {
            break;
        }
        simulation.step(trace);
    }
    simulation.idle_until(until);
}

/// The lines of a manifest stand in the chain where they decided something.
#[test]
fn a_pending_pod_goes_back_to_its_manifest_line() {
    let mut session = Session::open(Source::Preset("pending")).expect("it opens");
    session.seek_end();
    let pods = podscope_session::whatif::pods(&session);
    let view = session.why(&pods[0]).expect("it is there");
    assert_eq!(view.stage.code, "why.pending");
    assert!(
        view.message
            .as_ref()
            .is_some_and(|m| m.contains("Insufficient cpu"))
    );
    let RootView::Act(root, _) = &view.root else {
        panic!("{:?}", view.root)
    };
    assert_eq!(root.code, "root.command");
    let attempt = view.attempts.last().expect("it was tried");
    assert!(attempt.nodes.iter().all(|n| n.rejected.is_some()));
    let line = view
        .causes
        .iter()
        .filter_map(|c| session.explain(c.event?)?.line.clone());
    assert!(
        line.into_iter()
            .any(|(_, _, text)| text.starts_with("requests"))
    );
}

#[test]
fn every_code_of_why_and_what_if_has_its_words() {
    let words = words::english();
    let sources = [
        include_str!("../src/why.rs"),
        include_str!("../src/why_attempt.rs"),
        include_str!("../src/why_root.rs"),
        include_str!("../src/whatif/mod.rs"),
        include_str!("../src/whatif/tell.rs"),
        include_str!("../src/whatif/sensitivity.rs"),
    ];
    let mut seen = 0;
    let heads = [
        "why.",
        "root.",
        "attempt.",
        "verdict.",
        "differs.",
        "victims.",
        "whatif.",
        "edit.",
        "sensitivity.",
    ];
    for source in sources {
        for word in source.split('"').skip(1).step_by(2) {
            let is_code = heads.iter().any(|h| word.starts_with(h))
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || ".-".contains(c));
            if is_code {
                seen += 1;
                assert!(words.get(word).is_some(), "{word} has no words");
            }
        }
    }
    assert!(seen > 60, "only {seen} codes found");
    // And every word is of a code that there is.
    let file = include_str!("../../../content/en/whatif.txt");
    let mut section = "";
    for line in file.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ") {
            let code = format!("\"{section}.{key}\"");
            assert!(
                sources.iter().any(|s| s.contains(&code)),
                "{code} is used nowhere"
            );
        }
    }
}

#[test]
fn a_manifest_that_would_stay_pending_gets_its_smallest_fix() {
    let session = Session::open(Source::Manifest("")).expect("it opens");
    let pod = |cpu: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: c\n    image: nginx\n    resources: {{requests: {{cpu: {cpu}}}}}\n"
        )
    };
    assert!(session.preview_fix(&pod("1")).is_none());
    assert!(session.preview_fix("kind: [").is_none());
    let fix = session.preview_fix(&pod("5")).expect("it would wait");
    let request = fix.answers.iter().find(|a| &*a.kind == "request.cpu");
    let edit = request
        .and_then(|a| a.edits.first())
        .expect("it could ask for less");
    assert!(
        edit.text.args.contains(&("to", Arg::Text("4".into()))),
        "{edit:?}"
    );
    // The editor's preview says why, node by node, in the scheduler's words.
    let mut session = session;
    let Effect::Pending { nodes, .. } = session.edit("p.yaml", &pod("5")).effect.clone() else {
        panic!("it would wait")
    };
    assert!(
        nodes
            .iter()
            .all(|(_, _, _, reason)| &**reason == "Insufficient cpu"),
        "{nodes:?}"
    );
}

#[test]
fn a_pod_that_runs_could_be_brought_to_each_node() {
    let mut session = Session::open(Source::Preset("birth")).expect("it opens");
    session.seek_end();
    let pod = podscope_session::whatif::pods(&session).remove(0);
    for node in ["node-1", "node-2", "node-3"] {
        let view = session.what_if(&pod, Some(node)).expect("it is there");
        assert!(
            view.now.code == "whatif.bound" || view.answers.iter().all(|a| &*a.node == node),
            "{view:?}"
        );
        assert!(
            view.now.code == "whatif.bound" || !view.answers.is_empty(),
            "{view:?}"
        );
    }
    let none = session.what_if(&pod, Some("nowhere")).expect("it is there");
    assert_eq!(none.now.code, "whatif.no-node");
}
