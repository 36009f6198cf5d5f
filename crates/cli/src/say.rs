//! Codes with arguments as English text.

use podscope_session::view::{Arg, Msg};
use podscope_session::words::{Argument, Catalogue};

/// The words of the command line.
pub struct Words(Catalogue);

impl Words {
    /// English.
    pub fn english() -> Words {
        Words(podscope_session::words::english())
    }

    /// A message's text; `part` is added to its code (`.title`), or empty.
    pub fn say(&self, msg: &Msg, part: &str) -> String {
        let code = [msg.code, part].concat();
        let arguments: Vec<Argument<'_>> = msg
            .args
            .iter()
            .map(|(name, arg)| {
                let (text, count) = match arg {
                    Arg::Text(text) => (text.to_string(), None),
                    Arg::Count(n) => (n.to_string(), Some(*n)),
                    Arg::At(at) | Arg::Span(at) => (time(*at), None),
                };
                Argument {
                    name,
                    text: text.into(),
                    count,
                }
            })
            .collect();
        let text = self.0.say(&code, &arguments);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A moment or a span: `12.345s`.
pub fn time(nanos: u64) -> String {
    let millis = nanos / 1_000_000;
    format!("{}.{:03}s", millis / 1_000, millis % 1_000)
}
