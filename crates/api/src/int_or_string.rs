//! Values that are a number or a text, mostly a percentage (`maxSurge: 25%`).
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/intstr (v1.36)

use crate::value::Value;

/// A number or a text, borrowed from the object's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOrString<'a> {
    /// A number.
    Int(i64),
    /// A text such as `25%` or a port's name.
    Str(&'a str),
}

/// Which way a percentage is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// To the next whole number above.
    Up,
    /// To the next whole number below.
    Down,
}

impl<'a> IntOrString<'a> {
    /// Reads a field; `None` when it is neither number nor text.
    pub fn from_value(value: &'a Value) -> Option<IntOrString<'a>> {
        match value {
            Value::Int(i) => Some(IntOrString::Int(*i)),
            Value::Str(s) => Some(IntOrString::Str(s)),
            _ => None,
        }
    }

    /// Reads text: a 32-bit number when it is one, else the text itself.
    pub fn parse(text: &'a str) -> IntOrString<'a> {
        match text.parse::<i32>() {
            Ok(i) => IntOrString::Int(i64::from(i)),
            Err(_) => IntOrString::Str(text),
        }
    }

    /// The field's value.
    pub fn to_value(self) -> Value {
        match self {
            IntOrString::Int(i) => Value::Int(i),
            IntOrString::Str(s) => Value::from(s),
        }
    }

    /// The number and whether it is a percentage; `None` for text that is not a percentage.
    pub fn number(self) -> Option<(i64, bool)> {
        match self {
            IntOrString::Int(i) => Some((i, false)),
            IntOrString::Str(s) => Some((s.strip_suffix('%')?.parse().ok()?, true)),
        }
    }

    /// The number itself, or that percentage of `total`; `None` for text that is not a percentage.
    pub fn scaled(self, total: i64, round: Round) -> Option<i64> {
        let (number, is_percent) = self.number()?;
        if !is_percent {
            return Some(number);
        }
        let product = i128::from(number) * i128::from(total);
        let quotient = match round {
            Round::Up => -(-product).div_euclid(100),
            Round::Down => product.div_euclid(100),
        };
        Some(i64::try_from(quotient).unwrap_or(if quotient < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl std::fmt::Display for IntOrString<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            IntOrString::Int(i) => write!(f, "{i}"),
            IntOrString::Str(s) => f.write_str(s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_both_ways() {
        let quarter = IntOrString::Str("25%");
        assert_eq!(quarter.scaled(3, Round::Up), Some(1));
        assert_eq!(quarter.scaled(3, Round::Down), Some(0));
        assert_eq!(IntOrString::Str("-25%").scaled(3, Round::Up), Some(0));
        assert_eq!(IntOrString::Int(2).scaled(3, Round::Up), Some(2));
        assert_eq!(IntOrString::Str("http").scaled(3, Round::Up), None);
        assert_eq!(
            IntOrString::parse("2147483648"),
            IntOrString::Str("2147483648")
        );
    }
}
