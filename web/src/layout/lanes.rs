//! The time axis of the lanes. Quiet spans are torn out, so that milliseconds and minutes share one
//! strip: time is broken, not squeezed.

use podscope_session::view::{LaneView, Nanos, TimelineView};

/// A stretch of time drawn to scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First moment.
    pub from: Nanos,
    /// Last moment.
    pub to: Nanos,
    /// Left edge in pixels.
    pub x0: i32,
    /// Right edge in pixels.
    pub x1: i32,
}

/// A torn gap between two stretches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Left edge.
    pub x0: i32,
    /// Right edge.
    pub x1: i32,
    /// How much time it leaves out.
    pub length: Nanos,
}

/// The axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axis {
    /// Stretches in order.
    pub stretches: Vec<Stretch>,
    /// Gaps between them.
    pub gaps: Vec<Gap>,
}

const GAP_PX: i32 = 68;
const PAD_PX: i32 = 14;
const MOST_STRETCHES: usize = 8;

impl Axis {
    /// Lays out the timeline between two pixel columns.
    pub fn new(timeline: &TimelineView, left: i32, right: i32) -> Axis {
        let moments = moments(&timeline.lanes);
        let room = (right - left).max(120);
        let gap_px = if room < 900 { GAP_PX / 3 } else { GAP_PX };
        let most = (room / 150).clamp(2, MOST_STRETCHES as i32) as usize;
        let cuts = cuts(&moments, most);
        let Some((&first, &last)) = moments.first().zip(moments.last()) else {
            let stretch = Stretch {
                from: 0,
                to: 100_000_000,
                x0: left + PAD_PX,
                x1: right - PAD_PX,
            };
            return Axis {
                stretches: vec![stretch],
                gaps: Vec::new(),
            };
        };

        // Each stretch gets an even share of the room plus one by the number of its marks.
        let bounds: Vec<(Nanos, Nanos, i32)> = split(&moments, &cuts, first, last);
        let marks: i32 = bounds.iter().map(|bound| bound.2).sum::<i32>().max(1);
        let free = room - gap_px * cuts.len() as i32 - 2 * PAD_PX;
        let even = free * 2 / 5 / bounds.len().max(1) as i32;
        let by_marks = free - even * bounds.len() as i32;
        let mut axis = Axis::default();
        let mut x = left;
        for (i, &(from, to, count)) in bounds.iter().enumerate() {
            let pad_left = if i == 0 { PAD_PX } else { 0 };
            let pad_right = if i + 1 == bounds.len() { PAD_PX } else { 0 };
            let width = even + by_marks * count / marks;
            let x0 = x + pad_left;
            let x1 = x0 + width;
            axis.stretches.push(Stretch { from, to, x0, x1 });
            x = x1 + pad_right;
            if let Some(next) = bounds.get(i + 1) {
                axis.gaps.push(Gap {
                    x0: x,
                    x1: x + gap_px,
                    length: next.0.saturating_sub(to),
                });
                x += gap_px;
            }
        }
        axis
    }

    /// The pixel column of a moment.
    pub fn x(&self, at: Nanos) -> i32 {
        let mut x = self.stretches.first().map_or(0, |stretch| stretch.x0);
        for stretch in &self.stretches {
            if at < stretch.from {
                // In the gap before this stretch: half way.
                return if at == 0 { x } else { (x + stretch.x0) / 2 };
            }
            if at <= stretch.to {
                return stretch.x0 + share(at - stretch.from, stretch);
            }
            x = stretch.x1;
        }
        x
    }

    /// The moment of a pixel column; columns in a gap give its start.
    pub fn at(&self, x: i32) -> Nanos {
        let mut at = 0;
        for stretch in &self.stretches {
            if x < stretch.x0 {
                return if at == 0 { stretch.from } else { at };
            }
            if x <= stretch.x1 {
                let width = (stretch.x1 - stretch.x0).max(1) as u64;
                let part = u128::from(stretch.to - stretch.from) * (x - stretch.x0) as u128;
                return stretch.from + (part / u128::from(width)) as Nanos;
            }
            at = stretch.to;
        }
        at
    }

    /// Round moments to label, with their columns, at least 90 pixels apart.
    pub fn ticks(&self) -> Vec<(i32, Nanos)> {
        let mut ticks: Vec<(i32, Nanos)> = Vec::new();
        for stretch in &self.stretches {
            let wanted = ((stretch.x1 - stretch.x0) / 110).max(1) as u64;
            let step = round_step((stretch.to - stretch.from) / wanted);
            let mut at = stretch.from.div_ceil(step) * step;
            for _ in 0..40 {
                if at > stretch.to {
                    break;
                }
                let x = self.x(at);
                if ticks.last().is_none_or(|&(last, _)| x - last >= 64) {
                    ticks.push((x, at));
                }
                at += step;
            }
        }
        ticks
    }
}

fn share(part: Nanos, stretch: &Stretch) -> i32 {
    let span = u128::from((stretch.to - stretch.from).max(1));
    let width = (stretch.x1 - stretch.x0).max(0) as u128;
    (u128::from(part) * width / span) as i32
}

/// The next of 1, 2, 5 × 10ⁿ nanoseconds.
fn round_step(span: Nanos) -> Nanos {
    let mut step = 100_000;
    while step < span && step < Nanos::MAX / 10 {
        for factor in [1, 2, 5] {
            if step * factor >= span {
                return step * factor;
            }
        }
        step *= 10;
    }
    step
}

