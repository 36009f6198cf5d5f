//! Label selectors and field selectors.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/labels and pkg/fields (v1.36)

use crate::kind::Kind;
use crate::object::Object;
use crate::status::quote;
use crate::value::Value;

/// How a requirement relates key and values. Declared in the order in which errors list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `key in (a,b)`
    In,
    /// `key notin (a,b)`
    NotIn,
    /// `key=a`
    Equals,
    /// `key==a`
    DoubleEquals,
    /// `key!=a`
    NotEquals,
    /// `key>1`
    GreaterThan,
    /// `key<1`
    LessThan,
    /// `key`
    Exists,
    /// `!key`
    DoesNotExist,
}

impl Operator {
    /// The operator as labels' Go package names it: `in`, `notin`, `=`, `==`, `!=`, `gt`, `lt`, `exists`, `!`.
    pub fn name(self) -> &'static str {
        match self {
            Operator::In => "in",
            Operator::NotIn => "notin",
            Operator::Equals => "=",
            Operator::DoubleEquals => "==",
            Operator::NotEquals => "!=",
            Operator::GreaterThan => "gt",
            Operator::LessThan => "lt",
            Operator::Exists => "exists",
            Operator::DoesNotExist => "!",
        }
    }

    /// The operator of `matchExpressions` (`In`, `NotIn`, `Exists`, `DoesNotExist`, and `Gt`, `Lt` of node selectors).
    pub fn from_api(name: &str) -> Option<Operator> {
        match name {
            "In" => Some(Operator::In),
            "NotIn" => Some(Operator::NotIn),
            "Exists" => Some(Operator::Exists),
            "DoesNotExist" => Some(Operator::DoesNotExist),
            "Gt" => Some(Operator::GreaterThan),
            "Lt" => Some(Operator::LessThan),
            _ => None,
        }
    }
}

/// One condition on the labels. Values are sorted and without repeats when it was read from text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// The relation.
    pub operator: Operator,
    /// The values, empty for `Exists` and `DoesNotExist`.
    pub values: Vec<String>,
}

impl Requirement {
    /// A checked requirement.
    ///
    /// # Errors
    /// The server's words, for example for a key that is not a label key.
    pub fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Requirement, String> {
        let mut errors = Vec::new();
        let key_errors = label_key_errors(key);
        if !key_errors.is_empty() {
            errors.push(invalid("key", key, &key_errors.join("; ")));
        }
        let list = || {
            let quoted: Vec<String> = values.iter().map(|v| quote(v)).collect();
            format!("[{}]", quoted.join(","))
        };
        let count_error = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                Some("for 'in', 'notin' operators, values set can't be empty")
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals
                if values.len() != 1 =>
            {
                Some("exact-match compatibility requires one single value")
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                Some("values set must be empty for exists and does not exist")
            }
            Operator::GreaterThan | Operator::LessThan if values.len() != 1 => {
                Some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
            _ => None,
        };
        if let Some(why) = count_error {
            errors.push(format!("values: Invalid value: {}: {why}", list()));
        }
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            for (i, value) in values.iter().enumerate() {
                if value.parse::<i64>().is_err() {
                    let why = "for 'Gt', 'Lt' operators, the value must be an integer";
                    errors.push(invalid(&format!("values[{i}]"), value, why));
                }
            }
        }
        for (i, value) in values.iter().enumerate() {
            let value_errors = label_value_errors(value);
            if !value_errors.is_empty() {
                let path = format!("values[{i}][{key}]");
                errors.push(invalid(&path, value, &value_errors.join("; ")));
            }
        }
        match errors.as_slice() {
            [] => Ok(Requirement {
                key: key.to_string(),
                operator,
                values,
            }),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }

