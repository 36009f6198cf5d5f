//! The text of a Pod that fits nowhere.
//!
//! Models: `pkg/scheduler/framework/types.go` FitError (v1.36)

use podscope_api::Text;
use podscope_kernel::collections::BTreeMap;

/// What is said when there is no Node at all.
pub const NO_NODES: &str = "no nodes available to schedule pods";

/// `0/N nodes are available: …`: either what PreFilter said, or each reason with how often it was given.
/// `reasons` are (reason, times); what PostFilter said follows when it is not empty.
pub fn message(
    nodes: u64,
    pre_filter: &str,
    reasons: impl IntoIterator<Item = (Text, u64)>,
    post_filter: &str,
) -> String {
    let mut text = format!("0/{nodes} nodes are available");
    if pre_filter.is_empty() {
        let mut counts: BTreeMap<Text, u64> = BTreeMap::new();
        for (reason, times) in reasons.into_iter().filter(|(_, times)| *times > 0) {
            *counts.entry(reason).or_default() += times;
        }
        let mut lines: Vec<String> = counts.iter().map(|(r, n)| format!("{n} {r}")).collect();
        // As texts, so that 10 comes before 2.
        podscope_api::sort::natural(&mut lines);
        if !lines.is_empty() {
            text.push_str(": ");
            text.push_str(&lines.join(", "));
            text.push('.');
        }
    } else {
        text.push_str(": ");
        text.push_str(pre_filter);
        text.push('.');
    }
    if !post_filter.is_empty() {
        text.push(' ');
        text.push_str(post_filter);
    }
    text
}
