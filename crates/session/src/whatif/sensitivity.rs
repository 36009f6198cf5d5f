//! By how little another node would win.
//!
//! The scheduler decides again and again while one number changes in steps: what the Pod asks for, or what is
//! free on a node. Exact within the step, since every step on the way is tried; bounded by [`MAX_TRIALS`].

use super::edit::asked;
use super::state::State;
use crate::session::Session;
use crate::view::*;
use crate::why_attempt::amount;
use podscope_api::{Kind, Object, Quantity, Value, value};
use podscope_cluster::Cluster;
use podscope_cluster::scheduler::framework::schedule;
use podscope_cluster::scheduler::node_info::NodeInfo;
use podscope_cluster::scheduler::pod_info::PodInfo;
use podscope_cluster::scheduler::resources::Resource;
use std::rc::Rc;

/// The most decisions for one question.
pub const MAX_TRIALS: u32 = 1_200;
/// The most of them for one row.
const MAX_OF_ROW: u32 = 160;
/// The most nodes that are decided among: each trial asks all of them.
const MAX_NODES: usize = 50;
/// The resources that scores look at, with the steps in which they change: 50 thousandths of a CPU, 64 MiB.
const STEPS: [(&str, i64); 2] = [("cpu", 50), ("memory", 64 << 20)];

/// The answer; `None` when there is no such Pod.
#[inline(never)]
pub fn sensitivity(session: &Session, pod: &ObjectRef) -> Option<SensitivityView> {
    let key = crate::why::key(session, pod)?;
    let cluster = session.simulation().cluster();
    let object = cluster.etcd().get(Kind::Pod, &key)?.object.clone();
    Some(ask(cluster, &object))
}

/// The answer for a Pod of a cluster.
#[inline(never)]
pub fn ask(cluster: &Cluster, pod: &Object) -> SensitivityView {
    let state = State::new(cluster, pod);
    let mut view = SensitivityView {
        pod: crate::cluster_view::object_ref(Kind::Pod, &pod.key()),
        totals: Rc::new([]),
        winner: None,
        changes: Rc::new([]),
        bounds: bounds(0),
    };
    if state.is_gated() || state.cache.len() > MAX_NODES {
        return view;
    }
    let info = PodInfo::new(&state.pod);
    let (decision, _) = schedule(&info, &state.cache, state.profile(), 0);
    let Some(winner) = decision.chosen else {
        return view;
    };
    let name = |slot| state.cache.node(slot).name.clone();
    let mut totals: Vec<(Text, i64)> = match &decision.scores {
        Some(scores) => {
            let all = scores.nodes.iter().zip(&scores.totals);
            all.map(|(slot, total)| (name(*slot), *total)).collect()
        }
        None => vec![(name(winner), 0)],
    };
    podscope_api::sort::by_key(&mut totals, |(name, total)| {
        (std::cmp::Reverse(*total), name.clone())
    });
    let winner = name(winner);
    let mut rows = Vec::new();
    let mut trials = 0;
    for (resource, step) in STEPS {
        for up in [true, false] {
            rows.extend(request_row(
                &state,
                &winner,
                (resource, step, up),
                &mut trials,
            ));
        }
    }
    // Less free where the Pod goes now, more free where it nearly went.
    for (resource, step) in STEPS {
        rows.extend(room_row(
            &state,
            &winner,
            (&winner, resource, -step),
            &mut trials,
        ));
        for (other, _) in totals.iter().filter(|(n, _)| *n != winner).take(3) {
            rows.extend(room_row(
                &state,
                &winner,
                (other, resource, step),
                &mut trials,
            ));
        }
    }
    view.totals = totals.into();
    view.winner = Some(winner);
    view.changes = rows.into();
    view.bounds = bounds(trials);
    view
}

fn bounds(trials: u32) -> Msg {
    let text = |at: usize| {
        let (resource, step) = STEPS[at];
        Arg::Text(amount(resource, step).into())
    };
    Msg::new(
        "sensitivity.bounds",
        vec![
            ("cpu", text(0)),
            ("memory", text(1)),
            ("trials", Arg::Count(i64::from(trials))),
        ],
    )
}

/// Who wins in a state.
fn chosen(state: &State, trials: &mut u32) -> Option<Text> {
    *trials += 1;
    state.chosen()
}

