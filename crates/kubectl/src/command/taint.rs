//! `kubectl taint`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/taint/{taint,utils}.go (v1.36)

use super::pairs_of;
use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::result::{DryRun, Report};
use crate::target::{self, Info, Rules};
use podscope_api::selector::{label_key_errors, label_value_errors};
use podscope_api::{Kind, PatchType, Value, value};

const FLAGS: &str = "all=b overwrite=b selector,l=s dry-run=s:unchanged output,o=s template=s field-manager=s \
validate=s:strict show-managed-fields=b allow-missing-template-keys=b";

/// A taint's key, value and effect; the effect may be empty when removing.
struct Taint {
    key: String,
    value: String,
    effect: String,
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "taint", FLAGS, words)?;
    let report = Report::read(ctx, &flags, "kubectl-taint")?;
    let is_taint = |s: &str| {
        s.contains('=') && !s.starts_with('=') || s.contains(':') || s.ends_with('-') && s != "-"
    };
    let (resources, specs) = pairs_of(&flags.args, "taint", is_taint)?;
    let [kind, ..] = resources.as_slice() else {
        return Err(Fault::text(
            "one or more resources must be specified as <resource> <name>",
        ));
    };
    if target::kind(kind.split('/').next().unwrap_or(""))? != Kind::Node {
        return Err(Fault::Text(format!(
            "invalid resource type {kind}, only node(s) is supported"
        )));
    }
    if specs.is_empty() {
        return Err(Fault::text("at least one taint update is required"));
    }
    let (add, remove) = parse(&specs).map_err(|why| Fault::usage("taint", why))?;
    let targets = target::targets(ctx, &flags, &resources, Rules::default())?;
    let mut faults = Vec::new();
    for target in &targets {
        match target::read(ctx, target, &flags) {
            Ok(infos) => {
                for info in infos {
                    let done = apply(ctx, &report, &info, &add, &remove, flags.is("overwrite"));
                    match done {
                        Ok(()) => {}
                        Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                        Err(fault) => faults.push(fault),
                    }
                }
            }
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    Fault::all(faults)
}

fn parse(specs: &[String]) -> Result<(Vec<Taint>, Vec<Taint>), String> {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for spec in specs {
        let removing = spec.ends_with('-');
        let text = spec.strip_suffix('-').unwrap_or(spec);
        let parts: Vec<&str> = text.split(':').collect();
        let (pair, effect) = match parts.as_slice() {
            [pair] => (*pair, ""),
            [pair, effect] => (*pair, *effect),
            _ => return Err(format!("invalid taint spec: {text}")),
        };
        if parts.len() == 2 && !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            return Err(format!(
                "invalid taint effect: {effect}, unsupported taint effect"
            ));
        }
        // Without an effect the whole text is taken for the key.
        let (key, value) = match pair.split_once('=') {
            Some((key, value)) if parts.len() == 2 => (key, value),
            _ => (pair, ""),
        };
        let wrong = label_value_errors(value);
        if !wrong.is_empty() {
            return Err(format!("invalid taint spec: {text}, {}", wrong.join("; ")));
        }
        let wrong = label_key_errors(key);
        if !wrong.is_empty() {
            return Err(format!("invalid taint spec: {text}, {}", wrong.join("; ")));
        }
        let taint = Taint {
            key: key.into(),
            value: value.into(),
            effect: effect.into(),
        };
        if removing {
            remove.push(taint);
            continue;
        }
        if effect.is_empty() {
            return Err(format!("invalid taint spec: {text}"));
        }
        if add
            .iter()
            .any(|t: &Taint| t.key == taint.key && t.effect == taint.effect)
        {
            return Err(format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            ));
        }
        add.push(taint);
    }
    Ok((add, remove))
}

fn fits(taint: &Value, wanted: &Taint) -> bool {
    let part = |field: &str| taint.get(field).str_or_empty();
    part("key") == wanted.key && (wanted.effect.is_empty() || part("effect") == wanted.effect)
}

fn apply(
    ctx: &mut Ctx<'_>,
    report: &Report,
    info: &Info,
    add: &[Taint],
    remove: &[Taint],
    overwrite: bool,
) -> Res<()> {
    let old = info.object.at("spec.taints").items();
    if !overwrite {
        let taken: Vec<&str> = add
            .iter()
            .filter(|t| old.iter().any(|o| fits(o, t)))
            .map(|t| t.key.as_str())
            .collect();
        if !taken.is_empty() {
            return Err(Fault::Text(format!(
                "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                info.name(),
                taken.join(",")
            )));
        }
    }
    let mut taints: Vec<Value> = add
        .iter()
        .map(|t| {
            let mut taint = value!({"key": (t.key.as_str()), "effect": (t.effect.as_str())});
            if !t.value.is_empty() {
                taint.set("value", t.value.as_str());
            }
            taint
        })
        .collect();
    taints.extend(
        old.iter()
            .filter(|o| !add.iter().any(|t| fits(o, t)))
            .cloned(),
    );
    let added = taints.len() != old.len();
    let mut faults = Vec::new();
    let mut removed = false;
    for taint in remove {
        let before = taints.len();
        taints.retain(|t| !fits(t, taint));
        removed |= taints.len() < before;
        if taints.len() == before {
            let name = match taint.effect.as_str() {
                "" => taint.key.clone(),
                effect => format!("{}:{effect}", taint.key),
            };
            faults.push(Fault::Text(format!(
                "taint {} not found",
                podscope_api::status::quote(&name)
            )));
        }
    }
    Fault::all(faults)?;
    let what = if (added && removed) || overwrite {
        "modified"
    } else if added {
        "tainted"
    } else {
        "untainted"
    };
    let mut object = info.object.clone();
    if report.dry_run != DryRun::Client {
        let change = value!({"spec": {"taints": (taints)}});
        object = report.patch(ctx, info, PatchType::Strategic, change, true)?;
    }
    if let crate::output::Format::Default = report.format {
        let suffix = if report.dry_run == DryRun::Client {
            " (dry run)"
        } else {
            ""
        };
        ctx.say(&format!("{} {what}{suffix}", info.title()));
        return Ok(());
    }
    report.done(ctx, info.kind, &object, what)
}
