//! Who owns which field of an object: `metadata.managedFields` and server-side apply.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/managedfields,
//! sigs.k8s.io/structured-merge-diff/v6/merge/update.go (v1.36)
//! Left out: entries of other versions of a kind are read as if they were of the served one.

mod set;
mod walk;

pub use set::Set;
pub use walk::shown as go_text;

use crate::decode;
use crate::json;
use crate::kind::Kind;
use crate::status::{Cause, Status, quote};
use crate::value::{NULL, Text, Value};
use crate::{schema, sort};
use walk::{Atom, Comparison};

/// Where kubectl keeps what was applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Owns what an object had before anybody's fields were noted.
const BEFORE: &str = "before-first-apply";
/// Owns what the oldest of many managers owned.
const ANCIENT: &str = "ancient-changes";
/// How many managers that update are told apart.
const MAX_UPDATERS: usize = 10;
/// Fields that nobody owns.
const OWNERLESS: &[&str] = &[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Who writes, through which subresource, and when.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// `status`, `scale` and so on; empty for the object itself.
    pub subresource: &'a str,
    /// The time now, as `2026-11-20T10:08:44Z`.
    pub now: &'a str,
}

/// One entry of `metadata.managedFields`.
#[derive(Clone, Debug, Default)]
struct Entry {
    manager: Text,
    /// Whether the manager applies; others update.
    applies: bool,
    api_version: Text,
    subresource: Text,
    time: Text,
    set: Set,
}

impl Entry {
    fn operation(&self) -> &'static str {
        if self.applies { "Apply" } else { "Update" }
    }

    fn is_of(&self, writer: Writer<'_>, applies: bool) -> bool {
        *self.manager == *writer.manager
            && *self.subresource == *writer.subresource
            && self.applies == applies
    }

    fn new(kind: Kind, writer: Writer<'_>, applies: bool) -> Entry {
        Entry {
            manager: writer.manager.into(),
            applies,
            api_version: kind.api_version().into(),
            subresource: writer.subresource.into(),
            ..Entry::default()
        }
    }

    /// As messages name it.
    fn title(&self) -> String {
        let mut title = quote(&self.manager);
        if !self.subresource.is_empty() {
            title.push_str(&format!(" with subresource {}", quote(&self.subresource)));
        }
        if !self.applies {
            title.push_str(&format!(" using {}", self.api_version));
        }
        title
    }
}

fn read(object: &Value) -> Vec<Entry> {
    let entries = object.at("metadata.managedFields").items().iter();
    let text = |v: &Value, name: &str| -> Text { v.get(name).str_or_empty().into() };
    entries
        .filter(|v| !v.is_empty())
        .map(|v| Entry {
            manager: text(v, "manager"),
            applies: v.get("operation").as_str() == Some("Apply"),
            api_version: text(v, "apiVersion"),
            subresource: text(v, "subresource"),
            time: text(v, "time"),
            set: Set::read(v.get("fieldsV1")),
        })
        .filter(|entry| !entry.set.is_empty())
        .collect()
}

fn write(mut entries: Vec<Entry>) -> Value {
    entries.retain(|e| !e.set.is_empty());
    cap(&mut entries);
    sort(&mut entries);
    Value::list(entries.into_iter().map(|entry| {
        let mut v = Value::map();
        let map = v.map_mut();
        map.insert("manager", Value::Str(entry.manager.clone()));
        map.insert("operation", Value::str(entry.operation()));
        map.insert("apiVersion", Value::Str(entry.api_version.clone()));
        if !entry.time.is_empty() {
            map.insert("time", Value::Str(entry.time.clone()));
        }
        map.insert("fieldsType", Value::str("FieldsV1"));
        map.insert("fieldsV1", entry.set.write());
        if !entry.subresource.is_empty() {
            map.insert("subresource", Value::Str(entry.subresource.clone()));
        }
        v
    }))
}

