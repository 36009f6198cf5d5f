//! Reads the command line.

use podscope_session::scenario::{ClusterSpec, File, Scenario, Step, VERSION, join_words};

/// What `run` and `kubectl` share.
#[derive(Default)]
pub struct Options {
    /// Manifest files to apply.
    pub files: Vec<String>,
    /// A scenario file.
    pub scenario: Option<String>,
    /// A scenario that comes with the program.
    pub preset: Option<String>,
    /// How many workers.
    pub nodes: Option<u32>,
    /// The seed.
    pub seed: Option<u64>,
    /// How long to run; `None`: until stable.
    pub span: Option<String>,
    /// Faults as written.
    pub faults: Vec<String>,
    /// `text`, `json` or `hash`.
    pub output: String,
    /// The time at which a kubectl command is run.
    pub at: Option<String>,
    /// Words after `--`.
    pub rest: Vec<String>,
}

/// Takes the words apart.
///
/// # Errors
/// An unknown flag, or one without its value.
pub fn parse(words: Vec<String>) -> Result<Options, String> {
    let mut options = Options {
        output: "text".into(),
        ..Options::default()
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            options.rest = words.collect();
            break;
        }
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                (flag.to_string(), Some(value.to_string()))
            }
            _ => (word, None),
        };
        let mut value = || {
            inline
                .clone()
                .or_else(|| words.next())
                .ok_or_else(|| format!("{flag} needs a value"))
        };
        match flag.as_str() {
            "--scenario" => options.scenario = Some(value()?),
            "--preset" => options.preset = Some(value()?),
            "--nodes" => options.nodes = Some(number(&flag, &value()?)?),
            "--seed" => options.seed = Some(number(&flag, &value()?)?),
            "--for" => options.span = Some(value()?),
            "--until" => {
                let until = value()?;
                if until != "stable" {
                    return Err(format!(
                        "--until takes only \"stable\", not {until:?}; use --for for a duration"
                    ));
                }
                options.span = None;
            }
            "--fault" => options.faults.push(value()?),
            "--at" => options.at = Some(value()?),
            "--output" | "-o" => {
                options.output = value()?;
                if !["text", "json", "hash"].contains(&options.output.as_str()) {
                    return Err(format!(
                        "--output {:?}: it is one of text, json, hash",
                        options.output
                    ));
                }
            }
            flag if flag.starts_with('-') => return Err(format!("unknown flag {flag}")),
            file => options.files.push(file.to_string()),
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{flag} takes a whole number, not {text:?}"))
}

/// Reads a file as text.
///
/// # Errors
/// The file and what is wrong with it.
pub fn read(path: &str) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{path}: it is not UTF-8 text"))
}

impl Options {
    /// The scenario that the options describe.
    ///
    /// # Errors
    /// What cannot be read or understood.
    pub fn scenario(&self) -> Result<Scenario, String> {
        let mut scenario = match (&self.scenario, &self.preset) {
            (Some(_), Some(_)) => return Err("--scenario and --preset exclude each other".into()),
            (Some(path), None) => {
                Scenario::parse(&read(path)?).map_err(|e| format!("{path}: {e}"))?
            }
            (None, Some(id)) => {
                let text = podscope_session::preset(id).ok_or_else(|| {
                    format!("there is no preset {id:?}; `podscope presets` lists them")
                })?;
                Scenario::parse(text).map_err(|e| format!("preset {id}: {e}"))?
            }
            (None, None) => Scenario {
                podscope: VERSION,
                ..Scenario::default()
            },
        };
        if let Some(nodes) = self.nodes {
            if nodes == 0 {
                return Err("--nodes 0: a cluster needs at least one node".into());
            }
            scenario.cluster.nodes = ClusterSpec::with_nodes(nodes).nodes;
        }
        if self.seed.is_some() {
            scenario.cluster.seed = self.seed;
        }
        for path in &self.files {
            let text = read(path)?;
            let name = std::path::Path::new(path)
                .file_name()
                .map_or_else(|| path.clone(), |n| n.to_string_lossy().into_owned());
            scenario.commands.push(Step {
                at: "1ms".into(),
                kubectl: join_words(&["apply".into(), "-f".into(), name.clone()]),
                ..Step::default()
            });
            scenario.files.push(File { name, text });
        }
        for fault in &self.faults {
            let mut at = "0s".to_string();
            let words: Vec<&str> = fault
                .split_whitespace()
                .filter(|w| {
                    let time = w.strip_prefix("at=");
                    if let Some(time) = time {
                        at = time.to_string();
                    }
                    time.is_none()
                })
                .collect();
            let known = podscope_session::fault_kinds();
            if !words.first().is_some_and(|kind| known.contains(kind)) {
                return Err(format!(
                    "--fault {fault:?}: the first word must be one of {}",
                    known.join(", ")
                ));
            }
            scenario.commands.push(Step {
                at,
                fault: words.join(" "),
                ..Step::default()
            });
        }
        // Everything is checked the same way as a scenario file.
        Scenario::parse(&scenario.to_yaml()).map_err(|e| e.to_string())
    }
}
