//! Which functions the first scene runs: an instrumented site is opened in a browser, which counts.

use super::{MARK, Ran, instrument, outline, split};
use crate::shell::{self, Result, say};
use crate::site::wasm::Engine;
use crate::{page, workspace};
use std::path::Path;

/// wasm-bindgen's JavaScript, where the second part's takes hold.
const IMPORTS: &str = "\"./podscope-web_bg.js\": import0,";
const EXPORTS: &str = "__wbg_init as default";

/// Cuts the engine in two. `assemble` writes a site with a given engine into a folder.
///
/// Errors: no browser, or what [`split`] says.
pub fn divide(engine: &mut Engine, assemble: impl Fn(&Engine, &Path) -> Result<()>) -> Result<()> {
    let folder = workspace::target().join("profile-site");
    std::fs::remove_dir_all(&folder).ok();
    let whole = std::mem::take(&mut engine.wasm);
    let glue = engine.glue.clone();
    engine.wasm = instrument(&whole)?;
    engine
        .glue
        .push_str("\nexport const podscopeExports = () => wasm;\n");
    let ran = assemble(engine, &folder).and_then(|()| profile(&folder, engine));
    engine.glue = glue;
    engine.wasm = whole;
    let ran = ran?;
    let outlined = outline(&engine.wasm, &ran)?;
    let Some(parts) = split(&outlined, &engine.linked, &engine.glue, &ran.functions)? else {
        return Ok(());
    };
    engine.glue = join(&parts.glue)?;
    engine.wasm = parts.first;
    engine.later = Some(parts.later);
    Ok(())
}

fn profile(site: &Path, engine: &Engine) -> Result<Ran> {
    say("opening the page to see which part of the engine the first scene runs");
    let mut node = page::script_on(site, "profile.mjs")?;
    let printed = shell::output(node.args([engine.glue_name.as_str(), MARK]))?;
    let ran = Ran::read(&printed);
    if ran.functions.is_empty() {
        return Err("the page ran nothing of the engine".to_owned());
    }
    Ok(ran)
}

/// wasm-bindgen's JavaScript with the second part's.
fn join(glue: &str) -> Result<String> {
    let mut joined = glue.to_owned();
    for (found, instead) in [
        (
            IMPORTS,
            format!("{IMPORTS}\npodscope: {{ load: podscopeLoad }},"),
        ),
        (EXPORTS, "podscopeStart as default".to_owned()),
    ] {
        if joined.matches(found).count() != 1 {
            return Err(format!("wasm-bindgen's JavaScript has no single `{found}`"));
        }
        joined = joined.replace(found, &instead);
    }
    joined.push_str(&super::names::without_comments(include_str!("later.js")));
    Ok(joined)
}
