//! Label selectors and node selector terms, parsed once and matched often.
//!
//! Models: `k8s.io/apimachinery/pkg/labels`, `k8s.io/component-helpers/scheduling/corev1/nodeaffinity` (v1.36)

use podscope_api::{Text, Value};

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The value is one of the listed.
    In,
    /// The value is none of the listed, or the key is absent.
    NotIn,
    /// The key is present.
    Exists,
    /// The key is absent.
    DoesNotExist,
    /// The value is an integer above the listed one.
    Gt,
    /// The value is an integer below the listed one.
    Lt,
}

/// One requirement on a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The label's key.
    pub key: Text,
    /// How it compares.
    pub operator: Operator,
    /// The values compared with, sorted.
    pub values: Vec<Text>,
    /// The integer compared with by `Gt` and `Lt`.
    pub bound: i64,
}

impl Requirement {
    /// A requirement from `{key, operator, values}`; `None` when it is not well-formed.
    pub fn parse(expression: &Value) -> Option<Requirement> {
        let operator = match expression.get("operator").as_str()? {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::Gt,
            "Lt" => Operator::Lt,
            _ => return None,
        };
        let mut values: Vec<Text> = expression
            .get("values")
            .items()
            .iter()
            .filter_map(|v| v.as_text().cloned())
            .collect();
        values.sort();
        let listed = !values.is_empty();
        let mut bound = 0;
        let fits = match operator {
            Operator::In | Operator::NotIn => listed,
            Operator::Exists | Operator::DoesNotExist => !listed,
            Operator::Gt | Operator::Lt => {
                bound = values.first()?.parse().ok()?;
                values.len() == 1
            }
        };
        let key = expression.get("key").as_text()?.clone();
        fits.then_some(Requirement { key, operator, values, bound })
    }

    /// The requirement `key=value`.
    pub fn equals(key: Text, value: Text) -> Requirement {
        Requirement { key, operator: Operator::In, values: vec![value], bound: 0 }
    }

    /// Whether a label map (or null) meets this requirement.
    pub fn matches(&self, labels: &Value) -> bool {
        self.matches_value(labels.get(&self.key).as_str())
    }

    /// Whether the value of the key (or its absence) meets this requirement.
    pub fn matches_value(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|v| v.as_ref() == value);
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => value.and_then(|v| v.parse::<i64>().ok()).is_some_and(|v| v > self.bound),
            Operator::Lt => value.and_then(|v| v.parse::<i64>().ok()).is_some_and(|v| v < self.bound),
        }
    }
}

/// What is wrong with the first listed value that cannot be a label's value.
pub fn invalid_value(requirement: &Requirement) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let valid = |value: &str| {
        let edges = value.starts_with(|c: char| c.is_ascii_alphanumeric())
            && value.ends_with(|c: char| c.is_ascii_alphanumeric());
        value.is_empty() || (edges && value.chars().all(inner) && value.len() <= 63)
    };
    let at = requirement.values.iter().position(|value| !valid(value))?;
    let value = &requirement.values[at];
    Some(format!(
        "values[{at}][{}]: Invalid value: \"{value}\": a valid label must be an empty string or consist of \
         alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
         (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
         '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        requirement.key
    ))
}

/// A label selector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Matches nothing (a missing selector).
    Nothing,
    /// Matches what meets every requirement; without any it matches everything.
    All(Vec<Requirement>),
}

