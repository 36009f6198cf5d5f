//! Generated names: `generateName` and random suffixes.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/storage/names/generate.go, pkg/util/rand (v1.36)

/// No vowels and no digits that look like letters, so that names never spell words.
pub const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many random characters are appended.
pub const SUFFIX_LENGTH: usize = 5;
/// The longest base that is kept, in bytes.
pub const MAX_BASE_LENGTH: usize = 58;

/// A source of random numbers below a bound.
pub trait Random {
    /// A number below `bound`.
    fn below(&mut self, bound: u32) -> u32;
}

/// `length` random characters.
pub fn suffix(random: &mut dyn Random, length: usize) -> String {
    (0..length)
        .map(|_| {
            let i = random.below(ALPHABET.len() as u32) as usize;
            char::from(ALPHABET.get(i).copied().unwrap_or(b'b'))
        })
        .collect()
}

/// A name made of a base (cut to 58 bytes) and five random characters.
pub fn generate(base: &str, random: &mut dyn Random) -> String {
    let end = base
        .char_indices()
        .map(|(i, c)| i + c.len_utf8())
        .take_while(|end| *end <= MAX_BASE_LENGTH)
        .last()
        .unwrap_or(0);
    let base = base.get(..end).unwrap_or(base);
    format!("{base}{}", suffix(random, SUFFIX_LENGTH))
}

/// Text with every character replaced by one of the alphabet, as in pod-template-hashes.
pub fn safe_encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            char::from(
                ALPHABET
                    .get(b as usize % ALPHABET.len())
                    .copied()
                    .unwrap_or(b'b'),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u32);
    impl Random for Always {
        fn below(&mut self, bound: u32) -> u32 {
            self.0 % bound
        }
    }

    #[test]
    fn names() {
        assert_eq!(generate("web-", &mut Always(0)), "web-bbbbb");
        assert_eq!(generate(&"a".repeat(80), &mut Always(26)).len(), 63);
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }
}
