//! Commands that probes run inside a Pod's containers end with 1.
//!
//! Models: pkg/kubelet/prober (v1.36). Left out: preStop and postStart commands.

use super::{Active, Fault, Kind, Outcome, Target, nothing, over, quiet, target};
use crate::node::kubelet::probes::Probe;
use crate::world::Cluster;
use podscope_api::{Object, Text, Value};

pub(super) const KIND: Kind = Kind {
    name: "exec-failure",
    target: Target::Pod,
    params: &[],
    help: "Commands that the Pod's probes run inside its containers end with an error until healed.",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];

fn inject(cluster: &mut Cluster, fault: &Fault) -> Result<Outcome, Text> {
    let has = |container: &Value| {
        let mut probes = PROBES.iter().map(|field| container.get(field));
        probes.any(|probe| !probe.get("exec").is_null())
    };
    if !target::any_container(cluster, &fault.target, has) {
        return Err(format!("no probe of \"{}\" runs a command", fault.target).into());
    }
    Ok(Outcome::Stays)
}

impl Active {
    /// Whether a probe is a command that a fault makes fail.
    #[inline(never)]
    pub(super) fn command_fails(&self, pod: &Object, probe: &Probe) -> bool {
        let key = pod.key();
        let mut hit = self
            .of(KIND.name)
            .filter(|f| target::is_pod(&f.target, &key, pod.labels()));
        hit.next().is_some() && probe.command
    }
}
