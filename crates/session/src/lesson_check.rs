//! The headless proof of a lesson: every step is shown, every gate met, every question answered, every
//! name in the prose has a value.

use crate::api::{SessionApi, Source};
use crate::lesson::Lesson;
use crate::session::Session;
use crate::view::Seek;
use podscope_lesson::catalogue::{self, Catalogue};
use podscope_lesson::lessons;

/// Parts that the prose of each step has.
const PARTS: [&str; 1] = ["title"];
/// Parts that the prose of each step with a gate has.
const GATED: [&str; 6] = ["task", "done", "what", "why", "detail", "example"];

/// Plays a lesson by its "show me" and checks it; `id` names its prose. One line per problem.
pub fn check(id: &str, text: &str) -> Vec<String> {
    let lesson = match Lesson::parse(text) {
        Ok(lesson) => lesson,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems = Vec::new();
    let Some(prose) = lessons::prose(id) else {
        return vec![format!("there is no content/en/lessons/{id}.txt")];
    };
    let odd = catalogue::problems(prose);
    problems.extend(
        odd.iter()
            .map(|(line, text)| format!("content/en/lessons/{id}.txt line {line}: {text}")),
    );
    let words = Catalogue::read(&[prose]);
    let mut session = match Session::open(Source::Lesson(&lesson)) {
        Ok(session) => session,
        Err(error) => return vec![error.to_string()],
    };
    for (i, step) in lesson.steps.iter().enumerate() {
        let mut problem = |text: String| problems.push(format!("step {}: {text}", step.id));
        let before = session.lesson(&lesson, i);
        if step.gate.is_some() && before.as_ref().is_some_and(|v| v.met) && i > 0 {
            problem("its gate is met before anything was done".into());
        }
        if let Err(refused) = session.show_lesson(&lesson, i) {
            problem(format!("show: {}", refused.code));
        }
        let Some(view) = session.lesson(&lesson, i) else {
            continue;
        };
        if !view.met {
            problem("its gate is not met by what `show` does".into());
        }
        if !step.open.is_empty() && view.open.is_none() {
            problem(format!(
                "open: {:?} is nothing that can be opened",
                step.open
            ));
        }
        if !step.predict.is_empty() {
            // Asked again as somebody who has not seen the answer.
            session.seek(Seek::Event(view.from));
            let asked = session.lesson(&lesson, i).and_then(|v| v.predict);
            match asked {
                None => problem(format!("nothing asks for {:?} there", step.predict)),
                Some(p) if usize::from(p.answer) >= p.options.len() => {
                    problem("the right answer is not on offer".into());
                }
                Some(_) => {}
            }
            if let Some(moment) = view.moment {
                session.seek(Seek::Event(moment));
            }
        }
        for (name, _) in &step.facts {
            if !view.facts.iter().any(|(known, _)| known == name) {
                problem(format!("fact {name} has no value in this run"));
            }
        }
        let gated: &[&str] = if step.gate.is_some() { &GATED } else { &[] };
        for part in PARTS.iter().chain(gated) {
            if words.get(&[&step.id, ".", part].concat()).is_none() {
                problem(format!("the prose lacks {}.{part}", step.id));
            }
        }
        let own = [&*step.id, "."].concat();
        for code in words.codes().filter(|code| code.starts_with(&own)) {
            for name in braces(words.get(code).unwrap_or_default()) {
                if !step.facts.iter().any(|(known, _)| *known == name) {
                    problem(format!("{code} names {{{name}}}, which is no fact"));
                }
            }
        }
        for s in &step.suggest {
            if words.get(&[&step.id, ".", &s.id].concat()).is_none() {
                problem(format!("the prose lacks {}.{}", step.id, s.id));
            }
        }
    }
    problems.extend(crate::expect::all(&mut session, &lesson.expect));
    problems
}

/// Names in braces, without what chooses a plural.
fn braces(text: &str) -> Vec<String> {
    let parts = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    let names = parts.map(|(inside, _)| inside.split('|').next().unwrap_or_default());
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    names.filter(is_name).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_holds() {
        for id in lessons::lessons() {
            let text = lessons::lesson(id).unwrap_or_default();
            assert_eq!(check(id, text), Vec::<String>::new(), "{id}");
        }
    }

    #[test]
    fn mistakes_in_a_lesson_are_named_with_their_line() {
        for (text, words) in [
            (
                "lesson: 2\nscenario: birth\nsteps: []\n",
                "version 1 at line 1",
            ),
            (
                "lesson: 1\nscenario: nope\nsteps: []\n",
                "no preset \"nope\" at line 2",
            ),
            ("lesson: 1\nscenario: birth\nsteps: []\n", "1 to 64 steps"),
            (
                "lesson: 1\nscenario: birth\nsteps:\n- id: a\n  gtae: {}\n",
                "`gtae`",
            ),
            (
                "lesson: 1\nscenario: birth\nsteps:\n- id: a\n  predict: luck\n",
                "\"luck\" is no kind of question",
            ),
            (
                "lesson: 1\nscenario: birth\nsteps:\n- id: a\n  gate: {}\n",
                "exactly one of event, phase and stored at line 5",
            ),
            (
                "lesson: 1\nscenario: birth\nsteps:\n- id: a\n- id: a\n",
                "a second step",
            ),
        ] {
            let problems = check("birth", text);
            let found = problems.iter().any(|p| p.contains(words));
            assert!(found, "{text}: {problems:?}");
        }
    }

    #[test]
    fn a_lesson_that_does_not_hold_is_found() {
        let text = "lesson: 1\nscenario: birth\nstart: files\nsteps:\n- id: submit\n  open: moon\n  predict: node\n  \
                    gate: {event: no.such_event}\n  facts:\n  - {name: x, event: no.such_event, get: object}\n\
                    expect:\n- kubectl: get deployment nginx\n  contains: 3/3\n";
        let problems = check("birth", text).join("\n");
        for words in [
            "its gate is not met",
            "\"moon\" is nothing that can be opened",
            "nothing asks for \"node\"",
            "fact x has no value",
            "kubectl get deployment nginx",
        ] {
            assert!(problems.contains(words), "{words} not in:\n{problems}");
        }
    }
}
