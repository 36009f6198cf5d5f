//! From the body of a write to the object that is going to be stored, stage by stage.
//!
//! Pure: what is looked up, drawn at random or allocated comes in from outside. The simulation and the
//! conformance runner use the same functions.
//!
//! Models: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update}.go,
//! staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (v1.36)

use super::admission::{Admission, Admit, Lookup, Operation, PLUGINS, UserInfo};
use super::strategy::names::{self, Random};
use super::strategy::service::{self, Allocator};
use super::strategy::{self, update::prepare_update};
use super::{defaulting, validation, warnings};
use podscope_api::decode::{self, Decoded};
use podscope_api::managed::{self, Writer};
use podscope_api::request::FieldValidation;
use podscope_api::schema::{self, Shape};
use podscope_api::status::quote;
use podscope_api::value::NULL;
use podscope_api::{Cause, Kind, PatchType, Status, Text, Value};

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The body was read against the schema.
    Decode,
    /// Empty fields got their defaults.
    Default,
    /// A mutating admission plugin ran; the name is the plugin's.
    Mutate,
    /// Name, uid, generation and status were set.
    Prepare,
    /// The object was checked against the rules of its kind.
    Validate,
    /// A validating admission plugin ran; the name is the plugin's.
    Admit,
}

impl Step {
    /// A short code, such as `mutate`.
    pub fn code(self) -> &'static str {
        match self {
            Step::Decode => "decode",
            Step::Default => "default",
            Step::Mutate => "mutate",
            Step::Prepare => "prepare",
            Step::Validate => "validate",
            Step::Admit => "admit",
        }
    }
}

/// A stage that let the object pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StageOutcome {
    /// What the stage does.
    pub step: Step,
    /// The admission plugin, or empty.
    pub plugin: &'static str,
    /// The object after the stage.
    pub object: Value,
    /// Whether the stage changed the object.
    pub changed: bool,
    /// The warnings that the stage added.
    pub warnings: Vec<Text>,
}

/// The stage that refused, and its words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What the stage does.
    pub step: Step,
    /// The admission plugin, or empty.
    pub plugin: &'static str,
    /// The answer.
    pub status: Status,
}

/// How a write went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checked {
    /// The stages that were passed, in order.
    pub stages: Vec<StageOutcome>,
    /// The texts of `Warning` headers, in order.
    pub warnings: Vec<Text>,
    /// The object to store, or who refused it.
    pub result: Result<Value, Refusal>,
}

/// What a request brings along.
pub struct Context<'a> {
    /// The kind written to.
    pub kind: Kind,
    /// The namespace in the URL, empty for cluster-scoped kinds.
    pub namespace: &'a str,
    /// `status`, `resize`, `ephemeralcontainers`; empty for the object itself.
    pub subresource: &'a str,
    /// Who asks.
    pub user: &'a UserInfo,
    /// Whose fields `managedFields` notes; nobody's are noted when there is none.
    pub writer: Option<Writer<'a>>,
    /// Whether the object comes from server-side apply, with its `managedFields`.
    pub applied: bool,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The uid of a new object.
    pub uid: &'a str,
    /// The time now, as `2026-11-20T10:08:44Z`.
    pub now: &'a str,
    /// Other objects.
    pub lookup: &'a dyn Lookup,
    /// Random numbers.
    pub random: &'a mut dyn Random,
    /// Cluster IPs and node ports.
    pub allocator: &'a mut dyn Allocator,
}

struct Run<'c, 'a> {
    context: &'c mut Context<'a>,
    stages: Vec<StageOutcome>,
    warnings: Vec<Text>,
    object: Value,
    /// The object as it was when it was last in its stored form.
    normal: Value,
}

type Passed = Result<(), Refusal>;

impl Run<'_, '_> {
    fn done(mut self, result: Passed) -> Checked {
        let object = std::mem::take(&mut self.object);
        Checked {
            stages: self.stages,
            warnings: self.warnings,
            result: result.map(|()| object),
        }
    }

    fn warn(&mut self, more: Vec<Text>) -> Vec<Text> {
        let mut added = Vec::new();
        for text in more {
            if !self.warnings.contains(&text) {
                self.warnings.push(text.clone());
                added.push(text);
            }
        }
        added
    }

