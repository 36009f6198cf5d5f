//! The pod-template-hash of Deployments and the hash of ControllerRevisions.
//!
//! Models: pkg/controller/controller_utils.go ComputeHash (v1.36)

use super::names::safe_encode;
use crate::apiserver::go;
use podscope_api::Value;

/// The hash of a stored (defaulted) Pod template without its hash label.
pub fn template_hash(template: &Value, collision_count: Option<i64>) -> String {
    let mut hash = Fnv32a::default();
    hash.write(go::template_dump(template).as_bytes());
    if let Some(count) = collision_count {
        let mut bytes = [0u8; 8];
        if let Some(low) = bytes.get_mut(..4) {
            low.copy_from_slice(&(count as u32).to_le_bytes());
        }
        hash.write(&bytes);
    }
    safe_encode(&hash.0.to_string())
}

/// FNV-1a with 32 bits.
pub struct Fnv32a(pub u32);

impl Default for Fnv32a {
    fn default() -> Fnv32a {
        Fnv32a(0x811c_9dc5)
    }
}

impl Fnv32a {
    /// Takes in bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}