/// Moments of all marks that the reader should see apart; leases recur and count for nothing.
fn moments(lanes: &[LaneView]) -> Vec<Nanos> {
    use podscope_session::view::MarkKind;
    let marks = lanes.iter().flat_map(|lane| lane.marks.iter());
    let mut moments: Vec<Nanos> = marks
        .filter(|mark| mark.kind != MarkKind::Lease)
        .map(|mark| mark.at)
        .collect();
    podscope_session::sort::natural(&mut moments);
    moments
}

/// Indices of moments before which the axis is torn: the longest silences that are long against
/// what surrounds them.
fn cuts(moments: &[Nanos], most: usize) -> Vec<usize> {
    let span = match (moments.first(), moments.last()) {
        (Some(first), Some(last)) => last - first,
        _ => return Vec::new(),
    };
    let mut silences: Vec<(Nanos, usize)> = moments
        .windows(2)
        .enumerate()
        .filter_map(|(i, pair)| Some((pair.get(1)? - pair.first()?, i + 1)))
        .collect();
    podscope_session::sort::by_key(&mut silences, |&(length, i)| (std::cmp::Reverse(length), i));
    let mut cuts: Vec<usize> = Vec::new();
    let mut rest = span;
    for (length, i) in silences {
        // Tear while a silence takes more than a ninth of what is left to draw.
        if cuts.len() + 1 >= most || length < 60_000_000 || length * 9 < rest {
            break;
        }
        cuts.push(i);
        rest -= length;
    }
    podscope_session::sort::natural(&mut cuts);
    cuts
}

/// First moment, last moment and number of marks of each stretch.
fn split(moments: &[Nanos], cuts: &[usize], first: Nanos, last: Nanos) -> Vec<(Nanos, Nanos, i32)> {
    let mut bounds = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for &cut in cuts.iter().chain(std::iter::once(&moments.len())) {
        let inside = moments.get(start..cut).unwrap_or_default();
        let from = inside.first().copied().unwrap_or(first);
        let to = inside.last().copied().unwrap_or(last);
        bounds.push((from, to, inside.len() as i32));
        start = cut;
    }
    // Air at both ends of a stretch, so that marks do not sit on the tear.
    let most = bounds
        .iter()
        .map(|&(from, to, _)| to - from)
        .max()
        .unwrap_or(0);
    let count = bounds.len();
    for (i, (from, to, _)) in bounds.iter_mut().enumerate() {
        let air = ((*to - *from) / 12).max(most / 400).max(1_000_000);
        *from = from.saturating_sub(air);
        *to += if i + 1 == count { air * 2 } else { air };
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use podscope_session::view::{ComponentKind, Mark, MarkKind};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const MS: Nanos = 1_000_000;

    fn timeline(at_ms: &[u64]) -> TimelineView {
        let marks: Vec<Mark> = at_ms
            .iter()
            .zip(1..)
            .map(|(&ms, event)| Mark {
                at: ms * MS,
                event,
                kind: MarkKind::Create,
            })
            .collect();
        let lane = LaneView {
            kind: ComponentKind::Client,
            name: "kubectl".into(),
            marks: marks.into(),
            silent: [].into(),
        };
        TimelineView {
            lanes: [lane].into(),
            ..TimelineView::default()
        }
    }

    #[test]
    fn long_silences_are_torn() {
        let axis = Axis::new(&timeline(&[0, 2, 5, 40, 90, 2600, 2610, 2650]), 150, 1424);
        expect_test::expect![[r#"
            Axis {
                stretches: [
                    Stretch {
                        from: 0,
                        to: 97500000,
                        x0: 164,
                        x1: 841,
                    },
                    Stretch {
                        from: 2595833334,
                        to: 2658333332,
                        x0: 909,
                        x1: 1409,
                    },
                ],
                gaps: [
                    Gap {
                        x0: 841,
                        x1: 909,
                        length: 2498333334,
                    },
                ],
            }
        "#]]
        .assert_debug_eq(&axis);
        assert_eq!(axis.x(0), 164);
        let gap = axis.gaps[0];
        assert_eq!(axis.gaps.len(), 1);
        assert!(axis.x(90 * MS) < gap.x0 && axis.x(2600 * MS) > gap.x1);
        assert_eq!(
            axis.x(1000 * MS),
            (gap.x0 + gap.x1) / 2,
            "a moment in a gap"
        );
    }

    #[test]
    fn columns_and_moments_agree() {
        let axis = Axis::new(&timeline(&[0, 10, 20, 50_000, 50_400, 350_600]), 0, 1000);
        for stretch in &axis.stretches {
            for x in stretch.x0..stretch.x1 {
                let back = axis.x(axis.at(x));
                assert!((back - x).abs() <= 1, "{x} came back as {back}");
            }
        }
    }

    #[test]
    fn an_empty_timeline_has_an_axis() {
        let axis = Axis::new(&TimelineView::default(), 150, 1424);
        assert_eq!(axis.x(0), 164);
        assert!(!axis.ticks().is_empty());
    }

    #[test]
    fn ticks_are_round_and_apart() {
        let axis = Axis::new(&timeline(&[0, 2, 5, 40, 90, 2600, 2610, 2650]), 150, 1424);
        let ticks = axis.ticks();
        assert!(ticks.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 64));
        assert!(ticks.iter().all(|(_, at)| at % (5 * MS) == 0), "{ticks:?}");
    }
}
