//! Questions before a step, answered by the engine.

use crate::session::Session;
use crate::view::*;
use podscope_api::Verb;
use podscope_cluster::{ComponentId, Data, TraceEvent};

/// How many events ahead the answer may lie.
const AHEAD: usize = 400;
/// The most answers offered.
const MAX_OPTIONS: usize = 4;

/// A question about what comes after the event at `place` in the log, if one suggests itself:
/// when the scheduler takes up a Pod, which node will it be?
pub fn before(session: &Session, place: usize) -> Option<PredictView> {
    let event = session.log().get(place)?;
    if event.actor != ComponentId::Scheduler || event.code != "watch.event" {
        return None;
    }
    let subject = event.subject.as_ref()?;
    let (i, node) = session
        .log()
        .get(place + 1..)?
        .iter()
        .take(AHEAD)
        .enumerate()
        .find_map(|(i, e)| {
            let node = binding(e, &subject.key.name)?;
            Some((place + 1 + i, node))
        })?;
    let mut names: Vec<String> = (0..session.simulation().cluster().nodes().len())
        .filter_map(|n| u16::try_from(n).ok())
        .map(|n| session.node_name(n))
        .collect();
    names.truncate(MAX_OPTIONS);
    let answer = names.iter().position(|n| *n == node)?;
    let options = names
        .into_iter()
        .map(|n| Msg::new("predict.node.option", vec![("node", Arg::Text(n.into()))]));
    Some(PredictView {
        question: Msg::new(
            "predict.node",
            vec![("pod", Arg::Text(subject.key.name.clone()))],
        ),
        options: options.collect(),
        answer: u16::try_from(answer).ok()?,
        event: EventIndex::try_from(i + 1).ok()?,
    })
}

fn binding(event: &TraceEvent, pod: &str) -> Option<String> {
    match &event.data {
        Data::Request(r)
            if event.code == "client.request"
                && r.verb == Verb::Create
                && &*r.subresource == "binding" =>
        {
            let podscope_api::Body::Object(body) = &r.body else {
                return None;
            };
            (*r.name == *pod).then(|| body.at("target.name").str_or_empty().to_string())
        }
        _ => None,
    }
}
