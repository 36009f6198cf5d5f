//! Reads a drawing of the page into shapes, with every style worked out by the browser.

use super::{Form, MAX_SHAPES, Picture, Shape};
use wasm_bindgen::JsCast;
use web_sys::{
    CssStyleDeclaration, Element, SvgGeometryElement, SvgGraphicsElement, SvgMatrix, SvgsvgElement,
    Window,
};

struct Walk {
    window: Window,
    /// From the screen to the drawing's own coordinates.
    home: SvgMatrix,
    shapes: Vec<Shape>,
}

/// The picture in an element: its first drawing of class `pic` that is shown.
pub fn picture(figure: &Element) -> Option<Picture> {
    let window = web_sys::window()?;
    let svg = figure.query_selector("svg.pic").ok()??;
    let root: SvgsvgElement = svg.dyn_into().ok()?;
    let home = root.get_screen_ctm()?.inverse().ok()?;
    let view_box = root.get_attribute("viewBox")?;
    let mut parts = view_box
        .split(' ')
        .filter_map(|n| n.parse::<f64>().ok())
        .skip(2);
    let (width, height) = (parts.next()?, parts.next()?);
    let ground = window
        .get_computed_style(figure)
        .ok()??
        .get_property_value("--paper")
        .ok()?;
    let mut walk = Walk {
        window,
        home,
        shapes: Vec::new(),
    };
    walk.children(&root, 1.0);
    Some(Picture {
        width,
        height,
        ground: ground.trim().to_owned(),
        label: root.get_attribute("aria-label").unwrap_or_default(),
        shapes: walk.shapes,
    })
}

fn number(style: &CssStyleDeclaration, name: &str) -> f64 {
    let text = style.get_property_value(name).unwrap_or_default();
    text.trim_end_matches("px").trim().parse().unwrap_or(0.0)
}

fn attribute(element: &Element, name: &str) -> f64 {
    element
        .get_attribute(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0)
}

impl Walk {
    fn children(&mut self, element: &Element, opacity: f64) {
        let children = element.children();
        for i in 0..children.length() {
            if let Some(child) = children.item(i) {
                self.element(&child, opacity);
            }
        }
    }

    fn element(&mut self, element: &Element, above: f64) {
        if self.shapes.len() >= MAX_SHAPES {
            return;
        }
        let Ok(Some(style)) = self.window.get_computed_style(element) else {
            return;
        };
        let read = |name: &str| style.get_property_value(name).unwrap_or_default();
        if read("display") == "none" || read("visibility") == "hidden" {
            return;
        }
        let own: f64 = read("opacity").parse().unwrap_or(1.0);
        let opacity = above * own;
        if opacity < 0.01 {
            return;
        }
        let form = match element.local_name().as_str() {
            "g" | "svg" => return self.children(element, opacity),
            "use" => return self.instance(element, opacity),
            "path" => Form::Path(element.get_attribute("d").unwrap_or_default()),
            "rect" => {
                let at = |name| attribute(element, name);
                // Sizes and radii may come from the style sheet.
                Form::Rect([
                    at("x"),
                    at("y"),
                    number(&style, "width"),
                    number(&style, "height"),
                    number(&style, "rx").max(number(&style, "ry")),
                ])
            }
            "circle" => {
                let r = number(&style, "r");
                Form::Ellipse([attribute(element, "cx"), attribute(element, "cy"), r, r])
            }
            "ellipse" => Form::Ellipse([
                attribute(element, "cx"),
                attribute(element, "cy"),
                number(&style, "rx"),
                number(&style, "ry"),
            ]),
            "text" => Form::Text {
                at: (attribute(element, "x"), attribute(element, "y")),
                words: element.text_content().unwrap_or_default(),
                anchor: read("text-anchor"),
                family: read("font-family"),
                size: number(&style, "font-size"),
                weight: read("font-weight"),
            },
            _ => return,
        };
        let Some(matrix) = self.matrix(element) else {
            return;
        };
        let dashes = read("stroke-dasharray");
        let shape = Shape {
            form,
            matrix,
            fill: faded(read("fill"), &read("fill-opacity")),
            stroke: faded(read("stroke"), &read("stroke-opacity")),
            width: number(&style, "stroke-width"),
            dashes: dashes
                .split(',')
                .filter_map(|n| n.trim().trim_end_matches("px").parse().ok())
                .collect(),
            cap: read("stroke-linecap"),
            join: read("stroke-linejoin"),
            opacity,
        };
        let heads = [read("marker-start"), read("marker-end")];
        self.add(element, shape, &style);
        for (i, marker) in heads.iter().enumerate() {
            if marker.starts_with("url(") {
                self.head(element, marker, i == 1);
            }
        }
    }

    fn matrix(&self, element: &Element) -> Option<[f64; 6]> {
        let graphics: &SvgGraphicsElement = element.dyn_ref()?;
        let m = self.home.multiply(&graphics.get_screen_ctm()?);
        Some([m.a(), m.b(), m.c(), m.d(), m.e(), m.f()].map(f64::from))
    }

