//! The facade: commands in, plain data views out; time travel, forks, share links, why and what-if.
//!
//! [`api::SessionApi`] is what the page may ask for, [`view`] is what it gets. The engine's session
//! implements it; so does the page's fixture, which lets the page be drawn and tested on its own.

pub mod api;
pub mod view;
