//! The samples of `kubectl get` and `kubectl describe`: texts beside their objects.

use super::super::Outcome;
use super::server::Server;
use super::{difference, namespace};
use crate::load::Table;
use podscope_api::{Object, Timestamp, Value};
use podscope_kubectl::Invocation;

/// When the tables of `kubectl get` were printed: what their ages say.
const PRINTED: &str = "2026-11-20T10:06:47Z";

/// The text below a heading `##### NAME`.
fn section(table: &Table, name: &str) -> Option<String> {
    let file = table.path.file_name()?.to_str()?;
    let path = table
        .path
        .with_file_name(file.replace("_input.json", ".txt"));
    let text = std::fs::read_to_string(path).ok()?;
    let heading = format!("##### {name}\n");
    let (_, rest) = text.split_once(&heading)?;
    let end = rest.find("\n##### ").unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_end_matches('\n').to_string())
}

fn objects(case: &Value) -> Vec<Object> {
    let objects = case.get("objs").items().iter();
    objects.map(|o| Object(o.clone())).collect()
}

fn run(objects: Vec<Object>, words: &[&str], now: Timestamp) -> String {
    let mut server = Server {
        objects,
        ..Server::default()
    };
    let invocation = Invocation {
        argv: words.iter().map(ToString::to_string).collect(),
        files: Vec::new(),
        stdin: String::new(),
    };
    let ended = server.run(&invocation, "default", now);
    // The texts were adjusted to the default profile after the run, the objects were not.
    let text = ended.stdout + &ended.stderr;
    text.replace(
        ". preemption: ",
        ". no new claims to deallocate, preemption: ",
    )
}

fn same(what: &str, got: &str, want: &str) -> Outcome {
    let got = got.trim_end_matches('\n');
    if got == want {
        Outcome::Pass
    } else {
        Outcome::Fail(difference(what, got, want))
    }
}

/// Both tables of a kind.
pub fn get(table: &Table, case: &Value) -> Outcome {
    let kind = case.get("id").str_or_empty();
    let now = Timestamp::parse(PRINTED).unwrap_or_default();
    for wide in [false, true] {
        let Some(want) = section(table, &format!("{kind} wide={wide}")) else {
            return Outcome::Skip("no text beside it".into());
        };
        let output = if wide { "wide" } else { "" };
        let got = run(objects(case), &["get", kind, "-o", output], now);
        if let Outcome::Fail(wrong) = same(kind, &got, &want) {
            return Outcome::Fail(format!("wide={wide} {wrong}"));
        }
    }
    Outcome::Pass
}

/// One description.
pub fn describe(table: &Table, case: &Value) -> Outcome {
    let text = |name: &str| case.get(name).str_or_empty();
    let Some(want) = section(table, &format!("{} (err=<nil>)", text("id"))) else {
        return Outcome::Skip("no text beside it".into());
    };
    let now = Timestamp::parse(DESCRIBED).unwrap_or_default();
    let mut objects = objects(case);
    objects.push(namespace("default"));
    let kind = text("kind").to_ascii_lowercase();
    let got = run(objects, &["describe", &kind, text("name")], now);
    same(text("id"), &got, &want)
}

/// When the descriptions were printed.
const DESCRIBED: &str = "2026-11-20T10:05:42Z";
