//! A machine has no Pod address left: earlier sandboxes have not given theirs back.
//!
//! Models: CNI plugins 1.7, host-local (the files of `/var/lib/cni/networks`). The scheduler does not know.

use super::{Fault, Kind, Outcome, Target, machine, number, over, quiet};
use crate::world::Cluster;
use podscope_api::Text;
use podscope_kernel::SimDuration;

pub(super) const KIND: Kind = Kind {
    name: "ip-exhaustion",
    target: Target::Node,
    params: &[number("free", "0", 0, 252)],
    help: "Leaked addresses fill a machine's Pod range but for `free` of them; healing removes the leak.",
    inject,
    strike: quiet,
    heal,
    end: over,
};

/// The owner of the leaked addresses.
fn owner(fault: &Fault) -> String {
    format!("leaked-{}", fault.number)
}

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let Some(id) = machine(cluster, &fault.target) else {
        return Err("there is no such node".into());
    };
    let free = fault.text("free").trim().parse().unwrap_or(0);
    let Some(node) = cluster.nodes.get_mut(usize::from(id)) else {
        return Err("there is no such node".into());
    };
    let owner = owner(fault);
    let (_, runtime) = node.parts_mut();
    if runtime.addresses_mut().leak(&owner, free) == 0 {
        let why = format!("{} has no more than {free} free addresses", fault.target);
        return Err(why.into());
    }
    Ok(Outcome::Stays)
}

fn heal(cluster: &mut Cluster, fault: &Fault) -> Option<SimDuration> {
    let id = machine(cluster, &fault.target)?;
    let node = cluster.nodes.get_mut(usize::from(id))?;
    node.parts_mut().1.addresses_mut().release(&owner(fault));
    None
}
