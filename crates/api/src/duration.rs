//! Durations as text: kubectl's ages and Go's own duration text. All durations are in nanoseconds.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/duration, Go's `time.Duration` (v1.36)

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// An age with two or three significant figures, as kubectl's AGE column prints it: `3m10s`, `2d1h`.
pub fn human(nanoseconds: i64) -> String {
    let seconds = nanoseconds / SECOND;
    if let Some(text) = almost_now(seconds) {
        return text;
    }
    let (minutes, hours) = (nanoseconds / MINUTE, nanoseconds / HOUR);
    let days = hours / 24;
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if days < 8 {
        two(days, "d", hours % 24, "h")
    } else if days < 2 * 365 {
        format!("{days}d")
    } else if days < 8 * 365 {
        two(days / 365, "y", days % 365, "d")
    } else {
        format!("{}y", days / 365)
    }
}

/// An age with one unit: `2m`, `23h`, `364d`.
pub fn short_human(nanoseconds: i64) -> String {
    let seconds = nanoseconds / SECOND;
    if let Some(text) = almost_now(seconds) {
        return text;
    }
    let hours = nanoseconds / HOUR;
    if seconds < 60 {
        format!("{seconds}s")
    } else if seconds < 3600 {
        format!("{}m", seconds / 60)
    } else if hours < 24 {
        format!("{hours}h")
    } else if hours < 24 * 365 {
        format!("{}d", hours / 24)
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

/// Up to two seconds in the future count as now (clocks differ); more is invalid.
fn almost_now(seconds: i64) -> Option<String> {
    match seconds {
        ..=-2 => Some("<invalid>".to_string()),
        -1 => Some("0s".to_string()),
        _ => None,
    }
}

fn two(big: i64, big_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{big}{big_unit}")
    } else {
        format!("{big}{big_unit}{small}{small_unit}")
    }
}

/// Go's `Duration.String()`: `1h2m3.5s`, `250ms`, `0s`.
#[inline(never)]
pub fn go_text(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    if total == 0 {
        return "0s".to_string();
    }
    for (unit, size) in [("ns", 1), ("µs", 1_000), ("ms", 1_000_000)] {
        if total < size * 1000 {
            return format!("{sign}{}{unit}", decimal(total, size));
        }
    }
    let seconds = decimal(total % MINUTE as u64, SECOND as u64);
    let (hours, minutes) = (total / HOUR as u64, total / MINUTE as u64 % 60);
    if hours > 0 {
        format!("{sign}{hours}h{minutes}m{seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m{seconds}s")
    } else {
        format!("{sign}{seconds}s")
    }
}

/// `value / size` with as many decimals as needed; `size` is a power of ten.
fn decimal(value: u64, size: u64) -> String {
    let mut text = (value / size).to_string();
    let rest = value % size;
    if rest > 0 {
        let digits = size.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

/// Reads Go's duration text (`1h30m`, `-1.5s`, `0`); `None` when it is not one or does not fit.
#[inline(never)]
pub fn parse_go(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let size: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => i128::from(SECOND),
            "m" => i128::from(MINUTE),
            "h" => i128::from(HOUR),
            _ => return None,
        };
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        let mut part = i128::from(whole) * size;
        let mut place = size;
        for digit in fraction.bytes() {
            place /= 10;
            part += i128::from(digit - b'0') * place;
        }
        total += part;
        if total > 1 << 63 {
            return None;
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.bytes()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_text_and_back() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (600 * SECOND, "10m0s"),
            (HOUR + 1_500_000_000, "1h0m1.5s"),
            (-90 * SECOND, "-1m30s"),
        ] {
            assert_eq!(go_text(nanoseconds), text);
            assert_eq!(parse_go(text), Some(nanoseconds));
        }
        for bad in ["", "1", "s", "1x", "1h-3m", "999999999999h", "."] {
            assert_eq!(parse_go(bad), None, "{bad}");
        }
        assert_eq!(go_text(i64::MIN), "-2562047h47m16.854775808s");
    }

    #[test]
    fn ages() {
        assert_eq!(human(190 * SECOND), "3m10s");
        assert_eq!(human(-SECOND), "0s");
        assert_eq!(short_human(190 * SECOND), "3m");
    }
}
