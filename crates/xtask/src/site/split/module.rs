//! What the splitter must know of a module.

use crate::shell::Result;
use std::collections::BTreeMap;
use wasmparser::{
    ElementItems, ElementKind, ElementSectionReader, ExportSectionReader, ExternalKind,
    FunctionBody, GlobalSectionReader, GlobalType, ImportSectionReader, KnownCustom,
    MemorySectionReader, MemoryType, Name, NameSectionReader, Operator, Parser, Payload,
    TableSectionReader, TableType, TypeRef, TypeSectionReader,
};

/// A core module's sections, and who calls whom. Lifetimes: of the bytes.
pub struct Module<'a> {
    pub types: Option<TypeSectionReader<'a>>,
    pub imports: Option<ImportSectionReader<'a>>,
    pub tables: Option<TableSectionReader<'a>>,
    pub memories: Option<MemorySectionReader<'a>>,
    pub globals: Option<GlobalSectionReader<'a>>,
    pub exports: Option<ExportSectionReader<'a>>,
    pub elements: Option<ElementSectionReader<'a>>,
    pub data: Option<wasmparser::DataSectionReader<'a>>,
    /// The function that runs at instantiation.
    pub start: Option<u32>,
    /// How many functions are imported: the first defined one has this position.
    pub imported: u32,
    /// The type of every function, imported ones first.
    pub function_types: Vec<u32>,
    /// The bodies of the defined functions.
    pub bodies: Vec<FunctionBody<'a>>,
    /// Per defined function, sorted: what it calls.
    calls: Vec<Vec<u32>>,
    /// Exported functions.
    pub exported: Vec<u32>,
    /// Table 0: slot, and function.
    pub indirect: BTreeMap<u32, u32>,
    pub table_types: Vec<TableType>,
    pub memory_types: Vec<MemoryType>,
    pub global_types: Vec<GlobalType>,
    /// From the name section, if there is one.
    pub names: BTreeMap<u32, &'a str>,
}

