//! The parts of a small module compute what the whole does: both run in Node.

use super::*;
use crate::setup;
use crate::shell;
use std::collections::BTreeMap;
use std::process::Command;
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, ExportKind, ExportSection, Function,
    FunctionSection, RefType, TableSection, TableType, TypeSection, ValType,
};

/// Four functions of one number: `main` calls `near` (n + 1) and, for n > 9, `far` (n * 100); `far`
/// calls `near`; `by_table` calls what is in the table at n: `near`, `far`.
fn sample() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    for _ in 0..4 {
        functions.function(0);
    }
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 2,
        maximum: Some(2),
        shared: false,
    });
    let mut exports = ExportSection::new();
    exports.export("main", ExportKind::Func, 2);
    exports.export("by_table", ExportKind::Func, 3);
    let mut elements = ElementSection::new();
    elements.active(
        None,
        &ConstExpr::i32_const(0),
        Elements::Functions((&[0, 1]).into()),
    );
    let mut code = CodeSection::new();
    let mut near = Function::new([]);
    near.instructions()
        .local_get(0)
        .i32_const(1)
        .i32_add()
        .end();
    let mut far = Function::new([]);
    far.instructions()
        .local_get(0)
        .i32_const(100)
        .i32_mul()
        .call(0)
        .end();
    let mut main = Function::new([]);
    main.instructions()
        .local_get(0)
        .i32_const(9)
        .i32_gt_s()
        .if_(wasm_encoder::BlockType::Result(ValType::I32))
        .local_get(0)
        .call(1)
        .else_()
        .local_get(0)
        .call(0)
        .end()
        .end();
    let mut by_table = Function::new([]);
    by_table
        .instructions()
        .i32_const(7)
        .local_get(0)
        .call_indirect(0, 0)
        .end();
    for body in [near, far, main, by_table] {
        code.function(&body);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&tables);
    module.section(&exports).section(&elements).section(&code);
    module.finish()
}

#[test]
fn what_did_not_run_is_behind_a_door() {
    let wasm = sample();
    let module = Module::read(&wasm).unwrap();
    let plan = Plan::new(&module, &BTreeSet::from([0, 2, 3])).unwrap();
    assert_eq!(plan.later, BTreeSet::from([1]));
    assert_eq!(plan.doors, [1]);
    assert_eq!(plan.shared, [0]);
}

#[test]
fn both_parts_together_compute_what_the_whole_did() {
    let node = setup::node().expect("the tests need Node.js");
    let wasm = sample();
    let module = Module::read(&wasm).unwrap();
    let plan = Plan::new(&module, &BTreeSet::from([0, 2, 3])).unwrap();
    let folder = std::env::temp_dir().join(format!("podscope-split-{}", std::process::id()));
    let write = |name: &str, bytes: &[u8]| workspace::write(&folder.join(name), bytes).unwrap();
    write("whole.wasm", &wasm);
    write(
        "first.wasm",
        &first::write(&module, &plan, &[], &BTreeMap::new()).unwrap(),
    );
    write("later.wasm", &later::write(&module, &plan, &[]).unwrap());
    write("marked.wasm", &instrument(&wasm).unwrap());
    let script = "
        const { readFileSync } = require('node:fs');
        const module = (name) => new WebAssembly.Module(readFileSync(name));
        const whole = new WebAssembly.Instance(module('whole.wasm')).exports;
        let loads = 0;
        const load = () => {
          loads += 1;
          new WebAssembly.Instance(module('later.wasm'), { podscope: first });
          first.podscope_ready.value = 1;
        };
        const first = new WebAssembly.Instance(module('first.wasm'), { podscope: { load } }).exports;
        const seen = [first.main(3), loads];
        for (const n of [3, 12, 12]) seen.push(first.main(n) === whole.main(n));
        for (const n of [0, 1]) seen.push(first.by_table(n) === whole.by_table(n));
        const marked = new WebAssembly.Instance(module('marked.wasm')).exports;
        marked.main(1);
        const ran = [0, 1, 2, 3].map((n) => marked[`podscope_ran_${n}`].value);
        console.log(JSON.stringify([...seen, loads, ran]));
    ";
    let mut command = Command::new(node);
    command.current_dir(&folder).args(["-e", script]);
    let printed = shell::output(&mut command).unwrap();
    std::fs::remove_dir_all(&folder).ok();
    assert_eq!(
        printed.trim(),
        "[4,0,true,true,true,true,true,1,[1,0,1,0]]",
        "the second part is loaded once, when it is needed"
    );
}

#[test]
fn names_are_short_on_both_sides() {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = wasm_encoder::ImportSection::new();
    let function = wasm_encoder::EntityType::Function(0);
    imports.import("./x.js", "__wbg_insertBefore_0123456789abcdef", function);
    imports.import("./x.js", "__wbg_mentioned_elsewhere", function);
    let mut exports = ExportSection::new();
    exports.export("closure_invoke_0123456789abcdef", ExportKind::Func, 0);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports).section(&exports);
    let wasm = module.finish();
    let glue = "// Comment.\n  __wbg_insertBefore_0123456789abcdef: function() {},\n\
                __wbg_mentioned_elsewhere: 1,\n  wasm.closure_invoke_0123456789abcdef();";
    let (text, renamed) = names::shorten(&Module::read(&wasm).unwrap(), glue).unwrap();
    let text = names::without_comments(&text);
    assert_eq!(
        text,
        "i0: function() {},\n__wbg_mentioned_elsewhere: 1,\nwasm.e1();\n"
    );
    assert_eq!(renamed.len(), 2);
}

