//! Speed of the engine against the budgets of the page.
//!
//! `cargo bench -p podscope-session [-- WORD…] [--large] [--huge]`: lines whose names contain a word;
//! `--large` adds 1,000 nodes with 10,000 Pods, `--huge` 5,000 nodes with 150,000 Pods.
//! Lines that begin with `schedule,` say how many Pods the scheduler places in a second.
//! `cargo xtask bench` runs the same in Node. Budgets are those of a desktop browser; a native
//! build is faster, so it has to stay well below them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen as _;

mod cases;
mod clock;
mod scheduling;
mod table;

fn main() {
    let (flags, words): (Vec<String>, Vec<String>) = clock::arguments()
        .into_iter()
        .partition(|word| word.starts_with('-'));
    let mut table = table::Table::new(words);
    cases::all(&mut table);
    scheduling::all(&mut table);
    if flags.iter().any(|f| f == "--large") {
        cases::crowd(&mut table, 1_000, 10_000, table::budget(2_000.0, 5_000.0));
    }
    if flags.iter().any(|f| f == "--huge") {
        cases::crowd(
            &mut table,
            5_000,
            150_000,
            table::budget(60_000.0, 180_000.0),
        );
    }
    clock::say(&match table.over {
        0 => "every line is within its hard limit".to_owned(),
        n => format!("{n} lines are OVER their hard limit"),
    });
}
