//! Amounts of resources as exact integers: thousandths of a unit, rounded up.
//!
//! Models: `k8s.io/apimachinery/pkg/api/resource` as far as sums and comparisons need it (v1.36).

use podscope_api::Value;

/// A quantity in thousandths; what does not read as a quantity is 0.
pub fn milli(value: &Value) -> i128 {
    match value {
        Value::Int(i) => i128::from(*i) * 1000,
        Value::Str(s) => parse(s).unwrap_or(0),
        _ => 0,
    }
}

fn parse(text: &str) -> Option<i128> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || whole.len() + fraction.len() > 27 {
        return None;
    }
    let digits: i128 = [whole, fraction].concat().parse().ok()?;
    let mut numerator = digits.checked_mul(1000)?;
    let mut denominator = 10_i128.checked_pow(fraction.len() as u32)?;
    match suffix {
        "" => {}
        "n" => denominator = denominator.checked_mul(1_000_000_000)?,
        "u" => denominator = denominator.checked_mul(1_000_000)?,
        "m" => denominator = denominator.checked_mul(1_000)?,
        "Ki" => numerator = numerator.checked_mul(1 << 10)?,
        "Mi" => numerator = numerator.checked_mul(1 << 20)?,
        "Gi" => numerator = numerator.checked_mul(1 << 30)?,
        "Ti" => numerator = numerator.checked_mul(1 << 40)?,
        "Pi" => numerator = numerator.checked_mul(1 << 50)?,
        "Ei" => numerator = numerator.checked_mul(1 << 60)?,
        "k" => numerator = numerator.checked_mul(1_000)?,
        "M" => numerator = numerator.checked_mul(1_000_000)?,
        "G" => numerator = numerator.checked_mul(1_000_000_000)?,
        "T" => numerator = numerator.checked_mul(1_000_000_000_000)?,
        "P" => numerator = numerator.checked_mul(1_000_000_000_000_000)?,
        "E" => numerator = numerator.checked_mul(1_000_000_000_000_000_000)?,
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 {
                denominator = denominator.checked_mul(power)?;
            } else {
                numerator = numerator.checked_mul(power)?;
            }
        }
    }
    // Away from zero, as Kubernetes rounds what it cannot keep.
    Some(sign * (numerator + denominator - 1).div_euclid(denominator))
}

/// Whole units of a quantity in thousandths, rounded up; what is beyond 64 bits is the largest number.
pub fn units(milli: i128) -> i64 {
    clamp((milli + 999).div_euclid(1000))
}

/// Thousandths as 64 bits; what is beyond is the largest number.
pub fn clamp(n: i128) -> i64 {
    i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX })
}
