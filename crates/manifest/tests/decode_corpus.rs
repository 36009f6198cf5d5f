//! Decodes the bodies of recorded requests and compares the refusals with those of a real API server.

use podscope_api::decode::{self, Source};
use podscope_api::request::FieldValidation;
use podscope_api::{Kind, Value, json};
use podscope_manifest::{server, yaml};
use std::path::PathBuf;

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PODSCOPE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn rows(path: &str) -> Vec<Value> {
    let Some(path) = shared(path) else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).expect("readable");
    text.lines()
        .map(|l| json::parse(l).expect("JSON"))
        .collect()
}

/// The kind that a create request's path names.
fn kind_of(path: &str) -> Option<Kind> {
    let parts: Vec<&str> = path
        .split('?')
        .next()?
        .trim_matches('/')
        .split('/')
        .collect();
    let plural = parts.last()?;
    let (group, version) = match parts.as_slice() {
        ["api", version, ..] => ("", *version),
        ["apis", group, version, ..] => (*group, *version),
        _ => return None,
    };
    Kind::ALL
        .iter()
        .copied()
        .find(|k| k.plural() == *plural && k.group() == group && k.version() == version)
}

fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for b in text.bytes() {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

/// `(right, all)` over the rows of one corpus file; prints some of the wrong ones.
fn score(path: &str) -> (usize, usize) {
    let (mut right, mut all, mut refusals, mut refused) = (0, 0, 0, 0);
    let mut shown = 0;
    for row in rows(path) {
        let get = |key: &str| row.get(key).str_or_empty();
        let Some(kind) = kind_of(get("request_path")) else {
            continue;
        };
        let body = match row.get("yaml") {
            Value::Str(text) => text.as_bytes().to_vec(),
            _ => base64(get("yaml_b64")),
        };
        let validation = if get("query").contains("fieldValidation=Warn") {
            FieldValidation::Warn
        } else if get("query").contains("fieldValidation=Ignore") {
            FieldValidation::Ignore
        } else {
            FieldValidation::Strict
        };
        let mut warned = Vec::new();
        let got = match server::decode(kind, &body, validation) {
            Ok(decoded) => {
                warned.extend(decoded.warnings.iter().map(ToString::to_string));
                String::new()
            }
            Err(status) => status.message.to_string(),
        };
        let of_decoding =
            |w: &&str| w.starts_with("unknown field") || w.contains("already set in map");
        let warnings = row.get("warnings").items().iter().map(Value::str_or_empty);
        let warnings: Vec<&str> = warnings.filter(of_decoding).collect();
        let refusal = row.get("http_code").as_int() == Some(400);
        let mut wants = vec![row.at("status.message").str_or_empty().to_string()];
        for variant in row.get("status_variants").items() {
            wants.push(variant.get("message").str_or_empty().to_string());
        }
        if !refusal
            || wants
                .iter()
                .all(|w| w.contains("does not match the namespace"))
        {
            wants = vec![String::new()];
        }
        all += 1;
        refusals += usize::from(refusal);
        if wants.contains(&got) && warned == warnings {
            right += 1;
            refused += usize::from(refusal);
        } else if shown < 40 {
            shown += 1;
            println!(
                "{}\n  want {} {warnings:?}\n  got  {got} {warned:?}",
                get("id"),
                wants[0]
            );
        }
    }
    println!("{path}: {right}/{all}, of these refusals {refused}/{refusals}");
    (right, all)
}

#[test]
fn mutated_manifests_are_refused_in_the_servers_words() {
    let (right, all) = score("conformance/corpora/admission/mutated/create.jsonl");
    assert_eq!(right, all);
    let (right, all) = score("conformance/corpora/admission/mutated/fieldvalidation.jsonl");
    assert_eq!(right, all);
}

#[test]
fn real_manifests_are_read() {
    let (right, all) = score("conformance/corpora/admission/real/create.jsonl");
    assert_eq!(right, all);
}

#[test]
fn stored_objects_stay_as_they_are() {
    for path in [
        "conformance/corpora/admission/mutated/create.jsonl",
        "conformance/corpora/admission/real/create.jsonl",
        "conformance/corpora/admission/policy/create.jsonl",
    ] {
        let (mut same, mut all) = (0, 0);
        for row in rows(path) {
            let stored = row.get("stored");
            let api_version = stored.get("apiVersion").str_or_empty();
            let Some(kind) = Kind::from_api(api_version, stored.get("kind").str_or_empty()) else {
                continue;
            };
            all += 1;
            let source = Source {
                value: stored.clone(),
                ..Source::default()
            };
            match decode::decode(kind, &source, FieldValidation::Strict) {
                Ok(decoded) if decoded.object.0 == *stored => same += 1,
                Ok(decoded) => {
                    let (want, got) = (yaml::to_string(stored), yaml::to_string(&decoded.object));
                    let differs = want.lines().zip(got.lines()).find(|(a, b)| a != b);
                    println!("{}: {differs:?}", row.get("id").str_or_empty());
                }
                Err(status) => println!("{}: {}", row.get("id").str_or_empty(), status.message),
            }
        }
        println!("{path}: {same}/{all}");
        assert_eq!(same, all);
    }
}

#[test]
fn printed_yaml_is_read_and_printed_again() {
    for path in [
        "conformance/corpora/printers/cases.jsonl",
        "conformance/corpora/imperative/cases.jsonl",
    ] {
        let (mut same, mut all) = (0, 0);
        for row in rows(path) {
            let argv: Vec<&str> = row
                .get("argv")
                .items()
                .iter()
                .map(Value::str_or_empty)
                .collect();
            let text = row.get("stdout").str_or_empty();
            let asks = argv.windows(2).any(|w| w == ["-o", "yaml"]) || argv.contains(&"-oyaml");
            if !asks || text.is_empty() || !text.starts_with("api") {
                continue;
            }
            let (documents, diagnostics) = podscope_manifest::parse(text);
            assert!(diagnostics.is_empty(), "{diagnostics:?}");
            let printed: Vec<String> = documents
                .iter()
                .map(|d| yaml::to_string(&d.object))
                .collect();
            all += 1;
            // `kubectl run --expose` prints the separator twice.
            if printed.join("---\n") == text.replace("---\n---\n", "---\n") {
                same += 1;
            } else {
                println!("{}", row.get("id").str_or_empty());
            }
        }
        println!("{path}: {same}/{all}");
        assert_eq!(same, all);
    }
}

/// Takes out what `kubectl apply` adds or drops.
fn bare(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let kept = map.entries().iter().filter(|(_, v)| !v.is_null());
            Value::from_pairs(kept.map(|(k, v)| (k.clone(), bare(v))))
        }
        Value::List(items) => Value::list(items.iter().map(bare)),
        other => other.clone(),
    }
}

