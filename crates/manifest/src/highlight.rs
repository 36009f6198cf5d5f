//! Coloured pieces of YAML text for an editor: line by line, for any text, broken or not.

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A map's key.
    Key,
    /// Text without quotes, or of a block scalar.
    Text,
    /// Text in quotes.
    Quoted,
    /// A number.
    Number,
    /// A bool or null.
    Word,
    /// `:`, `-`, `,`, brackets and block scalar headers.
    Punctuation,
    /// From `#` to the end of the line.
    Comment,
    /// `---`, `...` and `%` lines.
    Separator,
    /// `&anchor`, `*alias` and `!tag`.
    Reference,
}

impl Class {
    /// A short lower-case name, as a CSS class can use it.
    pub fn name(self) -> &'static str {
        match self {
            Class::Key => "key",
            Class::Text => "text",
            Class::Quoted => "quoted",
            Class::Number => "number",
            Class::Word => "word",
            Class::Punctuation => "punctuation",
            Class::Comment => "comment",
            Class::Separator => "separator",
            Class::Reference => "reference",
        }
    }
}

/// A coloured piece: bytes `start` to `end`. Blanks belong to no piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// First byte.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// What it is.
    pub class: Class,
}

/// What a line inherits from the lines above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// Open brackets.
    depth: u16,
    /// Open quote, or 0.
    quote: u8,
    /// Column that lines of a block scalar stand beyond, plus one; 0 outside of one.
    block: u16,
}

/// All pieces of a text, in order.
pub fn highlight(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 8);
    let mut state = State::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        state = highlight_line(line, start, state, &mut tokens);
        start += line.len() as u32;
    }
    tokens
}

/// Appends the pieces of one line that begins at byte `start`; gives the state for the next line.
pub fn highlight_line(line: &str, start: u32, state: State, tokens: &mut Vec<Token>) -> State {
    let content = line.trim_end_matches(['\n', '\r']);
    let mut scanner = Scanner {
        line: content,
        at: 0,
        start,
        state,
        tokens,
        wants_key: true,
        indent: 0,
    };
    scanner.run();
    scanner.state
}

