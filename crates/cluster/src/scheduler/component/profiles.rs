//! Several schedulers by name: one process, one queue, one cache, and a profile for each name.
//!
//! Models: `pkg/scheduler/profile` (v1.36)

use super::Scheduler;
use crate::client::recorder::{Recorder, Style};
use crate::scheduler::profile::{Profile, Strategy};
use podscope_api::{Object, Text};
use std::rc::Rc;

impl Scheduler {
    /// The configuration that a Pod asks for by `schedulerName`; the default one for a name that is not there.
    pub fn profile_for(&self, pod: &Object) -> &Rc<Profile> {
        match self.other(pod) {
            Some(at) => &self.others[at].0,
            None => &self.profile,
        }
    }
    pub(super) fn other(&self, pod: &Object) -> Option<usize> {
        if self.others.is_empty() {
            return None;
        }
        let name = pod.spec().get("schedulerName").str_or_empty();
        let mut others = self.others.iter();
        others.position(|(profile, _)| *profile.scheduler_name == *name)
    }
    /// The recorder that shows the name of the Pod's profile.
    pub(super) fn recorder_for(&mut self, pod: &Object) -> &mut Recorder {
        match self.other(pod) {
            Some(at) => &mut self.others[at].1,
            None => &mut self.recorder,
        }
    }
    /// Takes the profiles of the cluster's configuration over.
    #[inline(never)]
    pub(super) fn configure(&mut self, profiles: &[(Text, Strategy)]) {
        for (name, strategy) in profiles {
            let mut profile = (*self.profile).clone();
            profile.strategy = strategy.clone();
            if *name == profile.scheduler_name {
                self.profile = Rc::new(profile);
                continue;
            }
            profile.scheduler_name = name.clone();
            let recorder = Recorder::new(name.clone(), "", Style::Series);
            self.others.push((Rc::new(profile), recorder));
        }
    }
}
