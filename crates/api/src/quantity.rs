//! Resource quantities: exact decimal numbers with Kubernetes' suffixes.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/api/resource (v1.36), including what it does on overflow.
//! Left out: more than 37 significant digits (rounded away from zero).

use crate::value::Value;
use std::cmp::Ordering;
use std::fmt;

/// How a quantity was written, hence how it prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `12M`: powers of 1000.
    #[default]
    DecimalSi,
    /// `12Mi`: powers of 1024.
    BinarySi,
    /// `12e6`.
    DecimalExponent,
}

/// Why text is not a quantity. `Display` gives the server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It does not look like a number with a suffix.
    Format,
    /// The number cannot be read.
    Number,
    /// The suffix is not known.
    Suffix,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseError::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            ParseError::Number => "unable to parse numeric part of quantity",
            ParseError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

/// A quantity: `unscaled × 10^exponent`. Compared by value, whatever the format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    unscaled: i128,
    exponent: i32,
    format: Format,
    /// Whether Go keeps this number as a big decimal; decides what overflow looks like.
    wide: bool,
}

const NANO: i32 = -9;
const MAX_EXPONENT: i64 = 1_000_000;
const MAX_DIGITS: usize = 37;

impl Quantity {
    /// Zero, in decimal format.
    pub const ZERO: Quantity = Quantity::scaled(0, 0, Format::DecimalSi);

    /// `value` whole units.
    pub const fn new(value: i64, format: Format) -> Quantity {
        Quantity::scaled(value, 0, format)
    }

    /// `value` thousandths.
    pub const fn milli(value: i64, format: Format) -> Quantity {
        Quantity::scaled(value, -3, format)
    }

