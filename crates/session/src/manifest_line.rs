//! Which lines of an applied manifest an event goes back to: the field that its actor has just acted on.

use crate::session::Session;
use podscope_cluster::TraceEvent;

/// The most lines that are marked.
const MOST: u32 = 8;

/// The field of the manifest that decides an event of this code; several: the first that is written.
fn fields(event: &TraceEvent) -> &'static [&'static str] {
    let argument = |name: &str| event.arg(name).str_or_empty();
    let says = |plugin: &str| argument("plugins").contains(plugin);
    match event.code {
        "replicaset.create_batch"
        | "replicaset.delete"
        | "deployment.scale_up"
        | "deployment.scale_down" => &["replicas"],
        "deployment.create_replica_set" => &["template"],
        // What the last plugin in the order of filters looks at: it is the hardest to satisfy.
        "scheduler.unschedulable" if says("PodTopologySpread") => &["topologySpreadConstraints"],
        "scheduler.unschedulable" if says("NodeResourcesFit") => &["requests", "limits"],
        "scheduler.unschedulable" if says("InterPodAffinity") => &["affinity"],
        "scheduler.unschedulable" if says("NodePorts") => &["hostPort"],
        "scheduler.filter" | "scheduler.score" | "scheduler.choose" | "scheduler.unschedulable" => {
            &[
                "nodeSelector",
                "affinity",
                "topologySpreadConstraints",
                "requests",
            ]
        }
        "kubelet.cgroup" => &["limits", "requests"],
        "kubelet.image_present"
        | "cri.pull_image"
        | "image.resolve"
        | "image.manifest"
        | "image.unpack" => &["image"],
        "cri.call" if argument("call") == "PullImage" => &["image"],
        "runc.start" | "oci.config" => &["command", "args", "image"],
        "kubelet.probe" => match argument("probe") {
            "liveness" => &["livenessProbe"],
            "startup" => &["startupProbe"],
            _ => &["readinessProbe"],
        },
        "kubelet.volumes" => &["volumes"],
        "kubelet.terminating" => &["terminationGracePeriodSeconds"],
        "endpointslice.change" => &["selector"],
        _ => &[],
    }
}

/// File by index, first and last line from 0; `None` when no applied manifest says it.
#[inline(never)]
pub fn of(session: &Session, event: &TraceEvent) -> Option<(u16, u32, u32)> {
    let fields = fields(event);
    let subject = event.subject.as_ref()?;
    if fields.is_empty() {
        return None;
    }
    let applied = session.files.iter().enumerate();
    let applied = applied.filter(|(_, f)| f.applied.as_ref() == Some(&f.text));
    for (file, f) in applied {
        let lines: Vec<&str> = f.text.lines().collect();
        let mut start = 0;
        while start < lines.len() {
            let rest = &lines[start..];
            let length = rest.iter().position(|line| line.trim_end() == "---");
            let length = length.unwrap_or(rest.len());
            let document = &rest[..length];
            // A Pod's name begins with its owner's.
            if name(document).is_some_and(|name| subject.key.name.starts_with(name)) {
                let found = fields.iter().find_map(|field| block(document, field));
                if let Some((from, to)) = found {
                    let line = |at: usize| u32::try_from(start + at).ok();
                    let (from, to) = (line(from)?, line(to)?);
                    return Some((u16::try_from(file).ok()?, from, to.min(from + MOST)));
                }
            }
            start += length + 1;
        }
    }
    None
}

/// `metadata.name` of a document.
fn name<'t>(document: &[&'t str]) -> Option<&'t str> {
    let metadata = document
        .iter()
        .position(|line| line.trim_end() == "metadata:")?;
    let inside = document.get(metadata + 1..)?;
    let inside = inside.iter().take_while(|line| line.starts_with(' '));
    let mut named = inside.filter_map(|line| line.trim().strip_prefix("name:"));
    named.next().map(|name| name.trim().trim_matches('"'))
}

/// The line of a field, and the last of those that belong to it.
fn block(document: &[&str], field: &str) -> Option<(usize, usize)> {
    let is_field = |line: &&str| {
        let line = line.trim_start().trim_start_matches("- ");
        line.strip_prefix(field)
            .is_some_and(|rest| rest.starts_with(':'))
    };
    let at = document.iter().position(is_field)?;
    let line = document.get(at)?;
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let deeper = document.get(at + 1..).unwrap_or_default().iter();
    let deeper = deeper.take_while(|next| depth(next) > depth(line) && !next.trim().is_empty());
    Some((at, at + deeper.count()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{SessionApi, Source};

    #[test]
    fn events_go_back_to_the_line_that_decided_them() {
        let session = Session::open(Source::Preset("birth")).expect("it opens");
        let files = session.files();
        let text = |code: &str| {
            let event = session
                .log()
                .iter()
                .find(|e| e.code == code)
                .expect("it happens");
            let (file, from, to) = of(&session, event)?;
            let lines = files[usize::from(file)].text.lines();
            let lines = lines.skip(from as usize).take((to - from + 1) as usize);
            Some(lines.map(str::trim).collect::<Vec<_>>().join("|"))
        };
        assert_eq!(
            text("replicaset.create_batch").as_deref(),
            Some("replicas: 3")
        );
        assert_eq!(
            text("scheduler.filter").as_deref(),
            Some("requests:|cpu: 100m|memory: 128Mi")
        );
        assert_eq!(
            text("image.resolve").as_deref(),
            Some("image: nginx:1.14.2")
        );
        assert_eq!(
            text("kubelet.cgroup").as_deref(),
            Some("limits:|cpu: 200m|memory: 256Mi")
        );
        assert_eq!(text("etcd.commit"), None);
    }
}
