//! A picture painted on a canvas. Nothing is loaded for it, so a strict policy allows it.

use super::{Form, Picture, Shape};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement, Path2d};

/// The longest side of a picture in pixels.
const MAX_SIDE: f64 = 4_096.0;

/// Paints it at twice its size, or as large as is allowed.
pub fn paint(picture: &Picture) -> Option<HtmlCanvasElement> {
    let document = web_sys::window()?.document()?;
    let canvas: HtmlCanvasElement = document.create_element("canvas").ok()?.dyn_into().ok()?;
    let scale = (MAX_SIDE / picture.width.max(picture.height).max(1.0)).min(2.0);
    canvas.set_width((picture.width * scale).ceil() as u32);
    canvas.set_height((picture.height * scale).ceil() as u32);
    let context: Context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context.set_fill_style_str(&picture.ground);
    context.fill_rect(
        0.0,
        0.0,
        f64::from(canvas.width()),
        f64::from(canvas.height()),
    );
    for shape in &picture.shapes {
        draw(&context, shape, scale);
    }
    Some(canvas)
}

fn draw(context: &Context, shape: &Shape, scale: f64) -> Option<()> {
    let [a, b, c, d, e, f] = shape.matrix.map(|n| n * scale);
    context.set_transform(a, b, c, d, e, f).ok()?;
    context.set_global_alpha(shape.opacity);
    let (fills, strokes) = (
        shape.fill != "none",
        shape.stroke != "none" && shape.width > 0.0,
    );
    context.set_fill_style_str(&shape.fill);
    context.set_stroke_style_str(&shape.stroke);
    context.set_line_width(shape.width);
    context.set_line_cap(&shape.cap);
    context.set_line_join(&shape.join);
    let dashes = web_sys::js_sys::Array::new();
    for dash in &shape.dashes {
        dashes.push(&JsValue::from_f64(*dash));
    }
    context.set_line_dash(&dashes).ok()?;
    if let Form::Text {
        at: (x, y),
        words,
        anchor,
        family,
        size,
        weight,
    } = &shape.form
    {
        context.set_font(&format!("{weight} {size}px {family}"));
        context.set_text_align(if anchor == "middle" { "center" } else { anchor });
        // The halo lies behind the letters.
        if strokes {
            context.stroke_text(words, *x, *y).ok()?;
        }
        return context.fill_text(words, *x, *y).ok();
    }
    let path = outline(&shape.form)?;
    if fills {
        context.fill_with_path_2d(&path);
    }
    if strokes {
        context.stroke_with_path(&path);
    }
    Some(())
}

fn outline(form: &Form) -> Option<Path2d> {
    match form {
        Form::Path(d) => Path2d::new_with_path_string(d).ok(),
        Form::Rect([x, y, w, h, r]) => {
            let path = Path2d::new().ok()?;
            let r = r.min(w / 2.0).min(h / 2.0).max(0.0);
            path.move_to(x + r, *y);
            path.arc_to(x + w, *y, x + w, y + h, r).ok()?;
            path.arc_to(x + w, y + h, *x, y + h, r).ok()?;
            path.arc_to(*x, y + h, *x, *y, r).ok()?;
            path.arc_to(*x, *y, x + w, *y, r).ok()?;
            path.close_path();
            Some(path)
        }
        Form::Ellipse([cx, cy, rx, ry]) => {
            let path = Path2d::new().ok()?;
            path.ellipse(*cx, *cy, *rx, *ry, 0.0, 0.0, std::f64::consts::TAU)
                .ok()?;
            Some(path)
        }
        Form::Text { .. } => None,
    }
}
