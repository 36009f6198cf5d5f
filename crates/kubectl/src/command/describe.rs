//! `kubectl describe`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/describe/describe.go (v1.36)

use crate::ctx::Ctx;
use crate::describe;
use crate::fault::{Fault, Res};
use crate::target::{self, Info, Rules, Target};

const FLAGS: &str = "all-namespaces,A=b selector,l=s filename,f=S recursive,R=b kustomize,k=s show-events=b chunk-size=i";

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "describe", FLAGS, words)?;
    if flags.args.is_empty() && !flags.has("filename") {
        ctx.complain("You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n");
        return Err(Fault::usage(
            "describe",
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).",
        ));
    }
    let rules = Rules {
        bare_type_lists: true,
        may_be_empty: false,
    };
    let targets = target::targets(ctx, &flags, &flags.args, rules)?;
    let (mut infos, mut faults) = (Vec::new(), Vec::new());
    let mut guessed = false;
    for target in &targets {
        match target::read(ctx, target, &flags) {
            Ok(found) => infos.extend(found),
            Err(fault) if fault.is_not_found() && targets.len() == 1 && !flags.has("filename") => {
                let found = by_prefix(ctx, target, &flags)?;
                if found.is_empty() {
                    return Err(fault);
                }
                guessed = true;
                infos.extend(found);
            }
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    let events = flags.bool_or("show-events", infos.len() < 2);
    for (i, info) in infos.iter().enumerate() {
        match describe::describe(ctx, info, events) {
            Ok(text) => {
                if i > 0 && !guessed {
                    ctx.out.push_str("\n\n");
                }
                ctx.out.push_str(&text);
                ctx.out.push_str(if guessed { "\n" } else { "" });
            }
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => faults.push(fault),
        }
    }
    if infos.is_empty() && faults.is_empty() {
        if flags.is("all-namespaces") || targets.iter().any(|t| !t.kind.namespaced()) {
            ctx.complain("No resources found");
        } else {
            let line = format!("No resources found in {} namespace.", ctx.namespace);
            ctx.complain(&line);
        }
    }
    Fault::all(faults)
}

/// Objects whose names begin with what was asked for.
fn by_prefix(ctx: &mut Ctx<'_>, target: &Target, flags: &crate::flags::Flags) -> Res<Vec<Info>> {
    let list = Target {
        name: String::new(),
        ..target.clone()
    };
    let found = target::read(ctx, &list, flags)?;
    Ok(found
        .into_iter()
        .filter(|info| info.name().starts_with(&target.name))
        .collect())
}
