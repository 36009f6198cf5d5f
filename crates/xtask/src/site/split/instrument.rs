//! A copy of a module that notes what of it ran.

use super::module::{Module, malformed};
use super::rebuild::{Changes, rebuild};
use super::regions;
use crate::shell::Result;
use std::collections::BTreeSet;
use wasm_encoder::Instruction;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};

/// Marks are exported globals whose names begin so: 1 once it ran. Behind it: the function's
/// position, in decimal; for a region of it also `.` and its number.
pub const MARK: &str = "podscope_ran_";

/// What ran.
#[derive(Default)]
pub struct Ran {
    /// Positions of functions.
    pub functions: BTreeSet<u32>,
    /// Positions of functions, and numbers of regions.
    pub regions: BTreeSet<(u32, usize)>,
}

impl Ran {
    /// Reads the names of marks, without [`MARK`], between white space.
    pub fn read(text: &str) -> Self {
        let mut ran = Ran::default();
        for name in text.split_whitespace() {
            let (function, region) = match name.split_once('.') {
                Some((function, region)) => (function, region.parse().ok()),
                None => (name, None),
            };
            let Ok(function) = function.parse() else {
                continue;
            };
            match region {
                Some(region) => ran.regions.insert((function, region)),
                None => ran.functions.insert(function),
            };
        }
        ran
    }
}

/// Adds a mark to every defined function, and to every region that can be moved.
pub fn instrument(wasm: &[u8]) -> Result<Vec<u8>> {
    let module = Module::read(wasm)?;
    let mut same = RoundtripReencoder;
    let mut changes = Changes::default();
    let first = module.global_types.len();
    for (function, code) in module.defined().zip(regions::read(wasm)?) {
        let mut copy = same
            .new_function_with_parsed_locals(module.body(function)?)
            .map_err(malformed)?;
        let mut mark = |copy: &mut wasm_encoder::Function, name: String| {
            let global = (first + changes.marks.len()) as u32;
            copy.instruction(&Instruction::I32Const(1));
            copy.instruction(&Instruction::GlobalSet(global));
            changes.marks.push(format!("{MARK}{name}"));
        };
        mark(&mut copy, function.to_string());
        let mut regions = code.regions.iter().enumerate().peekable();
        for (at, operator) in code.operators.into_iter().enumerate() {
            while let Some((number, _)) = regions.next_if(|(_, region)| region.start == at) {
                mark(&mut copy, format!("{function}.{number}"));
            }
            copy.instruction(&same.instruction(operator).map_err(malformed)?);
        }
        changes.bodies.push(copy);
    }
    rebuild(&module, &changes)
}