    fn stage(&mut self, step: Step, plugin: &'static str, before: &Value, more: Vec<Text>) {
        let warnings = self.warn(more);
        self.stages.push(StageOutcome {
            step,
            plugin,
            changed: self.object != *before,
            object: self.object.clone(),
            warnings,
        });
    }

    fn decode(&mut self, body: Result<Decoded, Status>) -> Passed {
        let decoded = body.map_err(|status| refusal(Step::Decode, "", status))?;
        let before = std::mem::replace(&mut self.object, decoded.object.0);
        self.normal = self.object.clone();
        self.stage(Step::Decode, "", &before, decoded.warnings);
        Ok(())
    }

    /// Brings the object into its stored form.
    fn normalize(&mut self) {
        self.object = decode::normalize_like(self.context.kind, &self.object, &self.normal);
        self.normal = self.object.clone();
    }

    fn default(&mut self, old: &Value) {
        let before = self.object.clone();
        if !is_defaulted(self.context.kind, &self.object, old) {
            defaulting::apply(self.context.kind, &mut self.object);
            self.normalize();
        }
        self.stage(Step::Default, "", &before, Vec::new());
    }

    /// The `managedFields` after this write; what plugins and the strategy add belongs to nobody.
    fn managed(&self, old: Option<&Value>) -> Option<Value> {
        if self.context.applied {
            return Some(self.object.at("metadata.managedFields").clone());
        }
        let writer = self.context.writer?;
        let kind = self.context.kind;
        let mut object = self.object.clone();
        if old.is_none() {
            // What clients cannot set, and what reading a DaemonSet adds.
            object.remove("metadata.deletionTimestamp");
            object.remove("metadata.deletionGracePeriodSeconds");
            strategy::mark_template_generation(kind, &mut object);
        }
        Some(managed::update(kind, old, &object, writer))
    }

    fn set_managed(&mut self, managed: Option<Value>) {
        match managed {
            None => {}
            Some(none) if none.is_empty() => {
                self.object.remove("metadata.managedFields");
            }
            Some(managed) => self.object.set("metadata.managedFields", managed),
        }
    }

    fn plugins(&mut self, step: Step, operation: Operation, old: Option<&Value>) -> Passed {
        for plugin in PLUGINS {
            let run = if step == Step::Mutate {
                plugin.mutate
            } else {
                plugin.validate
            };
            if let Some(admit) = run {
                self.plugin(step, plugin.name, admit, operation, old)?;
            }
        }
        Ok(())
    }

    fn plugin(
        &mut self,
        step: Step,
        name: &'static str,
        admit: Admit,
        operation: Operation,
        old: Option<&Value>,
    ) -> Passed {
        let before = self.object.clone();
        let mut admission = Admission {
            kind: self.context.kind,
            subresource: self.context.subresource,
            operation,
            namespace: self.context.namespace,
            object: std::mem::take(&mut self.object),
            old,
            user: self.context.user,
            dry_run: self.context.dry_run,
            random: &mut *self.context.random,
            warnings: Vec::new(),
        };
        let result = admit(&mut admission, self.context.lookup);
        let warnings = std::mem::take(&mut admission.warnings);
        self.object = admission.object;
        if step == Step::Mutate && self.object != before {
            // What a webhook or plugin adds gets its defaults like everything else.
            defaulting::apply(self.context.kind, &mut self.object);
        }
        match result {
            Ok(()) => {
                self.stage(step, name, &before, warnings);
                Ok(())
            }
            Err(status) => {
                self.warn(warnings);
                Err(refusal(step, name, status))
            }
        }
    }

    fn validate(&mut self, old: Option<&Value>) -> Passed {
        let kind = self.context.kind;
        let causes = match old {
            None => validation::create(kind, &self.object),
            Some(old) => validation::update(kind, self.context.subresource, &self.object, old),
        };
        if !causes.is_empty() {
            let name = self.object.at("metadata.name").str_or_empty();
            let status = validation::invalid(kind, name, causes);
            return Err(refusal(Step::Validate, "", status));
        }
        let more = if self.context.subresource.is_empty() {
            warnings::of(kind, &self.object, old)
        } else {
            Vec::new()
        };
        let object = self.object.clone();
        self.stage(Step::Validate, "", &object, more);
        Ok(())
    }