fn sort(entries: &mut [Entry]) {
    sort::by(entries, |a, b| {
        let key = |e: &Entry| {
            (
                !e.applies,
                e.time.clone(),
                e.manager.clone(),
                e.api_version.clone(),
                e.subresource.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
}

/// Puts the oldest of too many updaters together.
fn cap(entries: &mut Vec<Entry>) {
    let updaters = entries.iter().filter(|e| !e.applies).count();
    if updaters <= MAX_UPDATERS {
        return;
    }
    sort(entries);
    let mut surplus = updaters - MAX_UPDATERS + 1;
    let mut ancient = Entry {
        manager: ANCIENT.into(),
        ..Entry::default()
    };
    entries.retain(|entry| {
        if entry.applies || surplus == 0 {
            return true;
        }
        surplus -= 1;
        ancient.set = ancient.set.or(&entry.set);
        ancient.api_version = entry.api_version.clone();
        ancient.time = entry.time.clone();
        false
    });
    entries.push(ancient);
}

fn root(kind: Kind) -> Atom {
    Atom::Fields(schema::of(kind))
}

/// Drops what nobody owns, and what writes through this (sub)resource cannot change.
fn owned(kind: Kind, subresource: &str, set: &mut Set) {
    for name in ["apiVersion", "kind"] {
        set.cut(&[&format!("f:{name}")]);
    }
    for name in OWNERLESS {
        set.cut(&["f:metadata", &format!("f:{name}")]);
    }
    let mut metadata = set.child("f:metadata").clone();
    metadata.own = false;
    set.put("f:metadata", metadata);
    let has_status = schema::of(kind).field("status").is_some();
    match subresource {
        "" if has_status => set.cut(&["f:status"]),
        "status" => set.cut(&["f:spec"]),
        _ => {}
    }
    if subresource == "status" {
        match kind {
            Kind::Pod => {
                set.cut(&["f:metadata", "f:deletionTimestamp"]);
                set.cut(&["f:metadata", "f:ownerReferences"]);
            }
            Kind::Deployment => set.cut(&["f:metadata", "f:labels"]),
            _ => {}
        }
    }
}

fn difference(kind: Kind, subresource: &str, old: &Value, new: &Value) -> Comparison {
    let mut found = Comparison::default();
    walk::compare(
        root(kind),
        Some(old),
        Some(new),
        &mut Vec::new(),
        &mut found,
    );
    for set in [&mut found.added, &mut found.modified, &mut found.removed] {
        owned(kind, subresource, set);
    }
    found
}

fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    object.remove("metadata.managedFields");
    object
}

/// An object of the kind in which nothing is set.
fn nothing(kind: Kind) -> Value {
    decode::normalize(kind, &Value::map())
}

/// The `managedFields` of an object after a write that is not an apply. `old` is the object before, if there
/// was one; both are in their stored form.
pub fn update(kind: Kind, old: Option<&Value>, new: &Value, writer: Writer<'_>) -> Value {
    let mut entries = Vec::new();
    let given = new.at("metadata.managedFields").items();
    let reset = matches!(given, [only] if only.is_empty());
    if !reset {
        if writer.subresource.is_empty() {
            entries = read(new);
        }
        if let (true, Some(old)) = (entries.is_empty(), old) {
            entries = read(old);
        }
    }
    let before = old.map_or_else(|| nothing(kind), bare);
    take(kind, &mut entries, &before, &bare(new), writer);
    write(entries)
}

fn take(kind: Kind, entries: &mut Vec<Entry>, before: &Value, after: &Value, writer: Writer<'_>) {
    let found = difference(kind, writer.subresource, before, after);
    let taken = found.modified.or(&found.added);
    for entry in &mut *entries {
        entry.set = entry.set.minus(&taken).minus(&found.removed);
    }
    if taken.is_empty() {
        return;
    }
    let own = match entries.iter().position(|e| e.is_of(writer, false)) {
        Some(at) => at,
        None => {
            entries.push(Entry::new(kind, writer, false));
            entries.len() - 1
        }
    };
    if let Some(entry) = entries.get_mut(own) {
        entry.set = entry.set.or(&taken);
        // The scale subresource keeps the fields and loses the time.
        if writer.subresource != "scale" {
            entry.time = writer.now.into();
        }
    }
}

/// What an apply makes of an object: the whole object, with its `managedFields`.
///
/// # Errors
/// 400 for a body that cannot be applied, 409 where others own what would change, 500 for a body that does
/// not fit the schema.
pub fn apply(
    kind: Kind,
    live: Option<&Value>,
    config: &Value,
    writer: Writer<'_>,
    force: bool,
) -> Result<Value, Status> {
    if !config.at("metadata.managedFields").is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let version = config.get("apiVersion").str_or_empty();
    if version != kind.api_version() {
        return Err(Status::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {version}, expected: {}",
            kind.api_version()
        )));
    }
    let mut wrong = Vec::new();
    walk::misfits(root(kind), None, config, "", &mut wrong);
    if !wrong.is_empty() {
        return Err(untyped(kind, config, &wrong));
    }
    let before = match live {
        Some(live) => bare(live),
        None => {
            let mut empty = nothing(kind);
            empty.set("apiVersion", kind.api_version());
            empty.set("kind", kind.name());
            empty
        }
    };
    let mut entries = live.map(read).unwrap_or_default();
    if entries.is_empty() && live.is_some() {
        let first = Writer {
            manager: BEFORE,
            ..writer
        };
        take(kind, &mut entries, &nothing(kind), &before, first);
    }
    let own = match entries.iter().position(|e| e.is_of(writer, true)) {
        Some(at) => entries.swap_remove(at),
        None => Entry::new(kind, writer, true),
    };
    let mut set = walk::field_set(root(kind), config);
    owned(kind, writer.subresource, &mut set);
    let merged = walk::merge(root(kind), &before, config);
    let all = entries.iter().fold(set.clone(), |all, e| all.or(&e.set));
    let after = prune(kind, &merged, &own.set, &all);
    let found = difference(kind, writer.subresource, &before, &after);
    let taken = found.modified.or(&found.added);
    let is_kubectl = writer.manager == "kubectl";
    let allowed = match live {
        Some(live) if is_kubectl && !force => allowed_by_last_applied(kind, live),
        _ => Set::default(),
    };
    if !force {
        refuse_conflicts(&mut entries, &taken, &allowed)?;
    }
    for entry in &mut entries {
        entry.set = entry.set.minus(&taken).minus(&found.removed);
    }
    let same = taken.is_empty() && found.removed.is_empty();
    let mut own = Entry { set, ..own };
    if !same {
        own.time = writer.now.into();
    }
    entries.push(own);
    let mut object = if same { before } else { after };
    if is_kubectl
        && !object
            .at("metadata.annotations")
            .get(LAST_APPLIED)
            .is_null()
    {
        let mut applied = config.clone();
        let annotations = applied.at_mut("metadata.annotations").map_mut();
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty() {
            applied.remove("metadata.annotations");
        }
        let text = json::to_string(&applied) + "\n";
        let annotations = object.at_mut("metadata.annotations").map_mut();
        annotations.insert(LAST_APPLIED, Value::from(text));
    }
    object.set("metadata.managedFields", write(entries));
    Ok(object)
}

fn untyped(kind: Kind, config: &Value, wrong: &[String]) -> Status {
    let metadata = config.get("metadata");
    let mut name = metadata.get("name").str_or_empty().to_string();
    if kind.namespaced() {
        name = format!("{}/{name}", metadata.get("namespace").str_or_empty());
    }
    let why = match wrong {
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    let message = format!(
        "failed to create typed patch object ({name}; {}, Kind={kind}): {why}",
        kind.api_version()
    );
    let mut status = Status::new(500, "", message);
    status.details = Value::map();
    status
}

/// Takes away what the manager applied last time and nobody sets any more.
fn prune(kind: Kind, merged: &Value, last: &Set, all: &Set) -> Value {
    if last.is_empty() {
        return merged.clone();
    }
    let root = root(kind);
    let named = |set: &Set| walk::with_named_fields(root, set);
    let set_of = |value: &Value| named(&walk::field_set(root, value));
    let last = named(last);
    let merged_set = set_of(merged);
    let pruned = walk::remove(root, merged, &last);
    let kept = set_of(&pruned).or(&named(all));
    let pruned = walk::remove(root, merged, &merged_set.minus(&kept));
    let gone = merged_set.minus(&set_of(&pruned)).and(&last);
    walk::remove(root, merged, &gone)
}

/// `409 Conflict` when others own what an apply would change.
fn refuse_conflicts(entries: &mut [Entry], taken: &Set, allowed: &Set) -> Result<(), Status> {
    sort(entries);
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    let mut only = String::new();
    let mut owners: Vec<&Entry> = entries.iter().collect();
    sort::by(&mut owners, |a, b| {
        (&a.manager, a.applies).cmp(&(&b.manager, b.applies))
    });
    for entry in owners {
        let paths = entry.set.and(taken).minus(allowed).paths();
        if paths.is_empty() {
            continue;
        }
        let title = entry.title();
        lines.push(format!("conflicts with {title}:"));
        for path in paths {
            only = format!("conflict with {title}: {path}");
            lines.push(format!("- {path}"));
            causes.push(Cause {
                reason: "FieldManagerConflict".into(),
                message: format!("conflict with {title}").into(),
                field: path.into(),
            });
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    let message = match causes.len() {
        1 => format!("Apply failed with 1 conflict: {only}"),
        n => format!("Apply failed with {n} conflicts: {}", lines.join("\n")),
    };
    let mut status = Status::new(409, "Conflict", message);
    status.causes = causes;
    status.details = Value::map();
    Err(status)
}

/// What `kubectl apply` wrote from the client and nobody changed since: kubectl may take it over.
fn allowed_by_last_applied(kind: Kind, live: &Value) -> Set {
    let text = live.at("metadata.annotations").get(LAST_APPLIED);
    let Ok(last) = json::parse(text.str_or_empty()) else {
        return Set::default();
    };
    if last.get("apiVersion").str_or_empty() != kind.api_version() {
        return Set::default();
    }
    let mut found = Comparison::default();
    let live = bare(live);
    walk::compare(
        root(kind),
        Some(&last),
        Some(&live),
        &mut Vec::new(),
        &mut found,
    );
    let set = walk::field_set(root(kind), &last);
    let changed = found.modified.or(&found.added).or(&found.removed);
    set.minus(&changed)
}

/// The entries after the fields of `csa`, which updated, became those of `ssa`, which applies; nothing when
/// there is nothing to do. What kubectl does on its way from client-side to server-side apply.
///
/// Models: staging/src/k8s.io/client-go/util/csaupgrade/upgrade.go (v1.36)
pub fn upgraded(object: &Value, csa: &[&str], ssa: &str) -> Option<Value> {
    let mut entries: Vec<Value> = object.at("metadata.managedFields").items().to_vec();
    let is = |v: &Value, manager: &str, operation: &str| {
        v.get("manager").as_str() == Some(manager)
            && v.get("operation").as_str() == Some(operation)
            && v.get("subresource").str_or_empty().is_empty()
    };
    let mut changed = false;
    for manager in csa {
        let Some(from) = entries.iter().position(|v| is(v, manager, "Update")) else {
            continue;
        };
        changed = true;
        let target = entries.iter().position(|v| is(v, ssa, "Apply"));
        let fields = entries.get(from).unwrap_or(NULL).get("fieldsV1").clone();
        match target.and_then(|at| entries.get_mut(at)) {
            Some(entry) => {
                let set = Set::read(entry.get("fieldsV1")).or(&Set::read(&fields));
                entry.set("fieldsV1", set.write());
            }
            None => {
                if let Some(entry) = entries.get_mut(from) {
                    entry.set("manager", ssa);
                    entry.set("operation", "Apply");
                }
            }
        }
        entries.retain(|v| !is(v, manager, "Update"));
    }
    changed.then(|| Value::list(entries))
}

/// The managers with this operation (`Apply` or `Update`) that own the annotation of the last apply.
pub fn owners_of_last_applied<'a>(object: &'a Value, operation: &str) -> Vec<&'a str> {
    let entries = object.at("metadata.managedFields").items().iter();
    let owns = |v: &&Value| {
        v.get("operation").as_str() == Some(operation)
            && v.get("subresource").str_or_empty().is_empty()
            && Set::read(v.get("fieldsV1"))
                .child("f:metadata")
                .child("f:annotations")
                .child(&format!("f:{LAST_APPLIED}"))
                .own
    };
    let mut names: Vec<&str> = entries
        .filter(owns)
        .map(|v| v.get("manager").str_or_empty())
        .collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn writer(manager: &'static str, subresource: &'static str) -> Writer<'static> {
        Writer {
            manager,
            subresource,
            now: "2026-01-01T00:00:00Z",
        }
    }

    fn config(replicas: i64) -> Value {
        value!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"replicas": (replicas), "template": {"spec": {"containers": [
                {"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}
            ]}}}
        })
    }

    /// An object that `kubectl create` made.
    fn created() -> Value {
        let mut object = decode::normalize(Kind::Deployment, &config(3));
        let owners = update(
            Kind::Deployment,
            None,
            &object,
            writer("kubectl-create", ""),
        );
        object.set("metadata.managedFields", owners);
        object
    }

    #[test]
    fn what_another_owns_is_a_conflict_until_forced() {
        let live = created();
        let wanted = config(5);
        let by = writer("x", "");
        let refused = apply(Kind::Deployment, Some(&live), &wanted, by, false);
        assert_eq!(
            refused.map_err(|s| (s.code, s.message.to_string())),
            Err((
                409,
                "Apply failed with 1 conflict: conflict with \"kubectl-create\" using apps/v1: .spec.replicas"
                    .to_string()
            ))
        );
        let forced = apply(Kind::Deployment, Some(&live), &wanted, by, true).expect("forced");
        assert_eq!(forced.at("spec.replicas").as_int(), Some(5));
        let owners = read(&forced);
        let has = |e: &Entry| e.set.child("f:spec").child("f:replicas").own;
        assert_eq!(owners.iter().map(has).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_scaled_field_is_owned_through_its_subresource() {
        let live = created();
        let mut scaled = live.clone();
        scaled.set("spec.replicas", 7);
        let owners = update(
            Kind::Deployment,
            Some(&live),
            &scaled,
            writer("kubectl", "scale"),
        );
        scaled.set("metadata.managedFields", owners);
        let refused = apply(
            Kind::Deployment,
            Some(&scaled),
            &config(3),
            writer("kubectl", ""),
            false,
        );
        let message = refused.map_err(|s| s.message.to_string());
        assert_eq!(
            message,
            Err("Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1: .spec.replicas".to_string())
        );
    }

    #[test]
    fn what_is_no_longer_applied_goes_and_defaults_stay_with_nobody() {
        let first = apply(Kind::Deployment, None, &config(3), writer("x", ""), false);
        let first = first.expect("created");
        let mut less = config(3);
        less.remove("spec.replicas");
        less.at_mut("metadata.labels").map_mut().remove("app");
        let second = apply(
            Kind::Deployment,
            Some(&first),
            &less,
            writer("x", ""),
            false,
        );
        let second = second.expect("applied");
        assert!(second.at("spec.replicas").is_null());
        assert!(second.at("metadata.labels").is_empty());
        let image = second
            .at("spec.template.spec.containers")
            .index(0)
            .get("image");
        assert_eq!(image.as_str(), Some("nginx"));
    }

    #[test]
    fn bodies_that_do_not_fit_are_named() {
        let mut bad = config(3);
        bad.set("spec.replicas", "x");
        bad.set("spec.foo", 1);
        let refused = apply(Kind::Deployment, None, &bad, writer("x", ""), false);
        assert_eq!(
            refused.map_err(|s| (s.code, s.message.to_string())),
            Err((500, "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): errors:\n  .spec.foo: field not declared in schema\n  .spec.replicas: expected numeric (int or float), got string".to_string()))
        );
    }

    #[test]
    fn at_most_ten_updaters_are_told_apart() {
        let mut object = created();
        for i in 0..15_i64 {
            let mut next = object.clone();
            let place = next.at_mut("metadata.annotations").map_mut();
            place.insert(format!("k{i}"), Value::Int(i));
            let manager = format!("m{i}");
            let by = Writer {
                manager: &manager,
                subresource: "",
                now: "2026-01-01T00:00:00Z",
            };
            let owners = update(Kind::Deployment, Some(&object), &next, by);
            next.set("metadata.managedFields", owners);
            object = next;
        }
        let owners = read(&object);
        assert_eq!(owners.len(), MAX_UPDATERS);
        assert!(owners.iter().any(|e| *e.manager == *ANCIENT));
    }
}
