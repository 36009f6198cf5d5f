//! Tables of apimachinery: quantities, selectors, int-or-string, durations.

use super::Outcome;
use crate::load::Table;
use podscope_api::int_or_string::Round;
use podscope_api::quantity::Format;
use podscope_api::selector::{Operator, Requirement};
use podscope_api::{IntOrString, Quantity, Selector, Value, duration, value};

/// Runs one case when the table belongs to this area.
pub fn run(table: &Table, case: &Value) -> Option<Outcome> {
    let input = case.get("input");
    let got = match table.name.as_str() {
        "quantity_parse" => quantity_parse(input, case.get("expected")),
        "quantity_round_up" => quantity_round_up(input),
        "quantity_string" => quantity_string(input),
        "intstr_parse" => {
            let parsed = IntOrString::parse(input.get("text").str_or_empty());
            Value::from_pairs([("value", parsed.to_value())])
        }
        "intstr_scaled" => intstr_scaled(input),
        "intstr_value" => intstr_value(input),
        "label_selector_match" => label_selector_match(input),
        "label_selector_parse" => label_selector_parse(input, case.get("expected")),
        "human_duration" => human_duration(input),
        _ => return None,
    };
    Some(Outcome::equal(&got, case.get("expected")))
}

fn text(input: &Value) -> &str {
    input.get("text").str_or_empty()
}

fn failed(error: &dyn std::fmt::Display) -> Value {
    value!({"valid": false, "error": (error.to_string())})
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::DecimalSi => "DecimalSI",
        Format::BinarySi => "BinarySI",
        Format::DecimalExponent => "DecimalExponent",
    }
}

fn quantity_parse(input: &Value, expected: &Value) -> Value {
    let quantity = match Quantity::parse(text(input)) {
        Ok(quantity) => quantity,
        Err(error) => return failed(&error),
    };
    let mut got = value!({
        "valid": true, "canonical": (quantity.canonical()), "format": (format_name(quantity.format())),
    });
    // Some rows of the table were recorded without the numbers.
    if !expected.get("valueRoundedUp").is_null() {
        got.set("valueRoundedUp", quantity.value().to_string());
        got.set("milliValueRoundedUp", quantity.milli_value().to_string());
    }
    got
}

fn quantity_round_up(input: &Value) -> Value {
    let Ok(mut quantity) = Quantity::parse(text(input)) else {
        return Value::Null;
    };
    let exact = quantity.round_up(input.get("scale").as_int().unwrap_or(0) as i32);
    value!({"canonical": (quantity.canonical()), "exact": (exact)})
}

fn quantity_string(input: &Value) -> Value {
    let unscaled = input.get("unscaledInteger").str_or_empty().parse::<i64>();
    let scale = input.get("decimalScale").as_int().unwrap_or(0);
    let format = match input.get("format").str_or_empty() {
        "BinarySI" => Format::BinarySi,
        "DecimalExponent" => Format::DecimalExponent,
        _ => Format::DecimalSi,
    };
    let Ok(unscaled) = unscaled else {
        return Value::Null;
    };
    let canonical = Quantity::scaled(unscaled, -scale as i32, format).canonical();
    let alternate = input.get("alternateText").str_or_empty();
    if !alternate.is_empty() {
        let parsed = Quantity::parse(alternate).map(|q| q.canonical());
        if parsed.as_ref() != Ok(&canonical) {
            return value!({"canonical": (canonical), "alternate": (format!("{parsed:?}"))});
        }
    }
    value!({"canonical": (canonical)})
}

fn intstr_scaled(input: &Value) -> Value {
    let total = input.get("total").as_int().unwrap_or(0);
    let round = if input.get("roundUp").is_true() {
        Round::Up
    } else {
        Round::Down
    };
    let scaled =
        IntOrString::from_value(input.get("value")).and_then(|value| value.scaled(total, round));
    value!({"int": (scaled.unwrap_or(0)), "error": (scaled.is_none())})
}

fn intstr_value(input: &Value) -> Value {
    let number = IntOrString::from_value(input.get("value")).and_then(IntOrString::number);
    let (int, percent) = number.unwrap_or((0, false));
    value!({"int": (int), "isPercent": (percent), "error": (number.is_none())})
}

fn operator(name: &str) -> Option<Operator> {
    [
        Operator::In,
        Operator::NotIn,
        Operator::Equals,
        Operator::DoubleEquals,
        Operator::NotEquals,
        Operator::GreaterThan,
        Operator::LessThan,
        Operator::Exists,
        Operator::DoesNotExist,
    ]
    .into_iter()
    .find(|o| o.name() == name)
}

fn label_selector_match(input: &Value) -> Value {
    let selector = match input.get("selector") {
        Value::Str(text) => Selector::parse(text),
        _ => {
            let mut requirements = Vec::new();
            for r in input.get("requirements").items() {
                let Some(operator) = operator(r.get("operator").str_or_empty()) else {
                    return value!({"match": false});
                };
                let values = r.get("values").items().iter();
                requirements.push(Requirement {
                    key: r.get("key").str_or_empty().to_string(),
                    operator,
                    values: values.map(|v| v.str_or_empty().to_string()).collect(),
                });
            }
            Ok(Selector::All(requirements))
        }
    };
    match selector {
        Ok(selector) => value!({"match": (selector.matches(input.get("labels")))}),
        Err(error) => failed(&error),
    }
}

fn label_selector_parse(input: &Value, expected: &Value) -> Value {
    let selector = match Selector::parse(input.get("selector").str_or_empty()) {
        Ok(selector) => selector,
        Err(error) => return failed(&error),
    };
    let mut got = value!({"valid": true, "canonical": (selector.to_string())});
    // Some rows of the table were recorded without the parts.
    if !expected.get("requirements").is_null() {
        let parts = selector.requirements().iter().map(|r| {
            let values = Value::list(r.values.iter().map(|v| Value::from(v.as_str())));
            value!({"key": (r.key.as_str()), "operator": (r.operator.name()), "values": (values)})
        });
        got.set("requirements", Value::list(parts));
    }
    got
}

fn human_duration(input: &Value) -> Value {
    let nanoseconds = input.get("nanoseconds").as_int().unwrap_or(0);
    let text = match input.get("function").str_or_empty() {
        "ShortHumanDuration" => duration::short_human(nanoseconds),
        _ => duration::human(nanoseconds),
    };
    value!({"text": (text)})
}
