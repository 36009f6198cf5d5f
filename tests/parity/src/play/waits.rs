//! When a script goes on: what the recorder's script waited for without saying so.

use super::Player;
use crate::run::{What, base_of};
use crate::setup;
use podscope_api::Object;
use podscope_kernel::{SimTime, World};
use podscope_session::Simulation;
use std::collections::BTreeMap;

/// A Lease is renewed in this time, in microseconds.
const LEASE_EVERY: i64 = 11_000_000;
/// Whether those Pods that stay are in the same states, and not more than recorded are still going.
fn alike(recorded: &[(String, String)], played: &[(String, String)]) -> bool {
    let going = |pod: &&(String, String)| pod.1.ends_with("going");
    let stay = |pods: &[(String, String)]| -> Vec<(String, String)> {
        pods.iter().filter(|pod| !going(pod)).cloned().collect()
    };
    let leave = |pods: &[(String, String)]| pods.iter().filter(going).count();
    stay(recorded) == stay(played) && leave(played) <= leave(recorded)
}

/// A Pod's state in a word or two.
fn state_of(pod: &Object) -> String {
    let phase = pod.status().get("phase").str_or_empty();
    let ready = if pod.condition_true("Ready") {
        ", ready"
    } else {
        ""
    };
    let going = if pod.is_being_deleted() {
        ", going"
    } else {
        ""
    };
    format!("{phase}{ready}{going}")
}

impl Player<'_> {
    /// Waits until the Node's Lease was renewed as long ago as in the recording: what follows a kubelet's
    /// silence counts from there.
    pub(super) fn wait_for_lease(&mut self, node: &str, recorded_at: i64) {
        let renewals = self.recording.run.changes.iter();
        let renewals = renewals.filter(|c| c.resource == "leases" && c.object.name() == node);
        let Some(last) = renewals.map(|c| c.at).filter(|at| *at <= recorded_at).max() else {
            return;
        };
        let limit = self.now() + LEASE_EVERY;
        let seen = self.observer.run.changes.len();
        let renewed = |player: &Self| {
            let new = player.observer.run.changes[seen..].iter();
            new.filter(|c| c.resource == "leases" && c.object.name() == node)
                .map(|c| c.at)
                .next()
        };
        while renewed(self).is_none() && self.step(limit) {}
        if let Some(at) = renewed(self) {
            self.run_until(at + recorded_at - last);
        }
    }

    /// Waits for what the recorder's script waited for without saying so: while Pods are not in the recorded
    /// state, but will be soon when nothing more is done, time passes. Containers start here as fast as
    /// modelled, on the recorded machines in no time.
    pub(super) fn settle(&mut self, recorded_at: i64, patience: u64) {
        let wanted = self.recorded_pods(recorded_at);
        if alike(&wanted, &self.pods(&self.simulation)) {
            return;
        }
        let limit = SimTime(self.simulation.now().0 + patience);
        let mut ahead = self.simulation.clone();
        while ahead.next_time().is_some_and(|at| at <= limit) {
            ahead.step(&mut Vec::new());
            if alike(&wanted, &self.pods(&ahead)) {
                // A moment more for those who report what they see of it.
                let then = i64::try_from(ahead.now().0).unwrap_or(0) - setup::LEAD + 100_000;
                self.run_until(then);
                return;
            }
        }
    }

    /// Pods with their states: base name, phase, readiness, whether they are being deleted.
    fn pods(&self, simulation: &Simulation) -> Vec<(String, String)> {
        let pods = simulation.cluster().api().cached(podscope_api::Kind::Pod);
        let mut states: Vec<(String, String)> = pods
            .map(|pod| {
                let base = base_of(pod, &self.aliases).map(|(_, base)| base);
                let base = base.unwrap_or_else(|| pod.name().to_owned());
                (base, state_of(pod))
            })
            .collect();
        states.sort();
        states
    }

    fn recorded_pods(&self, at: i64) -> Vec<(String, String)> {
        let names = &self.names;
        let mut states: BTreeMap<&str, (String, String)> = BTreeMap::new();
        let changes = self.recording.run.changes.iter();
        for change in changes.filter(|c| c.at <= at && c.resource == "pods") {
            if change.what == What::Deleted {
                states.remove(change.object.uid());
            } else {
                let base = names.base(change.object.name()).to_owned();
                states.insert(change.object.uid(), (base, state_of(&change.object)));
            }
        }
        let mut states: Vec<(String, String)> = states.into_values().collect();
        states.sort();
        states
    }
}
