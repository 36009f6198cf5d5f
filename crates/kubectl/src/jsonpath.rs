//! JSONPath templates and field paths, as kubectl reads them, and the simplest Go templates.
//!
//! Models: staging/src/k8s.io/client-go/util/jsonpath (v1.36)
//! Left out: pipelines, functions and variables of Go templates.

use podscope_api::{Value, json};

/// A part of a template.
#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Node>),
}

#[derive(Clone, Debug)]
enum Step {
    Root,
    Field(String),
    /// Start, end and step.
    Slice(Option<i64>, Option<i64>, i64),
    Index(i64),
    Wildcard,
    Recursive,
    Filter(Vec<Step>, String, Option<Operand>),
    Union(Vec<Vec<Step>>),
}

#[derive(Clone, Debug)]
enum Operand {
    Path(Vec<Step>),
    Literal(Value),
}

/// A parsed template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    nodes: Vec<Node>,
    missing: &'static str,
}

/// How deep templates and documents may nest.
const MAX_DEPTH: usize = 64;

impl Template {
    /// Reads a JSONPath template such as `{.items[*].metadata.name}`.
    pub fn jsonpath(text: &str) -> Result<Template, String> {
        let mut parser = Parser {
            rest: text,
            open: "{",
            close: "}",
        };
        Ok(Template {
            nodes: parser.nodes(0)?.0,
            missing: "",
        })
    }

    /// Reads a Go template made of fields, ranges and texts.
    pub fn go(text: &str) -> Result<Template, String> {
        let mut parser = Parser {
            rest: text,
            open: "{{",
            close: "}}",
        };
        Ok(Template {
            nodes: parser.nodes(0)?.0,
            missing: "<no value>",
        })
    }

    /// Reads a field path in any of its forms: `x.y`, `.x.y`, `{.x.y}`.
    pub fn field(text: &str) -> Result<Template, String> {
        let inner = text
            .strip_prefix('{')
            .and_then(|t| t.strip_suffix('}'))
            .unwrap_or(text);
        let dotted = if inner.starts_with(['.', '[']) {
            inner.to_string()
        } else {
            format!(".{inner}")
        };
        Template::jsonpath(&format!("{{{dotted}}}"))
    }

    /// The template's text for a document.
    pub fn print(&self, document: &Value) -> Result<String, String> {
        let mut out = String::new();
        self.write(&self.nodes, document, document, &mut out)?;
        Ok(out)
    }

