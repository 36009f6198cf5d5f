//! A scenario's YAML: read with places for the errors, written in the order of the documentation.

use crate::scenario::{
    ClusterSpec, Expectation, File, MAX_BYTES, NodeSpec, Scenario, ScenarioError, Step,
};
use podscope_api::Value;
use podscope_manifest::document::{Content, Document, NodeId};
use podscope_manifest::{Message, Span, parse};

/// How many bytes of text and items aliases may blow a scenario up to.
const MAX_READ: usize = 4 * MAX_BYTES;
/// What an item of a list counts for, beside its text.
const ITEM_BYTES: usize = 32;

pub(crate) type Read<T> = Result<T, ScenarioError>;

/// Reads what the text says, field by field.
///
/// # Errors
/// The first thing that cannot be read, with line and column.
pub(crate) fn read(text: &str) -> Read<Scenario> {
    with(text, "a scenario", "podscope: 1", |reader, root| {
        reader.scenario(root)
    })
}

/// Parses one document and hands it to `read`; `what` and `begins` name it in errors.
///
/// # Errors
/// No YAML, no document or more than one, and what `read` refuses; with line and column.
pub(crate) fn with<T>(
    text: &str,
    what: &str,
    begins: &str,
    read: impl FnOnce(&mut Reader<'_>, NodeId) -> Read<T>,
) -> Read<T> {
    if let Some(second) = parse::chunks(text).get(1) {
        return Err(at(
            *second,
            &format!("{what} is one document; a second one begins"),
        ));
    }
    let document = parse::first(text).map_err(|found| {
        let words = match &found.message {
            Message::Yaml(words) => words.clone(),
            Message::TooDeep { limit } => format!("more than {limit} levels"),
            other => other.code().to_string(),
        };
        at(found.span, &words)
    })?;
    let Some(document) = document else {
        return Err(ScenarioError(format!(
            "{what} is empty; it must begin with `{begins}`"
        )));
    };
    let mut reader = Reader {
        text,
        document: &document,
        left: MAX_READ,
    };
    read(&mut reader, document.root())
}

fn at(span: Span, words: &str) -> ScenarioError {
    ScenarioError(format!(
        "{words} at line {} column {}",
        span.line, span.column
    ))
}

pub(crate) struct Reader<'t> {
    text: &'t str,
    document: &'t Document,
    /// How much more may be read.
    left: usize,
}

