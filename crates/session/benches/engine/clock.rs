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

    /// Milliseconds that this thread has been on a processor, where the system tells (Linux).
    pub fn on_processor() -> Option<f64> {
        // Brings the system's books up to date.
        std::thread::yield_now();
        let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
        let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
        Some(nanoseconds / 1e6)
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
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = performance, js_name = now)]
        fn performance_now() -> f64;
        #[wasm_bindgen(js_namespace = console)]
        fn log(line: &str);
        #[wasm_bindgen(js_namespace = ["process", "argv"], js_name = join)]
        fn joined_arguments(between: &str) -> String;
        #[wasm_bindgen(js_namespace = process, js_name = cpuUsage)]
        fn cpu_usage() -> JsValue;
        #[wasm_bindgen(js_namespace = JSON)]
        fn stringify(value: &JsValue) -> String;
    }

    /// Milliseconds that the process has been on a processor, compilers and collectors included.
    pub fn on_processor() -> Option<f64> {
        // {"user":123,"system":45}, in microseconds.
        let text = stringify(&cpu_usage());
        let numbers = text.split(|c: char| !c.is_ascii_digit());
        let sum: f64 = numbers.filter_map(|n| n.parse::<f64>().ok()).sum();
        Some(sum / 1e3)
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

pub use host::{arguments, now, on_processor, say};
