//! The fields of all kinds: names, types, how they are stored and how patches merge them.
//!
//! Models: k8s.io/api and k8s.io/apimachinery/pkg/apis/meta/v1 (v1.36)
//!
//! One packed text table, `schema_table.txt`, written by `examples/generate_schema.rs`; it is read in
//! place, with the places of its words worked out when it is compiled. Each line is a type. A struct is `Name field:CODE… …`, any other
//! named type `Name=CODE value…` with the values of an enumeration. `CODE` is
//!
//! - prefixes: `*` pointer, `[` list, `{` map with text keys;
//! - then a letter (`s` string, `b` bool, `i` int32, `l` int64, `q` quantity, `p` int-or-string, `t` time,
//!   `u` time with microseconds, `d` duration, `y` bytes, `x` any object, `f` field set) or the number of
//!   the named type's line, counted from 0;
//! - then for fields: `o` left out when empty, `z` left out when zero, `!` required, `~` inlined struct;
//!   `/mKEY` merged by strategic merge patch on `KEY`, `/r` retains keys, `/RKEY` both, `/p` replaced;
//!   `@mKEYS` an associative list, `@s` a set, `@a` atomic for server-side apply; `=VALUE` the published default.
//!
//! The empty value of an enumeration is written `""`; the name of a struct with one owner ends in `!`.

use crate::kind::Kind;
use crate::value::Value;

const TABLE: &str = include_str!("schema_table.txt");
const TYPES: usize = count(TABLE, false);
const WORDS: usize = count(TABLE, true);
/// How long each word of the table is; one byte stands between two.
static WORD_LENGTHS: [u8; WORDS] = word_lengths(TABLE);
/// The first word of each line, and the byte where it begins.
static LINES: [(u16, u16); TYPES + 1] = line_words(TABLE);
/// The bytes where the fields begin that are not surely left out when empty, line after line.
static KEPT: [u16; KEPT_FIELDS] = kept_fields(TABLE).0;
const KEPT_FIELDS: usize = kept_fields::<0>(TABLE).2;
/// For each line how many of them stand in lines before.
static KEPT_BEFORE: [u16; TYPES + 1] = kept_fields::<0>(TABLE).1;
/// For each line where its head has a `=`; 0 for structs.
static ALIASES: [u8; TYPES] = aliases(TABLE);

const fn is_word_end(byte: u8) -> bool {
    byte == b' ' || byte == b'\n'
}

/// Lines, or words, of the table.
const fn count(text: &str, words: bool) -> usize {
    let bytes = text.as_bytes();
    let (mut i, mut found) = (0, 0);
    while i < bytes.len() {
        if bytes[i] == b'\n' || words && is_word_end(bytes[i]) {
            found += 1;
        }
        i += 1;
    }
    found
}

const fn word_lengths(text: &str) -> [u8; WORDS] {
    let bytes = text.as_bytes();
    let mut lengths = [0; WORDS];
    let (mut i, mut word, mut start) = (0, 0, 0);
    while i < bytes.len() {
        if is_word_end(bytes[i]) {
            assert!(i - start <= u8::MAX as usize, "a word is too long");
            lengths[word] = (i - start) as u8;
            word += 1;
            start = i + 1;
        }
        i += 1;
    }
    lengths
}

const fn line_words(text: &str) -> [(u16, u16); TYPES + 1] {
    let bytes = text.as_bytes();
    assert!(
        bytes.len() < u16::MAX as usize,
        "the table outgrew its index"
    );
    let mut lines = [(0, 0); TYPES + 1];
    let (mut i, mut word, mut line) = (0, 0, 1);
    while i < bytes.len() {
        if is_word_end(bytes[i]) {
            word += 1;
            if bytes[i] == b'\n' {
                lines[line] = (word, i as u16 + 1);
                line += 1;
            }
        }
        i += 1;
    }
    lines
}