    /// Whether labels (a map of texts, or null) fulfil it.
    pub fn matches(&self, labels: &Value) -> bool {
        let label = labels.get(&self.key).as_str();
        let listed = |label: &str| self.values.iter().any(|v| v == label);
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => label.is_some_and(listed),
            Operator::NotIn | Operator::NotEquals => label.is_none_or(|l| !listed(l)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan | Operator::LessThan => {
                let number = |text: &str| text.parse::<i64>().ok();
                let [wanted] = self.values.as_slice() else {
                    return false;
                };
                match (label.and_then(number), number(wanted)) {
                    (Some(a), Some(b)) if self.operator == Operator::GreaterThan => a > b,
                    (Some(a), Some(b)) => a < b,
                    _ => false,
                }
            }
        }
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut values = self.values.clone();
        crate::sort::natural(&mut values);
        let (key, values) = (&self.key, values.join(","));
        match self.operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals => {
                write!(f, "{key}{}{values}", self.operator.name())
            }
        }
    }
}

/// A label selector: all requirements must hold. `Display` gives the canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Selects nothing: what a missing (`null`) LabelSelector means.
    Nothing,
    /// Selects what fulfils all requirements, sorted by key; everything when there are none.
    All(Vec<Requirement>),
}

impl Selector {
    /// The selector that selects everything.
    pub const EVERYTHING: Selector = Selector::All(Vec::new());

    /// Reads selector text such as `app=web,tier in (a,b),!old`.
    ///
    /// # Errors
    /// The server's words.
    #[inline(never)]
    pub fn parse(text: &str) -> Result<Selector, String> {
        let mut requirements = Parser::new(text).run()?;
        crate::sort::by(&mut requirements, |a, b| a.key.cmp(&b.key));
        Ok(Selector::All(requirements))
    }

    /// Reads a `LabelSelector` (`matchLabels`, `matchExpressions`); null selects nothing.
    ///
    /// # Errors
    /// The server's words.
    pub fn from_label_selector(selector: &Value) -> Result<Selector, String> {
        if selector.is_null() {
            return Ok(Selector::Nothing);
        }
        let mut requirements = equals(selector.get("matchLabels"))?;
        for expression in selector.get("matchExpressions").items() {
            let name = expression.get("operator").str_or_empty();
            let operator = match Operator::from_api(name) {
                Some(Operator::GreaterThan | Operator::LessThan) | None => {
                    return Err(format!(
                        "{} is not a valid label selector operator",
                        quote(name)
                    ));
                }
                Some(operator) => operator,
            };
            let values = expression.get("values").items().iter();
            let values = values.map(|v| v.str_or_empty().to_string()).collect();
            let key = expression.get("key").str_or_empty();
            requirements.push(Requirement::new(key, operator, values)?);
        }
        crate::sort::by(&mut requirements, |a, b| a.key.cmp(&b.key));
        Ok(Selector::All(requirements))
    }

    /// Reads a plain map of labels, as in a Service's `selector`. Null and an empty map select everything.
    /// The values are not checked.
    pub fn from_labels(labels: &Value) -> Selector {
        let requirement = |(key, value): &(crate::Text, Value)| Requirement {
            key: key.to_string(),
            operator: Operator::Equals,
            values: vec![value.str_or_empty().to_string()],
        };
        Selector::All(labels.entries().iter().map(requirement).collect())
    }

    /// Whether labels (a map of texts, or null) are selected.
    pub fn matches(&self, labels: &Value) -> bool {
        match self {
            Selector::Nothing => false,
            Selector::All(requirements) => requirements.iter().all(|r| r.matches(labels)),
        }
    }

    /// True when it selects everything.
    pub fn is_everything(&self) -> bool {
        matches!(self, Selector::All(requirements) if requirements.is_empty())
    }

    /// The requirements; none for `Nothing`.
    pub fn requirements(&self) -> &[Requirement] {
        match self {
            Selector::Nothing => &[],
            Selector::All(requirements) => requirements,
        }
    }

    /// The text of a `LabelSelector` as `kubectl` prints it: `<none>` when empty, `<error>` when invalid.
    pub fn describe(selector: &Value) -> String {
        match Selector::from_label_selector(selector) {
            Err(_) => "<error>".to_string(),
            Ok(selector) => match selector.to_string() {
                text if text.is_empty() => "<none>".to_string(),
                text => text,
            },
        }
    }
}