#[test]
fn kubectl_sends_what_was_read() {
    let (mut same, mut all) = (0, 0);
    for row in rows("conformance/corpora/apply/create_bodies.jsonl") {
        let (documents, _) = podscope_manifest::parse(row.get("yaml").str_or_empty());
        let bodies: Vec<Value> = row
            .get("requests")
            .items()
            .iter()
            .filter(|r| r.get("method").as_str() == Some("POST"))
            .filter_map(|r| json::parse(r.get("body").str_or_empty()).ok())
            .collect();
        for body in bodies {
            let mut body = bare(&body);
            let key = "kubectl.kubernetes.io/last-applied-configuration";
            body.entry("metadata")
                .entry("annotations")
                .map_mut()
                .remove(key);
            let name = body.at("metadata.name").clone();
            let read = documents
                .iter()
                .find(|d| *d.object.at("metadata.name") == name);
            let Some(read) = read else {
                continue;
            };
            let mut read = bare(&read.object);
            for value in [&mut body, &mut read] {
                value
                    .entry("metadata")
                    .entry("annotations")
                    .map_mut()
                    .remove(key);
                value.remove("metadata.namespace");
                if value.at("metadata.annotations").is_empty() {
                    value.remove("metadata.annotations");
                }
            }
            all += 1;
            if body == read {
                same += 1;
            } else {
                println!(
                    "{}: {}\n   {}",
                    row.get("id").str_or_empty(),
                    json::to_string(&body),
                    json::to_string(&read)
                );
            }
        }
    }
    println!("create_bodies: {same}/{all}");
    assert_eq!(same, all);
}
