//! Named random streams. Each purpose draws from its own stream, so that one more draw in one place
//! moves nothing elsewhere.
//!
//! Own code because links must replay for ever: the sequence must not change with a library.

use crate::collections::BTreeMap;
use crate::hash::state_hash;

/// A small generator (SplitMix64).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rng(u64);

impl Rng {
    /// A generator from a seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// A number in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            0
        } else {
            ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
        }
    }
    /// A number in `low..=high`; `low` when the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }
    /// `len` characters drawn from `alphabet` (ASCII).
    pub fn text(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len)
            .filter_map(|_| alphabet.get(self.below(alphabet.len() as u64) as usize))
            .map(|b| char::from(*b))
            .collect()
    }
}

/// All streams of one world, derived from its seed and each stream's label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Streams {
    seed: u64,
    streams: BTreeMap<&'static str, Rng>,
}

impl Streams {
    /// No stream drawn from yet.
    pub fn new(seed: u64) -> Streams {
        Streams {
            seed,
            streams: BTreeMap::new(),
        }
    }
    /// The stream of this purpose.
    pub fn stream(&mut self, label: &'static str) -> &mut Rng {
        let seed = self.seed;
        self.streams
            .entry(label)
            .or_insert_with(|| Rng::new(state_hash(&(seed, label))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_do_not_disturb_each_other() {
        let mut a = Streams::new(1);
        let mut b = Streams::new(1);
        b.stream("other").bits();
        assert_eq!(a.stream("x").bits(), b.stream("x").bits());
        assert_ne!(a.stream("x").bits(), Streams::new(2).stream("x").bits());
        assert!((0..1000).all(|_| (3..=5).contains(&a.stream("x").between(3, 5))));
    }
}
