//! LimitRanger: default requests and limits from the namespace's LimitRanges, then their bounds.
//!
//! Models: plugin/pkg/admission/limitranger (v1.36)

use super::{Admission, Lookup, Operation};
use crate::apiserver::defaulting::each;
use crate::apiserver::validation::pod::resources;
use podscope_api::{Kind, Quantity, Status, Value};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Fills in missing requests and limits of a new Pod's containers.
pub fn mutate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    if !a.creates_pod() {
        return Ok(());
    }
    for range in lookup.list(Kind::LimitRange, a.namespace) {
        let (mut limits, mut requests) = (Value::map(), Value::map());
        for item in range.at("spec.limits").items() {
            if item.get("type").as_str() != Some("Container") {
                continue;
            }
            for (to, from) in [(&mut requests, "defaultRequest"), (&mut limits, "default")] {
                for (name, value) in item.get(from).entries() {
                    to.map_mut().insert(name.clone(), value.clone());
                }
            }
        }
        let mut notes: Vec<String> = Vec::new();
        for (list, prefix) in [
            ("containers", "container"),
            ("initContainers", "init container"),
        ] {
            each(a.object.entry("spec"), list, |c| {
                merge(c, &limits, &requests, prefix, &mut notes);
            });
        }
        if !notes.is_empty() {
            let note = format!("LimitRanger plugin set: {}", notes.join("; "));
            let annotations = a.object.at_mut("metadata.annotations").map_mut();
            annotations.insert(ANNOTATION, note.into());
        }
    }
    Ok(())
}

#[inline(never)]
fn merge(c: &mut Value, limits: &Value, requests: &Value, prefix: &str, notes: &mut Vec<String>) {
    let name = c.get("name").str_or_empty().to_string();
    let mut set = |c: &mut Value, field: &str, defaults: &Value| {
        let path = format!("resources.{field}");
        let mut added: Vec<&str> = Vec::new();
        for (key, value) in defaults.entries() {
            if c.at(&path).get(key).is_null() {
                c.at_mut(&path).map_mut().insert(key.clone(), value.clone());
                added.push(key);
            }
        }
        if !added.is_empty() {
            let what = field.trim_end_matches('s');
            notes.push(format!("{} {what} for {prefix} {name}", added.join(", ")));
        }
    };
    set(c, "requests", requests);
    set(c, "limits", limits);
}

/// Refuses Pods and claims outside the bounds.
pub fn validate(a: &mut Admission<'_>, lookup: &dyn Lookup) -> Result<(), Status> {
    let pod = a.kind == Kind::Pod
        && (a.operation == Operation::Create || a.subresource == "resize")
        && matches!(a.subresource, "" | "resize");
    let claim = a.kind == Kind::PersistentVolumeClaim && a.subresource.is_empty();
    if !pod && !claim {
        return Ok(());
    }
    for range in lookup.list(Kind::LimitRange, a.namespace) {
        let mut wrong: Vec<String> = Vec::new();
        for item in range.at("spec.limits").items() {
            let limit_type = item.get("type").str_or_empty();
            match limit_type {
                "Container" if pod => {
                    for list in ["containers", "initContainers"] {
                        for c in a.object.get("spec").get(list).items() {
                            let amounts = Amounts::of(c.get("resources"));
                            check(item, limit_type, &amounts, &mut wrong);
                        }
                    }
                }
                "Pod" if pod => check(item, limit_type, &Amounts::of_pod(&a.object), &mut wrong),
                "PersistentVolumeClaim" if claim => {
                    let amounts = Amounts::of(a.object.at("spec.resources"));
                    check_claim(item, &amounts, &mut wrong);
                }
                _ => {}
            }
        }
        match wrong.as_slice() {
            [] => {}
            [one] => return Err(a.forbidden(one)),
            many => return Err(a.forbidden(&format!("[{}]", many.join(", ")))),
        }
    }
    Ok(())
}

type List = Vec<(String, Quantity)>;

/// Requests and limits by resource name.
struct Amounts {
    requests: List,
    limits: List,
}

fn list(value: &Value) -> List {
    value
        .entries()
        .iter()
        .filter_map(|(k, v)| Some((k.to_string(), Quantity::from_value(v)?)))
        .collect()
}

