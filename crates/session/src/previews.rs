//! Previews while somebody types: only the document that changes is applied anew.
//!
//! A keystroke changes one document of a file. All others are applied once to a copy of the cluster; each
//! keystroke applies the changed one to a copy of that copy. Where the order of documents may matter (a
//! refusal by quota, Pods without a node, kinds that others depend on), the whole text is applied in order
//! instead, so that what is shown is always what `kubectl apply` would do.

use crate::preview::{self, Preview};
use crate::session::Session;
use crate::simulation::Simulation;
use crate::view::Effect;
use podscope_api::{Kind, Object};
use podscope_manifest::Document;

/// Fewer documents are applied as a whole.
const MIN_DOCUMENTS: usize = 3;

/// What was found out before.
#[derive(Default)]
pub struct Previews {
    last: Option<Last>,
    others: Option<Others>,
}

/// A moment of a session: hash of the log, clock, number of commands.
type Moment = (u64, u64, usize);

fn moment(session: &Session) -> Moment {
    (
        session.log_hash(),
        session.now().0,
        session.simulation().terminals().count(),
    )
}

struct Last {
    moment: Moment,
    objects: Vec<Object>,
    preview: Preview,
}

/// A copy of the cluster with all documents but one.
struct Others {
    moment: Moment,
    without: usize,
    objects: Vec<Object>,
    preview: Preview,
    world: Simulation,
}

/// What applying a text would do; `documents` are those of the text.
pub fn preview(session: &Session, text: &str, documents: &[Document]) -> Preview {
    let moment = moment(session);
    // What strict reading says of repeated keys is not in the objects.
    let plain = documents.iter().all(|d| d.duplicates.is_empty());
    let objects: Vec<Object> = documents.iter().map(|d| d.object.clone()).collect();
    let mut previews = session.previews.borrow_mut();
    let last = previews.last.as_ref().filter(|last| last.moment == moment);
    let changed = last.and_then(|last| changed(&last.objects, &objects));
    if plain
        && changed == Some(None)
        && let Some(last) = last
    {
        return last.preview.clone();
    }
    let quick = match changed {
        Some(Some(at)) if plain => {
            one_changed(session, text, documents, at, moment, &mut previews.others)
        }
        _ => None,
    };
    let preview = quick.unwrap_or_else(|| preview::preview(session, text));
    previews.last = plain.then(|| Last {
        moment,
        objects,
        preview: preview.clone(),
    });
    preview
}

/// Applies all documents but the one at a byte, for the keystrokes to come.
pub fn warm(session: &Session, text: &str, cursor: u32) {
    if text.len() > crate::diagnose::MAX_BYTES || text.matches("\n---").count() + 1 < MIN_DOCUMENTS
    {
        return;
    }
    let (documents, found) = podscope_manifest::parse(text);
    let sound = found.is_empty() && documents.iter().all(|d| d.duplicates.is_empty());
    let at = documents.iter().position(|d| cursor <= d.source.end);
    if let (true, Some(at)) = (sound, at) {
        let moment = moment(session);
        let mut previews = session.previews.borrow_mut();
        others(session, text, &documents, at, moment, &mut previews.others);
    }
}

/// The only place where two lists differ: `Some(None)` when they are equal, `None` when there are more.
fn changed(old: &[Object], new: &[Object]) -> Option<Option<usize>> {
    if old.len() != new.len() {
        return None;
    }
    let mut places = (0..new.len()).filter(|i| old.get(*i) != new.get(*i));
    let first = places.next();
    places.next().is_none().then_some(first)
}

/// Kinds on which no other document of a file depends.
fn is_leaf(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::Service
            | Kind::ConfigMap
            | Kind::Secret
            | Kind::PodDisruptionBudget
            | Kind::HorizontalPodAutoscaler
    )
}

