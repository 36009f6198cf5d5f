//! What Pods ask for and Nodes offer, counted in billionths so that sums stay exact.

use podscope_api::Value;
use std::collections::BTreeMap;

/// Amounts by the resource's name, in billionths of its unit.
pub type Amounts = BTreeMap<String, i128>;

const NANO: i128 = 1_000_000_000;

/// Reads a quantity such as `250m`, `1.5Gi` or `2`; text that is none counts as nothing.
pub fn nano(value: &Value) -> i128 {
    let text = match value {
        Value::Int(number) => number.to_string(),
        other => other.str_or_empty().to_string(),
    };
    let end = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (times, by): (i128, i128) = match suffix {
        "m" => (1, 1000),
        "" => (1, 1),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        other => panic!("the reference does not read the suffix {other}"),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let mut total = whole.parse::<i128>().unwrap_or(0) * NANO;
    for (place, digit) in part.chars().enumerate() {
        let digit = digit.to_digit(10).expect("a digit") as i128;
        total += digit * NANO / 10i128.pow(place as u32 + 1);
    }
    total * times / by
}

/// Rounds up to whole units, for the CPU to thousandths.
pub fn counted(resource: &str, nano: i128) -> i64 {
    let unit = if resource == "cpu" { NANO / 1000 } else { NANO };
    ((nano + unit - 1).div_euclid(unit)) as i64
}

fn list(value: &Value) -> Amounts {
    let pairs = value.entries().iter();
    pairs.map(|(name, q)| (name.to_string(), nano(q))).collect()
}

fn add(to: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *to.entry(name.clone()).or_default() += amount;
    }
}

fn raise(to: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        let mine = to.entry(name.clone()).or_insert(*amount);
        *mine = (*mine).max(*amount);
    }
}

fn pod_level(pod: &Value) -> Amounts {
    let mut level = list(pod.at("spec.resources.requests"));
    level.retain(|name, _| name == "cpu" || name == "memory" || name.starts_with("hugepages-"));
    level
}

/// What the containers ask for together; `missing` stands in where a container says nothing.
fn containers(pod: &Value, missing: &Amounts) -> Amounts {
    let asked = |container: &Value| {
        let mut mine = list(container.at("resources.requests"));
        for (name, amount) in missing {
            mine.entry(name.clone()).or_insert(*amount);
        }
        mine
    };
    let mut running = Amounts::new();
    for container in pod.at("spec.containers").items() {
        add(&mut running, &asked(container));
    }
    let (mut peak, mut sidecars) = (Amounts::new(), Amounts::new());
    for container in pod.at("spec.initContainers").items() {
        let mine = asked(container);
        if container.get("restartPolicy").as_str() == Some("Always") {
            add(&mut running, &mine);
            add(&mut sidecars, &mine);
            raise(&mut peak, &sidecars);
        } else {
            let mut during = sidecars.clone();
            add(&mut during, &mine);
            raise(&mut peak, &during);
        }
    }
    raise(&mut running, &peak);
    running
}

fn total(pod: &Value, missing: &Amounts) -> Amounts {
    let mut all = containers(pod, missing);
    all.extend(pod_level(pod));
    add(&mut all, &list(pod.at("spec.overhead")));
    all
}

/// What a Pod asks for, in counted units.
pub fn requests(pod: &Value) -> BTreeMap<String, i64> {
    let all = total(pod, &Amounts::new()).into_iter();
    all.map(|(name, amount)| (name.clone(), counted(&name, amount)))
        .collect()
}

/// CPU and memory of a Pod with the stand-ins for containers that say nothing.
pub fn non_zero(pod: &Value) -> (i64, i64) {
    let mut missing = Amounts::from([
        ("cpu".to_string(), NANO / 10),
        ("memory".to_string(), 200 * (1 << 20) * NANO),
    ]);
    if !pod_level(pod).is_empty() {
        let said = total(pod, &Amounts::new());
        missing.retain(|name, _| !said.contains_key(name));
    }
    let all = total(pod, &missing);
    let of = |name: &str| counted(name, all.get(name).copied().unwrap_or(0));
    (of("cpu"), of("memory"))
}

/// What a Node offers of a resource, in counted units.
pub fn allocatable(node: &Value, resource: &str) -> i64 {
    counted(resource, nano(node.at("status.allocatable").get(resource)))
}
