//! YAML text to tokens, with the errors of Go's yaml.v2 (which follows libyaml and YAML 1.1).
//!
//! Models: go.yaml.in/yaml/v2 scannerc.go. Left out: decoding of `%xx` in tags, which nothing here reads.

use std::borrow::Cow;
use std::collections::VecDeque;

/// A place in the text. Lines and columns count from 0; columns and indexes count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub byte: u32,
    pub index: u32,
    pub line: u32,
    pub column: u32,
}

/// Why text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub problem: Cow<'static, str>,
    pub at: Mark,
    /// Where what could not be finished began.
    pub since: Mark,
    /// Found by the scanner, which counts lines otherwise than the parser.
    pub by_scanner: bool,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Single,
    Double,
    Block,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'t> {
    StreamEnd,
    Version(u8, u8),
    TagDirective(&'t str, &'t str),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'t str),
    Anchor(&'t str),
    /// Handle and suffix.
    Tag(&'t str, &'t str),
    Scalar(Cow<'t, str>, Style),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    pub kind: Kind<'t>,
    pub start: Mark,
    pub end: Mark,
}

/// A place where a key without `?` may have begun.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

/// How far a `:` may stand from the beginning of its key, in characters.
const MAX_KEY: u32 = 1024;
/// How deep brackets and indents may be nested; deeper text is refused by the reader before.
const MAX_LEVELS: usize = 1000;

pub struct Scanner<'t> {
    text: &'t str,
    mark: Mark,
    indent: i32,
    indents: Vec<i32>,
    flow: usize,
    key_allowed: bool,
    keys: Vec<SimpleKey>,
    tokens: VecDeque<Token<'t>>,
    /// Tokens that were taken.
    taken: usize,
    ended: bool,
}

