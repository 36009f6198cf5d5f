//! Image references: which tag an image name ends in.
//!
//! Models: pkg/util/parsers ParseImageName, the normalised references of distribution (v1.36)

/// The pull policy of an image whose owner named none: `Always` for the tag `latest` or no tag and digest.
pub fn pull_policy(image: &str) -> &'static str {
    match parse(image) {
        Some((tag, digest)) if tag == Some("latest") || (tag.is_none() && !digest) => "Always",
        _ => "IfNotPresent",
    }
}

/// The tag and whether there is a digest; nothing for text that is no image reference.
fn parse(image: &str) -> Option<(Option<&str>, bool)> {
    if image.len() == 64
        && image
            .bytes()
            .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    if digest.is_some_and(|d| !is_digest(d)) {
        return None;
    }
    let (domain, path) = match rest.split_once('/') {
        Some((first, path))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (Some(first), path)
        }
        _ => (None, rest),
    };
    let (path, tag) = match path.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path, None),
    };
    let fits = domain.is_none_or(is_domain)
        && path.split('/').all(is_component)
        && tag.is_none_or(is_tag)
        && domain.map_or(0, |d| d.len() + 1) + path.len() <= 255;
    fits.then_some((tag, digest.is_some()))
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (domain, None),
    };
    host.split('.').all(|part| {
        let b = part.as_bytes();
        !part.is_empty()
            && b.first() != Some(&b'-')
            && b.last() != Some(&b'-')
            && b.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-')
    }) && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|c| c.is_ascii_digit()))
}

/// Runs of letters and digits, separated by `.`, `_`, `__` or dashes.
fn is_component(part: &str) -> bool {
    let alnum = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !part.starts_with(alnum) || !part.ends_with(alnum) {
        return false;
    }
    part.split(alnum).all(|separator| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|c| c == b'-')
    })
}

fn is_tag(tag: &str) -> bool {
    let b = tag.as_bytes();
    tag.len() <= 128
        && b.first()
            .is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
        && b.iter()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
            && hex.len() >= 32
            && hex.bytes().all(|c| c.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        for always in [
            "nginx",
            "nginx:latest",
            "localhost:5000/a/b",
            "gcr.io/x/y_z",
        ] {
            assert_eq!(pull_policy(always), "Always", "{always}");
        }
        let digest = format!("nginx@sha256:{}", "0".repeat(64));
        for other in [
            "nginx:1.27",
            "Nginx",
            "",
            " nginx",
            "a:b:c",
            digest.as_str(),
        ] {
            assert_eq!(pull_policy(other), "IfNotPresent", "{other}");
        }
    }
}