    fn create(&mut self, body: Result<Decoded, Status>) -> Passed {
        self.decode(body)?;
        self.namespace()?;
        self.default(NULL);
        let managed = self.managed(None);
        self.plugins(Step::Mutate, Operation::Create, None)?;
        self.prepare(managed)?;
        self.validate(None)?;
        strategy::finish(self.context.kind, &mut self.object);
        self.plugins(Step::Admit, Operation::Create, None)
    }

    /// The body's namespace must be that of the URL, or empty; cluster-scoped kinds lose it.
    fn namespace(&mut self) -> Passed {
        let url = self.context.namespace;
        let own = self.object.at("metadata.namespace").str_or_empty();
        if !self.context.kind.namespaced() {
            self.object.remove("metadata.namespace");
        } else if own.is_empty() {
            self.object.set("metadata.namespace", url);
        } else if own != url {
            let status = Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            );
            return Err(refusal(Step::Decode, "", status));
        }
        Ok(())
    }

    fn prepare(&mut self, managed: Option<Value>) -> Passed {
        let before = self.object.clone();
        let kind = self.context.kind;
        let object = &mut self.object;
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "resourceVersion",
            "managedFields",
        ] {
            object.entry("metadata").remove(field);
        }
        object.set("metadata.uid", self.context.uid);
        object.set("metadata.creationTimestamp", self.context.now);
        let prefix = object
            .at("metadata.generateName")
            .str_or_empty()
            .to_string();
        if object.at("metadata.name").is_empty() && !prefix.is_empty() {
            let name = names::generate(&prefix, self.context.random);
            object.set("metadata.name", name);
        }
        if kind == Kind::Service {
            service::allocate(object, self.context.allocator, self.context.dry_run)
                .map_err(|status| refusal(Step::Prepare, "", status))?;
        }
        strategy::prepare_create(kind, object);
        self.set_managed(managed);
        self.normalize();
        self.stage(Step::Prepare, "", &before, Vec::new());
        Ok(())
    }

    /// `422 Invalid` of a kind that cannot be replaced without naming a version.
    fn unconditional(&self) -> Status {
        let kind = self.context.kind;
        let name = self.object.at("metadata.name").str_or_empty();
        let cause = Cause {
            reason: "FieldValueInvalid".into(),
            message: "Invalid value: 0: must be specified for an update".into(),
            field: "metadata.resourceVersion".into(),
        };
        Status::invalid(kind.group(), kind.plural(), name, vec![cause])
    }

    fn update(&mut self, old: &Value) -> Passed {
        let kind = self.context.kind;
        self.default(old);
        let managed = self.managed(Some(old));
        self.plugins(Step::Mutate, Operation::Update, Some(old))?;
        let before = self.object.clone();
        if self.object.at("metadata.resourceVersion").is_empty() {
            if !allows_unconditional(kind) {
                return Err(refusal(Step::Validate, "", self.unconditional()));
            }
            let version = old.at("metadata.resourceVersion").clone();
            self.object.set("metadata.resourceVersion", version);
        }
        prepare_update(kind, self.context.subresource, &mut self.object, old);
        if kind == Kind::Service && self.context.subresource.is_empty() {
            service::allocate_update(&mut self.object, old, self.context.allocator)
                .map_err(|status| refusal(Step::Prepare, "", status))?;
        }
        self.set_managed(managed);
        self.normalize();
        self.stage(Step::Prepare, "", &before, Vec::new());
        self.validate(Some(old))?;
        strategy::finish(kind, &mut self.object);
        self.plugins(Step::Admit, Operation::Update, Some(old))
    }
}

/// Whether the stored object has given all defaults already: nothing that has any was changed.
fn is_defaulted(kind: Kind, object: &Value, old: &Value) -> bool {
    let complete = match kind {
        Kind::Deployment | Kind::ReplicaSet => true,
        Kind::Pod => !object.at("status.phase").is_empty(),
        _ => false,
    };
    complete
        && !old.get("spec").is_null()
        && object.get("spec").is_shared_with(old.get("spec"))
        && object.at("metadata.annotations") == old.at("metadata.annotations")
}

fn refusal(step: Step, plugin: &'static str, status: Status) -> Refusal {
    Refusal {
        step,
        plugin,
        status,
    }
}

