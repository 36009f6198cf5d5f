//! The rules of ARCHITECTURE.md that a program can check by reading the sources.

use std::path::{Path, PathBuf};

/// Which crates of the workspace a crate may use. `web` takes only words from `lesson`.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("crates/kernel", &[]),
    ("crates/api", &[]),
    ("crates/manifest", &["api"]),
    ("crates/cluster", &["kernel", "api"]),
    ("crates/kubectl", &["api", "manifest"]),
    ("crates/lesson", &[]),
    (
        "crates/session",
        &["kernel", "api", "manifest", "cluster", "kubectl", "lesson"],
    ),
    ("crates/cli", &["session"]),
    ("crates/xtask", &[]),
    ("web", &["session", "lesson"]),
];

/// The crates whose state is the simulated world.
const CORE: [&str; 3] = ["crates/kernel", "crates/api", "crates/cluster"];

/// Crates without a host: the same input gives the same output, natively and in a browser.
const PURE: [&str; 7] = [
    "crates/kernel",
    "crates/api",
    "crates/cluster",
    "crates/manifest",
    "crates/kubectl",
    "crates/lesson",
    "crates/session",
];

/// Crates that may touch the page.
const BROWSER_PACKAGES: [&str; 5] = ["yew", "web-sys", "js-sys", "gloo-timers", "wasm-bindgen"];

/// Words that must not occur in the sources of the core, and why.
const BANNED_IN_CORE: [(&str, &str); 8] = [
    ("RefCell", "the world is a value"),
    ("Rc<Cell", "the world is a value"),
    ("Mutex", "the world is a value"),
    ("thread_local!", "no globals"),
    ("static mut", "no globals"),
    ("OnceLock", "no globals"),
    ("LazyLock", "no globals"),
    ("disallowed_types", "the banned types stay banned here"),
];

/// Words that must not occur in any crate without a host, and why.
const BANNED_IN_PURE: [(&str, &str); 7] = [
    ("std::fs", "no host"),
    ("std::env", "no host"),
    ("TcpStream", "no host"),
    ("UdpSocket", "no host"),
    ("std::process", "no host"),
    ("std::thread", "no host"),
    ("std::time::", "the simulation has its own clock"),
];

/// A file above this many lines holds more than one concept. Tables count too: split them by area.
const MAX_LINES: usize = 1500;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("crates/xtask is two folders below the root")
        .to_path_buf()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The files with this ending under a folder of the workspace, sorted.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name(file: &Path) -> String {
    file.strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string()
}

/// A source without its comments and without its unit tests, which stand at the end.
fn code(source: &str) -> String {
    let tests = source
        .find("\n#[cfg(test)]\nmod tests {")
        .unwrap_or(source.len());
    let lines = source.get(..tests).unwrap_or(source).lines();
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names in a manifest's `[dependencies]` and `[dependencies.NAME]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            inside = section == "dependencies]";
            let single = section.strip_prefix("dependencies.");
            names.extend(single.map(|name| name.trim_end_matches(']').to_owned()));
        } else if inside {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !name.is_empty() && !name.starts_with('#') {
                names.push(name.to_owned());
            }
        }
    }
    names
}

fn assert_none(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}

#[test]
fn crates_use_only_what_lies_below_them() {
    let mut problems = Vec::new();
    for (folder, allowed) in MAY_USE {
        let used = dependencies(&read(&root().join(folder).join("Cargo.toml")));
        let ours = used
            .iter()
            .filter_map(|name| name.strip_prefix("podscope-"));
        let wrong = ours.filter(|name| !allowed.contains(name));
        problems.extend(wrong.map(|name| format!("{folder} uses podscope-{name}")));
    }
    assert_none("a crate knows only those below it", &problems);
}

#[test]
fn every_crate_has_a_rule() {
    let crates = files("crates", "toml")
        .into_iter()
        .chain(files("web", "toml"));
    let folders = crates.filter(|file| file.ends_with("Cargo.toml"));
    let folders = folders.filter_map(|file| file.parent().map(name));
    let missing: Vec<String> = folders
        .filter(|folder| !MAY_USE.iter().any(|(with_rule, _)| with_rule == folder))
        .collect();
    assert_none("MAY_USE names every crate", &missing);
}

#[test]
fn only_the_page_knows_the_browser() {
    let mut problems = Vec::new();
    for (folder, _) in MAY_USE.iter().filter(|(folder, _)| *folder != "web") {
        let used = dependencies(&read(&root().join(folder).join("Cargo.toml")));
        let wrong = used
            .iter()
            .filter(|name| BROWSER_PACKAGES.contains(&name.as_str()));
        problems.extend(wrong.map(|name| format!("{folder} uses {name}")));
    }
    assert_none("only web knows the DOM", &problems);
}

