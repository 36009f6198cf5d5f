//! Node selectors, parsed once and matched often.
//!
//! Models: `k8s.io/component-helpers/scheduling/corev1/nodeaffinity` (v1.36)

use podscope_api::selector::{Operator, Requirement};
use podscope_api::{Selector, Text, Value};

/// One term of a node selector: requirements on labels and on the Node's name, all to be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeTerm {
    labels: Vec<Requirement>,
    /// Names, each with whether it is wanted or unwanted.
    names: Vec<(Text, bool)>,
}

impl NodeTerm {
    /// A term from `{matchExpressions, matchFields}`; `None` when it is empty or not well-formed, as
    /// such a term matches no Node.
    pub fn parse(term: &Value) -> Option<NodeTerm> {
        let mut parsed = NodeTerm {
            labels: Vec::new(),
            names: Vec::new(),
        };
        for expression in term.get("matchExpressions").items() {
            let operator = Operator::from_api(expression.get("operator").as_str()?)?;
            let values = expression.get("values").items().iter();
            let values = values.map(|v| v.str_or_empty().to_string()).collect();
            let key = expression.get("key").as_str()?;
            parsed
                .labels
                .push(Requirement::new(key, operator, values).ok()?);
        }
        for field in term.get("matchFields").items() {
            let [name] = field.get("values").items() else {
                return None;
            };
            let wanted = match field.get("operator").as_str()? {
                "In" => true,
                "NotIn" => false,
                _ => return None,
            };
            if field.get("key").as_str() != Some("metadata.name") {
                return None;
            }
            parsed.names.push((name.as_text()?.clone(), wanted));
        }
        (!parsed.labels.is_empty() || !parsed.names.is_empty()).then_some(parsed)
    }

    /// Whether a Node with this name and these labels matches.
    pub fn matches(&self, name: &str, labels: &Value) -> bool {
        self.labels.iter().all(|r| r.matches(labels))
            && self
                .names
                .iter()
                .all(|(n, wanted)| (n.as_ref() == name) == *wanted)
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequiredNode {
    labels: Selector,
    affinity: Option<NodeSelector>,
}

impl Default for RequiredNode {
    fn default() -> Self {
        RequiredNode {
            labels: Selector::EVERYTHING,
            affinity: None,
        }
    }
}

impl RequiredNode {
    /// The demands of a Pod's `spec`.
    pub fn parse(spec: &Value) -> RequiredNode {
        let required = spec
            .at("affinity.nodeAffinity")
            .get("requiredDuringSchedulingIgnoredDuringExecution");
        RequiredNode {
            labels: Selector::from_labels(spec.get("nodeSelector")),
            affinity: (!required.is_null()).then(|| NodeSelector::parse(required)),
        }
    }

    /// True when any Node will do.
    pub fn is_empty(&self) -> bool {
        self.labels.is_everything() && self.affinity.is_none()
    }

    /// Whether a Node with this name and these labels will do.
    pub fn matches(&self, name: &str, labels: &Value) -> bool {
        self.labels.matches(labels)
            && self
                .affinity
                .as_ref()
                .is_none_or(|a| a.matches(name, labels))
    }
}
