//! `kubectl wait`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/wait (v1.36)

use crate::ctx::{Ctx, EventType};
use crate::fault::{Fault, Res};
use crate::jsonpath::Template;
use crate::table::text;
use crate::target::{self, Info, Rules, Target};
use podscope_api::{Object, Request, Verb};
use std::rc::Rc;

const FLAGS: &str = "for=s timeout=d all=b all-namespaces,A=b selector,l=s field-selector=s filename,f=S recursive,R=b \
local=b output,o=s template=s show-managed-fields=b allow-missing-template-keys=b";

/// What is waited for.
enum Wanted {
    Delete,
    Create,
    Condition(String, String),
    Path(Template, Option<String>),
}

fn wanted(text: &str) -> Res<Wanted> {
    let lower = text.to_ascii_lowercase();
    if lower == "delete" {
        return Ok(Wanted::Delete);
    }
    if lower == "create" {
        return Ok(Wanted::Create);
    }
    if let Some(condition) = text.strip_prefix("condition=") {
        let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(Wanted::Condition(name.into(), status.into()));
    }
    if let Some(path) = text.strip_prefix("jsonpath=") {
        let end = path.find('}').map_or(path.len(), |at| at + 1);
        let (path, value) = path.split_at(end);
        let value = value
            .strip_prefix('=')
            .map(|v| v.trim_matches(['"', '\'']).to_string());
        let template = Template::field(path.trim_matches(['"', '\''])).map_err(Fault::Text)?;
        return Ok(Wanted::Path(template, value));
    }
    Err(Fault::Text(format!(
        "unrecognized condition: {}",
        podscope_api::status::quote(text)
    )))
}

impl Wanted {
    fn met(&self, object: &Object) -> bool {
        match self {
            Wanted::Delete => false,
            Wanted::Create => true,
            Wanted::Condition(name, status) => {
                let conditions = object.status().get("conditions").items();
                conditions.iter().any(|c| {
                    let observed = c.get("observedGeneration").as_int();
                    c.get("type").str_or_empty().eq_ignore_ascii_case(name)
                        && c.get("status").str_or_empty().eq_ignore_ascii_case(status)
                        && observed.is_none_or(|o| o >= object.generation())
                })
            }
            Wanted::Path(template, value) => {
                let found = template.find(object).unwrap_or_default();
                match (found.as_slice(), value) {
                    ([], _) => false,
                    (_, None) => true,
                    ([one], Some(value)) => text(one) == *value,
                    _ => false,
                }
            }
        }
    }
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "wait", FLAGS, words)?;
    let wanted = wanted(flags.str("for"))?;
    let timeout = match flags.micros("timeout").unwrap_or(30_000_000) {
        t if t < 0 => 7 * 24 * 3600 * 1_000_000,
        t => t,
    };
    let deadline = ctx.now.0 + timeout;
    let targets = target::targets(ctx, &flags, &flags.args, Rules::default())?;
    let mut faults = Vec::new();
    let mut found = 0;
    for target in &targets {
        let mut infos = target::read(ctx, target, &flags);
        while matches!((&infos, &wanted), (Err(f), Wanted::Create) if f.is_not_found())
            && ctx.now.0 < deadline
        {
            ctx.sleep(500_000)?;
            infos = target::read(ctx, target, &flags);
        }
        match infos {
            Err(fault) if fault.is_not_found() && matches!(wanted, Wanted::Delete) => found += 1,
            Err(Fault::Need(call)) => return Err(Fault::Need(call)),
            Err(fault) => {
                found += 1;
                faults.push(fault);
            }
            Ok(infos) => {
                for info in infos {
                    found += 1;
                    match one(ctx, target, &info, &wanted, deadline) {
                        Ok(()) => {}
                        Err(Fault::Need(call)) => return Err(Fault::Need(call)),
                        Err(fault) => faults.push(fault),
                    }
                }
            }
        }
    }
    if found == 0 && !matches!(wanted, Wanted::Delete) {
        return Err(Fault::text("no matching resources found"));
    }
    Fault::all(faults)
}

fn one(ctx: &mut Ctx<'_>, target: &Target, info: &Info, wanted: &Wanted, deadline: i64) -> Res<()> {
    let mut object: Rc<Object> = info.object.clone();
    let title = info.title();
    let namespace = if target.kind.namespaced() {
        info.namespace()
    } else {
        ""
    };
    loop {
        if wanted.met(&object) {
            ctx.say(&format!("{title} condition met"));
            return Ok(());
        }
        let late = Fault::Text(format!(
            "timed out waiting for the condition on {}",
            info.plural_title()
        ));
        if ctx.now.0 >= deadline {
            return Err(late);
        }
        let mut request = Request::new(Verb::Watch, info.kind, namespace, "");
        request.options.field_selector = format!("metadata.name={}", info.name()).into();
        request.options.resource_version = Some(object.resource_version());
        match ctx.watch(request, Some(deadline - ctx.now.0))? {
            Some((EventType::Deleted, _)) => match wanted {
                Wanted::Delete => {
                    ctx.say(&format!("{title} condition met"));
                    return Ok(());
                }
                _ => {
                    return Err(Fault::Text(format!(
                        "{} {} not found",
                        target::resource(info.kind),
                        podscope_api::status::quote(info.name())
                    )));
                }
            },
            Some((_, changed)) => object = target::typed(info.kind, &changed),
            None => return Err(late),
        }
    }
}
