//! A hash of any `Hash` value that is the same on every platform.

use std::hash::{Hash, Hasher};

/// 64-bit FNV-1a over 8-byte words with a final mix; sizes count as 64 bits, integers as little-endian.
///
/// Fixed for ever: share links and recorded hashes depend on it.
#[derive(Clone, Copy, Debug)]
pub struct StateHasher(u64);

impl Default for StateHasher {
    fn default() -> Self {
        StateHasher(0xcbf2_9ce4_8422_2325)
    }
}

impl StateHasher {
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 ^= self.0 >> 29;
    }
}

impl Hasher for StateHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.word(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let shifted = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
            self.word(rest.iter().rev().fold(0, shifted));
        }
        self.word(bytes.len() as u64);
    }
    fn write_u8(&mut self, i: u8) {
        self.word(u64::from(i));
    }
    fn write_u16(&mut self, i: u16) {
        self.word(u64::from(i));
    }
    fn write_u32(&mut self, i: u32) {
        self.word(u64::from(i));
    }
    fn write_u64(&mut self, i: u64) {
        self.word(i);
    }
    fn write_usize(&mut self, i: usize) {
        self.word(i as u64);
    }
    fn write_i8(&mut self, i: i8) {
        self.word(i as u64);
    }
    fn write_i16(&mut self, i: i16) {
        self.word(i as u64);
    }
    fn write_i32(&mut self, i: i32) {
        self.word(i as u64);
    }
    fn write_i64(&mut self, i: i64) {
        self.word(i as u64);
    }
    fn write_isize(&mut self, i: isize) {
        self.word(i as u64);
    }
    fn finish(&self) -> u64 {
        let mut h = self.0;
        h = (h ^ (h >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        h ^ (h >> 32)
    }
}

/// The platform-independent hash of a value.
pub fn state_hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = StateHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_fixed_and_sensitive() {
        assert_eq!(state_hash("pod"), state_hash(&String::from("pod")));
        assert_ne!(state_hash(&(1u8, 2u8)), state_hash(&(2u8, 1u8)));
        assert_ne!(state_hash(&vec!["a", "b"]), state_hash(&vec!["ab"]));
        // Recorded once; a change breaks every share link that carries a hash.
        assert_eq!(
            state_hash(&(7u32, "podscope", -1i64)),
            18_129_572_986_237_917_742
        );
    }
}
