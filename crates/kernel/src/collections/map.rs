//! The ordered map.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Bound, Index, RangeBounds};
use std::rc::Rc;
use std::{slice, vec};

/// The most entries of a chunk. It is split in two when it grows beyond.
const MAX_CHUNK: usize = 32;

/// An ordered map; see [`std::collections::BTreeMap`] for what its methods mean.
///
/// A copy shares the chunks; a chunk is copied when one of the two writes into it. So a checkpoint of
/// a large world costs little, and keeping it costs what has changed since.
///
/// Invariants: no chunk is empty or longer than `MAX_CHUNK`; keys ascend within and across chunks.
pub struct BTreeMap<K, V> {
    chunks: Vec<Rc<Vec<(K, V)>>>,
    len: usize,
}

/// Where an entry is, or would be inserted.
#[derive(Clone, Copy)]
struct Place {
    chunk: usize,
    at: usize,
}

impl<K, V> BTreeMap<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        BTreeMap {
            chunks: Vec::new(),
            len: 0,
        }
    }

    /// How many entries.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.chunks.clear();
        self.len = 0;
    }

    /// Entries in the order of their keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter {
            front: [].iter(),
            middle: self.chunks.iter(),
            back: [].iter(),
        }
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// The first entry.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The last entry.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }
}

impl<K: Clone, V: Clone> BTreeMap<K, V> {
    /// A chunk to be written into.
    fn chunk_mut(&mut self, chunk: usize) -> &mut Vec<(K, V)> {
        Rc::make_mut(&mut self.chunks[chunk])
    }

    /// Entries with changeable values.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        IterMut {
            front: [].iter_mut(),
            middle: self.chunks.iter_mut(),
            back: [].iter_mut(),
        }
    }

    /// Values in the order of their keys, changeable.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// The keys, in order.
    pub fn into_keys(self) -> impl DoubleEndedIterator<Item = K> {
        self.into_iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    /// Takes the first entry out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (self.len > 0).then(|| self.take(Place { chunk: 0, at: 0 }))
    }

    /// Takes the last entry out.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        let chunk = self.chunks.len().checked_sub(1)?;
        Some(self.take(Place {
            chunk,
            at: self.chunks[chunk].len() - 1,
        }))
    }

    /// Keeps the entries that `keep` approves of.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for chunk in &mut self.chunks {
            Rc::make_mut(chunk).retain_mut(|(key, value)| keep(key, value));
        }
        self.chunks.retain(|chunk| !chunk.is_empty());
        self.len = self.chunks.iter().map(|chunk| chunk.len()).sum();
    }

    #[inline(never)]
    fn take(&mut self, place: Place) -> (K, V) {
        let chunk = self.chunk_mut(place.chunk);
        let entry = chunk.remove(place.at);
        if chunk.is_empty() {
            self.chunks.remove(place.chunk);
        }
        self.len -= 1;
        entry
    }

    /// Puts an entry at the place that a search for its key gave; returns where it is then.
    fn put(&mut self, mut place: Place, entry: (K, V)) -> Place {
        self.len += 1;
        if self.chunks.is_empty() {
            self.chunks.push(Rc::default());
        }
        let chunk = self.chunk_mut(place.chunk);
        if chunk.len() < MAX_CHUNK {
            chunk.insert(place.at, entry);
            return place;
        }
        // Entries that come in order leave full chunks behind.
        let keep = if place.at == MAX_CHUNK {
            MAX_CHUNK
        } else {
            MAX_CHUNK / 2
        };
        let mut upper = chunk.split_off(keep);
        if place.at < keep {
            chunk.insert(place.at, entry);
        } else {
            upper.insert(place.at - keep, entry);
        }
        self.chunks.insert(place.chunk + 1, Rc::new(upper));
        if place.at >= keep {
            place = Place {
                chunk: place.chunk + 1,
                at: place.at - keep,
            };
        }
        place
    }
}

