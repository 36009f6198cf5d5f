//! Developer commands. `cargo xtask help` lists them.
#![allow(
    clippy::disallowed_types,
    reason = "a developer tool: it measures real time; the ban guards the simulation"
)]

mod bench;
mod http;
mod page;
mod parity;
mod ratchet;
mod serve;
mod setup;
mod shell;
mod site;
mod size;
mod steps;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  setup             install what a build and the tests need (idempotent)
  serve             set up, build, serve the site on localhost, rebuild on change
      --port N      port to listen on (default 8080; the next free one is taken)
      --dev         quick build: not optimised
  build [--dev]     build the static site into dist/
  test              set up and run everything that CI runs
      --fast        only format, lints, native tests, conformance and parity
      --only WORD   only the steps whose name contains WORD (repeatable)
  size              print every budgeted size; fails above a hard limit
  bench [WORD…]     the engine's speed natively and as wasm in Node, then the page's
      --node        only the engine in Node
      --large       also 1,000 nodes with 10,000 Pods (--huge: 5,000 with 150,000)
  conformance       the conformance tables against the recorded scores
      --bless       record higher scores
  parity            recordings of a real cluster against the known differences
      --bless       take out differences that are gone
  shots [ARGS…]     screenshots of the built page (see tests/page/shots.mjs)
  prerender         write the built page's first scene into index.html
  help              this text

Environment
  PODSCOPE_CACHE       where tools are kept (default: ~/.cache/podscope)
  PODSCOPE_CHROMIUM    the Chrome or Chromium to test with
  PODSCOPE_SHARED      folder that holds conformance/ and golden/ (default: ../shared)
  PODSCOPE_WASM_ROUTE  rustup | debian: how to get the wasm target (default: tries both)
  CI=true              a step that cannot run is a failure
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "setup" => setup::everything().map(|_| ()),
        "build" => serve::build(rest),
        "serve" => serve::serve(rest),
        "test" => steps::run(rest),
        "size" => size::report(),
        "bench" => bench::run(rest),
        "conformance" => ratchet::command(rest),
        "parity" => parity::command(rest),
        "shots" => page::shots(rest),
        "prerender" => page::prerender(),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!(
            "no command `{other}`; `cargo xtask help` lists them"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error}");
            ExitCode::FAILURE
        }
    }
}