    /// Adds a shape; a pattern becomes a ground with lines over it.
    fn add(&mut self, element: &Element, mut shape: Shape, style: &CssStyleDeclaration) {
        let clear = |paint: &str| paint == "none" || paint == "rgba(0, 0, 0, 0)";
        if shape.fill.starts_with("url(") {
            let doubtful = shape.fill.contains("hatch");
            let token = |name: &str| {
                style
                    .get_property_value(name)
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            };
            let lines = if doubtful {
                ("--fault", 7.0, 1.4, 0.38)
            } else {
                ("--ink-2", 5.0, 1.2, 0.45)
            };
            shape.fill = token("--panel");
            if let Form::Rect(rect) = shape.form {
                let d = hatch(rect, lines.1);
                let over = Shape {
                    form: Form::Path(d),
                    fill: "none".into(),
                    stroke: token(lines.0),
                    width: lines.2,
                    dashes: Vec::new(),
                    opacity: shape.opacity * lines.3,
                    ..shape.clone()
                };
                let edge = Shape {
                    fill: "none".into(),
                    ..shape.clone()
                };
                shape.stroke = "none".into();
                self.shapes.extend([shape, over, edge]);
                return;
            }
        }
        let seen = !clear(&shape.fill) || !clear(&shape.stroke) && shape.width > 0.0;
        let worded = match &shape.form {
            Form::Text { words, .. } => !words.trim().is_empty(),
            _ => true,
        };
        if seen && worded && element.is_connected() {
            self.shapes.push(shape);
        }
    }

    /// A symbol's shapes in the hue of the place where it is used: they stand in the drawing for a
    /// moment, so that the browser works out their styles.
    fn instance(&mut self, used: &Element, opacity: f64) {
        let document = self.window.document();
        let href = used.get_attribute("href").unwrap_or_default();
        let symbol = document
            .as_ref()
            .and_then(|d| d.get_element_by_id(href.trim_start_matches('#')));
        let (Some(document), Some(symbol), Some(parent)) =
            (document, symbol, used.parent_element())
        else {
            return;
        };
        let Ok(group) = document.create_element_ns(Some("http://www.w3.org/2000/svg"), "g") else {
            return;
        };
        group.set_attribute("class", "inlined").ok();
        let children = symbol.children();
        for i in 0..children.length() {
            if let Some(copy) = children
                .item(i)
                .and_then(|child| child.clone_node_with_deep(true).ok())
            {
                group.append_child(&copy).ok();
            }
        }
        if parent.append_child(&group).is_ok() {
            self.children(&group, opacity);
        }
        group.remove();
    }

    /// The head of an arrow, at the end of its line.
    fn head(&mut self, element: &Element, marker: &str, at_end: bool) {
        let Some(line) = element.dyn_ref::<SvgGeometryElement>() else {
            return;
        };
        let length = line.get_total_length();
        let (tip, before) = if at_end {
            (length, (length - 1.0).max(0.0))
        } else {
            (0.0, length.min(1.0))
        };
        let (Ok(tip), Ok(before)) = (
            line.get_point_at_length(tip),
            line.get_point_at_length(before),
        ) else {
            return;
        };
        let Some(drawn) = self.shapes.last().cloned() else {
            return;
        };
        let (x, y) = (f64::from(tip.x()), f64::from(tip.y()));
        let (dx, dy) = (x - f64::from(before.x()), y - f64::from(before.y()));
        let size = dx.hypot(dy).max(0.001);
        // A marker's box of 10 is drawn 8 (or 10) stroke widths wide.
        let crossed = marker.contains("a-no");
        let scale = if crossed { 1.0 } else { 0.8 } * drawn.width.max(0.5);
        let (c, s) = if crossed {
            (scale, 0.0)
        } else {
            (dx / size * scale, dy / size * scale)
        };
        let back = if crossed {
            5.0
        } else if marker.contains("a-res") {
            8.0
        } else {
            9.0
        };
        let (d, filled, width) = match () {
            () if crossed => ("M1 1l8 8M9 1L1 9", false, 1.8),
            () if marker.contains("a-res") => ("M1 1l7 4-7 4", false, 1.6),
            () => ("M0 0l10 5-10 5z", true, 0.0),
        };
        let [a, b, cc, dd, e, f] = drawn.matrix;
        // The head's own matrix: turned, scaled and moved to the tip.
        let (me, mf) = (x - c * back + s * 5.0, y - s * back - c * 5.0);
        let matrix = [
            a * c + cc * s,
            b * c + dd * s,
            a * -s + cc * c,
            b * -s + dd * c,
            a * me + cc * mf + e,
            b * me + dd * mf + f,
        ];
        self.shapes.push(Shape {
            form: Form::Path(d.into()),
            matrix,
            fill: if filled {
                drawn.stroke.clone()
            } else {
                "none".into()
            },
            stroke: if filled {
                "none".into()
            } else {
                drawn.stroke.clone()
            },
            width,
            dashes: Vec::new(),
            ..drawn
        });
    }
}

/// A colour with its opacity in it; other paints as they are.
fn faded(paint: String, opacity: &str) -> String {
    let share: f64 = opacity.parse().unwrap_or(1.0);
    match paint
        .strip_prefix("rgb(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(parts) if share < 1.0 => format!("rgba({parts}, {share})"),
        _ => paint,
    }
}

/// Lines from lower left to upper right over a rectangle, so far apart.
fn hatch([x, y, w, h, r]: [f64; 5], apart: f64) -> String {
    let inset = r * 0.3;
    let (x, y, w, h) = (x + inset, y + inset, w - 2.0 * inset, h - 2.0 * inset);
    let step = apart * std::f64::consts::SQRT_2;
    let mut d = String::new();
    let mut c = step;
    // Points with (px - x) + (py - y) = c.
    while c < w + h && d.len() < 40_000 {
        let (x0, y0) = if c <= h { (0.0, c) } else { (c - h, h) };
        let (x1, y1) = if c <= w { (c, 0.0) } else { (w, c - w) };
        d.push_str(&format!(
            "M{:.1} {:.1}L{:.1} {:.1}",
            x + x0,
            y + y0,
            x + x1,
            y + y1
        ));
        c += step;
    }
    d
}
