//! Tables of apiserver: decoding, defaulting, admission, validation.

use super::Outcome;
use crate::load::Table;
use podscope_api::managed::{self, Writer};
use podscope_api::request::FieldValidation;
use podscope_api::{
    Body, Cause, Kind, Object, PatchType, Request, Status, Text, Value, decode, json,
};
use podscope_cluster::apiserver::admission::{Lookup, UserInfo, pod_security};
use podscope_cluster::apiserver::check::{self, Checked, Context};
use podscope_cluster::apiserver::strategy::names::Random;
use podscope_cluster::apiserver::strategy::service::Allocator;
use podscope_cluster::apiserver::{defaulting, special, strategy, validation};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

/// Runs one case when the table belongs to this area.
pub fn run(table: &Table, case: &Value) -> Option<Outcome> {
    Some(match table.name.as_str() {
        "defaulting" => defaulting(case),
        "validation" => validation(case),
        "pod_template_hash" => pod_template_hash(case),
        "podsecurity" => pod_security(case),
        "admission/real/create" | "admission/mutated/create" => {
            create(case, FieldValidation::Strict)
        }
        "admission/mutated/fieldvalidation" => create(case, field_validation(case)),
        "admission/policy/create" => {
            create_in(case, FieldValidation::Strict, &policy_objects(table))
        }
        "admission/policy/namespaces" => Outcome::Skip("the state of policy/create".into()),
        "admission/mutated/update" | "admission/mutated/update_service_real" => update(case),
        _ => return None,
    })
}

fn kind_of(object: &Value) -> Option<Kind> {
    Kind::from_api(
        object.get("apiVersion").str_or_empty(),
        object.get("kind").str_or_empty(),
    )
}

/// Other objects that the recorded cluster had.
#[derive(Default)]
struct World(BTreeMap<(Kind, String, String), Rc<Object>>, bool);

impl World {
    fn add(&mut self, object: Value) {
        let object = Object(object);
        if let Some(kind) = object.kind() {
            let key = (
                kind,
                object.namespace().to_string(),
                object.name().to_string(),
            );
            self.0.insert(key, Rc::new(object));
        }
    }
}

impl Lookup for World {
    fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Rc<Object>> {
        self.0
            .get(&(kind, namespace.to_string(), name.to_string()))
            .cloned()
    }
    fn list(&self, kind: Kind, namespace: &str) -> Vec<Rc<Object>> {
        self.0
            .iter()
            .filter(|((k, n, _), _)| *k == kind && (namespace.is_empty() || n == namespace))
            .map(|(_, o)| o.clone())
            .collect()
    }
}

struct Fixed(u32);

impl Random for Fixed {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_103_515_245).wrapping_add(12345);
        (self.0 >> 8) % bound
    }
}

/// The recorded cluster's address range and ports, nothing taken.
struct Range {
    given: i64,
    /// Dry runs take nothing and accept everything.
    dry: bool,
}

impl Allocator for Range {
    fn cluster_ip(&mut self, wanted: &str) -> Result<String, String> {
        if wanted.is_empty() {
            return Ok("10.96.0.77".into());
        }
        if wanted == "10.96.0.1" {
            return Err("provided IP is already allocated".into());
        }
        let inside = wanted.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| {
            u32::from(ip) >> 20 == u32::from(std::net::Ipv4Addr::new(10, 96, 0, 0)) >> 20
        });
        if inside {
            Ok(wanted.to_string())
        } else {
            Err("the provided network does not match the current range".into())
        }
    }
    fn node_port(&mut self, wanted: i64, _protocol: &str) -> Result<i64, String> {
        match wanted {
            0 => {
                self.given += 1;
                Ok(32_000 + self.given)
            }
            _ if self.dry => Ok(wanted),
            30_000..=32_767 => Ok(wanted),
            _ => Err(
                "provided port is not in the valid range. The range of valid ports is 30000-32767"
                    .into(),
            ),
        }
    }
}

const UID: &str = "00000000-0000-0000-0000-000000000000";
const NOW: &str = "2026-01-01T00:00:00Z";

fn admin() -> UserInfo {
    UserInfo {
        name: "kubernetes-admin".into(),
        groups: vec!["system:masters".into(), "system:authenticated".into()],
    }
}

