//! Each invariant finds what it forbids.
