//! A copy of a module that notes which of its functions ran.

use super::module::{Module, malformed};
use crate::shell::Result;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, StartSection,
    TableSection, TypeSection, ValType,
};

/// Marks are exported globals of this name and the function's position, in decimal: 1 once it ran.
pub const MARK: &str = "podscope_ran_";

/// Adds a mark to every defined function.
pub fn instrument(wasm: &[u8]) -> Result<Vec<u8>> {
    let module = Module::read(wasm)?;
    let mut same = RoundtripReencoder;
    let mut out = wasm_encoder::Module::new();

    let mut types = TypeSection::new();
    if let Some(section) = module.types.clone() {
        same.parse_type_section(&mut types, section)
            .map_err(malformed)?;
    }
    let mut imports = ImportSection::new();
    if let Some(section) = module.imports.clone() {
        same.parse_import_section(&mut imports, section)
            .map_err(malformed)?;
    }
    let mut functions = FunctionSection::new();
    for function in module.defined() {
        functions.function(module.type_of(function)?);
    }
    let mut tables = TableSection::new();
    if let Some(section) = module.tables.clone() {
        same.parse_table_section(&mut tables, section)
            .map_err(malformed)?;
    }
    let mut memories = MemorySection::new();
    if let Some(section) = module.memories.clone() {
        same.parse_memory_section(&mut memories, section)
            .map_err(malformed)?;
    }
    let mut globals = GlobalSection::new();
    if let Some(section) = module.globals.clone() {
        same.parse_global_section(&mut globals, section)
            .map_err(malformed)?;
    }
    let mut exports = ExportSection::new();
    if let Some(section) = module.exports.clone() {
        same.parse_export_section(&mut exports, section)
            .map_err(malformed)?;
    }
    let mut code = CodeSection::new();
    for function in module.defined() {
        let mark = globals.len();
        let mutable = GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        globals.global(mutable, &ConstExpr::i32_const(0));
        exports.export(&format!("{MARK}{function}"), ExportKind::Global, mark);

        let body = module.body(function)?;
        let mut copy = same
            .new_function_with_parsed_locals(body)
            .map_err(malformed)?;
        copy.instruction(&Instruction::I32Const(1));
        copy.instruction(&Instruction::GlobalSet(mark));
        let mut reader = body.get_operators_reader().map_err(malformed)?;
        while !reader.eof() {
            copy.instruction(&same.parse_instruction(&mut reader).map_err(malformed)?);
        }
        code.function(&copy);
    }
    let mut elements = ElementSection::new();
    if let Some(section) = module.elements.clone() {
        same.parse_element_section(&mut elements, section)
            .map_err(malformed)?;
    }
    let mut data = wasm_encoder::DataSection::new();
    if let Some(section) = module.data.clone() {
        same.parse_data_section(&mut data, section)
            .map_err(malformed)?;
    }

    out.section(&types)
        .section(&imports)
        .section(&functions)
        .section(&tables);
    out.section(&memories).section(&globals).section(&exports);
    if let Some(function_index) = module.start {
        out.section(&StartSection { function_index });
    }
    out.section(&elements).section(&code).section(&data);
    Ok(out.finish())
}