impl<'a> Module<'a> {
    pub fn read(wasm: &'a [u8]) -> Result<Self> {
        let mut module = Self {
            types: None,
            imports: None,
            tables: None,
            memories: None,
            globals: None,
            exports: None,
            elements: None,
            data: None,
            start: None,
            imported: 0,
            function_types: Vec::new(),
            bodies: Vec::new(),
            calls: Vec::new(),
            exported: Vec::new(),
            indirect: BTreeMap::new(),
            table_types: Vec::new(),
            memory_types: Vec::new(),
            global_types: Vec::new(),
            names: BTreeMap::new(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            module.take(payload.map_err(malformed)?)?;
        }
        Ok(module)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => self.types = Some(section),
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    match import.map_err(malformed)?.ty {
                        TypeRef::Func(ty) => {
                            self.function_types.push(ty);
                            self.imported += 1;
                        }
                        other => return Err(format!("the module imports {other:?}")),
                    }
                }
                self.imports = Some(section);
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.function_types.push(ty.map_err(malformed)?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    self.table_types.push(table.map_err(malformed)?.ty);
                }
                self.tables = Some(section);
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.memory_types.push(memory.map_err(malformed)?);
                }
                self.memories = Some(section);
            }
            Payload::GlobalSection(section) => {
                for global in section.clone() {
                    self.global_types.push(global.map_err(malformed)?.ty);
                }
                self.globals = Some(section);
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export.map_err(malformed)?;
                    if export.kind == ExternalKind::Func {
                        self.exported.push(export.index);
                    }
                }
                self.exports = Some(section);
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                self.read_elements(section.clone())?;
                self.elements = Some(section);
            }
            Payload::DataSection(section) => self.data = Some(section),
            Payload::CodeSectionEntry(body) => {
                self.calls.push(callees(&body)?);
                self.bodies.push(body);
            }
            Payload::TagSection(_) => return Err("the module has exception tags".to_owned()),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.read_names(names)?;
                }
            }
            Payload::DataCountSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::Version { .. }
            | Payload::End(_) => {}
            other => return Err(format!("the module has a section {other:?}")),
        }
        Ok(())
    }

    fn read_names(&mut self, names: NameSectionReader<'a>) -> Result<()> {
        for part in names {
            if let Name::Function(functions) = part.map_err(malformed)? {
                for naming in functions {
                    let naming = naming.map_err(malformed)?;
                    self.names.insert(naming.index, naming.name);
                }
            }
        }
        Ok(())
    }

    fn read_elements(&mut self, section: ElementSectionReader<'a>) -> Result<()> {
        for element in section {
            let element = element.map_err(malformed)?;
            let ElementKind::Active {
                table_index: None | Some(0),
                offset_expr,
            } = element.kind
            else {
                return Err("the module has an element segment that is not of table 0".to_owned());
            };
            let mut offset = offset_expr.get_operators_reader();
            let Operator::I32Const { value } = offset.read().map_err(malformed)? else {
                return Err("the module has an element segment at a computed place".to_owned());
            };
            let ElementItems::Functions(functions) = element.items else {
                return Err("the module has element expressions".to_owned());
            };
            for (slot, function) in (value.cast_unsigned()..).zip(functions) {
                self.indirect.insert(slot, function.map_err(malformed)?);
            }
        }
        Ok(())
    }

    /// The positions of the defined functions.
    pub fn defined(&self) -> std::ops::Range<u32> {
        self.imported..u32::try_from(self.function_types.len()).unwrap_or(u32::MAX)
    }

    /// What a defined function calls.
    pub fn callees(&self, function: u32) -> &[u32] {
        let at = function.checked_sub(self.imported);
        at.and_then(|at| self.calls.get(at as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// A defined function's body.
    pub fn body(&self, function: u32) -> Result<&FunctionBody<'a>> {
        let at = function.checked_sub(self.imported);
        at.and_then(|at| self.bodies.get(at as usize))
            .ok_or_else(|| format!("function {function} has no body"))
    }

    /// The index of a function's type.
    pub fn type_of(&self, function: u32) -> Result<u32> {
        let ty = self.function_types.get(function as usize);
        ty.copied()
            .ok_or_else(|| format!("there is no function {function}"))
    }

    /// How many parameters each type has.
    pub fn parameters(&self) -> Result<Vec<u32>> {
        let types = self.function_signatures()?;
        Ok(types.iter().map(|ty| ty.params().len() as u32).collect())
    }

    /// What the functions of each type return.
    pub fn results(&self) -> Result<Vec<Vec<wasmparser::ValType>>> {
        let types = self.function_signatures()?;
        Ok(types.iter().map(|ty| ty.results().to_vec()).collect())
    }

    fn function_signatures(&self) -> Result<Vec<wasmparser::FuncType>> {
        let mut found = Vec::new();
        for ty in self.types.clone().into_iter().flatten() {
            for ty in ty.map_err(malformed)?.into_types() {
                match ty.composite_type.inner {
                    wasmparser::CompositeInnerType::Func(function) => found.push(function),
                    other => return Err(format!("the module has a type {other:?}")),
                }
            }
        }
        Ok(found)
    }
}

fn callees(body: &FunctionBody) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for operator in body.get_operators_reader().map_err(malformed)? {
        match operator.map_err(malformed)? {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                found.push(function_index);
            }
            Operator::RefFunc { .. } => return Err("the module refers to functions".to_owned()),
            Operator::MemoryInit { .. } | Operator::DataDrop { .. } => {
                return Err("the module has passive data".to_owned());
            }
            Operator::TableInit { .. } | Operator::ElemDrop { .. } => {
                return Err("the module has passive elements".to_owned());
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

pub fn malformed(error: impl std::fmt::Display) -> String {
    format!("the compiled module cannot be read: {error}")
}