impl Reader<'_> {
    fn span(&self, id: NodeId) -> Span {
        self.document
            .node(id)
            .map_or(self.document.span, |n| n.span)
    }

    pub(crate) fn refuse<T>(&self, id: NodeId, words: &str) -> Read<T> {
        let span = self.span(id);
        let (path, _) = self.document.path_at(span.start);
        Err(if path.is_empty() {
            at(span, words)
        } else {
            at(span, &format!("{}: {words}", path.join(".")))
        })
    }

    fn spend(&mut self, id: NodeId, bytes: usize) -> Read<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.refuse(id, "aliases repeat too much"),
        }
    }

    /// What stands behind aliases.
    fn content(&self, id: NodeId) -> Option<&Content> {
        match self.document.node(id).map(|n| &n.content) {
            Some(Content::Alias(target)) => self.document.node(*target).map(|n| &n.content),
            content => content,
        }
    }

    /// A scalar's text as it is written, and whether it is without quotes.
    fn scalar(&mut self, id: NodeId) -> Read<(String, bool)> {
        let place = match self.document.node(id).map(|n| &n.content) {
            Some(Content::Alias(target)) => *target,
            _ => id,
        };
        let (text, plain) = match self.content(id) {
            Some(Content::Scalar(Value::Str(text), plain)) => (text.to_string(), *plain),
            Some(Content::Scalar(_, plain)) => (self.span(place).of(self.text).to_string(), *plain),
            Some(Content::List(_)) => return self.refuse(id, "a list stands where text must"),
            _ => return self.refuse(id, "fields stand where text must"),
        };
        self.spend(id, text.len())?;
        Ok((text, plain))
    }

    pub(crate) fn string(&mut self, id: NodeId) -> Read<String> {
        Ok(self.scalar(id)?.0)
    }

    /// Null counts as left out.
    pub(crate) fn int(&mut self, id: NodeId, most: u64) -> Read<Option<u64>> {
        let (text, plain) = self.scalar(id)?;
        if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
            return Ok(None);
        }
        let digits = text.strip_prefix('+').unwrap_or(&text);
        let (digits, radix) = match digits.get(..2) {
            Some("0x") => (&digits[2..], 16),
            Some("0o") => (&digits[2..], 8),
            Some("0b") => (&digits[2..], 2),
            _ => (digits, 10),
        };
        let fits = plain
            && digits.bytes().all(|b| b.is_ascii_alphanumeric())
            && (radix != 10 || digits.len() == 1 || !digits.starts_with('0'));
        match u64::from_str_radix(digits, radix) {
            Ok(value) if fits && value <= most => Ok(Some(value)),
            _ => self.refuse(id, &format!("{text:?} is no whole number from 0 to {most}")),
        }
    }

    #[inline(never)]
    fn bool(&mut self, id: NodeId) -> Read<bool> {
        match self.scalar(id)? {
            (text, true) if matches!(text.as_str(), "true" | "True" | "TRUE") => Ok(true),
            (text, true) if matches!(text.as_str(), "false" | "False" | "FALSE") => Ok(false),
            (text, _) => self.refuse(id, &format!("{text:?} is neither true nor false")),
        }
    }

    /// Nothing at all counts as an empty collection.
    fn is_nothing(&self, id: NodeId) -> bool {
        matches!(self.content(id), Some(Content::Scalar(Value::Null, true)))
            && self.span(id).of(self.text).is_empty()
    }

    pub(crate) fn items(&mut self, id: NodeId) -> Read<Vec<NodeId>> {
        let items = match self.content(id) {
            Some(Content::List(items)) => items.clone(),
            _ if self.is_nothing(id) => Vec::new(),
            _ => return self.refuse(id, "a list must stand here"),
        };
        self.spend(id, items.len() * ITEM_BYTES)?;
        Ok(items)
    }

    pub(crate) fn strings(&mut self, id: NodeId) -> Read<Vec<String>> {
        let mut out = Vec::new();
        for item in self.items(id)? {
            out.push(self.string(item)?);
        }
        Ok(out)
    }

    /// The fields in the order of `names`; what is not written is `None`.
    pub(crate) fn fields(&mut self, id: NodeId, names: &[&str]) -> Read<Vec<Option<NodeId>>> {
        let mut fields = vec![None; names.len()];
        let entries = match self.content(id) {
            Some(Content::Map(entries)) => entries.clone(),
            _ if self.is_nothing(id) => Vec::new(),
            _ => return self.refuse(id, "fields must stand here"),
        };
        for (key, value) in entries {
            let name = self.string(key)?;
            match names.iter().position(|n| *n == name) {
                None => {
                    let known = names.join("`, `");
                    return Err(at(
                        self.span(key),
                        &format!("unknown field `{name}`, expected one of `{known}`"),
                    ));
                }
                Some(i) if fields[i].is_some() => {
                    return Err(at(self.span(key), &format!("duplicate field `{name}`")));
                }
                Some(i) => fields[i] = Some(value),
            }
        }
        Ok(fields)
    }

    /// Fields that are all texts, into their places.
    pub(crate) fn texts(
        &mut self,
        id: NodeId,
        names: &[&str],
        places: &mut [&mut String],
    ) -> Read<()> {
        let fields = self.fields(id, names)?;
        for (field, place) in fields.into_iter().zip(places) {
            self.text(field, place)?;
        }
        Ok(())
    }

    pub(crate) fn text(&mut self, field: Option<NodeId>, place: &mut String) -> Read<()> {
        if let Some(id) = field {
            *place = self.string(id)?;
        }
        Ok(())
    }

    pub(crate) fn needed<T>(&self, id: NodeId, name: &str, field: Option<T>) -> Read<T> {
        match field {
            Some(field) => Ok(field),
            None => Err(at(self.span(id), &format!("missing field `{name}`"))),
        }
    }

    fn scenario(&mut self, id: NodeId) -> Read<Scenario> {
        let mut scenario = Scenario::default();
        let fields = self.fields(id, &SCENARIO)?;
        let [
            podscope,
            title,
            cluster,
            files,
            commands,
            until,
            cursor,
            expect,
        ] = fields[..]
        else {
            unreachable!("invariant: as many fields as names");
        };
        let podscope = self.needed(id, "podscope", podscope)?;
        let version = self.int(podscope, u64::from(u32::MAX))?;
        scenario.podscope = self.needed(podscope, "podscope", version)? as u32;
        self.text(title, &mut scenario.title)?;
        if let Some(cluster) = cluster {
            scenario.cluster = self.cluster(cluster)?;
        }
        if let Some(files) = files {
            scenario.files = self.files(files)?;
        }
        if let Some(commands) = commands {
            for command in self.items(commands)? {
                let step = self.step(command)?;
                scenario.commands.push(step);
            }
        }
        self.text(until, &mut scenario.until)?;
        self.text(cursor, &mut scenario.cursor)?;
        if let Some(expect) = expect {
            scenario.expect = self.expectations(expect)?;
        }
        Ok(scenario)
    }

    pub(crate) fn expectations(&mut self, id: NodeId) -> Read<Vec<Expectation>> {
        let mut found = Vec::new();
        for expectation in self.items(id)? {
            let mut e = Expectation::default();
            let places = &mut [
                &mut e.kubectl,
                &mut e.contains,
                &mut e.event,
                &mut e.after,
                &mut e.before,
                &mut e.object,
            ];
            self.texts(expectation, &EXPECTATION, places)?;
            found.push(e);
        }
        Ok(found)
    }

    fn cluster(&mut self, id: NodeId) -> Read<ClusterSpec> {
        let mut cluster = ClusterSpec::default();
        let fields = self.fields(id, &CLUSTER)?;
        let [
            seed,
            nodes,
            etcd,
            sidecar_webhook,
            cpu_limit_policy,
            schedulers,
        ] = fields[..]
        else {
            unreachable!("invariant: as many fields as names");
        };
        if let Some(seed) = seed {
            cluster.seed = self.int(seed, u64::MAX)?;
        }
        if let Some(nodes) = nodes {
            for node in self.items(nodes)? {
                let node = self.node(node)?;
                cluster.nodes.push(node);
            }
        }
        if let Some(etcd) = etcd {
            cluster.etcd = self.int(etcd, u64::from(u8::MAX))?.map(|n| n as u8);
        }
        if let Some(on) = sidecar_webhook {
            cluster.sidecar_webhook = self.bool(on)?;
        }
        if let Some(on) = cpu_limit_policy {
            cluster.cpu_limit_policy = self.bool(on)?;
        }
        if let Some(schedulers) = schedulers {
            cluster.schedulers = self.strings(schedulers)?;
        }
        Ok(cluster)
    }

    fn node(&mut self, id: NodeId) -> Read<NodeSpec> {
        let mut node = NodeSpec::default();
        let fields = self.fields(id, &NODE)?;
        let [
            name,
            count,
            zone,
            cpu,
            memory,
            pods,
            labels,
            taints,
            resources,
            images,
        ] = fields[..]
        else {
            unreachable!("invariant: as many fields as names");
        };
        node.name = {
            let name = self.needed(id, "name", name)?;
            self.string(name)?
        };
        for (field, place) in [(count, &mut node.count), (pods, &mut node.pods)] {
            if let Some(field) = field {
                *place = self.int(field, u64::from(u32::MAX))?.map(|n| n as u32);
            }
        }
        for (field, place) in [
            (zone, &mut node.zone),
            (cpu, &mut node.cpu),
            (memory, &mut node.memory),
        ] {
            self.text(field, place)?;
        }
        for (field, place) in [
            (labels, &mut node.labels),
            (taints, &mut node.taints),
            (resources, &mut node.resources),
            (images, &mut node.images),
        ] {
            if let Some(field) = field {
                *place = self.strings(field)?;
            }
        }
        Ok(node)
    }

    fn files(&mut self, id: NodeId) -> Read<Vec<File>> {
        let mut files = Vec::new();
        for item in self.items(id)? {
            let fields = self.fields(item, &FILE)?;
            let [name, text] = fields[..] else {
                unreachable!("invariant: as many fields as names");
            };
            let name = self.needed(item, "name", name)?;
            let text = self.needed(item, "text", text)?;
            files.push(File {
                name: self.string(name)?,
                text: self.string(text)?,
            });
        }
        Ok(files)
    }

    fn step(&mut self, id: NodeId) -> Read<Step> {
        let mut step = Step::default();
        let fields = self.fields(id, &STEP)?;
        let [at, kubectl, files, fault, name, heal] = fields[..] else {
            unreachable!("invariant: as many fields as names");
        };
        for (field, place) in [
            (at, &mut step.at),
            (kubectl, &mut step.kubectl),
            (fault, &mut step.fault),
            (name, &mut step.name),
            (heal, &mut step.heal),
        ] {
            self.text(field, place)?;
        }
        if let Some(files) = files {
            step.files = self.files(files)?;
        }
        Ok(step)
    }
}

