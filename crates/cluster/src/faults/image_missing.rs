//! The registry does not have an image: all its tags when none is named.

use super::{Active, Fault, Kind, Outcome, Target, nothing, over, quiet};
use crate::node::runtime::{catalogue, unresolved};
use crate::world::Cluster;
use podscope_api::Text;

pub(super) const KIND: Kind = Kind {
    name: "image-missing",
    target: Target::Image,
    params: &[],
    help: "The registry does not have this image (without a tag: none of its tags).",
    inject,
    strike: quiet,
    heal: nothing,
    end: over,
};

fn inject(_cluster: &mut Cluster, _fault: &Fault) -> Result<Outcome, Text> {
    Ok(Outcome::Stays)
}

/// What containerd says when a fault keeps it from pulling an image.
pub(super) fn pull_error(faults: &Active, full: &str) -> Option<String> {
    let repository = catalogue::repository(full);
    let (host, path) = repository.split_once('/').unwrap_or(("", repository));
    let tag = full.get(repository.len() + 1..).unwrap_or("latest");
    if faults.rate_limited(full) {
        let site = if host == "docker.io" {
            "registry-1.docker.io"
        } else {
            host
        };
        let why = format!(
            "unexpected status from HEAD request to https://{site}/v2/{path}/manifests/{tag}: 429 Too Many Requests"
        );
        return Some(unresolved("Unknown", full, &why));
    }
    if faults.needs_credentials(full) {
        let site = if host == "docker.io" {
            "auth.docker.io"
        } else {
            host
        };
        let why = format!(
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://{site}/token?scope=repository%3A{}%3Apull&service={host}: 401 Unauthorized",
            path.replace('/', "%2F")
        );
        return Some(unresolved("Unknown", full, &why));
    }
    let mut missing = faults.of(KIND.name);
    if missing.any(|f| super::is_image(&f.target, full)) {
        return Some(unresolved("NotFound", full, &format!("{full}: not found")));
    }
    faults.other_architecture(full).then(|| {
        format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": no match for platform in manifest: not found"
        )
    })
}
