//! Parts of functions that can be moved into functions of their own.
//!
//! A region runs from a point where the operand stack of its block is empty to the end of that
//! block: an arm of an `if`, what follows a `br_if`, what follows an inner block. Where it begins is
//! where a function may turn away from what the first scene needs.

use super::module::malformed;
use crate::shell::Result;
use wasmparser::{
    BlockType, FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, Parser, ValType,
    ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// A function's code, and its regions.
pub struct Code<'a> {
    pub operators: Vec<Operator<'a>>,
    /// Byte offsets of the operators in the module, and of the end.
    pub offsets: Vec<u64>,
    /// Types of parameters and locals.
    pub locals: Vec<ValType>,
    /// In the order of their beginnings; the outer before the inner.
    pub regions: Vec<Region>,
}

/// Operators `start..end`; the operator at `end` closes the block.
#[derive(Clone)]
pub struct Region {
    pub start: usize,
    pub end: usize,
    /// How many blocks of the function are open around it (the function itself is one).
    pub depth: usize,
    /// Types that the block leaves; `None` where that cannot be moved.
    pub results: Option<Vec<ValType>>,
    /// Whether its end can be reached from within.
    pub falls_through: bool,
}

/// Reads every defined function of a module, in order.
pub fn read(wasm: &[u8]) -> Result<Vec<Code<'_>>> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut codes = Vec::new();
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(malformed)?;
        if let wasmparser::Payload::TypeSection(section) = &payload {
            for ty in section.clone() {
                for ty in ty.map_err(malformed)?.into_types() {
                    types.push(match ty.composite_type.inner {
                        wasmparser::CompositeInnerType::Func(f) => f,
                        other => return Err(format!("the module has a type {other:?}")),
                    });
                }
            }
        }
        if let ValidPayload::Func(function, body) =
            validator.payload(&payload).map_err(malformed)?
        {
            codes.push(read_function(function, &body, &types)?);
        }
    }
    Ok(codes)
}

/// A block that is open while a function is read.
struct Open {
    /// The regions that end with it.
    regions: Vec<usize>,
    results: Option<Vec<ValType>>,
}

fn read_function<'a>(
    function: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'a>,
    types: &[wasmparser::FuncType],
) -> Result<Code<'a>> {
    let own = types
        .get(function.ty as usize)
        .ok_or("a function has no type")?;
    let results = own.results().to_vec();
    let mut validator = function.into_validator(FuncValidatorAllocations::default());
    let mut head = body.get_binary_reader();
    validator.read_locals(&mut head).map_err(malformed)?;
    let mut reader = body.get_operators_reader().map_err(malformed)?;
    let locals = (0..validator.len_locals())
        .filter_map(|local| validator.get_local_type(local))
        .collect();
    let mut code = Code {
        operators: Vec::new(),
        offsets: Vec::new(),
        locals,
        regions: Vec::new(),
    };
    let mut open = vec![Open {
        regions: Vec::new(),
        results: (results.len() <= 1).then_some(results),
    }];
    while !reader.eof() {
        let offset = reader.original_position();
        let operator = reader.read().map_err(malformed)?;
        let at = code.operators.len();
        let reachable = validator
            .get_control_frame(0)
            .is_some_and(|frame| !frame.unreachable);
        if matches!(operator, Operator::End | Operator::Else)
            && let Some(block) = open.last_mut()
        {
            for region in std::mem::take(&mut block.regions) {
                if let Some(region) = code.regions.get_mut(region) {
                    region.end = at;
                    region.falls_through = reachable;
                }
            }
        }
        validator.op(offset, &operator).map_err(malformed)?;
        match operator {
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                open.push(Open {
                    regions: Vec::new(),
                    results: results_of(blockty, types),
                });
            }
            Operator::End => drop(open.pop()),
            _ => {}
        }
        let turns = matches!(
            operator,
            Operator::If { .. } | Operator::Else | Operator::BrIf { .. } | Operator::End
        );
        if turns
            && let Some(frame) = validator.get_control_frame(0)
            && !frame.unreachable
            && validator.operand_stack_height() as usize == frame.height
            && let Some(block) = open.last_mut()
        {
            block.regions.push(code.regions.len());
            code.regions.push(Region {
                start: at + 1,
                end: at + 1,
                depth: validator.control_stack_height() as usize,
                results: block.results.clone(),
                falls_through: true,
            });
        }
        code.operators.push(operator);
        code.offsets.push(offset);
    }
    code.offsets.push(reader.original_position());
    Ok(code)
}

fn results_of(ty: BlockType, types: &[wasmparser::FuncType]) -> Option<Vec<ValType>> {
    match ty {
        BlockType::Empty => Some(Vec::new()),
        BlockType::Type(ty) => Some(vec![ty]),
        BlockType::FuncType(index) => {
            let ty = types.get(index as usize)?;
            let simple = ty.params().is_empty() && ty.results().len() <= 1;
            simple.then(|| ty.results().to_vec())
        }
    }
}
