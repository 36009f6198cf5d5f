//! Cuts a compiled module in two: the part that the first scene runs, and the part that comes later.
//!
//! A visitor waits for the first part only. The second is fetched at the first sign of use (the
//! page's script does that), or at the latest when something calls into it: then the call waits.
//! Which function goes where is not guessed: an instrumented build is opened in a browser and says
//! what ran (see `profile`). A function that did not run is not lost and not slower later; both
//! parts share memory, tables and globals, so the result is the same program.
//!
//! The first part has a *door* in place of every function of the second that it mentions: a
//! function of the same type, which makes sure that the second part is there and jumps through a
//! table of its own. The second part fills that table, and puts its functions in place of their
//! doors in the table for indirect calls, when it is instantiated.

mod data;
mod first;
mod instrument;
mod later;
mod module;
mod names;
mod order;
mod outline;
mod profile;
mod rebuild;
mod regions;
mod strip;

use instrument::{MARK, Ran, instrument};
use outline::outline;
pub use profile::divide;
pub use strip::strip;

use crate::shell::{Result, say};
use crate::workspace;
use data::Constants;
use module::Module;
use std::collections::BTreeSet;

/// The import that a door calls when the second part is not there: module and name.
pub const LOAD: (&str, &str) = ("podscope", "load");
/// The first part's export that says whether the second is there: a global, 0 or 1.
pub const READY: &str = "podscope_ready";
/// The module name under which the second part imports the first.
pub const FIRST: &str = "podscope";

/// A module cut in two.
pub struct Split {
    /// Imports what the whole did, and [`LOAD`]; exports what the whole did, and what `later` needs.
    pub first: Vec<u8>,
    /// Imports from [`FIRST`]; exports nothing.
    pub later: Vec<u8>,
    /// The JavaScript, with the names of `first`.
    pub glue: String,
}

/// Cuts `wasm`. `ran`: positions of the functions that belong into the first part, counted over
/// imported and defined functions. `linked`: the same program as the linker wrote it, with its
/// relocations: it tells where constants lie. `glue`: wasm-bindgen's JavaScript. `None` when every function ran.
///
/// Errors: a module that is malformed, or uses what this does not handle (passive segments, function
/// references outside tables, threads).
pub fn split(wasm: &[u8], linked: &[u8], glue: &str, ran: &BTreeSet<u32>) -> Result<Option<Split>> {
    let module = Module::read(wasm)?;
    let plan = Plan::new(&module, ran)?;
    if plan.later.is_empty() {
        return Ok(None);
    }
    list(&module, &plan)?;
    let constants = Constants::read(linked)?;
    let moved = constants.of_later(&module, |function| !plan.later.contains(&function))?;
    let (kept, moved) = data::divide(&module, &moved)?;
    let (glue, renamed) = names::shorten(&module, glue)?;
    say(format!(
        "the engine in two parts: {} of {} functions come later",
        plan.later.len(),
        module.defined().len()
    ));
    Ok(Some(Split {
        first: first::write(&module, &plan, &kept, &renamed)?,
        later: later::write(&module, &plan, &moved)?,
        glue: names::without_comments(&glue),
    }))
}

/// Writes `target/engine-parts.tsv`: part (`door`: later, but called from the first), bytes of code,
/// name of every function, largest first.
fn list(module: &Module, plan: &Plan) -> Result<()> {
    let mut rows = Vec::new();
    let doors: BTreeSet<u32> = plan.doors.iter().copied().collect();
    for function in module.defined() {
        let part = match plan.later.contains(&function) {
            true if doors.contains(&function) => "door",
            true => "later",
            false => "first",
        };
        let size = module.body(function)?.as_bytes().len();
        let name = module.names.get(&function).copied().unwrap_or("?");
        rows.push((part, size, name));
    }
    rows.sort_by_key(|(part, size, name)| (*part, std::cmp::Reverse(*size), *name));
    let mut text = String::new();
    for (part, size, name) in rows {
        text += &format!("{part}\t{size}\t{name}\n");
    }
    workspace::write(
        &workspace::target().join("engine-parts.tsv"),
        text.as_bytes(),
    )
}

/// Who goes where. All lists hold positions in the whole module.
struct Plan {
    /// Defined functions of the second part.
    later: BTreeSet<u32>,
    /// Those of them that the first part mentions, in the order of their slots in the doors' table.
    doors: Vec<u32>,
    /// Functions of the first part (imported ones too) that the second calls, in the order of exports.
    shared: Vec<u32>,
    /// What the first part defines, in its order: what stays, then the doors.
    first: Vec<u32>,
}

impl Plan {
    fn new(module: &Module, ran: &BTreeSet<u32>) -> Result<Self> {
        let later: BTreeSet<u32> = module
            .defined()
            .filter(|function| !ran.contains(function) && module.start != Some(*function))
            .collect();
        let (mut doors, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for caller in module.defined() {
            for callee in module.callees(caller) {
                match (later.contains(&caller), later.contains(callee)) {
                    (false, true) => doors.insert(*callee),
                    (true, false) => shared.insert(*callee),
                    _ => false,
                };
            }
        }
        let mentioned = module.exported.iter().chain(module.indirect.values());
        doors.extend(mentioned.filter(|function| later.contains(function)));
        let stay = module
            .defined()
            .filter(|function| !later.contains(function));
        let order = order::order(module, stay, &doors, &shared)?;
        Ok(Plan {
            later,
            doors: order.doors,
            shared: order.shared,
            first: order.functions,
        })
    }
}

/// A short name for the first part's `n`-th export to the second, of a `kind` (one letter).
fn export_name(kind: char, n: usize) -> String {
    format!("{kind}{n:x}")
}

#[cfg(test)]
mod tests;