impl<K: Ord, V> BTreeMap<K, V> {
    /// The entry with this key, or where it would be inserted.
    fn search<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        // The last chunk that begins at or before the key.
        let (mut low, mut high) = (0, self.chunks.len());
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.chunks[middle][0].0.borrow() <= key {
                low = middle;
            } else {
                high = middle;
            }
        }
        let chunk = low;
        let entries = self
            .chunks
            .get(chunk)
            .map(|chunk| chunk.as_slice())
            .unwrap_or_default();
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let at = low.midpoint(high);
            match entries[at].0.borrow().cmp(key) {
                Ordering::Less => low = at + 1,
                Ordering::Greater => high = at,
                Ordering::Equal => return Ok(Place { chunk, at }),
            }
        }
        Err(Place { chunk, at: low })
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The entry of a key.
    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let place = self.search(key).ok()?;
        let (key, value) = &self.chunks[place.chunk][place.at];
        Some((key, value))
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.search(key).is_ok()
    }

    /// The place of the first entry that is not before a bound.
    fn lower<Q: Ord + ?Sized>(&self, bound: Bound<&Q>, included_counts: bool) -> Place
    where
        K: Borrow<Q>,
    {
        let (key, included) = match bound {
            Bound::Included(key) => (key, true),
            Bound::Excluded(key) => (key, false),
            Bound::Unbounded if included_counts => return Place { chunk: 0, at: 0 },
            Bound::Unbounded => {
                return Place {
                    chunk: self.chunks.len(),
                    at: 0,
                };
            }
        };
        match self.search(key) {
            Ok(place) if included == included_counts => place,
            Ok(place) => Place {
                at: place.at + 1,
                ..place
            },
            Err(place) => place,
        }
    }

    /// The entries of a range of keys, in order. An empty or reversed range gives none.
    pub fn range<Q: Ord + ?Sized>(&self, range: impl RangeBounds<Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let start = self.lower(range.start_bound(), true);
        let end = self.lower(range.end_bound(), false);
        let part = |chunk: usize| {
            self.chunks
                .get(chunk)
                .map(|chunk| chunk.as_slice())
                .unwrap_or_default()
        };
        if start.chunk >= end.chunk {
            let within = if start.chunk == end.chunk { end.at } else { 0 };
            let front = part(start.chunk).get(start.at..within).unwrap_or_default();
            return Iter {
                front: front.iter(),
                middle: [].iter(),
                back: [].iter(),
            };
        }
        Iter {
            front: part(start.chunk).get(start.at..).unwrap_or_default().iter(),
            middle: self
                .chunks
                .get(start.chunk + 1..end.chunk)
                .unwrap_or_default()
                .iter(),
            back: part(end.chunk).get(..end.at).unwrap_or_default().iter(),
        }
    }
}

impl<K: Ord + Clone, V: Clone> BTreeMap<K, V> {
    /// The value of a key, changeable.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.search(key).ok()?;
        Some(&mut self.chunk_mut(place.chunk)[place.at].1)
    }

    /// Sets a value; returns the one before. A key that is there stays as it is.
    #[inline(never)]
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.search(&key) {
            Ok(place) => Some(std::mem::replace(
                &mut self.chunk_mut(place.chunk)[place.at].1,
                value,
            )),
            Err(place) => {
                self.put(place, (key, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Takes an entry out.
    pub fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        let place = self.search(key).ok()?;
        Some(self.take(place))
    }

    /// A key's place, to look at and fill.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        match self.search(&key) {
            Ok(place) => Entry::Occupied(OccupiedEntry { map: self, place }),
            Err(place) => Entry::Vacant(VacantEntry {
                map: self,
                place,
                key,
            }),
        }
    }

    /// Moves all entries of `other` into this map.
    pub fn append(&mut self, other: &mut Self) {
        self.extend(std::mem::take(other));
    }

    /// Takes out the entries from `key` on.
    pub fn split_off<Q: Ord + ?Sized>(&mut self, key: &Q) -> Self
    where
        K: Borrow<Q>,
    {
        let (Ok(place) | Err(place)) = self.search(key);
        let mut upper = BTreeMap::new();
        if let Some(chunk) = self.chunks.get_mut(place.chunk) {
            upper
                .chunks
                .push(Rc::new(Rc::make_mut(chunk).split_off(place.at)));
            upper.chunks.extend(self.chunks.drain(place.chunk + 1..));
        }
        for part in [&mut *self, &mut upper] {
            part.chunks.retain(|chunk| !chunk.is_empty());
            part.len = part.chunks.iter().map(|chunk| chunk.len()).sum();
        }
        upper
    }
}

/// A key's place in a map.
pub enum Entry<'a, K, V> {
    /// The key is there.
    Occupied(OccupiedEntry<'a, K, V>),
    /// The key is not there.
    Vacant(VacantEntry<'a, K, V>),
}

/// The place of a key that is there.
pub struct OccupiedEntry<'a, K, V> {
    map: &'a mut BTreeMap<K, V>,
    place: Place,
}

/// The place of a key that is not there.
pub struct VacantEntry<'a, K, V> {
    map: &'a mut BTreeMap<K, V>,
    place: Place,
    key: K,
}

impl<'a, K: Clone, V: Clone> Entry<'a, K, V> {
    /// The value; inserts one when there is none.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// The value; makes one when there is none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        match self {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(make()),
        }
    }

    /// The value; inserts the default when there is none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the value when there is one.
    pub fn and_modify(mut self, change: impl FnOnce(&mut V)) -> Self {
        if let Entry::Occupied(entry) = &mut self {
            change(entry.get_mut());
        }
        self
    }
}