    /// `value × 10^exponent`.
    pub const fn scaled(value: i64, exponent: i32, format: Format) -> Quantity {
        Quantity {
            unscaled: value as i128,
            exponent,
            format,
            wide: false,
        }
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// What the API server says of text that is not a quantity.
    pub fn parse(text: &str) -> Result<Quantity, ParseError> {
        let parts = Parts::split(text)?;
        let (exponent, format) = read_suffix(parts.suffix).ok_or(ParseError::Suffix)?;
        match fast(&parts, exponent, format) {
            Some(quantity) => Ok(quantity),
            None => slow(&parts, exponent, format),
        }
    }

    /// Reads a quantity from a field: text or a number. `None` when it is neither or not a quantity.
    pub fn from_value(value: &Value) -> Option<Quantity> {
        match value {
            Value::Int(i) => Some(Quantity::new(*i, Format::DecimalSi)),
            Value::Str(s) => Quantity::parse(s.trim()).ok(),
            Value::Float(f) => Quantity::parse(&crate::json::float_text(f.0)).ok(),
            _ => None,
        }
    }

    /// How it prints.
    pub fn format(&self) -> Format {
        self.format
    }

    /// True for zero.
    pub fn is_zero(&self) -> bool {
        self.unscaled == 0
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i32 {
        self.unscaled.signum() as i32
    }

    /// Whole units, rounded up. Overflow gives what Go gives (0, or the low 64 bits).
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// Thousandths, rounded up. Overflow gives what Go gives (0, or the low 64 bits).
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(-3)
    }

    /// Units of `10^exponent`, rounded up. Overflow gives what Go gives (0, or the low 64 bits).
    pub fn scaled_value(&self, exponent: i32) -> i64 {
        let shift = i64::from(self.exponent) - i64::from(exponent);
        if shift >= 0 {
            if self.wide {
                let factor = pow10_wrapping(shift);
                return (self.unscaled as i64).wrapping_mul(factor);
            }
            return pow10(shift)
                .and_then(|p| self.unscaled.checked_mul(p))
                .and_then(|v| i64::try_from(v).ok())
                .unwrap_or(0);
        }
        if !self.wide {
            return divide_away(self.unscaled, -shift).0 as i64;
        }
        let Some(divisor) = pow10(-shift) else {
            return i64::from(self.unscaled != 0);
        };
        let fits = self.unscaled < i128::from(i64::MAX) && -shift < 19;
        let (quotient, rest) = if fits {
            (self.unscaled / divisor, self.unscaled % divisor)
        } else {
            (
                self.unscaled.div_euclid(divisor),
                self.unscaled.rem_euclid(divisor),
            )
        };
        (quotient as i64).wrapping_add(i64::from(rest != 0))
    }

    /// Rounds away from zero to a multiple of `10^exponent`; true when nothing was lost.
    pub fn round_up(&mut self, exponent: i32) -> bool {
        if self.exponent >= exponent {
            return true;
        }
        let (value, exact) = divide_away(
            self.unscaled,
            i64::from(exponent) - i64::from(self.exponent),
        );
        self.unscaled = value;
        self.exponent = exponent;
        exact
    }

    /// The sum; zero takes over the other's format.
    pub fn plus(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() {
            other.format
        } else {
            self.format
        };
        if other.is_zero() {
            return Quantity { format, ..self };
        }
        if self.is_zero() {
            return Quantity {
                format,
                wide: self.wide || other.wide,
                ..other
            };
        }
        let (a, b, exponent) = align(self, other);
        let unscaled = a.saturating_add(b);
        Quantity {
            unscaled,
            exponent,
            format,
            wide: self.wide || other.wide || i64::try_from(unscaled).is_err(),
        }
    }

    /// The difference; zero takes over the other's format.
    pub fn minus(self, other: Quantity) -> Quantity {
        self.plus(other.negated())
    }

    /// The same amount with the other sign.
    pub fn negated(self) -> Quantity {
        Quantity {
            unscaled: self.unscaled.saturating_neg(),
            ..self
        }
    }

    /// The product with a whole number.
    pub fn times(self, factor: i64) -> Quantity {
        let unscaled = self.unscaled.saturating_mul(i128::from(factor));
        Quantity {
            unscaled,
            wide: self.wide || i64::try_from(unscaled).is_err(),
            ..self
        }
    }

    /// The canonical text, such as `1500m` or `128Mi`.
    pub fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".to_string();
        }
        if self.format == Format::BinarySi
            && let Some(whole) = self.whole()
            && whole.unsigned_abs() >= 1024
        {
            let (mut value, mut power) = (whole, 0);
            while value % 1024 == 0 {
                value /= 1024;
                power += 1;
            }
            let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
            return format!("{value}{}", suffix.get(power).unwrap_or(&""));
        }
        let (mut value, mut exponent) = (self.unscaled, self.exponent);
        while value % 10 == 0 {
            value /= 10;
            exponent += 1;
        }
        let zeros = exponent.rem_euclid(3);
        exponent -= zeros;
        let mut text = value.to_string();
        text.extend(std::iter::repeat_n('0', zeros as usize));
        if self.format == Format::DecimalExponent {
            if exponent != 0 {
                text.push('e');
                text.push_str(&exponent.to_string());
            }
            return text;
        }
        text.push_str(match exponent {
            -9 => "n",
            -6 => "u",
            -3 => "m",
            3 => "k",
            6 => "M",
            9 => "G",
            12 => "T",
            15 => "P",
            18 => "E",
            _ => "",
        });
        text
    }

    /// The value when it has no fraction and fits.
    fn whole(&self) -> Option<i128> {
        if self.exponent >= 0 {
            return pow10(i64::from(self.exponent)).and_then(|p| self.unscaled.checked_mul(p));
        }
        let (value, exact) = divide_away(self.unscaled, -i64::from(self.exponent));
        exact.then_some(value)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Quantity {}
impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        let signs = self.sign().cmp(&other.sign());
        if signs != Ordering::Equal || self.sign() == 0 {
            return signs;
        }
        let shift = i64::from(self.exponent) - i64::from(other.exponent);
        let scaled = |value: i128, by: i64| pow10(by).and_then(|p| value.checked_mul(p));
        if shift >= 0 {
            match scaled(self.unscaled, shift) {
                Some(a) => a.cmp(&other.unscaled),
                None => self.sign().cmp(&0),
            }
        } else {
            match scaled(other.unscaled, -shift) {
                Some(b) => self.unscaled.cmp(&b),
                None => 0.cmp(&self.sign()),
            }
        }
    }
}

/// The text that the API server stores for a quantity: mostly the canonical form, but text that is
/// already nearly canonical (such as `1.500`) stays as written.
///
/// # Errors
/// What the API server says of text that is not a quantity.
pub fn stored_text(text: &str) -> Result<String, ParseError> {
    let text = text.trim();
    let quantity = Quantity::parse(text)?;
    let parts = Parts::split(text)?;
    let (exponent, format) = read_suffix(parts.suffix).ok_or(ParseError::Suffix)?;
    let keeps = text == "0"
        || (fast(&parts, exponent, format).is_some()
            && if format == Format::BinarySi {
                quantity_digits(&parts).is_some_and(|v| v & 7 != 0)
            } else {
                let scale = i64::from(exponent) - parts.fraction.len() as i64;
                let digits = format!("{}{}", parts.whole, parts.fraction);
                scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0')
            });
    Ok(if keeps {
        text.to_string()
    } else {
        quantity.canonical()
    })
}

