//! A picture as an SVG file that needs nothing else: no style sheet, no symbol, no font.

use super::{Form, Picture, Shape};

/// Writes it.
pub fn write(picture: &Picture) -> String {
    let (w, h) = (number(picture.width), number(picture.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\">\n<title>{}</title>\n<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
        escaped(&picture.label),
        escaped(&picture.ground)
    );
    for shape in &picture.shapes {
        out.push_str(&line(shape));
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn line(shape: &Shape) -> String {
    let mut look = String::new();
    let mut add = |name: &str, value: &str| {
        look.push_str(&format!(" {name}=\"{}\"", escaped(value)));
    };
    if shape.matrix != [1.0, 0.0, 0.0, 1.0, 0.0, 0.0] {
        let parts: Vec<String> = shape.matrix.iter().map(|n| number(*n)).collect();
        add("transform", &format!("matrix({})", parts.join(" ")));
    }
    add("fill", &shape.fill);
    if shape.stroke != "none" {
        add("stroke", &shape.stroke);
        add("stroke-width", &number(shape.width));
        if !shape.dashes.is_empty() {
            let parts: Vec<String> = shape.dashes.iter().map(|n| number(*n)).collect();
            add("stroke-dasharray", &parts.join(" "));
        }
        add("stroke-linecap", &shape.cap);
        add("stroke-linejoin", &shape.join);
        if matches!(shape.form, Form::Text { .. }) {
            // A halo lies behind the letters.
            add("paint-order", "stroke");
        }
    }
    if shape.opacity < 1.0 {
        add("opacity", &number(shape.opacity));
    }
    match &shape.form {
        Form::Path(d) => format!("<path d=\"{}\"{look}/>", escaped(d)),
        Form::Rect([x, y, w, h, r]) => {
            let [x, y, w, h, r] = [x, y, w, h, r].map(|n| number(*n));
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\"{look}/>")
        }
        Form::Ellipse([cx, cy, rx, ry]) => {
            let [cx, cy, rx, ry] = [cx, cy, rx, ry].map(|n| number(*n));
            format!("<ellipse cx=\"{cx}\" cy=\"{cy}\" rx=\"{rx}\" ry=\"{ry}\"{look}/>")
        }
        Form::Text {
            at: (x, y),
            words,
            anchor,
            family,
            size,
            weight,
        } => format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" font-family=\"{}\" font-size=\"{}\" font-weight=\"{}\"{look}>{}</text>",
            number(*x),
            number(*y),
            escaped(anchor),
            escaped(family),
            number(*size),
            escaped(weight),
            escaped(words)
        ),
    }
}

/// A number with at most three decimals.
fn number(n: f64) -> String {
    let rounded = (n * 1000.0).round() / 1000.0;
    if rounded == 0.0 {
        "0".into()
    } else {
        rounded.to_string()
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_picture_is_written_with_all_it_needs() {
        let shape = Shape {
            form: Form::Text {
                at: (1.5, 2.0),
                words: "a<b & \"c\"".into(),
                anchor: "middle".into(),
                family: "\"Segoe UI\", sans-serif".into(),
                size: 12.0,
                weight: "600".into(),
            },
            matrix: [1.0, 0.0, 0.0, 1.0, 10.0, 0.0],
            fill: "rgb(1, 2, 3)".into(),
            stroke: "none".into(),
            width: 1.0,
            dashes: vec![],
            cap: "butt".into(),
            join: "miter".into(),
            opacity: 0.5,
        };
        let picture = Picture {
            width: 100.0,
            height: 50.25,
            ground: "#fff".into(),
            label: "A & B".into(),
            shapes: vec![
                shape.clone(),
                Shape {
                    form: Form::Path("M0 0h5".into()),
                    stroke: "red".into(),
                    dashes: vec![2.0, 4.0],
                    ..shape
                },
            ],
        };
        expect_test::expect![[r##"
            <svg xmlns="http://www.w3.org/2000/svg" width="100" height="50.25" viewBox="0 0 100 50.25" role="img">
            <title>A &amp; B</title>
            <rect width="100" height="50.25" fill="#fff"/>
            <text x="1.5" y="2" text-anchor="middle" font-family="&quot;Segoe UI&quot;, sans-serif" font-size="12" font-weight="600" transform="matrix(1 0 0 1 10 0)" fill="rgb(1, 2, 3)" opacity="0.5">a&lt;b &amp; &quot;c&quot;</text>
            <path d="M0 0h5" transform="matrix(1 0 0 1 10 0)" fill="rgb(1, 2, 3)" stroke="red" stroke-width="1" stroke-dasharray="2 4" stroke-linecap="butt" stroke-linejoin="miter" opacity="0.5"/>
            </svg>
        "##]]
        .assert_eq(&write(&picture));
    }
}