fn with_writer<T>(
    kind: Kind,
    namespace: &str,
    subresource: &str,
    world: &World,
    writer: Option<Writer<'_>>,
    run: impl FnOnce(&mut Context<'_>) -> T,
) -> T {
    let user = admin();
    let dry = world.1;
    run(&mut Context {
        kind,
        namespace,
        subresource,
        user: &user,
        writer,
        applied: false,
        dry_run: false,
        uid: UID,
        now: NOW,
        lookup: world,
        random: &mut Fixed(1),
        allocator: &mut Range { given: 0, dry },
    })
}

fn default_world() -> World {
    let mut world = World::default();
    for name in [
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "upd",
        "apl",
        "imp",
    ] {
        world.add(podscope_api::value!({
            "kind": "Namespace", "apiVersion": "v1",
            "metadata": {"name": (name), "labels": {"kubernetes.io/metadata.name": (name)}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}
        }));
        world.add(podscope_api::value!({
            "kind": "ServiceAccount", "apiVersion": "v1",
            "metadata": {"name": "default", "namespace": (name)}
        }));
    }
    for (name, value) in [
        ("system-cluster-critical", 2_000_000_000),
        ("system-node-critical", 2_000_001_000),
    ] {
        world.add(podscope_api::value!({
            "kind": "PriorityClass", "apiVersion": "scheduling.k8s.io/v1",
            "metadata": {"name": (name)}, "value": (value), "preemptionPolicy": "PreemptLowerPriority"
        }));
    }
    world
}

fn policy_objects(table: &Table) -> World {
    static LINES: OnceLock<Vec<String>> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let path = table.path.with_file_name("namespaces.jsonl");
        std::fs::read_to_string(path)
            .map(|text| text.lines().map(String::from).collect())
            .unwrap_or_default()
    });
    let mut world = default_world();
    for line in lines {
        let row = json::parse(line).unwrap_or_default();
        let namespace = row.get("namespace");
        for (i, object) in row.get("objects").items().iter().enumerate() {
            // The recorded versions are placeholders; the order is that of creation.
            let mut object = object.clone();
            object.set("metadata.resourceVersion", i.to_string());
            world.add(object);
        }
        world.add(podscope_api::value!({
            "kind": "ServiceAccount", "apiVersion": "v1",
            "metadata": {"name": "default", "namespace": (namespace.clone())}
        }));
    }
    world
}

/// A list of complaints in one order: the server's is that of a map in Go.
fn in_order(status: &Value) -> Value {
    let mut status = status.clone();
    let message = status.get("message").str_or_empty().to_string();
    if let Some((head, rest)) = message.split_once(": [")
        && let Some(list) = rest.strip_suffix(']')
    {
        let mut parts: Vec<&str> = list.split(", ").collect();
        parts.sort_unstable();
        status.set("message", format!("{head}: [{}]", parts.join(", ")));
    }
    status
}

fn field_validation(case: &Value) -> FieldValidation {
    if json::to_string(case.get("query")).contains("Ignore") {
        FieldValidation::Ignore
    } else {
        FieldValidation::Warn
    }
}

/// Kind, namespace, name and subresource of a request path; nothing for kinds that are not served here.
fn target(path: &str) -> Option<(Kind, String, String, String)> {
    let path = path.split('?').next().unwrap_or("");
    let mut parts = path.trim_start_matches('/').split('/');
    let group = match parts.next()? {
        "api" => "",
        _ => parts.next()?,
    };
    let version = parts.next()?;
    let mut rest: Vec<&str> = parts.collect();
    let mut namespace = "";
    if rest.len() > 2 && rest.first() == Some(&"namespaces") {
        namespace = rest.get(1).copied()?;
        rest.drain(..2);
    }
    let plural = rest.first()?;
    let kind = Kind::ALL
        .iter()
        .copied()
        .find(|k| k.plural() == *plural && k.group() == group && k.version() == version)?;
    let get = |i: usize| rest.get(i).copied().unwrap_or("").to_string();
    Some((kind, namespace.to_string(), get(1), get(2)))
}

