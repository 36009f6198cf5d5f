//! The insides of components show what the engine has.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::*;

fn birth() -> Session {
    Session::open(Source::Preset("birth")).expect("the preset opens")
}

fn component(session: &Session, name: &str) -> Target {
    let view = session.view();
    let found = view.components.iter().find(|c| *c.name == *name);
    Target::Component(found.expect("a component of this name").id)
}

/// Steps by events until `wanted` holds.
fn until(session: &mut Session, wanted: impl Fn(&Session) -> bool) {
    for _ in 0..3_000 {
        if wanted(session) || !session.step(StepSize::Event) {
            break;
        }
    }
    assert!(wanted(session), "it never happens");
}

fn etcd(session: &Session) -> EtcdInside {
    match &*session.inside(&component(session, "etcd")) {
        InsideView::Etcd(inside) => inside.clone(),
        other => panic!("etcd's inside, not {other:?}"),
    }
}

#[test]
fn a_write_is_proposed_acknowledged_and_committed() {
    let mut session = birth();
    let acks = |session: &Session| etcd(session).proposal.map(|p| (p.acks.len(), p.revision));
    until(&mut session, |s| acks(s) == Some((0, 0)));
    let before = etcd(&session);
    until(&mut session, |s| acks(s) == Some((1, 0)));
    until(&mut session, |s| matches!(acks(s), Some((2, 1..))));
    let after = etcd(&session);
    assert_eq!(after.revision, before.revision + 1);
    let entry = after.log.last().expect("an entry");
    assert_eq!(&*entry.key, "/registry/deployments/default/nginx");
    assert_eq!(
        (entry.revision, entry.term, entry.now),
        (after.revision, after.term, true)
    );
    assert_eq!(usize::from(after.quorum), entry.acks.len());
    assert_eq!(&*after.keys[0].key, "/registry/deployments/default/nginx");
}

#[test]
fn a_member_that_is_down_stays_behind() {
    let mut session = birth();
    session.seek_end();
    session
        .fault("etcd-member-down", "1", &[])
        .expect("it can be broken");
    let frozen = etcd(&session).members[1].clone();
    assert!(!frozen.up && frozen.index > 0);
    session
        .kubectl(&["scale", "deployment/nginx", "--replicas=5"])
        .expect("a command");
    session.step(StepSize::UntilStable);
    let after = etcd(&session);
    assert_eq!(after.members[1].index, frozen.index);
    assert!(after.members[0].index > frozen.index);
}

#[test]
fn a_request_opens_as_a_call_with_what_was_sent_and_what_came_back() {
    let mut session = birth();
    session.seek_end();
    let client = match &*session.inside(&component(&session, "kubectl")) {
        InsideView::Client(inside) => inside.clone(),
        other => panic!("a client's inside, not {other:?}"),
    };
    let post = client
        .requests
        .iter()
        .find(|r| &*r.label == "POST deployments nginx");
    let post = post.expect("the request").clone();
    assert_eq!((&*post.answer, post.failed), ("201 Created", false));
    let call = match &*session.inside(&Target::Call(post.event)) {
        InsideView::Call(call) => call.clone(),
        other => panic!("a call, not {other:?}"),
    };
    assert_eq!((&*call.from.1, &*call.to.1), ("kubectl", "API server"));
    assert_eq!(call.took, post.took);
    let titles: Vec<&str> = call.panes.iter().map(|p| p.title).collect();
    assert_eq!(titles, ["pane.request", "pane.response"]);
    assert!(call.steps.iter().any(|s| s.msg.code == "etcd.commit"));
    // Before it was sent, there is nothing to show.
    session.seek(Seek::Event(1));
    assert_eq!(
        *session.inside(&Target::Call(post.event)),
        InsideView::Nothing
    );
    assert_eq!(
        *session.inside(&Target::Call(u32::MAX)),
        InsideView::Nothing
    );
}

#[test]
fn a_controller_compares_until_nothing_differs() {
    let mut session = birth();
    let look = |session: &Session| match &*session.inside(&component(session, "ReplicaSet")) {
        InsideView::Controller(inside) => inside.clone(),
        other => panic!("a controller's inside, not {other:?}"),
    };
    until(&mut session, |s| {
        look(s).queue.iter().any(|k| k.place == KeyPlace::InHand)
    });
    let busy = look(&session);
    assert!(busy.compares.iter().any(|c| !c.same), "{:?}", busy.compares);
    session.seek_end();
    let done = look(&session);
    assert!(done.compares.iter().all(|c| c.same), "{:?}", done.compares);
    assert!(done.writes.iter().any(|w| &*w.label == "POST pods"));
    assert!(done.caches.iter().take(2).all(|c| c.wakes));
}

#[test]
fn a_kubelet_says_what_it_does_and_which_bytes_are_here() {
    let mut session = birth();
    let nodes = |session: &Session| -> Vec<NodeInside> {
        let view = session.view();
        let inside = |n: &NodeView| match &*session.inside(&Target::Node(n.name.clone())) {
            InsideView::Node(inside) => inside.clone(),
            other => panic!("a node's inside, not {other:?}"),
        };
        view.nodes.iter().map(inside).collect()
    };
    until(&mut session, |s| {
        let busy = nodes(s).into_iter().flat_map(|n| n.workers.to_vec());
        busy.into_iter().any(|w| w.doing.code == "doing.sandbox")
    });
    until(&mut session, |s| {
        nodes(s).iter().any(|n| !n.pulls.is_empty())
    });
    let pull = nodes(&session)
        .into_iter()
        .flat_map(|n| n.pulls.to_vec())
        .next()
        .expect("a pull");
    assert!(!pull.layers.is_empty());
    assert!(pull.layers.iter().all(|(all, here)| here <= all));
    session.seek_end();
    assert!(
        nodes(&session)
            .iter()
            .all(|n| n.pulls.is_empty() && n.workers.len() == 1)
    );
}