/// The cluster with all documents but one; `None` when the one cannot be told apart from the others, or
/// when others may depend on it.
fn others<'a>(
    session: &Session,
    text: &str,
    documents: &[Document],
    at: usize,
    moment: Moment,
    kept: &'a mut Option<Others>,
) -> Option<&'a Others> {
    let own = documents.get(at)?;
    let address = |d: &Document| (d.object.kind(), d.object.key());
    // The items of a List have one source: they cannot be applied one by one.
    let apart = documents
        .windows(2)
        .all(|pair| pair[0].source.end <= pair[1].source.start);
    let same = documents.iter().filter(|d| address(d) == address(own));
    if documents.len() < MIN_DOCUMENTS
        || !apart
        || same.count() != 1
        || !own.object.kind().is_some_and(is_leaf)
    {
        return None;
    }
    let rest = || documents.iter().enumerate().filter(|(i, _)| *i != at);
    let known = kept.as_ref().is_some_and(|others| {
        others.moment == moment
            && others.without == at
            && others.objects.iter().eq(rest().map(|(_, d)| &d.object))
    });
    if !known {
        let mut parts = String::with_capacity(text.len() + 64);
        for (_, document) in rest() {
            parts.push_str(document.source.of(text));
            parts.push_str("\n---\n");
        }
        let mut world = preview::world(session);
        let preview = preview::apply(&mut world, &parts);
        *kept = Some(Others {
            moment,
            without: at,
            objects: rest().map(|(_, d)| d.object.clone()).collect(),
            preview,
            world,
        });
    }
    kept.as_ref().filter(|others| others.preview.is_calm())
}

/// The preview by way of the others; `None` when only the whole tells.
fn one_changed(
    session: &Session,
    text: &str,
    documents: &[Document],
    at: usize,
    moment: Moment,
    kept: &mut Option<Others>,
) -> Option<Preview> {
    let others = others(session, text, documents, at, moment, kept)?;
    let mut world = others.world.clone();
    let mut own = preview::apply(&mut world, documents.get(at)?.source.of(text));
    let order_matters = !own.client.is_empty()
        || matches!(own.effect, Effect::Pending { .. } | Effect::Unknown)
        || own
            .refusals
            .iter()
            .any(|refusal| &*refusal.stage == "quota");
    if order_matters {
        return None;
    }
    if own.effect == Effect::Unchanged {
        own.effect = others.preview.effect.clone();
    }
    own.warnings
        .splice(0..0, others.preview.warnings.iter().cloned());
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{SessionApi, Source};

    fn deployment(name: &str, image: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - {{name: c, image: '{image}', resources: {{requests: {{cpu: 10m}}}}}}\n"
        )
    }

    /// What typing the texts one after the other shows in the end equals what a fresh session shows.
    fn same(texts: &[String]) {
        let mut typing = Session::open(Source::Manifest("")).expect("opens");
        let mut last = None;
        for text in texts {
            last = Some(typing.edit("m.yaml", text));
            typing.warm(text, text.len() as u32 / 2);
        }
        let mut fresh = Session::open(Source::Manifest("")).expect("opens");
        let whole = fresh.edit("m.yaml", texts.last().expect("a text"));
        assert_eq!(last, Some(whole), "{texts:#?}");
    }

    #[test]
    fn typing_shows_what_the_whole_text_shows() {
        let [a, b, c] = ["a", "b", "c"].map(|name| deployment(name, "nginx"));
        let whole = |c: &str| [&a, &b, c].map(|d| format!("{d}---\n")).concat();
        let service =
            "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n";
        for changed in [
            c.replace("nginx", "nginx:1.25"),
            c.replace("replicas", "replicsa"),
            c.replace("replicas: 2", "replicas: -1"),
            c.replace("10m", "3"),
            c.replace("{app: c}}}}\n  template", "{app: d}}}}\n  template"),
            c.replace("name: c}\nspec", "name: a}\nspec"),
            c.replace("spec:", "paused: x\nspec:"),
            c.replace("replicas: 2", "replicas: 2\n  replicas: 3"),
            service.to_string(),
            service.replace("80", "x"),
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n".to_string(),
        ] {
            same(&[whole(&c), whole(&changed)]);
            same(&[
                whole(&c),
                whole(&c.replace("nginx", "httpd")),
                whole(&changed),
            ]);
            same(&[whole(&c), whole(&changed), whole(&c)]);
        }
    }
}