/// What the engine answered, in the shape of the recordings.
struct Answer {
    code: i64,
    status: Value,
    stored: Value,
    warnings: Vec<Text>,
}

fn answer(code: i64, checked: Checked) -> Answer {
    let (code, status, stored) = match checked.result {
        Ok(object) => (code, Value::Null, object),
        Err(refusal) => (
            i64::from(refusal.status.code),
            refusal.status.to_value(),
            Value::Null,
        ),
    };
    Answer {
        code,
        status,
        stored,
        warnings: checked.warnings,
    }
}

fn create(case: &Value, validation: FieldValidation) -> Outcome {
    create_in(case, validation, &default_world())
}

fn body(case: &Value) -> Vec<u8> {
    match case.get("yaml_b64").as_str() {
        Some(text) => base64(text),
        None => case.get("yaml").str_or_empty().as_bytes().to_vec(),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        word = word << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    out
}

fn create_in(case: &Value, validation: FieldValidation, world: &World) -> Outcome {
    let path = case.get("request_path").str_or_empty();
    let Some((kind, namespace, _, _)) = target(path) else {
        return Outcome::Skip(format!("not a kind that is served: {path}"));
    };
    // Real requests were recorded beside dry runs where dry runs allocate nothing.
    let real = case.get("real");
    let want = if real.is_null() { case } else { real };
    let decoded = podscope_manifest::server::decode(kind, &body(case), validation);
    let writer = Writer {
        manager: "kubectl-client-side-apply",
        subresource: "",
        now: NOW,
    };
    let checked = with_writer(kind, &namespace, "", world, Some(writer), |context| {
        check::check_create(context, decoded)
    });
    let mut got = answer(201, checked);
    if got.code == 201
        && world
            .get(
                kind,
                &namespace,
                got.stored.at("metadata.name").str_or_empty(),
            )
            .is_some()
    {
        let status = Status::already_exists(
            kind.group(),
            kind.plural(),
            got.stored.at("metadata.name").str_or_empty(),
        );
        got = Answer {
            code: 409,
            status: status.to_value(),
            stored: Value::Null,
            warnings: got.warnings,
        };
    }
    compare(case, want, &got)
}

fn compare(case: &Value, want: &Value, got: &Answer) -> Outcome {
    let mut wrong = String::new();
    let want_code = want.get("http_code").as_int().unwrap_or(0);
    if got.code != want_code {
        wrong.push_str(&format!("\ncode: want {want_code}, got {}", got.code));
        wrong.push_str(&format!(
            "\n want {}\n  got {}",
            want.at("status.message").str_or_empty(),
            got.status.get("message").str_or_empty()
        ));
    } else if !refused_alike(case, want, got) {
        wrong.push_str(&format!(
            "\nstatus\n want {}\n  got {}",
            json::to_string(want.get("status")),
            json::to_string(&got.status)
        ));
    } else {
        differences(
            &mut wrong,
            "",
            &loose(want.get("stored")),
            &loose(&got.stored),
        );
        let owners = |v: &Value| v.at("metadata.managedFields").clone();
        let (want, got) = (owners(want.get("stored")), owners(&got.stored));
        if !want.is_null() && !got.is_null() {
            differences(&mut wrong, "managedFields", &want, &got);
        }
    }
    let warnings: Vec<&str> = got.warnings.iter().map(|w| &**w).collect();
    let wanted: Vec<&str> = want
        .get("warnings")
        .items()
        .iter()
        .map(Value::str_or_empty)
        .collect();
    if warnings != wanted {
        wrong.push_str(&format!("\nwarnings\n want {wanted:?}\n  got {warnings:?}"));
    }
    if wrong.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail(wrong)
    }
}

/// Whether the refusal is the recorded one, or one that was recorded at other times.
fn refused_alike(case: &Value, want: &Value, got: &Answer) -> bool {
    let want = want.get("status");
    let mut variants = case.get("status_variants").items().iter();
    if status_fits(want, &got.status) || variants.any(|v| status_fits(v, &got.status)) {
        return true;
    }
    let limits = case.get("group").as_str() == Some("limitrange");
    limits && status_fits(&in_order(want), &in_order(&got.status))
}

