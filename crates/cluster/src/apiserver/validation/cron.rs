//! Cron schedules as the server's parser reads them, with its complaints.
//!
//! Models: the standard parser of github.com/robfig/cron v3 as used by pkg/apis/batch/validation (v1.36)

use podscope_api::status::quote;

/// A field's lowest and highest value and the names that stand for values.
struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const FIELDS: [Bounds; 5] = [
    Bounds {
        min: 0,
        max: 59,
        names: &[],
    },
    Bounds {
        min: 0,
        max: 23,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 31,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 12,
        names: &[
            "", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Bounds {
        min: 0,
        max: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

const SHORTHANDS: &[&str] = &[
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Whether the schedule can be read.
///
/// # Errors
/// The parser's complaint.
pub fn check(schedule: &str) -> Result<(), String> {
    if schedule.starts_with('@') {
        if SHORTHANDS.contains(&schedule) {
            return Ok(());
        }
        if let Some(duration) = schedule.strip_prefix("@every ") {
            return match podscope_api::duration::parse_go(duration) {
                Some(_) => Ok(()),
                None => Err(format!(
                    "failed to parse duration {schedule}: time: invalid duration {}",
                    quote(duration)
                )),
            };
        }
        return Err(format!("unrecognized descriptor: {schedule}"));
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != 5 {
        return Err(format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        ));
    }
    for (field, bounds) in fields.iter().zip(&FIELDS) {
        for expression in field.split(',').filter(|e| !e.is_empty()) {
            range(expression, bounds)?;
        }
    }
    Ok(())
}

fn range(expression: &str, bounds: &Bounds) -> Result<(), String> {
    let mut parts = expression.split('/');
    let low_high = parts.next().unwrap_or("");
    let step = parts.next();
    if parts.next().is_some() {
        return Err(format!("too many slashes: {expression}"));
    }
    let mut ends = low_high.split('-');
    let low = ends.next().unwrap_or("");
    let high = ends.next();
    if ends.next().is_some() {
        return Err(format!("too many hyphens: {expression}"));
    }
    let (start, mut end) = if low == "*" || low == "?" {
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(low, bounds)?;
        match high {
            Some(high) => (start, number_or_name(high, bounds)?),
            None => (start, start),
        }
    };
    if let Some(step) = step {
        let step = number(step)?;
        if high.is_none() {
            end = bounds.max;
        }
        if step == 0 {
            return Err(format!(
                "step of range should be a positive number: {expression}"
            ));
        }
    }
    if start < bounds.min {
        return Err(format!(
            "beginning of range ({start}) below minimum ({}): {expression}",
            bounds.min
        ));
    }
    if end > bounds.max {
        return Err(format!(
            "end of range ({end}) above maximum ({}): {expression}",
            bounds.max
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {expression}"
        ));
    }
    Ok(())
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let lower = text.to_ascii_lowercase();
    match bounds
        .names
        .iter()
        .position(|n| !n.is_empty() && *n == lower)
    {
        Some(i) => Ok(i as u32),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, String> {
    let failed = |why: &str| {
        format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {}: {why}",
            quote(text)
        )
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    if text.starts_with('-') && digits.bytes().any(|c| c != b'0') {
        return Err(format!("negative number ({text}) not allowed: {text}"));
    }
    digits.parse().map_err(|_| failed("value out of range"))
}

/// Areas of the time zone database.
const AREAS: &[&str] = &[
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
];
/// Zones without an area.
const ZONES: &[&str] = &[
    "CET",
    "CST6CDT",
    "Cuba",
    "EET",
    "EST",
    "EST5EDT",
    "Egypt",
    "Eire",
    "GB",
    "GB-Eire",
    "GMT",
    "GMT+0",
    "GMT-0",
    "GMT0",
    "Greenwich",
    "HST",
    "Hongkong",
    "Iceland",
    "Iran",
    "Israel",
    "Jamaica",
    "Japan",
    "Kwajalein",
    "Libya",
    "Local",
    "MET",
    "MST",
    "MST7MDT",
    "NZ",
    "NZ-CHAT",
    "Navajo",
    "PRC",
    "PST8PDT",
    "Poland",
    "Portugal",
    "ROC",
    "ROK",
    "Singapore",
    "Turkey",
    "UCT",
    "UTC",
    "Universal",
    "W-SU",
    "WET",
    "Zulu",
];

/// True for a name that looks like one of the time zone database: a known zone, or a place in a known area.
/// The places themselves are not listed here.
pub fn is_time_zone(zone: &str) -> bool {
    ZONES.contains(&zone)
        || zone.split_once('/').is_some_and(|(area, place)| {
            AREAS.contains(&area)
                && place.starts_with(|c: char| c.is_ascii_uppercase())
                && place
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'+' | b'/'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        for good in [
            "*/5 * * * *",
            "0 0 1 JAN mon-fri",
            "@daily",
            "0,30 1-5/2 * * ?",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(
            check("61 * * * *").unwrap_err(),
            "end of range (61) above maximum (59): 61"
        );
        assert!(
            check("* * * *")
                .unwrap_err()
                .starts_with("expected exactly 5 fields, found 4")
        );
    }
}
