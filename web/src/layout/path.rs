//! Polylines: drawn with rounded corners, and walked by travelling messages.

/// A point in pixels.
pub type Point = (i32, i32);

/// SVG path data of a polyline of horizontal and vertical pieces, corners rounded.
pub fn rounded(points: &[Point], radius: i32) -> String {
    let mut d = String::with_capacity(points.len() * 24);
    for (i, &(x, y)) in points.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| points.get(i));
        match (before, points.get(i + 1)) {
            (None, _) => push(&mut d, 'M', &[x, y]),
            (Some(_), None) => push(&mut d, 'L', &[x, y]),
            (Some(&a), Some(&b)) => {
                let (ax, ay) = towards((x, y), a, radius);
                let (bx, by) = towards((x, y), b, radius);
                push(&mut d, 'L', &[ax, ay]);
                push(&mut d, 'Q', &[x, y, bx, by]);
            }
        }
    }
    d
}

/// The point `distance` away from `from` towards `to`, at most half way.
fn towards(from: Point, to: Point, distance: i32) -> Point {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.abs().max(dy.abs());
    let step = distance.min(length / 2);
    (from.0 + dx.signum() * step, from.1 + dy.signum() * step)
}

fn push(d: &mut String, command: char, numbers: &[i32]) {
    d.push(command);
    for (i, n) in numbers.iter().enumerate() {
        if i > 0 {
            d.push(' ');
        }
        d.push_str(&n.to_string());
    }
}

/// The point at a share (0 to 1) of a polyline's length.
pub fn along(points: &[Point], share: f64) -> (f64, f64) {
    let pieces = || {
        points
            .windows(2)
            .filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
    };
    let length = |(a, b): (Point, Point)| f64::from(b.0 - a.0).hypot(f64::from(b.1 - a.1));
    let mut left = pieces().map(length).sum::<f64>() * share.clamp(0.0, 1.0);
    for (a, b) in pieces() {
        let piece = length((a, b));
        if left <= piece && piece > 0.0 {
            let part = left / piece;
            let between = |a: i32, b: i32| f64::from(a) + f64::from(b - a) * part;
            return (between(a.0, b.0), between(a.1, b.1));
        }
        left -= piece;
    }
    points
        .last()
        .map_or((0.0, 0.0), |&(x, y)| (f64::from(x), f64::from(y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn corners_are_rounded_and_never_overshoot() {
        assert_eq!(
            rounded(&[(0, 0), (0, 20), (50, 20)], 12),
            "M0 0L0 10Q0 20 12 20L50 20"
        );
        assert_eq!(rounded(&[(0, 0), (9, 0)], 12), "M0 0L9 0");
        assert_eq!(rounded(&[], 12), "");
    }

    #[test]
    fn a_walk_starts_and_ends_at_the_ends() {
        let path = [(0, 0), (0, 30), (10, 30)];
        assert_eq!(along(&path, 0.0), (0.0, 0.0));
        assert_eq!(along(&path, 0.75), (0.0, 30.0));
        assert_eq!(along(&path, 1.0), (10.0, 30.0));
        assert_eq!(along(&[], 0.5), (0.0, 0.0));
    }
}