/// A text without what depends on the recorded cluster: times and versions inside quoted objects.
fn settled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after.find(|c: char| !matches!(c, '0'..='9' | '-' | ':' | 'T' | 'Z' | '.'));
        let (word, next) = after.split_at(end.unwrap_or(after.len()));
        let version = before.ends_with("resourceVersion\\\\\":\\\\\"")
            || before.ends_with("resourceVersion\\\":\\\"")
            || before.ends_with("resourceVersion\":\"");
        let address = word.parse::<std::net::Ipv4Addr>().is_ok();
        if version || address || podscope_api::Timestamp::parse(word).is_some() {
            out.push_str("(settled)");
        } else {
            out.push_str(word);
        }
        rest = next;
    }
    out + rest
}

fn status_fits(want: &Value, got: &Value) -> bool {
    let shown = |v: &Value| {
        v.get("message")
            .str_or_empty()
            .contains(" is invalid: patch: Invalid value: ")
            || v.get("message")
                .str_or_empty()
                .contains("failed to allocate IP: IPAddress.networking.k8s.io ")
    };
    if shown(want) && shown(got) {
        let text = |v: &Value| settled(&json::to_string(v));
        return text(want) == text(got);
    }
    let parts = ["code", "reason", "message", "details"];
    let prefix = generated_prefix(want);
    let pick = |v: &Value| -> Vec<Value> {
        parts
            .iter()
            .map(|p| random_names(&without_suffix(v.get(p), &prefix)))
            .collect()
    };
    (want.is_null() && got.is_null()) || pick(want) == pick(got)
}

/// What a complete server makes of a write: the object it stores and its warnings. `live` is the object
/// that is there, `objects` everything else.
pub(super) fn write(
    request: &Request,
    live: Option<&Object>,
    objects: &[Object],
) -> Result<(Value, Vec<Text>), Status> {
    let kind = request.kind;
    let mut world = default_world();
    for object in objects {
        world.add(object.0.clone());
    }
    let manager = &*request.options.field_manager;
    let writer = Writer {
        manager: if manager.is_empty() {
            "kubectl"
        } else {
            manager
        },
        subresource: &request.subresource,
        now: NOW,
    };
    let scale = &*request.subresource == "scale";
    let source = |value: &Value| decode::Source {
        value: value.clone(),
        ..decode::Source::default()
    };
    let validation = request.options.field_validation;
    let checked = with_writer(
        kind,
        &request.namespace,
        if scale { "" } else { &request.subresource },
        &world,
        Some(writer),
        |context| match (&request.body, live) {
            (body, Some(live)) if scale => {
                let base = special::scale_of(kind, live)?;
                let wanted = match body {
                    Body::Patch(patch_type, patch) => {
                        podscope_api::patch::apply(*patch_type, "Scale", &base, patch)?
                    }
                    Body::Object(object) => object.0.clone(),
                    Body::None => return Err(Status::bad_request("no body")),
                };
                let wanted = special::scaled(live, &wanted)?;
                Ok(check::check_update(context, wanted.0, live))
            }
            (Body::Object(object), None) => {
                let decoded = decode::decode(kind, &source(object), validation);
                Ok(check::check_create(context, decoded))
            }
            (Body::Object(object), Some(live)) => {
                if let Some(status) = conflict(kind, &request.name, object, live) {
                    return Err(status);
                }
                let decoded = decode::decode(kind, &source(object), validation);
                Ok(check::check_replace(context, decoded, live))
            }
            (Body::Patch(PatchType::Apply, config), live) => {
                context.applied = true;
                let force = request.options.force;
                let old = live.map(|o| &o.0);
                let merged = managed::apply(kind, old, config, writer, force)?;
                match live {
                    None => {
                        let decoded = decode::decode(kind, &source(&merged), validation);
                        Ok(check::check_create(context, decoded))
                    }
                    Some(live) => Ok(check::check_update(context, merged, live)),
                }
            }
            (Body::Patch(patch_type, patch), Some(live)) => {
                let wanted = podscope_api::patch::apply(*patch_type, kind.name(), live, patch)?;
                if let Some(status) = conflict(kind, &request.name, &wanted, live) {
                    return Err(status);
                }
                let patch = check::Patch {
                    patch_type: *patch_type,
                    body: patch,
                    validation,
                };
                Ok(check::check_patched(context, &patch, wanted, live))
            }
            _ => Err(Status::not_found(
                kind.group(),
                kind.plural(),
                &request.name,
            )),
        },
    )?;
    let object = checked.result.map_err(|refusal| refusal.status)?;
    Ok((object, checked.warnings))
}