/// The words of a line: the type's head, then its fields or values.
fn words(number: usize) -> impl Iterator<Item = &'static str> {
    let (first, start) = LINES.get(number).copied().unwrap_or_default();
    let end = LINES.get(number + 1).map_or(first, |(word, _)| *word);
    let lengths = WORD_LENGTHS
        .get(first as usize..end as usize)
        .unwrap_or_default();
    let mut start = start as usize;
    lengths.iter().map(move |length| {
        let end = start + *length as usize;
        let word = TABLE.get(start..end).unwrap_or_default();
        start = end + 1;
        word
    })
}

/// The first word of a line.
fn head(number: usize) -> &'static str {
    words(number).next().unwrap_or("")
}

/// A field's or element's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type(&'static str);

/// What a type looks like in JSON, seen through pointers and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    String,
    /// `true` or `false`.
    Bool,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// A resource quantity.
    Quantity,
    /// A number or text.
    IntOrString,
    /// A time with whole seconds.
    Time,
    /// A time with microseconds.
    MicroTime,
    /// Go's duration text.
    Duration,
    /// Base64 text.
    Bytes,
    /// Anything.
    Any,
    /// The field set of a `managedFields` entry: anything.
    FieldSet,
    /// A list.
    List(Type),
    /// A map with text keys.
    Map(Type),
    /// An object with known fields.
    Struct(Struct),
}

/// An object type with known fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struct(u16);

/// How strategic merge patch treats a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchStrategy {
    /// The default: maps and structs merge, lists are replaced.
    Default,
    /// The value is replaced as a whole.
    Replace,
    /// The list merges: by this key, or as a set when the key is empty.
    Merge(&'static str),
    /// The object keeps only the keys that the patch names.
    RetainKeys,
    /// The list merges by this key, and its items keep only the keys that the patch names.
    MergeRetainKeys(&'static str),
}

/// How server-side apply treats a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Lists are atomic, maps and structs granular.
    Default,
    /// One owner for the whole value.
    Atomic,
    /// A list of texts owned one by one.
    Set,
    /// A list owned by item; the keys that name an item, separated by commas.
    Map(&'static str),
}

/// One field of a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON; for an inlined struct its Go name.
    pub name: &'static str,
    /// The type.
    pub ty: Type,
    /// Left out of the stored form when empty (`omitempty`).
    pub omit_empty: bool,
    /// Left out of the stored form when zero (`omitzero`).
    pub omit_zero: bool,
    /// Must be given.
    pub required: bool,
    /// The fields of this struct stand in the outer object.
    pub inline: bool,
    /// How strategic merge patch treats it.
    pub patch: PatchStrategy,
    /// How server-side apply treats it.
    pub topology: Topology,
    /// The published default, as text, where it is not the empty value of the type.
    pub default: Option<&'static str>,
}

impl Type {
    /// True when the value can be missing (a Go pointer).
    pub fn is_pointer(self) -> bool {
        self.0.starts_with('*')
    }

    /// The named type's line, if the code is a number.
    fn number(self) -> Option<usize> {
        let mut number = None;
        for digit in self.0.bytes().take_while(u8::is_ascii_digit) {
            number = Some(number.unwrap_or(0) * 10 + usize::from(digit - b'0'));
        }
        number
    }

    /// What it looks like in JSON.
    pub fn shape(self) -> Shape {
        let rest = self.0.get(1..).unwrap_or("");
        match self.0.as_bytes().first() {
            Some(b'*') => Type(rest).shape(),
            Some(b'[') => Shape::List(Type(rest)),
            Some(b'{') => Shape::Map(Type(rest)),
            Some(b's') => Shape::String,
            Some(b'b') => Shape::Bool,
            Some(b'i') => Shape::Int32,
            Some(b'l') => Shape::Int64,
            Some(b'q') => Shape::Quantity,
            Some(b'p') => Shape::IntOrString,
            Some(b't') => Shape::Time,
            Some(b'u') => Shape::MicroTime,
            Some(b'd') => Shape::Duration,
            Some(b'y') => Shape::Bytes,
            Some(b'f') => Shape::FieldSet,
            _ => match self.number() {
                None => Shape::Any,
                Some(number) => match ALIASES.get(number) {
                    None | Some(0) => Shape::Struct(Struct(number as u16)),
                    Some(at) => {
                        let code = head(number).get(*at as usize + 1..);
                        Type(code.unwrap_or_default()).shape()
                    }
                },
            },
        }
    }