fn equals(labels: &Value) -> Result<Vec<Requirement>, String> {
    let requirement = |(key, value): &(crate::Text, Value)| {
        let values = vec![value.str_or_empty().to_string()];
        Requirement::new(key, Operator::Equals, values)
    };
    labels.entries().iter().map(requirement).collect()
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, requirement) in self.requirements().iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}

fn invalid(path: &str, value: &str, why: &str) -> String {
    format!("{path}: Invalid value: {}: {why}", quote(value))
}

/// A token of selector text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    End,
    Symbol(&'static str),
    Word(String),
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Token::End => "",
            Token::Symbol(s) => s,
            Token::Word(s) => s,
        }
    }
}

struct Parser {
    tokens: std::vec::IntoIter<Token>,
    next: Token,
}

impl Parser {
    fn new(text: &str) -> Parser {
        let mut tokens = tokens(text).into_iter();
        let next = tokens.next().unwrap_or(Token::End);
        Parser { tokens, next }
    }

    fn take(&mut self) -> Token {
        let next = self.tokens.next().unwrap_or(Token::End);
        std::mem::replace(&mut self.next, next)
    }

    fn run(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match &self.next {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Symbol("!") => {}
                other => {
                    return Err(format!(
                        "found '{}', expected: !, identifier, or 'end of string'",
                        other.text()
                    ));
                }
            }
            let requirement = self.requirement();
            requirements
                .push(requirement.map_err(|e| format!("unable to parse requirement: {e}"))?);
            match self.take() {
                Token::End => return Ok(requirements),
                Token::Symbol(",") => {
                    if !matches!(self.next, Token::Word(_) | Token::Symbol("!")) {
                        let found = self.next.text();
                        return Err(format!("found '{found}', expected: identifier after ','"));
                    }
                }
                other => {
                    let found = other.text();
                    return Err(format!("found '{found}', expected: ',' or 'end of string'"));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.take();
        let negated = token == Token::Symbol("!");
        if negated {
            token = self.take();
        }
        let Token::Word(key) = token else {
            return Err(format!("found '{}', expected: identifier", token.text()));
        };
        let key_errors = label_key_errors(&key);
        if !key_errors.is_empty() {
            let why = key_errors.join("; ");
            return Err(format!("Invalid value: {}: {why}", quote(&key)));
        }
        if negated {
            return Requirement::new(&key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.next, Token::End | Token::Symbol(",")) {
            return Requirement::new(&key, Operator::Exists, Vec::new());
        }
        let token = self.take();
        let operator = match token.text() {
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            "=" => Operator::Equals,
            "==" => Operator::DoubleEquals,
            "!=" => Operator::NotEquals,
            ">" => Operator::GreaterThan,
            "<" => Operator::LessThan,
            found => {
                return Err(format!(
                    "found '{found}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        };
        let mut values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => self.exact_value()?,
        };
        crate::sort::natural(&mut values);
        values.dedup();
        Requirement::new(&key, operator, values)
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let token = self.take();
        if token != Token::Symbol("(") {
            return Err(format!("found '{}' expected: '('", token.text()));
        }
        match &self.next {
            Token::Word(_) | Token::Symbol(",") => self.identifiers(),
            Token::Symbol(")") => {
                self.take();
                Ok(vec![String::new()])
            }
            other => Err(format!(
                "found '{}', expected: ',', ')' or identifier",
                other.text()
            )),
        }
    }

    fn identifiers(&mut self) -> Result<Vec<String>, String> {
        let mut values = Vec::new();
        loop {
            match self.take() {
                Token::Word(word) => {
                    values.push(word);
                    match &self.next {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => break,
                        other => {
                            let found = other.text();
                            return Err(format!("found '{found}', expected: ',' or ')'"));
                        }
                    }
                }
                Token::Symbol(",") => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    match &self.next {
                        Token::Symbol(")") => {
                            values.push(String::new());
                            break;
                        }
                        Token::Symbol(",") => values.push(String::new()),
                        _ => {}
                    }
                }
                other => {
                    let found = other.text();
                    return Err(format!("found '{found}', expected: ',', or identifier"));
                }
            }
        }
        self.take();
        Ok(values)
    }

    fn exact_value(&mut self) -> Result<Vec<String>, String> {
        if matches!(self.next, Token::End | Token::Symbol(",")) {
            return Ok(vec![String::new()]);
        }
        match self.take() {
            Token::Word(word) => Ok(vec![word]),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }
}

/// Longest symbol first.
const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ">", "<", "(", ")", ","];

/// `in` and `notin` are words; where an operator is expected, their text decides.
fn tokens(text: &str) -> Vec<Token> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let is_symbol = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<');
    let mut tokens = Vec::new();
    // Go's lexer takes a zero byte for the end.
    let mut rest = text.split('\0').next().unwrap_or("");
    loop {
        rest = rest.trim_start_matches(is_space);
        if rest.is_empty() {
            return tokens;
        }
        if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push(Token::Symbol(symbol));
            rest = rest.get(symbol.len()..).unwrap_or("");
            continue;
        }
        let end = rest
            .find(|c| is_symbol(c) || is_space(c))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        tokens.push(Token::Word(word.to_string()));
        rest = after;
    }
}

const MAX_LABEL: usize = 63;
const NAME_PATTERN: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

fn is_label_name(text: &str) -> bool {
    let b = text.as_bytes();
    let ends = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    ends(b.first())
        && ends(b.last())
        && b.iter()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

/// Everything wrong with a label or annotation key, in the server's words; empty when it is fine.
pub fn label_key_errors(key: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let parts: Vec<&str> = key.split('/').collect();
    let name = match parts.as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_string());
            } else {
                let prefix_errors = subdomain_errors(prefix).into_iter();
                errors.extend(prefix_errors.map(|e| format!("prefix part {e}")));
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {KEY_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_string());
    } else if name.len() > MAX_LABEL {
        errors.push(format!("name part must be no more than {MAX_LABEL} bytes"));
    }
    if !is_label_name(name) {
        errors.push(format!("name part {KEY_RULE}"));
    }
    errors
}

/// Everything wrong with a label's value, in the server's words; empty when it is fine.
pub fn label_value_errors(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > MAX_LABEL {
        errors.push(format!("must be no more than {MAX_LABEL} bytes"));
    }
    if !value.is_empty() && !is_label_name(value) {
        errors.push(format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({NAME_PATTERN})?')"
        ));
    }
    errors
}

/// Everything wrong with a DNS subdomain (RFC 1123), in the server's words; empty when it is fine.
#[inline(never)]
pub fn subdomain_errors(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 253 {
        errors.push("must be no more than 253 bytes".to_string());
    }
    let is_part = |part: &str| {
        let b = part.as_bytes();
        let plain = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        b.first().is_some_and(plain)
            && b.last().is_some_and(plain)
            && b.iter().all(|c| plain(c) || *c == b'-')
    };
    if !name.split('.').all(is_part) {
        errors.push(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                .to_string(),
        );
    }
    errors
}

/// A field selector such as `metadata.name=web,spec.nodeName!=w1`: all terms must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    /// The terms, sorted by their text.
    pub terms: Vec<FieldTerm>,
}