/// Writes placeholders for what is random: suffixes, allocated addresses and ports; drops managedFields.
pub(super) fn loose(object: &Value) -> Value {
    let mut object = object.clone();
    if object.is_null() {
        return object;
    }
    if let Value::Map(_) = object.get("metadata") {
        let metadata = object.entry("metadata");
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
    }
    if object.get("kind").as_str() == Some("Pod")
        && !object.at("status.conditions").items().is_empty()
    {
        for condition in object.at_mut("status.conditions").list_mut() {
            condition.remove("lastTransitionTime");
        }
    }
    let name = object.at("metadata.name").str_or_empty().to_string();
    if !object.at("metadata.generateName").is_null() && !name.is_empty() {
        object = renamed(&object, &name);
    }
    if object.get("kind").as_str() == Some("Service") {
        for field in ["clusterIP", "healthCheckNodePort"] {
            if !object.get("spec").get(field).is_null()
                && object.get("spec").get(field).as_str() != Some("None")
            {
                object.entry("spec").set(field, "ALLOCATED");
            }
        }
        if object
            .at("spec.clusterIPs")
            .index(0)
            .as_str()
            .is_some_and(|ip| ip != "None")
        {
            object.set("spec.clusterIPs", podscope_api::value!(["ALLOCATED"]));
        }
        if !object.at("spec.ports").items().is_empty() {
            let mut ports = object.at("spec.ports").items().to_vec();
            for port in &mut ports {
                if !port.get("nodePort").is_null() {
                    port.set("nodePort", "ALLOCATED");
                }
            }
            object.set("spec.ports", ports);
        }
    }
    random_names(&object)
}

/// Writes a placeholder for a generated name wherever it stands.
fn renamed(value: &Value, name: &str) -> Value {
    match value {
        Value::Str(s) if &**s == name => Value::str("GENERATED"),
        Value::List(items) => Value::list(items.iter().map(|v| renamed(v, name))),
        Value::Map(map) => Value::from_pairs(
            map.entries()
                .iter()
                .map(|(k, v)| (k.clone(), renamed(v, name))),
        ),
        other => other.clone(),
    }
}

fn random_names(value: &Value) -> Value {
    match value {
        Value::Str(s) if s.contains("kube-api-access-") => {
            let mut out = String::new();
            let mut rest: &str = s;
            while let Some((before, after)) = rest.split_once("kube-api-access-") {
                out.push_str(before);
                out.push_str("kube-api-access-XXXXX");
                rest = after.get(5..).unwrap_or("");
            }
            Value::from(out + rest)
        }
        Value::List(items) => Value::list(items.iter().map(random_names)),
        Value::Map(map) => Value::from_pairs(
            map.entries()
                .iter()
                .map(|(k, v)| (k.clone(), random_names(v))),
        ),
        other => other.clone(),
    }
}

const MAX_LINES: usize = 12;

/// One line for every place where two values differ.
pub(super) fn differences(out: &mut String, path: &str, want: &Value, got: &Value) {
    if want == got || out.lines().count() > MAX_LINES {
        return;
    }
    match (want, got) {
        (Value::Map(a), Value::Map(b)) => {
            let mut keys: Vec<&Text> = a
                .entries()
                .iter()
                .chain(b.entries())
                .map(|(k, _)| k)
                .collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let get =
                    |m: &podscope_api::Map| m.get(key).cloned().unwrap_or(Value::str("(missing)"));
                differences(out, &format!("{path}.{key}"), &get(a), &get(b));
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b.iter()).enumerate() {
                differences(out, &format!("{path}[{i}]"), x, y);
            }
        }
        _ => out.push_str(&format!(
            "\n{path}: want {}, got {}",
            json::to_string(want),
            json::to_string(got)
        )),
    }
}

