//! A module with other code.

use super::module::{Module, malformed};
use crate::shell::Result;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, DataSection, ElementSection, ExportSection, Function, FunctionSection,
    GlobalSection, ImportSection, MemorySection, NameMap, NameSection, StartSection, TableSection,
    TypeSection, ValType,
};

/// What changes; everything else stays, positions of functions too.
#[derive(Default)]
pub struct Changes {
    /// Added types: parameters and results.
    pub types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// The bodies of all defined functions, in order.
    pub bodies: Vec<Function>,
    /// Added functions, behind the others: type, body, name.
    pub functions: Vec<(u32, Function, String)>,
    /// Exported as globals that begin with 0 and can change; the first one has the position after
    /// the module's own.
    pub marks: Vec<String>,
}

/// Writes the module, names included.
pub fn rebuild(module: &Module, changes: &Changes) -> Result<Vec<u8>> {
    let mut same = RoundtripReencoder;
    let mut types = TypeSection::new();
    if let Some(section) = module.types.clone() {
        same.parse_type_section(&mut types, section)
            .map_err(malformed)?;
    }
    for (parameters, results) in &changes.types {
        types
            .ty()
            .function(parameters.iter().copied(), results.iter().copied());
    }
    let mut imports = ImportSection::new();
    if let Some(section) = module.imports.clone() {
        same.parse_import_section(&mut imports, section)
            .map_err(malformed)?;
    }
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for (function, body) in module.defined().zip(&changes.bodies) {
        functions.function(module.type_of(function)?);
        code.function(body);
    }
    let mut names = NameMap::new();
    for (function, name) in &module.names {
        names.append(*function, name);
    }
    for (function, (ty, body, name)) in (module.defined().end..).zip(&changes.functions) {
        functions.function(*ty);
        code.function(body);
        names.append(function, name);
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
    for mark in &changes.marks {
        exports.export(mark, wasm_encoder::ExportKind::Global, globals.len());
        let ty = wasm_encoder::GlobalType {
            val_type: ValType::I32,
            mutable: true,
            shared: false,
        };
        globals.global(ty, &wasm_encoder::ConstExpr::i32_const(0));
    }
    let mut elements = ElementSection::new();
    if let Some(section) = module.elements.clone() {
        same.parse_element_section(&mut elements, section)
            .map_err(malformed)?;
    }
    let mut data = DataSection::new();
    if let Some(section) = module.data.clone() {
        same.parse_data_section(&mut data, section)
            .map_err(malformed)?;
    }
    let mut name_section = NameSection::new();
    name_section.functions(&names);

    let mut out = wasm_encoder::Module::new();
    out.section(&types)
        .section(&imports)
        .section(&functions)
        .section(&tables);
    out.section(&memories).section(&globals).section(&exports);
    if let Some(function_index) = module.start {
        out.section(&StartSection { function_index });
    }
    out.section(&elements)
        .section(&code)
        .section(&data)
        .section(&name_section);
    Ok(out.finish())
}
