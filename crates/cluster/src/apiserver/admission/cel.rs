//! A small interpreter of CEL: enough for policies on Kubernetes objects.
//!
//! Models: cel-go's evaluation (v1.36's environment)
//! Left out: types, timestamps, regular expressions, Kubernetes' own libraries, maps as literals. An
//! expression that uses them ends in an error, never in a wrong answer. Depth and steps are bounded.

use podscope_api::{Value, json};

const MAX_DEPTH: usize = 64;
const MAX_STEPS: usize = 100_000;

/// Evaluates an expression over named values.
///
/// # Errors
/// What could not be read or evaluated, in CEL's words where they are known: `no such key: annotations`.
#[inline(never)]
pub fn evaluate(expression: &str, variables: &[(String, Value)]) -> Result<Value, String> {
    let tokens = tokenize(expression)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
    };
    let tree = parser.ternary()?;
    if parser.at < parser.tokens.len() {
        return Err("Syntax error: extraneous input".into());
    }
    let mut scope = Scope {
        variables: variables.to_vec(),
        steps: 0,
    };
    scope.eval(&tree)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Ident(String),
    Text(String),
    Int(i64),
    Symbol(&'static str),
}

const SYMBOLS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ".", ",", "!", "<", ">", "+", "-", "*",
    "/", "%", "?", ":",
];

fn tokenize(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_alphabetic() || first == '_' {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            tokens.push(Token::Ident(word.to_string()));
            rest = tail;
        } else if first.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let (digits, tail) = rest.split_at(end);
            let number = digits
                .parse()
                .map_err(|_| "number out of range".to_string())?;
            tokens.push(Token::Int(number));
            rest = tail;
        } else if first == '\'' || first == '"' {
            let (text, tail) = text_literal(rest, first)?;
            tokens.push(Token::Text(text));
            rest = tail;
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push(Token::Symbol(symbol));
            rest = rest.get(symbol.len()..).unwrap_or("");
        } else {
            return Err(format!(
                "Syntax error: token recognition error at: '{first}'"
            ));
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn text_literal(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, other)) => out.push(other),
                None => break,
            },
            c if c == quote => return Ok((out, text.get(i + 1..).unwrap_or(""))),
            c => out.push(c),
        }
    }
    Err("Syntax error: unterminated text".into())
}

#[derive(Clone, Debug)]
enum Tree {
    Literal(Value),
    Name(String),
    List(Vec<Tree>),
    Field(Box<Tree>, String),
    Index(Box<Tree>, Box<Tree>),
    /// A function or method; the first of the arguments is the receiver of a method.
    Call(String, Vec<Tree>),
    Not(Box<Tree>),
    Negative(Box<Tree>),
    Binary(&'static str, Box<Tree>, Box<Tree>),
    If(Box<Tree>, Box<Tree>, Box<Tree>),
    Has(Box<Tree>, String),
    /// `list.all(x, …)` and the like.
    Each(String, Box<Tree>, String, Box<Tree>),
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// Binary operators, from the loosest to the tightest.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["==", "!=", "<=", ">=", "<", ">", "in"],
    &["+", "-"],
    &["*", "/", "%"],
];
const EACH: &[&str] = &["all", "exists", "exists_one", "filter", "map"];

impl Parser {
    fn take(&mut self, symbol: &str) -> bool {
        let found = match self.tokens.get(self.at) {
            Some(Token::Symbol(s)) => *s == symbol,
            Some(Token::Ident(w)) => symbol == "in" && w == "in",
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(format!("Syntax error: missing '{symbol}'"))
        }
    }

    fn ternary(&mut self) -> Result<Tree, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression is nested too deeply".into());
        }
        let condition = self.binary(0)?;
        let tree = if self.take("?") {
            let then = self.ternary()?;
            self.expect(":")?;
            let otherwise = self.ternary()?;
            Tree::If(Box::new(condition), Box::new(then), Box::new(otherwise))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(tree)
    }