    fn write(
        &self,
        nodes: &[Node],
        root: &Value,
        at: &Value,
        out: &mut String,
    ) -> Result<(), String> {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Path(steps) => {
                    let found = walk(steps, root, at)?;
                    let shown: Vec<String> = found.iter().map(text_of).collect();
                    out.push_str(&shown.join(" "));
                    if found.is_empty() {
                        out.push_str(self.missing);
                    }
                }
                Node::Range(steps, body) => {
                    for item in walk(steps, root, at)? {
                        let items = match &item {
                            Value::List(l) if !self.missing.is_empty() => l.to_vec(),
                            _ => vec![item],
                        };
                        for item in &items {
                            self.write(body, root, item, out)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// What all paths of the template find.
    pub fn find(&self, document: &Value) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        for node in &self.nodes {
            if let Node::Path(steps) = node {
                found.extend(walk(steps, document, document)?);
            }
        }
        Ok(found)
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => String::new(),
        other => {
            let mut out = String::new();
            json::write(&mut out, other, true);
            out
        }
    }
}

fn walk(steps: &[Step], root: &Value, at: &Value) -> Result<Vec<Value>, String> {
    let mut current = vec![at.clone()];
    for step in steps {
        let mut next = Vec::new();
        if let Step::Union(paths) = step {
            for path in paths {
                for value in &current {
                    next.extend(walk(path, root, value)?);
                }
            }
            current = next;
            continue;
        }
        for value in &current {
            one(step, root, value, &mut next)?;
        }
        current = next;
    }
    Ok(current)
}

fn one(step: &Step, root: &Value, value: &Value, out: &mut Vec<Value>) -> Result<(), String> {
    match step {
        Step::Root => out.push(root.clone()),
        Step::Field(name) => {
            if let Some(found) = value.as_map().and_then(|m| m.get(name)) {
                out.push(found.clone());
            }
        }
        Step::Wildcard => {
            out.extend(value.items().iter().cloned());
            out.extend(value.entries().iter().map(|(_, v)| v.clone()));
        }
        Step::Recursive => descend(value, out, 0),
        Step::Index(index) => {
            if let Value::List(items) = value {
                let len = items.len() as i64;
                let at = if *index < 0 { len + index } else { *index };
                match usize::try_from(at).ok().and_then(|at| items.get(at)) {
                    Some(found) => out.push(found.clone()),
                    None => {
                        return Err(format!(
                            "array index out of bounds: index {index}, length {len}"
                        ));
                    }
                }
            }
        }
        Step::Slice(from, to, step) => {
            let items = value.items();
            let len = items.len() as i64;
            let place = |i: i64| (if i < 0 { len + i } else { i }).clamp(0, len);
            let (mut at, end) = (place(from.unwrap_or(0)), place(to.unwrap_or(len)));
            while at < end {
                out.extend(usize::try_from(at).ok().and_then(|i| items.get(i)).cloned());
                at += (*step).max(1);
            }
        }
        Step::Union(_) => {}
        Step::Filter(left, operator, right) => {
            let children: Vec<Value> = match value {
                Value::Map(m) => m.entries().iter().map(|(_, v)| v.clone()).collect(),
                other => other.items().to_vec(),
            };
            for child in children {
                let found = walk(left, root, &child)?;
                let keep = match right {
                    None => !found.is_empty(),
                    Some(operand) => {
                        let other = match operand {
                            Operand::Literal(value) => Some(value.clone()),
                            Operand::Path(path) => walk(path, root, &child)?.into_iter().next(),
                        };
                        match (found.first(), &other) {
                            (Some(a), Some(b)) => compare(a, operator, b),
                            _ => false,
                        }
                    }
                };
                if keep {
                    out.push(child);
                }
            }
        }
    }
    Ok(())
}

fn compare(a: &Value, operator: &str, b: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = order(a, b);
    match operator {
        "==" => order == Some(Equal),
        "!=" => order != Some(Equal),
        "<" => order == Some(Less),
        ">" => order == Some(Greater),
        "<=" => matches!(order, Some(Less | Equal)),
        _ => matches!(order, Some(Greater | Equal)),
    }
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => (a == b).then_some(std::cmp::Ordering::Equal),
    }
}

fn descend(value: &Value, out: &mut Vec<Value>, depth: usize) {
    if depth > MAX_DEPTH || !matches!(value, Value::Map(_) | Value::List(_)) {
        return;
    }
    out.push(value.clone());
    for child in value.items() {
        descend(child, out, depth + 1);
    }
    for (_, child) in value.entries() {
        descend(child, out, depth + 1);
    }
}

struct Parser<'a> {
    rest: &'a str,
    open: &'static str,
    close: &'static str,
}

impl<'a> Parser<'a> {
    /// Nodes up to the end or an `end`; says which.
    fn nodes(&mut self, depth: usize) -> Result<(Vec<Node>, bool), String> {
        if depth > MAX_DEPTH {
            return Err("template nests too deep".into());
        }
        let mut nodes = Vec::new();
        while !self.rest.is_empty() {
            let Some(at) = self.rest.find(self.open) else {
                nodes.push(Node::Text(std::mem::take(&mut self.rest).to_string()));
                break;
            };
            let (text, action) = self.rest.split_at(at);
            if !text.is_empty() {
                nodes.push(Node::Text(text.to_string()));
            }
            let action = action.get(self.open.len()..).unwrap_or("");
            let end = closing(action, self.close).ok_or("unclosed action")?;
            let inner = action.get(..end).unwrap_or("").trim();
            self.rest = action.get(end + self.close.len()..).unwrap_or("");
            if inner == "end" {
                return Ok((nodes, true));
            }
            if let Some(path) = inner.strip_prefix("range ") {
                let steps = path_steps(path.trim())?;
                let (body, ended) = self.nodes(depth + 1)?;
                if !ended {
                    return Err("unexpected end of template".into());
                }
                nodes.push(Node::Range(steps, body));
            } else if inner.starts_with('"') || inner.starts_with('\'') {
                nodes.push(Node::Text(literal(inner)));
            } else {
                nodes.push(Node::Path(path_steps(inner)?));
            }
        }
        Ok((nodes, false))
    }
}

/// Where an action ends, not counting what stands in quotes.
fn closing(text: &str, close: &str) -> Option<usize> {
    let mut quote = None;
    let mut skip = false;
    for (i, c) in text.char_indices() {
        if skip {
            skip = false;
        } else if c == '\\' {
            skip = true;
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_none() {
            if c == '"' || c == '\'' {
                quote = Some(c);
            } else if text.get(i..).is_some_and(|t| t.starts_with(close)) {
                return Some(i);
            }
        }
    }
    None
}

fn literal(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().skip(1).peekable();
    while let Some(c) = chars.next() {
        if chars.peek().is_none() {
            break;
        }
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

fn path_steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('$') {
        steps.push(Step::Root);
        rest = after;
    } else if let Some(after) = rest.strip_prefix('@') {
        rest = after;
    } else if !rest.starts_with(['.', '[']) && !rest.is_empty() {
        return Err(format!(
            "unrecognized character in action: U+{:04X} '{}'",
            rest.chars().next().map_or(0, |c| c as u32),
            rest.chars().next().unwrap_or(' ')
        ));
    }
    while let Some(c) = rest.chars().next() {
        match c {
            '.' if rest.starts_with("..") => {
                steps.push(Step::Recursive);
                rest = rest.get(1..).unwrap_or("");
                if rest
                    .get(1..)
                    .is_none_or(|r| r.is_empty() || r.starts_with('['))
                {
                    rest = rest.get(1..).unwrap_or("");
                }
            }
            '.' => {
                let (name, after) = field_name(rest.get(1..).unwrap_or(""));
                rest = after;
                match name.as_str() {
                    "" => {}
                    "*" => steps.push(Step::Wildcard),
                    _ => steps.push(Step::Field(name)),
                }
            }
            '[' => {
                let inner = rest.get(1..).unwrap_or("");
                let end = closing_bracket(inner).ok_or("unterminated array")?;
                steps.push(bracket(inner.get(..end).unwrap_or("").trim())?);
                rest = inner.get(end + 1..).unwrap_or("");
            }
            ' ' => rest = rest.trim_start(),
            c => {
                return Err(format!(
                    "unrecognized character in action: U+{:04X} '{c}'",
                    c as u32
                ));
            }
        }
    }
    Ok(steps)
}

/// A field's name, where a backslash takes the next character as it is, and the rest.
fn field_name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        if escaped {
            name.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if matches!(c, '.' | '[' | ' ') {
            return (name, text.get(i..).unwrap_or(""));
        } else {
            name.push(c);
        }
    }
    (name, "")
}

fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(i),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Result<Step, String> {
    if inner == "*" {
        return Ok(Step::Wildcard);
    }
    if let Some(filter) = inner.strip_prefix("?(").and_then(|f| f.strip_suffix(')')) {
        return filter_step(filter.trim());
    }
    if inner.starts_with('\'') {
        let mut paths = Vec::new();
        for part in inner.split(',') {
            let part = part.trim().trim_matches('\'');
            let mut steps = Vec::new();
            let mut rest = part;
            while !rest.is_empty() {
                let (name, after) = field_name(rest);
                steps.push(Step::Field(name));
                rest = after.strip_prefix('.').unwrap_or("");
            }
            paths.push(steps);
        }
        return Ok(Step::Union(paths));
    }
    let bad = || format!("invalid array index {inner}");
    if inner.contains(',') {
        let mut paths = Vec::new();
        for part in inner.split(',') {
            paths.push(vec![Step::Index(part.trim().parse().map_err(|_| bad())?)]);
        }
        return Ok(Step::Union(paths));
    }
    if !inner.contains(':') {
        return inner.parse().map(Step::Index).map_err(|_| bad());
    }
    let mut parts = [None; 3];
    for (place, part) in parts.iter_mut().zip(inner.split(':')) {
        if !part.trim().is_empty() {
            *place = Some(part.trim().parse::<i64>().map_err(|_| bad())?);
        }
    }
    Ok(Step::Slice(parts[0], parts[1], parts[2].unwrap_or(1)))
}

fn filter_step(text: &str) -> Result<Step, String> {
    for operator in ["==", "!=", "<=", ">=", "<", ">"] {
        if let Some((left, right)) = text.split_once(operator) {
            let right = right.trim();
            let operand =
                match right.chars().next() {
                    Some('"' | '\'') => Operand::Literal(Value::from(literal(right))),
                    Some('@' | '$' | '.') => Operand::Path(path_steps(right)?),
                    _ => Operand::Literal(json::parse(right).map_err(|_| {
                        format!("unrecognized character in action: U+0000 '{right}'")
                    })?),
                };
            return Ok(Step::Filter(
                path_steps(left.trim())?,
                operator.into(),
                Some(operand),
            ));
        }
    }
    Ok(Step::Filter(path_steps(text)?, String::new(), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn templates() {
        let doc = value!({"items": [{"n": "a", "c": 1, "a": {"x.y": "z"}}, {"n": "b", "c": 2}], "k": "List"});
        let print = |t: &str| {
            Template::jsonpath(t)
                .and_then(|t| t.print(&doc))
                .unwrap_or_else(|e| e)
        };
        assert_eq!(print("{.items[*].n}"), "a b");
        assert_eq!(
            print("{range .items[*]}{.n}={.c}{\"\\n\"}{end}"),
            "a=1\nb=2\n"
        );
        assert_eq!(print("{.items[?(@.n==\"b\")].c}-{.items[-1:].n}"), "2-b");
        assert_eq!(print("{..n} {.items[*]['n','c']}"), "a b a b 1 2");
        assert_eq!(print("{.items[0].a.x\\.y}{.none}"), "z");
        assert_eq!(
            print("{.items[9].n}"),
            "array index out of bounds: index 9, length 2"
        );
        assert_eq!(print("{.items[\"n\"]}"), "invalid array index \"n\"");
        let go = Template::go("{{range .items}}{{.n}} {{end}}{{.x}}").and_then(|t| t.print(&doc));
        assert_eq!(go.as_deref(), Ok("a b <no value>"));
    }
}
