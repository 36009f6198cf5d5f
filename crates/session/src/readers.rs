//! Who acts on which field of a manifest.

use crate::view::ComponentKind;
use podscope_api::Kind;
use podscope_manifest::Document;

/// Who acts on a field, by its path (list indexes left out).
const READERS: &[(&str, ComponentKind)] = &[
    ("apiVersion", ComponentKind::ApiServer),
    ("spec.replicas", ComponentKind::Controller),
    ("spec.selector", ComponentKind::Controller),
    ("spec.strategy", ComponentKind::Controller),
    ("spec.template", ComponentKind::Controller),
    ("containers.image", ComponentKind::Runtime),
    ("containers.command", ComponentKind::Runtime),
    ("resources.requests", ComponentKind::Scheduler),
    ("resources.limits", ComponentKind::Runtime),
    ("spec.nodeSelector", ComponentKind::Scheduler),
    ("spec.affinity", ComponentKind::Scheduler),
    ("spec.tolerations", ComponentKind::Scheduler),
    ("spec.topologySpreadConstraints", ComponentKind::Scheduler),
    ("spec.nodeName", ComponentKind::Kubelet),
    ("containers.livenessProbe", ComponentKind::Kubelet),
    ("containers.readinessProbe", ComponentKind::Kubelet),
    ("containers.startupProbe", ComponentKind::Kubelet),
    ("spec.restartPolicy", ComponentKind::Kubelet),
    ("spec.terminationGracePeriodSeconds", ComponentKind::Kubelet),
    ("spec.ports", ComponentKind::Network),
];

/// Which component reads a line: (line from 0, kind).
pub fn of_lines(document: &Document) -> Vec<(u32, ComponentKind)> {
    let mut out = Vec::new();
    let is_service = document.object.get("kind").as_str() == Some("Service");
    let pod_spec = if document.object.get("kind").as_str() == Some("Pod") {
        "spec"
    } else {
        "spec.template.spec"
    };
    for (suffix, kind) in READERS {
        let mut paths: Vec<String> = Vec::new();
        if *suffix == "spec.ports" {
            if is_service {
                paths.push((*suffix).into());
            }
        } else if let Some(rest) = suffix
            .strip_prefix("containers.")
            .or_else(|| suffix.starts_with("resources.").then_some(*suffix))
        {
            let containers = document.object.at(pod_spec).get("containers").items().len();
            paths.extend(
                (0..containers.min(50)).map(|i| format!("{pod_spec}.containers[{i}].{rest}")),
            );
        } else {
            paths.push((*suffix).into());
            if let Some(rest) = suffix.strip_prefix("spec.")
                && pod_spec != "spec"
            {
                paths.push(format!("{pod_spec}.{rest}"));
            }
        }
        for path in paths {
            let located = document.locate(&path);
            if located.exact
                && let Some(key) = located.key
            {
                out.push((key.line.saturating_sub(1), *kind));
            }
        }
    }
    out
}

/// Who acts on the field at a path (list indexes left out) of a kind; the longest rule that fits.
pub fn of_field(kind: Kind, path: &[String]) -> Vec<ComponentKind> {
    let path = path.join(".");
    let is_service = kind == Kind::Service;
    let fits = |rule: &str| {
        let at = match rule.strip_prefix("spec.") {
            Some("ports") => is_service.then(|| path.find(rule)).flatten(),
            _ if rule == "apiVersion" => path.starts_with(rule).then_some(0),
            _ => path.find(rule),
        };
        at.is_some_and(|at| {
            let whole = |c: Option<u8>| c.is_none_or(|c| c == b'.');
            let bytes = path.as_bytes();
            whole(at.checked_sub(1).and_then(|i| bytes.get(i).copied()))
                && whole(bytes.get(at + rule.len()).copied())
        })
    };
    let longest = READERS
        .iter()
        .filter(|(rule, _)| fits(rule))
        .map(|(rule, _)| rule.len())
        .max();
    let mut found: Vec<ComponentKind> = READERS
        .iter()
        .filter(|(rule, _)| Some(rule.len()) == longest && fits(rule))
        .map(|(_, kind)| *kind)
        .collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_readers() {
        let of = |kind, path: &str| {
            let path: Vec<String> = path.split('.').map(String::from).collect();
            of_field(kind, &path)
        };
        assert_eq!(
            of(Kind::Deployment, "spec.template.spec.containers.image"),
            [ComponentKind::Runtime]
        );
        assert_eq!(
            of(Kind::Pod, "spec.containers.resources.requests.cpu"),
            [ComponentKind::Scheduler]
        );
        assert_eq!(
            of(Kind::Deployment, "spec.replicas"),
            [ComponentKind::Controller]
        );
        assert_eq!(
            of(Kind::Service, "spec.ports.port"),
            [ComponentKind::Network]
        );
        assert!(of(Kind::ConfigMap, "data.x").is_empty());
    }
}
