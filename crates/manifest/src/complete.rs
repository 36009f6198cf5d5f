//! What can be written at a place of a manifest: field names and values from the schema. Works line by
//! line, so that it also works while the text is not YAML.

use crate::span::Span;
use podscope_api::Kind;
use podscope_api::schema::{self, Field, Shape};

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The field's name or the value.
    pub label: String,
    /// The field's type, such as `[]Container`; empty for values.
    pub detail: String,
    /// What to write; a field's name comes with `:` and what begins its value.
    pub insert: String,
    /// Whether the field must be given.
    pub required: bool,
}

/// Proposals at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// What the proposals replace: the word before the cursor.
    pub replace: Span,
    /// The proposals, required fields first, then in the order of the API.
    pub items: Vec<Item>,
}

/// Proposals for a cursor before byte `cursor` of the text.
pub fn complete(text: &str, cursor: u32) -> Completion {
    let Some(context) = Context::at(text, cursor as usize) else {
        return Completion::default();
    };
    let items = match &context.value_of {
        Some(key) => values(&context, key),
        None => keys(&context),
    };
    let word = context.word.to_ascii_lowercase();
    let mut items: Vec<Item> = items
        .into_iter()
        .filter(|i| i.label.to_ascii_lowercase().starts_with(&word))
        .collect();
    podscope_api::sort::by_key(&mut items, |i| !i.required);
    Completion {
        replace: context.replace,
        items,
    }
}

/// The field at a place, for hover: its path without indexes, and what the schema knows of it.
pub fn field_at(text: &str, cursor: u32) -> Option<(Vec<String>, Field)> {
    let (kind, path) = path_at(text, cursor)?;
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let field = schema::field(kind, &parts)?;
    Some((path, field))
}

/// The kind of the document and the path, without indexes, of the field at a place.
pub fn path_at(text: &str, cursor: u32) -> Option<(Kind, Vec<String>)> {
    let line_end = text.get(cursor as usize..)?.find(['\n', ':']);
    let end = line_end.map_or(text.len(), |e| cursor as usize + e);
    let context = Context::at(text, end)?;
    let mut path = context.path.clone();
    match context.value_of {
        Some(key) => path.push(key),
        None => path.push(context.word.trim_matches(['"', '\'']).to_string()),
    }
    Some((context.kind?, path))
}

/// What the lines around a cursor say of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The document's kind, when it is known.
    pub kind: Option<Kind>,
    /// Field names from the outside to the object that the cursor is in.
    pub path: Vec<String>,
    /// The key whose value the cursor is in, if it is in a value.
    pub value_of: Option<String>,
    /// What is written of the word before the cursor.
    pub word: String,
    /// Where that word stands.
    pub replace: Span,
}

/// The place of a cursor before byte `cursor`; `None` in a comment.
pub fn place(text: &str, cursor: u32) -> Option<Place> {
    let context = Context::at(text, cursor as usize)?;
    Some(Place {
        kind: context.kind,
        path: context.path,
        value_of: context.value_of,
        word: context.word,
        replace: context.replace,
    })
}

/// What the lines around a cursor say.
struct Context {
    kind: Option<Kind>,
    api_version: String,
    /// Field names from the outside to the object that the cursor is in.
    path: Vec<String>,
    /// The key whose value the cursor is in, if it is in a value.
    value_of: Option<String>,
    /// What is written of the word.
    word: String,
    replace: Span,
    /// Keys that the object already has.
    siblings: Vec<String>,
}

/// A line that has a key: its column and name, and the column of the `- ` before it.
struct KeyLine<'a> {
    column: usize,
    key: &'a str,
    dash: Option<usize>,
}

fn key_line(line: &str) -> Option<KeyLine<'_>> {
    let trimmed = line.trim_end();
    let mut column = trimmed.len() - trimmed.trim_start_matches(' ').len();
    let mut dash = None;
    let mut rest = trimmed.get(column..)?;
    while let Some(after) = rest.strip_prefix('-') {
        if !after.is_empty() && !after.starts_with(' ') {
            break;
        }
        dash = Some(dash.unwrap_or(column));
        let blanks = after.len() - after.trim_start_matches(' ').len();
        column += 1 + blanks;
        rest = after.get(blanks..)?;
    }
    if rest.starts_with('#') {
        return None;
    }
    let end = rest.match_indices(':').map(|(i, _)| i).find(|i| {
        rest.get(i + 1..)
            .is_some_and(|r| r.is_empty() || r.starts_with(' '))
    });
    let key = rest.get(..end?)?.trim_matches(['"', '\'']);
    Some(KeyLine { column, key, dash })
}

