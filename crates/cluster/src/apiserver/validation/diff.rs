//! A line difference as Go's `diff` package prints it: hunks with three lines of context.

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
    out.push_str(&format!(
        "@@ -{},{} +{},{} @@\n",
        old_start + 1,
        count('+'),
        new_start + 1,
        count('-')
    ));
    for (mark, text, _, _) in edits {
        out.push(*mark);
        out.push_str(text);
        out.push('\n');
    }
}

fn edits<'a>(old: &'a [String], new: &'a [String]) -> Vec<Edit<'a>> {
    let prefix = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - prefix;
    let suffix = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let mut edits: Vec<Edit<'a>> = Vec::new();
    for (i, line) in old.iter().take(prefix).enumerate() {
        edits.push((' ', line, i, i));
    }
    let a = old.get(prefix..old.len() - suffix).unwrap_or(&[]);
    let b = new.get(prefix..new.len() - suffix).unwrap_or(&[]);
    middle(&mut edits, a, b, prefix);
    for (i, line) in old.iter().enumerate().skip(old.len() - suffix) {
        edits.push((' ', line, i, i + new.len() - old.len()));
    }
    edits
}

/// The longest common subsequence of the parts that differ.
fn middle<'a>(edits: &mut Vec<Edit<'a>>, a: &'a [String], b: &'a [String], offset: usize) {
    let (n, m) = (a.len(), b.len());
    let width = m + 1;
    let mut table = vec![0u32; (n + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    let get = |table: &[u32], i: usize, j: usize| table.get(at(i, j)).copied().unwrap_or(0);
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            let best = if a.get(i) == b.get(j) {
                get(&table, i + 1, j + 1) + 1
            } else {
                get(&table, i + 1, j).max(get(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(at(i, j)) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < n || j < m {
        let (x, y) = (a.get(i), b.get(j));
        match (x, y) {
            (Some(x), Some(y)) if x == y => {
                edits.push((' ', x, offset + i, offset + j));
                i += 1;
                j += 1;
            }
            (Some(x), _) if y.is_none() || get(&table, i + 1, j) >= get(&table, i, j + 1) => {
                edits.push(('-', x, offset + i, offset + j));
                i += 1;
            }
            (_, Some(y)) => {
                edits.push(('+', y, offset + i, offset + j));
                j += 1;
            }
            _ => break,
        }
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