const SCENARIO: [&str; 8] = [
    "podscope", "title", "cluster", "files", "commands", "until", "cursor", "expect",
];
const CLUSTER: [&str; 6] = [
    "seed",
    "nodes",
    "etcd",
    "sidecar_webhook",
    "cpu_limit_policy",
    "schedulers",
];
const NODE: [&str; 10] = [
    "name",
    "count",
    "zone",
    "cpu",
    "memory",
    "pods",
    "labels",
    "taints",
    "resources",
    "images",
];
const FILE: [&str; 2] = ["name", "text"];
const STEP: [&str; 6] = ["at", "kubectl", "files", "fault", "name", "heal"];
const EXPECTATION: [&str; 6] = ["kubectl", "contains", "event", "after", "before", "object"];

/// The scenario as YAML; what has its default is left out.
pub(crate) fn write(scenario: &Scenario) -> String {
    let mut out = Lines::default();
    out.entry("podscope", Value::Int(i64::from(scenario.podscope)));
    out.text("title", &scenario.title);
    out.fields("cluster", cluster(&scenario.cluster));
    out.files(&scenario.files);
    let commands = scenario.commands.iter().map(step).collect();
    out.items("commands", commands);
    out.text("until", &scenario.until);
    out.text("cursor", &scenario.cursor);
    let expect = scenario.expect.iter().map(expectation).collect();
    out.items("expect", expect);
    out.0
}