/// Kinds that may be replaced without naming a resourceVersion.
fn allows_unconditional(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::PodDisruptionBudget
            | Kind::Lease
            | Kind::EndpointSlice
            | Kind::MutatingWebhookConfiguration
            | Kind::ValidatingWebhookConfiguration
            | Kind::ValidatingAdmissionPolicy
            | Kind::ValidatingAdmissionPolicyBinding
    )
}

fn run<'c, 'a>(context: &'c mut Context<'a>) -> Run<'c, 'a> {
    Run {
        context,
        // Most plugins pass twice.
        stages: Vec::with_capacity(2 * PLUGINS.len()),
        warnings: Vec::new(),
        object: Value::Null,
        normal: Value::Null,
    }
}

/// A new object, from the decoded body of its `POST` (see [`decode::decode`]).
pub fn check_create(context: &mut Context<'_>, body: Result<Decoded, Status>) -> Checked {
    let mut run = run(context);
    let result = run.create(body);
    run.done(result)
}

/// A changed object, from the decoded body of its `PUT`.
pub fn check_replace(
    context: &mut Context<'_>,
    body: Result<Decoded, Status>,
    old: &Value,
) -> Checked {
    let mut run = run(context);
    let result = run
        .decode(body)
        .and_then(|()| run.namespace())
        .and_then(|()| run.update(old));
    run.done(result)
}

/// A patch and how strictly its outcome is read.
pub struct Patch<'a> {
    /// Its format.
    pub patch_type: PatchType,
    /// Its body.
    pub body: &'a Value,
    /// What becomes of unknown fields.
    pub validation: FieldValidation,
}

/// A changed object as a patch made it.
pub fn check_patched(
    context: &mut Context<'_>,
    patch: &Patch<'_>,
    wanted: Value,
    old: &Value,
) -> Checked {
    let kind = context.kind;
    let source = decode::Source {
        value: wanted,
        ..decode::Source::default()
    };
    let decoded = decode::decode(kind, &source, patch.validation);
    let mut run = run(context);
    let result = match decoded {
        Ok(decoded) => {
            run.warn(decoded.warnings);
            run.object = decoded.object.0;
            run.normal = run.object.clone();
            run.update(old)
        }
        Err(status) => {
            let status = unfit(kind, patch, &source.value, status);
            Err(refusal(Step::Decode, "", status))
        }
    };
    run.done(result)
}

/// `422 Invalid` of a patch whose outcome is not an object of the kind.
fn unfit(kind: Kind, patch: &Patch<'_>, wanted: &Value, status: Status) -> Status {
    let mark = format!("cannot be handled as a {kind}: ");
    let Some((_, why)) = status.message.split_once(&mark) else {
        return status;
    };
    let mut why = why.to_string();
    let mut shown = String::new();
    if patch.patch_type == PatchType::Strategic {
        shown = managed::go_text(patch.body);
        if why.starts_with("json: ")
            && let Some((_, wanted)) = why.rsplit_once(" of type ")
        {
            why = format!("unrecognized type: {wanted}");
        }
    } else {
        let touched = touched(patch);
        super::go::document(
            &mut shown,
            Shape::Struct(schema::of(kind)),
            wanted,
            &touched,
        );
    }
    let cause = Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {}: {why}", quote(&shown)).into(),
        field: "patch".into(),
    };
    Status::invalid("", "", "", vec![cause])
}

/// The maps that a patch of JSON opens: the merge patch itself, or the ways of a JSON patch.
fn touched(patch: &Patch<'_>) -> Value {
    if patch.patch_type != PatchType::Json {
        return patch.body.clone();
    }
    let mut touched = Value::map();
    for operation in patch.body.items() {
        let path = operation.get("path").str_or_empty();
        let mut place = &mut touched;
        for part in path.split('/').skip(1) {
            place = place.entry(part);
        }
    }
    touched
}

/// A changed object as a subresource or server-side apply made it.
pub fn check_update(context: &mut Context<'_>, wanted: Value, old: &Value) -> Checked {
    let mut run = run(context);
    run.normal = old.clone();
    run.object = wanted;
    run.normalize();
    let result = run.update(old);
    run.done(result)
}
