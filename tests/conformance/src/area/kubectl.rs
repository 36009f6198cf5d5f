//! Tables of kubectl: patches, printers and describe.

mod explain;
mod request;
mod samples;
mod server;
mod server_side;

use super::Outcome;
use crate::load::{self, Table};
use podscope_api::{Object, Timestamp, Value, json, patch};
use podscope_kubectl::{Cell, Invocation};
use server::{Ended, Server};
use std::sync::OnceLock;

/// Runs one case when the table belongs to this area.
pub fn run(table: &Table, case: &Value) -> Option<Outcome> {
    Some(match table.name.as_str() {
        "three_way_patch" => three_way_patch(case),
        name if name.starts_with("kubectl_") && name.ends_with("_columns") => cells(case),
        "printers/cases" => printed(table, case),
        "apply/client_side" => applied(case),
        "get_samples" => samples::get(table, case),
        "describe_samples" => samples::describe(table, case),
        "apply/server_side" => server_side::run(case),
        "apply/create_bodies" => create_bodies(case),
        "explain/explain" => explain::explained(case),
        "explain/fields" => explain::published(case),
        "imperative/cases" => imperative(case),
        "printers/states" => Outcome::Skip("input of printers/cases".into()),
        _ => return None,
    })
}

fn three_way_patch(case: &Value) -> Outcome {
    let kind = case.get("objectKind").str_or_empty();
    let current = case.get("current");
    let got = patch::three_way_strategic(kind, case.get("original"), case.get("modified"), current);
    let got = match got {
        Ok(got) => got,
        Err(status) => return Outcome::Fail(status.message.to_string()),
    };
    if got != *case.at("expect.patch") {
        return Outcome::equal(
            json::to_string(&got),
            json::to_string(case.at("expect.patch")),
        );
    }
    let result = patch::strategic(kind, current, &got).unwrap_or_default();
    Outcome::equal(
        json::to_string(&result),
        json::to_string(case.at("expect.result")),
    )
}

fn cells(case: &Value) -> Outcome {
    let input = case.get("input");
    let object = Object(input.get("object").clone());
    let (Some(kind), Some(now)) = (
        object.kind(),
        input.get("now").as_str().and_then(Timestamp::parse),
    ) else {
        return Outcome::Skip("kind not modelled".into());
    };
    let cells = podscope_kubectl::row(kind, &object, input.get("wide").is_true(), now);
    let cells = cells.into_iter().map(|cell| match cell {
        Cell::Text(text) => Value::from(text),
        Cell::Int(number) => Value::from(number),
    });
    let got = Value::list([Value::list(cells)]);
    Outcome::equal(
        json::to_string(&got),
        json::to_string(case.at("expected.rows")),
    )
}

fn invocation(case: &Value) -> Invocation {
    let texts = |v: &Value| {
        v.items()
            .iter()
            .map(|w| w.str_or_empty().to_string())
            .collect()
    };
    let mut argv: Vec<String> = texts(case.get("argv"));
    if argv.first().is_some_and(|w| w == "kubectl") {
        argv.remove(0);
    }
    Invocation {
        argv,
        files: case
            .get("files")
            .entries()
            .iter()
            .map(|(name, text)| (name.to_string(), text.str_or_empty().to_string()))
            .collect(),
        stdin: case.get("stdin").str_or_empty().to_string(),
    }
}

/// Where the texts part: the first line that differs, and what surrounds it.
fn difference(what: &str, got: &str, want: &str) -> String {
    let (g, w): (Vec<&str>, Vec<&str>) = (got.lines().collect(), want.lines().collect());
    let at = g.iter().zip(&w).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str]| {
        lines
            .get(at)
            .map_or("(end)".to_string(), |l| format!("{l:?}"))
    };
    format!(
        "\n{what} line {}\nwant {}\n got {}",
        at + 1,
        line(&w),
        line(&g)
    )
}

fn compare(case: &Value, ended: &Ended) -> Outcome {
    let mut text = format!("kubectl {}", invocation(case).argv.join(" "));
    let mut same = true;
    for (what, got) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        let want = case.get(what).str_or_empty();
        if got != want {
            same = false;
            text.push_str(&difference(what, got, want));
        }
    }
    let want = case.get("rc").as_int().unwrap_or(0);
    if i64::from(ended.exit_code) != want {
        same = false;
        text.push_str(&format!("\nrc want {want} got {}", ended.exit_code));
    }
    if same {
        Outcome::Pass
    } else {
        Outcome::Fail(text)
    }
}

fn printed(table: &Table, case: &Value) -> Outcome {
    static STATES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let states = STATES.get_or_init(|| {
        let path = table.path.with_file_name("states.jsonl");
        let tables = load::tables(&path.to_string_lossy()).unwrap_or_default();
        let cases = tables.iter().flat_map(|t| &t.cases);
        cases
            .map(|s| {
                (
                    s.get("state").str_or_empty().to_string(),
                    json::to_string(s.get("objects")),
                )
            })
            .collect()
    });
    thread_local! {
        static PARSED: std::cell::RefCell<Vec<(String, Value)>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    let name = case.get("state").str_or_empty();
    let Some((_, text)) = states.iter().find(|(n, _)| n == name) else {
        return Outcome::Skip("no states.jsonl beside it".into());
    };
    let objects = PARSED.with_borrow_mut(|parsed| {
        if let Some((_, objects)) = parsed.iter().find(|(n, _)| n == name) {
            return objects.clone();
        }
        let objects = json::parse(text).unwrap_or_default();
        parsed.push((name.to_string(), objects.clone()));
        objects
    });
    let Some(now) = case.get("now").as_str().and_then(Timestamp::parse) else {
        return Outcome::Skip("no time".into());
    };
    let known = objects
        .items()
        .iter()
        .map(|o| Object(o.clone()))
        .filter(|o| o.kind().is_some());
    let mut server = Server::new(known.collect());
    server.complete = true;
    let ended = server.run(&invocation(case), "default", now);
    compare(case, &ended)
}

/// The time that recordings with placeholders stand for.
fn placeholder_time() -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap_or_default()
}

