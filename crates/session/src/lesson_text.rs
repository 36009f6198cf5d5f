//! A lesson's YAML, read with places for the errors.

use crate::lesson::{Fact, Gate, Lesson, LessonStep, MAX_FACTS, MAX_STEPS, Suggestion, VERSION};
use crate::scenario_text::{Read, Reader, with};
use podscope_manifest::document::NodeId;

const LESSON: [&str; 5] = ["lesson", "scenario", "start", "steps", "expect"];
const STEP: [&str; 7] = ["id", "open", "gate", "show", "predict", "facts", "suggest"];
const GATE: [&str; 7] = ["event", "phase", "kind", "object", "with", "stored", "times"];
const SUGGEST: [&str; 3] = ["id", "preset", "kubectl"];

/// Reads what the text says, field by field, and checks what can be checked without playing it.
pub(crate) fn read(text: &str) -> Read<Lesson> {
    with(text, "a lesson", "lesson: 1", lesson)
}

fn lesson(reader: &mut Reader<'_>, id: NodeId) -> Read<Lesson> {
    let mut lesson = Lesson::default();
    let fields = reader.fields(id, &LESSON)?;
    let [version, scenario, start, steps, expect] = fields[..] else {
        unreachable!("invariant: as many fields as names");
    };
    let version = reader.needed(id, "lesson", version)?;
    lesson.lesson = match reader.int(version, u64::from(u32::MAX))? {
        Some(1) => VERSION,
        _ => return reader.refuse(version, "this program reads version 1"),
    };
    let scenario = reader.needed(id, "scenario", scenario)?;
    lesson.scenario = reader.string(scenario)?;
    if podscope_lesson::preset(&lesson.scenario).is_none() {
        let words = format!("there is no preset {:?}", lesson.scenario);
        return reader.refuse(scenario, &words);
    }
    if let Some(start) = start {
        lesson.by_hand = match reader.string(start)?.as_str() {
            "files" => true,
            "commands" => false,
            other => {
                let words = format!("{other:?} is neither files nor commands");
                return reader.refuse(start, &words);
            }
        };
    }
    let steps = reader.needed(id, "steps", steps)?;
    for item in reader.items(steps)? {
        let step = self::step(reader, item)?;
        if lesson.steps.iter().any(|s| s.id == step.id) {
            return reader.refuse(item, &format!("a second step {:?}", step.id));
        }
        lesson.steps.push(step);
    }
    if lesson.steps.is_empty() || lesson.steps.len() > MAX_STEPS {
        return reader.refuse(steps, &format!("a lesson has 1 to {MAX_STEPS} steps"));
    }
    if let Some(expect) = expect {
        lesson.expect = reader.expectations(expect)?;
    }
    Ok(lesson)
}

fn step(reader: &mut Reader<'_>, id: NodeId) -> Read<LessonStep> {
    let mut step = LessonStep::default();
    let fields = reader.fields(id, &STEP)?;
    let [name, open, gate, show, predict, facts, suggest] = fields[..] else {
        unreachable!("invariant: as many fields as names");
    };
    let name = reader.needed(id, "id", name)?;
    step.id = reader.string(name)?;
    reader.text(open, &mut step.open)?;
    reader.text(show, &mut step.show)?;
    if let Some(gate) = gate {
        step.gate = Some(self::gate(reader, gate)?);
    }
    if let Some(field) = predict {
        step.predict = reader.string(field)?;
        if !crate::predict::kinds().any(|kind| kind == step.predict) {
            let known: Vec<&str> = crate::predict::kinds().collect();
            let words = format!(
                "{:?} is no kind of question; there are: {}",
                step.predict,
                known.join(", ")
            );
            return reader.refuse(field, &words);
        }
    }
    if let Some(facts) = facts {
        step.facts = self::facts(reader, facts)?;
    }
    if let Some(suggest) = suggest {
        for item in reader.items(suggest)? {
            let mut s = Suggestion::default();
            reader.texts(
                item,
                &SUGGEST,
                &mut [&mut s.id, &mut s.preset, &mut s.kubectl],
            )?;
            if s.id.is_empty() || s.preset.is_empty() == s.kubectl.is_empty() {
                return reader.refuse(item, "give id, and either preset or kubectl");
            }
            if !s.preset.is_empty() && podscope_lesson::preset(&s.preset).is_none() {
                return reader.refuse(item, &format!("there is no preset {:?}", s.preset));
            }
            step.suggest.push(s);
        }
    }
    Ok(step)
}

fn pairs(reader: &mut Reader<'_>, field: Option<NodeId>, what: &str) -> Read<Vec<String>> {
    let Some(field) = field else {
        return Ok(Vec::new());
    };
    let pairs = reader.strings(field)?;
    match pairs.iter().find(|p| !p.contains('=')) {
        Some(bad) => reader.refuse(field, &format!("{bad:?} is not {what}=value")),
        None => Ok(pairs),
    }
}

fn gate(reader: &mut Reader<'_>, id: NodeId) -> Read<Gate> {
    let mut gate = Gate::default();
    let fields = reader.fields(id, &GATE)?;
    let [event, phase, kind, object, with, stored, times] = fields[..] else {
        unreachable!("invariant: as many fields as names");
    };
    reader.text(event, &mut gate.event)?;
    reader.text(phase, &mut gate.phase)?;
    reader.text(kind, &mut gate.kind)?;
    reader.text(object, &mut gate.object)?;
    gate.with = pairs(reader, with, "argument")?;
    gate.stored = pairs(reader, stored, "path")?;
    if let Some(times) = times {
        gate.times = reader.int(times, 10_000)?;
    }
    let given = [gate.event.is_empty(), gate.phase.is_empty(), gate.stored.is_empty()];
    if given.iter().filter(|empty| !**empty).count() != 1 {
        return reader.refuse(id, "give exactly one of event, phase and stored");
    }
    Ok(gate)
}

fn facts(reader: &mut Reader<'_>, id: NodeId) -> Read<Vec<(String, Fact)>> {
    let mut facts = Vec::new();
    for item in reader.items(id)? {
        let fields = reader.fields(item, &["name", "event", "kind", "object", "with", "last", "get"])?;
        let [name, event, kind, object, with, last, get] = fields[..] else {
            unreachable!("invariant: as many fields as names");
        };
        let mut fact = Fact::default();
        let name = reader.needed(item, "name", name)?;
        let name = reader.string(name)?;
        reader.text(event, &mut fact.event)?;
        reader.text(kind, &mut fact.kind)?;
        reader.text(object, &mut fact.object)?;
        fact.with = pairs(reader, with, "argument")?;
        if let Some(last) = last {
            fact.last = reader.string(last)? == "true";
        }
        let get = reader.needed(item, "get", get)?;
        fact.get = reader.string(get)?;
        facts.push((name, fact));
    }
    if facts.len() > MAX_FACTS {
        return reader.refuse(id, &format!("at most {MAX_FACTS} facts"));
    }
    Ok(facts)
}