/// Text cut into sign, digits and suffix.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeros, `0` when none.
    whole: &'a str,
    /// Digits after the point.
    fraction: &'a str,
    suffix: &'a str,
    /// Whether there was any digit or only a suffix.
    has_number: bool,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Parts<'a>, ParseError> {
        if text.is_empty() {
            return Err(ParseError::Format);
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let digits_end = |s: &str| {
            s.bytes()
                .position(|b| !b.is_ascii_digit())
                .unwrap_or(s.len())
        };
        let (digits, rest) = unsigned.split_at(digits_end(unsigned));
        let whole = digits.trim_start_matches('0');
        let (fraction, suffix, has_point) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (fraction, suffix) = rest.split_at(digits_end(rest));
                (fraction, suffix, true)
            }
            None => ("", rest, false),
        };
        let letters = suffix
            .bytes()
            .position(|b| !b"eEinumkKMGTP".contains(&b))
            .unwrap_or(suffix.len());
        let (_, tail) = suffix.split_at(letters);
        let tail = tail.strip_prefix(['+', '-']).unwrap_or(tail);
        if digits_end(tail) != tail.len() {
            return Err(ParseError::Format);
        }
        Ok(Parts {
            negative: text.starts_with('-'),
            whole: if whole.is_empty() { "0" } else { whole },
            fraction,
            suffix,
            has_number: !digits.is_empty()
                || !fraction.is_empty()
                || (!has_point && suffix.is_empty()),
        })
    }
}

/// The exponent (of ten, or of two for binary suffixes) and the format.
fn read_suffix(suffix: &str) -> Option<(i32, Format)> {
    let found = match suffix {
        "" => (0, Format::DecimalSi),
        "n" => (-9, Format::DecimalSi),
        "u" => (-6, Format::DecimalSi),
        "m" => (-3, Format::DecimalSi),
        "k" => (3, Format::DecimalSi),
        "M" => (6, Format::DecimalSi),
        "G" => (9, Format::DecimalSi),
        "T" => (12, Format::DecimalSi),
        "P" => (15, Format::DecimalSi),
        "E" => (18, Format::DecimalSi),
        "Ki" => (10, Format::BinarySi),
        "Mi" => (20, Format::BinarySi),
        "Gi" => (30, Format::BinarySi),
        "Ti" => (40, Format::BinarySi),
        "Pi" => (50, Format::BinarySi),
        "Ei" => (60, Format::BinarySi),
        _ => {
            let digits = suffix.strip_prefix(['e', 'E'])?;
            let exponent: i64 = digits.parse().ok()?;
            let exponent = exponent.clamp(-MAX_EXPONENT, MAX_EXPONENT);
            (exponent as i32, Format::DecimalExponent)
        }
    };
    Some(found)
}

fn quantity_digits(parts: &Parts<'_>) -> Option<i64> {
    let mut value: i64 = 0;
    for digit in parts.whole.bytes().chain(parts.fraction.bytes()) {
        value = value
            .checked_mul(10)?
            .checked_add(i64::from(digit - b'0'))?;
    }
    Some(value)
}

/// The common case that Go keeps in 64 bits.
fn fast(parts: &Parts<'_>, exponent: i32, format: Format) -> Option<Quantity> {
    let digits = (parts.whole.len() + parts.fraction.len()) as i64;
    let (factor, scale) = if format == Format::BinarySi {
        let spare = 15 - parts.whole.len() as i64 - i64::from(exponent) * 3 / 10 - 1;
        if !parts.fraction.is_empty() || spare < 0 {
            return None;
        }
        (1_i64.checked_shl(exponent as u32)?, 0)
    } else {
        if digits > 18 {
            return None;
        }
        (1, i64::from(exponent) - parts.fraction.len() as i64)
    };
    if scale < i64::from(NANO) {
        return None;
    }
    let value = quantity_digits(parts)?.checked_mul(factor)?;
    Some(Quantity {
        unscaled: i128::from(if parts.negative { -value } else { value }),
        exponent: i32::try_from(scale).ok()?,
        format,
        wide: false,
    })
}

/// Everything else, which Go keeps as a big decimal.
#[inline(never)]
fn slow(parts: &Parts<'_>, exponent: i32, mut format: Format) -> Result<Quantity, ParseError> {
    if !parts.has_number {
        return Err(ParseError::Number);
    }
    let digits = format!("{}{}", parts.whole, parts.fraction);
    let digits = digits.trim_start_matches('0');
    let mut scale = -(parts.fraction.len() as i64);
    let kept = digits.get(..MAX_DIGITS).unwrap_or(digits);
    let mut value: i128 = kept.parse().unwrap_or(0);
    if digits.len() > MAX_DIGITS {
        scale += (digits.len() - MAX_DIGITS) as i64;
        if digits.bytes().skip(MAX_DIGITS).any(|b| b != b'0') {
            value += 1;
        }
    }
    let cap = Quantity {
        unscaled: i128::from(i64::MAX),
        exponent: 0,
        format: Format::BinarySi,
        wide: true,
    };
    if format == Format::BinarySi {
        match 1_i128
            .checked_shl(exponent as u32)
            .and_then(|factor| value.checked_mul(factor))
        {
            Some(product) => value = product,
            None => {
                // Beyond 128 bits: drop digits until the product fits; what is left is far above the cap
                // unless the fraction is as long.
                while value.checked_mul(1_i128 << 60).is_none() {
                    value = value / 10 + 1;
                    scale += 1;
                }
                value *= 1_i128 << (exponent as u32).min(60);
            }
        }
    } else {
        scale += i64::from(exponent);
    }
    let mut quantity = Quantity {
        unscaled: value,
        exponent: i32::try_from(scale).map_err(|_| ParseError::Number)?,
        format,
        wide: true,
    };
    quantity.round_up(NANO);
    if format == Format::BinarySi {
        if quantity > cap {
            quantity = cap;
        }
        if !quantity.is_zero() && quantity < Quantity::new(1, format) {
            format = Format::DecimalSi;
        }
    }
    quantity.format = format;
    Ok(if parts.negative {
        quantity.negated()
    } else {
        quantity
    })
}

