//! The pipeline of a write inside the simulation: runs the checks of `check.rs` and reports each stage.

use super::admission::{Lookup, UserInfo};
use super::check::{self, Checked, Context, StageOutcome, Step};
use super::strategy::names::Random;
use super::strategy::service::Allocator;
use super::{ADMIT, ApiServer, DECODE, DEFAULT, InFlight, MUTATE, PREPARE, QUOTA, VALIDATE};
use crate::sim::Ctx;
use crate::trace::{Data, Note, RequestId};
use podscope_api::decode::{self, Decoded, Source};
use podscope_api::managed::{self, Writer};
use podscope_api::value::NULL;
use podscope_api::{Body, Key, Kind, Object, PatchType, Request, Status, Value};
use podscope_kernel::Rng;
use std::rc::Rc;

/// The stage that refused, as in the page's list of stages, and its words.
pub(crate) type Refusal = (&'static str, Status);

impl Lookup for ApiServer {
    fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Rc<Object>> {
        self.cached_one(kind, &Key::new(namespace, name)).cloned()
    }
    fn webhook_server(&self, configuration: &str) -> Option<super::admission::webhook::Server> {
        self.webhooks.get(configuration).copied()
    }
    fn list(&self, kind: Kind, namespace: &str) -> Vec<Rc<Object>> {
        let all = self.cached(kind);
        all.filter(|o| namespace.is_empty() || o.namespace() == namespace)
            .cloned()
            .collect()
    }
}

struct Draws(Rng);

impl Random for Draws {
    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.0.below(u64::from(bound))).unwrap_or(0)
    }
}

/// Cluster IPs from 10.96.0.0/12 and node ports from 30000 to 32767 that no Service has.
struct Pool<'a> {
    api: &'a ApiServer,
    rng: Rng,
}

/// How often a free number is drawn for before the pool counts as full.
const DRAWS: u32 = 10_000;

impl Pool<'_> {
    fn ip_taken(&self, ip: &str) -> bool {
        self.api.cached(Kind::Service).any(|s| {
            s.at("spec.clusterIP").as_str() == Some(ip)
                || s.at("spec.clusterIPs")
                    .items()
                    .iter()
                    .any(|i| i.as_str() == Some(ip))
        })
    }
    fn port_taken(&self, port: i64, protocol: &str) -> bool {
        self.api.cached(Kind::Service).any(|s| {
            s.at("spec.ports").items().iter().any(|p| {
                p.get("nodePort").as_int() == Some(port)
                    && p.get("protocol").as_str().unwrap_or("TCP") == protocol
            })
        })
    }
}

/// The address as a number, for the service range's test.
fn ipv4(text: &str) -> Option<u32> {
    text.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}

impl Allocator for Pool<'_> {
    #[inline(never)]
    fn cluster_ip(&mut self, wanted: &str) -> Result<String, String> {
        const RANGE: u32 = 0x0a60_0000; // 10.96.0.0/12
        if !wanted.is_empty() {
            let inside = ipv4(wanted).is_some_and(|ip| ip & 0xfff0_0000 == RANGE);
            if !inside {
                return Err("the provided network does not match the current range".into());
            }
            if self.ip_taken(wanted) {
                return Err("provided IP is already allocated".into());
            }
            return Ok(wanted.to_string());
        }
        for _ in 0..DRAWS {
            // The first 256 addresses are kept for those who ask for one.
            let ip = RANGE + 256 + u32::try_from(self.rng.below((1 << 20) - 512)).unwrap_or(0);
            let ip = std::net::Ipv4Addr::from(ip).to_string();
            if !self.ip_taken(&ip) {
                return Ok(ip);
            }
        }
        Err("range is full".into())
    }
    #[inline(never)]
    fn node_port(&mut self, wanted: i64, protocol: &str) -> Result<i64, String> {
        if wanted != 0 {
            if !(30_000..=32_767).contains(&wanted) {
                return Err("provided port is not in the valid range. The range of valid ports is 30000-32767".into());
            }
            if self.port_taken(wanted, protocol) {
                return Err("provided port is already allocated".into());
            }
            return Ok(wanted);
        }
        for _ in 0..DRAWS {
            let port = 30_086 + i64::try_from(self.rng.below(2_682)).unwrap_or(0);
            if !self.port_taken(port, protocol) {
                return Ok(port);
            }
        }
        Err("range is full".into())
    }
}

