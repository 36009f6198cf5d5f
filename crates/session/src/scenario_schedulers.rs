//! The scheduler's profiles of a scenario: `name=Strategy`.

use crate::scenario::{ScenarioError, error};
use podscope_api::Text;
use podscope_cluster::scheduler::profile::Strategy;

/// How many profiles the scheduler may have.
const MAX_SCHEDULERS: usize = 16;

/// The profiles, by name with how each rates full nodes.
///
/// # Errors
/// A name that cannot be one, an unknown strategy, points that make no line, or too many profiles.
#[inline(never)]
pub(crate) fn read(texts: &[String]) -> Result<Vec<(Text, Strategy)>, ScenarioError> {
    if texts.len() > MAX_SCHEDULERS {
        return error(format!("more than {MAX_SCHEDULERS} schedulers"));
    }
    texts.iter().map(|text| scheduler(text)).collect()
}

/// A profile from `name=Strategy` or `name=RequestedToCapacityRatio:0=0,100=10`.
fn scheduler(text: &str) -> Result<(Text, Strategy), ScenarioError> {
    let (name, strategy) = text.split_once('=').unwrap_or((text, "LeastAllocated"));
    if let Some(why) = podscope_api::selector::subdomain_errors(name).first() {
        return error(format!("cluster.schedulers: name {name:?}: {why}"));
    }
    let strategy = match strategy.split_once(':') {
        None if strategy == "LeastAllocated" => Strategy::LeastAllocated,
        None if strategy == "MostAllocated" => Strategy::MostAllocated,
        Some(("RequestedToCapacityRatio", shape)) => {
            Strategy::RequestedToCapacityRatio(broken_line(shape)?)
        }
        _ => {
            return error(format!(
                "cluster.schedulers: {strategy:?}; it must be LeastAllocated, MostAllocated or RequestedToCapacityRatio:0=0,100=10"
            ));
        }
    };
    Ok((name.into(), strategy))
}

/// Points of (utilization in percent, score 0 to 100) from `utilization=score` with scores of 0 to 10.
fn broken_line(shape: &str) -> Result<Vec<(i64, i64)>, ScenarioError> {
    let mut points: Vec<(i64, i64)> = Vec::new();
    for point in shape.split(',') {
        let read = point.split_once('=').and_then(|(x, y)| {
            let (x, y) = (x.trim().parse::<i64>().ok()?, y.trim().parse::<i64>().ok()?);
            ((0..=100).contains(&x) && (0..=10).contains(&y)).then_some((x, y * 10))
        });
        let Some(read) = read.filter(|(x, _)| points.last().is_none_or(|(last, _)| last < x))
        else {
            return error(format!(
                "cluster.schedulers: {point:?} is not utilization=score, 0 to 100 and 0 to 10, utilization rising"
            ));
        };
        points.push(read);
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_names_with_a_strategy() {
        let one = |text: &str| read(&[text.to_string()]);
        assert_eq!(
            one("packed=MostAllocated"),
            Ok(vec![("packed".into(), Strategy::MostAllocated)])
        );
        assert_eq!(
            one("plain"),
            Ok(vec![("plain".into(), Strategy::LeastAllocated)])
        );
        let line = Strategy::RequestedToCapacityRatio(vec![(0, 0), (80, 100), (100, 50)]);
        let text = "line=RequestedToCapacityRatio:0=0,80=10,100=5";
        assert_eq!(one(text), Ok(vec![("line".into(), line)]));
        for bad in [
            "=MostAllocated",
            "Big=MostAllocated",
            "x=Most",
            "x=RequestedToCapacityRatio:",
            "x=RequestedToCapacityRatio:50=1,50=2",
            "x=RequestedToCapacityRatio:0=11",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
        assert!(read(&vec!["a".to_string(); 17]).is_err());
    }
}
