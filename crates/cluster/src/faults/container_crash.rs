//! A container's process ends: once, or each time it is started.

use super::{Accepts, Fault, Kind, Outcome, Param, Target, nothing, number, over, target};
use crate::component::ComponentId;
use crate::node::runtime::ContainerState;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "container-crash",
    target: Target::Pod,
    params: &[
        Param {
            name: "container",
            default: "",
            accepts: Accepts::Container,
        },
        Param {
            name: "times",
            default: "1",
            accepts: Accepts::OneOf(&["1", "always"]),
        },
        number("exit_code", "1", 0, 255),
        number("after_s", "1", 0, 86_400),
        Param {
            name: "reason",
            default: "",
            accepts: Accepts::OneOf(&["", "OOMKilled"]),
        },
    ],
    help: "A container's process ends with exit_code: once (times=1), or after_s seconds after each start (times=always); reason=OOMKilled makes it the kernel's deed.",
    inject,
    strike,
    heal: nothing,
    end: over,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    match &*fault.text("times") {
        "always" => Ok(Outcome::Stays),
        _ if running(cluster, fault).is_empty() => {
            Err(format!("no container of \"{}\" runs", fault.target).into())
        }
        _ => Ok(Outcome::Momentary),
    }
}

/// The running containers that are hit: machine, Pod uid, container.
pub(super) fn running(cluster: &Cluster, fault: &Fault) -> Vec<(usize, Text, Text)> {
    let wanted = fault.text("container");
    let mut hit = Vec::new();
    for (i, node) in cluster.nodes.iter().enumerate() {
        for (uid, record) in node.runtime().pods() {
            if !target::is_pod(&fault.target, &record.key, record.pod.labels()) {
                continue;
            }
            // Without a name it is the Pod's first app container.
            let first = record
                .pod
                .at("spec.containers")
                .index(0)
                .get("name")
                .str_or_empty();
            let name = if wanted.is_empty() { first } else { &*wanted };
            let newest = record.newest(name);
            if newest.is_some_and(|c| c.state == ContainerState::Running) {
                hit.push((i, uid.clone(), name.into()));
            }
        }
    }
    hit
}

/// Ends the processes that are hit now.
fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    let reason = fault.text("reason");
    let exit_code = if reason.is_empty() {
        fault.text("exit_code").parse().unwrap_or(1)
    } else {
        137
    };
    for (i, uid, name) in running(cluster, fault) {
        if let Some(node) = cluster.nodes.get_mut(i) {
            let mut ctx = cluster.sim.ctx(ComponentId::Runtime(node.id), cause);
            let (_, runtime) = node.parts_mut();
            runtime.end_now(&uid, &name, exit_code, &reason, &mut ctx);
        }
    }
}
