//! A line difference as the server prints it: hunks with three lines of context.
//!
//! Models: staging/src/k8s.io/apimachinery/pkg/util/diff (v1.36), which finds the longest run of equal lines,
//! then the longest ones before and after it; in long texts a run does not begin at a line that is frequent.

/// The hunks that turn `old` into `new`, each line with ` `, `-` or `+`.
pub fn unified(old: &[String], new: &[String]) -> String {
    let edits = edits(old, new);
    let mut out = String::new();
    let mut i = 0;
    while i < edits.len() {
        if edits.get(i).is_none_or(|e| e.0 == ' ') {
            i += 1;
            continue;
        }
        let start = i.saturating_sub(CONTEXT);
        let mut end = i;
        let mut quiet = 0;
        // A hunk goes on while changes are no more than twice the context apart.
        for (j, edit) in edits.iter().enumerate().skip(i) {
            if edit.0 == ' ' {
                quiet += 1;
                if quiet > 2 * CONTEXT {
                    break;
                }
            } else {
                quiet = 0;
                end = j;
            }
        }
        let stop = (end + 1 + CONTEXT).min(edits.len());
        hunk(&mut out, edits.get(start..stop).unwrap_or(&[]));
        i = stop;
    }
    out
}

const CONTEXT: usize = 3;

/// One line: its mark, its text, and how many old and new lines came before it.
type Edit<'a> = (char, &'a str, usize, usize);

fn hunk(out: &mut String, edits: &[Edit<'_>]) {
    let Some((_, _, old_start, new_start)) = edits.first() else {
        return;
    };
    let count = |skip: char| edits.iter().filter(|e| e.0 != skip).count();
    let old = range(*old_start, count('+'));
    let new = range(*new_start, count('-'));
    out.push_str(&format!("@@ -{old} +{new} @@\n"));
    for (mark, text, _, _) in edits {
        out.push(*mark);
        out.push_str(text);
        out.push('\n');
    }
}

/// The lines of a hunk on one side: `12`, or `12,3`; nothing is counted from the line before.
fn range(start: usize, count: usize) -> String {
    match count {
        1 => (start + 1).to_string(),
        0 => format!("{start},0"),
        _ => format!("{},{count}", start + 1),
    }
}

fn edits<'a>(old: &'a [String], new: &'a [String]) -> Vec<Edit<'a>> {
    let mut runs = Runs::of(old, new);
    runs.find((0, old.len()), (0, new.len()));
    podscope_api::sort::by(&mut runs.found, |a, b| a.0.cmp(&b.0));
    runs.found.push((old.len(), new.len(), 0));
    let mut edits: Vec<Edit<'a>> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (a, b, length) in runs.found {
        for line in old.get(i..a).unwrap_or(&[]) {
            edits.push(('-', line, i, j));
            i += 1;
        }
        for line in new.get(j..b).unwrap_or(&[]) {
            edits.push(('+', line, i, j));
            j += 1;
        }
        for line in old.get(a..a + length).unwrap_or(&[]) {
            edits.push((' ', line, i, j));
            i += 1;
            j += 1;
        }
    }
    edits
}

/// Texts of at least so many lines have frequent lines.
const LONG: usize = 200;

/// Runs of equal lines.
struct Runs<'a> {
    old: &'a [String],
    new: &'a [String],
    /// For each old line the places of its like in the new text; none for frequent lines.
    places: Vec<Vec<usize>>,
    /// Old place, new place, length.
    found: Vec<(usize, usize, usize)>,
}

impl<'a> Runs<'a> {
    fn of(old: &'a [String], new: &'a [String]) -> Runs<'a> {
        let mut order: Vec<usize> = (0..new.len()).collect();
        podscope_api::sort::by(&mut order, |a, b| new.get(*a).cmp(&new.get(*b)));
        let frequent = if new.len() >= LONG {
            new.len() / 100 + 1
        } else {
            usize::MAX
        };
        let line = |j: &usize| new.get(*j);
        let places = old.iter().map(|text| {
            let from = order.partition_point(|j| line(j) < Some(text));
            let to = order.partition_point(|j| line(j) <= Some(text));
            let like = order.get(from..to).unwrap_or(&[]);
            if like.len() > frequent {
                Vec::new()
            } else {
                like.to_vec()
            }
        });
        Runs {
            old,
            new,
            places: places.collect(),
            found: Vec::new(),
        }
    }

    fn same(&self, i: usize, j: usize) -> bool {
        self.old.get(i).is_some_and(|a| self.new.get(j) == Some(a))
    }

    /// Finds the longest run between the bounds and those beside it.
    fn find(&mut self, old: (usize, usize), new: (usize, usize)) {
        let mut todo = vec![(old, new)];
        while let Some(((from, to), (first, last))) = todo.pop() {
            let (mut a, mut b, mut length) = self.longest((from, to), (first, last));
            while a > from && b > first && self.same(a - 1, b - 1) {
                (a, b, length) = (a - 1, b - 1, length + 1);
            }
            while a + length < to && b + length < last && self.same(a + length, b + length) {
                length += 1;
            }
            if length > 0 {
                self.found.push((a, b, length));
                todo.push(((from, a), (first, b)));
                todo.push(((a + length, to), (b + length, last)));
            }
        }
    }

    fn longest(&self, old: (usize, usize), new: (usize, usize)) -> (usize, usize, usize) {
        let mut best = (old.0, new.0, 0);
        // Lengths of the runs that end at the old line before, by new place.
        let mut before: Vec<(usize, usize)> = Vec::new();
        for i in old.0..old.1 {
            let mut now = Vec::new();
            let places = self.places.get(i).map_or(&[][..], Vec::as_slice);
            for j in places.iter().filter(|j| **j >= new.0 && **j < new.1) {
                let earlier = before.iter().find(|(p, _)| p + 1 == *j);
                let length = earlier.map_or(0, |(_, length)| *length) + 1;
                now.push((*j, length));
                if length > best.2 {
                    best = (i + 1 - length, j + 1 - length, length);
                }
            }
            before = now;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_changed() {
        let lines = |s: &str| s.split(' ').map(String::from).collect::<Vec<_>>();
        let got = unified(&lines("a b c d e f g h"), &lines("a b c d X f g h"));
        assert_eq!(got, "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+X\n f\n g\n h\n");
    }
}
