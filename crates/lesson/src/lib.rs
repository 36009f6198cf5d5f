//! Chapters, glossary, presets and message catalogue loaded from content/.

pub mod presets;

pub use presets::{Preset, preset, presets};