fn pow10(exponent: i64) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// `10^exponent` in the low 64 bits; zero when Go's conversion from a float gives none of them.
fn pow10_wrapping(exponent: i64) -> i64 {
    match pow10(exponent).map(i64::try_from) {
        Some(Ok(power)) => power,
        _ => i64::MIN,
    }
}

/// `value / 10^shift` rounded away from zero, and whether it was exact.
#[inline(never)]
fn divide_away(value: i128, shift: i64) -> (i128, bool) {
    let Some(divisor) = pow10(shift) else {
        return (value.signum(), value == 0);
    };
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest == 0 {
        (quotient, true)
    } else {
        (quotient + value.signum(), false)
    }
}

/// Both numbers at one exponent: the smaller one, unless that overflows.
fn align(a: Quantity, b: Quantity) -> (i128, i128, i32) {
    let (high, low, swapped) = if a.exponent >= b.exponent {
        (a, b, false)
    } else {
        (b, a, true)
    };
    let shift = i64::from(high.exponent) - i64::from(low.exponent);
    let (high_value, low_value, exponent) =
        match pow10(shift).and_then(|p| high.unscaled.checked_mul(p)) {
            Some(value) => (value, low.unscaled, low.exponent),
            None => (
                high.unscaled,
                divide_away(low.unscaled, shift).0,
                high.exponent,
            ),
        };
    if swapped {
        (low_value, high_value, exponent)
    } else {
        (high_value, low_value, exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Quantity::parse(text).map_or_else(|e| e.to_string(), |q| q.canonical())
    }

    #[test]
    fn canonical_text() {
        for (text, want) in [
            ("1.5", "1500m"),
            ("1024Mi", "1Gi"),
            ("1000k", "1M"),
            ("0.5Gi", "512Mi"),
            ("1E3", "1e3"),
            ("100.035Ki", "102435840m"),
            ("-2000m", "-2"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("1e400000", "10e399999"),
            ("0.1mi", "unable to parse quantity's suffix"),
            (
                "",
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
        ] {
            assert_eq!(canonical(text), want, "{text}");
        }
    }

    #[test]
    fn arithmetic_is_exact_and_bounded() {
        let q = |s: &str| Quantity::parse(s).expect("a quantity");
        assert_eq!(q("1").plus(q("500m")).canonical(), "1500m");
        assert_eq!(q("1Gi").minus(q("1Mi")).canonical(), "1023Mi");
        assert_eq!(Quantity::ZERO.plus(q("2Ki")).canonical(), "2Ki");
        assert_eq!(q("1Gi"), q("1073741824"));
        assert!(q("1e1000000") > q("9Ei"));
        assert!(q("-1e1000000") < q("1n"));
        let huge = q("1e1000000").plus(q("1n"));
        assert!(huge > q("1E"));
        assert_eq!(q("1e1000000").times(i64::MAX).sign(), 1);
    }

    #[test]
    fn stored_text_keeps_what_the_server_keeps() {
        for (text, want) in [
            ("1.500", "1.500"),
            ("1.5", "1500m"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("100Mi", "100Mi"),
            ("1000m", "1"),
            ("1E3", "1E3"),
            ("+1", "+1"),
        ] {
            assert_eq!(stored_text(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn any_text_is_handled() {
        let alphabet = b"0189.+-eEinumkKMGTPx ";
        let mut state: u32 = 7;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(state % 12) {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push(alphabet[(state >> 16) as usize % alphabet.len()] as char);
            }
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if let Ok(q) = Quantity::parse(&text) {
                let again = Quantity::parse(&q.canonical());
                assert!(again.is_ok(), "{text} became {}", q.canonical());
                let _ = (q.value(), q.milli_value(), q.plus(q), q.minus(q));
            }
        }
    }
}
