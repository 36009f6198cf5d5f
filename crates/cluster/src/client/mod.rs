//! What every client of the API server is built from: informers, rate limits, work queues, event recording.

pub mod informer;
pub mod limiter;
pub mod recorder;
pub mod tally;
pub mod workqueue;
