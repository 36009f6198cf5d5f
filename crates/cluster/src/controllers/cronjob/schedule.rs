//! When a cron schedule is due.
//!
//! Models: github.com/robfig/cron v3 as used by pkg/controller/cronjob (v1.36)
//! Left out: time zones other than UTC.

use crate::apiserver::validation::cron;
use podscope_api::time::civil_from_days;
use podscope_api::{Object, Timestamp, Value};

/// One second in microseconds.
const SECOND: i64 = 1_000_000;
/// How many days ahead a schedule is looked for: five years.
const DAYS: i64 = 5 * 366;

/// A schedule that has been read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// Minutes, hours, days, months and weekdays as bits; whether days and weekdays are given at all.
    Fields([u64; 5], (bool, bool)),
    /// So many microseconds after the last time.
    Every(i64),
}

/// Lowest and highest value of each field.
const BOUNDS: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
const DAYS_OF_WEEK: &str = "sunmontuewedthufrisat";

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// The parser's complaint.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        cron::check(text)?;
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        if let Some(every) = text.strip_prefix("@every ") {
            let nanos = podscope_api::duration::parse_go(every).unwrap_or(0);
            let seconds = (nanos / 1_000_000_000).max(1);
            return Ok(Schedule::Every(seconds.saturating_mul(SECOND)));
        }
        let mut bits = [0; 5];
        let mut stars = [false; 5];
        let fields = text.split_whitespace().zip(BOUNDS).enumerate();
        for (i, (field, bounds)) in fields {
            for part in field.split(',').filter(|p| !p.is_empty()) {
                let (more, star) = part_bits(part, bounds, i);
                bits[i] |= more;
                stars[i] |= star;
            }
        }
        Ok(Schedule::Fields(bits, (stars[2], stars[4])))
    }

    /// The first time after `after`; `None` when there is none within five years.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let (bits, stars) = match self {
            Schedule::Every(span) => {
                let whole = after.0.div_euclid(SECOND) * SECOND;
                return Some(Timestamp(whole.saturating_add(*span)));
            }
            Schedule::Fields(bits, stars) => (bits, stars),
        };
        let minute = after.0.div_euclid(60 * SECOND) + 1;
        let first = minute.div_euclid(1_440);
        let [minutes, hours, days, months, weekdays] = *bits;
        let has = |set: u64, n: i64| set >> n & 1 == 1;
        for day in first..first + DAYS {
            let (_, month, date) = civil_from_days(day);
            // 1970-01-01 was a Thursday.
            let weekday = (day + 4).rem_euclid(7);
            let (a, b) = (has(days, date), has(weekdays, weekday));
            let fits = if stars.0 || stars.1 { a && b } else { a || b };
            if !has(months, month) || !fits {
                continue;
            }
            let from = if day == first {
                minute.rem_euclid(1_440)
            } else {
                0
            };
            let due = (from..1_440).find(|m| has(hours, m / 60) && has(minutes, m % 60));
            if let Some(m) = due {
                return Some(Timestamp((day * 1_440 + m) * 60 * SECOND));
            }
        }
        None
    }
}

/// The bits of one part of a field, and whether it is a star.
fn part_bits(part: &str, (low, high): (u32, u32), field: usize) -> (u64, bool) {
    let (range, step) = part
        .split_once('/')
        .map_or((part, None), |(r, s)| (r, Some(s)));
    let value = |text: &str| -> u32 {
        let names = match field {
            3 => MONTHS,
            4 => DAYS_OF_WEEK,
            _ => "",
        };
        let lower = text.to_ascii_lowercase();
        match names.find(&lower) {
            Some(at) if lower.len() == 3 => {
                u32::try_from(at / 3).unwrap_or(0) + u32::from(field == 3)
            }
            _ => text.parse().unwrap_or(low),
        }
    };
    let star = matches!(range.split('-').next(), Some("*" | "?"));
    let (from, to) = match range.split_once('-') {
        _ if star => (low, high),
        Some((from, to)) => (value(from), value(to)),
        None if step.is_some() => (value(range), high),
        None => (value(range), value(range)),
    };
    let step = step.and_then(|s| s.parse::<u32>().ok()).unwrap_or(1).max(1);
    let mut bits = 0;
    let mut n = from;
    while n <= to.min(high) {
        bits |= 1 << n;
        n += step;
    }
    (bits, star && step == 1)
}

