//! The scenarios on offer, as the page lists them.

use crate::view::PresetView;
use std::sync::OnceLock;

/// All scenarios on offer.
pub fn views() -> &'static [PresetView] {
    static VIEWS: OnceLock<Vec<PresetView>> = OnceLock::new();
    VIEWS.get_or_init(|| {
        podscope_lesson::presets()
            .iter()
            .map(|p| PresetView {
                id: p.id,
                title: p.title,
                lesson: p.lesson,
            })
            .collect()
    })
}
