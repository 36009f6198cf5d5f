//! Tokens to nodes, with the errors of Go's yaml.v2.
//!
//! Models: go.yaml.in/yaml/v2 parserc.go and decode.go (`fail`)

use crate::document::{Content, Node, NodeId};
use crate::scalar;
use crate::scanner::{Error, Kind, Mark, Scanner, Style, Token};
use crate::span::Span;
use podscope_api::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Documents with more levels are refused.
pub const MAX_DEPTH: usize = 100;

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The words of Go's reader, such as `yaml: line 3: did not find expected key`, and the place.
    Syntax(String, Span),
    /// Lists and maps are nested deeper than [`MAX_DEPTH`].
    TooDeep(Span),
}

/// The nodes of the first document of a text that stands at `chunk` of the whole; `None` when there is none.
pub fn read(text: &str, chunk: Span) -> Result<Option<(Vec<Node>, NodeId)>, Refusal> {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        chunk,
        nodes: Vec::new(),
        anchors: BTreeMap::new(),
        tags: Vec::new(),
        depth: 0,
    };
    if let Some(at) = control_character(text) {
        let problem = "yaml: control characters are not allowed".to_string();
        return Err(Refusal::Syntax(problem, reader.span(at, at)));
    }
    match reader.document() {
        Ok(root) => Ok(root.map(|root| (reader.nodes, root))),
        Err(Stop::TooDeep(at)) => Err(Refusal::TooDeep(reader.span(at, at))),
        Err(Stop::Alias(words, at, end)) => Err(Refusal::Syntax(words, reader.span(at, end))),
        Err(Stop::Syntax(error)) => {
            let words = words(&error);
            Err(Refusal::Syntax(words, reader.span(error.at, error.at)))
        }
    }
}

/// Go's message; the line is counted as Go counts it.
fn words(error: &Error) -> String {
    let line = match error.at.line {
        0 => error.since.line,
        line => line + u32::from(error.by_scanner),
    };
    match line {
        0 => format!("yaml: {}", error.problem),
        line => format!("yaml: line {line}: {}", error.problem),
    }
}

/// The first character that Go's reader refuses before it scans.
fn control_character(text: &str) -> Option<Mark> {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | '\u{85}' | ' '..='~')
            || (c >= '\u{a0}' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    let (byte, _) = text.char_indices().find(|(_, c)| !allowed(*c))?;
    let before = text.get(..byte).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    Some(Mark {
        byte: byte as u32,
        index: 0,
        line: before.matches('\n').count() as u32,
        column: before.get(line_start..).map_or(0, |l| l.chars().count()) as u32,
    })
}

enum Stop {
    Syntax(Error),
    TooDeep(Mark),
    Alias(String, Mark, Mark),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Syntax(error)
    }
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    chunk: Span,
    nodes: Vec<Node>,
    anchors: BTreeMap<&'t str, NodeId>,
    tags: Vec<(&'t str, &'t str)>,
    depth: usize,
}

/// What a node may have before it.
#[derive(Default)]
struct Properties<'t> {
    anchor: Option<&'t str>,
    tag: Option<Cow<'t, str>>,
}

impl<'t> Reader<'t> {
    fn span(&self, start: Mark, end: Mark) -> Span {
        let byte = |mark: Mark| (self.chunk.start + mark.byte).min(self.chunk.end);
        Span {
            start: byte(start),
            end: byte(end).max(byte(start)),
            line: self.chunk.line + start.line,
            column: start.column + 1,
        }
    }

