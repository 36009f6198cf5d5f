//! Sorting with one copy of the algorithm in the program, whatever is sorted: the standard library's
//! sorts are compiled anew for each type and order, which weighs much in the browser.

use std::cmp::Ordering;

/// Runs of this many are sorted by insertion before they are merged.
const RUN: usize = 8;

/// Sorts stably by `order`.
pub fn by<T>(list: &mut [T], mut order: impl FnMut(&T, &T) -> Ordering) {
    let positions = positions(list.len(), &mut |a, b| match (
        list.get(a as usize),
        list.get(b as usize),
    ) {
        (Some(a), Some(b)) => order(a, b),
        _ => Ordering::Equal,
    });
    arrange(list, positions);
}

/// Brings to each place what stands at the position given for it.
pub fn arrange<T>(list: &mut [T], positions: Vec<u32>) {
    for (a, b) in swaps(positions) {
        list.swap(a as usize, b as usize);
    }
}

/// Sorts stably by what `key` says of each; `key` is asked for it at every comparison.
pub fn by_key<T, K: Ord>(list: &mut [T], mut key: impl FnMut(&T) -> K) {
    by(list, |a, b| key(a).cmp(&key(b)));
}

/// Sorts stably in the natural order.
pub fn natural<T: Ord>(list: &mut [T]) {
    by(list, T::cmp);
}

/// Sorts texts by their bytes.
pub fn texts<T: AsRef<str>>(list: &mut [T]) {
    by(list, |a, b| a.as_ref().cmp(b.as_ref()));
}

/// The positions `0..len` in the order of what stands there.
fn positions(len: usize, order: &mut dyn FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut sorted: Vec<u32> = (0..len as u32).collect();
    for run in sorted.chunks_mut(RUN) {
        for end in 1..run.len() {
            let mut at = end;
            while at > 0 && order(run[at - 1], run[at]) == Ordering::Greater {
                run.swap(at - 1, at);
                at -= 1;
            }
        }
    }
    let mut merged = Vec::with_capacity(len);
    let mut width = RUN;
    while width < len {
        merged.clear();
        for pair in sorted.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let ([a, after_a @ ..], [b, after_b @ ..]) = (left, right) {
                if order(*a, *b) == Ordering::Greater {
                    merged.push(*b);
                    right = after_b;
                } else {
                    merged.push(*a);
                    left = after_a;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut sorted, &mut merged);
        width *= 2;
    }
    sorted
}

/// The swaps that bring to each place what stands at the position given for it.
fn swaps(mut positions: Vec<u32>) -> Vec<(u32, u32)> {
    let mut swaps = Vec::new();
    for start in 0..positions.len() {
        let mut at = start;
        loop {
            let from = positions[at] as usize;
            positions[at] = at as u32;
            if from == start {
                break;
            }
            swaps.push((at as u32, from as u32));
            at = from;
        }
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut state = 1_u64;
        for len in (0..40).chain([63, 64, 65, 100, 1000]) {
            for values in [2, 10, 1_000_000] {
                let list: Vec<(u64, usize)> = (0..len)
                    .map(|i| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        ((state >> 33) % values, i)
                    })
                    .collect();
                let mut ours = list.clone();
                by_key(&mut ours, |(value, _)| *value);
                let mut theirs = list.clone();
                theirs.sort_by_key(|(value, _)| *value);
                assert_eq!(ours, theirs, "{len} {values}");
                ours.reverse();
                by(&mut ours, |a, b| b.cmp(a));
                theirs.sort_by(|a, b| b.cmp(a));
                assert_eq!(ours, theirs, "{len} {values}");
            }
        }
        let mut names = vec!["b".to_string(), "a".to_string()];
        texts(&mut names);
        assert_eq!(names, ["a", "b"]);
        let mut numbers = [3, 1, 2];
        natural(&mut numbers);
        assert_eq!(numbers, [1, 2, 3]);
    }
}
