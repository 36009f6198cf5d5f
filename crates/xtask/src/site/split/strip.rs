//! A module without what only tools read.

use super::module::malformed;
use crate::shell::Result;
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};

/// Drops the custom sections: names, producers.
pub fn strip(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut out = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(malformed)?;
        if let (Some((id, range)), false) = (
            payload.as_section(),
            matches!(payload, Payload::CustomSection(_)),
        ) {
            let data = wasm.get(range.start as usize..range.end as usize);
            let data = data.unwrap_or_default();
            out.section(&RawSection { id, data });
        }
    }
    Ok(out.finish())
}