    fn peek(&mut self) -> Result<&Token<'t>, Error> {
        self.scanner.peek()
    }

    fn kind(&mut self) -> Result<&Kind<'t>, Error> {
        Ok(&self.scanner.peek()?.kind)
    }

    /// Takes the next token; gives where it begins and ends.
    fn take(&mut self) -> (Mark, Mark) {
        let token = self.scanner.take();
        token.map_or((Mark::default(), Mark::default()), |t| (t.start, t.end))
    }

    fn push(&mut self, span: Span, content: Content) -> NodeId {
        self.nodes.push(Node { span, content });
        self.nodes.len() as NodeId - 1
    }

    fn empty(&mut self, at: Mark) -> NodeId {
        let span = self.span(at, at);
        self.push(span, Content::Scalar(Value::Null, true))
    }

    fn expected(&mut self, problem: &'static str, since: Mark) -> Stop {
        match self.peek() {
            Ok(token) => Stop::Syntax(Error {
                problem: Cow::Borrowed(problem),
                at: token.start,
                since,
                by_scanner: false,
            }),
            Err(error) => Stop::Syntax(error),
        }
    }

    fn document(&mut self) -> Result<Option<NodeId>, Stop> {
        let root = match self.kind()? {
            Kind::StreamEnd => return Ok(None),
            Kind::Version(..) | Kind::TagDirective(..) | Kind::DocumentStart => {
                self.directives()?;
                if *self.kind()? != Kind::DocumentStart {
                    let problem = "did not find expected <document start>";
                    return Err(self.expected(problem, Mark::default()));
                }
                self.take();
                match self.kind()? {
                    Kind::Version(..)
                    | Kind::TagDirective(..)
                    | Kind::DocumentStart
                    | Kind::DocumentEnd
                    | Kind::StreamEnd => {
                        let at = self.peek()?.start;
                        self.empty(at)
                    }
                    _ => self.node(true, false)?,
                }
            }
            _ => self.node(true, false)?,
        };
        // The document ends with the next token, which must be one.
        self.peek()?;
        Ok(Some(root))
    }

    #[inline(never)]
    fn directives(&mut self) -> Result<(), Stop> {
        let mut has_version = false;
        loop {
            let problem = match *self.kind()? {
                Kind::Version(..) if has_version => "found duplicate %YAML directive",
                Kind::Version(1, 1) => {
                    has_version = true;
                    ""
                }
                Kind::Version(..) => "found incompatible YAML document",
                Kind::TagDirective(handle, prefix) => {
                    if self.tags.iter().any(|(h, _)| *h == handle) {
                        "found duplicate %TAG directive"
                    } else {
                        self.tags.push((handle, prefix));
                        ""
                    }
                }
                _ => return Ok(()),
            };
            if !problem.is_empty() {
                return Err(self.expected(problem, Mark::default()));
            }
            self.take();
        }
    }

    fn properties(&mut self) -> Result<(Properties<'t>, Mark, Mark), Stop> {
        let mut properties = Properties::default();
        let start = self.peek()?.start;
        let mut end = start;
        loop {
            let token = self.peek()?.clone();
            match token.kind {
                Kind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                }
                Kind::Tag(handle, suffix) if properties.tag.is_none() => {
                    let Some(prefix) = self.tag_prefix(handle) else {
                        return Err(self.expected("found undefined tag handle", start));
                    };
                    properties.tag = Some(match prefix {
                        "" => Cow::Borrowed(suffix),
                        prefix => Cow::Owned(format!("{prefix}{suffix}")),
                    });
                }
                _ => return Ok((properties, start, end)),
            }
            end = token.end;
            self.take();
        }
    }

    fn tag_prefix(&self, handle: &str) -> Option<&'t str> {
        if let Some((_, prefix)) = self.tags.iter().find(|(h, _)| *h == handle) {
            return Some(prefix);
        }
        match handle {
            "" => Some(""),
            "!" => Some("!"),
            "!!" => Some("tag:yaml.org,2002:"),
            _ => None,
        }
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<NodeId, Stop> {
        let first = self.peek()?;
        if let Kind::Alias(name) = first.kind {
            let (start, end) = self.take();
            let Some(target) = self.anchors.get(name).copied() else {
                let words = format!("yaml: unknown anchor '{name}' referenced");
                return Err(Stop::Alias(words, start, end));
            };
            let span = self.span(start, end);
            return Ok(self.push(span, Content::Alias(target)));
        }
        let (properties, start, end) = self.properties()?;
        let token = self.peek()?.clone();
        let id = match token.kind {
            Kind::BlockEntry if indentless => {
                let id = self.open(&properties, &token)?;
                self.indentless_sequence(id)?;
                id
            }
            Kind::Scalar(text, style) => {
                self.take();
                let tag = properties.tag.as_deref();
                let content = scalar_content(&text, style, tag);
                let mut span = self.span(token.start, token.end);
                if style == Style::Block {
                    // Without the empty lines after it.
                    let source = self.scanner.slice(token.start, token.end);
                    span.end = span.start + source.trim_end().len() as u32;
                }
                let id = self.push(span, content);
                self.name(&properties, id);
                return Ok(id);
            }
            Kind::FlowSequenceStart => {
                let id = self.open(&properties, &token)?;
                self.flow_sequence(id, token.start)?;
                id
            }
            Kind::FlowMappingStart => {
                let id = self.open(&properties, &token)?;
                self.flow_mapping(id, token.start)?;
                id
            }
            Kind::BlockSequenceStart if block => {
                let id = self.open(&properties, &token)?;
                self.block_sequence(id, token.start)?;
                id
            }
            Kind::BlockMappingStart if block => {
                let id = self.open(&properties, &token)?;
                self.block_mapping(id, token.start)?;
                id
            }
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                let span = self.span(start, end);
                let content = scalar_content("", Style::Plain, properties.tag.as_deref());
                let id = self.push(span, content);
                self.name(&properties, id);
                return Ok(id);
            }
            _ => return Err(self.expected("did not find expected node content", start)),
        };
        self.depth -= 1;
        Ok(id)
    }

    fn name(&mut self, properties: &Properties<'t>, id: NodeId) {
        if let Some(name) = properties.anchor {
            self.anchors.insert(name, id);
        }
    }

    /// Begins a collection, so that aliases within can name it.
    fn open(&mut self, properties: &Properties<'t>, token: &Token<'t>) -> Result<NodeId, Stop> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Stop::TooDeep(token.start));
        }
        let span = self.span(token.start, token.start);
        let id = self.push(span, Content::List(Vec::new()));
        self.name(properties, id);
        Ok(id)
    }

    fn close(&mut self, id: NodeId, content: Content, end: Option<Mark>) {
        let last = match &content {
            Content::List(items) => items.last().copied(),
            Content::Map(entries) => entries.last().map(|(_, value)| *value),
            _ => None,
        };
        let last = last
            .and_then(|l| self.nodes.get(l as usize))
            .map(|n| n.span.end);
        let end = end.map(|e| self.span(e, e).end).or(last);
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.span.end = end.unwrap_or(node.span.end).max(node.span.end);
            node.content = content;
        }
    }

    #[inline(never)]
    fn block_sequence(&mut self, id: NodeId, since: Mark) -> Result<(), Stop> {
        self.take();
        let mut items = Vec::new();
        loop {
            match self.kind()? {
                Kind::BlockEntry => {
                    let (_, end) = self.take();
                    items.push(match self.kind()? {
                        Kind::BlockEntry | Kind::BlockEnd => self.empty(end),
                        _ => self.node(true, false)?,
                    });
                }
                Kind::BlockEnd => {
                    self.take();
                    self.close(id, Content::List(items), None);
                    return Ok(());
                }
                _ => return Err(self.expected("did not find expected '-' indicator", since)),
            }
        }
    }

    fn indentless_sequence(&mut self, id: NodeId) -> Result<(), Stop> {
        let mut items = Vec::new();
        while *self.kind()? == Kind::BlockEntry {
            let (_, end) = self.take();
            items.push(match self.kind()? {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(end),
                _ => self.node(true, false)?,
            });
        }
        self.close(id, Content::List(items), None);
        Ok(())
    }

    fn block_mapping(&mut self, id: NodeId, since: Mark) -> Result<(), Stop> {
        self.take();
        let mut entries = Vec::new();
        loop {
            match self.kind()? {
                Kind::Key => {
                    let (_, end) = self.take();
                    let key = self.block_part(end)?;
                    let token = self.peek()?;
                    let (is_value, at) = (token.kind == Kind::Value, token.start);
                    let value = if is_value {
                        let (_, end) = self.take();
                        self.block_part(end)?
                    } else {
                        self.empty(at)
                    };
                    entries.push((key, value));
                }
                Kind::BlockEnd => {
                    self.take();
                    self.close(id, Content::Map(entries), None);
                    return Ok(());
                }
                _ => return Err(self.expected("did not find expected key", since)),
            }
        }
    }

    /// A key or value of a block mapping; nothing may stand for null.
    fn block_part(&mut self, at: Mark) -> Result<NodeId, Stop> {
        match self.kind()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => Ok(self.empty(at)),
            _ => self.node(true, true),
        }
    }

    #[inline(never)]
    fn flow_sequence(&mut self, id: NodeId, since: Mark) -> Result<(), Stop> {
        self.take();
        let mut items = Vec::new();
        while *self.kind()? != Kind::FlowSequenceEnd {
            if !items.is_empty() {
                if *self.kind()? != Kind::FlowEntry {
                    return Err(self.expected("did not find expected ',' or ']'", since));
                }
                self.take();
            }
            match self.kind()? {
                Kind::FlowSequenceEnd => {}
                Kind::Key => items.push(self.flow_pair()?),
                _ => items.push(self.node(false, false)?),
            }
        }
        let (_, end) = self.take();
        self.close(id, Content::List(items), Some(end));
        Ok(())
    }

    /// `[a: b]`: a mapping of one pair without brackets.
    fn flow_pair(&mut self) -> Result<NodeId, Stop> {
        let token = self.peek()?.clone();
        let id = self.open(&Properties::default(), &token)?;
        self.take();
        let key = match self.kind()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                // Go's reader loses this token.
                let (_, end) = self.take();
                self.empty(end)
            }
            _ => self.node(false, false)?,
        };
        let mut value = None;
        if *self.kind()? == Kind::Value {
            self.take();
            if !matches!(self.kind()?, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                value = Some(self.node(false, false)?);
            }
        }
        let at = self.peek()?.start;
        let value = value.unwrap_or_else(|| self.empty(at));
        self.close(id, Content::Map(vec![(key, value)]), None);
        self.depth -= 1;
        Ok(id)
    }

    #[inline(never)]
    fn flow_mapping(&mut self, id: NodeId, since: Mark) -> Result<(), Stop> {
        self.take();
        let mut entries = Vec::new();
        while *self.kind()? != Kind::FlowMappingEnd {
            if !entries.is_empty() {
                if *self.kind()? != Kind::FlowEntry {
                    return Err(self.expected("did not find expected ',' or '}'", since));
                }
                self.take();
            }
            match self.kind()? {
                Kind::FlowMappingEnd => {}
                Kind::Key => {
                    self.take();
                    let at = self.peek()?.start;
                    let key = match self.kind()? {
                        Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => self.empty(at),
                        _ => self.node(false, false)?,
                    };
                    let mut value = None;
                    if *self.kind()? == Kind::Value {
                        self.take();
                        if !matches!(self.kind()?, Kind::FlowEntry | Kind::FlowMappingEnd) {
                            value = Some(self.node(false, false)?);
                        }
                    }
                    let at = self.peek()?.start;
                    let value = value.unwrap_or_else(|| self.empty(at));
                    entries.push((key, value));
                }
                _ => {
                    let key = self.node(false, false)?;
                    let at = self.peek()?.start;
                    let value = self.empty(at);
                    entries.push((key, value));
                }
            }
        }
        let (_, end) = self.take();
        self.close(id, Content::Map(entries), Some(end));
        Ok(())
    }
}