    fn binary(&mut self, level: usize) -> Result<Tree, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|o| self.take(o)) {
            let right = self.binary(level + 1)?;
            left = Tree::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Tree, String> {
        let (mut not, mut negative) = (false, false);
        loop {
            if self.take("!") {
                not = !not;
            } else if self.take("-") {
                negative = !negative;
            } else {
                break;
            }
        }
        let tree = self.postfix()?;
        Ok(match (not, negative) {
            (true, _) => Tree::Not(Box::new(tree)),
            (_, true) => Tree::Negative(Box::new(tree)),
            _ => tree,
        })
    }

    fn postfix(&mut self) -> Result<Tree, String> {
        let mut tree = self.primary()?;
        loop {
            if self.take(".") {
                let Some(Token::Ident(name)) = self.tokens.get(self.at).cloned() else {
                    return Err("Syntax error: no field name after '.'".into());
                };
                self.at += 1;
                tree = if self.take("(") {
                    self.method(tree, name)?
                } else {
                    Tree::Field(Box::new(tree), name)
                };
            } else if self.take("[") {
                let index = self.ternary()?;
                self.expect("]")?;
                tree = Tree::Index(Box::new(tree), Box::new(index));
            } else {
                return Ok(tree);
            }
        }
    }

    fn method(&mut self, receiver: Tree, name: String) -> Result<Tree, String> {
        let mut arguments = self.arguments(")")?;
        if EACH.contains(&name.as_str()) && arguments.len() == 2 {
            let body = arguments.pop();
            if let (Some(Tree::Name(variable)), Some(body)) = (arguments.pop(), body) {
                return Ok(Tree::Each(
                    name,
                    Box::new(receiver),
                    variable,
                    Box::new(body),
                ));
            }
            return Err(format!("argument of {name} must be a simple name"));
        }
        arguments.insert(0, receiver);
        Ok(Tree::Call(name, arguments))
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Tree>, String> {
        let mut arguments = Vec::new();
        while !self.take(end) {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.ternary()?);
        }
        Ok(arguments)
    }

    fn primary(&mut self) -> Result<Tree, String> {
        if self.take("(") {
            let tree = self.ternary()?;
            self.expect(")")?;
            return Ok(tree);
        }
        if self.take("[") {
            return Ok(Tree::List(self.arguments("]")?));
        }
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Int(n)) => Ok(Tree::Literal(Value::Int(n))),
            Some(Token::Text(s)) => Ok(Tree::Literal(Value::from(s))),
            Some(Token::Ident(word)) => match word.as_str() {
                "true" => Ok(Tree::Literal(Value::Bool(true))),
                "false" => Ok(Tree::Literal(Value::Bool(false))),
                "null" => Ok(Tree::Literal(Value::Null)),
                "has" if self.take("(") => {
                    let tree = self.ternary()?;
                    self.expect(")")?;
                    match tree {
                        Tree::Field(inner, name) => Ok(Tree::Has(inner, name)),
                        _ => Err("invalid argument to has() macro".into()),
                    }
                }
                _ if self.take("(") => Ok(Tree::Call(word, self.arguments(")")?)),
                _ => Ok(Tree::Name(word)),
            },
            _ => Err("Syntax error: unexpected end of expression".into()),
        }
    }
}

struct Scope {
    variables: Vec<(String, Value)>,
    steps: usize,
}

fn no_overload() -> String {
    "no such overload".to_string()
}

