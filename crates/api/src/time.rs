//! Points in (simulated) wall-clock time and their RFC 3339 text.

use std::fmt;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Timestamp {
    /// Reads RFC 3339 text in UTC or with an offset, with up to nine fraction digits (cut to microseconds).
    pub fn parse(text: &str) -> Option<Timestamp> {
        let b = text.as_bytes();
        let num = |from: usize, to: usize| -> Option<i64> {
            let part = text.get(from..to)?;
            if part.bytes().all(|c| c.is_ascii_digit()) {
                part.parse().ok()
            } else {
                None
            }
        };
        if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || b[13] != b':' || b[16] != b':' {
            return None;
        }
        if !matches!(b[10], b'T' | b't') {
            return None;
        }
        let (year, month, day) = (num(0, 4)?, num(5, 7)?, num(8, 10)?);
        let (hour, minute, second) = (num(11, 13)?, num(14, 16)?, num(17, 19)?);
        let in_range = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !in_range {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut micros = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            for (i, c) in fraction.bytes().take(digits.min(6)).enumerate() {
                micros += i64::from(c - b'0') * 10_i64.pow(5 - i as u32);
            }
            rest = fraction.get(digits..)?;
        }
        let offset_minutes = match rest.as_bytes() {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2]
                if [h1, h2, m1, m2].iter().all(|c| c.is_ascii_digit()) =>
            {
                let d = |c: &u8| i64::from(c - b'0');
                let minutes = (d(h1) * 10 + d(h2)) * 60 + d(m1) * 10 + d(m2);
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        let days = days_from_civil(year, month, day);
        let seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
        Some(Timestamp(seconds * MICROS_PER_SECOND + micros))
    }

    /// Text with whole seconds, as `metav1.Time` prints: `2026-11-20T10:08:44Z`.
    pub fn seconds_text(self) -> String {
        let (days, rest) = (
            self.0.div_euclid(86_400_000_000),
            self.0.rem_euclid(86_400_000_000),
        );
        let (y, m, d) = civil_from_days(days);
        let s = rest / MICROS_PER_SECOND;
        let mut text = String::with_capacity(27);
        digits(&mut text, y, 4);
        for (before, number) in [
            ('-', m),
            ('-', d),
            ('T', s / 3600),
            (':', s / 60 % 60),
            (':', s % 60),
        ] {
            text.push(before);
            digits(&mut text, number, 2);
        }
        text.push('Z');
        text
    }

    /// Text with six fraction digits, as `metav1.MicroTime` prints: `2026-11-20T10:08:44.123456Z`.
    pub fn micros_text(self) -> String {
        let mut text = self.seconds_text();
        text.pop();
        text.push('.');
        digits(&mut text, self.0.rem_euclid(MICROS_PER_SECOND), 6);
        text.push('Z');
        text
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }
}

/// Writes a number with at least so many digits.
fn digits(text: &mut String, number: i64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut left = number.unsigned_abs();
    let mut at = buffer.len();
    while left > 0 {
        at -= 1;
        buffer[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    // As `{:04}` does: the sign counts.
    let width = if number < 0 {
        text.push('-');
        width - 1
    } else {
        width
    };
    for byte in &buffer[at.min(buffer.len() - width)..] {
        text.push(char::from(*byte));
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.seconds_text())
    }
}

/// Days in `month` (1 to 12) of `year`, in the Gregorian calendar.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a civil date (months 1 to 12).
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The civil date (year, month, day) that is `days` after 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in [
            "2026-11-20T10:08:44Z",
            "2000-02-29T23:59:59Z",
            "1969-12-31T00:00:01Z",
        ] {
            assert_eq!(
                Timestamp::parse(text).map(|t| t.seconds_text()).as_deref(),
                Some(text)
            );
        }
        let t = Timestamp::parse("2026-11-20T10:08:44.123456789+02:00");
        assert_eq!(
            t.map(Timestamp::micros_text).as_deref(),
            Some("2026-11-20T08:08:44.123456Z")
        );
        for bad in [
            "",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20 10:08:44Z",
            "2026-11-20T10:08:44",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_has_leading_zeros() {
        for micros in [0, 1, 1_767_225_599_000_123, -1, -62_135_596_800_000_000] {
            let time = Timestamp(micros);
            let text = time.micros_text();
            assert_eq!(text.len(), 27, "{text}");
            assert_eq!(Timestamp::parse(&text), Some(time), "{text}");
        }
        assert_eq!(
            Timestamp(1_795_168_800_000_042).micros_text(),
            "2026-11-20T10:00:00.000042Z"
        );
    }
}
