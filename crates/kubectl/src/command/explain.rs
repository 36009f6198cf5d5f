//! `kubectl explain`: the fields of a kind, from the schema table.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/explain/v2/templates/plaintext.tmpl (v1.36)
//! Left out: the descriptions, which the simulated server does not have.

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::target;
use podscope_api::schema::{self, Field, Shape, Struct, Type};
use podscope_api::status::quote;

const FLAGS: &str = "recursive=b api-version=s output,o=s";

/// How deep `--recursive` goes: some types contain themselves.
const MAX_DEPTH: usize = 24;

/// How many values of an enumeration stand in one line.
const MAX_VALUES: usize = 4;

pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "explain", FLAGS, words)?;
    let path = match flags.args.as_slice() {
        [] => {
            return Err(Fault::text(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ));
        }
        [path] => path.as_str(),
        _ => {
            return Err(Fault::text("We accept only this format: explain RESOURCE"));
        }
    };
    let mut parts = path.trim_end_matches('.').split('.');
    let word = parts.next().unwrap_or("");
    let kind = target::kind(word).map_err(|fault| Fault::Raw(fault.inner()))?;
    if !kind.group().is_empty() {
        ctx.say(&format!("GROUP:      {}", kind.group()));
    }
    ctx.say(&format!(
        "KIND:       {kind}\nVERSION:    {}\n",
        kind.version()
    ));
    let mut at: Option<Struct> = Some(schema::of(kind));
    let mut field: Option<Field> = None;
    for name in parts {
        let found = at.and_then(|s| s.field(name));
        let Some(found) = found else {
            return Err(Fault::Text(format!("field {} does not exist", quote(name))));
        };
        at = found.ty.inner_struct();
        field = Some(found);
    }
    if let Some(field) = &field {
        ctx.say(&format!("FIELD: {} <{}>", field.name, label(field.ty)));
        let values = values(field.ty);
        if !values.is_empty() {
            ctx.say(&format!("ENUM:\n    {}", values.join("\n    ")));
        }
        ctx.say("");
    }
    ctx.say("DESCRIPTION:\n    <empty>");
    if let Some(fields) = at {
        ctx.say("FIELDS:");
        list(ctx, fields, 1, flags.is("recursive"));
    }
    ctx.say("");
    Ok(())
}

/// `[]Container`, `map[string]Quantity`, `string`.
#[inline(never)]
fn label(ty: Type) -> String {
    match ty.shape() {
        Shape::List(item) => format!("[]{}", label(item)),
        Shape::Map(item) => format!("map[string]{}", label(item)),
        Shape::Time | Shape::MicroTime | Shape::Duration | Shape::Bytes => "string".into(),
        Shape::Any => "Object".into(),
        _ => ty.label(),
    }
}

fn values(ty: Type) -> Vec<&'static str> {
    let mut values: Vec<&str> = ty.values().collect();
    podscope_api::sort::natural(&mut values);
    for value in &mut values {
        if value.is_empty() {
            *value = "\"\"";
        }
    }
    values
}

#[inline(never)]
fn list(ctx: &mut Ctx<'_>, fields: Struct, depth: usize, recursive: bool) {
    let mut fields = fields.fields();
    podscope_api::sort::by_key(&mut fields, |f| f.name);
    let indent = "  ".repeat(depth);
    for field in fields {
        let required = if field.required { " -required-" } else { "" };
        ctx.say(&format!(
            "{indent}{}\t<{}>{required}",
            field.name,
            label(field.ty)
        ));
        let mut values = values(field.ty);
        if values.len() > MAX_VALUES {
            values.truncate(MAX_VALUES);
            values.push("....");
        }
        if !values.is_empty() {
            ctx.say(&format!("{indent}enum: {}", values.join(", ")));
        }
        if !recursive {
            ctx.say(&format!("{indent}  <no description>\n"));
        } else if let Some(inner) = field.ty.inner_struct()
            && depth < MAX_DEPTH
        {
            list(ctx, inner, depth + 1, recursive);
        }
    }
}