impl Scope {
    fn eval(&mut self, tree: &Tree) -> Result<Value, String> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err("operation cancelled: actual cost limit exceeded".into());
        }
        match tree {
            Tree::Literal(v) => Ok(v.clone()),
            Tree::Name(name) => self
                .variables
                .iter()
                .rev()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
                .ok_or_else(|| format!("no such attribute(s): {name}")),
            Tree::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    values.push(self.eval(item)?);
                }
                Ok(Value::from(values))
            }
            Tree::Field(inner, name) => {
                let value = self.eval(inner)?;
                field(&value, name)
            }
            Tree::Index(inner, index) => {
                let value = self.eval(inner)?;
                match (self.eval(index)?, &value) {
                    (Value::Str(key), Value::Map(_)) => field(&value, &key),
                    (Value::Int(i), Value::List(items)) => usize::try_from(i)
                        .ok()
                        .and_then(|i| items.get(i).cloned())
                        .ok_or_else(|| format!("index out of bounds: {i}")),
                    _ => Err(no_overload()),
                }
            }
            Tree::Has(inner, name) => {
                let value = self.eval(inner)?;
                match &value {
                    Value::Map(map) => Ok(Value::Bool(map.contains_key(name))),
                    _ => Err(no_overload()),
                }
            }
            Tree::Not(inner) => match self.eval(inner)? {
                Value::Bool(b) => Ok(Value::Bool(!b)),
                _ => Err(no_overload()),
            },
            Tree::Negative(inner) => match self.eval(inner)? {
                Value::Int(i) => Ok(Value::Int(i.saturating_neg())),
                _ => Err(no_overload()),
            },
            Tree::If(condition, then, otherwise) => match self.eval(condition)? {
                Value::Bool(true) => self.eval(then),
                Value::Bool(false) => self.eval(otherwise),
                _ => Err(no_overload()),
            },
            Tree::Binary(operator, left, right) => self.binary(operator, left, right),
            Tree::Call(name, arguments) => {
                let mut values = Vec::new();
                for argument in arguments {
                    values.push(self.eval(argument)?);
                }
                call(name, &values)
            }
            Tree::Each(kind, list, variable, body) => self.each(kind, list, variable, body),
        }
    }

    /// `&&` and `||` take an error back when the other side decides.
    fn binary(&mut self, operator: &str, left: &Tree, right: &Tree) -> Result<Value, String> {
        if operator == "&&" || operator == "||" {
            let decides = operator == "||";
            let first = self.eval(left);
            if first == Ok(Value::Bool(decides)) {
                return first;
            }
            let second = self.eval(right);
            if second == Ok(Value::Bool(decides)) {
                return second;
            }
            return match (first?, second?) {
                (Value::Bool(_), Value::Bool(_)) => Ok(Value::Bool(!decides)),
                _ => Err(no_overload()),
            };
        }
        let (a, b) = (self.eval(left)?, self.eval(right)?);
        let order = || match (&a, &b) {
            (Value::Int(x), Value::Int(y)) => Ok(x.cmp(y)),
            (Value::Str(x), Value::Str(y)) => Ok(x.cmp(y)),
            _ => Err(no_overload()),
        };
        let number = |f: fn(i64, i64) -> Option<i64>| match (&a, &b) {
            (Value::Int(x), Value::Int(y)) => f(*x, *y)
                .map(Value::Int)
                .ok_or_else(|| "integer overflow".to_string()),
            _ => Err(no_overload()),
        };
        match operator {
            "==" => Ok(Value::Bool(a == b)),
            "!=" => Ok(Value::Bool(a != b)),
            "<" => Ok(Value::Bool(order()?.is_lt())),
            "<=" => Ok(Value::Bool(order()?.is_le())),
            ">" => Ok(Value::Bool(order()?.is_gt())),
            ">=" => Ok(Value::Bool(order()?.is_ge())),
            "in" => match &b {
                Value::List(items) => Ok(Value::Bool(items.contains(&a))),
                Value::Map(map) => Ok(Value::Bool(a.as_str().is_some_and(|k| map.contains_key(k)))),
                _ => Err(no_overload()),
            },
            "+" => match (&a, &b) {
                (Value::Str(x), Value::Str(y)) => Ok(Value::from(format!("{x}{y}"))),
                (Value::List(x), Value::List(y)) => {
                    Ok(Value::list(x.iter().chain(y.iter()).cloned()))
                }
                _ => number(i64::checked_add),
            },
            "-" => number(i64::checked_sub),
            "*" => number(i64::checked_mul),
            "/" | "%" if b == Value::Int(0) => Err("division by zero".into()),
            "/" => number(i64::checked_div),
            _ => number(i64::checked_rem),
        }
    }

    fn each(&mut self, kind: &str, list: &Tree, name: &str, body: &Tree) -> Result<Value, String> {
        let items: Vec<Value> = match self.eval(list)? {
            Value::List(items) => items.to_vec(),
            Value::Map(map) => map
                .entries()
                .iter()
                .map(|(k, _)| Value::Str(k.clone()))
                .collect(),
            _ => return Err(no_overload()),
        };
        let mut error = None;
        let mut hits = 0;
        let mut made = Vec::new();
        for item in &items {
            self.variables.push((name.to_string(), item.clone()));
            let result = self.eval(body);
            self.variables.pop();
            match (kind, result) {
                ("map", Ok(v)) => made.push(v),
                (_, Ok(Value::Bool(hit))) => {
                    if kind == "all" && !hit {
                        return Ok(Value::Bool(false));
                    }
                    if kind == "exists" && hit {
                        return Ok(Value::Bool(true));
                    }
                    if hit {
                        hits += 1;
                        made.push(item.clone());
                    }
                }
                (_, Ok(_)) => return Err(no_overload()),
                (_, Err(e)) => error = error.or(Some(e)),
            }
        }
        if let Some(error) = error {
            return Err(error);
        }
        Ok(match kind {
            "all" => Value::Bool(true),
            "exists" => Value::Bool(false),
            "exists_one" => Value::Bool(hits == 1),
            _ => Value::from(made),
        })
    }
}

