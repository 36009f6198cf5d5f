//! Aligning cells as Go's `text/tabwriter` does, and small helpers for text.

/// How cells become columns.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// The least width of a column.
    pub min: usize,
    /// Blanks after the widest cell.
    pub padding: usize,
    /// Columns stay as wide as they once were.
    pub remember: bool,
}

/// As `kubectl get` aligns.
pub(crate) const TABLE: Style = Style {
    min: 6,
    padding: 3,
    remember: true,
};
/// As `kubectl describe` aligns.
pub(crate) const DESCRIBE: Style = Style {
    min: 0,
    padding: 2,
    remember: false,
};

/// Replaces tabs by blanks so that cells of consecutive lines stand in columns. A cell ends at a tab; what
/// follows a line's last tab does not shape a column.
pub(crate) fn align(text: &str, style: Style) -> String {
    align_after(text, style, &mut Vec::new())
}

/// Aligns text that follows other text; `remembered` holds the widths so far.
pub(crate) fn align_after(text: &str, style: Style, remembered: &mut Vec<usize>) -> String {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let lines: Vec<Vec<&str>> = body.split('\n').map(|l| l.split('\t').collect()).collect();
    let mut columns = Columns {
        lines: &lines,
        style,
        widths: Vec::new(),
        remembered,
        out: String::with_capacity(text.len() * 2),
    };
    // The writer flushes at every line of one cell: columns do not reach across it.
    let mut start = 0;
    for (i, line) in lines.iter().enumerate() {
        if line.len() == 1 {
            columns.format(start, i + 1);
            start = i + 1;
        }
    }
    columns.format(start, lines.len());
    let mut out = columns.out;
    if !text.ends_with('\n') {
        out.pop();
    }
    out
}

struct Columns<'a> {
    lines: &'a [Vec<&'a str>],
    style: Style,
    widths: Vec<usize>,
    remembered: &'a mut Vec<usize>,
    out: String,
}

impl Columns<'_> {
    fn format(&mut self, from: usize, to: usize) {
        let column = self.widths.len();
        let mut written = from;
        let mut at = from;
        while at < to {
            let in_column = |l: &Vec<&str>| column + 1 < l.len();
            if !in_column(&self.lines[at]) {
                at += 1;
                continue;
            }
            self.write(written, at);
            let mut width = self.style.min;
            let block = at;
            while at < to && in_column(&self.lines[at]) {
                let cell = self.lines[at].get(column).map_or(0, |c| c.chars().count());
                width = width.max(cell + self.style.padding);
                at += 1;
            }
            if self.style.remember {
                match self.remembered.get_mut(column) {
                    Some(old) => {
                        width = width.max(*old);
                        *old = width;
                    }
                    None => self.remembered.push(width),
                }
            }
            self.widths.push(width);
            self.format(block, at);
            self.widths.pop();
            written = at;
        }
        self.write(written, to);
    }

    fn write(&mut self, from: usize, to: usize) {
        for line in self.lines.get(from..to).unwrap_or(&[]) {
            for (j, cell) in line.iter().enumerate() {
                self.out.push_str(cell);
                if let Some(width) = self.widths.get(j) {
                    let blanks = width.saturating_sub(cell.chars().count());
                    self.out.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            self.out.push('\n');
        }
    }
}

/// The text, or a stand-in when it is empty.
pub(crate) fn or<'a>(text: &'a str, stand_in: &'a str) -> &'a str {
    if text.is_empty() { stand_in } else { text }
}

/// The text, or `<none>`.
pub(crate) fn or_none(text: &str) -> &str {
    or(text, "<none>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_break() {
        assert_eq!(
            align("NAME\tREADY\tAGE\nweb\t1/1\t3d\n", TABLE),
            "NAME   READY   AGE\nweb    1/1     3d\n"
        );
        assert_eq!(
            align("A:\tx\nLong:\ty\n  b:\n", DESCRIBE),
            "A:     x\nLong:  y\n  b:\n"
        );
        let broken = align("AAAA\tB\nx\tline1\nline2\nlonger cell\tB\n", TABLE);
        assert_eq!(broken, "AAAA   B\nx      line1\nline2\nlonger cell   B\n");
    }
}