/// The field manager of a request: its own word, else the program that the user stands for.
fn manager<'a>(request: &'a Request, user: &'a str) -> &'a str {
    let named = &*request.options.field_manager;
    if !named.is_empty() {
        return named;
    }
    if user.starts_with("system:node:") {
        return "kubelet";
    }
    if user.ends_with("-controller") || user.ends_with("kube-controller-manager") {
        return "kube-controller-manager";
    }
    match user.rsplit(':').next() {
        Some("kubernetes-admin") | None => "kubectl",
        Some(program) => program,
    }
}

/// Whether the request is a server-side apply.
pub(crate) fn is_apply(request: &Request) -> bool {
    matches!(request.body, Body::Patch(PatchType::Apply, _))
}

/// What a server-side apply makes of the object, or of nothing.
///
/// # Errors
/// Conflicts with other managers, and bodies that do not fit.
#[inline(never)]
pub(crate) fn apply(
    ctx: &Ctx<'_>,
    flight: &InFlight,
    request: &Request,
    current: Option<&Object>,
) -> Result<Object, Status> {
    let Body::Patch(_, config) = &request.body else {
        return Err(Status::bad_request("the request has no object"));
    };
    let now = ctx.wall().seconds_text();
    let writer = Writer {
        manager: manager(request, &flight.user.name),
        subresource: &request.subresource,
        now: &now,
    };
    let force = request.options.force;
    let live = current.map(|o| typed(request.kind, o));
    managed::apply(request.kind, live.as_ref(), config, writer, force).map(Object)
}

