//! The `pod-template-hash` of a Pod template.
//!
//! Models: pkg/controller/controller_utils.go ComputeHash (v1.36)

use podscope_api::{Value, json};

const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a defaulted template and the number of collisions so far: 1 to 10 characters.
pub fn pod_template_hash(template: &Value, collisions: Option<i64>) -> String {
    let mut hash = fnv1a(0x811c_9dc5, json::to_string(template).as_bytes());
    if let Some(n) = collisions {
        let mut bytes = [0; 8];
        let count = u32::try_from(n.clamp(0, i64::from(u32::MAX))).unwrap_or(0);
        bytes[..4].copy_from_slice(&count.to_le_bytes());
        hash = fnv1a(hash, &bytes);
    }
    hash.to_string()
        .bytes()
        .map(|b| char::from(ALPHABET[usize::from(b) % ALPHABET.len()]))
        .collect()
}

fn fnv1a(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |hash, b| {
        (hash ^ u32::from(*b)).wrapping_mul(0x0100_0193)
    })
}
