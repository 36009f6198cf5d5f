//! Moves what did not run out of the functions that did.
//!
//! A region becomes a function: its parameters are the locals that it uses, its results those that
//! it changes. Where a region can leave in more than one way, a last result says which.

use super::instrument::Ran;
use super::module::{Module, malformed};
use super::rebuild::{Changes, rebuild};
use super::regions::{self, Code, Region};
use crate::shell::Result;
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{BlockType, Function, Instruction, ValType};
use wasmparser::Operator;

/// A region may be this many bytes smaller than what stands in its place and its door: that repeats
/// itself, and compresses better than the region.
const SLACK: usize = 14;

/// How a region is left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// At its end.
    Through,
    /// Out of the function.
    Return,
    /// To the end (of a loop: the start) of a block outside: how many blocks further out than the
    /// region's own.
    Branch(u32),
}

/// A region and how to move it.
struct Cut {
    region: Region,
    /// Locals that it reads or writes, in order.
    used: Vec<u32>,
    /// Those that it writes.
    written: Vec<u32>,
    exits: Vec<Exit>,
    /// The function's result, where it returns.
    returns: Option<wasmparser::ValType>,
}

/// Moves every region of a function that ran, which itself did not, into a function behind the
/// module's own.
pub fn outline(wasm: &[u8], ran: &Ran) -> Result<Vec<u8>> {
    let module = Module::read(wasm)?;
    let mut changes = Changes::default();
    let parameters = module.parameters()?;
    let mut types = Types {
        first: parameters.len(),
        known: BTreeMap::new(),
    };
    let results = module.results()?;
    for (function, code) in module.defined().zip(regions::read(wasm)?) {
        let own = module.type_of(function)?;
        let result = results.get(own as usize).cloned().unwrap_or_default();
        let cuts = match ran.functions.contains(&function) && result.len() <= 1 {
            true => cuts(
                &code,
                |region| ran.regions.contains(&(function, region)),
                &result,
            ),
            false => Vec::new(),
        };
        let name = module.names.get(&function).copied().unwrap_or_default();
        let parameters = parameters.get(own as usize).copied().unwrap_or_default() as usize;
        let body = rewrite(
            &code,
            &cuts,
            parameters,
            name,
            &module,
            &mut types,
            &mut changes,
        )?;
        changes.bodies.push(body);
    }
    changes.types = types.added();
    rebuild(&module, &changes)
}

/// Function types that are added.
struct Types {
    first: usize,
    known: BTreeMap<(Vec<u8>, Vec<u8>), (usize, Vec<ValType>, Vec<ValType>)>,
}

impl Types {
    fn index(&mut self, parameters: Vec<ValType>, results: Vec<ValType>) -> u32 {
        let key = |types: &[ValType]| {
            let mut bytes = Vec::new();
            for ty in types {
                wasm_encoder::Encode::encode(ty, &mut bytes);
            }
            bytes
        };
        let next = self.first + self.known.len();
        let entry = self.known.entry((key(&parameters), key(&results)));
        entry.or_insert((next, parameters, results)).0 as u32
    }

    fn added(self) -> Vec<(Vec<ValType>, Vec<ValType>)> {
        let mut all: Vec<_> = self.known.into_values().collect();
        all.sort_by_key(|(index, ..)| *index);
        all.into_iter()
            .map(|(_, parameters, results)| (parameters, results))
            .collect()
    }
}

/// The outermost regions that did not run and are worth it, in order.
fn cuts(code: &Code, ran: impl Fn(usize) -> bool, result: &[wasmparser::ValType]) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    let mut free = 0;
    for (number, region) in code.regions.iter().enumerate() {
        if region.start < free || ran(number) {
            continue;
        }
        if let Some(cut) = cut(code, region, result) {
            free = region.end;
            cuts.push(cut);
        }
    }
    cuts
}

