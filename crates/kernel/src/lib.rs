//! Deterministic discrete-event kernel: virtual time, ordered queue, named random streams, journal, checkpoints.
//!
//! Knows nothing of Kubernetes. A [`World`] is a value that advances one queue entry at a time;
//! a [`Timeline`] records its trace, keeps checkpoints and can go back to any moment.

pub mod collections;
pub mod derived;
pub mod hash;
pub mod queue;
pub mod random;
pub mod time;
pub mod timeline;

pub use derived::Derived;
pub use hash::{StateHasher, state_hash};
pub use queue::{EntryId, Queue};
pub use random::{Rng, Streams};
pub use time::{SimDuration, SimTime};
pub use timeline::{Position, Timeline, World};
