//! The stage as a picture that stands alone: read from the page with all styles worked out, then
//! written as SVG or painted on a canvas.

mod canvas;
mod collect;
mod file;
mod svg;

pub use file::{png, save_text, svg};

/// A shape with everything that its look depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// What it is.
    pub form: Form,
    /// Its matrix: a, b, c, d, e, f as in SVG.
    pub matrix: [f64; 6],
    /// Its fill as a CSS colour, or `none`.
    pub fill: String,
    /// Its stroke as a CSS colour, or `none`.
    pub stroke: String,
    /// Width of the stroke.
    pub width: f64,
    /// Dashes and gaps; empty for a solid line.
    pub dashes: Vec<f64>,
    /// `butt`, `round` or `square`.
    pub cap: String,
    /// `miter`, `round` or `bevel`.
    pub join: String,
    /// Opacity of the whole shape, its parents' included.
    pub opacity: f64,
}

/// What a shape is.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Path data.
    Path(String),
    /// x, y, width, height, corner radius.
    Rect([f64; 5]),
    /// Centre and radii.
    Ellipse([f64; 4]),
    /// A line of text.
    Text {
        /// Where it begins, in the middle or ends, by `anchor`.
        at: (f64, f64),
        /// Its words.
        words: String,
        /// `start`, `middle` or `end`.
        anchor: String,
        /// Family names.
        family: String,
        /// Size in pixels.
        size: f64,
        /// Weight.
        weight: String,
    },
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// The ground's colour.
    pub ground: String,
    /// What it shows, in words.
    pub label: String,
    /// Shapes from back to front.
    pub shapes: Vec<Shape>,
}

/// The most shapes that a picture has; others are left out.
pub const MAX_SHAPES: usize = 20_000;