fn update(case: &Value) -> Outcome {
    let path = case.get("request_path").str_or_empty();
    let Some((kind, namespace, name, subresource)) = target(path) else {
        return Outcome::Skip(format!("not a kind that is served: {path}"));
    };
    let mut world = default_world();
    world.1 = case.get("dry_run_http_code").is_null();
    if subresource == "resize" {
        // The recorded node has no allocatable resources.
        world.add(podscope_api::value!({
            "kind": "Node", "apiVersion": "v1",
            "metadata": {"name": (case.at("live.spec.nodeName").clone())}
        }));
    }
    // The recorded version is a placeholder; bodies name real ones.
    let mut live = case.get("live").clone();
    live.set("metadata.resourceVersion", "485");
    let live = &live;
    let body = case.get("body");
    let text = match body {
        Value::Str(s) => s.to_string(),
        other => json::to_string(other),
    };
    let content_type = case.get("content_type").str_or_empty();
    let patch_type = [
        podscope_api::PatchType::Json,
        podscope_api::PatchType::Merge,
        podscope_api::PatchType::Strategic,
    ]
    .into_iter()
    .find(|t| t.content_type() == content_type);
    if subresource == "scale" {
        let got = scale(kind, &Object(live.clone()), patch_type, &text);
        return compare(case, case, &got);
    }
    let writer = Some(Writer {
        manager: "kubectl-edit",
        subresource: &subresource,
        now: NOW,
    });
    let checked = with_writer(kind, &namespace, &subresource, &world, writer, |context| {
        if case.get("method").as_str() == Some("PUT") {
            let decoded =
                podscope_manifest::server::decode(kind, text.as_bytes(), FieldValidation::Strict);
            if let Ok(decoded) = &decoded {
                let refused = conflict(kind, &name, &decoded.object, live);
                if let Some(status) = refused {
                    return Err(status);
                }
            }
            Ok(check::check_replace(context, decoded, live))
        } else {
            let Some(patch_type) = patch_type else {
                return Err(Status::new(415, "UnsupportedMediaType", "patch type"));
            };
            let patch = json::parse(&text).map_err(Status::bad_request)?;
            let wanted = podscope_api::patch::apply(patch_type, kind.name(), live, &patch)?;
            if let Some(status) = conflict(kind, &name, &wanted, live) {
                return Err(status);
            }
            let patch = check::Patch {
                patch_type,
                body: &patch,
                validation: FieldValidation::Strict,
            };
            Ok(check::check_patched(context, &patch, wanted, live))
        }
    });
    let got = match checked {
        Ok(checked) => answer(200, checked),
        Err(status) => Answer {
            code: i64::from(status.code),
            status: status.to_value(),
            stored: Value::Null,
            warnings: Vec::new(),
        },
    };
    compare(case, case, &got)
}

/// A write to the scale subresource.
fn scale(kind: Kind, live: &Object, patch_type: Option<PatchType>, text: &str) -> Answer {
    let written = || {
        let base = special::scale_of(kind, live)?;
        let body = json::parse(text).map_err(Status::bad_request)?;
        let wanted = match patch_type {
            Some(patch_type) => podscope_api::patch::apply(patch_type, "Scale", &base, &body)?,
            None => body,
        };
        special::scale_of(kind, &special::scaled(live, &wanted)?)
    };
    let (code, status, stored) = match written() {
        Ok(scale) => (200, Value::Null, scale.0),
        Err(status) => (i64::from(status.code), status.to_value(), Value::Null),
    };
    Answer {
        code,
        status,
        stored,
        warnings: Vec::new(),
    }
}

/// What the storage refuses before anything else: another name, an old version.
fn conflict(kind: Kind, name: &str, wanted: &Value, live: &Value) -> Option<Status> {
    let own = wanted.at("metadata.name").str_or_empty();
    if !own.is_empty() && own != name {
        return Some(Status::bad_request(format!(
            "the name of the object ({own}) does not match the name on the URL ({name})"
        )));
    }
    let version = wanted.at("metadata.resourceVersion").str_or_empty();
    let current = live.at("metadata.resourceVersion").str_or_empty();
    (!version.is_empty() && version != current).then(|| {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Status::conflict(kind.group(), kind.plural(), name, why)
    })
}

