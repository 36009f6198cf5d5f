//! One animation frame loop at a time, and what the person's system says about motion.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// A running animation; dropping it stops it.
pub struct Ride {
    handle: Rc<Cell<i32>>,
    _frame: Rc<RefCell<Option<Closure<dyn FnMut(f64)>>>>,
}

impl Drop for Ride {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.cancel_animation_frame(self.handle.get()).ok();
        }
        self._frame.borrow_mut().take();
    }
}

/// Calls `draw` every frame with the share of `duration_ms` that has passed, lastly with 1.
#[inline(never)]
pub fn run(duration_ms: f64, draw: impl Fn(f64) + 'static) -> Ride {
    let handle = Rc::new(Cell::new(0));
    let frame: Rc<RefCell<Option<Closure<dyn FnMut(f64)>>>> = Rc::default();
    let (again, next) = (Rc::downgrade(&frame), handle.clone());
    let mut start = None;
    *frame.borrow_mut() = Some(Closure::new(move |now: f64| {
        let share = ((now - *start.get_or_insert(now)) / duration_ms).min(1.0);
        draw(share);
        if share < 1.0
            && let Some(frame) = again.upgrade()
        {
            next.set(request(&frame));
        }
    }));
    handle.set(request(&frame));
    Ride {
        handle,
        _frame: frame,
    }
}

#[inline(never)]
fn request(frame: &Rc<RefCell<Option<Closure<dyn FnMut(f64)>>>>) -> i32 {
    let frame = frame.borrow();
    let (Some(window), Some(frame)) = (web_sys::window(), frame.as_ref()) else {
        return 0;
    };
    window
        .request_animation_frame(frame.as_ref().unchecked_ref())
        .unwrap_or(0)
}

/// Whether the person asked for less motion.
pub fn is_reduced() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// Whether a media query holds.
pub fn media(query: &str) -> bool {
    let list = web_sys::window().and_then(|window| window.match_media(query).ok().flatten());
    list.is_some_and(|list| list.matches())
}
