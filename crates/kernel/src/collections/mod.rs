//! Ordered map and set with the interface of `std`'s, in a fraction of its code.
//!
//! The world is full of small ordered maps. `std` compiles several kilobytes of tree surgery for every
//! pair of types, which a visitor of the page would download; these are sorted runs of entries in
//! chunks: little code, quick to copy for a checkpoint, and near enough in speed at every size that
//! occurs (a chunk bounds what one insertion moves).

mod map;
mod set;

pub use map::{BTreeMap, Entry, Iter, IterMut, OccupiedEntry, VacantEntry};
pub use set::BTreeSet;