fn cut(code: &Code, region: &Region, result: &[wasmparser::ValType]) -> Option<Cut> {
    let left = region.results.as_ref()?;
    let operators = code.operators.get(region.start..region.end)?;
    let (mut used, mut written, mut exits) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut nest = 0u32;
    // Blocks outside whose branches carry values cannot be a target; see `exit`.
    let exit = |depth: u32, nest: u32| match depth.checked_sub(nest) {
        None => Ok(None),
        Some(outer) if outer as usize + 1 == region.depth => match result.is_empty() {
            true => Ok(Some(Exit::Return)),
            false => Err(()),
        },
        Some(outer) => match code.carries(region.start, outer) {
            false => Ok(Some(Exit::Branch(outer))),
            true => Err(()),
        },
    };
    for operator in operators {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => nest += 1,
            Operator::End => nest = nest.checked_sub(1)?,
            Operator::LocalGet { local_index } => drop(used.insert(*local_index)),
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                used.insert(*local_index);
                written.insert(*local_index);
            }
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                exits.extend(exit(*relative_depth, nest).ok()?);
            }
            Operator::BrTable { targets } => {
                let mut depths: Vec<u32> = targets
                    .targets()
                    .collect::<std::result::Result<_, _>>()
                    .ok()?;
                depths.push(targets.default());
                if depths.iter().any(|depth| *depth >= nest) {
                    return None;
                }
            }
            Operator::Return => drop(exits.insert(Exit::Return)),
            Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => return None,
            _ => {}
        }
    }
    if region.falls_through {
        exits.insert(Exit::Through);
    }
    let returns = match exits.contains(&Exit::Return) {
        true => result.first().copied(),
        false => None,
    };
    let bytes = (code.offsets.get(region.end)? - code.offsets.get(region.start)?) as usize;
    let kept = 3 + 2 * used.len() + 2 * written.len() + 6 * exits.len() + 2 * left.len();
    let door = 14 + 2 * used.len();
    if bytes + SLACK < kept + door || used.len() > 40 || written.len() > 20 {
        return None;
    }
    Some(Cut {
        region: region.clone(),
        used: used.into_iter().collect(),
        written: written.into_iter().collect(),
        exits: exits.into_iter().collect(),
        returns,
    })
}

impl Code<'_> {
    /// Whether a branch from a region that begins at `start` to the `outer`-th block around it
    /// carries values.
    fn carries(&self, start: usize, outer: u32) -> bool {
        let mut closed = 0u32;
        let mut wanted = outer;
        for operator in self.operators.get(..start).unwrap_or_default().iter().rev() {
            match operator {
                Operator::End => closed += 1,
                Operator::Block { blockty }
                | Operator::Loop { blockty }
                | Operator::If { blockty } => {
                    if closed > 0 {
                        closed -= 1;
                    } else if wanted > 0 {
                        wanted -= 1;
                    } else {
                        return !matches!(blockty, wasmparser::BlockType::Empty);
                    }
                }
                _ => {}
            }
        }
        true
    }
}

/// A function with calls in place of its cuts; the cuts become functions.
fn rewrite(
    code: &Code,
    cuts: &[Cut],
    parameters: usize,
    name: &str,
    module: &Module,
    types: &mut Types,
    changes: &mut Changes,
) -> Result<Function> {
    let mut same = RoundtripReencoder;
    let mut locals = Vec::new();
    for ty in code.locals.get(parameters..).unwrap_or_default() {
        locals.push(same.val_type(*ty).map_err(malformed)?);
    }
    // One local more for the way out, and one for what is returned.
    let way = (parameters + locals.len()) as u32;
    let kept = way + 1;
    if !cuts.is_empty() {
        locals.push(ValType::I32);
        if let Some(ty) = cuts.iter().find_map(|cut| cut.returns) {
            locals.push(same.val_type(ty).map_err(malformed)?);
        }
    }
    let mut body = Function::new_with_locals_types(locals);
    let mut cuts = cuts.iter().peekable();
    let mut at = 0;
    while let Some(operator) = code.operators.get(at) {
        if let Some(cut) = cuts.next_if(|cut| cut.region.start == at) {
            let number = module.defined().end + changes.functions.len() as u32;
            let (moved, parameters, results) = function_of(code, cut)?;
            let ty = types.index(parameters, results);
            changes
                .functions
                .push((ty, moved, format!("{name} (rare)")));
            call(&mut body, cut, number, way, kept);
            at = cut.region.end;
            continue;
        }
        let operator = same.instruction(operator.clone()).map_err(malformed)?;
        body.instruction(&operator);
        at += 1;
    }
    Ok(body)
}

/// What stands in a region's place.
fn call(body: &mut Function, cut: &Cut, function: u32, way: u32, kept: u32) {
    for local in &cut.used {
        body.instruction(&Instruction::LocalGet(*local));
    }
    body.instruction(&Instruction::Call(function));
    let several = cut.exits.len() > 1;
    if several {
        body.instruction(&Instruction::LocalSet(way));
    }
    for local in cut.written.iter().rev() {
        body.instruction(&Instruction::LocalSet(*local));
    }
    if cut.returns.is_some() {
        body.instruction(&Instruction::LocalSet(kept));
    }
    for (n, exit) in cut.exits.iter().enumerate() {
        // The last way needs no question, and the end is left to the end.
        let last = n + 1 == cut.exits.len();
        if *exit == Exit::Through {
            continue;
        }
        let question = several && (!last || cut.exits.contains(&Exit::Through));
        if question {
            body.instruction(&Instruction::LocalGet(way));
            body.instruction(&Instruction::I32Const(n as i32));
            body.instruction(&Instruction::I32Eq);
        }
        match exit {
            Exit::Branch(outer) if question => {
                body.instruction(&Instruction::BrIf(*outer));
            }
            Exit::Branch(outer) => {
                body.instruction(&Instruction::Br(*outer));
            }
            Exit::Return | Exit::Through => {
                if question {
                    body.instruction(&Instruction::If(BlockType::Empty));
                }
                if cut.returns.is_some() {
                    body.instruction(&Instruction::LocalGet(kept));
                }
                body.instruction(&Instruction::Return);
                if question {
                    body.instruction(&Instruction::End);
                }
            }
        }
    }
    if cut.exits.is_empty() {
        body.instruction(&Instruction::Unreachable);
    }
}

