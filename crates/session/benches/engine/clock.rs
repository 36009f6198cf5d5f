//! The host's clock and its terminal, natively and in a JavaScript engine.

#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::disallowed_types, reason = "a benchmark measures host time")]
mod host {
    use std::time::Instant;

    /// Milliseconds since the first call.
    pub fn now() -> f64 {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
    }

    /// Prints a line.
    pub fn say(line: &str) {
        println!("{line}");
    }

    /// The words after the program's name.
    pub fn arguments() -> Vec<String> {
        std::env::args().skip(1).collect()
    }
}

#[cfg(target_arch = "wasm32")]
mod host {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = performance, js_name = now)]
        fn performance_now() -> f64;
        #[wasm_bindgen(js_namespace = console)]
        fn log(line: &str);
        #[wasm_bindgen(js_namespace = ["process", "argv"], js_name = join)]
        fn joined_arguments(between: &str) -> String;
    }

    /// Milliseconds since some moment.
    pub fn now() -> f64 {
        performance_now()
    }

    /// Prints a line.
    pub fn say(line: &str) {
        log(line);
    }

    /// The words after the script's name.
    pub fn arguments() -> Vec<String> {
        let all = joined_arguments("\n");
        all.lines().skip(2).map(String::from).collect()
    }
}

pub use host::{arguments, now, say};
