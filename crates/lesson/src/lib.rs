//! Chapters, glossary, presets and message catalogue loaded from content/.
