//! Floating-point numbers from and to decimal text, exactly rounded. The standard library's way is
//! faster and brings large tables, which weigh much in the browser; floats are rare in objects.

use std::cmp::Ordering;

/// A natural number: its 32-bit digits, lowest first, without zeros at the top.
#[derive(Clone)]
struct Big(Vec<u32>);

impl Big {
    fn of(number: u64) -> Big {
        let mut big = Big(vec![number as u32, (number >> 32) as u32]);
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> i64 {
        match self.0.last() {
            Some(top) => self.0.len() as i64 * 32 - i64::from(top.leading_zeros()),
            None => 0,
        }
    }

    fn multiply(&mut self, by: u32, add: u32) {
        let mut carry = u64::from(add);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(by);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn times_power_of_ten(&mut self, exponent: i64) {
        for _ in 0..exponent {
            self.multiply(10, 0);
        }
    }

    fn shift(&mut self, bits: i64) {
        if self.is_zero() {
            return;
        }
        self.multiply(1 << (bits % 32), 0);
        let mut digits = vec![0; (bits / 32) as usize];
        digits.append(&mut self.0);
        self.0 = digits;
    }

    fn order(&self, other: &Big) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes `other` away when that leaves no less than nothing.
    fn take(&mut self, other: &Big) -> bool {
        if self.order(other) == Ordering::Less {
            return false;
        }
        let mut borrow = 0;
        for (i, digit) in self.0.iter_mut().enumerate() {
            let by = i64::from(other.0.get(i).copied().unwrap_or(0)) + borrow;
            let left = i64::from(*digit) - by;
            borrow = i64::from(left < 0);
            *digit = left as u32;
        }
        self.trim();
        true
    }
}

/// More digits than this cannot decide about the rounding.
const MAX_DIGITS: u32 = 800;
/// Exponents beyond this give zero or infinity, whatever the digits.
const MAX_EXPONENT: i64 = 10_000;

/// The number nearest to a decimal text such as `-1.5e3`; `None` when it is none.
pub fn parse(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut number = Big(Vec::new());
    let (mut kept, mut exponent) = (0, 0_i64);
    let (mut any, mut fraction, mut more) = (false, false, false);
    let mut bytes = unsigned.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                exponent -= i64::from(fraction);
                if kept < MAX_DIGITS {
                    number.multiply(10, u32::from(byte - b'0'));
                    kept += u32::from(!number.is_zero());
                } else {
                    exponent += 1;
                    more |= byte != b'0';
                }
            }
            b'.' if !fraction => fraction = true,
            b'e' | b'E' => {
                let digits = bytes.as_slice();
                let (negative, digits) = match digits {
                    [b'-', rest @ ..] => (true, rest),
                    [b'+', rest @ ..] => (false, rest),
                    rest => (false, rest),
                };
                if digits.is_empty() {
                    return None;
                }
                let mut shift = 0_i64;
                for digit in digits {
                    if !digit.is_ascii_digit() {
                        return None;
                    }
                    // Beyond the longest text there is no difference.
                    shift = (shift * 10 + i64::from(digit - b'0')).min(1 << 40);
                }
                exponent += if negative { -shift } else { shift };
                break;
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    if more {
        number.multiply(10, 1);
        exponent -= 1;
    }
    let float = nearest(number, exponent);
    Some(if text.starts_with('-') { -float } else { float })
}

/// The float nearest to `number * 10^exponent`; of two the even one.
fn nearest(number: Big, exponent: i64) -> f64 {
    if number.is_zero() || exponent < -MAX_EXPONENT {
        return 0.0;
    }
    if exponent > MAX_EXPONENT {
        return f64::INFINITY;
    }
    let (mut above, mut below) = (number, Big::of(1));
    above.times_power_of_ten(exponent);
    below.times_power_of_ten(-exponent);
    // 1 <= above / below < 2, times 2^power.
    let mut power = above.bits() - below.bits();
    above.shift((-power).max(0));
    below.shift(power.max(0));
    if above.order(&below) == Ordering::Less {
        above.shift(1);
        power -= 1;
    }
    if power > 1023 {
        return f64::INFINITY;
    }
    // Numbers near zero have fewer bits.
    let bits = (53 + (power + 1022).min(0)).max(-1);
    if bits < 0 {
        return 0.0;
    }
    let mut mantissa = 0_u64;
    for _ in 0..bits {
        mantissa = mantissa << 1 | u64::from(above.take(&below));
        above.shift(1);
    }
    mantissa += match above.order(&below) {
        Ordering::Less => 0,
        Ordering::Equal => mantissa & 1,
        Ordering::Greater => 1,
    };
    // The mantissa's highest bit is the lowest of the exponent, less one: they add up, also when the
    // mantissa was rounded up to the next power of two.
    let exponent = u64::try_from(power + 1022).unwrap_or(0);
    f64::from_bits((exponent << 52) + mantissa)
}

/// Decimal digits of a number: `d.ddd * 10^exponent`.
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
    /// Something follows the digits.
    more: bool,
}

impl Decimal {
    /// The first digits of a number above zero; none when `last`, the place of the last digit wanted (0:
    /// before the point, -1: after it), is above the first.
    fn of(float: f64, count: impl Fn(i64) -> i64) -> Decimal {
        let bits = float.to_bits();
        let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i64);
        let (mantissa, power) = match biased {
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, biased - 1075),
        };
        let (mut above, mut below) = (Big::of(mantissa), Big::of(1));
        above.shift(power.max(0));
        below.shift((-power).max(0));
        // A little below the logarithm.
        let mut exponent = ((above.bits() - below.bits() - 1) * 301).div_euclid(1000) - 1;
        above.times_power_of_ten(-exponent);
        below.times_power_of_ten(exponent);
        loop {
            let mut ten = below.clone();
            ten.multiply(10, 0);
            if above.order(&ten) == Ordering::Less {
                break;
            }
            below = ten;
            exponent += 1;
        }
        let mut digits = Vec::new();
        for _ in 0..count(exponent) {
            let mut digit = 0;
            while above.take(&below) {
                digit += 1;
            }
            digits.push(digit);
            above.multiply(10, 0);
        }
        Decimal {
            digits,
            exponent,
            more: !above.is_zero(),
        }
    }

    /// Whether the digits from `len` on round up; of two equally near the even one.
    fn rounds_up(&self, len: usize) -> bool {
        let (kept, rest) = self.digits.split_at(len.min(self.digits.len()));
        match rest.split_first() {
            None => false,
            Some((5, rest)) if !self.more && rest.iter().all(|d| *d == 0) => {
                kept.last().is_some_and(|d| d % 2 == 1)
            }
            Some((first, _)) => *first >= 5,
        }
    }

    /// The first `len` digits, the last one raised or not.
    fn cut(&self, len: usize, up: bool) -> Decimal {
        let mut digits: Vec<u8> = self.digits.iter().take(len).copied().collect();
        let mut exponent = self.exponent;
        if up {
            let mut at = digits.len();
            loop {
                let Some(before) = at.checked_sub(1) else {
                    digits.insert(0, 1);
                    exponent += 1;
                    break;
                };
                at = before;
                if digits[at] < 9 {
                    digits[at] += 1;
                    break;
                }
                digits[at] = 0;
            }
        }
        Decimal {
            digits,
            exponent,
            more: false,
        }
    }

    fn float(&self) -> f64 {
        let mut number = Big(Vec::new());
        for digit in &self.digits {
            number.multiply(10, u32::from(*digit));
        }
        nearest(number, self.exponent - self.digits.len() as i64 + 1)
    }
}