impl Context {
    fn at(text: &str, cursor: usize) -> Option<Context> {
        let before = text.get(..cursor)?;
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = before.get(line_start..)?;
        if line.trim_start().starts_with('#') {
            return None;
        }
        let (start, end) = document_range(text, line_start);
        let document: Vec<&str> = text.get(start..end)?.lines().collect();
        let above: Vec<&str> = text.get(start..line_start)?.lines().collect();
        let below: Vec<&str> = text.get(line_start..end)?.lines().skip(1).collect();
        let top = |name: &str| {
            document.iter().find_map(|l| {
                let value = l.strip_prefix(name)?.strip_prefix(':')?;
                Some(value.split(" #").next()?.trim().trim_matches(['"', '\'']))
            })
        };
        let api_version = top("apiVersion").unwrap_or("").to_string();
        let kind = Kind::from_api(&api_version, top("kind").unwrap_or(""));
        let own = key_line(line);
        let blank = line.len() - line.trim_start_matches([' ', '-']).len();
        let column = own.as_ref().map_or(blank, |k| k.column);
        let (value_of, word) = match &own {
            Some(own) => {
                let after = line.split_once(':').map_or("", |(_, after)| after);
                (Some(own.key.to_string()), after.trim_start())
            }
            None => (None, line.get(blank..)?),
        };
        // A dash on this line makes an item of the list above it.
        let dash = own.as_ref().map_or_else(
            || {
                line.trim_start()
                    .starts_with('-')
                    .then(|| line.find('-').unwrap_or(0))
            },
            |k| k.dash,
        );
        let (path, mut siblings) = parents(&above, column, dash);
        // Fields of the same object below the cursor.
        for line in below {
            match key_line(line) {
                Some(k) if k.column == column && k.dash.is_none() => {
                    siblings.push(k.key.to_string())
                }
                Some(k) if k.dash.unwrap_or(k.column) < column => break,
                _ => {}
            }
        }
        Some(Context {
            kind,
            api_version,
            path,
            value_of,
            word: word.to_string(),
            replace: Span {
                start: (cursor - word.len()) as u32,
                end: cursor as u32,
                line: before.matches('\n').count() as u32 + 1,
                column: line.chars().count() as u32 + 1 - word.chars().count() as u32,
            },
            siblings,
        })
    }
}

/// The keys around a column, from the outside, and the keys above beside it.
fn parents(above: &[&str], column: usize, dash: Option<usize>) -> (Vec<String>, Vec<String>) {
    let mut path = Vec::new();
    let mut siblings = Vec::new();
    let mut limit = column;
    let mut in_item = dash;
    for line in above.iter().rev() {
        let Some(key) = key_line(line) else {
            continue;
        };
        if in_item.is_none() && key.column == limit && path.is_empty() {
            siblings.push(key.key.to_string());
            if key.dash.is_some() {
                in_item = key.dash;
            }
            continue;
        }
        // A list may stand at the column of its key.
        let is_parent = match in_item {
            Some(dash) => key.column <= dash && key.dash.is_none_or(|d| d < dash),
            None => key.column < limit,
        };
        if !is_parent {
            continue;
        }
        path.push(key.key.to_string());
        limit = key.column;
        in_item = key.dash;
        if limit == 0 {
            break;
        }
    }
    path.reverse();
    (path, siblings)
}

/// The bytes of the document that a line belongs to.
fn document_range(text: &str, line_start: usize) -> (usize, usize) {
    let (mut start, mut offset) = (0, 0);
    for line in text.split_inclusive('\n') {
        let next = offset + line.len();
        if line.starts_with("---") {
            if offset > line_start {
                return (start, offset);
            }
            start = next.min(line_start.max(start));
            if next <= line_start {
                start = next;
            }
        }
        offset = next;
    }
    (start, text.len())
}

fn keys(context: &Context) -> Vec<Item> {
    let parts: Vec<&str> = context.path.iter().map(String::as_str).collect();
    let fields = match context.kind {
        Some(kind) => schema::fields(kind, &parts),
        None if parts.is_empty() => schema::fields(Kind::Pod, &[])
            .into_iter()
            .filter(|f| matches!(f.name, "apiVersion" | "kind" | "metadata"))
            .collect(),
        None => Vec::new(),
    };
    fields
        .into_iter()
        .filter(|f| f.name != "status" && !context.siblings.iter().any(|s| s == f.name))
        .map(|f| Item {
            label: f.name.to_string(),
            detail: f.ty.label(),
            insert: insertion(&f, context),
            required: f.required,
        })
        .collect()
}

/// `name: `, or for what stands on lines of its own, the beginning of these.
fn insertion(field: &Field, context: &Context) -> String {
    let column = context.replace.column.saturating_sub(1) as usize;
    let indent = " ".repeat(column);
    match field.ty.shape() {
        Shape::List(_) => format!("{}:\n{indent}- ", field.name),
        Shape::Map(_) | Shape::Struct(_) => format!("{}:\n{indent}  ", field.name),
        _ => format!("{}: ", field.name),
    }
}

