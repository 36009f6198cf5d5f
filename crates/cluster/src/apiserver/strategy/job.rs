//! New Jobs: the generated selector and labels.
//!
//! Models: pkg/registry/batch/job/strategy.go generateSelector (v1.36)

use podscope_api::Value;

/// Labels the template with the Job's uid and name and selects by the uid.
#[inline(never)]
pub(super) fn generate_selector(job: &mut Value) {
    if job.at("spec.manualSelector").is_true() {
        return;
    }
    let uid = Value::str(job.at("metadata.uid").str_or_empty());
    let name = Value::str(job.at("metadata.name").str_or_empty());
    // The old labels without prefix are kept for old clients.
    for (key, value) in [
        ("job-name", &name),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/controller-uid", &uid),
    ] {
        let labels = job.at_mut("spec.template.metadata.labels").map_mut();
        labels.insert(key, value.clone());
    }
    let selector = job.at_mut("spec.selector.matchLabels").map_mut();
    if !selector.contains_key("batch.kubernetes.io/controller-uid") {
        selector.insert("batch.kubernetes.io/controller-uid", uid);
    }
}

/// A Job without labels has those of its template, which it gets when it is stored.
pub(super) fn own_labels(job: &mut Value) {
    let labels = job.at("spec.template.metadata.labels").clone();
    if !labels.is_empty() && job.at("metadata.labels").is_empty() {
        job.set("metadata.labels", labels);
    }
}
