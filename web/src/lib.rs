//! The Yew single-page app; the only crate that knows the DOM.

mod draw;
mod layout;
mod motion;
mod words;
mod yaml;
