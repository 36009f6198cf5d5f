//! `kubectl apply -f`, client-side and server-side.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/apply/{apply,patcher}.go (v1.36)
//! Left out: `--prune`, `edit-last-applied`, folders of kustomize.

use super::delete;
use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::files::{self, Manifest};
use crate::flags::Flags;
use crate::output::{self, Format};
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Target};
use podscope_api::request::FieldValidation;
use podscope_api::status::quote;
use podscope_api::{Body, Kind, Object, PatchType, Request, Value, json, managed, patch, value};
use std::rc::Rc;

const FLAGS: &str = "filename,f=S recursive,R=b kustomize,k=s selector,l=s all=b prune=b prune-allowlist=S \
applyset=s overwrite=b cascade=s:background force=b force-conflicts=b grace-period=i timeout=d wait=b \
server-side=b field-manager=s dry-run=s:unchanged validate=s:strict output,o=s template=s \
show-managed-fields=b openapi-patch=b subresource=s allow-missing-template-keys=b create-annotation=b";

/// Where kubectl keeps what was applied last.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    if let Some((sub, rest)) = words.split_first() {
        match sub.as_str() {
            "set-last-applied" => return set_last_applied(ctx, rest),
            "view-last-applied" => return view_last_applied(ctx, rest),
            _ => {}
        }
    }
    let flags = super::flags(ctx, "apply", FLAGS, words)?;
    if let Some(extra) = flags.args.first() {
        return Err(Fault::usage(
            "apply",
            format!(
                "Unexpected args: [{}]",
                if flags.args.len() == 1 {
                    extra.clone()
                } else {
                    flags.args.join(" ")
                }
            ),
        ));
    }
    if !flags.has("filename") && !flags.has("kustomize") {
        return Err(Fault::text("must specify one of -f and -k"));
    }
    let server_side = flags.is("server-side");
    let manager = if server_side {
        "kubectl"
    } else {
        "kubectl-client-side-apply"
    };
    let report = Report::read(ctx, &flags, manager)?;
    if server_side && report.dry_run == DryRun::Client {
        return Err(Fault::text(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    if flags.is("force") && server_side {
        return Err(Fault::text("--force cannot be used with --server-side"));
    }
    if flags.is("force-conflicts") && !server_side {
        return Err(Fault::text(
            "--force-conflicts only works with --server-side",
        ));
    }
    let (mut faults, mut printed) = (Vec::new(), Vec::new());
    let mut count = 0;
    let mut manifests = Vec::new();
    for found in files::manifests(ctx, &flags)? {
        match found {
            Ok(manifest) => manifests.push(manifest),
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(selector) = flags.opt("selector").filter(|s| !s.is_empty()) {
        let selector = podscope_api::selector::Selector::parse(selector).map_err(Fault::Text)?;
        manifests.retain(|m| selector.matches(m.object.labels()));
    }
    for manifest in manifests {
        count += 1;
        let one = if server_side {
            server_side_apply(ctx, &flags, &report, &manifest)
        } else {
            client_side_apply(ctx, &flags, &report, &manifest)
        };
        match one {
            Ok(object) => printed.push(object),
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    if count == 0 && faults.is_empty() {
        return Err(Fault::text("no objects passed to apply"));
    }
    if report.prints_object() && !printed.is_empty() {
        let hide = |o: &Rc<Object>| {
            if report.show_managed {
                o.0.clone()
            } else {
                output::hide_managed(o)
            }
        };
        let value = match printed.as_slice() {
            [one] => hide(one),
            many => output::list(many.iter().map(hide).collect()),
        };
        let text = output::print(&report.format, &value, "")?;
        ctx.out.push_str(&text);
    }
    Fault::all(faults)
}

/// The line of one object; nothing where the objects themselves are printed at the end.
fn say(ctx: &mut Ctx<'_>, report: &Report, kind: Kind, object: &Object, what: &str) -> Res<()> {
    match report.format {
        Format::Default | Format::Name => report.done(ctx, kind, object, what),
        _ => Ok(()),
    }
}

/// The object with itself, as JSON text, in the annotation.
fn with_annotation(object: &Object) -> Object {
    let mut bare = object.clone();
    bare.at_mut("metadata.annotations")
        .map_mut()
        .remove(LAST_APPLIED);
    let text = json::to_string(&bare) + "\n";
    bare.at_mut("metadata.annotations")
        .map_mut()
        .insert(LAST_APPLIED, Value::from(text));
    bare
}

/// The value without null entries of maps.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let kept = map.entries().iter().filter(|(_, v)| !v.is_null());
            Value::from_pairs(kept.map(|(k, v)| (k.clone(), without_nulls(v))))
        }
        Value::List(items) => Value::list(items.iter().map(without_nulls)),
        leaf => leaf.clone(),
    }
}

/// What kubectl says of the object in errors.
fn about(kind: Kind, object: &Object) -> String {
    let group = format!("{}/{}", kind.group(), kind.version());
    format!(
        "Resource: {}, GroupVersionKind: {}\nName: {}, Namespace: {}",
        quote(&target::gvr(kind)),
        quote(&format!("{group}, Kind={kind}")),
        quote(object.name()),
        quote(object.namespace())
    )
}

fn validation(flags: &Flags) -> FieldValidation {
    match flags.str("validate") {
        "false" | "ignore" => FieldValidation::Ignore,
        "warn" => FieldValidation::Warn,
        _ => FieldValidation::Strict,
    }
}

/// What every changing request carries.
fn options(flags: &Flags, report: &Report, request: &mut Request) {
    report.options(request, false);
    if let Some(manager) = flags.opt("field-manager").filter(|m| !m.is_empty()) {
        request.options.field_manager = manager.into();
    }
    request.options.field_validation = validation(flags);
}

fn place(manifest: &Manifest) -> &str {
    if manifest.kind.namespaced() {
        manifest.object.namespace()
    } else {
        ""
    }
}

fn live(ctx: &mut Ctx<'_>, flags: &Flags, manifest: &Manifest) -> Res<Info> {
    let target = Target {
        kind: manifest.kind,
        namespace: place(manifest).to_string(),
        name: manifest.object.name().to_string(),
    };
    let retrieving = |fault: Fault| {
        let doing = format!(
            "retrieving current configuration of:\n{}\nfrom server for:",
            about(manifest.kind, &manifest.object)
        );
        fault.when(&doing, &manifest.source)
    };
    let name = manifest.object.name();
    let bad = if name.is_empty() {
        Some("resource name may not be empty".to_string())
    } else if name == "." || name == ".." {
        Some(format!(
            "invalid resource name {}: [may not be '{name}']",
            quote(name)
        ))
    } else {
        let odd = ['/', '%'].into_iter().find(|c| name.contains(*c));
        odd.map(|c| {
            format!(
                "invalid resource name {}: [may not contain '{c}']",
                quote(name)
            )
        })
    };
    if let Some(bad) = bad {
        return Err(retrieving(Fault::Text(bad)));
    }
    let found = target::read(ctx, &target, flags);
    let found = found.map_err(|f| if f.is_not_found() { f } else { retrieving(f) })?;
    found.into_iter().next().ok_or(Fault::Silent)
}

fn client_side_apply(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    report: &Report,
    manifest: &Manifest,
) -> Res<Rc<Object>> {
    let (kind, object) = (manifest.kind, &manifest.object);
    if object.name().is_empty() {
        let prefix = object.at("metadata.generateName").str_or_empty();
        if !prefix.is_empty() {
            return Err(Fault::Text(format!(
                "from {prefix}: cannot use generate name with apply"
            )));
        }
    }
    let modified = with_annotation(object);
    let current = match live(ctx, flags, manifest) {
        Ok(current) => current,
        Err(fault) if fault.is_not_found() => {
            let created = Object(without_nulls(&modified));
            if report.dry_run == DryRun::Client {
                say(ctx, report, kind, &created, "created")?;
                return Ok(Rc::new(created));
            }
            let created = create(ctx, flags, report, kind, created)
                .map_err(|f| f.when("creating", &manifest.source))?;
            say(ctx, report, kind, &created, "created")?;
            return Ok(created);
        }
        Err(fault) => return Err(fault),
    };
    if report.dry_run == DryRun::Client {
        say(ctx, report, kind, &current.object, "configured")?;
        return Ok(current.object);
    }
    if current.object.annotation(LAST_APPLIED).is_none() {
        ctx.complain(&format!(
            "Warning: resource {} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            current.plural_title()
        ));
    }
    let (change, patched) = patch_object(ctx, flags, report, manifest, &modified, current)?;
    if patched.is_being_deleted() {
        ctx.complain(&format!(
            "Warning: Detected changes to resource {} which is currently being deleted.",
            patched.name()
        ));
    }
    let unchanged = change.entries().is_empty() && !report.prints_object();
    say(
        ctx,
        report,
        kind,
        &patched,
        if unchanged { "unchanged" } else { "configured" },
    )?;
    Ok(patched)
}

fn create(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    report: &Report,
    kind: Kind,
    object: Object,
) -> Res<Rc<Object>> {
    let namespace = if kind.namespaced() {
        object.namespace().to_string()
    } else {
        String::new()
    };
    let mut request = Request::create(kind, object);
    request.namespace = namespace.into();
    options(flags, report, &mut request);
    Ok(target::typed(kind, &ctx.send(request)?.object))
}

/// The error of an apply that finds no patch.
fn no_patch(
    manifest: &Manifest,
    original: &str,
    modified: &Object,
    current: &Object,
    why: &str,
) -> Fault {
    let text = format!(
        "creating patch with:\noriginal:\n{original}\nmodified:\n{}\n\ncurrent:\n{}\n\nfor: {why}",
        json::to_string(modified),
        json::to_string(current)
    );
    let applying = format!(
        "applying patch:\n\nto:\n{}\nfor:",
        about(manifest.kind, current)
    );
    let fault = Fault::Text(text).when("patching", &manifest.source);
    fault.when(&applying, &manifest.source)
}

/// Whether two patches want different values somewhere.
fn collide(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => a
            .entries()
            .iter()
            .any(|(k, v)| **k != *LAST_APPLIED && b.get(k).is_some_and(|other| collide(v, other))),
        _ => a != b,
    }
}

/// How often a conflicting patch is computed again.
const RETRIES: usize = 5;

#[inline(never)]
fn patch_object(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    report: &Report,
    manifest: &Manifest,
    modified: &Object,
    current: Info,
) -> Res<(Value, Rc<Object>)> {
    let kind = manifest.kind;
    let mut current = current;
    let mut tries = 0;
    loop {
        let original = match current.object.annotation(LAST_APPLIED) {
            Some(text) if !text.is_empty() => match json::parse(text) {
                Ok(original) => original,
                Err(_) => {
                    for version in ["openapi v3", "openapi"] {
                        ctx.complain(&format!(
                            "warning: error calculating patch from {version} spec: invalid JSON document"
                        ));
                    }
                    let why = "invalid JSON document";
                    return Err(no_patch(manifest, text, modified, &current.object, why));
                }
            },
            _ => Value::Null,
        };
        let change = patch::three_way_strategic(kind.name(), &original, modified, &current.object)
            .map_err(Fault::Status)?;
        if change.entries().is_empty() {
            return Ok((change, current.object));
        }
        if !flags.bool_or("overwrite", true) {
            let since = patch::two_way_strategic(kind.name(), &original, &current.object);
            if collide(&change, &since) {
                let yaml = podscope_manifest::yaml::to_string;
                let why = format!(
                    "patch:\n{}\nconflicts with changes made from original to current:\n{}",
                    yaml(&change),
                    yaml(&since)
                );
                let text = json::to_string(&original) + "\n";
                return Err(no_patch(manifest, &text, modified, &current.object, &why));
            }
        }
        let mut request = Request::patch(
            kind,
            place(manifest),
            current.name(),
            "",
            PatchType::Strategic,
            change.clone(),
        );
        options(flags, report, &mut request);
        let fault = match ctx.send(request) {
            Ok(answer) => return Ok((change, target::typed(kind, &answer.object))),
            Err(fault) => fault,
        };
        let code = match &fault {
            Fault::Status(status) => status.code,
            _ => 0,
        };
        if code == 409 && tries < RETRIES {
            tries += 1;
            if tries > 1 {
                ctx.sleep(1_000_000)?;
            }
            current = live(ctx, flags, manifest)?;
            continue;
        }
        if flags.is("force") && matches!(code, 409 | 422) {
            let replaced = delete_and_create(ctx, flags, report, manifest, modified)?;
            return Ok((change, replaced));
        }
        let applying = format!(
            "applying patch:\n{}\nto:\n{}\nfor:",
            json::to_string(&change),
            about(kind, &current.object)
        );
        let fault = fault.when("patching", &manifest.source);
        return Err(fault.when(&applying, &manifest.source));
    }
}

fn delete_and_create(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    report: &Report,
    manifest: &Manifest,
    modified: &Object,
) -> Res<Rc<Object>> {
    let mut request = Request::delete(manifest.kind, place(manifest), manifest.object.name());
    let seconds = flags.int("grace-period").filter(|s| *s >= 0);
    request.options.grace_period_seconds = seconds.map(|s| s.max(1));
    request.options.propagation = Some(podscope_api::request::Propagation::Background);
    ctx.send(request)?;
    delete::wait_gone(
        ctx,
        manifest.kind,
        place(manifest),
        manifest.object.name(),
        "",
        None,
    )?;
    create(ctx, flags, report, manifest.kind, modified.clone())
}

#[inline(never)]
fn server_side_apply(
    ctx: &mut Ctx<'_>,
    flags: &Flags,
    report: &Report,
    manifest: &Manifest,
) -> Res<Rc<Object>> {
    let kind = manifest.kind;
    if manifest.object.name().is_empty() {
        let prefix = manifest.object.at("metadata.generateName").str_or_empty();
        return Err(Fault::Text(format!(
            "from {prefix}: cannot use generate name with apply"
        )));
    }
    let mut request = Request::patch(
        kind,
        place(manifest),
        manifest.object.name(),
        "",
        PatchType::Apply,
        manifest.object.0.clone(),
    );
    options(flags, report, &mut request);
    request.options.force = flags.is("force-conflicts");
    let answer = ctx.send(request.clone()).map_err(|fault| match fault {
        Fault::Status(status) if status.code == 409 && !status.causes.is_empty() => {
            Fault::Text(format!("{}\n{CONFLICT_HELP}", status.message))
        }
        other => other,
    })?;
    let mut object = target::typed(kind, &answer.object);
    if migrate(ctx, &request, &mut object)? {
        match ctx.send(request) {
            Ok(answer) => object = target::typed(kind, &answer.object),
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => ctx.complain(&format!(
                "Warning: failed to re-apply configuration after performing Server-Side Apply migration. This is non-fatal and will be retried next time you apply. Error: {}",
                fault.inner()
            )),
        }
    }
    if object.is_being_deleted() {
        ctx.complain(&format!(
            "Warning: Detected changes to resource {} which is currently being deleted.",
            object.name()
        ));
    }
    say(ctx, report, kind, &object, "serverside-applied")?;
    Ok(object)
}

/// Makes fields that were applied from the client those of server-side apply; true when there were some.
fn migrate(ctx: &mut Ctx<'_>, applied: &Request, object: &mut Rc<Object>) -> Res<bool> {
    let manager = applied.options.field_manager.clone();
    let mut request = applied.clone();
    request.options.force = false;
    let annotation = object.annotation(LAST_APPLIED).map(str::to_string);
    if let Some(text) = annotation
        && &*manager == "kubectl"
        && managed::owners_of_last_applied(object, "Apply").is_empty()
    {
        let mut just = Value::map();
        for field in ["apiVersion", "kind"] {
            just.set(field, object.get(field).clone());
        }
        for field in ["metadata.name", "metadata.namespace"] {
            if !object.at(field).is_null() {
                just.set(field, object.at(field).clone());
            }
        }
        let annotations = just.at_mut("metadata.annotations").map_mut();
        annotations.insert(LAST_APPLIED, Value::from(text));
        request.body = Body::Patch(PatchType::Apply, just);
        request.options.field_manager = "kubectl-last-applied".into();
        *object = target::typed(applied.kind, &ctx.send(request.clone())?.object);
    }
    for _ in 0..RETRIES {
        let owners = managed::owners_of_last_applied(object, "Update");
        let Some(entries) = managed::upgraded(object, &owners, &manager) else {
            return Ok(false);
        };
        let replace =
            |path: &str, value: Value| value!({"op": "replace", "path": (path), "value": (value)});
        let version = object.at("metadata.resourceVersion").clone();
        let patch = Value::list([
            replace("/metadata/managedFields", entries),
            replace("/metadata/resourceVersion", version),
        ]);
        request.body = Body::Patch(PatchType::Json, patch);
        request.options.field_manager = manager.clone();
        match ctx.send(request.clone()) {
            Ok(answer) => {
                *object = target::typed(applied.kind, &answer.object);
                return Ok(true);
            }
            Err(Fault::Status(status)) if status.code == 409 => {
                let (namespace, name) = (applied.namespace.clone(), applied.name.clone());
                let get = Request::get(applied.kind, namespace, name);
                *object = target::typed(applied.kind, &ctx.send(get)?.object);
            }
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => {
                ctx.complain(&format!(
                    "Warning: server rejected managed fields migration to Server-Side Apply. This is non-fatal and will be retried next time you apply. Error: {}",
                    fault.inner()
                ));
                return Ok(false);
            }
        }
    }
    Ok(false)
}

const CONFLICT_HELP: &str =
    "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

#[inline(never)]
fn set_last_applied(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "apply set-last-applied", FLAGS, words)?;
    let report = Report::read(ctx, &flags, "")?;
    let mut faults = Vec::new();
    for found in files::manifests(ctx, &flags)? {
        let manifest = found?;
        let current = match live(ctx, &flags, &manifest) {
            Ok(current) => current,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        if current.object.annotation(LAST_APPLIED).is_none() && !flags.is("create-annotation") {
            return Err(Fault::Text(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command with --create-annotation",
                current.name()
            )));
        }
        let text = json::to_string(&manifest.object) + "\n";
        let mut change = Value::map();
        change
            .at_mut("metadata.annotations")
            .map_mut()
            .insert(LAST_APPLIED, Value::from(text));
        if report.dry_run != DryRun::Client {
            report.patch(ctx, &current, PatchType::Merge, change, false)?;
        }
        report.done(ctx, manifest.kind, &current.object, "configured")?;
    }
    Fault::all(faults)
}

#[inline(never)]
fn view_last_applied(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "apply view-last-applied", FLAGS, words)?;
    let targets = target::targets(ctx, &flags, &flags.args, target::Rules::default())?;
    for target in &targets {
        for info in target::read(ctx, target, &flags)? {
            let Some(text) = info.object.annotation(LAST_APPLIED) else {
                return Err(Fault::Text(format!(
                    "no last-applied-configuration annotation found on resource: {}",
                    info.name()
                )));
            };
            let value = json::parse(text).unwrap_or_default();
            let text = match flags.str("output") {
                "json" => json::to_string_pretty(&value) + "\n",
                _ => podscope_manifest::yaml::to_string(&value),
            };
            ctx.out.push_str(&text);
        }
    }
    Ok(())
}