/// A region as a function: body, parameters, results.
fn function_of(code: &Code, cut: &Cut) -> Result<(Function, Vec<ValType>, Vec<ValType>)> {
    let mut same = RoundtripReencoder;
    let mut encode = |ty: wasmparser::ValType| same.val_type(ty).map_err(malformed);
    let type_of = |local: &u32| {
        let ty = code.locals.get(*local as usize).copied();
        ty.ok_or_else(|| format!("there is no local {local}"))
    };
    let (mut parameters, mut results, mut extra) = (Vec::new(), Vec::new(), Vec::new());
    for local in &cut.used {
        parameters.push(encode(type_of(local)?)?);
    }
    let left: &[wasmparser::ValType] = match cut.region.falls_through {
        true => cut.region.results.as_deref().unwrap_or_default(),
        false => &[],
    };
    for ty in left.iter().chain(&cut.returns) {
        extra.push(encode(*ty)?);
        results.push(encode(*ty)?);
    }
    for local in &cut.written {
        results.push(encode(type_of(local)?)?);
    }
    let several = cut.exits.len() > 1;
    let way = (parameters.len() + extra.len()) as u32;
    if several {
        extra.push(ValType::I32);
        results.push(ValType::I32);
    }
    let (first_extra, kept) = (
        parameters.len() as u32,
        (parameters.len() + left.len()) as u32,
    );

    let mut body = Function::new_with_locals_types(extra);
    let take = |body: &mut Function, exit: Exit| {
        if several && let Some(n) = cut.exits.iter().position(|e| *e == exit) {
            body.instruction(&Instruction::I32Const(n as i32));
            body.instruction(&Instruction::LocalSet(way));
        }
    };
    let new_local = |local: u32| match cut.used.binary_search(&local) {
        Ok(at) => Ok(at as u32),
        Err(_) => Err(format!("local {local} is not among those used")),
    };
    body.instruction(&Instruction::Block(BlockType::Empty));
    let mut same = RoundtripReencoder;
    let mut nest = 0u32;
    let top = cut.region.depth as u32 - 1;
    let operators = code.operators.get(cut.region.start..cut.region.end);
    for operator in operators.unwrap_or_default() {
        match *operator {
            Operator::LocalGet { local_index } => {
                body.instruction(&Instruction::LocalGet(new_local(local_index)?));
            }
            Operator::LocalSet { local_index } => {
                body.instruction(&Instruction::LocalSet(new_local(local_index)?));
            }
            Operator::LocalTee { local_index } => {
                body.instruction(&Instruction::LocalTee(new_local(local_index)?));
            }
            Operator::Br { relative_depth } if relative_depth >= nest => {
                take(&mut body, leaving(relative_depth - nest, top));
                body.instruction(&Instruction::Br(nest));
            }
            Operator::BrIf { relative_depth } if relative_depth >= nest => {
                if several {
                    body.instruction(&Instruction::If(BlockType::Empty));
                    take(&mut body, leaving(relative_depth - nest, top));
                    body.instruction(&Instruction::Br(nest + 1));
                    body.instruction(&Instruction::End);
                } else {
                    body.instruction(&Instruction::BrIf(nest));
                }
            }
            Operator::Return => {
                if cut.returns.is_some() {
                    body.instruction(&Instruction::LocalSet(kept));
                }
                take(&mut body, Exit::Return);
                body.instruction(&Instruction::Br(nest));
            }
            _ => {
                match operator {
                    Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                        nest += 1
                    }
                    Operator::End => nest = nest.saturating_sub(1),
                    _ => {}
                }
                body.instruction(&same.instruction(operator.clone()).map_err(malformed)?);
            }
        }
    }
    if cut.region.falls_through {
        for n in (0..left.len() as u32).rev() {
            body.instruction(&Instruction::LocalSet(first_extra + n));
        }
        take(&mut body, Exit::Through);
    }
    body.instruction(&Instruction::End);
    let back = left.len() as u32 + u32::from(cut.returns.is_some());
    for n in 0..back {
        body.instruction(&Instruction::LocalGet(first_extra + n));
    }
    for local in &cut.written {
        body.instruction(&Instruction::LocalGet(new_local(*local)?));
    }
    if several {
        body.instruction(&Instruction::LocalGet(way));
    }
    body.instruction(&Instruction::End);
    Ok((body, parameters, results))
}

/// What a branch to the `outer`-th block outside is.
fn leaving(outer: u32, top: u32) -> Exit {
    match outer == top {
        true => Exit::Return,
        false => Exit::Branch(outer),
    }
}