impl<'a, K: Clone, V: Clone> OccupiedEntry<'a, K, V> {
    /// The value.
    pub fn get(&self) -> &V {
        &self.map.chunks[self.place.chunk][self.place.at].1
    }

    /// The value, changeable.
    pub fn get_mut(&mut self) -> &mut V {
        &mut self.map.chunk_mut(self.place.chunk)[self.place.at].1
    }

    /// The value, changeable, for as long as the map is borrowed.
    pub fn into_mut(self) -> &'a mut V {
        &mut self.map.chunk_mut(self.place.chunk)[self.place.at].1
    }

    /// Sets the value; returns the one before.
    #[inline(never)]
    pub fn insert(&mut self, value: V) -> V {
        std::mem::replace(self.get_mut(), value)
    }

    /// Takes the value out.
    #[inline(never)]
    pub fn remove(self) -> V {
        self.map.take(self.place).1
    }
}

impl<'a, K: Clone, V: Clone> VacantEntry<'a, K, V> {
    /// The key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Sets the value.
    #[inline(never)]
    pub fn insert(self, value: V) -> &'a mut V {
        let place = self.map.put(self.place, (self.key, value));
        &mut self.map.chunk_mut(place.chunk)[place.at].1
    }
}

/// Entries in order.
pub struct Iter<'a, K, V> {
    front: slice::Iter<'a, (K, V)>,
    middle: slice::Iter<'a, Rc<Vec<(K, V)>>>,
    back: slice::Iter<'a, (K, V)>,
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter {
            front: self.front.clone(),
            middle: self.middle.clone(),
            back: self.back.clone(),
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.front.next() {
                return Some((key, value));
            }
            match self.middle.next() {
                Some(chunk) => self.front = chunk.iter(),
                None => return self.back.next().map(|(key, value)| (key, value)),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let middle = self.middle.as_slice();
        let middle: usize = middle.iter().map(|chunk| chunk.len()).sum();
        let all = self.front.len() + middle + self.back.len();
        (all, Some(all))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.back.next_back() {
                return Some((key, value));
            }
            match self.middle.next_back() {
                Some(chunk) => self.back = chunk.iter(),
                None => return self.front.next_back().map(|(key, value)| (key, value)),
            }
        }
    }
}

/// Entries in order, with changeable values.
pub struct IterMut<'a, K, V> {
    front: slice::IterMut<'a, (K, V)>,
    middle: slice::IterMut<'a, Rc<Vec<(K, V)>>>,
    back: slice::IterMut<'a, (K, V)>,
}

impl<'a, K: Clone, V: Clone> Iterator for IterMut<'a, K, V> {
    type Item = (&'a K, &'a mut V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.front.next() {
                return Some((key, value));
            }
            match self.middle.next() {
                Some(chunk) => self.front = Rc::make_mut(chunk).iter_mut(),
                None => return self.back.next().map(|(key, value)| (&*key, value)),
            }
        }
    }
}

impl<K: Clone, V: Clone> DoubleEndedIterator for IterMut<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.back.next_back() {
                return Some((key, value));
            }
            match self.middle.next_back() {
                Some(chunk) => self.back = Rc::make_mut(chunk).iter_mut(),
                None => return self.front.next_back().map(|(key, value)| (&*key, value)),
            }
        }
    }
}

impl<K: Clone, V: Clone> IntoIterator for BTreeMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Flatten<vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        let chunks: Vec<Vec<(K, V)>> = self.chunks.into_iter().map(Rc::unwrap_or_clone).collect();
        chunks.into_iter().flatten()
    }
}

impl<'a, K, V> IntoIterator for &'a BTreeMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K: Clone, V: Clone> IntoIterator for &'a mut BTreeMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<K: Ord + Clone, V: Clone> Extend<(K, V)> for BTreeMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for BTreeMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = BTreeMap::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord + Clone, V: Clone, const N: usize> From<[(K, V); N]> for BTreeMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for BTreeMap<K, V> {
    type Output = V;

    /// Panics when there is no such key, as `std`'s does.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry found for key")
    }
}

impl<K, V> Default for BTreeMap<K, V> {
    fn default() -> Self {
        BTreeMap::new()
    }
}

impl<K, V> Clone for BTreeMap<K, V> {
    fn clone(&self) -> Self {
        BTreeMap {
            chunks: self.chunks.clone(),
            len: self.len,
        }
    }
}

// Chunks may be cut differently in equal maps, so entries are compared.
impl<K: PartialEq, V: PartialEq> PartialEq for BTreeMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().zip(other).all(|(a, b)| a == b)
    }
}

