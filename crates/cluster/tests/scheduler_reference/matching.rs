//! Selectors, node selectors, tolerations and affinity terms, as plain comparisons.

use podscope_api::Value;
use std::collections::BTreeMap;

/// A selector as a list of requirements; `None` matches nothing.
pub type Selector = Option<Vec<(String, String, Vec<String>)>>;

fn texts(list: &Value) -> Vec<String> {
    let items = list.items().iter();
    items.map(|i| i.str_or_empty().to_string()).collect()
}

/// `matchLabels` with `matchExpressions`; null gives a selector that matches nothing.
pub fn label_selector(selector: &Value) -> Selector {
    if selector.is_null() {
        return None;
    }
    let mut all = equalities(selector.get("matchLabels"));
    for e in selector.get("matchExpressions").items() {
        all.push((
            e.get("key").str_or_empty().to_string(),
            e.get("operator").str_or_empty().to_string(),
            texts(e.get("values")),
        ));
    }
    Some(all)
}

/// One requirement for each label.
pub fn equalities(labels: &Value) -> Vec<(String, String, Vec<String>)> {
    let pairs = labels.entries().iter();
    pairs
        .map(|(k, v)| {
            (
                k.to_string(),
                "In".into(),
                vec![v.str_or_empty().to_string()],
            )
        })
        .collect()
}

pub fn is_empty(selector: &Selector) -> bool {
    selector.as_ref().is_some_and(Vec::is_empty)
}

pub fn selects(selector: &Selector, labels: &Value) -> bool {
    let Some(all) = selector else { return false };
    all.iter().all(|(key, operator, values)| {
        let value = labels.get(key).as_str();
        match operator.as_str() {
            "In" => value.is_some_and(|v| values.iter().any(|x| x == v)),
            "NotIn" => value.is_none_or(|v| !values.iter().any(|x| x == v)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            other => panic!("operator {other}"),
        }
    })
}

pub fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let same = |field: &str| {
        let mine = toleration.get(field).str_or_empty();
        mine.is_empty() || mine == taint.get(field).str_or_empty()
    };
    let value = |v: &Value| v.get("value").str_or_empty().to_string();
    same("effect")
        && same("key")
        && match toleration.get("operator").str_or_empty() {
            "Exists" => true,
            "" | "Equal" => value(toleration) == value(taint),
            _ => false,
        }
}

/// Whether one of the Pod's tolerations accepts the taint.
pub fn tolerated(pod: &Value, taint: &Value) -> bool {
    let all = pod.at("spec.tolerations").items().iter();
    all.clone().any(|t| tolerates(t, taint))
}

/// Whether a taint with a filtering effect is not tolerated.
pub fn tainted(pod: &Value, node: &Value) -> bool {
    let taints = node.at("spec.taints").items().iter();
    taints.clone().any(|t| {
        matches!(t.get("effect").str_or_empty(), "NoSchedule" | "NoExecute") && !tolerated(pod, t)
    })
}

fn is_label_value(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(inner)
        && ends(text.chars().next())
        && ends(text.chars().last())
}

/// A term of a node selector; a term that says nothing, or that cannot be read, matches no Node.
pub fn node_term(term: &Value, node: &Value) -> bool {
    let (labels, fields) = (term.get("matchExpressions"), term.get("matchFields"));
    if labels.items().is_empty() && fields.items().is_empty() {
        return false;
    }
    let by_labels = labels.items().iter().map(|e| {
        let values = texts(e.get("values"));
        let value = node
            .at("metadata.labels")
            .get(e.get("key").str_or_empty())
            .as_str();
        let operator = e.get("operator").str_or_empty();
        if !values.iter().all(|v| is_label_value(v)) {
            return None;
        }
        let number = || values[0].parse::<i64>().ok();
        Some(match operator {
            "In" if !values.is_empty() => value.is_some_and(|v| values.iter().any(|x| x == v)),
            "NotIn" if !values.is_empty() => value.is_none_or(|v| !values.iter().any(|x| x == v)),
            "Exists" if values.is_empty() => value.is_some(),
            "DoesNotExist" if values.is_empty() => value.is_none(),
            "Gt" | "Lt" if values.len() == 1 && number().is_some() => {
                match (value.and_then(|v| v.parse::<i64>().ok()), number()) {
                    (Some(v), Some(bound)) if operator == "Gt" => v > bound,
                    (Some(v), Some(bound)) => v < bound,
                    _ => false,
                }
            }
            _ => return None,
        })
    });
    let by_fields = fields.items().iter().map(|e| {
        let values = texts(e.get("values"));
        let same = values.len() == 1 && node.at("metadata.name").as_str() == Some(&values[0]);
        match e.get("operator").str_or_empty() {
            "In" if values.len() == 1 => Some(same),
            "NotIn" if values.len() == 1 => Some(!same),
            _ => None,
        }
    });
    // A requirement that cannot be read spoils the term.
    let all: Option<Vec<bool>> = by_labels.chain(by_fields).collect();
    all.is_some_and(|all| all.into_iter().all(|yes| yes))
}

pub fn required_node_terms(pod: &Value) -> &Value {
    pod.at("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution")
}

/// nodeSelector and required node affinity together.
pub fn node_wanted(pod: &Value, node: &Value) -> bool {
    let labels = node.at("metadata.labels");
    let selector = pod.at("spec.nodeSelector").entries().iter();
    let required = required_node_terms(pod);
    selector
        .clone()
        .all(|(k, v)| labels.get(k).as_str() == v.as_str())
        && (required.is_null()
            || required
                .get("nodeSelectorTerms")
                .items()
                .iter()
                .any(|term| node_term(term, node)))
}

/// An affinity term of a Pod: which other Pods it means, and along which label of their Nodes.
pub struct Term {
    pub key: String,
    pub weight: i64,
    selector: Selector,
    namespaces: Vec<String>,
    namespace_selector: Selector,
}

/// The terms under `spec.affinity.<kind>.<when>DuringSchedulingIgnoredDuringExecution`.
pub fn terms(pod: &Value, kind: &str, when: &str) -> Vec<Term> {
    let list = pod
        .at("spec.affinity")
        .get(kind)
        .get(&format!("{when}DuringSchedulingIgnoredDuringExecution"));
    let read = |item: &Value| {
        let preferred = !item.get("podAffinityTerm").is_null();
        let term = if preferred {
            item.get("podAffinityTerm")
        } else {
            item
        };
        let mut namespaces = texts(term.get("namespaces"));
        let selector = term.get("namespaceSelector");
        if namespaces.is_empty() && selector.is_null() {
            namespaces.push(namespace(pod).to_string());
        }
        Term {
            key: term.get("topologyKey").str_or_empty().to_string(),
            weight: item.get("weight").as_int().unwrap_or(0),
            selector: label_selector(term.get("labelSelector")),
            namespaces,
            namespace_selector: label_selector(selector),
        }
    };
    list.items().iter().map(read).collect()
}

pub fn namespace(object: &Value) -> &str {
    object.at("metadata.namespace").str_or_empty()
}

impl Term {
    /// Whether the term means this Pod. `labels` are those of all namespaces.
    pub fn means(&self, pod: &Value, labels: &BTreeMap<String, Value>) -> bool {
        let of = namespace(pod);
        let none = Value::map();
        let here = self.namespaces.iter().any(|n| n == of)
            || selects(&self.namespace_selector, labels.get(of).unwrap_or(&none));
        here && selects(&self.selector, pod.at("metadata.labels"))
    }
}
