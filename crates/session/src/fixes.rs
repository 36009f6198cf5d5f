//! One-key fixes of refused manifests.

use crate::view::{Arg, Fix, Msg, TextEdit};
use podscope_manifest::{self as manifest, Document, Message, Span};

/// Replaces a range of the text.
pub fn replace(text: &str, span: Span, to: &str) -> Fix {
    let label = Msg::new(
        "fix.replace",
        vec![
            ("from", Arg::Text(span.of(text).into())),
            ("to", Arg::Text(to.into())),
        ],
    );
    Fix {
        label,
        edits: vec![edit(span, to)].into(),
    }
}

fn edit(span: Span, to: &str) -> TextEdit {
    TextEdit {
        from: span.start,
        to: span.end,
        text: to.into(),
    }
}

fn set(document: &Document, path: &str, field: &str, to: &str) -> Option<Fix> {
    let located = document.locate(path);
    let label = Msg::new(
        "fix.set",
        vec![
            ("field", Arg::Text(field.into())),
            ("to", Arg::Text(to.into())),
        ],
    );
    located.exact.then(|| Fix {
        label,
        edits: vec![edit(located.value, to)].into(),
    })
}

/// Fixes beyond the one that a finding brings along.
pub fn more(text: &str, document: &Document, found: &manifest::Diagnostic) -> Vec<Fix> {
    let Message::Server(words) = &found.message else {
        return Vec::new();
    };
    if let Some((_, limit)) = words.split_once("must be less than or equal to ") {
        return over_limit(text, document, &found.path, limit);
    }
    if words.contains("`selector` does not match template `labels`") {
        return labels(document).into_iter().collect();
    }
    if words.contains("cannot unmarshal ") {
        return other_type(text, document, found, words)
            .into_iter()
            .collect();
    }
    if words.contains("already set in map") || words.starts_with("duplicate field") {
        return remove_pair(text, found.span).into_iter().collect();
    }
    Vec::new()
}

/// `cpu limit of 50m`: raises the limit or lowers the request.
fn over_limit(text: &str, document: &Document, path: &str, words: &str) -> Vec<Fix> {
    let parts = words.split_once(" limit of ");
    let (Some((resource, limit)), Some(at)) = (parts, path.find(".requests")) else {
        return Vec::new();
    };
    let base = path.get(..at).unwrap_or_default();
    let place = |map: &str| [base, ".", map, "[", resource, "]"].concat();
    let (requests, limits) = (place("requests"), place("limits"));
    let asked = document.locate(&requests).value.of(text).to_owned();
    let up = set(document, &limits, &["limits.", resource].concat(), &asked);
    let down = set(
        document,
        &requests,
        &["requests.", resource].concat(),
        limit.trim(),
    );
    up.into_iter().chain(down).collect()
}

/// The template's labels as the selector wants them.
fn labels(document: &Document) -> Option<Fix> {
    let wanted = document.object.at("spec.selector.matchLabels");
    let mut edits = Vec::new();
    let mut last = "";
    for (key, value) in wanted.entries() {
        let have = document
            .object
            .at("spec.template.metadata.labels")
            .get(key)
            .as_str();
        let wanted = value.as_str()?;
        if have == Some(wanted) {
            continue;
        }
        last = wanted;
        let path = ["spec.template.metadata.labels[", key, "]"].concat();
        let located = document.locate(&path);
        if located.exact {
            edits.push(edit(located.value, wanted));
            continue;
        }
        // A new line before the first label, at its column.
        let labels = document.locate("spec.template.metadata.labels");
        if !labels.exact || labels.value.line == labels.key?.line {
            return None;
        }
        let indent = " ".repeat(labels.value.column.saturating_sub(1) as usize);
        let line = [key, ": ", wanted, "\n", &indent].concat();
        let at = Span {
            end: labels.value.start,
            ..labels.value
        };
        edits.push(edit(at, &line));
    }
    let label = Msg::new("fix.labels", vec![("to", Arg::Text(last.into()))]);
    podscope_api::sort::by_key(&mut edits, |edit| edit.from);
    (!edits.is_empty()).then(|| Fix {
        label,
        edits: edits.into(),
    })
}