/// One term of a field selector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldTerm {
    /// The field's path, such as `spec.nodeName`.
    pub field: String,
    /// True for `=` and `==`, false for `!=`.
    pub equal: bool,
    /// The value.
    pub value: String,
}

impl FieldSelector {
    /// Reads field selector text.
    ///
    /// # Errors
    /// The server's words.
    #[inline(never)]
    pub fn parse(text: &str) -> Result<FieldSelector, String> {
        let mut parts = split_terms(text);
        crate::sort::natural(&mut parts);
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|p| !p.is_empty()) {
            let found = part.char_indices().find_map(|(i, _)| {
                let rest = part.get(i..)?;
                let operator = ["!=", "==", "="].iter().find(|o| rest.starts_with(**o))?;
                Some((part.get(..i)?, *operator, rest.get(operator.len()..)?))
            });
            let Some((field, operator, value)) = found else {
                return Err(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                ));
            };
            terms.push(FieldTerm {
                field: field.to_string(),
                equal: operator != "!=",
                value: unescape(value)?,
            });
        }
        Ok(FieldSelector { terms })
    }

    /// The first term whose field `kind` cannot be selected by, in the server's words.
    ///
    /// # Errors
    /// `field label not supported: spec.x`.
    pub fn check(&self, kind: Kind) -> Result<(), String> {
        let fields = selectable_fields(kind);
        for term in &self.terms {
            let common = matches!(term.field.as_str(), "metadata.name" | "metadata.namespace");
            if common && (term.field == "metadata.name" || kind.namespaced()) {
                continue;
            }
            if !fields.contains(&term.field.as_str()) {
                return Err(match fields {
                    [] => format!(
                        "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                        quote(&term.field)
                    ),
                    _ => format!("field label not supported: {}", term.field),
                });
            }
        }
        Ok(())
    }

    /// Whether an object fulfils all terms. A missing field reads as the empty text.
    pub fn matches(&self, object: &Object) -> bool {
        self.terms.iter().all(|term| {
            let field = match term.field.as_str() {
                "status.successful" => "status.succeeded",
                field => field,
            };
            let value = object.at(field);
            let equal = match value {
                Value::Bool(b) => term.value == if *b { "true" } else { "false" },
                Value::Int(i) => term.value == i.to_string(),
                Value::Str(s) => **s == *term.value,
                _ if term.field == "spec.unschedulable" => term.value == "false",
                _ => term.value.is_empty(),
            };
            equal == term.equal
        })
    }
}