struct Scanner<'a> {
    line: &'a str,
    at: usize,
    start: u32,
    state: State,
    tokens: &'a mut Vec<Token>,
    /// True where a key can begin.
    wants_key: bool,
    /// Column of the innermost `-` or key of this line.
    indent: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.line.get(self.at..).unwrap_or("")
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.line
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(b' ')
    }

    fn push(&mut self, length: usize, class: Class) {
        if length > 0 {
            self.tokens.push(Token {
                start: self.start + self.at as u32,
                end: self.start + (self.at + length) as u32,
                class,
            });
        }
        self.at += length;
    }

    fn run(&mut self) {
        let blanks = self.line.len() - self.line.trim_start_matches(' ').len();
        let is_blank = self.line.trim().is_empty();
        if self.state.block > 0 {
            if is_blank {
                return;
            }
            if blanks + 1 > self.state.block as usize {
                self.at = blanks;
                self.push(self.line.trim_end().len() - blanks, Class::Text);
                return;
            }
            self.state.block = 0;
        }
        if self.state.quote != 0 {
            self.skip_blanks();
            let quote = self.state.quote;
            self.quoted(quote, 0);
        } else if self.state.depth == 0 {
            let is_separator = ["---", "..."].iter().any(|s| {
                self.line
                    .strip_prefix(s)
                    .is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t']))
            });
            if is_separator {
                self.push(3, Class::Separator);
            } else if self.line.starts_with('%') {
                return self.push(self.line.len(), Class::Separator);
            }
        }
        self.indent = blanks;
        while self.at < self.line.len() {
            self.skip_blanks();
            if self.at < self.line.len() {
                self.piece();
            }
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.line.as_bytes().get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn piece(&mut self) {
        let ends = matches!(self.byte(1), b' ' | b'\t');
        let before = self
            .at
            .checked_sub(1)
            .and_then(|i| self.line.as_bytes().get(i));
        match self.byte(0) {
            b'#' if before.is_none_or(|b| matches!(b, b' ' | b'\t')) => {
                self.push(self.line.len() - self.at, Class::Comment);
            }
            b'-' | b'?' if ends && self.wants_key => {
                self.indent = self.at;
                self.push(1, Class::Punctuation);
            }
            b'{' | b'[' => {
                self.state.depth = self.state.depth.saturating_add(1);
                self.push(1, Class::Punctuation);
                self.wants_key = true;
            }
            b'}' | b']' if self.state.depth > 0 => {
                self.state.depth -= 1;
                self.push(1, Class::Punctuation);
            }
            b',' if self.state.depth > 0 => {
                self.push(1, Class::Punctuation);
                self.wants_key = true;
            }
            b':' if ends || self.state.depth > 0 => {
                self.push(1, Class::Punctuation);
                self.wants_key = self.state.depth > 0;
            }
            b'&' | b'*' | b'!' => {
                let end = self.rest().find([' ', '\t', ',', '}', ']']);
                self.push(end.unwrap_or(self.rest().len()), Class::Reference);
            }
            b'|' | b'>' if self.state.depth == 0 && self.is_block_header() => {
                let length = self.rest().find([' ', '\t']).unwrap_or(self.rest().len());
                self.push(length, Class::Punctuation);
                self.state.block = (self.indent + 1).min(u16::MAX as usize) as u16;
            }
            quote @ (b'"' | b'\'') => self.quoted(quote, 1),
            _ => self.plain(),
        }
    }

    fn is_block_header(&self) -> bool {
        let header = self.rest().split(" #").next().unwrap_or("").trim_end();
        header.len() <= 3
            && header
                .bytes()
                .skip(1)
                .all(|b| matches!(b, b'+' | b'-' | b'1'..=b'9'))
    }

    /// A quoted scalar from here; `skip` bytes of opening quote.
    fn quoted(&mut self, quote: u8, skip: usize) {
        let bytes = self.line.as_bytes();
        let mut end = self.at + skip;
        self.state.quote = quote;
        while let Some(b) = bytes.get(end) {
            end += 1;
            if *b == b'\\' && quote == b'"' {
                end += 1;
            } else if *b == quote {
                if quote == b'\'' && bytes.get(end) == Some(&quote) {
                    end += 1;
                    continue;
                }
                self.state.quote = 0;
                break;
            }
        }
        let mut end = end.min(self.line.len());
        while !self.line.is_char_boundary(end) {
            end += 1;
        }
        let class = if self.wants_key && self.state.quote == 0 && self.is_key_end(end) {
            self.indent = self.at;
            Class::Key
        } else {
            Class::Quoted
        };
        self.push(end - self.at, class);
    }

    fn is_key_end(&self, end: usize) -> bool {
        let rest = self.line.get(end..).unwrap_or("").trim_start();
        rest.strip_prefix(':')
            .is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t']) || self.state.depth > 0)
    }

    fn plain(&mut self) {
        let bytes = self.line.as_bytes();
        let mut end = self.at;
        while let Some(b) = bytes.get(end) {
            let next = bytes.get(end + 1).copied().unwrap_or(b' ');
            let stops = match b {
                b':' => {
                    matches!(next, b' ' | b'\t')
                        || self.state.depth > 0 && matches!(next, b',' | b'}' | b']')
                }
                b'#' => end > 0 && matches!(bytes.get(end - 1), Some(b' ' | b'\t')),
                b',' | b'[' | b']' | b'{' | b'}' => self.state.depth > 0,
                _ => false,
            };
            if stops {
                break;
            }
            end += 1;
        }
        // A lone indicator that nothing else took.
        let end = if end == self.at {
            let first = self.rest().chars().next();
            self.at + first.map_or(1, char::len_utf8)
        } else {
            end
        };
        let text = self.line.get(self.at..end).unwrap_or("");
        let text = text.trim_end_matches([' ', '\t']);
        let is_key = self.wants_key && self.is_key_end(self.at + text.len());
        if is_key {
            self.indent = self.at;
        }
        let class = if is_key {
            Class::Key
        } else {
            value_class(text)
        };
        let length = text.len().max(1);
        self.push(length, class);
        if !is_key {
            self.wants_key = false;
        }
    }
}

fn value_class(text: &str) -> Class {
    match text {
        "true" | "false" | "null" | "~" | "yes" | "no" | "on" | "off" | "True" | "False"
        | "Yes" | "No" | "On" | "Off" | "TRUE" | "FALSE" | "NULL" | "Null" | "y" | "n" => {
            Class::Word
        }
        _ => {
            let first = text.as_bytes().first();
            let numeric = first.is_some_and(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.'))
                && text.len() < 40
                && text
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() || b"+-._xXo".contains(&b))
                && !matches!(crate::scalar::resolve(text), podscope_api::Value::Str(_));
            if numeric { Class::Number } else { Class::Text }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(&str, Class)> {
        highlight(text)
            .into_iter()
            .map(|t| {
                (
                    text.get(t.start as usize..t.end as usize).unwrap_or("?"),
                    t.class,
                )
            })
            .collect()
    }

    #[test]
    fn keys_values_and_comments() {
        use Class::*;
        assert_eq!(
            shown(
                "# top\nspec:\n- name: web # c\n  \"n\": 3\n  ok: true\n  q: 'it''s'\n  url: http://x#y\n"
            ),
            [
                ("# top", Comment),
                ("spec", Key),
                (":", Punctuation),
                ("-", Punctuation),
                ("name", Key),
                (":", Punctuation),
                ("web", Text),
                ("# c", Comment),
                ("\"n\"", Key),
                (":", Punctuation),
                ("3", Number),
                ("ok", Key),
                (":", Punctuation),
                ("true", Word),
                ("q", Key),
                (":", Punctuation),
                ("'it''s'", Quoted),
                ("url", Key),
                (":", Punctuation),
                ("http://x#y", Text),
            ]
        );
    }

    #[test]
    fn flow_and_blocks() {
        use Class::*;
        assert_eq!(
            shown("a: {b: [1, x], \"c\": d}\nt: |\n  # not a comment\n\n  k: v\ne: &x *y\n---\n"),
            [
                ("a", Key),
                (":", Punctuation),
                ("{", Punctuation),
                ("b", Key),
                (":", Punctuation),
                ("[", Punctuation),
                ("1", Number),
                (",", Punctuation),
                ("x", Text),
                ("]", Punctuation),
                (",", Punctuation),
                ("\"c\"", Key),
                (":", Punctuation),
                ("d", Text),
                ("}", Punctuation),
                ("t", Key),
                (":", Punctuation),
                ("|", Punctuation),
                ("# not a comment", Text),
                ("k: v", Text),
                ("e", Key),
                (":", Punctuation),
                ("&x", Reference),
                ("*y", Reference),
                ("---", Separator),
            ]
        );
    }

    #[test]
    fn pieces_never_overlap_whatever_the_text() {
        let mut state = 1_u32;
        let alphabet: Vec<char> = ":-#'\"{}[],|>&*!%?\\ \n\tab1é~\u{a0}".chars().collect();
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..state % 40 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push(alphabet[(state >> 16) as usize % alphabet.len()]);
            }
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut last = 0;
            for token in highlight(&text) {
                assert!(
                    token.start >= last && token.end > token.start,
                    "{text:?} {token:?}"
                );
                assert!(
                    text.get(token.start as usize..token.end as usize).is_some(),
                    "{text:?}"
                );
                last = token.end;
            }
            assert!(last as usize <= text.len());
        }
    }
}