/// What a scalar means, by its tag, or without one by its style.
fn scalar_content(text: &str, style: Style, tag: Option<&str>) -> Content {
    let plain = style == Style::Plain;
    let value = match tag {
        None if plain => scalar::resolve(text),
        None => Value::from(text),
        Some(tag) => match tag.strip_prefix("tag:yaml.org,2002:") {
            Some(tag @ ("int" | "float" | "bool" | "null" | "timestamp")) => {
                match tagged(text, tag) {
                    Ok(value) => value,
                    Err(words) => return Content::Bad(words),
                }
            }
            Some("binary") => match binary(text) {
                Some(text) => Value::from(text),
                None => {
                    let words = "yaml: !!binary value contains invalid base64 data";
                    return Content::Bad(words.to_string());
                }
            },
            _ => Value::from(text),
        },
    };
    Content::Scalar(value, plain)
}

#[inline(never)]
fn tagged(text: &str, tag: &str) -> Result<Value, String> {
    let value = scalar::resolve(text);
    let found = match &value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        _ if tag == "timestamp" && !scalar::is_plain_text(text) => "timestamp",
        _ => "str",
    };
    if found == tag || found == "int" && tag == "float" {
        Ok(value)
    } else {
        Err(format!(
            "yaml: cannot decode !!{found} `{text}` as a !!{tag}"
        ))
    }
}

/// Base64 text decoded; what is not UTF-8 in it is replaced.
#[inline(never)]
fn binary(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for b in text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')) {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => continue,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