/// The fewest digits that are read back as the same number, without zeros at the end.
fn shortest(float: f64) -> Decimal {
    let all = Decimal::of(float, |_| 18);
    for len in 1..17 {
        let up = all.rounds_up(len);
        for up in [up, true] {
            let mut short = all.cut(len, up);
            if short.float() == float {
                while short.digits.len() > 1 && short.digits.last() == Some(&0) {
                    short.digits.pop();
                }
                return short;
            }
        }
    }
    all.cut(17, all.rounds_up(17))
}

/// A number without decimal digits: not a number, infinite or zero.
fn special(float: f64) -> Option<&'static str> {
    if float.is_nan() {
        Some("NaN")
    } else if float.is_infinite() {
        Some("inf")
    } else if float == 0.0 {
        Some("0")
    } else {
        None
    }
}

fn sign(float: f64) -> &'static str {
    if float.is_sign_negative() && !float.is_nan() {
        "-"
    } else {
        ""
    }
}

/// `decimal` without exponent, with at least `places` digits after the point.
fn positional(decimal: &Decimal, places: i64) -> String {
    let mut out = String::new();
    let last = (decimal.exponent - decimal.digits.len() as i64 + 1).min(-places);
    for place in (last.min(0)..=decimal.exponent.max(0)).rev() {
        if place == -1 {
            out.push('.');
        }
        let digit = usize::try_from(decimal.exponent - place)
            .ok()
            .and_then(|i| decimal.digits.get(i));
        out.push(char::from(b'0' + digit.copied().unwrap_or(0)));
    }
    out
}

