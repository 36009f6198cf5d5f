//! Lanes, marks and phases of the known trace.

use crate::components;
use crate::session::Session;
use crate::view::*;
use podscope_cluster::{ComponentId, ControllerId};
use podscope_kernel::collections::BTreeMap;

/// The most lanes.
const MAX_LANES: usize = 64;
/// The most marks of one lane.
const MAX_MARKS: usize = 20_000;

#[derive(Clone, Default)]
struct Lane {
    marks: Vec<Mark>,
    silent: Vec<(Nanos, Option<Nanos>)>,
}

/// The lane of an actor, `None` for those without one.
fn lane_of(actor: ComponentId) -> Option<(u8, u16)> {
    Some(match actor {
        ComponentId::Client(_) | ComponentId::Fault => (0, 0),
        ComponentId::Controller(c) => match c {
            ControllerId::NodeLifecycle => (1, 0),
            ControllerId::TaintEviction => (1, 1),
            ControllerId::Deployment => (1, 2),
            ControllerId::ReplicaSet => (1, 3),
            ControllerId::EndpointSlice => (3, 0),
            ControllerId::LeaderElection => return None,
            other => (4, other as u16),
        },
        ComponentId::Scheduler => (2, 0),
        ComponentId::Kubelet(n) | ComponentId::Runtime(n) => (2, n.saturating_add(1)),
        ComponentId::KubeProxy(_)
        | ComponentId::ApiServer
        | ComponentId::Etcd(_)
        | ComponentId::Registry => {
            return None;
        }
    })
}

/// The view, without the forks.
pub fn view(session: &Session) -> TimelineView {
    let index = session.index();
    let log = session.log();
    let mut lanes: BTreeMap<(u8, u16), (ComponentId, Lane)> = BTreeMap::new();
    let mut phases = Vec::new();
    let always = [ComponentId::Client(0), ComponentId::Scheduler];
    let kubelets = session
        .simulation()
        .cluster()
        .nodes()
        .iter()
        .take(12)
        .map(|n| ComponentId::Kubelet(n.id));
    for component in always.into_iter().chain(kubelets) {
        if let Some(lane) = lane_of(component) {
            lanes.insert(lane, (component, Lane::default()));
        }
    }
    for (i, (event, entry)) in log.iter().zip(index.entries()).enumerate() {
        let number = EventIndex::try_from(i + 1).unwrap_or(EventIndex::MAX);
        let at = event.at.0.saturating_mul(1_000);
        if let Some(name) = entry.phase {
            phases.push(PhaseView {
                name: Msg::plain(name),
                event: number,
                at,
            });
        }
        if let Some((machine, ends)) = crate::faults::silence(session, event) {
            let lane = lanes
                .entry((2, machine.saturating_add(1)))
                .or_insert_with(|| (ComponentId::Kubelet(machine), Lane::default()));
            match lane.1.silent.last_mut() {
                Some(open) if ends && open.1.is_none() => open.1 = Some(at),
                _ if !ends => lane.1.silent.push((at, None)),
                _ => {}
            }
        }
        let Some(kind) = entry.mark else { continue };
        let Some(place) = lane_of(event.actor) else {
            continue;
        };
        if lanes.len() >= MAX_LANES && !lanes.contains_key(&place) {
            continue;
        }
        let lane = lanes
            .entry(place)
            .or_insert_with(|| (event.actor, Lane::default()));
        if lane.1.marks.len() < MAX_MARKS {
            lane.1.marks.push(Mark {
                at,
                event: number,
                kind,
            });
        }
    }
    let lanes: Vec<LaneView> = lanes
        .into_values()
        .map(|(component, lane)| {
            let component = match component {
                ComponentId::Runtime(n) => ComponentId::Kubelet(n),
                ComponentId::Fault => ComponentId::Client(0),
                other => other,
            };
            let mut name = components::name(session, component);
            if matches!(component, ComponentId::Controller(_)) {
                name.push_str(" ctrl");
            }
            LaneView {
                kind: crate::index::component_kind(component),
                name: name.into(),
                marks: lane.marks.into(),
                silent: lane.silent.into(),
            }
        })
        .collect();
    TimelineView {
        lanes: lanes.into(),
        phases: phases.into(),
        expected: index.expected().iter().map(|p| Msg::plain(p)).collect(),
        end: log.last().map_or(0, |e| e.at.0.saturating_mul(1_000)),
        events: EventIndex::try_from(log.len()).unwrap_or(EventIndex::MAX),
        forks: Vec::new().into(),
    }
}
