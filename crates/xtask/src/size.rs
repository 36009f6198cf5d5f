//! What a visitor downloads, against the budgets.

use crate::shell::{Context, Result};
use crate::workspace;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const KIB: usize = 1024;

/// A budget: brotli bytes.
struct Budget {
    name: &'static str,
    target: usize,
    hard: usize,
}

const FIRST_LOAD: Budget = Budget {
    name: "first load (html+css+js+wasm)",
    target: 260 * KIB,
    hard: 350 * KIB,
};
const FIRST_SCENE: Budget = Budget {
    name: "first readable scene (html+css)",
    target: 14 * KIB,
    hard: 18 * KIB,
};
const EMBED_LOADER: Budget = Budget {
    name: "embed loader",
    target: 4 * KIB,
    hard: 6 * KIB,
};

/// The embed's script, the only thing that a host page loads before a figure scrolls into view.
const EMBED_FILE: &str = "pod-scope.js";

#[derive(Clone, Copy, Default)]
struct Size {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl std::ops::AddAssign for Size {
    fn add_assign(&mut self, other: Size) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }
}

/// `cargo xtask size`: measures `dist/`, fails above a hard limit.
pub fn report() -> Result<()> {
    let over = measure_site()?;
    match over.is_empty() {
        true => Ok(()),
        false => Err(format!("above the hard limit: {}", names(&over))),
    }
}

/// For the tests: as [`report`], but an excess that the repository owns up to in `size-debt.txt`
/// (lines `bytes name`) may stay for a while. It may not grow, and the file goes when it is paid.
pub fn check() -> Result<String> {
    let over = measure_site()?;
    let file = workspace::root().join("size-debt.txt");
    let debt = match file.is_file() {
        true => workspace::read(&file)?,
        false => String::new(),
    };
    let unowned: Vec<Excess> = over
        .iter()
        .filter(|e| !is_owned(e, &debt))
        .copied()
        .collect();
    if !unowned.is_empty() {
        return Err(format!("above the hard limit: {}", names(&unowned)));
    }
    if over.is_empty() && !debt.is_empty() {
        return Err("every size is within its hard limit: remove size-debt.txt".to_owned());
    }
    Ok(match over.is_empty() {
        true => String::new(),
        false => format!(
            "ABOVE THE HARD LIMIT, owned up to in size-debt.txt: {}",
            names(&over)
        ),
    })
}

/// A size above its hard limit: the budget's name, and brotli bytes.
type Excess = (&'static str, usize);

fn names(over: &[Excess]) -> String {
    over.iter()
        .map(|(name, bytes)| format!("{name} {bytes}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn is_owned((name, bytes): &Excess, debt: &str) -> bool {
    let lines = debt.lines().filter_map(|line| line.split_once(' '));
    let mut limits = lines.filter(|(_, owned)| owned == name);
    limits.any(|(limit, _)| limit.parse().is_ok_and(|limit: usize| *bytes <= limit))
}

fn measure_site() -> Result<Vec<Excess>> {
    let dist = workspace::dist();
    let index = dist.join("index.html");
    if !index.is_file() {
        return Err("dist/ is empty: run `cargo xtask build` first".to_owned());
    }
    println!(
        "{:<46} {:>10} {:>10} {:>10}  budget (brotli)",
        "bytes", "raw", "gzip 9", "brotli 11"
    );
    let (mut load, mut scene) = (Size::default(), Size::default());
    for file in first_load(&dist, &workspace::read(&index)?) {
        let size = measure(&file)?;
        row(&format!("  {}", name_of(&file)), size, "");
        load += size;
        if matches!(
            file.extension().and_then(|e| e.to_str()),
            Some("html" | "css")
        ) {
            scene += size;
        }
    }
    let mut over = Vec::new();
    judge(&FIRST_LOAD, load, &mut over);
    judge(&FIRST_SCENE, scene, &mut over);
    let embed = dist.join(EMBED_FILE);
    match embed.is_file() {
        true => judge(&EMBED_LOADER, measure(&embed)?, &mut over),
        false => println!("{:<46} {:>10}", EMBED_LOADER.name, "absent"),
    }
    Ok(over)
}

fn judge(budget: &Budget, size: Size, over: &mut Vec<Excess>) {
    let verdict = if size.brotli > budget.hard {
        over.push((budget.name, size.brotli));
        "TOO LARGE"
    } else if size.brotli > budget.target {
        "above target"
    } else {
        "ok"
    };
    let (target, hard) = (budget.target / KIB, budget.hard / KIB);
    row(
        budget.name,
        size,
        &format!("{target} KiB, at most {hard} KiB: {verdict}"),
    );
}

fn row(name: &str, size: Size, note: &str) {
    let Size { raw, gzip, brotli } = size;
    println!("{name:<46} {raw:>10} {gzip:>10} {brotli:>10}  {note}");
}

fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The page, and every file of the site that it names in a `href` or `src` that a browser loads.
fn first_load(dist: &Path, index: &str) -> Vec<PathBuf> {
    let mut files = vec![dist.join("index.html")];
    for tag in index.split('<').filter(|tag| is_loaded(tag)) {
        let quoted = tag.split('"').filter_map(|word| word.strip_prefix("./"));
        for file in quoted
            .map(|name| dist.join(name))
            .filter(|file| file.is_file())
        {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    files
}

fn is_loaded(tag: &str) -> bool {
    tag.starts_with("link ") || tag.starts_with("script ") || tag.starts_with("img ")
}

fn measure(file: &Path) -> Result<Size> {
    let bytes = workspace::read_bytes(file)?;
    let failed = || file.display().to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes).context(failed)?;
    let gzip = gzip.finish().context(failed)?.len();
    Ok(Size {
        raw: bytes.len(),
        gzip,
        brotli: brotli_size(&bytes).context(failed)?,
    })
}

fn brotli_size(bytes: &[u8]) -> std::io::Result<usize> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &parameters)?;
    Ok(compressed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_compresses() {
        let bytes = b"replicas: 3\n".repeat(1000);
        assert!(brotli_size(&bytes).expect("compresses") < 100);
    }

    #[test]
    fn the_hard_limit_is_a_failure_and_the_target_is_not() {
        let mut over = Vec::new();
        judge(
            &EMBED_LOADER,
            Size {
                brotli: 5 * KIB,
                ..Size::default()
            },
            &mut over,
        );
        assert!(over.is_empty());
        judge(
            &EMBED_LOADER,
            Size {
                brotli: 6 * KIB + 1,
                ..Size::default()
            },
            &mut over,
        );
        assert_eq!(over, [("embed loader", 6 * KIB + 1)]);
    }

    #[test]
    fn an_excess_may_be_owned_but_not_grow() {
        let excess = ("embed loader", 7_000);
        assert!(is_owned(&excess, "7000 embed loader\n"));
        assert!(!is_owned(&excess, "6999 embed loader\n"));
        assert!(!is_owned(&excess, "9000 first load\n"));
        assert!(!is_owned(&excess, ""));
    }
}