/// The shortest text that is read back as the same number, without exponent.
pub fn text(float: f64) -> String {
    let text = match special(float) {
        Some(word) => word.to_string(),
        None => positional(&shortest(float.abs()), 0),
    };
    [sign(float), &text].concat()
}

/// The shortest text that is read back as the same number, as mantissa and exponent.
pub fn scientific(float: f64) -> (String, i64) {
    if let Some(word) = special(float) {
        return ([sign(float), word].concat(), 0);
    }
    let mut decimal = shortest(float.abs());
    let exponent = std::mem::take(&mut decimal.exponent);
    let mantissa = positional(&decimal, 0);
    ([sign(float), &mantissa].concat(), exponent)
}

/// The number rounded to so many digits after the point.
pub fn fixed(float: f64, places: u8) -> String {
    let places = i64::from(places);
    let text = match special(float) {
        Some("0") | None => {
            let mut exponent = 0;
            let mut rounded = Decimal {
                digits: vec![0],
                exponent,
                more: false,
            };
            if float != 0.0 {
                let all = Decimal::of(float.abs(), |e| (e + places + 2).max(0));
                exponent = all.exponent;
                let len = exponent + places + 1;
                if let Ok(len) = usize::try_from(len) {
                    rounded = all.cut(len, all.rounds_up(len));
                    if rounded.digits.is_empty() {
                        rounded = Decimal {
                            digits: vec![0],
                            exponent: 0,
                            more: false,
                        };
                    }
                }
            }
            positional(&rounded, places)
        }
        Some(word) => word.to_string(),
    };
    [sign(float), &text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random bits, round numbers, and the neighbours of powers of two and ten.
    fn samples() -> Vec<f64> {
        let mut out = vec![
            0.0,
            -0.0,
            1.0,
            0.1,
            0.5,
            2.5,
            9.995,
            999.999_999_5,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            f64::from_bits(2),
            f64::from_bits((1 << 52) - 1),
        ];
        for power in (-1074..=1023).step_by(41) {
            let two = if power < -1022 {
                f64::from_bits(1 << (power + 1074))
            } else {
                f64::from_bits(((power + 1023) as u64) << 52)
            };
            out.extend([two, two.next_up(), two.next_down()]);
        }
        let mut state = 1_u64;
        for i in 0..150 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            out.push(f64::from_bits(state ^ state >> 29));
            out.push((state >> 40) as f64 / f64::from(10_u32.pow(i % 8)));
        }
        out.retain(|f| !f.is_nan());
        out
    }

    #[test]
    fn texts_are_those_of_the_standard_library() {
        for float in samples() {
            assert_eq!(text(float), format!("{float}"), "{float:e}");
            let (mantissa, exponent) = scientific(float);
            if float.is_finite() {
                assert_eq!(format!("{mantissa}e{exponent}"), format!("{float:e}"));
                for places in [0, 1, 6, 10] {
                    let theirs = format!("{float:.*}", usize::from(places));
                    assert_eq!(fixed(float, places), theirs, "{float:e} {places}");
                }
            }
        }
        assert_eq!(text(f64::NAN), "NaN");
        assert_eq!(text(f64::NEG_INFINITY), "-inf");
    }

    #[test]
    fn reads_as_the_standard_library_does() {
        for float in samples().into_iter().filter(|f| f.is_finite()) {
            for text in [
                format!("{float}"),
                format!("{float:e}"),
                format!("{float:.5e}"),
                format!("+{:.20}", float.abs()),
            ] {
                let theirs = text.parse::<f64>().ok().map(f64::to_bits);
                assert_eq!(parse(&text).map(f64::to_bits), theirs, "{text}");
            }
        }
        // The middle between two numbers, and a hair above it.
        let middle = "9007199254740993";
        let above = format!("{middle}.{}1", "0".repeat(900));
        for text in [
            middle,
            &above,
            "1e400",
            "-1e-400",
            "2.4703282292062327e-324",
            "1.",
        ] {
            let theirs = text.parse::<f64>().ok().map(f64::to_bits);
            assert_eq!(parse(text).map(f64::to_bits), theirs, "{text}");
        }
        for bad in ["", ".", "-", "e5", "1e", "1e+", "1x", "1.2.3", "0x1", "١"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