    /// The values of an enumeration; empty for other types.
    pub fn values(self) -> impl Iterator<Item = &'static str> {
        let number = Type(self.0.trim_start_matches('*')).number();
        let named = number.filter(|n| head(*n).contains('='));
        words(named.unwrap_or(TYPES))
            .skip(1)
            .map(|word| if word == "\"\"" { "" } else { word })
    }

    /// The Go type as error messages name it, without the pointer: `v1.PullPolicy`, `[]v1.Container`.
    pub fn go_name(self) -> String {
        let rest = self.0.get(1..).unwrap_or("");
        match self.0.as_bytes().first() {
            Some(b'*') => Type(rest).go_name(),
            Some(b'[') => format!("[]{}", Type(rest).go_name()),
            Some(b'{') => format!("map[string]{}", Type(rest).go_name()),
            Some(b's' | b't' | b'u' | b'd') => "string".to_string(),
            Some(b'b') => "bool".to_string(),
            Some(b'i' | b'p') => "int32".to_string(),
            Some(b'l') => "int64".to_string(),
            Some(b'q') => "resource.Quantity".to_string(),
            Some(b'y') => "[]uint8".to_string(),
            _ => match self.number() {
                Some(number) => {
                    let name = head(number).split(['=', '!']).next().unwrap_or("");
                    if name.contains('.') {
                        name.to_string()
                    } else {
                        format!("v1.{name}")
                    }
                }
                None => "runtime.RawExtension".to_string(),
            },
        }
    }

    /// What completion shows for the type: `string`, `[]Container`, `map[string]string`, `Quantity`.
    pub fn label(self) -> String {
        match self.shape() {
            Shape::List(item) => format!("[]{}", item.label()),
            Shape::Map(item) => format!("map[string]{}", item.label()),
            Shape::Struct(s) => s.name().to_string(),
            Shape::String => "string".to_string(),
            Shape::Bool => "boolean".to_string(),
            Shape::Int32 | Shape::Int64 => "integer".to_string(),
            Shape::Quantity => "Quantity".to_string(),
            Shape::IntOrString => "IntOrString".to_string(),
            Shape::Time => "Time".to_string(),
            Shape::MicroTime => "MicroTime".to_string(),
            Shape::Duration => "Duration".to_string(),
            Shape::Bytes => "bytes".to_string(),
            Shape::Any => "RawExtension".to_string(),
            Shape::FieldSet => "FieldsV1".to_string(),
        }
    }

    /// The struct, through pointers and names, or through one list or map.
    pub fn inner_struct(self) -> Option<Struct> {
        match self.shape() {
            Shape::Struct(s) => Some(s),
            Shape::List(item) | Shape::Map(item) => match item.shape() {
                Shape::Struct(s) => Some(s),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Field {
    /// The published default: what is marked, else the empty value of what is always written.
    #[inline(never)]
    pub fn published_default(&self) -> Value {
        let shape = self.ty.shape();
        match (shape, self.default) {
            (Shape::Bool, Some(text)) => Value::Bool(text == "true"),
            (Shape::Int32 | Shape::Int64, Some(text)) => Value::Int(text.parse().unwrap_or(0)),
            (_, Some(text)) => Value::str(text),
            _ if self.ty.is_pointer() => Value::Null,
            (Shape::Struct(_), None) => Value::map(),
            _ if self.omit_empty => Value::Null,
            (Shape::String, None) => Value::str(""),
            (Shape::Bool, None) => Value::Bool(false),
            (Shape::Int32 | Shape::Int64, None) => Value::Int(0),
            _ => Value::Null,
        }
    }
}

impl Struct {
    /// The Go type's name, such as `PodSpec`.
    pub fn name(self) -> &'static str {
        let name = head(self.0 as usize).trim_end_matches('!');
        name.rsplit('.').next().unwrap_or(name)
    }

    /// Whether objects of this type have one owner wherever they stand.
    pub fn is_atomic(self) -> bool {
        head(self.0 as usize).ends_with('!')
    }

    /// The Go type with its package, such as `v1.PodSpec`.
    pub fn go_name(self) -> String {
        let name = head(self.0 as usize).trim_end_matches('!');
        if name.contains('.') {
            name.to_string()
        } else {
            format!("v1.{name}")
        }
    }

    /// The fields in Go's order; inlined structs are one field each.
    pub fn declared(self) -> impl Iterator<Item = Field> {
        words(self.0 as usize).skip(1).filter_map(read_field)
    }

    /// Those of the declared fields that may be stored though they were not given: without the fields that
    /// are surely left out when empty.
    pub fn kept(self) -> impl Iterator<Item = Field> {
        let place = |line: usize| KEPT_BEFORE.get(line).map_or(0, |n| *n as usize);
        let (first, end) = (place(self.0 as usize), place(self.0 as usize + 1));
        let starts = KEPT.get(first..end).unwrap_or_default();
        starts.iter().filter_map(|start| {
            let rest = TABLE.get(*start as usize..)?;
            let end = rest.bytes().position(is_word_end)?;
            read_field(rest.get(..end)?)
        })
    }

    /// All fields in Go's order, those of inlined structs among them.
    pub fn fields(self) -> Vec<Field> {
        let mut fields = Vec::new();
        for field in self.declared() {
            match field.ty.shape() {
                Shape::Struct(inner) if field.inline => fields.extend(inner.fields()),
                _ => fields.push(field),
            }
        }
        fields
    }

    /// The field with this JSON name, also of an inlined struct.
    pub fn field(self, name: &str) -> Option<Field> {
        self.find(name, &mut Vec::new())
    }

    /// The field with this JSON name; the names of the inlined structs around it are pushed on `path`.
    pub fn find(self, name: &str, path: &mut Vec<&'static str>) -> Option<Field> {
        self.find_bytes(name.as_bytes(), path)
    }

    fn find_bytes(self, name: &[u8], path: &mut Vec<&'static str>) -> Option<Field> {
        let line = |at: usize| LINES.get(at).copied().unwrap_or_default();
        let ((first, start), (last, _)) = (line(self.0 as usize), line(self.0 as usize + 1));
        let lengths = WORD_LENGTHS.get(first as usize..last as usize);
        let table = TABLE.as_bytes();
        let mut start = start as usize;
        let mut is_head = true;
        for length in lengths.unwrap_or_default() {
            let (from, end) = (start, start + *length as usize);
            start = end + 1;
            if std::mem::take(&mut is_head) {
                continue;
            }
            let word = table.get(from..end).unwrap_or_default();
            if word.last() == Some(&b'~') {
                let field = read_field(TABLE.get(from..end)?)?;
                let Shape::Struct(inner) = field.ty.shape() else {
                    continue;
                };
                path.push(field.name);
                if let Some(found) = inner.find_bytes(name, path) {
                    return Some(found);
                }
                path.pop();
            } else if word.get(name.len()) == Some(&b':') && word.starts_with(name) {
                return read_field_named(TABLE.get(from..end)?, name.len());
            }
        }
        None
    }
}

/// True for the word of a field that is a pointer, list, map or plain value and marked `omitempty`.
const fn is_left_out(word: &[u8], from: usize, end: usize) -> bool {
    let mut at = from;
    while at < end && word[at] != b':' {
        at += 1;
    }
    at += 1;
    if at >= end {
        return false;
    }
    match word[at] {
        b'*' | b'[' | b'{' => {
            while at < end && !matches!(word[at], b'/' | b'@' | b'=') {
                if word[at] == b'o' {
                    return true;
                }
                at += 1;
            }
            false
        }
        b's' | b'b' | b'i' | b'l' => at + 1 < end && word[at + 1] == b'o',
        _ => false,
    }
}

/// Where the fields begin that may be stored though they were not given (the first `N` of them), how many stand
/// before each line, and how many there are.
const fn kept_fields<const N: usize>(text: &str) -> ([u16; N], [u16; TYPES + 1], usize) {
    let bytes = text.as_bytes();
    let (mut kept, mut before) = ([0; N], [0; TYPES + 1]);
    let (mut start, mut end, mut line, mut found) = (0, 0, 0, 0);
    let mut is_head = true;
    while end < bytes.len() {
        if is_word_end(bytes[end]) {
            if !is_head && !is_left_out(bytes, start, end) {
                if found < N {
                    kept[found] = start as u16;
                }
                found += 1;
            }
            is_head = bytes[end] == b'\n';
            if is_head {
                line += 1;
                before[line] = found as u16;
            }
            start = end + 1;
        }
        end += 1;
    }
    (kept, before, found)
}

const fn aliases(text: &str) -> [u8; TYPES] {
    let bytes = text.as_bytes();
    let mut aliases = [0; TYPES];
    let (mut start, mut end, mut line) = (0, 0, 0);
    let mut is_head = true;
    while end < bytes.len() {
        if is_head && bytes[end] == b'=' {
            aliases[line] = (end - start) as u8;
        }
        if is_word_end(bytes[end]) {
            is_head = bytes[end] == b'\n';
            if is_head {
                line += 1;
                start = end + 1;
            }
        }
        end += 1;
    }
    aliases
}

fn read_field(text: &'static str) -> Option<Field> {
    read_field_named(text, text.bytes().position(|b| b == b':')?)
}

/// Reads a field whose name has this length.
fn read_field_named(text: &'static str, name: usize) -> Option<Field> {
    let bytes = text.as_bytes();
    let mut at = name + 1;
    while matches!(bytes.get(at), Some(b'*' | b'[' | b'{')) {
        at += 1;
    }
    at += 1;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    let mut field = Field {
        name: text.get(..name)?,
        ty: Type(text.get(name + 1..at)?),
        omit_empty: false,
        omit_zero: false,
        required: false,
        inline: false,
        patch: PatchStrategy::Default,
        topology: Topology::Default,
        default: None,
    };
    while let Some(flag) = bytes.get(at) {
        match flag {
            b'o' => field.omit_empty = true,
            b'z' => field.omit_zero = true,
            b'!' => field.required = true,
            b'~' => field.inline = true,
            _ => break,
        }
        at += 1;
    }
    let rest = text.get(at..)?;
    if rest.is_empty() {
        return Some(field);
    }
    let (rest, default) = match rest.split_once('=') {
        None => (rest, None),
        Some((rest, default)) => (rest, Some(default)),
    };
    field.default = default;
    let (patch, topology) = match rest.split_once('@') {
        None => (rest, None),
        Some((patch, topology)) => (patch, Some(topology)),
    };
    field.topology = match topology {
        None => Topology::Default,
        Some("s") => Topology::Set,
        Some("a") => Topology::Atomic,
        Some(keys) => Topology::Map(keys.get(1..)?),
    };
    if let Some(strategy) = patch.strip_prefix('/') {
        let key = strategy.get(1..)?;
        field.patch = match strategy.as_bytes().first()? {
            b'm' => PatchStrategy::Merge(key),
            b'R' => PatchStrategy::MergeRetainKeys(key),
            b'r' => PatchStrategy::RetainKeys,
            _ => PatchStrategy::Replace,
        };
    }
    Some(field)
}

/// The type of a kind's objects.
pub fn of(kind: Kind) -> Struct {
    // The table begins with the kinds, in their order.
    Struct(kind as u16)
}

/// The type with this Go name, such as `Binding` or `DeleteOptions`; for kinds use [`of`].
pub fn named(name: &str) -> Option<Struct> {
    (0..TYPES as u16)
        .map(Struct)
        .find(|s| head(s.0 as usize).trim_end_matches('!') == name)
}

/// The field at a path in objects of a kind: `["spec", "template", "spec", "containers", "name"]`.
/// List indexes are left out; for maps the key counts as a part. `None` when there is no such field.
pub fn field(kind: Kind, path: &[&str]) -> Option<Field> {
    let mut current = of(kind);
    let mut parts = path.iter();
    loop {
        let field = current.field(parts.next()?)?;
        let mut ty = field.ty;
        if parts.len() == 0 {
            return Some(field);
        }
        loop {
            match ty.shape() {
                Shape::List(item) => ty = item,
                Shape::Map(item) => {
                    parts.next();
                    if parts.len() == 0 {
                        return Some(Field { ty: item, ..field });
                    }
                    ty = item;
                }
                Shape::Struct(inner) => {
                    current = inner;
                    break;
                }
                _ => return None,
            }
        }
    }
}

/// The fields that can stand below a path in objects of a kind (see [`field`]); the empty path is the
/// object itself. Empty when the value there is not an object with known fields.
pub fn fields(kind: Kind, path: &[&str]) -> Vec<Field> {
    if path.is_empty() {
        return of(kind).fields();
    }
    field(kind, path)
        .and_then(|f| f.ty.inner_struct())
        .map(Struct::fields)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_first_in_their_order() {
        for kind in Kind::ALL {
            assert_eq!(of(*kind).name(), kind.name());
            assert!(of(*kind).field("metadata").is_some(), "{kind}");
        }
    }

    #[test]
    fn every_code_of_the_table_can_be_read() {
        for number in 0..TYPES {
            let text = head(number);
            let declared = words(number).skip(1).count();
            if text.contains('=') {
                continue;
            }
            let read: Vec<Field> = Struct(number as u16).declared().collect();
            assert_eq!(read.len(), declared, "{text}");
            for field in read {
                let label = field.ty.label();
                assert!(!label.is_empty(), "{text} {}", field.name);
                assert!(field.ty.number().is_none_or(|n| n < TYPES), "{text}");
            }
        }
    }

    #[test]
    fn containers_and_their_ports() {
        let containers = field(
            Kind::Deployment,
            &["spec", "template", "spec", "containers"],
        );
        let containers = containers.expect("a field");
        assert_eq!(containers.patch, PatchStrategy::Merge("name"));
        assert_eq!(containers.topology, Topology::Map("name"));
        assert_eq!(containers.ty.go_name(), "[]v1.Container");
        let path = ["spec", "containers", "ports"];
        let ports = field(Kind::Pod, &path).expect("a field");
        assert_eq!(ports.patch, PatchStrategy::Merge("containerPort"));
        assert_eq!(ports.topology, Topology::Map("containerPort,protocol"));
        let limit = field(
            Kind::Pod,
            &["spec", "containers", "resources", "limits", "cpu"],
        );
        assert_eq!(limit.map(|f| f.ty.shape()), Some(Shape::Quantity));
        let policy = field(Kind::Pod, &["spec", "restartPolicy"]).expect("a field");
        assert!(policy.ty.values().any(|v| v == "OnFailure"));
        assert!(
            fields(Kind::Pod, &["spec", "volumes"])
                .iter()
                .any(|f| f.name == "emptyDir")
        );
        assert_eq!(field(Kind::Pod, &["spec", "no"]), None);
        assert!(fields(Kind::Pod, &["metadata", "name"]).is_empty());
    }
}