fn values(context: &Context, key: &str) -> Vec<Item> {
    let item = |label: &str| Item {
        label: label.to_string(),
        detail: String::new(),
        insert: label.to_string(),
        required: false,
    };
    if context.path.is_empty() {
        let mut names: Vec<String> = match key {
            "apiVersion" => Kind::ALL.iter().map(|k| k.api_version()).collect(),
            "kind" => {
                let fits = |k: &&Kind| {
                    context.api_version.is_empty() || k.api_version() == context.api_version
                };
                Kind::ALL
                    .iter()
                    .filter(fits)
                    .map(|k| k.name().to_string())
                    .collect()
            }
            _ => Vec::new(),
        };
        names.dedup();
        if !names.is_empty() {
            return names.iter().map(|n| item(n)).collect();
        }
    }
    let mut parts: Vec<&str> = context.path.iter().map(String::as_str).collect();
    parts.push(key);
    let Some(field) = context.kind.and_then(|kind| schema::field(kind, &parts)) else {
        return Vec::new();
    };
    match field.ty.shape() {
        Shape::Bool => vec![item("true"), item("false")],
        _ => field
            .ty
            .values()
            .filter(|v| !v.is_empty())
            .map(item)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proposals at the `^` in a text.
    fn at(text: &str) -> Vec<String> {
        let cursor = text.find('^').expect("a cursor");
        let completion = complete(&text.replace('^', ""), cursor as u32);
        completion.items.into_iter().map(|i| i.label).collect()
    }

    const HEAD: &str = "apiVersion: apps/v1\nkind: Deployment\n";

    #[test]
    fn fields_follow_the_place() {
        assert_eq!(at("api^"), ["apiVersion"]);
        assert_eq!(at(&format!("{HEAD}spec:\n  rep^")), ["replicas"]);
        let text = format!(
            "{HEAD}spec:\n  template:\n    spec:\n      containers:\n      - name: c\n        im^"
        );
        assert_eq!(at(&text), ["image", "imagePullPolicy"]);
        let text = format!("{HEAD}spec:\n  template:\n    spec:\n      containers:\n      - na^");
        assert_eq!(at(&text), ["name"]);
        let text = format!(
            "{HEAD}spec:\n  template:\n    spec:\n      containers:\n        - name: c\n          ports:\n            - containerPort: 80\n              pro^"
        );
        assert_eq!(at(&text), ["protocol"]);
        let text = format!(
            "{HEAD}spec:\n  template:\n    spec:\n      containers:\n      - name: c\n      restart^"
        );
        assert_eq!(at(&text), ["restartPolicy"]);
    }

    #[test]
    fn fields_that_are_there_are_not_proposed() {
        let text = format!("{HEAD}spec:\n  replicas: 3\n  re^\n  selector: {{}}\n");
        assert_eq!(at(&text), ["revisionHistoryLimit"]);
        let text = format!("{HEAD}spec:\n  se^\n  selector: {{}}\n");
        assert!(at(&text).is_empty());
    }

    #[test]
    fn values_follow_the_field() {
        assert_eq!(at("kind: Dep^"), ["Deployment"]);
        assert_eq!(
            at("apiVersion: apps/v1\nkind: D^"),
            ["Deployment", "DaemonSet"]
        );
        let pod = "apiVersion: v1\nkind: Pod\nspec:\n";
        assert_eq!(
            at(&format!("{pod}  restartPolicy: ^")),
            ["Always", "OnFailure", "Never"]
        );
        assert_eq!(at(&format!("{pod}  hostNetwork: t^")), ["true"]);
        assert!(at(&format!("{pod}  # rest^")).is_empty());
    }

    #[test]
    fn each_document_is_its_own() {
        let text = format!("{HEAD}---\napiVersion: v1\nkind: Service\nspec:\n  sel^\n---\n{HEAD}");
        assert_eq!(at(&text), ["selector"]);
        let text = format!("{HEAD}spec:\n  strat^\n---\napiVersion: v1\nkind: Service\n");
        assert_eq!(at(&text), ["strategy"]);
    }

    #[test]
    fn hover_names_the_field() {
        let text = format!(
            "{HEAD}spec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      - image: nginx\n"
        );
        let path = |needle: &str| {
            let found = field_at(&text, text.find(needle).expect("there") as u32 + 1);
            found.map(|(path, field)| (path.join("."), field.ty.label()))
        };
        assert_eq!(
            path("replicas"),
            Some(("spec.replicas".into(), "integer".into()))
        );
        assert_eq!(
            path("image"),
            Some((
                "spec.template.spec.containers.image".into(),
                "string".into()
            ))
        );
        assert_eq!(path("nginx").map(|p| p.1), Some("string".into()));
    }

    #[test]
    fn any_place_of_any_text_is_fine() {
        let text = "a:\n- - b: c\n  é: {x: \"y\n---\n-\n - k:\n\t:\n  ---\n# c\nspec:\n- : x";
        for cursor in 0..=text.len() as u32 + 2 {
            let completion = complete(text, cursor);
            assert!(completion.replace.start <= completion.replace.end);
            field_at(text, cursor);
        }
    }
}
