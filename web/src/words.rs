//! Words and numbers for people: catalogue look-up, times, and text with `code` in it.

use podscope_lesson::catalogue::{Argument, Catalogue};
use podscope_session::view::{Arg, Msg, Nanos, Text};
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The words file of another language, fetched before the program starts.
    #[wasm_bindgen(thread_local_v2, js_name = podscopeWords)]
    static PODSCOPE_WORDS: Option<String>;
}

/// Kept for good: words are borrowed everywhere, and a page is opened in one language.
#[inline(never)]
fn translated(text: String) -> Catalogue {
    Catalogue::read(&[Box::leak(text.into_boxed_str())]).with_later(podscope_lesson::english)
}

/// The catalogue, shared by all components; equal when it is the same one.
#[derive(Clone)]
pub struct Words(Rc<Catalogue>);

impl PartialEq for Words {
    fn eq(&self, other: &Words) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Words {
    /// The words of the language that the page was opened in; English where that one has none.
    pub fn here() -> Words {
        let words = match PODSCOPE_WORDS.with(Option::clone) {
            Some(text) => translated(text),
            None => podscope_lesson::english(),
        };
        Words(Rc::new(words))
    }

    /// A message as text: its own entry, else its title.
    pub fn say(&self, msg: &Msg) -> String {
        match self.part(msg, "").or_else(|| self.part(msg, ".title")) {
            Some(text) => text,
            None => msg.code.to_owned(),
        }
    }

    /// A part of a message's entry: `.title`, `.what`, …; `None` when the catalogue has no such part.
    pub fn part(&self, msg: &Msg, part: &str) -> Option<String> {
        let code = [msg.code, part].concat();
        self.0.get(&code)?;
        let mut arguments = arguments(&msg.args);
        if msg.code.starts_with("fault.") {
            self.name_faults(&mut arguments);
        }
        Some(self.0.say(&code, &arguments))
    }

    /// Faults by their names for people: the trace has each one's own, its kind with a number.
    #[inline(never)]
    fn name_faults(&self, arguments: &mut [Argument<'_>]) {
        for argument in arguments.iter_mut().filter(|a| a.name == "name") {
            let kind = argument.text.trim_end_matches(|c: char| c.is_ascii_digit());
            let kind = kind.strip_suffix('-').unwrap_or(&argument.text);
            let code = ["fault.", kind, ".title"].concat();
            if let Some(name) = self.0.get(&code) {
                argument.text = name.to_owned().into();
            }
        }
    }

    /// A text without arguments.
    pub fn t(&self, code: &str) -> AttrValue {
        AttrValue::from(self.0.say(code, &[]))
    }

    /// A text with one argument.
    pub fn t1(&self, code: &str, name: &str, text: &str) -> AttrValue {
        let count = text.parse().ok();
        AttrValue::from(self.0.say(
            code,
            &[Argument {
                name,
                text: text.into(),
                count,
            }],
        ))
    }

    /// A text with arguments; `None` when the catalogue has none of this code.
    pub fn try_say(&self, code: &str, arguments: &[Argument<'_>]) -> Option<String> {
        self.0.get(code)?;
        Some(self.0.say(code, arguments))
    }

    /// Whether the catalogue has this code.
    pub fn has(&self, code: &str) -> bool {
        self.0.get(code).is_some()
    }
}

fn arguments(args: &[(&'static str, Arg)]) -> Vec<Argument<'static>> {
    args.iter().map(|(name, arg)| value(name, arg)).collect()
}

fn value<'a>(name: &'a str, arg: &Arg) -> Argument<'a> {
    let (text, count) = match arg {
        Arg::Text(text) => (text.to_string(), None),
        Arg::Count(n) => (n.to_string(), Some(*n)),
        Arg::At(at) => (moment(*at), None),
        Arg::Span(span) => (length(*span), None),
    };
    Argument {
        name,
        text: text.into(),
        count,
    }
}

/// Facts of a lesson as arguments.
#[inline(never)]
pub fn named(facts: &[(String, Arg)]) -> Vec<Argument<'_>> {
    facts.iter().map(|(name, arg)| value(name, arg)).collect()
}

const MS: Nanos = 1_000_000;
const SECOND: Nanos = 1_000 * MS;

/// A moment on the clock: `2.0 ms`, `1009 ms`, `59.0 s`, `350.64 s`.
pub fn moment(at: Nanos) -> String {
    if at < 100 * MS {
        return decimals(at, MS, 1, " ms");
    }
    if at < 10 * SECOND {
        return decimals(at, MS, 0, " ms");
    }
    if at < 100 * SECOND {
        return decimals(at, SECOND, 1, " s");
    }
    decimals(at, SECOND, 2, " s")
}

/// A length of time in its best unit: `2.5 ms`, `44 s`, `4 min 51 s`.
pub fn length(span: Nanos) -> String {
    if span < 10 * MS {
        return decimals(span, MS, 1, " ms");
    }
    if span < SECOND {
        return decimals(span, MS, 0, " ms");
    }
    if span < 10 * SECOND {
        return decimals(span, SECOND, 1, " s");
    }
    if span < 120 * SECOND {
        return decimals(span, SECOND, 0, " s");
    }
    let seconds = (span + SECOND / 2) / SECOND;
    match (seconds / 60, seconds % 60) {
        (minutes, 0) => [minutes.to_string().as_str(), " min"].concat(),
        (minutes, rest) => [
            minutes.to_string().as_str(),
            " min ",
            &rest.to_string(),
            " s",
        ]
        .concat(),
    }
}

/// Rounds half up to `places` decimals of `unit`.
fn decimals(value: Nanos, unit: Nanos, places: u32, suffix: &str) -> String {
    let step = unit / 10u64.pow(places);
    let rounded = (value + step / 2) / step;
    let scale = 10u64.pow(places);
    let whole = (rounded / scale).to_string();
    if places == 0 {
        return [whole.as_str(), suffix].concat();
    }
    let rest = (rounded % scale).to_string();
    let zeros = if places as usize > rest.len() {
        "0"
    } else {
        ""
    };
    [whole.as_str(), ".", zeros, &rest, suffix].concat()
}

/// A size: `512 B`, `67.3 MiB`.
pub fn bytes(n: u64) -> String {
    let (unit, name) = match n {
        0..1024 => return [n.to_string().as_str(), " B"].concat(),
        1024..1_048_576 => (1024, " KiB"),
        1_048_576..1_073_741_824 => (1_048_576, " MiB"),
        _ => (1_073_741_824, " GiB"),
    };
    decimals(n * 10, unit * 10, 1, name)
}

/// Text in which backquotes mark code.
pub fn rich(text: &str) -> Html {
    let mut out: Vec<Html> = Vec::new();
    for (i, part) in text.split('`').enumerate() {
        if i % 2 == 1 {
            out.push(html! { <code>{part.to_owned()}</code> });
            continue;
        }
        // A path may break behind its slashes, but for the first.
        for piece in part.split_inclusive('/') {
            out.push(html! { {piece.to_owned()} });
            if piece.len() > 1 && piece.ends_with('/') && !piece.ends_with(" /") {
                out.push(html! { <wbr/> });
            }
        }
    }
    out.into_iter().collect()
}

/// A heading: as [`rich`], and names with hyphens do not break.
#[inline(never)]
pub fn heading(text: &str) -> Html {
    let word = |(i, word): (usize, &str)| {
        let name = word.contains('-') && word.len() <= MOST_UNBROKEN;
        html! { <>if i > 0 { {" "} } if name { <span class="nb">{rich(word)}</span> } else { {rich(word)} }</> }
    };
    // A backquote may span words.
    match text.contains('`') {
        true => rich(text),
        false => text.split(' ').enumerate().map(word).collect(),
    }
}

/// Longer words break, or they would stick out on a phone.
const MOST_UNBROKEN: usize = 20;

/// A name shortened in the middle to at most `max` characters: `d300-…-9ssfs`.
pub fn middle(name: &str, max: usize) -> Text {
    let count = name.chars().count();
    if count <= max || max < 5 {
        return name.into();
    }
    // Keep a Pod's random end, which tells it from its siblings.
    let tail = name
        .rfind('-')
        .map(|at| &name[at..])
        .filter(|tail| tail.len() + 3 <= max);
    let tail_count = tail.map_or(max / 2, |tail| tail.chars().count());
    let head: String = name
        .chars()
        .take(max.saturating_sub(tail_count + 1))
        .collect();
    let end: String = name.chars().skip(count - tail_count).collect();
    [head.as_str(), "…", &end].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn times_have_units_and_fit_their_size() {
        let at: Vec<String> = [0, 2_000_000, 99_960_000, 1_009_000_000, 59_000_000_000]
            .into_iter()
            .map(moment)
            .collect();
        assert_eq!(at, ["0.0 ms", "2.0 ms", "100.0 ms", "1009 ms", "59.0 s"]);
        assert_eq!(moment(350_640_000_000), "350.64 s");
        assert_eq!(moment(350_040_000_000), "350.04 s");
        assert_eq!(length(44 * SECOND), "44 s");
        assert_eq!(length(291 * SECOND), "4 min 51 s");
        assert_eq!(length(300 * SECOND), "5 min");
        assert_eq!(length(1_500 * MS), "1.5 s");
    }

    #[test]
    fn faults_have_names_for_people() {
        let words = Words(Rc::new(podscope_lesson::english()));
        for name in ["node-power", "node-power-1"] {
            let args = vec![
                ("name", Arg::Text(name.into())),
                ("target", Arg::Text("node-2".into())),
            ];
            let title = words.part(&Msg::new("fault.injected", args), ".title");
            assert_eq!(
                title.as_deref(),
                Some("A machine loses its power: node-2"),
                "{name}"
            );
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(bytes(70_569_000), "67.3 MiB");
        assert_eq!(bytes(12), "12 B");
    }

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(&*middle("nginx", 12), "nginx");
        assert_eq!(&*middle("d300-75644fdc4d-9ssfs", 12), "d300-…-9ssfs");
        let long = middle("nginx-deployment-7c5ddbdf54-abcde", 20);
        assert_eq!(&*long, "nginx-deploym…-abcde");
        assert_eq!(long.chars().count(), 20);
    }
}