fn namespace(name: &str) -> Object {
    let mut object = Object(Value::map());
    object.set("apiVersion", "v1");
    object.set("kind", "Namespace");
    object.set("metadata.name", name);
    object.set("status.phase", "Active");
    object
}

/// Whether the recorded server refused something that the small server here would accept.
fn refused(case: &Value) -> bool {
    case.get("requests").items().iter().any(|r| {
        let code = r.get("http_code").as_int().unwrap_or(0);
        code >= 400 && code != 404
    })
}

fn write_requests(case: &Value) -> Vec<request::Shown> {
    let recorded = case
        .get("requests")
        .items()
        .iter()
        .map(request::Shown::recorded);
    recorded.filter(|r| r.method != "GET").collect()
}

fn sent(server: &Server) -> Vec<request::Shown> {
    server
        .requests
        .iter()
        .map(|(r, _)| request::Shown::sent(r))
        .collect()
}

fn applied(case: &Value) -> Outcome {
    let live = Object(case.get("live").clone());
    if live.kind().is_none() && !live.0.is_null() {
        return Outcome::Skip("custom resources are not modelled".into());
    }
    let mut objects = vec![namespace("apl")];
    if !live.0.is_null() {
        // The recording has a placeholder where the manifest may have a stale version.
        let mut live = live;
        live.set("metadata.resourceVersion", "8372");
        objects.push(live);
    }
    let mut server = Server::new(objects);
    let mut invocation = invocation(case);
    let file = case.get("v2_yaml").str_or_empty();
    invocation.files = vec![("v2.yaml".into(), file.into())];
    let ended = server.run(&invocation, "default", placeholder_time());
    let (got, want) = (sent(&server), write_requests(case));
    let got: Vec<request::Shown> = got.into_iter().filter(|r| r.method != "GET").collect();
    let compared = if refused(case) {
        1
    } else {
        want.len().max(got.len())
    };
    for i in 0..compared {
        if got.get(i) != want.get(i) {
            return Outcome::Fail(format!("\nwant {:?}\n got {:?}", want.get(i), got.get(i)));
        }
    }
    if refused(case) || !case.get("stderr").str_or_empty().is_empty() {
        return Outcome::Pass;
    }
    compare(case, &ended)
}

fn create_bodies(case: &Value) -> Outcome {
    let mut server = Server::new(vec![namespace("default")]);
    let mut invocation = invocation(case);
    let text = case.get("yaml").str_or_empty();
    invocation.files = vec![("m.yaml".into(), text.into())];
    server.run(&invocation, "default", placeholder_time());
    let (got, want) = (sent(&server), write_requests(case));
    let got: Vec<request::Shown> = got.into_iter().filter(|r| r.method != "GET").collect();
    if want.iter().any(|r| !r.known) {
        return Outcome::Skip("kind not modelled".into());
    }
    for i in 0..want.len().max(got.len()) {
        if got.get(i) != want.get(i) {
            return Outcome::Fail(format!("\nwant {:?}\n got {:?}", want.get(i), got.get(i)));
        }
    }
    Outcome::Pass
}

fn imperative(case: &Value) -> Outcome {
    let before = case
        .get("before")
        .entries()
        .iter()
        .map(|(_, o)| Object(o.clone()));
    let mut objects: Vec<Object> = before.filter(|o| o.kind().is_some()).collect();
    // Recorded versions are placeholders.
    const BEFORE: &str = "8372";
    for object in &mut objects {
        object.set("metadata.resourceVersion", BEFORE);
    }
    objects.push(namespace("imp"));
    let mut server = Server::new(objects);
    server.complete = true;
    let mut ended = server.run(&invocation(case), "default", placeholder_time());
    for version in [BEFORE, server::WRITTEN] {
        ended.stdout = ended.stdout.replace(&format!("\"{version}\""), "\"1\"");
    }
    let got = sent(&server);
    let recorded: Vec<request::Shown> = case
        .get("requests")
        .items()
        .iter()
        .map(request::Shown::recorded)
        .collect();
    if let Some(at) = (0..got.len().max(recorded.len()))
        .find(|i| !request::alike(got.get(*i), recorded.get(*i), case))
        && (!refused(case) || at + 1 < recorded.len())
    {
        return Outcome::Fail(format!(
            "kubectl {}\nrequest {at} want {:?}\n got {:?}\nstderr {:?}",
            invocation(case).argv.join(" "),
            recorded.get(at),
            got.get(at),
            ended.stderr
        ));
    }
    compare(case, &ended)
}
