//! Which objects a command line names: `TYPE NAME…`, `TYPE/NAME…`, `TYPE -l …`, `-f FILE`.
//!
//! Models: staging/src/k8s.io/cli-runtime/pkg/resource/builder.go (v1.36)

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::files;
use crate::flags::Flags;
use podscope_api::status::{qualified, quote};
use podscope_api::{Kind, Object, Request, Text, Value};
use std::rc::Rc;

/// One object or list that the command line names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub kind: Kind,
    /// Empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// Empty for a list.
    pub name: String,
}

/// An object and what it was found as.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub kind: Kind,
    pub object: Rc<Object>,
}

impl Info {
    pub fn name(&self) -> &str {
        self.object.name()
    }
    pub fn namespace(&self) -> &str {
        self.object.namespace()
    }
    /// `deployment.apps/web`.
    pub fn title(&self) -> String {
        title(self.kind, self.name())
    }
    /// `deployments/web`.
    pub fn plural_title(&self) -> String {
        format!("{}/{}", self.kind.plural(), self.name())
    }
}

/// `deployment.apps/web`.
pub(crate) fn title(kind: Kind, name: &str) -> String {
    format!("{}/{name}", singular(kind))
}

/// `deployment.apps`.
pub(crate) fn singular(kind: Kind) -> String {
    qualified(kind.group(), &kind.name().to_ascii_lowercase())
}

/// `deployments.apps`.
pub(crate) fn resource(kind: Kind) -> String {
    qualified(kind.group(), kind.plural())
}

/// The kinds of `all`, in discovery order.
const ALL: &[Kind] = &[
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Service,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::HorizontalPodAutoscaler,
    Kind::CronJob,
    Kind::Job,
];

/// What a command allows on its command line.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    /// A bare `TYPE` means all objects of it.
    pub bare_type_lists: bool,
    /// Nothing named at all is an empty list, not an error.
    pub may_be_empty: bool,
}

pub(crate) const NOTHING_NAMED: &str = "You must provide one or more resources by argument or filename.\n\
Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// The kind that a word names.
pub(crate) fn kind(word: &str) -> Res<Kind> {
    Kind::from_word(word).ok_or_else(|| {
        let name = word.split('.').next().unwrap_or(word);
        Fault::Text(format!(
            "the server doesn't have a resource type {}",
            quote(name)
        ))
    })
}

/// The kinds of a comma-separated word.
pub(crate) fn kinds(word: &str) -> Res<Vec<Kind>> {
    let mut found: Vec<Kind> = Vec::new();
    for part in word.split(',') {
        let more = if part == "all" {
            ALL.to_vec()
        } else {
            vec![kind(part)?]
        };
        for kind in more {
            if !found.contains(&kind) {
                found.push(kind);
            }
        }
    }
    Ok(found)
}

/// What the command line names, in order. Looks at the flags `filename`, `selector`, `field-selector`, `all`
/// and `all-namespaces`.
pub(crate) fn targets(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    args: &[String],
    rules: Rules,
) -> Res<Vec<Target>> {
    let everywhere = flags.is("all-namespaces");
    let selecting = flags.has("selector") || flags.is("all") || flags.has("field-selector");
    let current = ctx.namespace.clone();
    let namespace = |kind: Kind| {
        if kind.namespaced() && !everywhere {
            current.clone()
        } else {
            String::new()
        }
    };
    if flags.is("all") && flags.has("selector") && !flags.str("selector").is_empty() {
        return Err(Fault::text(
            "setting 'all' parameter but found a non empty selector. ",
        ));
    }
    if flags.has("filename") {
        let mut targets = Vec::new();
        let mut faults = Vec::new();
        for found in files::manifests(ctx, flags)? {
            match found {
                Ok(manifest) => targets.push(Target {
                    kind: manifest.kind,
                    namespace: manifest.object.namespace().to_string(),
                    name: manifest.object.name().to_string(),
                }),
                Err(fault) => faults.push(fault),
            }
        }
        Fault::all(faults)?;
        return Ok(targets);
    }
    let target = |kind: Kind, name: &str| Target {
        kind,
        namespace: namespace(kind),
        name: name.to_string(),
    };
    if args.is_empty() {
        if rules.may_be_empty {
            return Ok(Vec::new());
        }
        return Err(Fault::text(NOTHING_NAMED));
    }
    let slashed = args.iter().filter(|a| a.contains('/')).count();
    if slashed > 0 {
        if slashed < args.len() {
            return Err(Fault::text(
                "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
            ));
        }
        let mut targets = Vec::new();
        for arg in args {
            let parts: Vec<&str> = arg.split('/').collect();
            let [word, name] = parts.as_slice() else {
                return Err(Fault::text(
                    "arguments in resource/name form may not have more than one slash",
                ));
            };
            if word.is_empty() || name.is_empty() || word.contains(',') {
                return Err(Fault::text(
                    "arguments in resource/name form must have a single resource and name",
                ));
            }
            if everywhere {
                return Err(Fault::text(
                    "a resource cannot be retrieved by name across all namespaces",
                ));
            }
            targets.push(target(kind(word)?, name));
        }
        return Ok(targets);
    }
    let (types, names) = args
        .split_first()
        .map_or(("", args), |(t, n)| (t.as_str(), n));
    if types.is_empty() {
        return Err(Fault::text(NOTHING_NAMED));
    }
    let kinds = kinds(types)?;
    if types.split(',').any(|word| word.eq_ignore_ascii_case("ev")) {
        ctx.warn("short name \"ev\" could also match lower priority resource events.events.k8s.io");
    }
    if !names.is_empty() {
        if everywhere {
            return Err(Fault::text(
                "a resource cannot be retrieved by name across all namespaces",
            ));
        }
        if selecting {
            return Err(Fault::text(
                "name cannot be provided when a selector is specified",
            ));
        }
        let pairs = names
            .iter()
            .flat_map(|n| kinds.iter().map(move |k| (*k, n)));
        return Ok(pairs.map(|(k, n)| target(k, n)).collect());
    }
    if !selecting && !rules.bare_type_lists {
        return Err(Fault::text(
            "resource(s) were provided, but no name was specified",
        ));
    }
    Ok(kinds.into_iter().map(|k| target(k, "")).collect())
}

