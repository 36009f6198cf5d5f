//! The scheduler's attempts as the page shows them: all receipts, at any cursor, at any size.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::scheduler_api::SchedulerApi;
use podscope_session::view::*;
use podscope_session::whatif::api::WhatIfApi;
use std::fmt::Write;

fn preset(name: &str, seconds: u64) -> Session {
    let mut session = Session::open(Source::Preset(name)).expect("a preset");
    session.run_until_stable();
    session.seek(Seek::Time(seconds * 1_000_000_000));
    session
}

/// So many nodes of three kinds, and a Deployment of so many Pods.
fn crowd(nodes: usize, pods: usize) -> Session {
    let mut text = String::from("podscope: 1\ncluster:\n  nodes:\n");
    for i in 1..=nodes {
        let kind = [
            "",
            ", taints: [\"dedicated=gpu:NoSchedule\"]",
            ", cpu: 100m",
        ][match i % 6 {
            1 => 1,
            2 => 2,
            _ => 0,
        }];
        writeln!(text, "  - {{name: node-{i}{kind}}}").expect("a line");
    }
    let spec = "containers: [{name: c, image: \"nginx:1.25\", resources: {requests: {cpu: 300m}}}]";
    write!(
        text,
        "files:\n- name: web.yaml\n  text: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: web}}\n    spec:\n      replicas: {pods}\n      selector: {{matchLabels: {{app: web}}}}\n      template:\n        metadata: {{labels: {{app: web}}}}\n        spec: {{{spec}}}\ncommands:\n- at: 1ms\n  kubectl: apply -f web.yaml\n"
    )
    .expect("a text");
    let mut session = Session::open(Source::Scenario(&text)).expect("a scenario");
    session.run_until_stable();
    session
}

/// What must hold of any attempt that has ended.
fn agrees(view: &SchedulerInside) {
    let passed = view.rows.iter().filter(|row| row.stopped.is_none()).count();
    assert_eq!(
        view.rows.len(),
        view.looked as usize,
        "every node has its row"
    );
    assert_eq!(passed, view.feasible as usize);
    for (reason, n) in view.reasons.iter() {
        let said = view
            .rows
            .iter()
            .filter(|row| row.reason.contains(&**reason));
        assert_eq!(said.count(), *n as usize, "{reason}");
    }
    let best = view.rows.iter().filter_map(|row| row.total).max();
    if let Some(best) = best {
        let chosen = view.chosen.as_ref().expect("one is chosen");
        let won = view.rows.iter().find(|row| row.node == *chosen);
        assert_eq!(won.and_then(|row| row.total), Some(best));
        let tied = view.rows.iter().filter(|row| row.total == Some(best));
        assert_eq!(tied.count(), view.tied as usize);
    }
    for row in view.rows.iter().filter(|row| row.total.is_some()) {
        let sum: i64 = row.cells.iter().map(|cell| cell.weighted).sum();
        assert_eq!(Some(sum), row.total, "{}", row.node);
    }
}

#[test]
fn many_nodes_have_all_their_receipts() {
    for nodes in [12, 70, 330] {
        let session = crowd(nodes, 4);
        let tries = session.queues().attempts;
        assert_eq!(tries.len(), 4);
        for attempt in tries.iter() {
            let view = session.matrix(Some(attempt.event));
            assert!(!view.partial);
            assert_eq!(view.chosen.as_ref(), Some(&attempt.node), "{nodes} nodes");
            agrees(&view);
            let receipt = session
                .receipt(attempt.event, &attempt.node)
                .expect("a receipt");
            assert_eq!(
                receipt.total,
                view.rows.iter().filter_map(|r| r.total).max()
            );
            assert!(receipt.scores.iter().any(|line| !line.sums.is_empty()));
        }
        let last = session.matrix(None);
        // 220 of 330 would pass: 158 are enough, and the rest is not looked at.
        assert_eq!(last.looked < last.nodes, nodes == 330);
        assert_eq!(last.feasible == last.enough, nodes == 330);
    }
}

#[test]
fn an_attempt_is_shown_as_far_as_the_cursor_is() {
    let mut session = preset("waiting", 30);
    let last = session.queues().attempts[0].clone();
    let shown = |session: &Session, after: u32| {
        let view = session.matrix(Some(last.event));
        assert!(view.now, "step {after}");
        (view.looked, view.chosen.is_some())
    };
    session.seek(Seek::Event(last.event));
    assert_eq!(shown(&session, 0), (0, false));
    session.seek(Seek::Event(last.event + 2));
    assert_eq!(shown(&session, 2), (6, false));
    session.seek(Seek::Event(last.event + 3));
    assert_eq!(shown(&session, 3), (6, true));
}

#[test]
fn the_second_attempt_says_what_is_different() {
    let session = preset("waiting", 30);
    let view = session.matrix(None);
    agrees(&view);
    assert_eq!(view.attempt, 2);
    assert_eq!(
        view.woken.as_ref().map(|m| m.code),
        Some("scheduler.requeue")
    );
    let since = view.since.as_ref().expect("there was one before");
    assert_eq!(since.attempt, 1);
    let changes: Vec<(&str, Vec<&str>)> = since
        .changes
        .iter()
        .map(|(msg, nodes)| (msg.code, nodes.iter().map(|n| &**n).collect()))
        .collect();
    assert!(
        changes.contains(&("sched.changed.passes", vec!["node-2"])),
        "{changes:?}"
    );
    assert!(
        changes.iter().all(|(_, nodes)| *nodes == ["node-2"]),
        "{changes:?}"
    );
}

#[test]
fn a_waiting_pod_says_what_it_waits_for_and_by_which_line() {
    let session = preset("waiting", 6);
    let queue = session.queues().queue;
    let late = queue.first().expect("it waits");
    assert!(late.rejected_by.iter().any(|p| &**p == "NodeResourcesFit"));
    // It waited from the fifth second; looked at every thirty, it is tried again at the latest so late.
    assert_eq!(late.flush, Some(330_000_000_000));
    let view = session.matrix(session.last_attempt(&late.pod));
    let (file, _, text) = view.line.clone().expect("a line decided");
    assert_eq!((&*file, &*text), ("late.yaml", "requests:"));
}

#[test]
fn an_answer_is_carried_out_in_a_future_of_its_own() {
    let mut session = preset("waiting", 6);
    let pod = session.queues().queue[0].pod.clone();
    let answers = session.what_if(&pod, None).expect("a Pod");
    let uncordon = |a: &&AnswerView| a.edits.iter().any(|e| e.text.code == "edit.uncordon");
    let answer = answers.answers.iter().find(uncordon).expect("a way");
    session.try_out(answer).expect("it can be read");
    session.run_until_stable();
    assert_eq!(
        session.matrix(session.last_attempt(&pod)).chosen,
        Some(answer.node.clone())
    );
    let forks = session.timeline().forks.clone();
    assert_eq!(forks.len(), 2);
    let other = forks.iter().find(|f| !f.current).expect("the one before");
    session.switch(other.id).expect("it is kept");
    session.seek(Seek::Time(30_000_000_000));
    let chosen = session.matrix(session.last_attempt(&pod)).chosen.clone();
    assert_eq!(chosen.as_deref(), Some("node-2"));
}
