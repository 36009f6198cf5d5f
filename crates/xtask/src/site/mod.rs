//! The static site: the engine compiled to wasm, and the files that `index.html` names.
//!
//! `index.html` marks its assets as Trunk does (`data-trunk`), so that `trunk serve` works too.
//! What differs here: names carry a hash of the content, every reference is relative (the site works
//! from any folder of any host), and nothing is inline (a strict Content-Security-Policy allows it).

mod assets;
mod css;
mod html;
mod locales;
mod offline;
mod split;
mod wasm;

use crate::setup;
use crate::shell::{Context, Result, say};
use crate::workspace;
use assets::Names;
use std::path::Path;
use std::time::Instant;
pub use wasm::optimize;

/// The engine's second part.
const LATER: &str = "podscope-web_later.wasm";

/// The style sheets marked `data-later`, in one: the page asks for it with the engine's second part,
/// and at once when the engine is in one piece.
const LATER_STYLES: &str = "later.css";

/// How much effort goes into a build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As published: fat LTO, then wasm-opt.
    Release,
    /// Quick to compile, for working on the page.
    Dev,
}

/// The page may load scripts, styles and data from its own host only; no inline script or style.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; \
    frame-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

/// Builds the site into `dist/`. The old one stays in place until the new one is complete.
pub fn build(mode: Mode) -> Result<()> {
    let start = Instant::now();
    let mut engine = wasm::build(mode)?;
    let root = workspace::root();
    if mode == Mode::Release
        && let Err(error) = split::divide(&mut engine, |engine, out| assemble(&root, engine, out))
    {
        say(format!(
            "the engine stays in one piece, which is twice as large: {error}"
        ));
        engine.wasm = split::strip(&engine.wasm)?;
    }
    let staging = workspace::target().join("site");
    std::fs::remove_dir_all(&staging).ok();
    assemble(&root, &engine, &staging)?;
    let dist = workspace::dist();
    std::fs::remove_dir_all(&dist).ok();
    std::fs::create_dir_all(&dist).context(|| dist.display().to_string())?;
    for file in workspace::files_under(&staging)? {
        let within = file.strip_prefix(&staging).unwrap_or(&file);
        workspace::write(&dist.join(within), &workspace::read_bytes(&file)?)?;
    }
    say(format!(
        "built dist/ in {:.1} s",
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Sets up what a build needs, and says so when the result will be larger than it could be.
pub fn set_up(mode: Mode) -> Result<()> {
    setup::wasm_toolchain()?;
    setup::bindgen_folder()?;
    if mode == Mode::Release
        && let Err(error) = setup::wasm_opt()
    {
        say(format!(
            "without wasm-opt the engine is about a fifth larger: {error}"
        ));
    }
    Ok(())
}

fn assemble(root: &Path, engine: &wasm::Engine, out: &Path) -> Result<()> {
    let source = workspace::read(&root.join("index.html"))?;
    let tags = html::trunk_tags(&source)?;
    let mut names = Names::default();

    // Leaves first: a file's hash must cover the hashed names that it mentions.
    names.add(out, &engine.wasm_name, &engine.wasm)?;
    if let Some(later) = &engine.later {
        names.add(out, LATER, later)?;
    }
    for (within, bytes) in &engine.snippets {
        workspace::write(&out.join("snippets").join(within), bytes)?;
    }
    for tag in tags.iter().filter(|tag| tag.is("icon")) {
        names.add_file(out, &root.join(tag.source()?))?;
    }
    let is_later = |tag: &&html::Tag| tag.get("data-later").is_some();
    let mut later = String::new();
    for tag in tags.iter().filter(|tag| tag.is("css")).filter(is_later) {
        later.push_str(&css::minify(&workspace::read(&root.join(tag.source()?))?));
    }
    names.add(out, LATER_STYLES, later.as_bytes())?;
    let first = |tag: &&html::Tag| tag.is("css") && !is_later(tag);
    for tag in tags.iter().filter(first) {
        let sheet = css::minify(&workspace::read(&root.join(tag.source()?))?);
        names.add(out, tag.file_name()?, sheet.as_bytes())?;
    }
    names.add(out, &engine.glue_name, engine.glue.as_bytes())?;
    let locales = locales::add(root, out, &mut names)?;
    let boot = boot_script(engine, &locales);
    names.add(out, "boot.js", boot.as_bytes())?;
    for tag in tags.iter().filter(|tag| tag.is("script")) {
        names.add_file(out, &root.join(tag.source()?))?;
    }
    // Copied files keep their names: other sites link to them.
    for tag in tags.iter().filter(|tag| tag.is("copy-file")) {
        names.copy(&root.join(tag.source()?), &tag.target_folder(out))?;
    }
    for tag in tags.iter().filter(|tag| tag.is("copy-dir")) {
        let folder = root.join(tag.source()?);
        let name = folder.file_name().unwrap_or_default();
        let into = match tag.get("data-target-path") {
            Some(path) => out.join(path),
            None => out.join(name),
        };
        for file in workspace::files_under(&folder)? {
            let within = file.strip_prefix(&folder).unwrap_or(&file);
            let parent = within.parent().unwrap_or(Path::new(""));
            names.copy(&file, &into.join(parent))?;
        }
    }
    let page = html::page(&source, &tags, &names, engine)?;
    workspace::write(&out.join("index.html"), page.as_bytes())?;
    offline::write(
        out,
        &workspace::read(&root.join("web").join(offline::WORKER))?,
    )
}

/// Starts the engine: fetch, compile, run. The two marks are what the page benchmark measures. A
/// failure is marked on the root element, where the page's style sees it. Another language's words are
/// fetched beside the engine; without them the page speaks English.
fn boot_script(engine: &wasm::Engine, locales: &[String]) -> String {
    let (glue, wasm) = (&engine.glue_name, &engine.wasm_name);
    let words = |locale: &String| format!("'{locale}': '{}'", locales::file_name(locale));
    let words = locales.iter().map(words).collect::<Vec<_>>().join(", ");
    // While one works on the page, nothing may be kept.
    let offline = match engine.later {
        Some(_) => format!(
            "\n\x20 setTimeout(() => navigator.serviceWorker?.register(new URL('./{}', import.meta.url)).catch(() => {{}}), 3000);",
            offline::WORKER
        ),
        None => String::new(),
    };
    format!(
        "const root = document.documentElement;\n\
         const get = async (file) => {{\n\
         \x20 const response = await fetch(new URL(file, import.meta.url)).catch(() => ({{ status: 'none' }}));\n\
         \x20 if (!response.ok) throw new Error(`${{file}}: status ${{response.status}}`, {{ cause: 'fetch' }});\n\
         \x20 return response;\n\
         }};\n\
         const wasm = () => get('./{wasm}');\n\
         // A host that serves wasm under a wrong type refuses streaming.\n\
         const compile = async () => WebAssembly.compile(await (await wasm()).arrayBuffer());\n\
         const words = {{ {words} }};\n\
         const wanted = [new URLSearchParams(location.search).get('lang'), ...navigator.languages];\n\
         const known = wanted.map((tag) => tag?.split('-')[0]).find((tag) => tag === 'en' || words[tag]);\n\
         const speak = async (tag) => {{\n\
         \x20 globalThis.podscopeWords = await (await get(words[tag])).text();\n\
         \x20 root.lang = tag;\n\
         }};\n\
         try {{\n\
         \x20 const spoken = words[known] && speak(known).catch(() => {{}});\n\
         \x20 const module_or_path = await WebAssembly.compileStreaming(wasm()).catch(compile);\n\
         \x20 const {{ default: start, podscopeAhead }} = await import('./{glue}');\n\
         \x20 // A link opens in the middle.\n\
         \x20 if (/^#\\d/.test(location.hash) || location.search) await podscopeAhead?.().catch(() => {{}});\n\
         \x20 await spoken;\n\
         \x20 performance.mark('podscope-start');\n\
         \x20 await start({{ module_or_path }});\n\
         \x20 performance.mark('podscope-live');\n\
         \x20 root.dataset.engine = 'running';{offline}\n\
         }} catch (error) {{\n\
         \x20 root.dataset.engine = error.cause === 'fetch' ? 'absent' : 'failed';\n\
         \x20 console.error(error);\n\
         }}\n"
    )
}
