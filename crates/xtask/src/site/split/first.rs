//! The part that the first scene runs.

use super::data::Segment;
use super::module::{Module, malformed};
use super::names::Renamed;
use super::{LOAD, Plan, READY, export_name};
use crate::shell::Result;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction,
    MemorySection, RefType, StartSection, TableSection, TableType, TypeSection, ValType,
};

/// Positions in the first part: imports as they were, the new import, then the functions that stay
/// and the doors in the plan's order, then the one that makes sure of the second part.
struct Positions {
    new: Vec<Option<u32>>,
}

impl Reencode for Positions {
    type Error = String;

    fn function_index(
        &mut self,
        function: u32,
    ) -> std::result::Result<u32, reencode::Error<String>> {
        let new = self.new.get(function as usize).copied().flatten();
        new.ok_or_else(|| {
            reencode::Error::UserError(format!("the first part has no function {function}"))
        })
    }
}

/// Writes it.
pub fn write(
    module: &Module,
    plan: &Plan,
    memory: &[Segment],
    renamed: &Renamed,
) -> Result<Vec<u8>> {
    let mut new: Vec<Option<u32>> = (0..module.imported).map(Some).collect();
    let load = module.imported;
    new.resize(module.defined().end as usize, None);
    for (function, at) in plan.first.iter().zip(load + 1..) {
        new[*function as usize] = Some(at);
    }
    let ensure = load + 1 + plan.first.len() as u32;
    let mut map = Positions { new };

    let mut types = TypeSection::new();
    if let Some(section) = module.types.clone() {
        map.parse_type_section(&mut types, section)
            .map_err(malformed)?;
    }
    let nothing = types.len();
    types.ty().function([], []);

    let mut imports = ImportSection::new();
    let name = |long: &str| {
        renamed
            .get(long)
            .cloned()
            .unwrap_or_else(|| long.to_owned())
    };
    for import in module
        .imports
        .clone()
        .into_iter()
        .flat_map(|section| section.into_imports())
    {
        let import = import.map_err(malformed)?;
        let ty = map.entity_type(import.ty).map_err(malformed)?;
        imports.import(import.module, &name(import.name), ty);
    }
    imports.import(LOAD.0, LOAD.1, EntityType::Function(nothing));

    let mut tables = TableSection::new();
    if let Some(section) = module.tables.clone() {
        map.parse_table_section(&mut tables, section)
            .map_err(malformed)?;
    }
    let doors_table = tables.len();
    let slots = plan.doors.len() as u64;
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: slots,
        maximum: Some(slots),
        shared: false,
    });

    let mut memories = MemorySection::new();
    if let Some(section) = module.memories.clone() {
        map.parse_memory_section(&mut memories, section)
            .map_err(malformed)?;
    }
    let mut globals = GlobalSection::new();
    if let Some(section) = module.globals.clone() {
        map.parse_global_section(&mut globals, section)
            .map_err(malformed)?;
    }
    let ready = globals.len();
    let flag = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    globals.global(flag, &ConstExpr::i32_const(0));

    let mut exports = ExportSection::new();
    for export in module.exports.clone().into_iter().flatten() {
        let export = export.map_err(malformed)?;
        let kind = map.export_kind(export.kind).map_err(malformed)?;
        let index = map
            .external_index(export.kind, export.index)
            .map_err(malformed)?;
        exports.export(&name(export.name), kind, index);
    }
    exports.export(READY, ExportKind::Global, ready);
    for n in 0..module.memory_types.len() {
        exports.export(&export_name('m', n), ExportKind::Memory, n as u32);
    }
    for n in 0..=doors_table {
        exports.export(&export_name('t', n as usize), ExportKind::Table, n);
    }
    for n in 0..ready {
        exports.export(&export_name('g', n as usize), ExportKind::Global, n);
    }
    for (n, function) in plan.shared.iter().enumerate() {
        let index = map.function_index(*function).map_err(malformed)?;
        exports.export(&export_name('f', n), ExportKind::Func, index);
    }

    let parameters = module.parameters()?;
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let staying = plan.first.len().saturating_sub(plan.doors.len());
    for (at, function) in plan.first.iter().enumerate() {
        let ty = module.type_of(*function)?;
        functions.function(ty);
        if let Some(slot) = at.checked_sub(staying) {
            let parameters = parameters.get(ty as usize).copied().unwrap_or_default();
            code.function(&door(ensure, parameters, slot as i32, ty, doors_table));
        } else {
            let body = module.body(*function)?.clone();
            map.parse_function_body(&mut code, body)
                .map_err(malformed)?;
        }
    }
    functions.function(nothing);
    code.function(&ensure_body(ready, load));

    let mut elements = ElementSection::new();
    if let Some(section) = module.elements.clone() {
        map.parse_element_section(&mut elements, section)
            .map_err(malformed)?;
    }
    let mut data = DataSection::new();
    for (address, content) in memory {
        let at = ConstExpr::i32_const(address.cast_signed());
        data.active(0, &at, content.iter().copied());
    }

    let mut out = wasm_encoder::Module::new();
    out.section(&types)
        .section(&imports)
        .section(&functions)
        .section(&tables);
    out.section(&memories).section(&globals).section(&exports);
    if let Some(start) = module.start {
        let function_index = map.function_index(start).map_err(malformed)?;
        out.section(&StartSection { function_index });
    }
    out.section(&elements).section(&code).section(&data);
    Ok(out.finish())
}

/// Passes its parameters on to what is in its slot.
fn door(ensure: u32, parameters: u32, slot: i32, type_index: u32, table_index: u32) -> Function {
    let mut body = Function::new([]);
    body.instruction(&Instruction::Call(ensure));
    for parameter in 0..parameters {
        body.instruction(&Instruction::LocalGet(parameter));
    }
    body.instruction(&Instruction::I32Const(slot));
    body.instruction(&Instruction::CallIndirect {
        type_index,
        table_index,
    });
    body.instruction(&Instruction::End);
    body
}

fn ensure_body(ready: u32, load: u32) -> Function {
    let mut body = Function::new([]);
    body.instruction(&Instruction::GlobalGet(ready));
    body.instruction(&Instruction::I32Eqz);
    body.instruction(&Instruction::If(wasm_encoder::BlockType::Empty));
    body.instruction(&Instruction::Call(load));
    body.instruction(&Instruction::End);
    body.instruction(&Instruction::End);
    body
}
