//! The Yew single-page app; the only crate that knows the DOM.