/// The time that a text in a field says.
pub fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(Timestamp::parse)
}

/// Since when times count.
fn earliest(cron: &Object, now: Timestamp, with_deadline: bool) -> Timestamp {
    let last = time(cron.at("status.lastScheduleTime"));
    let from = last.or(cron.created()).unwrap_or(now);
    let deadline = cron.at("spec.startingDeadlineSeconds").as_int();
    match deadline.filter(|_| with_deadline) {
        Some(seconds) => Timestamp(
            from.0
                .max(now.0.saturating_sub(seconds.saturating_mul(1_000_000))),
        ),
        None => from,
    }
}

/// The latest time of the schedule that has passed, and how many have.
pub fn most_recent(
    cron: &Object,
    schedule: &Schedule,
    now: Timestamp,
    with_deadline: bool,
) -> (Option<Timestamp>, usize) {
    let from = earliest(cron, now, with_deadline);
    let mut last = None;
    let mut missed = 0;
    let mut at = schedule.next(from);
    // More than ten thousand missed times are not told apart: it goes on from a day before now.
    while let Some(due) = at.filter(|due| *due <= now) {
        last = Some(due);
        missed += 1;
        let jump = missed == 10_000 && now.0 - due.0 > 86_400_000_000;
        let from = if jump {
            Timestamp(now.0 - 86_400_000_000)
        } else {
            due
        };
        at = schedule.next(from);
        if missed > 20_000 {
            break;
        }
    }
    (last, missed)
}

/// `Fri, 20 Nov 2026 11:23:00 +0000`
pub fn rfc1123(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = at.unix_seconds();
    let day = seconds.div_euclid(86_400);
    let (year, month, date) = civil_from_days(day);
    let pick = |names: &[&'static str], n: i64| {
        let i = usize::try_from(n).unwrap_or(0);
        names.get(i).copied().unwrap_or("")
    };
    let (weekday, month) = (pick(&DAYS, day.rem_euclid(7)), pick(&MONTHS, month - 1));
    let rest = seconds.rem_euclid(86_400);
    let (h, m, s) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{weekday}, {date:02} {month} {year} {h:02}:{m:02}:{s:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        let after = Timestamp::parse(after).expect("time");
        let schedule = Schedule::parse(schedule).expect("schedule");
        schedule
            .next(after)
            .map_or_else(String::new, Timestamp::seconds_text)
    }

    #[test]
    fn the_next_time_is_found() {
        for (schedule, after, due) in [
            ("* * * * *", "2026-11-20T11:22:01Z", "2026-11-20T11:23:00Z"),
            ("* * * * *", "2026-11-20T11:22:00Z", "2026-11-20T11:23:00Z"),
            (
                "*/15 * * * *",
                "2026-11-20T11:46:00Z",
                "2026-11-20T12:00:00Z",
            ),
            ("5 4 * * *", "2026-12-31T05:00:00Z", "2027-01-01T04:05:00Z"),
            ("0 0 29 2 *", "2026-11-20T11:22:00Z", "2028-02-29T00:00:00Z"),
            (
                "0 9 * * MON-FRI",
                "2026-11-20T09:00:00Z",
                "2026-11-23T09:00:00Z",
            ),
            ("0 0 13 * 5", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"),
            (
                "0 0 1 jan ?",
                "2026-11-20T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            ("@every 90s", "2026-11-20T11:22:00Z", "2026-11-20T11:23:30Z"),
            ("@weekly", "2026-11-20T11:22:00Z", "2026-11-22T00:00:00Z"),
            (
                "30-59/10 8,20 * * *",
                "2026-11-20T08:50:00Z",
                "2026-11-20T20:30:00Z",
            ),
            ("0 0 31 2 *", "2026-11-20T11:22:00Z", ""),
        ] {
            assert_eq!(next(schedule, after), due, "{schedule}");
        }
        assert!(Schedule::parse("61 * * * *").is_err());
    }
}
