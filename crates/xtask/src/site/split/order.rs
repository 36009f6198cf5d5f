//! The order of the first part's functions.
//!
//! Any order is the same program; this one compresses best. The most called ones, which the optimizer
//! put in front, keep their short numbers. Then come those that the second part calls, so that the
//! list of exports counts up, and the rest, both by type, so that the list of types repeats itself;
//! then the doors by type, so that one door differs from the next by its slot only.

use super::module::Module;
use std::collections::{BTreeMap, BTreeSet};

/// Functions with the smallest numbers, which take one byte to call, are left where they are.
const SHORT: usize = 120;

/// Positions in the whole module, in the order of the first part.
pub struct Order {
    /// Defined functions, doors behind the others.
    pub functions: Vec<u32>,
    /// The doors, in the order of their slots.
    pub doors: Vec<u32>,
    /// What the second part calls (imported functions too), in the order of the exports.
    pub shared: Vec<u32>,
}

/// Orders the functions that `stay`, the `doors` and the `shared` ones. Errors: a malformed module.
pub fn order(
    module: &Module,
    stay: impl Iterator<Item = u32>,
    doors: &BTreeSet<u32>,
    shared: &BTreeSet<u32>,
) -> crate::shell::Result<Order> {
    let mut functions: Vec<u32> = stay.collect();
    let mut rest = functions.split_off(SHORT.min(functions.len()));
    let types: BTreeMap<u32, u32> = module
        .defined()
        .map(|function| Ok((function, module.type_of(function)?)))
        .collect::<crate::shell::Result<_>>()?;
    let type_of = |function: &u32| types.get(function).copied();
    rest.sort_by_key(|function| (!shared.contains(function), type_of(function)));
    functions.append(&mut rest);
    let mut doors: Vec<u32> = doors.iter().copied().collect();
    doors.sort_by_key(type_of);
    functions.extend(&doors);
    let imported = shared.range(..module.imported).copied();
    let own = functions.iter().copied().filter(|f| shared.contains(f));
    Ok(Order {
        shared: imported.chain(own).collect(),
        functions,
        doors,
    })
}
