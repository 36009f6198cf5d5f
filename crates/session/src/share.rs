//! Share links: the scenario in the fragment of an address.
//!
//! `#1p.<preset>.<event>` names a preset and a cursor; `#1s.<data>` carries a whole scenario, as YAML,
//! compressed (deflate) and written in base64url. The first digit is the version; old ones open for ever.

use crate::api::{SessionApi, Source};
use crate::scenario::{MAX_BYTES, Scenario, ScenarioError};
use crate::session::Session;
use crate::view::Seek;

/// The longest fragment that is read.
pub const MAX_FRAGMENT: usize = 64 << 10;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The fragment that opens this very moment, without `#`.
pub fn fragment(session: &Session) -> String {
    let scenario = session.scenario();
    let preset = session.preset();
    if let Some(original) = podscope_lesson::preset(&preset).and_then(|t| Scenario::parse(t).ok()) {
        let same = Scenario {
            cursor: original.cursor.clone(),
            ..scenario.clone()
        } == Session::from_scenario(&original)
            .map(|s| Scenario {
                cursor: original.cursor.clone(),
                ..s.scenario()
            })
            .unwrap_or_default();
        if same {
            return format!("1p.{preset}.{}", scenario.cursor);
        }
    }
    let packed = miniz_oxide::deflate::compress_to_vec(scenario.to_yaml().as_bytes(), 9);
    format!("1s.{}", encode(&packed))
}

/// Opens a link.
///
/// # Errors
/// Why it cannot be opened; a hostile link is refused, never unpacked beyond a bound.
#[inline(never)]
pub fn open(fragment: &str) -> Result<Session, ScenarioError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let error = |text: &str| ScenarioError(format!("this link cannot be opened: {text}"));
    if fragment.len() > MAX_FRAGMENT {
        return Err(error("it is too long"));
    }
    if let Some(rest) = fragment.strip_prefix("1p.") {
        let (preset, cursor) = rest.split_once('.').unwrap_or((rest, ""));
        let mut session = Session::open(Source::Preset(preset))?;
        if let Ok(event) = cursor.parse() {
            session.seek(Seek::Event(event));
        }
        return Ok(session);
    }
    let Some(data) = fragment.strip_prefix("1s.") else {
        return Err(error("it is of an unknown version or damaged"));
    };
    let packed = decode(data).ok_or_else(|| error("it is damaged (a character is not allowed)"))?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, MAX_BYTES)
        .map_err(|_| error("it is damaged or too large"))?;
    let text = String::from_utf8(bytes).map_err(|_| error("it is damaged"))?;
    Session::from_scenario(&Scenario::parse(&text)?)
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            let index = (n >> (18 - 6 * i)) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        let mut n = 0u32;
        for c in chunk {
            let digit = ALPHABET.iter().position(|a| a == c)?;
            n = n << 6 | u32::try_from(digit).ok()?;
        }
        if chunk.len() == 1 {
            return None;
        }
        n <<= 6 * (4 - chunk.len());
        let bytes = n.to_be_bytes();
        out.extend_from_slice(&bytes[1..chunk.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_reads_back() {
        for n in 0..70u8 {
            let bytes: Vec<u8> = (0..n).map(|i| i.wrapping_mul(37).wrapping_add(n)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(decode("a"), None);
        assert_eq!(decode("ab!d"), None);
    }

    #[test]
    fn hostile_links_are_refused() {
        for bad in [
            "",
            "#",
            "9z.x",
            "1s.",
            "1s.AAAA",
            "1s.%%%",
            "1p.no-such-preset.3",
            &"x".repeat(MAX_FRAGMENT + 1),
        ] {
            assert!(open(bad).is_err(), "{bad:.20}");
        }
        // A bomb: megabytes of spaces.
        let bomb = miniz_oxide::deflate::compress_to_vec(&vec![b' '; 8 << 20], 9);
        assert!(open(&format!("1s.{}", encode(&bomb))).is_err());
    }
}