fn find(list: &List, name: &str) -> Option<Quantity> {
    list.iter().find(|(n, _)| n == name).map(|(_, q)| *q)
}

impl Amounts {
    fn of(resources: &Value) -> Amounts {
        Amounts {
            requests: list(resources.get("requests")),
            limits: list(resources.get("limits")),
        }
    }

    /// Of a whole Pod; what the Pod itself asks for wins over the sum.
    #[inline(never)]
    fn of_pod(pod: &Value) -> Amounts {
        let spec = pod.get("spec");
        let own = Amounts::of(spec.get("resources"));
        let merged = |own: List, field: &str| {
            let mut sum: List = Vec::new();
            sum.extend(resources::aggregate(spec, field));
            for (name, value) in own {
                match sum.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, total)) => *total = value,
                    None => sum.push((name, value)),
                }
            }
            sum
        };
        Amounts {
            requests: merged(own.requests, "requests"),
            limits: merged(own.limits, "limits"),
        }
    }
}

#[inline(never)]
fn check(item: &Value, limit_type: &str, amounts: &Amounts, wrong: &mut Vec<String>) {
    for (name, value) in item.get("min").entries() {
        let Some(min) = Quantity::from_value(value) else {
            continue;
        };
        let (request, limit) = (find(&amounts.requests, name), find(&amounts.limits, name));
        let head = format!("minimum {name} usage per {limit_type} is {min}");
        match (request, limit) {
            (None, _) => wrong.push(format!("{head}.  No request is specified")),
            (Some(r), _) if r < min => {
                wrong.push(format!("{head}, but request is {r}"));
            }
            (_, Some(l)) if l < min => {
                wrong.push(format!("{head}, but limit is {l}"));
            }
            _ => {}
        }
    }
    for (name, value) in item.get("max").entries() {
        let Some(max) = Quantity::from_value(value) else {
            continue;
        };
        let (request, limit) = (find(&amounts.requests, name), find(&amounts.limits, name));
        let head = format!("maximum {name} usage per {limit_type} is {max}");
        match (limit, request) {
            (None, _) => wrong.push(format!("{head}.  No limit is specified")),
            (Some(l), _) if l > max => {
                wrong.push(format!("{head}, but limit is {l}"));
            }
            (_, Some(r)) if r > max => {
                wrong.push(format!("{head}, but request is {r}"));
            }
            _ => {}
        }
    }
    for (name, value) in item.get("maxLimitRequestRatio").entries() {
        let Some(ratio) = Quantity::from_value(value) else {
            continue;
        };
        let (request, limit) = (find(&amounts.requests, name), find(&amounts.limits, name));
        let head = format!("{name} max limit to request ratio per {limit_type} is {ratio}");
        match (
            request.filter(|r| !r.is_zero()),
            limit.filter(|l| !l.is_zero()),
        ) {
            (None, _) => wrong.push(format!(
                "{head}, but no request is specified or request is 0"
            )),
            (_, None) => wrong.push(format!("{head}, but no limit is specified or limit is 0")),
            (Some(r), Some(l)) => {
                let got = l.milli_value() as f64 / r.milli_value() as f64;
                if got > ratio.milli_value() as f64 / 1000.0 {
                    let got = podscope_api::float::fixed(got, 6);
                    wrong.push(format!("{head}, but provided ratio is {got}"));
                }
            }
        }
    }
}

#[inline(never)]
fn check_claim(item: &Value, amounts: &Amounts, wrong: &mut Vec<String>) {
    for (bound, is_min) in [("min", true), ("max", false)] {
        for (name, value) in item.get(bound).entries() {
            let Some(bound) = Quantity::from_value(value) else {
                continue;
            };
            let word = if is_min { "minimum" } else { "maximum" };
            let head = format!("{word} {name} usage per PersistentVolumeClaim is {bound}");
            match find(&amounts.requests, name) {
                None => wrong.push(format!("{head}.  No request is specified")),
                Some(r) if is_min && r < bound || !is_min && r > bound => {
                    wrong.push(format!("{head}, but request is {r}"));
                }
                _ => {}
            }
        }
    }
}