/// The request that reads a target.
pub(crate) fn read_request(target: &Target, flags: &Flags) -> Request {
    let mut request = if target.name.is_empty() {
        Request::list(target.kind, target.namespace.as_str())
    } else {
        Request::get(target.kind, target.namespace.as_str(), target.name.as_str())
    };
    if target.name.is_empty() {
        request.options.label_selector = flags.str("selector").into();
        request.options.field_selector = flags.str("field-selector").into();
    }
    request
}

/// Reads one target: the object, or the items of the list.
pub(crate) fn read(ctx: &mut Ctx<'_>, target: &Target, flags: &Flags) -> Res<Vec<Info>> {
    let request = read_request(target, flags);
    let (label, field) = (
        request.options.label_selector.clone(),
        request.options.field_selector.clone(),
    );
    let answer = ctx.send(request);
    let absent = matches!(&answer, Err(fault) if fault.is_not_found());
    let named = !target.name.is_empty() && (!flags.has("filename") || flags.command != "describe");
    if absent && named && !matches!(target.namespace.as_str(), "" | "default") {
        // A missing namespace explains more than a missing object.
        match ctx.send(Request::get(Kind::Namespace, "", target.namespace.as_str())) {
            Err(fault) if fault.is_not_found() => return Err(fault),
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            _ => {}
        }
    }
    let answer = answer.map_err(|fault| match fault {
        Fault::Status(mut status) if status.code == 400 && target.name.is_empty() => {
            status.message = format!(
                "Unable to find {} that match label selector {}, field selector {}: {}",
                quote(&gvr(target.kind)),
                quote(&label),
                quote(&field),
                status.message
            )
            .into();
            Fault::Status(status)
        }
        other => other,
    })?;
    if !target.name.is_empty() {
        return Ok(vec![Info {
            kind: target.kind,
            object: typed(target.kind, &answer.object),
        }]);
    }
    let items = answer.object.get("items").items().iter().map(|item| Info {
        kind: target.kind,
        object: typed(target.kind, &Object(item.clone())),
    });
    Ok(items.collect())
}

/// Reads all targets; goes on after errors.
pub(crate) fn read_all(
    ctx: &mut Ctx<'_>,
    targets: &[Target],
    flags: &Flags,
) -> Res<(Vec<Info>, Vec<Fault>)> {
    let (mut infos, mut faults) = (Vec::new(), Vec::new());
    for target in targets {
        match read(ctx, target, flags) {
            Ok(found) => infos.extend(found),
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Ok((infos, faults))
}

/// `apps/v1, Resource=deployments`.
pub(crate) fn gvr(kind: Kind) -> String {
    format!(
        "{}/{}, Resource={}",
        kind.group(),
        kind.version(),
        kind.plural()
    )
}

/// The object with `apiVersion` and `kind`, which items of lists lack.
pub(crate) fn typed(kind: Kind, object: &Object) -> Rc<Object> {
    let mut object = object.clone();
    if object.get("kind").is_null() {
        object.set("kind", kind.name());
    }
    if object.get("apiVersion").is_null() {
        object.set("apiVersion", Value::Str(Text::from(kind.api_version())));
    }
    Rc::new(object)
}
