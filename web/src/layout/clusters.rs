//! Dense marks of a lane: those within 6 pixels cluster, and the cluster has a count.

use super::lanes::Axis;
use podscope_session::view::{Mark, MarkKind};

/// Marks nearer than this to the one before cluster with it.
const NEAR: i32 = 6;
/// What a cluster's mark and count take at least; marks in this room join it.
const ROOM: i32 = 25;
/// A cluster that spans more ends, so that each count stays at its place.
const LONGEST: i32 = 50;
/// Leases nearer than this to the one before are not drawn.
const LEASES: i32 = 4;

/// A mark that stands for itself or for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The column of its first mark.
    pub x: i32,
    /// The most telling of its marks.
    pub kind: MarkKind,
    /// How many marks it stands for.
    pub count: u32,
}

/// What is drawn of a lane's marks, which are in order of time. Leases recur and are not counted;
/// your actions stand on their own; faults are drawn elsewhere.
pub fn clusters(marks: &[Mark], axis: &Axis) -> Vec<Cluster> {
    let mut out: Vec<Cluster> = Vec::new();
    let mut lease = i32::MIN / 2;
    // Index of the open cluster and the column of its last mark.
    let mut open: Option<(usize, i32)> = None;
    for mark in marks {
        let x = axis.x(mark.at);
        let single = Cluster {
            x,
            kind: mark.kind,
            count: 1,
        };
        match mark.kind {
            MarkKind::Fault => continue,
            MarkKind::You => {
                out.push(single);
                continue;
            }
            MarkKind::Lease => {
                if x - lease >= LEASES {
                    lease = x;
                    out.push(single);
                }
                continue;
            }
            _ => {}
        }
        if let Some((at, last)) = open
            && let Some(cluster) = out.get_mut(at)
            && x - cluster.x <= LONGEST
            && (x - last < NEAR || cluster.count > 1 && x - cluster.x < ROOM)
        {
            cluster.count += 1;
            if rank(mark.kind) < rank(cluster.kind) {
                cluster.kind = mark.kind;
            }
            open = Some((at, x));
        } else {
            open = Some((out.len(), x));
            out.push(single);
        }
    }
    out
}

/// Which mark stands for a cluster: the lowest.
fn rank(kind: MarkKind) -> u8 {
    match kind {
        MarkKind::Delete => 0,
        MarkKind::Conflict => 1,
        MarkKind::Create => 2,
        MarkKind::Bind => 3,
        MarkKind::Status => 4,
        MarkKind::Update => 5,
        MarkKind::Call => 6,
        MarkKind::Event => 7,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::lanes::Stretch;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// An axis on which a nanosecond is a pixel.
    fn axis() -> Axis {
        let whole = Stretch {
            from: 0,
            to: 1_000,
            x0: 0,
            x1: 1_000,
        };
        Axis {
            stretches: vec![whole],
            gaps: Vec::new(),
        }
    }

    fn drawn(marks: &[(u64, MarkKind)]) -> Vec<(i32, MarkKind, u32)> {
        let marks: Vec<Mark> = marks
            .iter()
            .zip(1..)
            .map(|(&(at, kind), event)| Mark { at, event, kind })
            .collect();
        let all = clusters(&marks, &axis());
        all.into_iter().map(|c| (c.x, c.kind, c.count)).collect()
    }

    use MarkKind::*;

    #[test]
    fn marks_apart_stand_alone_and_near_ones_cluster_with_a_count() {
        assert_eq!(
            drawn(&[
                (10, Read),
                (20, Create),
                (24, Read),
                (29, Update),
                (60, Read)
            ]),
            [(10, Read, 1), (20, Create, 3), (60, Read, 1)]
        );
    }

    #[test]
    fn counts_have_room_and_no_cluster_swallows_a_lane() {
        let dense: Vec<_> = (0..300).map(|at| (at, Call)).collect();
        let all = drawn(&dense);
        assert!(all.windows(2).all(|pair| pair[1].0 - pair[0].0 >= ROOM));
        assert_eq!(all.iter().map(|c| c.2).sum::<u32>(), 300);
        assert!(all.len() >= 5, "{all:?}");
    }

    #[test]
    fn actions_stand_out_and_leases_do_not_count() {
        assert_eq!(
            drawn(&[(10, Lease), (11, Lease), (12, Read), (13, You), (14, Read)]),
            [(10, Lease, 1), (12, Read, 2), (13, You, 1)]
        );
    }
}
