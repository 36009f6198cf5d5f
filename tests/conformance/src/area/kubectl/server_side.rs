//! The table of server-side apply: several commands on one object, with `managedFields`.

use super::super::Outcome;
use super::super::apiserver::{differences, loose};
use super::request::Shown;
use super::server::Server;
use super::{compare, invocation, namespace, placeholder_time};
use podscope_api::{Kind, Object, Timestamp, Value, json};

/// Runs all steps of a case.
pub fn run(case: &Value) -> Outcome {
    let Some(kind) = Kind::ALL
        .iter()
        .find(|k| Some(k.name()) == case.get("kind").as_str())
    else {
        return Outcome::Skip("custom resources are not modelled".into());
    };
    let mut server = Server::new(vec![namespace("apl")]);
    server.complete = true;
    for (i, step) in case.get("steps").items().iter().enumerate() {
        if let Err(wrong) = run_step(&mut server, *kind, step) {
            return Outcome::Fail(format!("step {i}: {wrong}"));
        }
    }
    Outcome::Pass
}

fn run_step(server: &mut Server, kind: Kind, step: &Value) -> Result<(), String> {
    server.requests.clear();
    let mut invocation = invocation(step);
    let manifest = step.get("manifest_yaml").str_or_empty();
    invocation.files = vec![("m.yaml".into(), manifest.into())];
    // A restart writes down when it was.
    let written = step.get("writes").index(0).get("body").str_or_empty();
    let stamp = json::parse(written).unwrap_or_default();
    let stamp = stamp
        .at("spec.template.metadata.annotations")
        .get("kubectl.kubernetes.io/restartedAt")
        .as_str()
        .and_then(Timestamp::parse);
    let now = stamp.unwrap_or_else(placeholder_time);
    let ended = server.run(&invocation, "default", now);
    if let Outcome::Fail(wrong) = compare(step, &ended) {
        return Err(wrong);
    }
    let sent = server.requests.iter().map(|(r, _)| Shown::sent(r));
    let got: Vec<Shown> = sent.filter(|r| r.method != "GET").collect();
    let want: Vec<Shown> = step
        .get("writes")
        .items()
        .iter()
        .map(Shown::recorded)
        .collect();
    for i in 0..want.len().max(got.len()) {
        let same = match (got.get(i), want.get(i)) {
            (Some(got), Some(want)) => {
                (&got.method, &got.path) == (&want.method, &want.path)
                    && versionless(&got.body) == versionless(&want.body)
            }
            _ => false,
        };
        if !same {
            return Err(format!("\nwant {:?}\n got {:?}", want.get(i), got.get(i)));
        }
    }
    let live = server.objects.iter().find(|o| o.kind() == Some(kind));
    let got = live.map(|o| comparable(&o.0)).unwrap_or_default();
    let result = step.get("result");
    let want = if result.get("kind").is_null() {
        Value::Null
    } else {
        comparable(result)
    };
    let mut wrong = String::new();
    differences(&mut wrong, "", &want, &got);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// A request's body without the versions that depend on the recorded cluster.
fn versionless(body: &str) -> Value {
    let mut value = json::parse(body).unwrap_or_default();
    if !value.items().is_empty() {
        for operation in value.list_mut() {
            if operation.get("path").as_str() == Some("/metadata/resourceVersion") {
                operation.remove("value");
            }
        }
    }
    value
}

/// An object with its `managedFields` in an order that does not depend on times.
fn comparable(object: &Value) -> Value {
    let mut value = loose(object);
    let mut entries = Object(object.clone())
        .at("metadata.managedFields")
        .items()
        .to_vec();
    entries.sort_by_key(|e| {
        let text = |name: &str| e.get(name).str_or_empty().to_string();
        (text("manager"), text("operation"), text("subresource"))
    });
    if !entries.is_empty() {
        value.set("metadata.managedFields", entries);
    }
    value
}