/// `tracked`: whether the object's `managedFields` are kept. Left out: those of objects that components
/// create, until somebody applies them.
fn run(
    api: &ApiServer,
    ctx: &mut Ctx<'_>,
    flight: &InFlight,
    request: &Request,
    tracked: bool,
    check: impl FnOnce(&mut Context<'_>) -> Checked,
) -> Checked {
    let user = UserInfo {
        name: flight.user.name.clone(),
        groups: flight.user.groups.clone(),
    };
    let (uid, now) = (ctx.uuid(), ctx.wall().seconds_text());
    let mut random = Draws(Rng::new(ctx.random("name", 0, u64::MAX - 1)));
    let mut allocator = Pool {
        api,
        rng: Rng::new(ctx.random("service", 0, u64::MAX - 1)),
    };
    let subresource = if &*request.subresource == "scale" {
        ""
    } else {
        &*request.subresource
    };
    let mut context = Context {
        kind: request.kind,
        namespace: &request.namespace,
        subresource,
        user: &user,
        writer: tracked.then_some(Writer {
            manager: manager(request, &user.name),
            subresource: &request.subresource,
            now: &now,
        }),
        applied: is_apply(request),
        dry_run: request.options.dry_run,
        uid: &uid,
        now: &now,
        lookup: api,
        random: &mut random,
        allocator: &mut allocator,
    };
    check(&mut context)
}

/// From the body of a create to the object that is going to be stored.
///
/// # Errors
/// The stage that refused, and its words.
pub(crate) fn create(
    api: &ApiServer,
    ctx: &mut Ctx<'_>,
    id: RequestId,
    flight: &mut InFlight,
    request: &Request,
    body: &Rc<Object>,
) -> Result<Object, Refusal> {
    let decoded = decoded(request, body, NULL);
    let tracked = !request.options.field_manager.is_empty();
    let checked = run(api, ctx, flight, request, tracked, |context| {
        check::check_create(context, decoded)
    });
    report(ctx, id, flight, None, checked)
}

/// From the stored object and the wanted one to the object that is going to be stored; `old` is the
/// stored object in its stored form.
///
/// # Errors
/// The stage that refused, and its words.
#[allow(clippy::too_many_arguments, reason = "the parts of one write")]
pub(crate) fn update(
    api: &ApiServer,
    ctx: &mut Ctx<'_>,
    id: RequestId,
    flight: &mut InFlight,
    request: &Request,
    current: &Rc<Object>,
    old: &Value,
    wanted: &Rc<Object>,
) -> Result<Object, Refusal> {
    let scale = &*request.subresource == "scale";
    // Components know the fields; people may not.
    let strict = !request.options.field_manager.is_empty() && !scale && !is_apply(request);
    let replaces = matches!(request.body, Body::Object(_)) && !scale;
    let tracked = !current.at("metadata.managedFields").is_empty();
    let checked = run(api, ctx, flight, request, tracked, |context| {
        if replaces {
            let decoded = decoded(request, wanted, old);
            check::check_replace(context, decoded, old)
        } else if let (Body::Patch(patch_type, body), true) = (&request.body, strict) {
            let patch = check::Patch {
                patch_type: *patch_type,
                body,
                validation: request.options.field_validation,
            };
            check::check_patched(context, &patch, wanted.0.clone(), old)
        } else {
            check::check_update(context, wanted.0.clone(), old)
        }
    });
    report(ctx, id, flight, Some(current), checked)
}

fn decoded(request: &Request, body: &Object, known: &Value) -> Result<Decoded, Status> {
    let source = Source {
        value: typed(request.kind, body),
        ..Source::default()
    };
    decode::decode_like(
        request.kind,
        &source,
        request.options.field_validation,
        known,
    )
}

/// The body with its type; components leave it out, as the real ones' encoders fill it in.
fn typed(kind: Kind, object: &Object) -> Value {
    let mut value = object.0.clone();
    if value.get("kind").is_null() {
        value.set("kind", kind.name());
    }
    if value.get("apiVersion").is_null() {
        value.set("apiVersion", kind.api_version());
    }
    value
}

/// Reports the stages that were passed; gives the object or the refusal.
fn report(
    ctx: &mut Ctx<'_>,
    id: RequestId,
    flight: &mut InFlight,
    current: Option<&Rc<Object>>,
    checked: Checked,
) -> Result<Object, Refusal> {
    let mut before: Option<Rc<Object>> = None;
    let (mut mutated, mut admitted) = (Plugins::default(), Plugins::default());
    for stage in checked.stages {
        let after = Rc::new(Object(stage.object.clone()));
        let plugins = match stage.step {
            Step::Mutate => Some(&mut mutated),
            Step::Admit => Some(&mut admitted),
            _ => None,
        };
        if let Some(plugins) = plugins
            && !stage.changed
            && stage.warnings.is_empty()
            && stage.plugin != "ResourceQuota"
        {
            plugins.unchanged += 1;
            continue;
        }
        if stage.plugin == "ResourceQuota" {
            admitted.flush(ctx, id, ADMIT, before.as_ref());
        }
        if stage.step == Step::Prepare || stage.step == Step::Validate {
            mutated.flush(ctx, id, MUTATE, before.as_ref());
        }
        if let Some(note) = note(&stage, before.as_ref().or(current), &after) {
            ctx.trace(note.of(id));
        }
        before = Some(after);
    }
    mutated.flush(ctx, id, MUTATE, before.as_ref());
    admitted.flush(ctx, id, ADMIT, before.as_ref());
    flight.warnings = checked.warnings;
    checked.result.map(Object).map_err(|refusal| {
        let stage = match refusal.step {
            Step::Decode => "decode",
            Step::Default => "default",
            Step::Mutate => "mutate",
            Step::Prepare | Step::Validate => "validate",
            Step::Admit if refusal.plugin == "ResourceQuota" => "quota",
            Step::Admit => "admit",
        };
        (stage, refusal.status)
    })
}

/// Plugins that had nothing to change or to say: reported together.
#[derive(Default)]
struct Plugins {
    unchanged: i64,
    told: bool,
}

impl Plugins {
    fn flush(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: RequestId,
        code: &'static str,
        object: Option<&Rc<Object>>,
    ) {
        if self.told || self.unchanged == 0 {
            return;
        }
        self.told = true;
        let mut note = Note::new(code)
            .of(id)
            .arg("plugin", "")
            .arg("passed", self.unchanged);
        if let Some(object) = object {
            note = note.data(Data::Object(object.clone()));
        }
        ctx.trace(note);
    }
}

fn note(stage: &StageOutcome, before: Option<&Rc<Object>>, after: &Rc<Object>) -> Option<Note> {
    let code = match stage.step {
        Step::Decode => DECODE,
        Step::Default => DEFAULT,
        Step::Mutate => MUTATE,
        Step::Prepare => PREPARE,
        Step::Validate => VALIDATE,
        Step::Admit if stage.plugin == "ResourceQuota" => QUOTA,
        Step::Admit => ADMIT,
    };
    if !stage.changed && matches!(stage.step, Step::Default | Step::Prepare) {
        return None;
    }
    let mut note = Note::new(code);
    if !stage.plugin.is_empty() {
        note = note.arg("plugin", stage.plugin);
    }
    if !stage.warnings.is_empty() {
        note = note.arg("warning", crate::trace::joined(stage.warnings.iter()));
    }
    let data = match stage.step {
        Step::Decode => Data::Object(after.clone()),
        _ if stage.changed => Data::Change(before.cloned(), Some(after.clone())),
        _ => Data::Object(after.clone()),
    };
    Some(note.data(data))
}
