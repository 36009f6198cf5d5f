//! The nearest of several words, for "did you mean".

/// The candidate nearest to `word`: the same in another case, or at most two edits (one for short words)
/// away. Ties go to the first.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = if word.chars().count() <= 4 { 1 } else { 2 };
    let lower = word.to_ascii_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = distance(&lower, &candidate.to_ascii_lowercase(), limit);
        let better = |d: usize| best.is_none_or(|(b, _)| d < b);
        if let Some(distance) = distance.filter(|d| better(*d)) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

const MAX_LENGTH: usize = 64;

/// Edits (insert, remove, replace, swap of neighbours) between two words; `None` beyond the limit.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit || a.len().max(b.len()) > MAX_LENGTH {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell =
                |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = cell(&last, j) + usize::from(x != y);
            let mut cost = replaced.min(cell(&last, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                cost = cost.min(cell(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|d| *d <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        let fields = [
            "replicas",
            "revisionHistoryLimit",
            "selector",
            "template",
            "name",
        ];
        for (word, want) in [
            ("replica", Some("replicas")),
            ("replicsa", Some("replicas")),
            ("Selector", Some("selector")),
            ("tempalte", Some("template")),
            ("nmae", Some("name")),
            ("image", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, fields.into_iter()), want, "{word}");
        }
    }
}