fn defaulting(case: &Value) -> Outcome {
    let object = case.get("object");
    let Some(kind) = kind_of(object) else {
        return Outcome::Skip("not a kind that is served".into());
    };
    let mut got = decode::normalize(kind, object);
    defaulting::apply(kind, &mut got);
    if kind == Kind::Job {
        // The recorded Job has the uid that its expectation shows.
        let uid = case
            .at("expect.stored.spec.selector.matchLabels")
            .get("batch.kubernetes.io/controller-uid")
            .clone();
        got.set("metadata.uid", uid);
    }
    let mut stored = decode::normalize(kind, &got);
    strategy::prepare_create(kind, &mut stored);
    strategy::finish(kind, &mut stored);
    let mut stored = decode::normalize(kind, &stored);
    stored.entry("metadata").remove("uid");
    // The table leaves out what the clock and the random source give.
    let prefix = stored
        .at("metadata.generateName")
        .str_or_empty()
        .to_string();
    if !prefix.is_empty() {
        stored.set("metadata.name", "<generateName + 5 chars>");
    }
    if !stored.at("status.conditions").items().is_empty() {
        for condition in stored.at_mut("status.conditions").list_mut() {
            condition.remove("lastTransitionTime");
        }
    }
    let mut wrong = String::new();
    differences(&mut wrong, "", case.at("expect.stored"), &stored);
    if wrong.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail(wrong)
    }
}

fn causes_value(causes: &[Cause]) -> Value {
    Value::list(causes.iter().map(|c| {
        podscope_api::value!({
            "reason": (c.reason.clone()), "message": (c.message.clone()), "field": (c.field.clone())
        })
    }))
}

/// Writes out texts that the table shortened to `<N x characters>`.
fn expanded(value: &Value) -> Value {
    match value {
        Value::Str(s) => match s
            .strip_prefix('<')
            .and_then(|s| s.strip_suffix(" x characters>"))
        {
            Some(n) => Value::from("x".repeat(n.parse().unwrap_or(0))),
            None => value.clone(),
        },
        Value::List(items) => Value::list(items.iter().map(expanded)),
        Value::Map(map) => {
            Value::from_pairs(map.entries().iter().map(|(k, v)| (k.clone(), expanded(v))))
        }
        other => other.clone(),
    }
}

fn validation(case: &Value) -> Outcome {
    let expect = case.get("expect");
    let object = &expanded(case.get("object"));
    let Some(kind) = kind_of(object) else {
        return Outcome::Skip("not a kind that is served".into());
    };
    let source = |value: &Value| decode::Source {
        value: value.clone(),
        ..decode::Source::default()
    };
    let got = match decode::decode(kind, &source(object), FieldValidation::Strict) {
        Err(status) => status.to_value(),
        Ok(decoded) => {
            let prepared = |value: &Value| {
                let mut v = value.clone();
                defaulting::apply(kind, &mut v);
                decode::normalize(kind, &v)
            };
            let mut new = prepared(&decoded.object);
            let old = case.get("oldObject");
            let causes = if old.is_null() {
                strategy::prepare_create(kind, &mut new);
                validation::create(kind, &decode::normalize(kind, &new))
            } else {
                let old = decode::decode(kind, &source(old), FieldValidation::Ignore)
                    .map(|d| prepared(&d.object))
                    .unwrap_or_default();
                let mut old = old;
                strategy::prepare_create(kind, &mut old);
                let old = decode::normalize(kind, &old);
                strategy::update::prepare_update(kind, "", &mut new, &old);
                new.set("metadata.resourceVersion", "1");
                let new = decode::normalize(kind, &new);
                let causes = validation::update(kind, "", &new, &old);
                if causes.is_empty() {
                    let want = expect.get("generation").as_int();
                    let got = new.at("metadata.generation").as_int();
                    if want.is_some() && want != got {
                        return Outcome::Fail(format!("generation: want {want:?}, got {got:?}"));
                    }
                }
                causes
            };
            if causes.is_empty() {
                Value::Null
            } else {
                let name = new.at("metadata.name").str_or_empty().to_string();
                let mut status = validation::invalid(kind, &name, causes.clone()).to_value();
                status.set("causes", causes_value(&causes));
                status
            }
        }
    };
    if expect.get("ok").is_true() {
        return if got.is_null() {
            Outcome::Pass
        } else {
            Outcome::Fail(format!(
                "want ok, got {}",
                got.get("message").str_or_empty()
            ))
        };
    }
    let mut wrong = String::new();
    for field in ["code", "reason", "message", "causes"] {
        let want = expect.get(field);
        if !want.is_null() && *want != *got.get(field) {
            wrong.push_str(&format!(
                "\n{field}\n want {}\n  got {}",
                json::to_string(want),
                json::to_string(got.get(field))
            ));
        }
    }
    if wrong.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail(wrong)
    }
}

