//! `kubectl label` and `kubectl annotate`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/{label/label,annotate/annotate}.go (v1.36)

use super::pairs;
use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Rules};
use podscope_api::selector::label_value_errors;
use podscope_api::status::quote;
use podscope_api::{Object, PatchType, Value, patch};
use std::rc::Rc;

const FLAGS: &str = "all=b all-namespaces,A=b overwrite=b list=b local=b selector,l=s field-selector=s filename,f=S \
recursive,R=b kustomize,k=s dry-run=s:unchanged resource-version=s output,o=s template=s \
field-manager=s show-managed-fields=b allow-missing-template-keys=b";

/// Labels or annotations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    Labels,
    Annotations,
}

impl Marks {
    fn field(self) -> &'static str {
        if self == Marks::Labels {
            "labels"
        } else {
            "annotations"
        }
    }
    fn noun(self) -> &'static str {
        if self == Marks::Labels {
            "label"
        } else {
            "annotation"
        }
    }
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String], marks: Marks) -> Res<()> {
    let (command, manager) = match marks {
        Marks::Labels => ("label", "kubectl-label"),
        Marks::Annotations => ("annotate", "kubectl-annotate"),
    };
    let flags = super::flags(ctx, command, FLAGS, words)?;
    let report = Report::read(ctx, &flags, manager)?;
    let (resources, changes) = pairs(&flags.args, marks.noun())?;
    if resources.is_empty() && !flags.has("filename") {
        return Err(Fault::text(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if changes.is_empty() && !flags.is("list") {
        return Err(Fault::Text(format!(
            "at least one {} update is required",
            marks.noun()
        )));
    }
    let (set, remove) = parse(&changes, marks)?;
    let targets = target::targets(ctx, &flags, &resources, Rules::default())?;
    let mut faults = Vec::new();
    let many = targets.len() > 1 || targets.iter().any(|t| t.name.is_empty());
    for target in &targets {
        let infos = match target::read(ctx, target, &flags) {
            Ok(infos) => infos,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        for info in infos {
            let change = Change {
                marks,
                set: &set,
                remove: &remove,
                overwrite: flags.is("overwrite"),
                version: flags.str("resource-version"),
            };
            if flags.is("list") {
                let place = info.object.get("metadata").get(marks.field());
                if many {
                    ctx.say(&format!(
                        "Listing {} for {}/{}:",
                        marks.field(),
                        info.kind,
                        info.name()
                    ));
                }
                for (key, value) in place.entries() {
                    ctx.say(&format!("{key}={}", value.str_or_empty()));
                }
                continue;
            }
            match change.apply(ctx, &report, &info) {
                Ok(()) => {}
                Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                Err(fault) => faults.push(fault),
            }
        }
    }
    Fault::all(faults)
}

type Pair = (String, String);

fn parse(changes: &[String], marks: Marks) -> Res<(Vec<Pair>, Vec<String>)> {
    let (mut set, mut remove): (Vec<Pair>, Vec<String>) = (Vec::new(), Vec::new());
    for change in changes {
        if let Some((key, value)) = change.split_once('=') {
            let wrong = label_value_errors(value);
            if marks == Marks::Labels && !wrong.is_empty() {
                return Err(Fault::Text(format!(
                    "invalid label value: {}: {}",
                    quote(change),
                    wrong.join(";")
                )));
            }
            if key.is_empty() {
                return Err(Fault::Text(format!(
                    "invalid {} format: {change}",
                    marks.noun()
                )));
            }
            set.push((key.into(), value.into()));
        } else if let Some(key) = change.strip_suffix('-') {
            remove.push(key.into());
        } else {
            return Err(Fault::Text(format!(
                "unknown {} spec: {change}",
                marks.noun()
            )));
        }
    }
    let both: Vec<&str> = remove
        .iter()
        .filter(|r| set.iter().any(|(k, _)| k == *r))
        .map(String::as_str)
        .collect();
    if !both.is_empty() {
        return Err(Fault::Text(match marks {
            Marks::Labels => "can not both modify and remove a label in the same command".into(),
            Marks::Annotations => format!(
                "can not both modify and remove the following annotation(s) in the same command: {}",
                both.join(", ")
            ),
        }));
    }
    Ok((set, remove))
}

struct Change<'a> {
    marks: Marks,
    set: &'a [Pair],
    remove: &'a [String],
    overwrite: bool,
    version: &'a str,
}

impl Change<'_> {
    fn apply(&self, ctx: &mut Ctx<'_>, report: &Report, info: &Info) -> Res<()> {
        let field = self.marks.field();
        let old = info.object.get("metadata").get(field).clone();
        if !self.overwrite {
            self.refuse_overwriting(&old)?;
        }
        let mut new = info.object.as_ref().clone();
        let place = new.at_mut(&format!("metadata.{field}"));
        for (key, value) in self.set {
            place
                .map_mut()
                .insert(key.as_str(), Value::from(value.as_str()));
        }
        for key in self.remove {
            if old.as_map().is_none_or(|m| !m.contains_key(key)) && self.marks == Marks::Labels {
                ctx.say(&format!("label {} not found.", quote(key)));
            }
            if matches!(place, Value::Map(_)) {
                place.map_mut().remove(key);
            }
        }
        if place.is_null() {
            new.at_mut("metadata").map_mut().remove(field);
        }
        let what = match self.marks {
            Marks::Annotations => "annotated",
            Marks::Labels if new.get("metadata").get(field) == &old || self.same(&old) => {
                "not labeled"
            }
            Marks::Labels if self.set.is_empty() => "unlabeled",
            Marks::Labels => "labeled",
        };
        let mut object = Rc::new(new);
        if report.dry_run != DryRun::Client && what != "not labeled" {
            let mut change = diff(&info.object, &object);
            if self.marks == Marks::Annotations && old.is_null() && change.entries().is_empty() {
                change.set("metadata.annotations", Value::map());
            }
            if !self.version.is_empty() {
                change.set("metadata.resourceVersion", self.version);
            }
            object = report.patch(ctx, info, PatchType::Merge, change, false)?;
        }
        report.done(ctx, info.kind, &object, what)
    }

    fn same(&self, old: &Value) -> bool {
        self.set.iter().all(|(k, v)| old.get(k).as_str() == Some(v))
            && self.remove.iter().all(|k| old.get(k).is_null())
    }

    fn refuse_overwriting(&self, old: &Value) -> Res<()> {
        let mut taken: Vec<String> = Vec::new();
        for (key, value) in self.set {
            if let Some(now) = old.get(key).as_str() {
                if self.marks == Marks::Labels && now == value {
                    continue;
                }
                if now != value {
                    taken.push(format!("'{key}' already has a value ({now})"));
                }
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        Err(Fault::Text(match self.marks {
            Marks::Labels => {
                let lines: Vec<String> = taken
                    .iter()
                    .map(|t| format!("{t}, and --overwrite is false"))
                    .collect();
                match lines.as_slice() {
                    [one] => one.clone(),
                    many => format!("[{}]", many.join(", ")),
                }
            }
            Marks::Annotations => format!(
                "--overwrite is false but found the following declared annotation(s): {}",
                taken.join("; ")
            ),
        }))
    }
}

/// The JSON merge patch between two objects.
pub(super) fn diff(old: &Object, new: &Object) -> Value {
    // Nothing was applied before and everything is meant: both halves of a three-way patch.
    patch::three_way_merge(old, new, old)
}
