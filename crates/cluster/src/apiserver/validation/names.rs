//! Checks of names, labels, ports, addresses and other small texts. Each gives the server's complaints.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/validation (v1.36)

use super::field::{Errors, Path};
use podscope_api::Value;

/// What is wrong with a text; empty when nothing is.
pub type Complaints = Vec<String>;

/// A check of a text.
pub type Check = fn(&str) -> Complaints;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const UNDERSCORE_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_NAME: &str = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const HEADER_NAME: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// True when `s` starts and ends with `edge` bytes and has only `edge` or `inner` bytes between.
fn framed(s: &str, edge: fn(&u8) -> bool, inner: fn(&u8) -> bool) -> bool {
    let b = s.as_bytes();
    match (b.first(), b.last()) {
        (Some(first), Some(last)) => {
            edge(first) && edge(last) && b.iter().all(|c| edge(c) || inner(c))
        }
        _ => false,
    }
}

fn lower_alnum(c: &u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}
fn alnum(c: &u8) -> bool {
    c.is_ascii_alphanumeric()
}
fn dash(c: &u8) -> bool {
    *c == b'-'
}
fn dash_underscore(c: &u8) -> bool {
    matches!(c, b'-' | b'_')
}
fn dash_underscore_dot(c: &u8) -> bool {
    matches!(c, b'-' | b'_' | b'.')
}

fn is_subdomain(s: &str) -> bool {
    s.split('.').all(|part| framed(part, lower_alnum, dash))
}

fn shaped(s: &str, max: usize, fits: bool, otherwise: &str) -> Complaints {
    let mut complaints = Vec::new();
    if s.len() > max {
        complaints.push(too_long(max));
    }
    if !fits {
        complaints.push(otherwise.to_string());
    }
    complaints
}

/// A DNS-1123 subdomain of at most 253 characters.
pub fn subdomain(s: &str) -> Complaints {
    shaped(s, 253, is_subdomain(s), SUBDOMAIN)
}

/// A DNS-1123 subdomain that may contain underscores.
pub fn underscore_subdomain(s: &str) -> Complaints {
    let fits = s.split('.').all(|part| {
        let part = part.strip_prefix('_').unwrap_or(part);
        framed(part, lower_alnum, dash_underscore)
    });
    shaped(s, 253, fits, UNDERSCORE_SUBDOMAIN)
}

/// A DNS-1123 label of at most 63 characters.
pub fn label(s: &str) -> Complaints {
    let otherwise = if is_subdomain(s) {
        "must not contain dots"
    } else {
        LABEL
    };
    shaped(s, 63, framed(s, lower_alnum, dash), otherwise)
}

/// A DNS-1035 label of at most 63 characters.
pub fn label_1035(s: &str) -> Complaints {
    let fits = s.starts_with(|c: char| c.is_ascii_lowercase()) && framed(s, lower_alnum, dash);
    shaped(s, 63, fits, LABEL_1035)
}

/// A label or annotation key: an optional prefix subdomain, a slash, a name.
pub fn qualified_name(s: &str) -> Complaints {
    let mut complaints = Vec::new();
    let name = match s.split_once('/') {
        None => s,
        Some((_, rest)) if rest.contains('/') => {
            return vec![format!(
                "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                complaints.push("prefix part must be non-empty".to_string());
            } else {
                if prefix.len() > 253 {
                    complaints.push("prefix part must be no more than 253 bytes".to_string());
                }
                if !is_subdomain(prefix) {
                    complaints.push(format!("prefix part {SUBDOMAIN}"));
                }
            }
            name
        }
    };
    if name.is_empty() {
        complaints.push("name part must be non-empty".to_string());
    } else if name.len() > 63 {
        complaints.push("name part must be no more than 63 bytes".to_string());
    }
    if !framed(name, alnum, dash_underscore_dot) {
        complaints.push(format!("name part {QUALIFIED}"));
    }
    complaints
}

/// A label value.
pub fn label_value(s: &str) -> Complaints {
    let mut complaints = Vec::new();
    if s.len() > 63 {
        complaints.push("must be no more than 63 bytes".to_string());
    }
    if !s.is_empty() && !framed(s, alnum, dash_underscore_dot) {
        complaints.push(LABEL_VALUE.to_string());
    }
    complaints
}

/// A key of a ConfigMap or Secret.
#[inline(never)]
pub fn config_key(s: &str) -> Complaints {
    let fits = !s.is_empty() && s.bytes().all(|c| alnum(&c) || dash_underscore_dot(&c));
    let mut complaints = shaped(s, 253, fits, CONFIG_KEY);
    match s {
        "." => complaints.push("must not be '.'".to_string()),
        ".." => complaints.push("must not be '..'".to_string()),
        s if s.starts_with("..") => complaints.push("must not start with '..'".to_string()),
        _ => {}
    }
    complaints
}

/// An environment variable's name (the relaxed rule).
pub fn env_name(s: &str) -> Complaints {
    let mut complaints = Vec::new();
    if s.is_empty() {
        complaints.push("environment variable name must not be empty".to_string());
    }
    if s.chars().any(|c| !(' '..='~').contains(&c) || c == '=') {
        complaints.push(ENV_NAME.to_string());
    }
    complaints
}

/// An HTTP header's name.
pub fn header_name(s: &str) -> Complaints {
    let fits = !s.is_empty() && s.bytes().all(|c| alnum(&c) || dash(&c));
    shaped(s, usize::MAX, fits, HEADER_NAME)
}

/// A port's name.
#[inline(never)]
pub fn port_name(s: &str) -> Complaints {
    let mut complaints = Vec::new();
    if s.len() > 15 {
        complaints.push(too_long(15));
    }
    if !s.bytes().all(|c| lower_alnum(&c) || dash(&c)) || s.is_empty() {
        complaints.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_string(),
        );
    }
    if !s.bytes().any(|c| c.is_ascii_lowercase()) {
        complaints.push("must contain at least one letter (a-z)".to_string());
    }
    if s.contains("--") {
        complaints.push("must not contain consecutive hyphens".to_string());
    }
    if s.starts_with('-') || s.ends_with('-') {
        complaints.push("must not begin or end with a hyphen".to_string());
    }
    complaints
}