impl<K: Eq, V: Eq> Eq for BTreeMap<K, V> {}

impl<K: PartialOrd, V: PartialOrd> PartialOrd for BTreeMap<K, V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.iter().partial_cmp(other)
    }
}

impl<K: Ord, V: Ord> Ord for BTreeMap<K, V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other)
    }
}

impl<K: Hash, V: Hash> Hash for BTreeMap<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.len as u64);
        for entry in self {
            entry.hash(state);
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for BTreeMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;
    use std::collections::BTreeMap as Std;

    /// Random operations on both maps; small key spaces fill, split and empty chunks.
    fn compare(seed: u64, keys: u64, operations: usize) {
        let mut rng = Rng::new(seed);
        let (mut ours, mut std) = (BTreeMap::new(), Std::new());
        for step in 0..operations {
            let (key, choice) = (rng.below(keys), rng.below(12));
            match choice {
                0..=5 => assert_eq!(ours.insert(key, step), std.insert(key, step)),
                6..=7 => assert_eq!(ours.remove(&key), std.remove(&key)),
                8 => {
                    *ours.entry(key).or_insert(0) += 1;
                    *std.entry(key).or_insert(0) += 1;
                }
                9 => assert_eq!(ours.get(&key), std.get(&key)),
                10 if step % 50 == 0 => {
                    assert_eq!(ours.pop_first(), std.pop_first());
                    assert_eq!(ours.pop_last(), std.pop_last());
                }
                _ => {
                    let end = key + rng.below(keys);
                    assert!(ours.range(key..end).eq(std.range(key..end)));
                    assert!(ours.range(key..=end).rev().eq(std.range(key..=end).rev()));
                    assert!(ours.range(..end).eq(std.range(..end)));
                    assert!(ours.range(key..).eq(std.range(key..)));
                }
            }
            assert_eq!(ours.len(), std.len());
        }
        check(&ours);
        assert!(ours.iter().eq(&std) && ours.iter().rev().eq(std.iter().rev()));
        assert_eq!(ours.iter().len(), std.len());
        let upper = ours.split_off(&(keys / 2));
        assert!(upper.iter().eq(&std.split_off(&(keys / 2))) && ours.iter().eq(&std));
        ours.retain(|key, value| key % 3 == 0 && *value % 2 == 0);
        std.retain(|key, value| key % 3 == 0 && *value % 2 == 0);
        check(&ours);
        assert!(
            ours.iter_mut()
                .rev()
                .map(|(k, v)| (*k, *v))
                .eq(std.into_iter().rev())
        );
    }

    fn check(map: &BTreeMap<u64, usize>) {
        assert!(
            map.chunks
                .iter()
                .all(|chunk| (1..=MAX_CHUNK).contains(&chunk.len()))
        );
        assert!(map.iter().is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(map.len, map.iter().count());
    }

    #[test]
    fn it_does_what_std_does() {
        for (seed, keys) in [(1, 8), (2, 300), (3, 5_000), (4, 100_000)] {
            compare(seed, keys, 4_000);
        }
    }

    #[test]
    fn equal_maps_are_equal_however_they_came_to_be() {
        let up: BTreeMap<u32, u32> = (0..1_000).map(|n| (n, n)).collect();
        let down: BTreeMap<u32, u32> = (0..1_000).rev().map(|n| (n, n)).collect();
        assert_eq!(up, down);
        assert_eq!(crate::state_hash(&up), crate::state_hash(&down));
        let mut less = up.clone();
        less.remove(&999);
        assert!(less != up && less < up);
        assert_ne!(crate::state_hash(&up), crate::state_hash(&less));
    }

    #[test]
    fn reversed_and_empty_ranges_hold_nothing() {
        let map: BTreeMap<u32, ()> = (0..1_000).map(|n| (n, ())).collect();
        let bounds = (Bound::Included(900), Bound::Excluded(100));
        assert_eq!(map.range(bounds).count(), 0);
        assert_eq!(map.range(5..5).count(), 0);
        assert_eq!(BTreeMap::<u32, ()>::new().range(..7).count(), 0);
    }

    #[test]
    fn an_entry_is_looked_at_and_filled() {
        let mut map = BTreeMap::from([("a", 1)]);
        map.entry("a").and_modify(|n| *n += 1).or_insert(9);
        map.entry("b").and_modify(|n| *n += 1).or_insert(9);
        assert_eq!(format!("{map:?}"), r#"{"a": 2, "b": 9}"#);
        if let Entry::Occupied(entry) = map.entry("a") {
            assert_eq!(entry.remove(), 2);
        }
        assert_eq!(map.first_key_value(), Some((&"b", &9)));
    }
}
