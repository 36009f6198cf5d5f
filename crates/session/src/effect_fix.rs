//! What would make the Pods of a manifest fit that is being written: verified answers, and those that are a
//! change of the text as an edit of it.

use crate::session::Session;
use crate::view::*;
use podscope_api::Value;
use podscope_manifest::Document;
use std::rc::Rc;

/// The answers for the first Pod that would stay Pending; none when all would run.
pub fn answers(session: &Session, file: &str) -> Rc<[EffectAnswer]> {
    let Some(file) = session.files.iter().find(|f| *f.name == *file) else {
        return [].into();
    };
    let Some(view) = crate::preview::fix(session, &file.text) else {
        return [].into();
    };
    let pod = &view.pod;
    let (documents, _) = podscope_manifest::parse(&file.text);
    let documents = documents.into_iter().flat_map(Document::flattened);
    let written = documents
        .filter_map(|document| Some((base(&document)?, document)))
        .find(|(_, document)| makes(document, &pod.name, &pod.namespace));
    let fix = |answer: &AnswerView| {
        let (base, document) = written.as_ref()?;
        let text = Written {
            text: &file.text,
            document,
            base,
        };
        text.fix(answer)
    };
    let answers = view.answers.iter();
    answers
        .map(|answer| EffectAnswer {
            fix: fix(answer),
            answer: answer.clone(),
        })
        .collect()
}

/// Where an object has its Pod's spec.
fn base(document: &Document) -> Option<&'static str> {
    Some(match document.object.get("kind").str_or_empty() {
        "Pod" => "spec",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => "spec.template.spec",
        "CronJob" => "spec.jobTemplate.spec.template.spec",
        _ => return None,
    })
}

/// Whether a Pod of this name comes of it.
fn makes(document: &Document, pod: &str, namespace: &str) -> bool {
    let of = |path: &str| document.object.at(path).str_or_empty();
    let (name, own) = (of("metadata.name"), of("metadata.namespace"));
    let there = own.is_empty() || own == namespace;
    let rest = pod.strip_prefix(name);
    there && !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn arg<'a>(msg: &'a Msg, name: &str) -> Option<&'a str> {
    msg.args.iter().find_map(|(known, arg)| match arg {
        Arg::Text(text) if *known == name => Some(&**text),
        _ => None,
    })
}

fn number(msg: &Msg, name: &str) -> Option<i64> {
    msg.args.iter().find_map(|(known, arg)| match arg {
        Arg::Count(n) if *known == name => Some(*n),
        Arg::Text(text) if *known == name => text.parse().ok(),
        _ => None,
    })
}

/// A document of the text with a Pod's spec in it.
struct Written<'a> {
    text: &'a str,
    document: &'a Document,
    base: &'a str,
}