/// A port's number.
pub fn port_number(errors: &mut Errors, path: &Path<'_>, port: i64) {
    if !(1..=65535).contains(&port) {
        errors.invalid_int(path, port, "must be between 1 and 65535, inclusive");
    }
}

/// A port by number or by name; a missing one counts as 0.
pub fn port_number_or_name(errors: &mut Errors, path: &Path<'_>, port: &Value) {
    match port {
        Value::Str(name) => errors.invalid_each(path, name, port_name(name)),
        other => port_number(errors, path, other.as_int().unwrap_or(0)),
    }
}

/// A user or group id.
pub fn user_id(errors: &mut Errors, path: &Path<'_>, id: &Value) {
    if let Some(id) = id.as_int()
        && !(0..=2_147_483_647).contains(&id)
    {
        errors.invalid_int(path, id, "must be between 0 and 2147483647, inclusive");
    }
}

/// True for `[0-9]+%`.
pub fn is_percent(s: &str) -> bool {
    s.strip_suffix('%')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
}

/// A count or a percentage that is not negative.
pub fn int_or_percent(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    match value {
        Value::Str(s) if !is_percent(s) => errors.invalid_str(path, s, PERCENT),
        Value::Str(_) => {}
        other => errors.non_negative(path, other),
    }
}

/// A percentage of at most 100.
pub fn at_most_hundred_percent(errors: &mut Errors, path: &Path<'_>, value: &Value) {
    if let Some(s) = value.as_str()
        && is_percent(s)
        && s.trim_end_matches('%').parse::<i64>().unwrap_or(i64::MAX) > 100
    {
        errors.invalid_str(path, s, "must not be greater than 100%");
    }
}

/// An IP address as older fields accept it (leading zeros in IPv4 and IPv4-mapped IPv6 are refused for new values only as a warning).
pub fn ip(errors: &mut Errors, path: &Path<'_>, s: &str) {
    if parse_ip(s).is_none() {
        errors.invalid_str(
            path,
            s,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        );
    }
}

/// Reads an IP address as the server's sloppy parser does: IPv4 parts may have leading zeros.
#[inline(never)]
pub fn parse_ip(s: &str) -> Option<std::net::IpAddr> {
    if s.contains(':') {
        return s.parse::<std::net::Ipv6Addr>().ok().map(Into::into);
    }
    let mut parts = [0u8; 4];
    let mut given = s.split('.');
    for part in &mut parts {
        let text = given.next()?;
        if text.is_empty() || text.len() > 32 || !text.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        *part = text
            .trim_start_matches('0')
            .parse()
            .or_else(|_| {
                if text.bytes().all(|c| c == b'0') {
                    Ok(0)
                } else {
                    Err(())
                }
            })
            .ok()?;
    }
    given.next().is_none().then(|| parts.into())
}

/// An address range such as `10.0.0.0/8`.
pub fn cidr(errors: &mut Errors, path: &Path<'_>, s: &str) {
    let fits = s.split_once('/').is_some_and(|(address, bits)| {
        let Some(address) = parse_ip(address) else {
            return false;
        };
        let most = if address.is_ipv4() { 32 } else { 128 };
        !bits.is_empty()
            && bits.bytes().all(|c| c.is_ascii_digit())
            && bits.parse::<u32>().is_ok_and(|b| b <= most)
    });
    if !fits {
        errors.invalid_str(
            path,
            s,
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        );
    }
}

/// A key of a label, at `path`.
pub fn check(errors: &mut Errors, path: &Path<'_>, value: &Value, check: Check) {
    let value = value.str_or_empty();
    errors.invalid_each(path, value, check(value));
}

/// A map of labels: every key and value, all at `path`.
pub fn labels(errors: &mut Errors, path: &Path<'_>, labels: &Value) {
    for (key, value) in labels.entries() {
        errors.invalid_each(path, key, qualified_name(key));
        let value = value.str_or_empty();
        errors.invalid_each(path, value, label_value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(subdomain("a.b-c.0").is_empty());
        assert!(!subdomain("a..b").is_empty());
        assert_eq!(label("a.b"), ["must not contain dots"]);
        assert_eq!(qualified_name("/x"), ["prefix part must be non-empty"]);
        assert_eq!(qualified_name("a/b/c").len(), 1);
        assert!(label_value("").is_empty());
        assert_eq!(port_name("a--b"), ["must not contain consecutive hyphens"]);
        assert_eq!(
            parse_ip("010.0.0.1").map(|i| i.to_string()).as_deref(),
            Some("10.0.0.1")
        );
        assert!(parse_ip("1.2.3").is_none() && parse_ip("1.2.3.256").is_none());
    }
}
