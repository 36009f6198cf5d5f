//! Lines of text before and after, with what was added and removed.

use crate::view::{CodeLine, LineMark};

/// The most lines that are compared; more are shown without marks.
const MAX_LINES: usize = 800;

/// The lines of `after`, with lines only in `before` put where they were.
pub fn lines(before: &str, after: &str) -> Vec<CodeLine> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = |text: &str, mark| CodeLine {
        text: text.into(),
        mark,
    };
    if a.len() > MAX_LINES || b.len() > MAX_LINES {
        return b.iter().map(|l| line(l, LineMark::Same)).collect();
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a[start..]
        .iter()
        .rev()
        .zip(b[start..].iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (mid_a, mid_b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let mut out: Vec<CodeLine> = b[..start].iter().map(|l| line(l, LineMark::Same)).collect();
    // Longest common subsequence of the middle.
    let (n, m) = (mid_a.len(), mid_b.len());
    let mut lcs = vec![0u16; (n + 1) * (m + 1)];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            lcs[i * (m + 1) + j] = if mid_a[i] == mid_b[j] {
                lcs[(i + 1) * (m + 1) + j + 1] + 1
            } else {
                lcs[(i + 1) * (m + 1) + j].max(lcs[i * (m + 1) + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < n || j < m {
        if i < n && j < m && mid_a[i] == mid_b[j] {
            out.push(line(mid_b[j], LineMark::Same));
            (i, j) = (i + 1, j + 1);
        } else if i < n && (j == m || lcs[(i + 1) * (m + 1) + j] >= lcs[i * (m + 1) + j + 1]) {
            out.push(line(mid_a[i], LineMark::Del));
            i += 1;
        } else {
            out.push(line(mid_b[j], LineMark::Add));
            j += 1;
        }
    }
    out.extend(b[b.len() - end..].iter().map(|l| line(l, LineMark::Same)));
    out
}

/// Lines without marks.
pub fn plain(text: &str) -> Vec<CodeLine> {
    text.lines()
        .map(|l| CodeLine {
            text: l.into(),
            mark: LineMark::Same,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_and_removed_lines_stand_in_place() {
        let text: String = lines("a\nb\nc\nd", "a\nx\nc\nd\ne")
            .iter()
            .map(|l| {
                let sign = match l.mark {
                    LineMark::Add => '+',
                    LineMark::Del => '-',
                    _ => ' ',
                };
                format!("{sign}{} ", l.text)
            })
            .collect();
        assert_eq!(text, " a -b +x  c  d +e ");
    }
}
