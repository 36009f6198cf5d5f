//! Writes `src/schema_table.txt`, the field table of all kinds, from the Go type definitions.
//!
//! `cargo run -p podscope-api --example generate_schema -- API APIMACHINERY > crates/api/src/schema_table.txt`,
//! where the arguments are checkouts of `kubernetes/api` and `kubernetes/apimachinery` at the modelled release.
//! The format of the table is described in `src/schema.rs`.

use podscope_api::Kind;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

/// A type definition as read: its right-hand side and the comment markers above it.
#[derive(Default)]
struct Definition {
    is_struct: bool,
    /// For types that are not structs: `string`, `map[…]…`, `[]…`.
    alias: String,
    fields: Vec<Field>,
    markers: Vec<String>,
    values: Vec<String>,
}

struct Field {
    go_type: String,
    tag: String,
    markers: Vec<String>,
}

/// Definitions by `(folder, name)`.
type Definitions = BTreeMap<(String, String), Definition>;

const META: &str = "meta/v1";

/// What else the server decodes besides objects of a kind.
const MORE_ROOTS: &[(&str, &str)] = &[
    ("core/v1", "Binding"),
    ("policy/v1", "Eviction"),
    ("autoscaling/v1", "Scale"),
    ("authentication/v1", "TokenRequest"),
    (META, "DeleteOptions"),
];

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [api, apimachinery] = arguments.as_slice() else {
        return Err("usage: generate_schema API APIMACHINERY (checkouts)".to_string());
    };
    let mut definitions = Definitions::new();
    let mut roots: Vec<(String, String)> = Vec::new();
    for kind in Kind::ALL {
        let group = match kind.group().split('.').next() {
            Some("") | None => "core",
            Some("rbac") => "rbac",
            Some(group) => group,
        };
        let folder = format!("{group}/{}", kind.version());
        roots.push((folder, kind.name().to_string()));
    }
    for (folder, name) in MORE_ROOTS {
        roots.push((folder.to_string(), name.to_string()));
    }
    let mut folders: Vec<String> = roots.iter().map(|r| r.0.clone()).collect();
    folders.push("core/v1".to_string());
    folders.sort();
    folders.dedup();
    for folder in folders {
        let path = if folder == META {
            Path::new(apimachinery).join("pkg/apis/meta/v1/types.go")
        } else {
            Path::new(api).join(&folder).join("types.go")
        };
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        read(&folder, &text, &mut definitions);
    }
    print!("{}", write(&roots, &definitions)?);
    Ok(())
}

fn read(folder: &str, text: &str, definitions: &mut Definitions) {
    let mut markers: Vec<String> = Vec::new();
    let mut open: Option<String> = None;
    let mut constants: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("//") {
            if let Some(marker) = comment.trim().strip_prefix('+') {
                markers.push(marker.to_string());
            }
            continue;
        }
        if let Some(name) = &open {
            if line == "}" {
                open = None;
            } else if let Some((declaration, tag)) = line.split_once('`') {
                let mut words = declaration.split_whitespace();
                let first = words.next().unwrap_or("").to_string();
                let go_type = words.collect::<Vec<_>>().join(" ");
                let field = Field {
                    go_type: if go_type.is_empty() { first } else { go_type },
                    tag: tag.trim_end_matches('`').to_string(),
                    markers: std::mem::take(&mut markers),
                };
                if let Some(definition) = definitions.get_mut(&(folder.to_string(), name.clone())) {
                    definition.fields.push(field);
                }
            }
            if line.is_empty() {
                markers.clear();
            }
            continue;
        }
        if let Some(rest) = line.strip_prefix("type ") {
            let mut words = rest.split_whitespace();
            let name = words.next().unwrap_or("").to_string();
            let right = words.filter(|w| *w != "=").collect::<Vec<_>>().join(" ");
            let is_struct = right.starts_with("struct");
            if is_struct && !right.ends_with("{}") {
                open = Some(name.clone());
            }
            let definition = Definition {
                is_struct,
                alias: if is_struct { String::new() } else { right },
                markers: std::mem::take(&mut markers),
                ..Definition::default()
            };
            definitions.insert((folder.to_string(), name), definition);
        } else if let Some((left, right)) = line.split_once("Protocol)")
            && right.is_empty()
            && let Some((left, value)) = left.split_once("(v1.")
            && let Some(go_type) = left.split_whitespace().last()
        {
            // A value of another enumeration: `Name = Type(v1.ValueProtocol)`.
            constants.push((go_type.to_string(), value.to_string()));
        } else if let Some((left, value)) = line.split_once("(\"")
            && let Some(value) = value.strip_suffix("\")")
            && let Some(go_type) = left.split_whitespace().last()
        {
            // `Name = Type("value")`.
            constants.push((go_type.to_string(), value.to_string()));
        } else if let Some((left, right)) = line.split_once(" = \"") {
            // A constant: `Name Type = "value"` or `const Name Type = "value"`.
            let words: Vec<&str> = left.split_whitespace().collect();
            if let (Some(go_type), Some(value)) = (words.last(), right.split('"').next())
                && words.len() >= 2
            {
                constants.push((go_type.to_string(), value.to_string()));
            }
        }
        markers.clear();
    }
    for (go_type, value) in constants {
        if let Some(definition) = definitions.get_mut(&(folder.to_string(), go_type)) {
            definition.values.push(value);
        }
    }
}

