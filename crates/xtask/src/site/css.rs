//! Takes comments and needless white space out of a style sheet. Everything else stays as written.

/// The same sheet, smaller.
pub fn minify(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, behind)| behind);
            separate(&mut out);
        } else if next.is_whitespace() {
            rest = rest.trim_start();
            separate(&mut out);
        } else if matches!(next, '"' | '\'') {
            let end = end_of_string(rest, next);
            out.push_str(rest.get(..end).unwrap_or(rest));
            rest = rest.get(end..).unwrap_or_default();
        } else {
            if needs_no_space_before(next) && out.ends_with(' ') {
                out.pop();
            }
            if next == '}' && out.ends_with(';') {
                out.pop();
            }
            out.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// One space, where one may matter: not at the start nor behind these signs. (`:` is not among them:
/// `a :hover` and `a:hover` differ; nor `)`, `+`, `-`.)
fn separate(out: &mut String) {
    if !out.is_empty() && !out.ends_with([' ', '{', '}', ';', ',']) {
        out.push(' ');
    }
}

fn needs_no_space_before(sign: char) -> bool {
    matches!(sign, '{' | '}' | ';' | ',')
}

/// The length of the quoted string that `text` begins with.
fn end_of_string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        if sign == quote && !escaped {
            return at + 1;
        }
        escaped = sign == '\\' && !escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_white_space_go_and_meaning_stays() {
        let source = "/* page */\na :hover,\n.b > c {\n  margin: 0 calc(1px + 2px);\n  color: red;\n}\n\
                      @media (width < 40em) { p::before { content: \" /* ; } \\\" \"; } }\n";
        let want = "a :hover,.b > c{margin: 0 calc(1px + 2px);color: red}\
                    @media (width < 40em){p::before{content: \" /* ; } \\\" \"}}";
        assert_eq!(minify(source), want);
    }

    #[test]
    fn broken_sheets_do_no_harm() {
        for (source, want) in [
            ("/* open", ""),
            ("a{b:'c", "a{b:'c"),
            ("", ""),
            ("}}", "}}"),
        ] {
            assert_eq!(minify(source), want);
        }
    }
}