fn field(value: &Value, name: &str) -> Result<Value, String> {
    match value {
        Value::Map(map) => map
            .get(name)
            .cloned()
            .ok_or_else(|| format!("no such key: {name}")),
        _ => Err(no_overload()),
    }
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let text = |i: usize| {
        arguments
            .get(i)
            .and_then(Value::as_str)
            .ok_or_else(no_overload)
    };
    match (name, arguments) {
        ("size", [Value::Str(s)]) => Ok(Value::Int(s.chars().count() as i64)),
        ("size", [Value::List(l)]) => Ok(Value::Int(l.len() as i64)),
        ("size", [Value::Map(m)]) => Ok(Value::Int(m.len() as i64)),
        ("startsWith", [_, _]) => Ok(Value::Bool(text(0)?.starts_with(text(1)?))),
        ("endsWith", [_, _]) => Ok(Value::Bool(text(0)?.ends_with(text(1)?))),
        ("contains", [_, _]) => Ok(Value::Bool(text(0)?.contains(text(1)?))),
        ("lowerAscii", [_]) => Ok(Value::from(text(0)?.to_ascii_lowercase())),
        ("upperAscii", [_]) => Ok(Value::from(text(0)?.to_ascii_uppercase())),
        ("join", [Value::List(items)]) => joined(items, ""),
        ("join", [Value::List(items), Value::Str(separator)]) => joined(items, separator),
        ("string", [Value::Str(s)]) => Ok(Value::Str(s.clone())),
        ("string", [v @ (Value::Int(_) | Value::Bool(_))]) => Ok(Value::from(json::to_string(v))),
        ("int", [Value::Int(i)]) => Ok(Value::Int(*i)),
        _ => Err(format!("undeclared reference to '{name}'")),
    }
}

fn joined(items: &[Value], separator: &str) -> Result<Value, String> {
    let mut parts = Vec::new();
    for item in items {
        parts.push(item.as_str().ok_or_else(no_overload)?);
    }
    Ok(Value::from(parts.join(separator)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[track_caller]
    fn check(expression: &str, want: Result<Value, &str>) {
        let object = value!({"spec": {"replicas": 3, "containers": [
            {"name": "a", "resources": {"limits": {"cpu": "1"}}},
            {"name": "b", "resources": {}}
        ]}, "metadata": {"name": "web"}});
        let got = evaluate(expression, &[("object".into(), object)]);
        assert_eq!(got, want.map_err(String::from), "{expression}");
    }

    #[test]
    fn policies() {
        check("object.spec.replicas <= 5", Ok(Value::Bool(true)));
        let cpu = "object.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && 'cpu' in c.resources.limits)";
        check(cpu, Ok(Value::Bool(false)));
        check(
            "'no CPU limit in: ' + object.spec.containers.filter(c, !has(c.resources.limits)).map(c, c.name).join(', ')",
            Ok("no CPU limit in: b".into()),
        );
        check(
            "object.metadata.annotations['x'] == 'y'",
            Err("no such key: annotations"),
        );
        check(
            "object.metadata.annotations.x == 'y' || true",
            Ok(Value::Bool(true)),
        );
        check(
            "size(object.spec.containers) * 2 + 1 == 5 ? 'odd' : 'even'",
            Ok("odd".into()),
        );
        check(
            "object.spec.containers.exists(c, c.name == 'b')",
            Ok(Value::Bool(true)),
        );
    }
}