struct Writer<'a> {
    definitions: &'a Definitions,
    ids: BTreeMap<(String, String), usize>,
    queue: VecDeque<(String, String)>,
}

impl Writer<'_> {
    fn id(&mut self, folder: &str, name: &str) -> usize {
        let key = (folder.to_string(), name.to_string());
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        let id = self.ids.len();
        self.ids.insert(key.clone(), id);
        self.queue.push_back(key);
        id
    }

    /// The table's code for a Go type expression.
    fn code(&mut self, folder: &str, go_type: &str) -> Result<String, String> {
        if let Some(inner) = go_type.strip_prefix('*') {
            return Ok(format!("*{}", self.code(folder, inner)?));
        }
        if go_type == "[]byte" {
            return Ok("y".to_string());
        }
        if let Some(inner) = go_type.strip_prefix("[]") {
            return Ok(format!("[{}", self.code(folder, inner)?));
        }
        if let Some(rest) = go_type.strip_prefix("map[") {
            let (_, inner) = rest.split_once(']').ok_or("a map without ]")?;
            return Ok(format!("{{{}", self.code(folder, inner)?));
        }
        let simple = match go_type {
            "string" => "s",
            "bool" => "b",
            "int32" => "i",
            "int64" => "l",
            "metav1.Time" | "Time" => "t",
            "metav1.MicroTime" | "MicroTime" => "u",
            "metav1.Duration" => "d",
            "resource.Quantity" => "q",
            "intstr.IntOrString" => "p",
            "runtime.RawExtension" => "x",
            "metav1.FieldsV1" | "FieldsV1" => "f",
            _ => "",
        };
        if !simple.is_empty() {
            return Ok(simple.to_string());
        }
        let (folder, name) = match go_type.split_once('.') {
            None => (folder, go_type),
            Some(("metav1", name)) => (META, name),
            Some(("v1" | "corev1" | "apiv1", name)) => ("core/v1", name),
            Some(("types", name)) => ("types", name),
            Some((package, _)) => return Err(format!("unknown package {package}")),
        };
        // `type A = B` and types that only rename a struct.
        if let Some(definition) = self
            .definitions
            .get(&(folder.to_string(), name.to_string()))
            && !definition.is_struct
            && self
                .definitions
                .contains_key(&(folder.to_string(), definition.alias.clone()))
        {
            let alias = definition.alias.clone();
            return Ok(self.id(folder, &alias).to_string());
        }
        Ok(self.id(folder, name).to_string())
    }

    fn line(&mut self, folder: &str, name: &str) -> Result<String, String> {
        let package = match folder {
            "types" => "types.",
            _ if folder.ends_with("v2") => "v2.",
            _ => "",
        };
        let mut line = format!("{package}{name}");
        let definitions = self.definitions;
        let key = (folder.to_string(), name.to_string());
        let whole = definitions
            .get(&key)
            .is_some_and(|d| d.is_struct && d.markers.iter().any(|m| m == "structType=atomic"));
        if whole {
            line.push('!');
        }
        let Some(definition) = definitions.get(&(folder.to_string(), name.to_string())) else {
            if folder == "types" {
                line.push_str("=s");
                return Ok(line);
            }
            return Err(format!("no type {folder} {name}"));
        };
        if !definition.is_struct {
            line.push('=');
            line.push_str(&self.code(folder, &definition.alias)?);
            if definition.markers.iter().any(|m| m == "enum") {
                for value in &definition.values {
                    line.push(' ');
                    line.push_str(if value.is_empty() { "\"\"" } else { value });
                }
            }
            return Ok(line);
        }
        for field in &definition.fields {
            let json = quoted(&field.tag, "json:");
            let mut options = json.split(',');
            let json_name = options.next().unwrap_or("");
            let options: Vec<&str> = options.collect();
            let has = |o: &str| options.contains(&o);
            if json_name == "-" {
                continue;
            }
            let inline = json_name.is_empty();
            if inline && field.go_type.ends_with("TypeMeta") {
                line.push_str(" kind:so apiVersion:so");
                continue;
            }
            let shown = if inline {
                field.go_type.rsplit('.').next().unwrap_or("")
            } else {
                json_name
            };
            let code = self.code(folder, &field.go_type)?;
            line.push_str(&format!(" {shown}:{code}"));
            if inline {
                line.push('~');
                continue;
            }
            let marked = |m: &str| field.markers.iter().any(|x| x == m);
            if has("omitempty") {
                line.push('o');
            }
            if has("omitzero") {
                line.push('z');
            }
            if marked("required") || (!has("omitempty") && !marked("optional")) {
                line.push('!');
            }
            let strategy = quoted(&field.tag, "patchStrategy:");
            let key = quoted(&field.tag, "patchMergeKey:");
            match strategy {
                "" => {}
                "merge" => line.push_str(&format!("/m{key}")),
                "retainKeys" => line.push_str("/r"),
                "replace" => line.push_str("/p"),
                "merge,retainKeys" => line.push_str(&format!("/R{key}")),
                other => return Err(format!("patch strategy {other}")),
            }
            let type_markers = definitions
                .get(&resolve(folder, &field.go_type))
                .map_or(&[][..], |d| d.markers.as_slice());
            let all: Vec<&String> = field.markers.iter().chain(type_markers).collect();
            let value = |prefix: &str| all.iter().find_map(|m| m.strip_prefix(prefix));
            let keys: Vec<&str> = field
                .markers
                .iter()
                .filter_map(|m| m.strip_prefix("listMapKey="))
                .collect();
            match value("listType=") {
                Some("map") => line.push_str(&format!("@m{}", keys.join(","))),
                Some("set") => line.push_str("@s"),
                Some("atomic") => line.push_str("@a"),
                _ if value("mapType=") == Some("atomic")
                    || value("structType=") == Some("atomic") =>
                {
                    line.push_str("@a");
                }
                _ => {}
            }
            if let Some(default) = value("default=") {
                let constant = default
                    .strip_prefix("ref(")
                    .map(|d| d.trim_end_matches(')'));
                let text = match constant {
                    Some("AzureDataDiskCachingReadWrite") => "ReadWrite",
                    Some("AzureSharedBlobDisk") => "Shared",
                    Some(other) => return Err(format!("unknown default {other}")),
                    None => default.trim_matches('"'),
                };
                line.push_str(&format!("={text}"));
            }
        }
        Ok(line)
    }
}

fn resolve(folder: &str, go_type: &str) -> (String, String) {
    let base = go_type.trim_start_matches(['*', '[', ']']);
    match base.split_once('.') {
        Some(("metav1", name)) => (META.to_string(), name.to_string()),
        Some(("v1" | "corev1" | "apiv1", name)) => ("core/v1".to_string(), name.to_string()),
        _ => (folder.to_string(), base.to_string()),
    }
}

/// The quoted text after `key` in a struct tag.
fn quoted<'a>(tag: &'a str, key: &str) -> &'a str {
    tag.split_once(key)
        .and_then(|(_, rest)| rest.strip_prefix('"'))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("")
}

fn write(roots: &[(String, String)], definitions: &Definitions) -> Result<String, String> {
    let mut writer = Writer {
        definitions,
        ids: BTreeMap::new(),
        queue: VecDeque::new(),
    };
    for (folder, name) in roots {
        writer.id(folder, name);
    }
    let mut out = String::new();
    while let Some((folder, name)) = writer.queue.pop_front() {
        out.push_str(&writer.line(&folder, &name)?);
        out.push('\n');
    }
    Ok(out)
}
