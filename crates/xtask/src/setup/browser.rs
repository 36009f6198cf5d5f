//! Chrome or Chromium and its driver.

use super::wasm::apt_install;
use crate::shell::{self, Result};
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a browser test needs.
pub struct Browser {
    /// Chrome or Chromium.
    pub program: PathBuf,
    /// `chromedriver`; `None`: wasm-pack fetches one.
    pub driver: Option<PathBuf>,
}

impl Browser {
    /// One line about it.
    pub fn describe(&self) -> String {
        let driver = self
            .driver
            .as_ref()
            .map(|driver| driver.display().to_string());
        let driver = driver.unwrap_or_else(|| "fetched by wasm-pack".to_owned());
        format!("{}, driver {driver}", self.program.display())
    }

    /// Writes the WebDriver capabilities for this browser; returns the file.
    pub fn webdriver_json(&self) -> Result<PathBuf> {
        let template = workspace::read(&workspace::root().join("web/webdriver.json"))?;
        let options = "\"goog:chromeOptions\": {";
        let program = self.program.display().to_string().replace('\\', "\\\\");
        let text = template.replacen(
            options,
            &format!("{options}\n    \"binary\": \"{program}\","),
            1,
        );
        let file = workspace::target().join("webdriver.json");
        workspace::write(&file, text.as_bytes())?;
        Ok(file)
    }
}

/// Where browsers are when they are not on `PATH`.
const PLACES: [&str; 4] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
];

const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// Finds a browser, or installs Debian's where that is possible.
pub fn browser() -> Result<Browser> {
    let can_install = shell::which("apt-get").is_some() && shell::is_root();
    if let Some(browser) = find() {
        // Debian's driver comes in a package of its own.
        let debian = browser.program.starts_with("/usr/bin") && browser.driver.is_none();
        if !(debian && can_install) {
            return Ok(browser);
        }
    }
    if can_install {
        apt_install(&["chromium", "chromium-driver"])?;
        if let Some(browser) = find() {
            return Ok(browser);
        }
    }
    Err("no Chrome or Chromium: install one, or set PODSCOPE_CHROMIUM to its program".to_owned())
}

fn find() -> Option<Browser> {
    let chosen = std::env::var_os("PODSCOPE_CHROMIUM").map(PathBuf::from);
    let program = chosen
        .or_else(|| NAMES.iter().find_map(|name| shell::which(name)))
        .or_else(|| PLACES.iter().map(PathBuf::from).find(|file| file.is_file()))?;
    let version = shell::output(Command::new(&program).arg("--version"));
    // Windows' Chrome prints no version; elsewhere a browser that cannot say it cannot run.
    if !cfg!(windows) && version.is_err() {
        return None;
    }
    let driver = shell::which("chromedriver").or_else(|| {
        let file = Path::new("/usr/lib/chromium-browser/chromedriver");
        file.is_file().then(|| file.to_path_buf())
    });
    Some(Browser { program, driver })
}
