//! The ordered set.

use super::BTreeMap;
use std::borrow::Borrow;
use std::fmt;
use std::ops::RangeBounds;

/// An ordered set; see [`std::collections::BTreeSet`] for what its methods mean.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BTreeSet<T> {
    map: BTreeMap<T, ()>,
}

impl<T> BTreeSet<T> {
    /// An empty set.
    pub const fn new() -> Self {
        BTreeSet {
            map: BTreeMap::new(),
        }
    }

    /// How many elements.
    pub const fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        self.map.clear();
    }

    /// Elements in order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            entries: self.map.iter(),
        }
    }

    /// The first element.
    pub fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    /// The last element.
    pub fn last(&self) -> Option<&T> {
        self.iter().next_back()
    }
}

impl<T: Clone> BTreeSet<T> {
    /// Takes the first element out.
    pub fn pop_first(&mut self) -> Option<T> {
        self.map.pop_first().map(|(element, ())| element)
    }

    /// Takes the last element out.
    pub fn pop_last(&mut self) -> Option<T> {
        self.map.pop_last().map(|(element, ())| element)
    }

    /// Keeps the elements that `keep` approves of.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.map.retain(|element, ()| keep(element));
    }
}

impl<T: Ord + Clone> BTreeSet<T> {
    /// Adds an element; says whether it is new.
    pub fn insert(&mut self, element: T) -> bool {
        self.map.insert(element, ()).is_none()
    }

    /// Removes an element; says whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.map.remove(element).is_some()
    }

    /// Takes an element out.
    pub fn take<Q: Ord + ?Sized>(&mut self, element: &Q) -> Option<T>
    where
        T: Borrow<Q>,
    {
        self.map.remove_entry(element).map(|(element, ())| element)
    }

    /// Moves all elements of `other` into this set.
    pub fn append(&mut self, other: &mut Self) {
        self.map.append(&mut other.map);
    }

    /// Takes out the elements from `element` on.
    pub fn split_off<Q: Ord + ?Sized>(&mut self, element: &Q) -> Self
    where
        T: Borrow<Q>,
    {
        BTreeSet {
            map: self.map.split_off(element),
        }
    }
}

impl<T: Ord> BTreeSet<T> {
    /// Whether the element is there.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.map.contains_key(element)
    }

    /// The element that equals this one.
    pub fn get<Q: Ord + ?Sized>(&self, element: &Q) -> Option<&T>
    where
        T: Borrow<Q>,
    {
        self.map.get_key_value(element).map(|(element, ())| element)
    }

    /// The elements of a range, in order.
    pub fn range<Q: Ord + ?Sized>(&self, range: impl RangeBounds<Q>) -> Iter<'_, T>
    where
        T: Borrow<Q>,
    {
        Iter {
            entries: self.map.range(range),
        }
    }

    /// The elements that both have.
    pub fn intersection<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a T> {
        self.iter().filter(|element| other.contains(*element))
    }

    /// The elements that only this set has.
    pub fn difference<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a T> {
        self.iter().filter(|element| !other.contains(*element))
    }

    /// The elements that either has, in order.
    pub fn union<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a T> {
        let (mut ours, mut theirs) = (self.iter().peekable(), other.iter().peekable());
        std::iter::from_fn(move || match (ours.peek(), theirs.peek()) {
            (Some(a), Some(b)) if a > b => theirs.next(),
            (Some(a), Some(b)) => {
                if a == b {
                    theirs.next();
                }
                ours.next()
            }
            (Some(_), None) => ours.next(),
            (None, _) => theirs.next(),
        })
    }

    /// Whether the other set has every element of this one.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|element| other.contains(element))
    }

    /// Whether this set has every element of the other.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.is_subset(self)
    }

    /// Whether no element is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        !self.iter().any(|element| other.contains(element))
    }
}

/// Elements in order.
pub struct Iter<'a, T> {
    entries: super::Iter<'a, T, ()>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter {
            entries: self.entries.clone(),
        }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.entries.next().map(|(element, ())| element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.entries.next_back().map(|(element, ())| element)
    }
}

impl<T: Clone> IntoIterator for BTreeSet<T> {
    type Item = T;
    type IntoIter = std::iter::Map<<BTreeMap<T, ()> as IntoIterator>::IntoIter, fn((T, ())) -> T>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.into_iter().map(|(element, ())| element)
    }
}

impl<'a, T> IntoIterator for &'a BTreeSet<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Ord + Clone> Extend<T> for BTreeSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        for element in elements {
            self.insert(element);
        }
    }
}

impl<'a, T: Ord + Copy> Extend<&'a T> for BTreeSet<T> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, elements: I) {
        self.extend(elements.into_iter().copied());
    }
}

impl<T: Ord + Clone> FromIterator<T> for BTreeSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut set = BTreeSet::new();
        set.extend(elements);
        set
    }
}

impl<T: Ord + Clone, const N: usize> From<[T; N]> for BTreeSet<T> {
    fn from(elements: [T; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<T> Default for BTreeSet<T> {
    fn default() -> Self {
        BTreeSet::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for BTreeSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_combined_as_std_does() {
        let (a, b) = (BTreeSet::from([1, 3, 5, 7]), BTreeSet::from([3, 4, 7, 9]));
        assert!(a.union(&b).eq(&[1, 3, 4, 5, 7, 9]));
        assert!(a.intersection(&b).eq(&[3, 7]));
        assert!(a.difference(&b).eq(&[1, 5]));
        assert!(!a.is_disjoint(&b) && BTreeSet::from([3]).is_subset(&a));
    }

    #[test]
    fn elements_come_in_order_once() {
        let mut set: BTreeSet<u32> = (0..500).chain(100..600).rev().collect();
        assert!(set.iter().copied().eq(0..600));
        assert!(!set.insert(599) && set.remove(&0) && !set.remove(&0));
        assert_eq!(
            (set.first(), set.last(), set.len()),
            (Some(&1), Some(&599), 599)
        );
        assert!(set.range(590..).rev().copied().eq((590..600).rev()));
    }
}