/// A function of two numbers that turns away in every way there is: it falls through with changed
/// locals, leaves a loop, goes on with it, returns from within, and leaves a value.
fn turning() -> Vec<u8> {
    let mut types = TypeSection::new();
    let pair = [ValType::I32, ValType::I32];
    types.ty().function(pair, [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("turn", ExportKind::Func, 0);
    let mut body = Function::new([(2, ValType::I32)]);
    let mut out = body.instructions();
    let (n, mode, sum, i) = (0, 1, 2, 3);
    let long = |out: &mut wasm_encoder::InstructionSink<'_>| {
        for step in 0..20 {
            out.local_get(sum)
                .i32_const(31)
                .i32_mul()
                .local_get(n)
                .i32_add();
            out.i32_const(step).i32_xor().local_set(sum);
        }
    };
    out.block(wasm_encoder::BlockType::Empty);
    out.loop_(wasm_encoder::BlockType::Empty);
    out.local_get(i).i32_const(5).i32_ge_s().br_if(1);
    out.local_get(i).i32_const(1).i32_add().local_set(i);
    // Mode 1: a long way, then on with the loop or out of it or out of the function.
    out.local_get(mode)
        .i32_const(1)
        .i32_eq()
        .if_(wasm_encoder::BlockType::Empty);
    long(&mut out);
    out.local_get(sum).i32_const(3).i32_and().i32_eqz().br_if(1);
    out.local_get(sum)
        .i32_const(7)
        .i32_and()
        .i32_const(1)
        .i32_eq()
        .br_if(2);
    out.local_get(sum)
        .i32_const(7)
        .i32_and()
        .i32_const(2)
        .i32_eq();
    out.if_(wasm_encoder::BlockType::Empty);
    out.local_get(sum).i32_const(1000).i32_add().return_();
    out.end();
    out.end();
    out.local_get(sum).local_get(i).i32_add().local_set(sum);
    out.br(0).end().end();
    // Mode 2: a value is left by a long way, else by a short one.
    out.local_get(mode).i32_const(2).i32_eq();
    out.if_(wasm_encoder::BlockType::Result(ValType::I32));
    long(&mut out);
    out.local_get(sum).i32_const(5).i32_add();
    out.else_();
    out.local_get(sum);
    out.end();
    out.end();
    let mut code = CodeSection::new();
    code.function(&body);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions);
    module.section(&exports).section(&code);
    module.finish()
}

#[test]
fn moved_regions_compute_what_they_did_in_their_place() {
    let node = setup::node().expect("the tests need Node.js");
    let wasm = turning();
    let none = Ran {
        functions: BTreeSet::from([0]),
        ..Ran::default()
    };
    let regions = regions::read(&wasm).unwrap().remove(0).regions.len();
    let folder = std::env::temp_dir().join(format!("podscope-outline-{}", std::process::id()));
    let write = |name: &str, bytes: &[u8]| workspace::write(&folder.join(name), bytes).unwrap();
    write("whole.wasm", &wasm);
    let mut moved = 0;
    // One region after the other ran: so each is once the outermost that did not.
    for but in 0..=regions {
        let mut ran = Ran {
            functions: none.functions.clone(),
            ..Ran::default()
        };
        ran.regions.extend((0..but).map(|region| (0, region)));
        let cut = outline(&wasm, &ran).unwrap();
        moved += Module::read(&cut).unwrap().defined().len() - 1;
        write(&format!("cut-{but}.wasm"), &cut);
    }
    assert!(moved >= 3, "{moved} regions were moved");
    let script = format!(
        "
        const {{ readFileSync }} = require('node:fs');
        const load = (name) =>
          new WebAssembly.Instance(new WebAssembly.Module(readFileSync(name))).exports.turn;
        const whole = load('whole.wasm');
        let checked = 0;
        for (let cut = 0; cut <= {regions}; cut += 1) {{
          const turn = load(`cut-${{cut}}.wasm`);
          for (let n = -300; n < 300; n += 1)
            for (let mode = 0; mode < 4; mode += 1) {{
              if (turn(n, mode) !== whole(n, mode)) throw new Error(`${{cut}}: ${{n}}, ${{mode}}`);
              checked += 1;
            }}
        }}
        console.log(checked);
        "
    );
    let mut command = Command::new(node);
    command.current_dir(&folder).args(["-e", &script]);
    let printed = shell::output(&mut command).unwrap();
    std::fs::remove_dir_all(&folder).ok();
    assert_eq!(printed.trim(), (600 * 4 * (regions + 1)).to_string());
}
