//! Words against runs: explanations have no hole, predictions agree with what happens, the glossary's
//! terms can be seen.

use podscope_lesson::catalogue::{Argument, Catalogue};
use podscope_lesson::glossary::{Glossary, See};
use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::{Arg, EventIndex, Msg, PredictView};
use std::collections::BTreeMap;

fn say(words: &Catalogue, msg: &Msg, part: &str) -> Option<String> {
    let code = [msg.code, part].concat();
    words.get(&code)?;
    let argument = |(name, arg): &(&'static str, Arg)| {
        let (text, count) = match arg {
            Arg::Text(text) => (text.to_string(), None),
            Arg::Count(n) => (n.to_string(), Some(*n)),
            Arg::At(at) | Arg::Span(at) => (at.to_string(), None),
        };
        Argument {
            name,
            text: text.into(),
            count,
        }
    };
    let arguments: Vec<Argument<'_>> = msg.args.iter().map(argument).collect();
    Some(words.say(&code, &arguments))
}

/// A name in braces that nothing was put in for.
fn hole(text: &str) -> Option<&str> {
    let inside = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    let name = |t: &&str| {
        let name = t.split('|').next().unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
    };
    inside.into_iter().find(name)
}

#[test]
fn explanations_of_every_preset_have_no_hole() {
    let words = podscope_lesson::english();
    let mut problems = std::collections::BTreeSet::new();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for preset in podscope_lesson::presets() {
        let session = Session::open(Source::Preset(preset.id)).expect("it opens");
        for (i, event) in session.log().iter().enumerate() {
            let count = seen.entry(event.code).or_default();
            *count += 1;
            // Often the same: a sample is enough.
            if *count > 40 && i % 17 != 0 {
                continue;
            }
            let explain = session
                .explain(i as EventIndex + 1)
                .expect("it is explained");
            for part in [".title", ".what", ".why", ".detail", ".example", ".next"] {
                match say(&words, &explain.msg, part) {
                    None => drop(problems.insert(format!("{}{part} is missing", explain.msg.code))),
                    Some(text) => {
                        if let Some(hole) = hole(&text) {
                            problems.insert(format!("{}{part}: {{{hole}}}", explain.msg.code));
                        }
                        if part == ".title" && (text.trim().is_empty() || text.starts_with(' ')) {
                            problems.insert(format!("{}: empty title", explain.msg.code));
                        }
                    }
                }
            }
        }
    }
    assert!(seen.len() > 50, "only {} codes seen", seen.len());
    assert!(problems.is_empty(), "{problems:#?}");
}

/// All predictions of a preset, by kind.
fn asked(preset: &str) -> BTreeMap<&'static str, Vec<PredictView>> {
    let session = Session::open(Source::Preset(preset)).expect("it opens");
    let mut all: BTreeMap<&'static str, Vec<PredictView>> = BTreeMap::new();
    for i in 1..=session.log().len() {
        let explain = session.explain(i as EventIndex).expect("it is explained");
        if let Some(predict) = &explain.predict {
            all.entry(predict.kind).or_default().push(predict.clone());
        }
    }
    all
}

fn option(predict: &PredictView) -> &Msg {
    &predict.options[usize::from(predict.answer)]
}

#[test]
fn predictions_agree_with_the_run_and_give_reasons() {
    let words = podscope_lesson::english();
    let birth = asked("birth");
    let kinds: Vec<&str> = birth.keys().copied().collect();
    assert_eq!(kinds, ["accepted", "batch", "majority", "node", "pods"]);
    let session = Session::open(Source::Preset("birth")).expect("it opens");
    for predict in birth.values().flatten() {
        assert_eq!(predict.options.len(), predict.reasons.len());
        assert!(words.get(predict.question.code).is_some());
        for msg in predict.options.iter().chain(predict.reasons.iter()) {
            let text = say(&words, msg, "").unwrap_or_else(|| panic!("{} has words", msg.code));
            assert_eq!(hole(&text), None, "{}", msg.code);
        }
    }
    for predict in &birth["node"] {
        let bound = &session.log()[predict.event as usize - 1];
        let node = bound.arg("node").as_str().unwrap_or_default();
        let named = option(predict)
            .args
            .iter()
            .any(|(_, a)| *a == Arg::Text(node.into()));
        assert!(
            named,
            "the node that is asked about is the one of {}",
            bound.code
        );
    }
    assert_eq!(option(&birth["accepted"][0]).code, "predict.accepted.yes");
    let count = |kind: &str| option(&birth[kind][0]).args[0].1.clone();
    assert_eq!(count("majority"), Arg::Count(2));
    assert_eq!(count("batch"), Arg::Count(1));
    assert_eq!(count("pods"), Arg::Count(0));

    let fire = asked("node-burns-down");
    assert_eq!(
        option(&fire["replacement"][0]).code,
        "predict.replacement.evicted"
    );
    let refused = asked("cpu-limits");
    let no = refused["accepted"]
        .iter()
        .any(|p| option(p).code == "predict.accepted.no");
    assert!(no, "a policy refuses something there");
    let pending = asked("pending");
    let none = pending["node"]
        .iter()
        .any(|p| option(p).code == "predict.node.none");
    assert!(none, "no node takes that Pod");
}