fn cluster(cluster: &ClusterSpec) -> Lines {
    let mut out = Lines::default();
    if let Some(seed) = cluster.seed {
        out.0.push_str(&format!("seed: {seed}\n"));
    }
    out.items("nodes", cluster.nodes.iter().map(node).collect());
    out.int("etcd", cluster.etcd.map(u32::from));
    out.flag("sidecar_webhook", cluster.sidecar_webhook);
    out.flag("cpu_limit_policy", cluster.cpu_limit_policy);
    out.strings("schedulers", &cluster.schedulers);
    out
}

fn node(node: &NodeSpec) -> Lines {
    let mut out = Lines::default();
    out.entry("name", Value::from(node.name.as_str()));
    out.int("count", node.count);
    out.text("zone", &node.zone);
    out.text("cpu", &node.cpu);
    out.text("memory", &node.memory);
    out.int("pods", node.pods);
    out.strings("labels", &node.labels);
    out.strings("taints", &node.taints);
    out.strings("resources", &node.resources);
    out.strings("images", &node.images);
    out
}

fn step(step: &Step) -> Lines {
    let mut out = Lines::default();
    out.text("at", &step.at);
    out.text("kubectl", &step.kubectl);
    out.files(&step.files);
    out.text("fault", &step.fault);
    out.text("name", &step.name);
    out.text("heal", &step.heal);
    out
}

