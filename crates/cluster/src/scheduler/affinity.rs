//! A Pod's affinity and anti-affinity to other Pods, parsed once.
//!
//! Models: `pkg/scheduler/framework/types.go` AffinityTerm (v1.36)

use podscope_api::{Selector, Text, Value};

/// A selector from a `LabelSelector`; one that is not well-formed matches nothing.
pub fn label_selector(selector: &Value) -> Selector {
    Selector::from_label_selector(selector).unwrap_or(Selector::Nothing)
}

/// One term: which Pods, in which namespaces, and how near.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// The label whose equal value makes two Nodes one place.
    pub topology_key: Text,
    /// Which Pods.
    pub selector: Selector,
    /// Namespaces by name.
    pub namespaces: Vec<Text>,
    /// Namespaces by their labels.
    pub namespace_selector: Selector,
    /// The weight of a preferred term, 0 for a required one.
    pub weight: i64,
}

impl Term {
    #[inline(never)]
    fn parse(term: &Value, weight: i64, namespace: &Text) -> Term {
        let names = term.get("namespaces").items().iter();
        let mut namespaces: Vec<Text> = names.filter_map(|n| n.as_text().cloned()).collect();
        let selected = term.get("namespaceSelector");
        if namespaces.is_empty() && selected.is_null() {
            namespaces.push(namespace.clone());
        }
        Term {
            topology_key: term
                .get("topologyKey")
                .as_text()
                .cloned()
                .unwrap_or_else(|| "".into()),
            selector: label_selector(term.get("labelSelector")),
            namespaces,
            namespace_selector: label_selector(selected),
            weight,
        }
    }

    /// Whether the term is about Pods with these labels in this namespace, whose own labels are given too.
    pub fn matches(&self, namespace: &str, namespace_labels: &Value, labels: &Value) -> bool {
        (self.namespaces.iter().any(|n| n.as_ref() == namespace)
            || self.namespace_selector.matches(namespace_labels))
            && self.selector.matches(labels)
    }
}

/// All terms of a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodAffinity {
    /// Must be near.
    pub required: Vec<Term>,
    /// Must not be near.
    pub required_anti: Vec<Term>,
    /// Rather near.
    pub preferred: Vec<Term>,
    /// Rather not near.
    pub preferred_anti: Vec<Term>,
}

impl PodAffinity {
    /// Every term.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        let required = self.required.iter().chain(&self.required_anti);
        required.chain(&self.preferred).chain(&self.preferred_anti)
    }

    /// The terms in `spec.affinity` of a Pod in this namespace; `None` when there are none.
    #[inline(never)]
    pub fn parse(affinity: &Value, namespace: &Text) -> Option<PodAffinity> {
        let (near, far) = (affinity.get("podAffinity"), affinity.get("podAntiAffinity"));
        let required = |side: &Value| -> Vec<Term> {
            let terms = side
                .get("requiredDuringSchedulingIgnoredDuringExecution")
                .items();
            terms.iter().map(|t| Term::parse(t, 0, namespace)).collect()
        };
        let preferred = |side: &Value| -> Vec<Term> {
            let terms = side
                .get("preferredDuringSchedulingIgnoredDuringExecution")
                .items();
            let parse = |t: &Value| {
                let weight = t.get("weight").as_int().unwrap_or(0);
                Term::parse(t.get("podAffinityTerm"), weight, namespace)
            };
            terms.iter().map(parse).collect()
        };
        let parsed = PodAffinity {
            required: required(near),
            required_anti: required(far),
            preferred: preferred(near),
            preferred_anti: preferred(far),
        };
        (parsed != PodAffinity::default()).then_some(parsed)
    }
}
