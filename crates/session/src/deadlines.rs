//! Pending deadlines: whose, for what, when.

use crate::components;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Kind, Timestamp};
use podscope_cluster::{ComponentId, ControllerId};
use podscope_kernel::SimTime;

/// How long a node may be silent before it counts as lost, in microseconds.
///
/// Models: pkg/controller/nodelifecycle, --node-monitor-grace-period (v1.36)
const NODE_MONITOR_GRACE: u64 = 50_000_000;

/// When the next deadline behind the cursor is due. The cursor may stand at a deadline, behind the last
/// event before it.
pub fn next(session: &Session) -> Option<SimTime> {
    let now = session.timeline.position().at;
    views(session)
        .iter()
        .filter_map(|t| t.due)
        .map(|d| SimTime(d / 1_000))
        .filter(|d| *d > now)
        .min()
}

/// All pending deadlines, soonest first.
pub fn views(session: &Session) -> Vec<TimerView> {
    let cluster = session.simulation().cluster();
    let mut timers: Vec<TimerView> = cluster
        .timers()
        .filter(|(_, _, timer, _)| timer.deadline)
        .map(|(at, owner, timer, cause)| {
            let set = cause
                .and_then(|id| session.log().get(usize::try_from(id.0).ok()?))
                .map_or(cluster.now(), |e| e.at);
            let args = vec![
                ("object", Arg::Text(timer.key.name.clone())),
                ("namespace", Arg::Text(timer.key.namespace.clone())),
            ];
            TimerView {
                name: Msg::new(timer.code, args.clone()),
                then: Msg::new(
                    "timer.then",
                    [args, vec![("timer", Arg::Text(timer.code.into()))]].concat(),
                ),
                from: set.0.saturating_mul(1_000),
                due: Some(at.0.saturating_mul(1_000)),
                component: components::number(owner),
            }
        })
        .collect();
    timers.extend(leases(session));
    podscope_api::sort::by_key(&mut timers, |t| t.due.unwrap_or(u64::MAX));
    timers
}

/// Leases of nodes that are not renewed any more; how old they are still counts when it was noticed.
fn leases(session: &Session) -> Vec<TimerView> {
    let cluster = session.simulation().cluster();
    let network = cluster.network();
    let quiet = |n: u16| !network.reaches_apiserver(Some(n)) || network.kubelet_down.contains(&n);
    cluster
        .nodes()
        .iter()
        .filter(|n| quiet(n.id))
        .filter_map(|n| {
            let node = cluster.etcd().get(
                Kind::Node,
                &podscope_api::Key::new("", n.config.name.clone()),
            )?;
            let noticed = node.object.condition("Ready").get("status").as_str() == Some("Unknown");
            let key = podscope_api::Key::new("kube-node-lease", n.config.name.clone());
            let lease = cluster.etcd().get(Kind::Lease, &key)?;
            let renewed = Timestamp::parse(lease.object.at("spec.renewTime").as_str()?)?;
            let from = u64::try_from(renewed.0 - cluster.config().epoch_micros).unwrap_or(0);
            let args = vec![("object", Arg::Text(n.config.name.clone()))];
            Some(TimerView {
                name: Msg::new("timer.lease", args.clone()),
                then: if noticed {
                    Msg::new("timer.lease.over", args)
                } else {
                    Msg::new("timer.lease.then", args)
                },
                from: from.saturating_mul(1_000),
                due: Some((from + NODE_MONITOR_GRACE).saturating_mul(1_000)),
                component: components::number(ComponentId::Controller(ControllerId::NodeLifecycle)),
            })
        })
        .collect()
}
