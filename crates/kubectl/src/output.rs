//! `-o`: YAML, JSON, names, templates and custom columns.

use crate::fault::{Fault, Res};
use crate::flags::Flags;
use crate::jsonpath::Template;
use crate::table::{Cell, Table};
use crate::target::Info;
use podscope_api::status::quote;
use podscope_api::{Object, Value, json, value};

/// How objects are printed.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// The command's own way: a table or a line.
    Default,
    Wide,
    Yaml,
    Json,
    Name,
    JsonPath(String, Template),
    JsonPathAsJson(String, Template),
    GoTemplate(Template),
    /// Titles and paths.
    Columns(Vec<(String, Template)>),
}

impl Format {
    /// Reads `-o`. `table` says whether `wide` and custom columns are allowed.
    #[inline(never)]
    pub fn read(flags: &Flags, table: bool) -> Res<Format> {
        let text = flags.str("output");
        let (name, argument) = match text.split_once('=') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, flags.opt("template")),
        };
        let template = || {
            argument
                .filter(|a| !a.is_empty())
                .ok_or_else(|| Fault::text("template format specified but no template given"))
        };
        let path = |text: &str| {
            Template::jsonpath(text)
                .map_err(|e| Fault::Text(format!("error parsing jsonpath {text}, {e}")))
        };
        Ok(match name {
            "" => match flags.opt("template") {
                Some(text) => Format::GoTemplate(go(text)?),
                None => Format::Default,
            },
            "wide" if table => Format::Wide,
            "yaml" => Format::Yaml,
            "json" => Format::Json,
            "name" => Format::Name,
            "jsonpath" => Format::JsonPath(template()?.into(), path(template()?)?),
            "jsonpath-as-json" => Format::JsonPathAsJson(template()?.into(), path(template()?)?),
            "go-template" | "template" => Format::GoTemplate(go(template()?)?),
            "custom-columns" if table => Format::Columns(columns(argument.unwrap_or(""))?),
            _ => {
                let allowed = if table {
                    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
                } else {
                    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml"
                };
                return Err(Fault::Text(format!(
                    "unable to match a printer suitable for the output format {}, allowed formats are: {allowed}",
                    quote(name)
                )));
            }
        })
    }

    pub fn is_table(&self) -> bool {
        matches!(self, Format::Default | Format::Wide)
    }
}

#[inline(never)]
fn go(text: &str) -> Res<Template> {
    Template::go(text).map_err(|e| Fault::Text(format!("error parsing template {text}, {e}")))
}

#[inline(never)]
fn columns(text: &str) -> Res<Vec<(String, Template)>> {
    if text.is_empty() {
        return Err(Fault::text(
            "custom-columns format specified but no custom columns given",
        ));
    }
    let mut columns = Vec::new();
    for part in text.split(',') {
        let (title, path) = part.split_once(':').ok_or_else(|| {
            Fault::Text(format!(
                "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            ))
        })?;
        let template = Template::field(path).map_err(Fault::Text)?;
        columns.push((title.to_string(), template));
    }
    Ok(columns)
}

/// The object without `managedFields`.
pub(crate) fn hide_managed(object: &Object) -> Value {
    let mut value = object.0.clone();
    value.remove("metadata.managedFields");
    value
}

/// A `List` of objects.
pub(crate) fn list(items: Vec<Value>) -> Value {
    value!({"apiVersion": "v1", "items": (items), "kind": "List", "metadata": {"resourceVersion": ""}})
}

/// Prints one object (or a list, as it would be sent) in a format that is not a table.
#[inline(never)]
pub(crate) fn print(format: &Format, object: &Value, name: &str) -> Res<String> {
    let executing = |text: &str, e: String| {
        Fault::Text(format!(
            "error executing jsonpath {}: Error executing template: {e}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
            quote(text),
            go_syntax(object)
        ))
    };
    Ok(match format {
        Format::Yaml => podscope_manifest::yaml::to_string(object),
        Format::Json => json::to_string_pretty(object) + "\n",
        Format::Name => format!("{name}\n"),
        Format::JsonPath(text, template) => {
            template.print(object).map_err(|e| executing(text, e))?
        }
        Format::JsonPathAsJson(text, template) => {
            let found = template.find(object).map_err(|e| executing(text, e))?;
            json::to_string_pretty(&Value::from(found)) + "\n"
        }
        Format::GoTemplate(template) => template.print(object).map_err(Fault::Text)?,
        Format::Default | Format::Wide | Format::Columns(_) => String::new(),
    })
}

/// Go's `%#v` of a decoded document.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let parts = map
                .entries()
                .iter()
                .map(|(k, v)| format!("{}:{}", quote(k), go_syntax(v)));
            format!(
                "map[string]interface {{}}{{{}}}",
                parts.collect::<Vec<_>>().join(", ")
            )
        }
        Value::List(items) => {
            let parts: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", parts.join(", "))
        }
        Value::Str(text) => quote(text),
        Value::Null => "interface {}(nil)".into(),
        other => json::to_string(other),
    }
}

/// Go's `%v` of a decoded document.
pub(crate) fn go_text(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let parts = map
                .entries()
                .iter()
                .map(|(k, v)| format!("{k}:{}", go_text(v)));
            format!("map[{}]", parts.collect::<Vec<_>>().join(" "))
        }
        Value::List(items) => {
            let parts: Vec<String> = items.iter().map(go_text).collect();
            format!("[{}]", parts.join(" "))
        }
        Value::Str(text) => text.to_string(),
        Value::Null => "<nil>".into(),
        other => json::to_string(other),
    }
}

/// Custom columns of objects.
pub(crate) fn custom_columns(
    columns: &[(String, Template)],
    infos: &[Info],
    headers: bool,
) -> String {
    let titles = columns.iter().map(|(title, _)| title.clone());
    let rows = infos.iter().map(|info| {
        let cell = |template: &Template| match template.find(&info.object).unwrap_or_default() {
            found if found.is_empty() => "<none>".into(),
            found => found.iter().map(go_text).collect::<Vec<_>>().join(","),
        };
        columns
            .iter()
            .map(|(_, template)| Cell::Text(cell(template)))
            .collect()
    });
    Table {
        titles: if headers {
            titles.collect()
        } else {
            Vec::new()
        },
        rows: rows.collect(),
    }
    .print()
}
