//! The arithmetic behind verdicts and scores: numbers in their units, the rest in words of the catalogue.

use crate::view::*;
use podscope_api::Value;
use podscope_api::float;

fn text(name: &'static str, text: impl Into<Text>) -> (&'static str, Arg) {
    (name, Arg::Text(text.into()))
}

fn int(value: &Value) -> i64 {
    value.as_int().unwrap_or(0)
}

/// An amount of a resource in the unit that people write: `500m`, `4`, `512Mi`.
pub fn amount(resource: &str, n: i64) -> String {
    match resource {
        "cpu" if n % 1000 == 0 => (n / 1000).to_string(),
        "cpu" => format!("{n}m"),
        _ if resource.starts_with("memory")
            || resource.starts_with("ephemeral-storage")
            || resource.starts_with("hugepages-") =>
        {
            bytes(n)
        }
        _ => n.to_string(),
    }
}

fn bytes(n: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    let exact = UNITS.iter().find(|(unit, _)| n != 0 && n % unit == 0);
    match exact {
        Some((unit, name)) => format!("{}{name}", n / unit),
        None if n.abs() >= 1 << 20 => {
            let tenths = n.saturating_mul(10) / (1 << 20);
            format!("{}.{}Mi", tenths / 10, (tenths % 10).abs())
        }
        None => n.to_string(),
    }
}

/// What a node's Pods have requested: `500m of 4 CPU`.
pub fn used(resources: &Value) -> Text {
    let cpu = resources
        .items()
        .iter()
        .find(|r| r.get("resource").as_str() == Some("cpu"));
    let Some(cpu) = cpu else { return "".into() };
    let of = |field: &str| amount("cpu", int(cpu.get(field)));
    format!("{} of {} CPU", of("used"), of("allocatable")).into()
}

/// What a Pod asks for, what is taken and what there is, with the room that is left or missing.
fn room(code: &'static str, row: &Value) -> Msg {
    let resource = row.get("resource").str_or_empty();
    let of = |field: &str| int(row.get(field));
    let left = of("allocatable")
        .saturating_sub(of("used"))
        .saturating_sub(of("requested"));
    let amount = |n: i64| amount(resource, n);
    let args = vec![
        text("resource", resource),
        text("requested", amount(of("requested"))),
        text("used", amount(of("used"))),
        text("allocatable", amount(of("allocatable"))),
        text("missing", amount(left.saturating_neg())),
        text("left", amount(left)),
    ];
    Msg::new(code, args)
}

/// What a Pod asks for and finds on a node, resource by resource.
pub fn rooms(resources: &Value) -> Vec<Msg> {
    let asked = resources
        .items()
        .iter()
        .filter(|row| int(row.get("requested")) > 0);
    asked.map(|row| room("sched.sum.room", row)).collect()
}

/// The facts of a reason; `None` when it has none.
#[inline(never)]
pub fn fact(facts: &Value) -> Option<Msg> {
    if facts.is_null() {
        return None;
    }
    let has = |field: &str| !facts.get(field).is_null();
    let word = |field: &str| plain(facts.get(field));
    Some(if has("allocatable") {
        room("sched.sum.short", facts)
    } else if has("effect") {
        let mut taint = word("key");
        if !word("value").is_empty() {
            taint = [&taint, "=", &word("value")].concat();
        }
        Msg::new(
            "sched.sum.taint",
            vec![text("taint", [&taint, ":", &word("effect")].concat())],
        )
    } else if has("hostPort") {
        let port = [
            &word("protocol"),
            " ",
            &word("hostIP"),
            ":",
            &word("hostPort"),
        ]
        .concat();
        Msg::new("sched.sum.port", vec![text("port", port)])
    } else if has("maxSkew") {
        let of = |field: &str| int(facts.get(field));
        let skew = of("matching")
            .saturating_add(of("own"))
            .saturating_sub(of("minimum"));
        let mut args = vec![
            text("key", word("topologyKey")),
            text("skew", skew.to_string()),
        ];
        let named = [
            ("matching", "matching"),
            ("own", "own"),
            ("minimum", "minimum"),
            ("max", "maxSkew"),
        ];
        args.extend(named.map(|(name, field)| text(name, of(field).to_string())));
        Msg::new("sched.sum.skew", args)
    } else if has("topologyKey") {
        Msg::new("sched.sum.key", vec![text("key", word("topologyKey"))])
    } else {
        Msg::new("sched.sum.facts", vec![text("facts", pairs(facts))])
    })
}

/// A value as text, without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.to_string(),
        Value::Float(f) => float::text(f.0),
        other => podscope_api::json::to_string(other),
    }
}

/// `name value` pairs.
fn pairs(map: &Value) -> String {
    let pairs = map
        .entries()
        .iter()
        .map(|(name, value)| [name, " ", &plain(value)].concat());
    pairs.collect::<Vec<_>>().join(", ")
}

/// A number with two decimals at most.
fn decimal(value: &Value) -> String {
    match value {
        Value::Float(f) => float::fixed(f.0, 2),
        other => plain(other),
    }
}

