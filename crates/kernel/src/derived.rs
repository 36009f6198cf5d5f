//! What is computed from the rest of a state, kept to be found faster.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A part of a state that follows from its other parts: it adds nothing to comparisons and hashes.
#[derive(Clone, Debug, Default)]
pub struct Derived<T>(pub T);

impl<T> Hash for Derived<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<T> Eq for Derived<T> {}
impl<T> Deref for Derived<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
impl<T> DerefMut for Derived<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
