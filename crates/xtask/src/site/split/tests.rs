use super::*;
use crate::setup;
use crate::shell;
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
    let plan = Plan::new(&module, &BTreeSet::from([0, 2, 3]));
    assert_eq!(plan.later, BTreeSet::from([1]));
    assert_eq!(plan.doors, [1]);
    assert_eq!(plan.shared, [0]);
}

#[test]
fn both_parts_together_compute_what_the_whole_did() {
    let node = setup::node().expect("the tests need Node.js");
    let wasm = sample();
    let module = Module::read(&wasm).unwrap();
    let plan = Plan::new(&module, &BTreeSet::from([0, 2, 3]));
    let folder = std::env::temp_dir().join(format!("podscope-split-{}", std::process::id()));
    let write = |name: &str, bytes: &[u8]| workspace::write(&folder.join(name), bytes).unwrap();
    write("whole.wasm", &wasm);
    write("first.wasm", &first::write(&module, &plan, &[]).unwrap());
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