impl Selector {
    /// A selector from `{matchLabels, matchExpressions}`; null matches nothing, and so does what is
    /// not well-formed.
    pub fn parse(selector: &Value) -> Selector {
        if selector.is_null() {
            return Selector::Nothing;
        }
        let mut requirements = Self::pairs(selector.get("matchLabels"));
        for expression in selector.get("matchExpressions").items() {
            match Requirement::parse(expression) {
                Some(requirement) => requirements.push(requirement),
                None => return Selector::Nothing,
            }
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Selector::All(requirements)
    }

    /// A selector that wants every `key: value` pair of a map.
    pub fn from_map(map: &Value) -> Selector {
        Selector::All(Self::pairs(map))
    }

    fn pairs(map: &Value) -> Vec<Requirement> {
        let text = |v: &Value| v.as_text().cloned().unwrap_or_else(|| "".into());
        let pairs = map.entries().iter();
        pairs.map(|(k, v)| Requirement::equals(k.clone(), text(v))).collect()
    }

    /// Adds requirements.
    pub fn and(&mut self, more: Vec<Requirement>) {
        if let Selector::All(requirements) = self {
            requirements.extend(more);
            requirements.sort_by(|a, b| a.key.cmp(&b.key));
        }
    }

    /// True when there is no requirement (so everything matches).
    pub fn is_empty(&self) -> bool {
        matches!(self, Selector::All(requirements) if requirements.is_empty())
    }

    /// Whether a label map (or null) matches.
    pub fn matches(&self, labels: &Value) -> bool {
        match self {
            Selector::Nothing => false,
            Selector::All(requirements) => requirements.iter().all(|r| r.matches(labels)),
        }
    }
}

/// One term of a node selector: requirements on labels and on the Node's name, all to be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeTerm {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

impl NodeTerm {
    /// A term from `{matchExpressions, matchFields}`; `None` when it is empty or not well-formed, as
    /// such a term matches no Node.
    pub fn parse(term: &Value) -> Option<NodeTerm> {
        let mut parsed = NodeTerm { labels: Vec::new(), fields: Vec::new() };
        for expression in term.get("matchExpressions").items() {
            parsed.labels.push(Requirement::parse(expression)?);
        }
        for field in term.get("matchFields").items() {
            let requirement = Requirement::parse(field)?;
            let known = requirement.key.as_ref() == "metadata.name"
                && matches!(requirement.operator, Operator::In | Operator::NotIn)
                && requirement.values.len() == 1;
            if !known {
                return None;
            }
            parsed.fields.push(requirement);
        }
        (!parsed.labels.is_empty() || !parsed.fields.is_empty()).then_some(parsed)
    }

    /// Whether a Node with this name and these labels matches.
    pub fn matches(&self, name: &str, labels: &Value) -> bool {
        self.labels.iter().all(|r| r.matches(labels))
            && self.fields.iter().all(|r| r.matches_value(Some(name)))
    }
}

/// A node selector: a Node matches when any term does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeSelector(Vec<NodeTerm>);

impl NodeSelector {
    /// A selector from `{nodeSelectorTerms}`.
    pub fn parse(selector: &Value) -> NodeSelector {
        let terms = selector.get("nodeSelectorTerms").items();
        NodeSelector(terms.iter().filter_map(NodeTerm::parse).collect())
    }

    /// Whether a Node with this name and these labels matches.
    pub fn matches(&self, name: &str, labels: &Value) -> bool {
        self.0.iter().any(|t| t.matches(name, labels))
    }
}

/// What a Pod demands of its Node: `spec.nodeSelector` and the required node affinity.
///
/// Models: `nodeaffinity.GetRequiredNodeAffinity` (v1.36)
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequiredNode {
    labels: Vec<Requirement>,
    affinity: Option<NodeSelector>,
}

impl RequiredNode {
    /// The demands of a Pod's `spec`.
    pub fn parse(spec: &Value) -> RequiredNode {
        let required = spec
            .at("affinity.nodeAffinity")
            .get("requiredDuringSchedulingIgnoredDuringExecution");
        RequiredNode {
            labels: Selector::pairs(spec.get("nodeSelector")),
            affinity: (!required.is_null()).then(|| NodeSelector::parse(required)),
        }
    }

    /// True when any Node will do.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.affinity.is_none()
    }

    /// Whether a Node with this name and these labels will do.
    pub fn matches(&self, name: &str, labels: &Value) -> bool {
        self.labels.iter().all(|r| r.matches(labels))
            && self.affinity.as_ref().is_none_or(|a| a.matches(name, labels))
    }
}
