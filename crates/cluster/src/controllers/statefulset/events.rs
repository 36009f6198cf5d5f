//! The Events of a StatefulSet about its Pods and claims.
//!
//! Models: pkg/controller/statefulset/stateful_pod_control.go (v1.36)

use super::StatefulSetController;
use crate::client::recorder::Regarding;
use crate::controllers::meta::failure_text;
use crate::sim::Ctx;
use podscope_api::{Kind, Object, Response};

impl StatefulSetController {
    #[allow(clippy::too_many_arguments, reason = "the parts of one sentence")]
    /// What became of creating or deleting `what` (`Pod`, or `Claim` for the Pod named).
    pub(super) fn tell(
        &mut self,
        set: &Object,
        verb: &str,
        what: &str,
        name: &str,
        pod: &str,
        answer: &Response,
        ctx: &mut Ctx<'_>,
    ) {
        let owner = set.name();
        let pod_part = if pod.is_empty() {
            String::new()
        } else {
            format!(" Pod {pod}")
        };
        let (event, reason, message) = match answer {
            Ok(_) => {
                let how = if pod.is_empty() {
                    "successful"
                } else {
                    "success"
                };
                let message =
                    format!("{verb} {what} {name}{pod_part} in StatefulSet {owner} {how}");
                ("Normal", format!("Successful{verb}"), message)
            }
            Err(failure) => {
                let text = failure_text(failure);
                let part = pod_part.replacen(" Pod", " for Pod", 1);
                let message = format!(
                    "{verb} {what} {name}{part} in StatefulSet {owner} failed error: {text}"
                );
                ("Warning", format!("Failed{verb}"), message)
            }
        };
        let regarding = Regarding::object(Kind::StatefulSet, set);
        self.recorder
            .record(ctx, regarding, event, &reason, "", &message);
    }
}