type Done = Result<(), Error>;

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Scanner<'t> {
        Scanner {
            text,
            mark: Mark::default(),
            indent: -1,
            indents: Vec::new(),
            flow: 0,
            key_allowed: true,
            keys: vec![SimpleKey::default()],
            tokens: VecDeque::new(),
            taken: 0,
            ended: false,
        }
    }

    /// The next token, without taking it.
    pub fn peek(&mut self) -> Result<&Token<'t>, Error> {
        while self.needs_more()? {
            self.fetch()?;
        }
        let at = self.mark;
        if self.tokens.is_empty() {
            self.push(Kind::StreamEnd, at);
        }
        match self.tokens.front() {
            Some(token) => Ok(token),
            None => Err(self.error(at, "unknown problem parsing YAML content")),
        }
    }

    /// Takes the token that was peeked at.
    pub fn take(&mut self) -> Option<Token<'t>> {
        self.taken += 1;
        self.tokens.pop_front()
    }

    /// A token is complete when no key can begin at it any more.
    fn needs_more(&mut self) -> Result<bool, Error> {
        if self.tokens.is_empty() {
            return Ok(!self.ended);
        }
        let head = self.taken;
        let key = self.keys.iter().position(|k| k.possible && k.token == head);
        match key {
            Some(key) => self.is_valid(key),
            None => Ok(false),
        }
    }

    fn error(&self, since: Mark, problem: &'static str) -> Error {
        Error {
            problem: Cow::Borrowed(problem),
            at: self.mark,
            since,
            by_scanner: true,
        }
    }

    // Characters.

    fn byte(&self, ahead: usize) -> u8 {
        let at = self.mark.byte as usize + ahead;
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.mark.byte as usize..).unwrap_or("")
    }

    /// The text between two places.
    pub fn slice(&self, start: Mark, end: Mark) -> &'t str {
        let range = start.byte as usize..end.byte as usize;
        self.text.get(range).unwrap_or("")
    }

    fn since(&self, start: Mark) -> &'t str {
        self.slice(start, self.mark)
    }

    fn is_end(&self, ahead: usize) -> bool {
        self.mark.byte as usize + ahead >= self.text.len()
    }

    fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    fn is_break(&self, ahead: usize) -> bool {
        self.break_length(ahead) > 0
    }

    /// Bytes of the line break there; 0 when there is none.
    fn break_length(&self, ahead: usize) -> usize {
        match (self.byte(ahead), self.byte(ahead + 1)) {
            (b'\r', b'\n') => 2,
            (b'\r' | b'\n', _) => 1,
            (0xc2, 0x85) => 2,
            (0xe2, 0x80) if matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    fn is_break_or_end(&self, ahead: usize) -> bool {
        self.is_end(ahead) || self.is_break(ahead)
    }

    fn is_gap(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    fn is_word(&self) -> bool {
        matches!(self.byte(0), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-')
    }

    fn skip(&mut self) {
        let width = match self.byte(0) {
            0..=0xbf => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        self.mark.byte += width;
        self.mark.index += 1;
        self.mark.column += 1;
    }

    fn skip_many(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    fn skip_line(&mut self) {
        let is_pair = self.byte(0) == b'\r' && self.byte(1) == b'\n';
        self.mark.byte += self.break_length(0) as u32;
        self.mark.index += 1 + u32::from(is_pair);
        self.mark.column = 0;
        self.mark.line += 1;
    }

    /// Takes a line break; what it becomes in a scalar.
    fn read_line(&mut self) -> &'static str {
        let text = match (self.byte(0), self.byte(2)) {
            (0xe2, 0xa8) => "\u{2028}",
            (0xe2, _) => "\u{2029}",
            _ => "\n",
        };
        self.skip_line();
        text
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            while !self.is_break_or_end(0) {
                self.skip();
            }
        }
    }

    /// `---` or `...` at the beginning of a line.
    fn at_document_mark(&self) -> bool {
        self.mark.column == 0
            && (self.rest().starts_with("---") || self.rest().starts_with("..."))
            && self.is_gap(3)
    }

    // Keys and indents.

    fn is_valid(&mut self, key: usize) -> Result<bool, Error> {
        let Some(found) = self.keys.get_mut(key).filter(|k| k.possible) else {
            return Ok(false);
        };
        let (mark, required) = (found.mark, found.required);
        if mark.line < self.mark.line || mark.index + MAX_KEY < self.mark.index {
            if required {
                return Err(self.error(mark, "could not find expected ':'"));
            }
            found.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_key(&mut self) -> Done {
        if !self.key_allowed {
            return Ok(());
        }
        let key = SimpleKey {
            possible: true,
            required: self.flow == 0 && self.indent == self.mark.column as i32,
            token: self.taken + self.tokens.len(),
            mark: self.mark,
        };
        self.remove_key()?;
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Done {
        let Some(last) = self.keys.last_mut().filter(|k| k.possible) else {
            return Ok(());
        };
        if last.required {
            let mark = last.mark;
            return Err(self.error(mark, "could not find expected ':'"));
        }
        last.possible = false;
        Ok(())
    }

    fn push(&mut self, kind: Kind<'t>, start: Mark) {
        let end = self.mark;
        self.tokens.push_back(Token { kind, start, end });
    }

    /// Begins a block collection at a column, with its token before another one if asked.
    fn roll(&mut self, column: u32, before: Option<usize>, kind: Kind<'t>, mark: Mark) -> Done {
        if self.flow > 0 || self.indent >= column as i32 {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as i32;
        if self.indents.len() > MAX_LEVELS {
            return Err(self.error(mark, "exceeded max depth of 10000"));
        }
        let token = Token {
            kind,
            start: mark,
            end: mark,
        };
        match before {
            Some(number) => {
                let at = number.saturating_sub(self.taken).min(self.tokens.len());
                self.tokens.insert(at, token);
            }
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Ends the block collections that stand deeper than a column.
    fn unroll(&mut self, column: i32) {
        if self.flow > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    // Tokens.

    fn fetch(&mut self) -> Done {
        self.skip_to_token();
        self.unroll(self.mark.column as i32);
        if self.is_end(0) {
            return self.stream_end();
        }
        if self.at_document_mark() {
            let kind = match self.byte(0) {
                b'-' => Kind::DocumentStart,
                _ => Kind::DocumentEnd,
            };
            self.reset()?;
            let start = self.mark;
            self.skip_many(3);
            self.push(kind, start);
            return Ok(());
        }
        let in_flow = self.flow > 0;
        match self.byte(0) {
            b'%' if self.mark.column == 0 => self.directive(),
            b'[' => self.flow_start(Kind::FlowSequenceStart),
            b'{' => self.flow_start(Kind::FlowMappingStart),
            b']' => self.flow_end(Kind::FlowSequenceEnd),
            b'}' => self.flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.indicator(Kind::FlowEntry);
                Ok(())
            }
            b'-' if self.is_gap(1) => self.block_entry(),
            b'?' if in_flow || self.is_gap(1) => self.key(),
            b':' if in_flow || self.is_gap(1) => self.value(),
            b'*' | b'&' => self.anchor(),
            b'!' => self.tag(),
            b'|' if !in_flow => self.block_scalar(true),
            b'>' if !in_flow => self.block_scalar(false),
            b'\'' => self.quoted(true),
            b'"' => self.quoted(false),
            _ if self.begins_plain() => self.plain(),
            _ => Err(self.error(self.mark, "found character that cannot start any token")),
        }
    }

    fn begins_plain(&self) -> bool {
        match self.byte(0) {
            b'-' => !self.is_blank(1),
            b'?' | b':' => self.flow == 0 && !self.is_gap(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_gap(0),
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            if self.mark.column == 0 && self.rest().starts_with('\u{feff}') {
                self.skip();
            }
            let tabs = self.flow > 0 || !self.key_allowed;
            while self.byte(0) == b' ' || tabs && self.byte(0) == b'\t' {
                self.skip();
            }
            self.skip_comment();
            if !self.is_break(0) {
                return;
            }
            self.skip_line();
            if self.flow == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// What comes before tokens that end all open collections.
    fn reset(&mut self) -> Done {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn stream_end(&mut self) -> Done {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.reset()?;
        self.push(Kind::StreamEnd, self.mark);
        self.ended = true;
        Ok(())
    }

    fn indicator(&mut self, kind: Kind<'t>) {
        let start = self.mark;
        self.skip();
        self.push(kind, start);
    }

    #[inline(never)]
    fn flow_start(&mut self, kind: Kind<'t>) -> Done {
        self.save_key()?;
        self.keys.push(SimpleKey::default());
        self.flow += 1;
        if self.flow > MAX_LEVELS {
            return Err(self.error(self.mark, "exceeded max depth of 10000"));
        }
        self.key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn flow_end(&mut self, kind: Kind<'t>) -> Done {
        self.remove_key()?;
        if self.flow > 0 {
            self.flow -= 1;
            self.keys.pop();
        }
        self.key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn block_entry(&mut self) -> Done {
        if self.flow == 0 {
            if !self.key_allowed {
                let problem = "block sequence entries are not allowed in this context";
                return Err(self.error(self.mark, problem));
            }
            self.roll(self.mark.column, None, Kind::BlockSequenceStart, self.mark)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Kind::BlockEntry);
        Ok(())
    }

    fn key(&mut self) -> Done {
        if self.flow == 0 {
            if !self.key_allowed {
                let problem = "mapping keys are not allowed in this context";
                return Err(self.error(self.mark, problem));
            }
            self.roll(self.mark.column, None, Kind::BlockMappingStart, self.mark)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow == 0;
        self.indicator(Kind::Key);
        Ok(())
    }

    fn value(&mut self) -> Done {
        let last = self.keys.len().saturating_sub(1);
        if self.is_valid(last)? {
            let key = self.keys.get(last).copied().unwrap_or_default();
            let at = key.token.saturating_sub(self.taken).min(self.tokens.len());
            let token = Token {
                kind: Kind::Key,
                start: key.mark,
                end: key.mark,
            };
            self.tokens.insert(at, token);
            self.roll(
                key.mark.column,
                Some(key.token),
                Kind::BlockMappingStart,
                key.mark,
            )?;
            if let Some(key) = self.keys.get_mut(last) {
                key.possible = false;
            }
            self.key_allowed = false;
        } else {
            if self.flow == 0 {
                if !self.key_allowed {
                    let problem = "mapping values are not allowed in this context";
                    return Err(self.error(self.mark, problem));
                }
                self.roll(self.mark.column, None, Kind::BlockMappingStart, self.mark)?;
            }
            self.key_allowed = self.flow == 0;
        }
        self.indicator(Kind::Value);
        Ok(())
    }

    #[inline(never)]
    fn anchor(&mut self) -> Done {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let is_alias = self.byte(0) == b'*';
        self.skip();
        let name_start = self.mark;
        while self.is_word() {
            self.skip();
        }
        let name = self.since(name_start);
        let ends = self.is_gap(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            let problem = "did not find expected alphabetic or numeric character";
            return Err(self.error(start, problem));
        }
        let kind = if is_alias {
            Kind::Alias(name)
        } else {
            Kind::Anchor(name)
        };
        self.push(kind, start);
        Ok(())
    }

    #[inline(never)]
    fn tag(&mut self) -> Done {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip_many(2);
            let uri = self.uri(start, false)?;
            if self.byte(0) != b'>' {
                return Err(self.error(start, "did not find the expected '>'"));
            }
            self.skip();
            ("", uri)
        } else {
            let handle = self.tag_handle(start, false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.uri(start, false)?)
            } else {
                // Not a handle, but the beginning of the suffix of `!`.
                self.uri(start, true)?;
                let suffix = self.since(start).get(1..).unwrap_or("");
                if suffix.is_empty() {
                    ("", "!")
                } else {
                    ("!", suffix)
                }
            }
        };
        if !self.is_gap(0) {
            return Err(self.error(start, "did not find expected whitespace or line break"));
        }
        self.push(Kind::Tag(handle, suffix), start);
        Ok(())
    }

    fn tag_handle(&mut self, since: Mark, in_directive: bool) -> Result<&'t str, Error> {
        if self.byte(0) != b'!' {
            return Err(self.error(since, "did not find expected '!'"));
        }
        let start = self.mark;
        self.skip();
        while self.is_word() {
            self.skip();
        }
        if self.byte(0) == b'!' {
            self.skip();
        } else if in_directive && self.since(start) != "!" {
            return Err(self.error(since, "did not find expected '!'"));
        }
        Ok(self.since(start))
    }

    fn uri(&mut self, since: Mark, has_begun: bool) -> Result<&'t str, Error> {
        let start = self.mark;
        while self.is_word() || b";/?:@&=+$,.!~*'()[]%".contains(&self.byte(0)) {
            if self.byte(0) == b'%'
                && !(self.byte(1).is_ascii_hexdigit() && self.byte(2).is_ascii_hexdigit())
            {
                return Err(self.error(since, "did not find URI escaped octet"));
            }
            self.skip();
        }
        if start.byte == self.mark.byte && !has_begun {
            return Err(self.error(since, "did not find expected tag URI"));
        }
        Ok(self.since(start))
    }

    #[inline(never)]
    fn directive(&mut self) -> Done {
        self.reset()?;
        let start = self.mark;
        self.skip();
        let name_start = self.mark;
        while self.is_word() {
            self.skip();
        }
        let name = self.since(name_start);
        if name.is_empty() {
            return Err(self.error(start, "could not find expected directive name"));
        }
        if !self.is_gap(0) {
            return Err(self.error(start, "found unexpected non-alphabetical character"));
        }
        self.skip_blanks();
        let kind = match name {
            "YAML" => {
                let major = self.version_number(start)?;
                if self.byte(0) != b'.' {
                    let problem = "did not find expected digit or '.' character";
                    return Err(self.error(start, problem));
                }
                self.skip();
                Kind::Version(major, self.version_number(start)?)
            }
            "TAG" => {
                let handle = self.tag_handle(start, true)?;
                if !self.is_blank(0) {
                    return Err(self.error(start, "did not find expected whitespace"));
                }
                self.skip_blanks();
                let prefix = self.uri(start, false)?;
                if !self.is_gap(0) {
                    let problem = "did not find expected whitespace or line break";
                    return Err(self.error(start, problem));
                }
                Kind::TagDirective(handle, prefix)
            }
            _ => return Err(self.error(start, "found unknown directive name")),
        };
        self.push(kind, start);
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return Err(self.error(start, "did not find expected comment or line break"));
        }
        if self.is_break(0) {
            self.skip_line();
        }
        Ok(())
    }

    fn version_number(&mut self, since: Mark) -> Result<u8, Error> {
        let start = self.mark;
        while self.byte(0).is_ascii_digit() {
            self.skip();
            if self.mark.byte - start.byte > 2 {
                return Err(self.error(since, "found extremely long version number"));
            }
        }
        self.since(start)
            .parse()
            .map_err(|_| self.error(since, "did not find expected version number"))
    }

    // Scalars.

    #[inline(never)]
    fn block_scalar(&mut self, literal: bool) -> Done {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.mark;
        self.skip();
        let (mut chomping, mut increment) = (0_u8, 0);
        // A chomping indicator and an indentation indicator, in either order.
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if chomping == 0 => {
                    chomping = sign;
                    self.skip();
                }
                b'0' if increment == 0 => {
                    return Err(self.error(start, "found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if increment == 0 => {
                    increment = i32::from(digit - b'0');
                    self.skip();
                }
                _ => break,
            }
        }
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return Err(self.error(start, "did not find expected comment or line break"));
        }
        if self.is_break(0) {
            self.skip_line();
        }
        let mut end = self.mark;
        let mut indent = match increment {
            0 => 0,
            _ => self.indent.max(0) + increment,
        };
        let mut out = String::new();
        let mut leading_break = "";
        let mut breaks = String::new();
        self.block_breaks(&mut indent, &mut breaks, start, &mut end)?;
        let mut was_blank = false;
        while self.mark.column as i32 == indent && !self.is_end(0) {
            let is_blank = self.is_blank(0);
            if !literal && leading_break == "\n" && !was_blank && !is_blank {
                if breaks.is_empty() {
                    out.push(' ');
                }
            } else {
                out.push_str(leading_break);
            }
            out.push_str(&breaks);
            breaks.clear();
            was_blank = is_blank;
            let line = self.mark;
            while !self.is_break_or_end(0) {
                self.skip();
            }
            out.push_str(self.since(line));
            leading_break = if self.is_break(0) {
                self.read_line()
            } else {
                ""
            };
            self.block_breaks(&mut indent, &mut breaks, start, &mut end)?;
        }
        if chomping != b'-' {
            out.push_str(leading_break);
        }
        if chomping == b'+' {
            out.push_str(&breaks);
        }
        self.tokens.push_back(Token {
            kind: Kind::Scalar(Cow::Owned(out), Style::Block),
            start,
            end,
        });
        Ok(())
    }

    /// Takes indentation and empty lines; finds the indentation of the block when it is not known.
    fn block_breaks(
        &mut self,
        indent: &mut i32,
        breaks: &mut String,
        since: Mark,
        end: &mut Mark,
    ) -> Done {
        *end = self.mark;
        let mut deepest = 0;
        loop {
            while (*indent == 0 || (self.mark.column as i32) < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            let column = self.mark.column as i32;
            deepest = deepest.max(column);
            if (*indent == 0 || column < *indent) && self.byte(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(self.error(since, problem));
            }
            if !self.is_break(0) {
                break;
            }
            breaks.push_str(self.read_line());
            *end = self.mark;
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }

    #[inline(never)]
    fn quoted(&mut self, single: bool) -> Done {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let quote = self.byte(0);
        self.skip();
        let mut out = String::new();
        loop {
            if self.at_document_mark() {
                return Err(self.error(start, "found unexpected document indicator"));
            }
            if self.is_end(0) {
                return Err(self.error(start, "found unexpected end of stream"));
            }
            let mut folded = false;
            while !self.is_gap(0) {
                let c = self.byte(0);
                if single && c == b'\'' && self.byte(1) == b'\'' {
                    out.push('\'');
                    self.skip_many(2);
                } else if c == quote {
                    break;
                } else if !single && c == b'\\' && self.is_break(1) {
                    self.skip();
                    self.skip_line();
                    folded = true;
                    break;
                } else if !single && c == b'\\' {
                    self.escape(&mut out, start)?;
                } else {
                    let from = self.mark;
                    self.skip();
                    out.push_str(self.since(from));
                }
            }
            if self.byte(0) == quote && !self.is_end(0) {
                break;
            }
            self.fold(&mut out, folded, None)?;
        }
        self.skip();
        let style = if single { Style::Single } else { Style::Double };
        self.push(Kind::Scalar(Cow::Owned(out), style), start);
        Ok(())
    }

    /// Takes blanks and line breaks within a scalar and writes what they become. `folded` when a line break
    /// was escaped just before. For plain scalars, tabs before `guard`'s column are refused.
    fn fold(
        &mut self,
        out: &mut String,
        folded: bool,
        guard: Option<(u32, Mark)>,
    ) -> Result<bool, Error> {
        let mut blanks = String::new();
        let mut leading_break = "";
        let mut breaks = String::new();
        let mut in_lines = folded;
        loop {
            if self.is_blank(0) {
                if let Some((column, since)) = guard
                    && in_lines
                    && self.mark.column < column
                    && self.byte(0) == b'\t'
                {
                    return Err(
                        self.error(since, "found a tab character that violates indentation")
                    );
                }
                if !in_lines {
                    blanks.push(char::from(self.byte(0)));
                }
                self.skip();
            } else if self.is_break(0) {
                let text = self.read_line();
                if in_lines {
                    breaks.push_str(text);
                } else {
                    blanks.clear();
                    leading_break = text;
                    in_lines = true;
                }
            } else {
                break;
            }
        }
        if !in_lines {
            out.push_str(&blanks);
        } else if leading_break == "\n" {
            out.push_str(if breaks.is_empty() { " " } else { &breaks });
        } else {
            out.push_str(leading_break);
            out.push_str(&breaks);
        }
        Ok(in_lines)
    }

    fn escape(&mut self, out: &mut String, since: Mark) -> Done {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            letter => {
                out.push(match letter {
                    b'0' => '\0',
                    b'a' => '\u{7}',
                    b'b' => '\u{8}',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\u{b}',
                    b'f' => '\u{c}',
                    b'r' => '\r',
                    b'e' => '\u{1b}',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.error(since, "found unknown escape character")),
                });
                self.skip_many(2);
                return Ok(());
            }
        };
        self.skip_many(2);
        let hex = self.rest().get(..digits).unwrap_or("");
        if hex.len() != digits || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.error(since, "did not find expected hexdecimal number"));
        }
        let code = u32::from_str_radix(hex, 16).unwrap_or(u32::MAX);
        let Some(c) = char::from_u32(code) else {
            return Err(self.error(since, "found invalid Unicode character escape code"));
        };
        out.push(c);
        self.skip_many(digits);
        Ok(())
    }

    fn plain(&mut self) -> Done {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let mut end = self.mark;
        let indent = (self.indent + 1).max(0) as u32;
        // Most scalars are one piece of one line.
        let mut joined: Option<String> = None;
        let mut gap = String::new();
        let mut in_lines = false;
        loop {
            if self.at_document_mark() || self.byte(0) == b'#' {
                break;
            }
            let piece = self.mark;
            while !self.is_gap(0) {
                let c = self.byte(0);
                let ends = c == b':' && self.is_gap(1)
                    || self.flow > 0 && matches!(c, b',' | b'?' | b'[' | b']' | b'{' | b'}');
                if ends {
                    break;
                }
                self.skip();
            }
            if self.mark.byte > piece.byte {
                if piece.byte > start.byte {
                    let first = self.text.get(start.byte as usize..end.byte as usize);
                    let joined = joined.get_or_insert_with(|| first.unwrap_or("").to_string());
                    joined.push_str(&gap);
                    joined.push_str(self.since(piece));
                    in_lines = false;
                }
                gap.clear();
                end = self.mark;
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            in_lines = self.fold(&mut gap, in_lines, Some((indent, start)))?;
            if self.flow == 0 && self.mark.column < indent {
                break;
            }
        }
        let text = match joined {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(
                self.text
                    .get(start.byte as usize..end.byte as usize)
                    .unwrap_or(""),
            ),
        };
        self.tokens.push_back(Token {
            kind: Kind::Scalar(text, Style::Plain),
            start,
            end,
        });
        if in_lines {
            self.key_allowed = true;
        }
        Ok(())
    }
}
