//! Completion indexes: sets of numbers as Jobs write them, such as `0,2-4`.
//!
//! Models: pkg/controller/job/indexed_job_utils.go (v1.36)

use podscope_api::Object;
use podscope_kernel::collections::BTreeSet;

/// The annotation and label with a Pod's index.
pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The annotation with how often the Pods of this index have failed before.
pub const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";

/// The index of a Pod.
pub fn of(pod: &Object) -> Option<i64> {
    let index: i64 = pod.annotation(INDEX)?.parse().ok()?;
    (index >= 0).then_some(index)
}

/// Reads `0,2-4`; numbers from `completions` on are left out, what cannot be read ends the list.
pub fn parse(text: &str, completions: i64) -> BTreeSet<i64> {
    let mut set = BTreeSet::new();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) else {
            break;
        };
        for n in first.max(0)..=last.min(completions - 1) {
            set.insert(n);
        }
    }
    set
}

/// Writes `0,2-4`: two in a row with a comma, three or more as a range.
pub fn text(set: &BTreeSet<i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for n in set {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *n => *last = *n,
            _ => ranges.push((*n, *n)),
        }
    }
    let part = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    let parts: Vec<String> = ranges.iter().map(part).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for same in ["", "0", "0,1", "0-2", "1,3-5,7,8", "0,2,4"] {
            assert_eq!(text(&parse(same, 100)), same);
        }
        assert_eq!(text(&parse("0-9", 3)), "0-2");
        assert_eq!(text(&parse("1,x,3", 9)), "1");
    }
}