/// The fields, besides name and namespace, that objects of a kind can be selected by.
/// Empty when name and namespace are all.
pub fn selectable_fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        Kind::Node => &["spec.unschedulable"],
        Kind::Namespace => &["status.phase"],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        Kind::ReplicationController => &["status.replicas"],
        Kind::Job => &["status.successful"],
        Kind::Secret => &["type"],
        Kind::Service => &["spec.clusterIP", "spec.type"],
        _ => &[],
    }
}

fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(text.get(start..i).unwrap_or(""));
                start = i + 1;
            }
            _ => {}
        }
    }
    terms.push(text.get(start..).unwrap_or(""));
    terms
}

fn unescape(value: &str) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(format!(
                        "invalid field selector: invalid escape sequence: {sequence}"
                    ));
                }
            },
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value: {}",
                    c as u32
                ));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn label_selectors_select() {
        let selector = value!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}],
        });
        let s = Selector::from_label_selector(&selector).expect("valid");
        assert_eq!(s.to_string(), "app=web,tier notin (db)");
        assert!(s.matches(&value!({"app": "web"})));
        assert!(!s.matches(&value!({"app": "web", "tier": "db"})));
        assert!(!s.matches(&Value::Null));
        let nothing = Selector::from_label_selector(&Value::Null).expect("valid");
        assert!(!nothing.matches(&value!({"app": "web"})));
        assert!(Selector::EVERYTHING.matches(&Value::Null));
    }

    #[test]
    fn broken_text_is_refused_in_the_servers_words() {
        assert_eq!(
            Selector::parse("a,"),
            Err("found '', expected: identifier after ','".to_string())
        );
        assert_eq!(
            Selector::parse("a=b=c"),
            Err("found '=', expected: ',' or 'end of string'".to_string())
        );
        assert!(Selector::parse("a in b").is_err());
        assert!(Selector::parse("-a=b").is_err());
    }

    #[test]
    fn field_selectors_select() {
        let pod = Object(value!({"metadata": {"name": "p"}, "spec": {"nodeName": "w1"}}));
        let s = FieldSelector::parse("metadata.name=p,spec.nodeName!=w2").expect("valid");
        assert!(s.matches(&pod));
        assert!(s.check(Kind::Pod).is_ok());
        assert_eq!(
            FieldSelector::parse("spec.x=1").and_then(|s| s.check(Kind::Pod)),
            Err("field label not supported: spec.x".to_string())
        );
        assert!(FieldSelector::parse("a").is_err());
        assert!(FieldSelector::parse("a=b\\").is_err());
        let unscheduled = FieldSelector::parse("spec.nodeName=").expect("valid");
        assert!(!unscheduled.matches(&pod));
    }
}