fn expectation(expectation: &Expectation) -> Lines {
    let mut out = Lines::default();
    out.text("kubectl", &expectation.kubectl);
    out.text("contains", &expectation.contains);
    out.text("event", &expectation.event);
    out.text("after", &expectation.after);
    out.text("before", &expectation.before);
    out.text("object", &expectation.object);
    out
}

/// The lines of one map.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn entry(&mut self, key: &str, value: Value) {
        let mut pair = Value::map();
        *pair.entry(key) = value;
        self.0.push_str(&podscope_manifest::yaml::to_string(&pair));
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.entry(key, Value::from(text));
        }
    }

    fn int(&mut self, key: &str, int: Option<u32>) {
        if let Some(int) = int {
            self.entry(key, Value::Int(i64::from(int)));
        }
    }

    fn flag(&mut self, key: &str, on: bool) {
        if on {
            self.entry(key, Value::Bool(true));
        }
    }

    fn strings(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            let mut list = Vec::new();
            for text in texts {
                list.push(Value::from(text.as_str()));
            }
            self.entry(key, Value::from(list));
        }
    }

    fn fields(&mut self, key: &str, inner: Lines) {
        if !inner.0.is_empty() {
            self.0.push_str(key);
            self.0.push_str(":\n");
            self.indented(&inner.0, "  ");
        }
    }

    fn items(&mut self, key: &str, items: Vec<Lines>) {
        if items.is_empty() {
            return;
        }
        self.0.push_str(key);
        self.0.push_str(":\n");
        for item in items {
            if item.0.is_empty() {
                self.0.push_str("- {}\n");
            } else {
                self.indented(&item.0, "- ");
            }
        }
    }

    fn files(&mut self, files: &[File]) {
        let mut items = Vec::new();
        for file in files {
            let mut out = Lines::default();
            out.entry("name", Value::from(file.name.as_str()));
            out.entry("text", Value::from(file.text.as_str()));
            items.push(out);
        }
        self.items("files", items);
    }

    /// Adds lines two columns deeper; the first one begins with `first`.
    fn indented(&mut self, lines: &str, first: &str) {
        let mut start = first;
        for line in lines.split_inclusive('\n') {
            if line != "\n" {
                self.0.push_str(start);
            }
            self.0.push_str(line);
            start = "  ";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_yaml::Value as Yaml;

    /// Texts as libyaml's reader sees them, without what has its default.
    fn plain(yaml: &Yaml) -> Option<Yaml> {
        Some(match yaml {
            Yaml::Null | Yaml::Bool(false) => return None,
            Yaml::Sequence(items) if items.is_empty() => return None,
            Yaml::Sequence(items) => items
                .iter()
                .map(|i| plain(i).unwrap_or(Yaml::Null))
                .collect(),
            Yaml::Mapping(map) => {
                let kept: serde_yaml::Mapping = map
                    .iter()
                    .filter_map(|(k, v)| Some((k.clone(), plain(v)?)))
                    .collect();
                if kept.is_empty() {
                    return None;
                }
                Yaml::Mapping(kept)
            }
            Yaml::String(text) if text.is_empty() => return None,
            Yaml::String(text) => Yaml::String(text.clone()),
            Yaml::Bool(true) => Yaml::String("true".into()),
            Yaml::Number(n) => Yaml::String(n.to_string()),
            Yaml::Tagged(_) => panic!("a tag"),
        })
    }

    fn libyaml(text: &str) -> Option<Yaml> {
        plain(&serde_yaml::from_str::<Yaml>(text).expect("libyaml reads it"))
    }

    #[test]
    fn every_preset_reads_and_writes_as_with_libyaml() {
        let mut count = 0;
        for preset in podscope_lesson::presets() {
            let scenario = read(preset.text).map_err(|e| format!("{}: {e}", preset.id));
            let scenario = scenario.expect("a preset");
            let written = write(&scenario);
            assert_eq!(libyaml(&written), libyaml(preset.text), "{}", preset.id);
            assert_eq!(read(&written), Ok(scenario), "{}", preset.id);
            count += 1;
        }
        assert!(count > 5, "{count} presets");
    }

    #[test]
    fn awkward_texts_come_back() {
        for text in [
            "1s",
            "017",
            "yes",
            "~",
            " x",
            "a: b",
            "# c",
            "a\n\n  b\nc\n\n",
            "\n",
            "\t\r\nx",
            "it's \"so\"",
            "ü\u{85}\u{2028}",
            "a very long line of words that is folded by the writer since it has more than eighty columns of text in it",
        ] {
            let scenario = Scenario {
                podscope: 1,
                title: text.into(),
                commands: vec![Step {
                    files: vec![File {
                        name: text.into(),
                        text: format!("{text}\n---\n{text}"),
                    }],
                    ..Step::default()
                }],
                ..Scenario::default()
            };
            let written = write(&scenario);
            assert_eq!(read(&written), Ok(scenario), "{written}");
        }
    }

    #[test]
    fn scalars_are_read_as_written() {
        let text = "podscope: 0x1\ntitle: 007\ncluster: {seed: 18446744073709551615, etcd: ~, cpu_limit_policy: True}\nuntil: &u 2m\ncursor: *u\nfiles:\n";
        let scenario = read(text).expect("valid");
        assert_eq!(
            (scenario.podscope, scenario.title.as_str()),
            (1, "007"),
            "{scenario:?}"
        );
        assert_eq!(scenario.cluster.seed, Some(u64::MAX));
        assert_eq!(
            (scenario.cluster.etcd, scenario.cluster.nodes.len()),
            (None, 0)
        );
        assert!(scenario.cluster.cpu_limit_policy);
        assert_eq!((scenario.cursor.as_str(), scenario.files.len()), ("2m", 0));
    }

    #[test]
    fn errors_have_their_place() {
        for (text, error) in [
            ("", "a scenario is empty; it must begin with `podscope: 1`"),
            ("title: x", "missing field `podscope` at line 1 column 1"),
            (
                "podscope: 1\ncluster:\n  nope: 1",
                "unknown field `nope`, expected one of `seed`, `nodes`, `etcd`, `sidecar_webhook`, `cpu_limit_policy`, `schedulers` at line 3 column 3",
            ),
            (
                "podscope: 1\npodscope: 1",
                "duplicate field `podscope` at line 2 column 1",
            ),
            (
                "podscope: one",
                "podscope: \"one\" is no whole number from 0 to 4294967295 at line 1 column 11",
            ),
            (
                "podscope: 1\ncluster: {etcd: 256}",
                "cluster.etcd: \"256\" is no whole number from 0 to 255 at line 2 column 17",
            ),
            (
                "podscope: 1\ncluster: {sidecar_webhook: 'true'}",
                "cluster.sidecar_webhook: \"true\" is neither true nor false at line 2 column 28",
            ),
            (
                "podscope: 1\ncommands:\n- at: [1]",
                "commands.0.at: a list stands where text must at line 3 column 7",
            ),
            (
                "podscope: 1\ncommands: x",
                "commands: a list must stand here at line 2 column 11",
            ),
            (
                "podscope: 1\ncluster: x",
                "cluster: fields must stand here at line 2 column 10",
            ),
            (
                "podscope: 1\n---\na: 1",
                "a scenario is one document; a second one begins at line 3 column 1",
            ),
            (
                "podscope: [",
                "yaml: line 1: did not find expected node content at line 2 column 1",
            ),
            (
                "podscope: 1\nfiles:\n- name: x",
                "missing field `text` at line 3 column 3",
            ),
        ] {
            assert_eq!(
                read(text).map_err(|e| e.0),
                Err(error.to_string()),
                "{text}"
            );
        }
    }

    #[test]
    fn aliases_are_bounded() {
        let text = format!(
            "podscope: 1\nfiles:\n- name: x\n  text: &t \"{}\"\n{}",
            "y".repeat(100_000),
            "- {name: x, text: *t}\n".repeat(1000)
        );
        let error = read(&text).map(|_| ()).map_err(|e| e.0);
        assert!(
            error
                .as_ref()
                .is_err_and(|e| e.contains("aliases repeat too much")),
            "{error:?}"
        );
    }
}