/// The smallest change of what the Pod asks for.
fn request_row(
    state: &State,
    winner: &Text,
    (resource, step, up): (&str, i64, bool),
    trials: &mut u32,
) -> Option<SensitivityRow> {
    let from = asked(&state.pod, resource);
    let containers = state.pod.at("spec.containers").items();
    // Of several containers the first that asks for it, else the first, changes.
    let reads = |c: &Value| {
        let text = c.get("resources").get("requests").get(resource);
        let quantity = Quantity::from_value(text).unwrap_or_default();
        if resource == "cpu" {
            quantity.milli_value()
        } else {
            quantity.value()
        }
    };
    let place = containers.iter().position(|c| reads(c) > 0).unwrap_or(0);
    let own = containers.get(place).map(reads)?;
    for n in 1..=i64::from(MAX_OF_ROW) {
        if *trials >= MAX_TRIALS {
            return None;
        }
        let by = step.saturating_mul(n);
        let to = if up { own.saturating_add(by) } else { own - by };
        if to < 0 {
            return None;
        }
        let mut next = state.clone();
        let container = next
            .pod
            .at_mut("spec.containers")
            .list_mut()
            .get_mut(place)?;
        *container.at_mut("resources.requests").entry(resource) = amount(resource, to).into();
        let now = chosen(&next, trials);
        if now.as_ref() == Some(winner) {
            continue;
        }
        let after = asked(&next.pod, resource);
        let code = if up {
            "sensitivity.more"
        } else {
            "sensitivity.less"
        };
        let text = |n: i64| Arg::Text(amount(resource, n).into());
        let args = vec![
            ("resource", Arg::Text(resource.into())),
            ("by", text((after - from).abs())),
            ("from", text(from)),
            ("to", text(after)),
        ];
        return Some(SensitivityRow {
            text: Msg::new(code, args),
            winner: now,
        });
    }
    None
}

/// The smallest change of what is free on a node: as if a Pod came that takes it, or the node had more.
fn room_row(
    state: &State,
    winner: &Text,
    (node, resource, step): (&Text, &str, i64),
    trials: &mut u32,
) -> Option<SensitivityRow> {
    let info: &NodeInfo = state.cache.find(node)?;
    let kind = Resource::named(&resource.into());
    let has = info.allocatable.amount(&kind);
    let free = has.saturating_sub(info.requested.amount(&kind));
    for n in 1..=i64::from(MAX_OF_ROW) {
        if *trials >= MAX_TRIALS {
            return None;
        }
        let by = step.saturating_mul(n);
        let mut next = state.clone();
        if by < 0 {
            if free.saturating_add(by) < 0 {
                return None;
            }
            next.add_pod(Rc::new(taker(resource, -by)), node);
        } else {
            let mut object = (**next.nodes.get(node)?).clone();
            *object.at_mut("status.allocatable").entry(resource) =
                amount(resource, has.saturating_add(by)).into();
            next.set_node(object);
        }
        let now = chosen(&next, trials);
        if now.as_ref() == Some(winner) {
            continue;
        }
        let code = if by > 0 {
            "sensitivity.room"
        } else {
            "sensitivity.taken"
        };
        let text = |n: i64| Arg::Text(amount(resource, n).into());
        let args = vec![
            ("node", Arg::Text(node.clone())),
            ("resource", Arg::Text(resource.into())),
            ("by", text(by.abs())),
            ("from", text(free)),
            ("to", text(free.saturating_add(by))),
        ];
        return Some(SensitivityRow {
            text: Msg::new(code, args),
            winner: now,
        });
    }
    None
}

/// A Pod without labels that takes some of a resource and asks for none of the other.
fn taker(resource: &str, n: i64) -> PodInfo {
    let mut requests = value!({"cpu": "0", "memory": "0"});
    *requests.entry(resource) = amount(resource, n).into();
    PodInfo::new(&Object(value!({
        "metadata": {"name": "taker", "namespace": "default", "uid": "taker"},
        "spec": {"containers": [{"name": "c", "resources": {"requests": (requests)}}]}
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Source;

    #[test]
    fn each_change_makes_another_node_win_and_a_step_less_does_not() {
        let mut session = Session::open(Source::Preset("birth")).expect("it opens");
        session.seek_end();
        let pods = crate::whatif::pods(&session);
        let pod = pods.first().expect("a Pod");
        let view = sensitivity(&session, pod).expect("it is there");
        assert!(!view.totals.is_empty() && !view.changes.is_empty());
        let winner = view.winner.as_ref().expect("a winner");
        assert_eq!(view.totals.first().map(|t| &t.0), Some(winner));
        for row in view.changes.iter() {
            assert_ne!(row.winner.as_ref(), Some(winner), "{row:?}");
        }
    }
}
