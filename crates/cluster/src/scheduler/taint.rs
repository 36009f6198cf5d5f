//! Taints and tolerations.
//!
//! Models: `k8s.io/component-helpers/scheduling/corev1` (v1.36)

use podscope_api::{Text, Value};

/// What a taint does to Pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// No new Pods.
    NoSchedule,
    /// Rather no new Pods.
    PreferNoSchedule,
    /// No new Pods, and running ones are evicted.
    NoExecute,
}

impl Effect {
    /// The effect by name.
    pub fn parse(text: &str) -> Option<Effect> {
        match text {
            "NoSchedule" => Some(Effect::NoSchedule),
            "PreferNoSchedule" => Some(Effect::PreferNoSchedule),
            "NoExecute" => Some(Effect::NoExecute),
            _ => None,
        }
    }
    /// The effect's name.
    pub fn name(self) -> &'static str {
        match self {
            Effect::NoSchedule => "NoSchedule",
            Effect::PreferNoSchedule => "PreferNoSchedule",
            Effect::NoExecute => "NoExecute",
        }
    }
    /// Whether Pods that do not tolerate it are kept away.
    pub fn filters(self) -> bool {
        self != Effect::PreferNoSchedule
    }
}

/// A taint of a Node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taint {
    /// Its key.
    pub key: Text,
    /// Its value, or empty.
    pub value: Text,
    /// Its effect.
    pub effect: Effect,
}

impl Taint {
    /// All well-formed taints of a Node's `spec.taints`.
    pub fn list(taints: &Value) -> Vec<Taint> {
        let parse = |taint: &Value| {
            Some(Taint {
                key: text(taint.get("key")),
                value: text(taint.get("value")),
                effect: Effect::parse(taint.get("effect").as_str()?)?,
            })
        };
        taints.items().iter().filter_map(parse).collect()
    }
}

fn text(value: &Value) -> Text {
    value.as_text().cloned().unwrap_or_else(|| "".into())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Comparison {
    Equal,
    Exists,
    Lt,
    Gt,
    Unknown,
}

/// A toleration of a Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Toleration {
    key: Text,
    comparison: Comparison,
    value: Text,
    effect: Text,
}

impl Toleration {
    /// All tolerations of a Pod's `spec.tolerations`.
    pub fn list(tolerations: &Value) -> Vec<Toleration> {
        let parse = |toleration: &Value| Toleration {
            key: text(toleration.get("key")),
            comparison: match toleration.get("operator").str_or_empty() {
                "" | "Equal" => Comparison::Equal,
                "Exists" => Comparison::Exists,
                "Lt" => Comparison::Lt,
                "Gt" => Comparison::Gt,
                _ => Comparison::Unknown,
            },
            value: text(toleration.get("value")),
            effect: text(toleration.get("effect")),
        };
        tolerations.items().iter().map(parse).collect()
    }

    /// Whether this is for a taint's effect: the same, or unset.
    pub fn is_for(&self, effect: Effect) -> bool {
        self.effect.is_empty() || self.effect.as_ref() == effect.name()
    }

    /// Whether it tolerates the taint. `comparisons` says whether the operators `Lt` and `Gt` are
    /// served (feature gate TaintTolerationComparisonOperators).
    pub fn tolerates(&self, taint: &Taint, comparisons: bool) -> bool {
        if !self.is_for(taint.effect) || (!self.key.is_empty() && self.key != taint.key) {
            return false;
        }
        let number = |text: &str| text.parse::<i64>().ok();
        let compared = || Some((number(&taint.value)?, number(&self.value)?));
        match self.comparison {
            Comparison::Exists => true,
            Comparison::Equal => self.value == taint.value,
            Comparison::Gt => comparisons && compared().is_some_and(|(taint, own)| taint > own),
            Comparison::Lt => comparisons && compared().is_some_and(|(taint, own)| taint < own),
            Comparison::Unknown => false,
        }
    }
}

/// The first taint that keeps Pods away and that no toleration tolerates.
pub fn untolerated<'a>(
    taints: &'a [Taint],
    tolerations: &[Toleration],
    comparisons: bool,
) -> Option<&'a Taint> {
    let tolerated = |taint: &Taint| tolerations.iter().any(|t| t.tolerates(taint, comparisons));
    taints
        .iter()
        .find(|taint| taint.effect.filters() && !tolerated(taint))
}
