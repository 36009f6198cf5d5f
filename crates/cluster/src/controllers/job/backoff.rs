//! Job: how long it waits before it starts another Pod after failures.
//!
//! Models: pkg/controller/job/backoff_utils.go (v1.36)

use podscope_api::Timestamp;

/// What is left of the back-off, in microseconds: `first` doubled with each failure since the last success,
/// `most` at most, counted from the last failure.
pub fn backoff_remaining(
    failures: i64,
    last_failure: Option<Timestamp>,
    now: Timestamp,
    first: i64,
    most: i64,
) -> i64 {
    let Some(last_failure) = last_failure.filter(|_| failures > 0) else {
        return 0;
    };
    let mut backoff = first.min(most);
    for _ in 1..failures.min(64) {
        if backoff >= most / 2 {
            backoff = most;
            break;
        }
        backoff *= 2;
    }
    (backoff - (now.0 - last_failure.0)).max(0)
}
