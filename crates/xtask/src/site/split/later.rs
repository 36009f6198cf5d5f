//! The part that comes later.

use super::data::Segment;
use super::module::{Module, malformed};
use super::{FIRST, Plan, export_name};
use crate::shell::Result;
use std::collections::BTreeMap;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, FunctionSection,
    ImportSection, RefType, TableType, TypeSection,
};

/// Positions in the second part: what it calls of the first, then its own.
struct Positions {
    new: BTreeMap<u32, u32>,
}

impl Reencode for Positions {
    type Error = String;

    fn function_index(
        &mut self,
        function: u32,
    ) -> std::result::Result<u32, reencode::Error<String>> {
        let new = self.new.get(&function).copied();
        new.ok_or_else(|| {
            reencode::Error::UserError(format!("the second part has no function {function}"))
        })
    }
}

/// Writes it.
pub fn write(module: &Module, plan: &Plan, memory: &[Segment]) -> Result<Vec<u8>> {
    let order = plan.shared.iter().chain(&plan.later).copied();
    let mut map = Positions {
        new: order.zip(0..).collect(),
    };
    let mut types = TypeSection::new();
    if let Some(section) = module.types.clone() {
        map.parse_type_section(&mut types, section)
            .map_err(malformed)?;
    }

    let mut imports = ImportSection::new();
    for (n, memory) in module.memory_types.iter().enumerate() {
        let memory = map.memory_type(*memory).map_err(malformed)?;
        imports.import(FIRST, &export_name('m', n), EntityType::Memory(memory));
    }
    for (n, table) in module.table_types.iter().enumerate() {
        let table = map.table_type(*table).map_err(malformed)?;
        imports.import(FIRST, &export_name('t', n), EntityType::Table(table));
    }
    let doors_table = module.table_types.len();
    let slots = plan.doors.len() as u64;
    let doors = TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: slots,
        maximum: Some(slots),
        shared: false,
    };
    let name = export_name('t', doors_table);
    imports.import(FIRST, &name, EntityType::Table(doors));
    for (n, global) in module.global_types.iter().enumerate() {
        let global = map.global_type(*global).map_err(malformed)?;
        imports.import(FIRST, &export_name('g', n), EntityType::Global(global));
    }
    for (n, function) in plan.shared.iter().enumerate() {
        let ty = EntityType::Function(module.type_of(*function)?);
        imports.import(FIRST, &export_name('f', n), ty);
    }

    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for function in &plan.later {
        functions.function(module.type_of(*function)?);
        let body = module.body(*function)?.clone();
        map.parse_function_body(&mut code, body)
            .map_err(malformed)?;
    }

    let mut elements = ElementSection::new();
    let mut behind = Vec::new();
    for function in &plan.doors {
        behind.push(map.function_index(*function).map_err(malformed)?);
    }
    elements.active(
        Some(doors_table as u32),
        &ConstExpr::i32_const(0),
        Elements::Functions(behind.into()),
    );
    for (slot, run) in runs(module, plan) {
        let mut own = Vec::new();
        for function in run {
            own.push(map.function_index(function).map_err(malformed)?);
        }
        let at = ConstExpr::i32_const(slot.cast_signed());
        elements.active(None, &at, Elements::Functions(own.into()));
    }

    let mut data = DataSection::new();
    for (address, content) in memory {
        let at = ConstExpr::i32_const(address.cast_signed());
        data.active(0, &at, content.iter().copied());
    }

    let mut out = wasm_encoder::Module::new();
    out.section(&types).section(&imports).section(&functions);
    out.section(&elements).section(&code).section(&data);
    Ok(out.finish())
}

/// The slots of table 0 that belong to the second part: first slot, and functions, without gaps.
fn runs(module: &Module, plan: &Plan) -> Vec<(u32, Vec<u32>)> {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (slot, function) in &module.indirect {
        if !plan.later.contains(function) {
            continue;
        }
        match runs.last_mut() {
            Some((first, run)) if *first + run.len() as u32 == *slot => run.push(*function),
            _ => runs.push((*slot, vec![*function])),
        }
    }
    runs
}
