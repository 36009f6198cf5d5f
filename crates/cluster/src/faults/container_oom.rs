//! A container wants more memory than its limit allows: the kernel kills it.
//!
//! Models: the kernel's memory controller with memory.oom.group, as CRI reports it: `OOMKilled`, 137

use super::container_crash::running;
use super::{Accepts, Fault, Kind, Outcome, Param, Target, nothing, number, over, target};
use crate::component::ComponentId;
use crate::trace::TraceId;
use crate::world::Cluster;
use podscope_api::{Text, Value};

pub(super) const KIND: Kind = Kind {
    name: "container-oom",
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
        number("after_s", "5", 0, 86_400),
    ],
    help: "A container exceeds its memory limit and the kernel kills it: once (times=1), or after_s seconds after each start as well (times=always).",
    inject,
    strike,
    heal: nothing,
    end: over,
};

#[inline(never)]
fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let wanted = fault.text("container");
    let limited = |container: &Value| {
        let named = wanted.is_empty() || container.get("name").as_str() == Some(&*wanted);
        named && !container.at("resources.limits.memory").is_null()
    };
    if !target::any_container(cluster, &fault.target, limited) {
        let why = format!("no container of \"{}\" has a memory limit", fault.target);
        return Err(why.into());
    }
    if &*fault.text("times") == "always" {
        return Ok(Outcome::Stays);
    }
    if running(cluster, fault).is_empty() {
        return Err(format!("no container of \"{}\" runs", fault.target).into());
    }
    Ok(Outcome::Momentary)
}

fn strike(cluster: &mut Cluster, fault: &Fault, cause: Option<TraceId>) {
    for (i, uid, name) in running(cluster, fault) {
        if let Some(node) = cluster.nodes.get_mut(i) {
            let mut ctx = cluster.sim.ctx(ComponentId::Runtime(node.id), cause);
            let (_, runtime) = node.parts_mut();
            runtime.end_now(&uid, &name, 137, "OOMKilled", &mut ctx);
        }
    }
}