#[test]
fn the_core_is_a_value_without_globals() {
    assert_none("banned in the core", &banned(&CORE, &BANNED_IN_CORE));
}

#[test]
fn nothing_below_the_page_touches_the_host() {
    assert_none("banned below the page", &banned(&PURE, &BANNED_IN_PURE));
}

fn banned(folders: &[&str], words: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    for folder in folders {
        let is_source = |file: &PathBuf| !file.ends_with("tests.rs");
        for file in files(&format!("{folder}/src"), "rs")
            .into_iter()
            .filter(is_source)
        {
            let code = code(&read(&file));
            let found = words.iter().filter(|(word, _)| code.contains(word));
            problems.extend(found.map(|(word, why)| format!("{}: {word} ({why})", name(&file))));
        }
    }
    problems
}

#[test]
fn every_module_says_what_it_is() {
    let mut problems = Vec::new();
    for folder in ["crates", "web", "tests/conformance", "tests/parity"] {
        for file in files(folder, "rs") {
            if !read(&file).starts_with("//!") {
                problems.push(name(&file));
            }
        }
    }
    assert_none(
        "the first line of a module is its `//!` description",
        &problems,
    );
}

#[test]
fn every_source_file_is_part_of_its_crate() {
    let mut problems = Vec::new();
    for folder in ["crates", "web", "tests/conformance", "tests/parity"] {
        let sources = files(folder, "rs");
        for file in sources.iter().filter(|file| is_module(file)) {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            let declaration = format!("mod {};", module_name(file, &stem));
            let declared = parents_of(file).iter().any(|parent| {
                let source = std::fs::read_to_string(parent).unwrap_or_default();
                source
                    .lines()
                    .any(|line| line.trim().ends_with(&declaration))
            });
            if !declared {
                problems.push(name(file));
            }
        }
    }
    assert_none("a file that no module declares is not compiled", &problems);
}

/// Whether another file must declare it: crate roots, tests and benches need no declaration.
fn is_module(file: &Path) -> bool {
    let parts: Vec<String> = file
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let below_src = parts
        .iter()
        .rposition(|part| part == "src")
        .is_some_and(|at| at + 1 < parts.len());
    let file_name = parts.last().map(String::as_str).unwrap_or_default();
    below_src
        && !matches!(file_name, "lib.rs" | "main.rs" | "build.rs")
        && !parts.contains(&"bin".into())
}

fn module_name(file: &Path, stem: &str) -> String {
    match stem {
        "mod" => file
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        _ => stem.to_owned(),
    }
}

/// The files that may declare a module.
fn parents_of(file: &Path) -> Vec<PathBuf> {
    let is_mod = file.file_stem().is_some_and(|stem| stem == "mod");
    let folder = file.parent().unwrap_or(file);
    let folder = if is_mod {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    let named = folder.with_extension("rs");
    vec![
        folder.join("lib.rs"),
        folder.join("main.rs"),
        folder.join("mod.rs"),
        named,
    ]
}

#[test]
fn files_stay_small() {
    let mut problems = Vec::new();
    for folder in ["crates", "web", "tests"] {
        for file in files(folder, "rs") {
            let lines = read(&file).lines().count();
            if lines > MAX_LINES {
                problems.push(format!("{}: {lines} lines", name(&file)));
            }
        }
    }
    assert_none("one concept per file", &problems);
}

#[test]
fn nothing_is_inline() {
    let mut problems = Vec::new();
    let sources = files("web", "rs").into_iter().chain(files("web", "html"));
    for file in sources.chain([root().join("index.html")]) {
        let text = code(&read(&file));
        for word in [
            " style=\"",
            "style={",
            " onclick=\"",
            " onload=\"",
            "javascript:",
            "<style>",
        ] {
            if text.contains(word) {
                problems.push(format!("{}: {word}", name(&file)));
            }
        }
    }
    assert_none(
        "a strict Content-Security-Policy forbids inline styles and scripts",
        &problems,
    );
}

#[test]
fn the_rules_find_what_they_forbid() {
    let manifest = "[dependencies]\na.workspace = true\n# x\nb = \"1\"\n\
                    [dependencies.c]\nd = 1\n[dev-dependencies]\ne = 1\n";
    assert_eq!(dependencies(manifest), ["a", "b", "c"]);
    assert_eq!(
        code("//! RefCell\nfn a() {}\n\n#[cfg(test)]\nmod tests {\nRefCell\n}"),
        "fn a() {}"
    );
    assert!(is_module(Path::new("crates/a/src/b/mod.rs")));
    assert!(!is_module(Path::new("crates/a/src/lib.rs")));
    assert!(!is_module(Path::new("crates/a/tests/b.rs")));
}