#[test]
fn a_question_about_what_is_not_known_yet_is_answered_on_a_copy() {
    let mut session = Session::open(Source::Preset("birth")).expect("it opens");
    session.seek_end();
    session.submit(podscope_session::Command::Inject {
        kind: "node-power".into(),
        name: "x".into(),
        params: podscope_session::scenario::parse_fault("node-power target=node-2")
            .expect("valid")
            .1,
    });
    session.run_for(podscope_session::scenario::parse_duration("1s").expect("valid"));
    let known = session.log().len();
    let at = session
        .log()
        .iter()
        .position(|e| e.code == "fault.injected")
        .expect("it happened");
    let explain = session
        .explain(at as EventIndex + 1)
        .expect("it is explained");
    let predict = explain.predict.clone().expect("it asks");
    assert_eq!(option(&predict).code, "predict.replacement.evicted");
    assert!(
        predict.event as usize > known,
        "the answer lies beyond what is known"
    );
    assert_eq!(session.log().len(), known, "looking ahead changes nothing");
}

const TABS: [&str; 6] = ["objects", "events", "etcd", "scheduler", "node", "kubectl"];
const GLYPHS: [&str; 13] = [
    "client", "api", "etcd", "ctrl", "sched", "kubelet", "runtime", "net", "pod", "obj", "node",
    "fault", "webhook",
];

#[test]
fn every_term_is_whole_and_can_be_seen() {
    let file = podscope_lesson::lessons::glossary();
    assert_eq!(podscope_lesson::catalogue::problems(file), []);
    let glossary = Glossary::read(file);
    let sections = file.lines().filter(|line| line.starts_with('[')).count();
    assert_eq!(
        glossary.terms().len(),
        sections,
        "every section has a name, and no name twice"
    );
    assert!(
        glossary.terms().len() >= 80,
        "{} terms",
        glossary.terms().len()
    );
    let words = podscope_lesson::english();
    let session = Session::open(Source::Preset("birth")).expect("it opens");
    let mut problems = Vec::new();
    let mut spellings = std::collections::BTreeMap::new();
    for term in glossary.terms() {
        let mut problem = |text: &str| problems.push(format!("{}: {text}", term.id));
        for sentence in [&term.plain, &term.exact] {
            if !sentence.ends_with('.') || sentence.contains(". ") {
                problem("one sentence each, with a full stop");
            }
        }
        let seen = match &term.see {
            See::Event(code) => words.get(&[code, ".title"].concat()).is_some(),
            See::Open(name) => session.target(name).is_some(),
            See::Tab(name) => TABS.contains(&name.as_str()),
            See::Nothing => false,
        };
        if !seen {
            problem("it cannot be seen where it says");
        }
        if !GLYPHS.contains(&term.glyph.as_str()) {
            problem("its kind has no glyph");
        }
        for spelling in std::iter::once(&term.name).chain(&term.also) {
            if let Some(other) = spellings.insert(spelling.clone(), term.id.clone()) {
                problem(&format!("{spelling:?} is also a spelling of {other}"));
            }
            let found = glossary.find(spelling, &mut Vec::new());
            let whole = found.iter().any(|(from, to, at)| {
                (*from, *to) == (0, spelling.len()) && glossary.terms()[*at].id == term.id
            });
            if !whole {
                problem(&format!("{spelling:?} in a text does not open it"));
            }
        }
    }
    for id in ["api-server", "etcd", "scheduler", "kubelet", "cri", "cni"] {
        assert!(glossary.get(id).is_some(), "{id}");
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