/// How a raw score came about, from the plugin's account.
#[inline(never)]
pub fn score(plugin: &str, account: &Value, raw: i64) -> Vec<Msg> {
    match plugin {
        "NodeResourcesFit" => fit(account, raw),
        "NodeResourcesBalancedAllocation" => balance(account, raw),
        "PodTopologySpread" => spread(account),
        "InterPodAffinity" => {
            let term = |term: &Value| {
                let key = text("key", plain(term.get("topologyKey")));
                Msg::new(
                    "sched.sum.near",
                    vec![key, text("sum", plain(term.get("sum")))],
                )
            };
            account.get("terms").items().iter().map(term).collect()
        }
        "ImageLocality" => {
            let size = |field: &str| bytes(int(account.get(field)));
            let args = vec![
                text("bytes", size("scaledBytes")),
                text("min", size("minBytes")),
                text("max", size("maxBytes")),
            ];
            vec![Msg::new("sched.sum.image", args)]
        }
        "TaintToleration" => {
            let n = Arg::Count(int(account.get("untolerated")));
            vec![Msg::new("sched.sum.soft-taints", vec![("n", n)])]
        }
        "NodeAffinity" => {
            let sum = text("sum", plain(account.get("matchingWeight")));
            vec![Msg::new("sched.sum.preferred", vec![sum])]
        }
        _ if account.entries().is_empty() => Vec::new(),
        _ => vec![Msg::new(
            "sched.sum.facts",
            vec![text("facts", pairs(account))],
        )],
    }
}

/// Which formula gave a resource's score: the strategies that the profile may have.
fn formula(requested: i64, allocatable: i64, score: i64) -> &'static str {
    if allocatable == 0 {
        return "sched.sum.rated";
    }
    let share = |n: i64| n.saturating_mul(100) / allocatable;
    if requested <= allocatable && share(allocatable - requested) == score {
        "sched.sum.least"
    } else if requested <= allocatable && share(requested) == score {
        "sched.sum.most"
    } else {
        "sched.sum.rated"
    }
}

fn fit(account: &Value, raw: i64) -> Vec<Msg> {
    let rated = account.get("resources").items();
    let mut sums = Vec::with_capacity(rated.len() + 1);
    for row in rated {
        let resource = row.get("resource").str_or_empty();
        let (requested, allocatable) = (int(row.get("requested")), int(row.get("allocatable")));
        let score = int(row.get("score"));
        let args = vec![
            text("resource", resource),
            text("requested", amount(resource, requested)),
            text("allocatable", amount(resource, allocatable)),
            text("score", score.to_string()),
        ];
        sums.push(Msg::new(formula(requested, allocatable, score), args));
    }
    if rated.len() > 1 {
        let part = |row: &Value| match int(row.get("weight")) {
            1 => plain(row.get("score")),
            weight => [&plain(row.get("score")), " × ", &weight.to_string()].concat(),
        };
        let parts: Vec<String> = rated.iter().map(part).collect();
        let weights: i64 = rated.iter().map(|row| int(row.get("weight"))).sum();
        let args = vec![
            text("parts", parts.join(" + ")),
            text("weights", weights.to_string()),
            text("score", raw.to_string()),
        ];
        sums.push(Msg::new("sched.sum.mean", args));
    }
    sums
}

fn balance(account: &Value, raw: i64) -> Vec<Msg> {
    let row = |row: &Value| {
        let resource = row.get("resource").str_or_empty();
        let of = |field: &str| int(row.get(field));
        let percent = |n: i64| match of("allocatable") {
            0 => "0".to_string(),
            all => (n.saturating_mul(100) / all).to_string(),
        };
        let after = of("used").saturating_add(of("requested"));
        let args = vec![
            text("resource", resource),
            text("before", percent(of("used"))),
            text("after", percent(after)),
        ];
        Msg::new("sched.sum.filled", args)
    };
    let mut sums: Vec<Msg> = account.get("resources").items().iter().map(row).collect();
    let args = vec![
        text("before", plain(account.get("before"))),
        text("after", plain(account.get("after"))),
        text("score", raw.to_string()),
    ];
    sums.push(Msg::new("sched.sum.balance", args));
    sums
}

fn spread(account: &Value) -> Vec<Msg> {
    if account.get("ignored").is_true() {
        return vec![Msg::plain("sched.sum.ignored")];
    }
    let part = |part: &Value| {
        let args = vec![
            text("key", plain(part.get("topologyKey"))),
            text("matching", plain(part.get("matching"))),
            text("weight", decimal(part.get("weight"))),
            text(
                "slack",
                int(part.get("maxSkew")).saturating_sub(1).to_string(),
            ),
            text("part", decimal(part.get("part"))),
        ];
        Msg::new("sched.sum.spread", args)
    };
    account
        .get("constraints")
        .items()
        .iter()
        .map(part)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_api::value;

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let shown = [
            amount("cpu", 1500),
            amount("cpu", 4000),
            amount("memory", 128 << 20),
            amount("memory", (1 << 20) * 3 + (1 << 19)),
            amount("memory", 0),
            amount("nvidia.com/gpu", 2),
        ];
        assert_eq!(shown, ["1500m", "4", "128Mi", "3584Ki", "0", "2"]);
    }

    #[test]
    fn a_score_says_by_which_formula_it_came() {
        let row = value!({"resource": "cpu", "requested": 1000, "allocatable": 4000, "score": 75, "weight": 1});
        let least = fit(&value!({"resources": [(row.clone())]}), 75);
        assert_eq!(least[0].code, "sched.sum.least");
        let mut most = row.clone();
        most.set("score", 25);
        assert_eq!(
            fit(&value!({"resources": [(most)]}), 25)[0].code,
            "sched.sum.most"
        );
        let two = fit(&value!({"resources": [(row.clone()), (row)]}), 75);
        assert_eq!(two.last().map(|m| m.code), Some("sched.sum.mean"));
    }
}
