//! Where things go: pure arithmetic in whole pixels, no DOM. Golden-tested.

pub mod cluster;
pub mod clusters;
pub mod lanes;
pub mod path;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    /// From left, top, width and height.
    pub const fn new(x: i32, y: i32, w: i32, h: i32) -> Rect {
        Rect { x, y, w, h }
    }
    /// Right edge.
    pub const fn right(self) -> i32 {
        self.x + self.w
    }
    /// Bottom edge.
    pub const fn bottom(self) -> i32 {
        self.y + self.h
    }
    /// Horizontal centre.
    pub const fn cx(self) -> i32 {
        self.x + self.w / 2
    }
    /// Vertical centre.
    pub const fn cy(self) -> i32 {
        self.y + self.h / 2
    }
    /// Whether the two share a pixel.
    #[cfg(test)]
    pub const fn overlaps(self, other: Rect) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}