fn pod_template_hash(case: &Value) -> Outcome {
    let mut deployment = decode::normalize(Kind::Deployment, case.get("deployment"));
    defaulting::apply(Kind::Deployment, &mut deployment);
    let deployment = decode::normalize(Kind::Deployment, &deployment);
    let template = deployment.at("spec.template");
    let expect = case.get("expect");
    let dump = podscope_cluster::apiserver::go::template_dump(template);
    let want = expect.get("fnvInput").str_or_empty();
    if dump != want {
        let at = dump
            .bytes()
            .zip(want.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let from = at.saturating_sub(60);
        let show = |s: &str| {
            s.get(from..(at + 120).min(s.len()))
                .unwrap_or("")
                .to_string()
        };
        return Outcome::Fail(format!(
            "dump\n want …{}\n  got …{}",
            show(want),
            show(&dump)
        ));
    }
    let hash = strategy::hash::template_hash(template, case.get("collisionCount").as_int());
    Outcome::equal(hash.as_str(), expect.get("hash").str_or_empty())
}

fn pod_security(case: &Value) -> Outcome {
    let pod = podscope_api::value!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": (case.get("podSpec").clone())
    });
    let pod = decode::normalize(Kind::Pod, &pod);
    let mut got = Value::map();
    for (name, level) in [
        ("baseline", pod_security::Level::Baseline),
        ("restricted", pod_security::Level::Restricted),
    ] {
        let policy = pod_security::Policy {
            level,
            minor: u32::MAX,
        };
        let subject = pod_security::Pod {
            metadata: pod.get("metadata"),
            spec: pod.get("spec"),
        };
        let violations = pod_security::evaluate(policy, &subject);
        let text = if violations.is_empty() {
            "allowed".to_string()
        } else {
            format!(
                "violates PodSecurity \"{name}:latest\": {}",
                violations.join(", ")
            )
        };
        got.set(name, text);
    }
    let expect = case.get("expect");
    for name in ["baseline", "restricted"] {
        if expect.get(name) != got.get(name) {
            return Outcome::Fail(format!(
                "\n want {}\n  got {}",
                expect.get(name).str_or_empty(),
                got.get(name).str_or_empty()
            ));
        }
    }
    Outcome::Pass
}

/// The `generateName` that a refusal complains about, or empty.
fn generated_prefix(status: &Value) -> String {
    status
        .at("details.causes")
        .items()
        .iter()
        .filter(|c| c.get("field").as_str() == Some("metadata.generateName"))
        .filter_map(|c| c.get("message").str_or_empty().split('"').nth(1))
        .map(String::from)
        .next()
        .unwrap_or_default()
}

/// Leaves out the five random characters after a prefix.
fn without_suffix(value: &Value, prefix: &str) -> Value {
    match value {
        Value::Str(s) if !prefix.is_empty() => {
            let mut parts = s.split(prefix);
            let mut out = parts.next().unwrap_or("").to_string();
            for part in parts {
                out.push_str(prefix);
                let random = part
                    .get(..5)
                    .is_some_and(|r| r.bytes().all(|c| c.is_ascii_alphanumeric()));
                out.push_str(if random {
                    part.get(5..).unwrap_or("")
                } else {
                    part
                });
            }
            Value::from(out)
        }
        Value::List(items) => Value::list(items.iter().map(|v| without_suffix(v, prefix))),
        Value::Map(map) => Value::from_pairs(
            map.entries()
                .iter()
                .map(|(k, v)| (k.clone(), without_suffix(v, prefix))),
        ),
        other => other.clone(),
    }
}