impl Written<'_> {
    /// The answer as one edit of the text; `None` when it is not (only) a change of this document.
    fn fix(&self, answer: &AnswerView) -> Option<Fix> {
        let mut edits = Vec::new();
        for edit in answer.edits.iter() {
            if edit.side != EditSide::Pod {
                return None;
            }
            edits.push(self.edit(&edit.text)?);
        }
        podscope_api::sort::by_key(&mut edits, |edit| edit.from);
        let apart = edits.windows(2).all(|pair| pair[0].to <= pair[1].from);
        let label = answer.edits.first()?.text.clone();
        apart.then(|| Fix {
            label,
            edits: edits.into(),
        })
    }

    fn edit(&self, msg: &Msg) -> Option<TextEdit> {
        let of = |name: &str| arg(msg, name);
        match msg.code {
            "edit.request" => {
                let at = self.container(of("container")?)?;
                let place = [&at, ".resources.requests[", of("resource")?, "]"].concat();
                self.set(&place, of("to")?)
            }
            "edit.toleration" => self.tolerate(of("taint")?),
            "edit.selector" => {
                let (key, _) = of("label")?.split_once('=')?;
                self.remove(&["nodeSelector", key])
            }
            "edit.node-affinity-all" => self.remove(&["affinity", "nodeAffinity", REQUIRED]),
            "edit.spread-skew" => {
                let at = self.constraint(of("key")?)?;
                self.set(&[&at, ".maxSkew"].concat(), &number(msg, "to")?.to_string())
            }
            "edit.spread-soft" => {
                let at = self.constraint(of("key")?)?;
                self.set(&[&at, ".whenUnsatisfiable"].concat(), "ScheduleAnyway")
            }
            "edit.priority" => self.first(&["priorityClassName: ", of("class")?].concat()),
            _ => None,
        }
    }

    fn spec(&self) -> &Value {
        self.document.object.at(self.base)
    }

    /// The path of a container by its name.
    fn container(&self, name: &str) -> Option<String> {
        ["containers", "initContainers"].iter().find_map(|list| {
            let named = |c: &Value| c.get("name").as_str() == Some(name);
            let at = self.spec().get(list).items().iter().position(named)?;
            Some([self.base, ".", list, "[", &at.to_string(), "]"].concat())
        })
    }

    /// The path of a spread constraint by its label.
    fn constraint(&self, key: &str) -> Option<String> {
        let list = self.spec().get("topologySpreadConstraints").items();
        let about = |c: &Value| c.get("topologyKey").as_str() == Some(key);
        let at = list.iter().position(about)?.to_string();
        Some([self.base, ".topologySpreadConstraints[", &at, "]"].concat())
    }

    /// Another scalar in the place of the one that is written; it stays quoted when it was.
    fn set(&self, path: &str, to: &str) -> Option<TextEdit> {
        let located = self.document.locate(path);
        let old = located.value.of(self.text);
        let quote = old.get(..1).filter(|c| *c == "\"" || *c == "'");
        let quote = quote.unwrap_or_default();
        located.exact.then(|| TextEdit {
            from: located.value.start,
            to: located.value.end,
            text: [quote, to, quote].concat().into(),
        })
    }

    fn column(&self, byte: u32) -> usize {
        let before = self.text.get(..byte as usize).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        before.len() - line
    }

    /// A field before the first of the Pod's spec.
    fn first(&self, field: &str) -> Option<TextEdit> {
        let spec = self.document.locate(self.base);
        let at = spec.value.start;
        let flows = spec.value.of(self.text).starts_with('{');
        let text = if flows {
            [&field.replace('\n', " "), ", "].concat()
        } else {
            let indent = " ".repeat(self.column(at));
            let lines: Vec<&str> = field.lines().collect();
            [&lines.join(&["\n", &indent].concat()), "\n", &*indent].concat()
        };
        let at = if flows { at + 1 } else { at };
        spec.exact.then(|| TextEdit {
            from: at,
            to: at,
            text: text.into(),
        })
    }

    /// `key=value:effect` as a toleration.
    fn tolerate(&self, taint: &str) -> Option<TextEdit> {
        let (pair, effect) = taint.rsplit_once(':')?;
        let toleration = match pair.split_once('=') {
            Some((key, value)) => format!("{{key: {key}, value: {value:?}, effect: {effect}}}"),
            None => format!("{{key: {pair}, operator: Exists, effect: {effect}}}"),
        };
        let located = self.document.locate(&[self.base, ".tolerations"].concat());
        if !located.exact {
            let flows = self
                .document
                .locate(self.base)
                .value
                .of(self.text)
                .starts_with('{');
            return self.first(&if flows {
                ["tolerations: [", &toleration, "]"].concat()
            } else {
                ["tolerations:\n- ", &toleration].concat()
            });
        }
        let at = located.value.start;
        let (at, text) = if located.value.of(self.text).starts_with('[') {
            (at + 1, [&toleration, ", "].concat())
        } else {
            let indent = " ".repeat(self.column(at));
            (at, ["- ", &toleration, "\n", &indent].concat())
        };
        Some(TextEdit {
            from: at,
            to: at,
            text: text.into(),
        })
    }

    /// Takes a field out, with those around it that would be left empty. Whole lines only.
    fn remove(&self, path: &[&str]) -> Option<TextEdit> {
        let mut depth = path.len();
        let at = |depth: usize| {
            let mut value = self.spec();
            for key in path.iter().take(depth) {
                value = value.get(key);
            }
            value
        };
        while depth > 1 && at(depth - 1).entries().len() == 1 {
            depth -= 1;
        }
        let mut place = self.base.to_string();
        for (i, key) in path.iter().take(depth).enumerate() {
            // Keys of maps that people fill stand in brackets.
            let part = match i {
                0 => [".", key].concat(),
                _ if path.first() == Some(&"nodeSelector") => ["[", key, "]"].concat(),
                _ => [".", key].concat(),
            };
            place.push_str(&part);
        }
        let located = self.document.locate(&place);
        let key = located.key.filter(|_| located.exact)?;
        let head = self.text.get(..key.start as usize)?;
        let from = head.rfind('\n').map_or(0, |at| at + 1);
        // Something else on the line: a list's dash, braces.
        if !head.get(from..)?.trim().is_empty() {
            return None;
        }
        let end = located.value.end.max(key.end) as usize;
        let rest = self.text.get(end..)?;
        let to = rest.find('\n').map_or(self.text.len(), |at| end + at + 1);
        if !self
            .text
            .get(end..to)?
            .trim_matches(&[' ', '\n', '\r'][..])
            .is_empty()
        {
            return None;
        }
        Some(TextEdit {
            from: u32::try_from(from).ok()?,
            to: u32::try_from(to).ok()?,
            text: "".into(),
        })
    }
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::SessionApi;
    use crate::api::Source;
    use crate::scheduler_api::SchedulerApi;

    /// What comes of the first answer of a kind, put into the text.
    fn put(text: &str, kind: &str) -> (String, Effect) {
        let scenario = "podscope: 1\ncluster:\n  nodes:\n  - {name: a, cpu: \"2\", taints: [\"dedicated=gpu:NoSchedule\"]}\n  - {name: b, cpu: \"2\", labels: [size=big]}\n";
        let mut session = Session::open(Source::Scenario(scenario)).expect("a scenario");
        session.edit("x.yaml", text);
        let answers = session.effect_answers("x.yaml");
        let kinds: Vec<&str> = answers.iter().map(|a| &*a.answer.kind).collect();
        let answer = answers.iter().find(|a| {
            let code = a.answer.edits.first().map(|e| e.text.code);
            code == Some(kind) && a.fix.is_some()
        });
        let answer = answer.unwrap_or_else(|| panic!("no answer {kind} among {kinds:?}"));
        let mut new = text.to_string();
        for edit in answer.fix.iter().flat_map(|fix| fix.edits.iter().rev()) {
            new.replace_range(edit.from as usize..edit.to as usize, &edit.text);
        }
        let effect = session.edit("x.yaml", &new).effect.clone();
        (new, effect)
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n";

    #[test]
    fn an_answer_put_into_the_text_makes_it_run() {
        let request = format!(
            "{POD}  containers:\n  - name: c\n    image: nginx:1.25\n    resources:\n      requests:\n        cpu: \"3\"\n"
        );
        let (text, effect) = put(&request, "edit.request");
        assert!(text.contains("cpu: \"2"), "{text}");
        assert_eq!(effect, Effect::Runs);

        let selector = format!(
            "{POD}  nodeSelector:\n    size: huge\n  containers:\n  - name: c\n    image: nginx:1.25\n"
        );
        let (text, effect) = put(&selector, "edit.selector");
        assert!(!text.contains("nodeSelector"), "{text}");
        assert_eq!(effect, Effect::Runs);
    }

    #[test]
    fn a_toleration_is_written_where_it_belongs() {
        let big = "  containers:\n  - name: c\n    image: nginx:1.25\n    resources: {requests: {cpu: 1500m}}\n";
        let wanted = format!(
            "{POD}  nodeName: \"\"\n  affinity:\n    nodeAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n        nodeSelectorTerms:\n        - matchExpressions:\n          - {{key: kubernetes.io/hostname, operator: In, values: [a]}}\n{big}"
        );
        let (text, effect) = put(&wanted, "edit.toleration");
        assert!(text.contains("spec:\n  tolerations:\n  - {key: dedicated, value: \"gpu\", effect: NoSchedule}\n  nodeName"), "{text}");
        assert_eq!(effect, Effect::Runs);
    }
}