/// Puts a value in quotes, or takes it out of them.
fn other_type(
    text: &str,
    document: &Document,
    found: &manifest::Diagnostic,
    words: &str,
) -> Option<Fix> {
    let written = found.span.of(text);
    let exact = !found.path.is_empty() && document.locate(&found.path).value == found.span;
    let wants = words.rsplit(" of type ").next()?.trim();
    let bare = written.trim_matches(['"', '\'']);
    let one_line = !written.contains('\n') && !written.is_empty();
    let to = match wants {
        "string" if bare == written => ["\"", written, "\""].concat(),
        "int32" | "int64" if bare.parse::<i64>().is_ok() => bare.to_owned(),
        "bool" if matches!(bare, "true" | "false") => bare.to_owned(),
        _ => return None,
    };
    (exact && one_line && to != written).then(|| replace(text, found.span, &to))
}

/// Takes out a key that stands on one line with its value.
pub fn remove_pair(text: &str, key: Span) -> Option<Fix> {
    let after = text.get(key.end as usize..)?.lines().next()?;
    let value = after.trim_start().strip_prefix(':')?.trim();
    let plain = !value.is_empty() && !value.starts_with(['|', '>', '#', '&', '[', '{']);
    plain.then(|| remove_line(text, key))
}

/// Takes out the line that a key stands on.
fn remove_line(text: &str, key: Span) -> Fix {
    let start = key.start as usize;
    let from = text
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let to = text
        .get(start..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |at| start + at + 1);
    Fix {
        label: Msg::plain("fix.remove"),
        edits: vec![TextEdit {
            from: u32::try_from(from).unwrap_or(u32::MAX),
            to: u32::try_from(to).unwrap_or(u32::MAX),
            text: "".into(),
        }]
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::api::{SessionApi, Source};
    use crate::session::Session;
    use crate::view::Effect;

    /// Takes up the first fix of the first finding; the text after it and what it would do then.
    fn mended(text: &str) -> (String, Effect) {
        let mut session = Session::open(Source::Preset("birth")).expect("opens");
        let found = session.edit("m.yaml", text);
        let item = found.items.first().expect("a finding");
        let fix = item
            .fixes
            .first()
            .unwrap_or_else(|| panic!("a fix: {item:#?}"));
        let mut text = text.to_owned();
        for edit in fix.edits.iter().rev() {
            text.replace_range(edit.from as usize..edit.to as usize, &edit.text);
        }
        let effect = session.edit("m.yaml", &text).effect.clone();
        (text, effect)
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n    image: nginx\n";

    #[test]
    fn one_key_mends_common_mistakes() {
        let with = |more: &str| [POD, more].concat();
        for (text, part) in [
            (POD.replace("image", "imgae"), "    image: nginx"),
            (POD.replace("Pod", "Pdo"), "kind: Pod"),
            (POD.replace("name: p\n", "name: 5\n"), "name: \"5\"\n"),
            (
                with("    env:\n    - name: A\n      value: 5\n"),
                "value: \"5\"",
            ),
            (
                with("    imagePullPolicy: always\n"),
                "imagePullPolicy: Always",
            ),
            (
                with(
                    "    resources:\n      requests:\n        cpu: 100m\n      limits:\n        cpu: 50m\n",
                ),
                "limits:\n        cpu: 100m",
            ),
            (
                POD.replace("  name: p\n", "  name: p\n  name: q\n"),
                "  name: p\nspec",
            ),
        ] {
            let (after, effect) = mended(&text);
            assert!(after.contains(part), "{after}");
            assert_eq!(effect, Effect::Runs, "{after}");
        }
    }

    #[test]
    fn labels_follow_the_selector() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  selector:\n    matchLabels:\n      app: a\n  template:\n    metadata:\n      labels:\n        app: b\n    spec:\n      containers:\n      - name: c\n        image: nginx\n";
        let (after, effect) = mended(text);
        assert!(after.contains("labels:\n        app: a"), "{after}");
        assert_eq!(effect, Effect::Runs);
        let (after, effect) = mended(&text.replace("app: b", "tier: x"));
        assert!(
            after.contains("labels:\n        app: a\n        tier: x"),
            "{after}"
        );
        assert_eq!(effect, Effect::Runs);
    }
}
