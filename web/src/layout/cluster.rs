//! Layout of the cluster view: control plane, nodes in their zones, Pods in their nodes.
//!
//! One drawing per width class: wide from 520 px, narrow below. Everything is placed for the pixels
//! that are there, so that text keeps its size.

use super::Rect;
use super::path::Point;
use podscope_session::view::{ClusterView, ComponentId, ComponentKind, NodeView};

/// A circle or diamond of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub id: ComponentId,
    /// Centre.
    pub x: i32,
    /// Centre.
    pub y: i32,
    /// Half its size.
    pub r: i32,
    /// Room for its label in pixels; 0 means none.
    pub label: i32,
}

/// How much of a Pod is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodDetail {
    /// Name and status.
    Full,
    /// Name.
    Name,
    /// Shape only.
    Chip,
}

/// A Pod's pill: index into the node's Pods and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodBox {
    /// Index into the list of Pods.
    pub index: usize,
    /// Its pill.
    pub rect: Rect,
}

/// A set of pills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pods {
    /// How much of each is shown.
    pub detail: PodDetail,
    /// Those that fit.
    pub boxes: Vec<PodBox>,
    /// How many did not fit.
    pub more: usize,
}

/// How much of a node is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A frame with its Pods in it.
    Frame,
    /// A row of the narrow drawing: name left, Pods right of it.
    Row,
    /// Name and how many Pods are in which state.
    Count,
    /// A mark of its state.
    Dot,
}

/// A node's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeBox {
    /// Index into [`ClusterView::nodes`].
    pub index: usize,
    /// Its frame.
    pub rect: Rect,
    /// How much of it is shown.
    pub cell: Cell,
    /// The frame has room for status or capacity beside the name.
    pub status: bool,
    /// The frame has room for its runtime and kube-proxy.
    pub foot: bool,
    /// Its Pods.
    pub pods: Pods,
}

/// A wire from a component to the API server, as a polyline that starts at the component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Whose.
    pub id: ComponentId,
    /// The polyline.
    pub points: Vec<Point>,
}

/// The whole drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
    /// It is the narrow drawing.
    pub narrow: bool,
    /// The API server's bar.
    pub api: Rect,
    /// The client's tag.
    pub client: Rect,
    /// etcd's members.
    pub etcd: Vec<Rect>,
    /// Controllers, scheduler, webhooks.
    pub places: Vec<Place>,
    /// Frames of zones, with the zone's name.
    pub zones: Vec<(Rect, String)>,
    /// Nodes.
    pub nodes: Vec<NodeBox>,
    /// Nodes that did not fit.
    pub more_nodes: usize,
    /// Pods without a node.
    pub pending: Vec<PodBox>,
    /// How many did not fit.
    pub more_pending: usize,
    /// Wires.
    pub wires: Vec<Wire>,
}

/// From a place's centre to the foot of its label of two lines.
const LABEL: i32 = 50;

/// Below this width the narrow drawing is used.
pub const NARROW: i32 = 520;

/// Places everything for a drawing of `w` × `h` pixels.
pub fn stage(view: &ClusterView, w: i32, h: i32) -> Stage {
    let w = w.clamp(280, 4000);
    if w < NARROW {
        narrow(view, w, h.clamp(150, 4000))
    } else {
        wide(view, w, h.clamp(240, 4000))
    }
}

fn is_upper(kind: ComponentKind) -> bool {
    use ComponentKind::{Controller, Scheduler, Webhook};
    matches!(kind, Controller | Scheduler | Webhook)
}

fn upper(view: &ClusterView) -> Vec<ComponentId> {
    view.components
        .iter()
        .filter(|c| is_upper(c.kind) && c.drawn)
        .map(|c| c.id)
        .collect()
}

fn wide(view: &ClusterView, w: i32, h: i32) -> Stage {
    // Extra height spreads the control plane a little, then goes to the nodes.
    let air = ((h - 420) / 5).clamp(0, 22);
    let mut stage = Stage {
        w,
        h,
        ..Stage::default()
    };

    let row = 24 + air / 2;
    let ids = upper(view);
    let pitch = ((w - 40) / ids.len().max(1) as i32).min(104);
    let first = w / 2 - pitch * (ids.len() as i32 - 1) / 2;
    for (i, id) in ids.iter().enumerate() {
        let x = first + pitch * i as i32;
        stage.places.push(Place {
            id: *id,
            x,
            y: row,
            r: 17,
            label: pitch - 6,
        });
    }

    let api_y = row + 74 + air;
    let api_w = (w * 27 / 100).clamp(150, 260);
    stage.api = Rect::new(w / 2 - api_w / 2, api_y, api_w, 48);
    stage.client = Rect::new(40.min(w / 20), api_y + 3, 112.min(w / 6), 42);
    let members = view.etcd.len().clamp(1, 5) as i32;
    let side = w - 24 - stage.api.right();
    let member_w = ((side - 60) / members - 8).clamp(10, 30);
    let etcd_w = members * (member_w + 8) - 8;
    for i in 0..members {
        let x = w - 30 - etcd_w + i * (member_w + 8);
        stage.etcd.push(Rect::new(x, api_y + 2, member_w, 44));
    }

    let shelf = stage.api.bottom() + 8 + air / 2;
    let shelf_left = Rect::new(30, shelf, w / 2 - 46, 24);
    let shelf_right = Rect::new(w / 2 + 16, shelf, w / 2 - 46, 24);
    (stage.pending, stage.more_pending) = shelf_pods(view.pending.len(), shelf_left, shelf_right);

    let bus = shelf + 32;
    let area = Rect::new(14, bus + 12, w - 28, h - bus - 20);
    place_nodes(&mut stage, view, area);
    wire(&mut stage, view, row, bus);
    stage
}

/// Pills for Pods without a node, left and right of the wire to the nodes.
fn shelf_pods(count: usize, left: Rect, right: Rect) -> (Vec<PodBox>, usize) {
    let pitch = 132;
    let per_side = (left.w / pitch).max(0) as usize;
    let mut boxes = Vec::new();
    for index in 0..count.min(per_side * 2) {
        let (side, slot) = if index < per_side {
            (left, index)
        } else {
            (right, index - per_side)
        };
        let x = side.x + slot as i32 * pitch;
        boxes.push(PodBox {
            index,
            rect: Rect::new(x, side.y, pitch - 8, 24),
        });
    }
    let more = count - boxes.len();
    (boxes, more)
}

/// Nodes by zone, in the order in which the zones first come: (zone, indices of its nodes).
fn zones(nodes: &[NodeView]) -> Vec<(&str, Vec<usize>)> {
    let mut zones: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        match zones.iter_mut().find(|(zone, _)| *zone == &*node.zone) {
            Some((_, members)) => members.push(index),
            None => zones.push((&node.zone, vec![index])),
        }
    }
    zones
}

fn place_nodes(stage: &mut Stage, view: &ClusterView, area: Rect) {
    let count = view.nodes.len() as i32;
    if count == 0 {
        return;
    }
    let zones = zones(&view.nodes);
    let frames = zones.len() as i32;
    let one_row_w = (area.w - frames * 28 - (frames - 1) * 8 - (count - frames) * 10) / count;
    if one_row_w < 132 || area.h < 58 {
        return place_many(stage, view, area, zones);
    }
    let mut x = area.x;
    for (zone, members) in zones {
        let n = members.len() as i32;
        let frame_w = 28 + n * one_row_w + (n - 1) * 10;
        if !zone.is_empty() {
            stage
                .zones
                .push((Rect::new(x, area.y, frame_w, area.h), zone.to_owned()));
        }
        for (i, index) in members.into_iter().enumerate() {
            let left = x + 14 + i as i32 * (one_row_w + 10);
            let rect = Rect::new(left, area.y + 16, one_row_w, area.h - 30);
            if let Some(node) = view.nodes.get(index) {
                stage.nodes.push(node_box(index, node, rect));
            }
        }
        x += frame_w + 8;
    }
}

/// From so many nodes on, they are cells with counts.
const MANY: usize = 50;
/// With so many nodes, cells are better than frames that cannot hold their Pods.
const SOME: usize = 12;

/// Sizes of a way to draw many nodes.
struct Tier {
    cell: Cell,
    /// Least width and height of a node.
    least: (i32, i32),
    /// Most width and height.
    most: (i32, i32),
    /// Between nodes, across and down.
    gap: (i32, i32),
}

const TIERS: [Tier; 5] = [
    // Frames with room for the kubelet's shield above them.
    Tier {
        cell: Cell::Frame,
        least: (64, 60),
        most: (4000, 4000),
        gap: (12, 20),
    },
    Tier {
        cell: Cell::Frame,
        least: (56, 26),
        most: (4000, 59),
        gap: (8, 10),
    },
    Tier {
        cell: Cell::Count,
        least: (60, 30),
        most: (180, 72),
        gap: (6, 6),
    },
    Tier {
        cell: Cell::Count,
        least: (22, 16),
        most: (59, 29),
        gap: (4, 4),
    },
    Tier {
        cell: Cell::Dot,
        least: (4, 4),
        most: (18, 18),
        gap: (2, 2),
    },
];

/// Inside a zone's frame: left and right, above, below.
const ZONE: (i32, i32, i32) = (8, 14, 12);

#[inline(never)]
fn place_many(stage: &mut Stage, view: &ClusterView, area: Rect, zones: Vec<(&str, Vec<usize>)>) {
    let whole = vec![("", (0..view.nodes.len()).collect())];
    let fullest = view
        .nodes
        .iter()
        .map(|node| node.pods.len())
        .max()
        .unwrap_or(0);
    for tier in &TIERS {
        if tier.cell == Cell::Frame && view.nodes.len() > MANY {
            continue;
        }
        for zones in [&zones, &whole] {
            let counts: Vec<i32> = zones.iter().map(|(_, m)| m.len() as i32).collect();
            let Some(grid) = grid(&counts, area, tier, fullest) else {
                continue;
            };
            let nodes = cells(view, area, tier, zones, &grid);
            let crowded = nodes.iter().any(|node| node.pods.more > 0);
            if tier.cell == Cell::Frame && crowded && view.nodes.len() > SOME {
                break;
            }
            stage.nodes = nodes;
            stage.zones = zone_frames(area, tier, zones, &grid);
            return;
        }
    }
    // More than there are pixels for: as many marks as fit.
    let (cols, rows) = ((area.w / 6).max(1), (area.h / 6).max(1));
    let shown = view.nodes.len().min((cols * rows) as usize);
    stage.more_nodes = view.nodes.len() - shown;
    for index in 0..shown {
        let (col, row) = (index as i32 % cols, index as i32 / cols);
        let rect = Rect::new(area.x + col * 6, area.y + row * 6, 4, 4);
        stage.nodes.push(cell_box(index, rect, Cell::Dot));
    }
}

/// Rows, columns of each zone, and the size of a node.
struct Grid {
    rows: i32,
    cols: Vec<i32>,
    w: i32,
    h: i32,
}

/// The grid in which all Pods of the fullest node fit, and which leaves the nodes large and about twice
/// as wide as high; `None` when they would be smaller than the tier allows.
fn grid(counts: &[i32], area: Rect, tier: &Tier, fullest: usize) -> Option<Grid> {
    let frames = counts.len() as i32;
    let longest = counts.iter().copied().max().unwrap_or(1).clamp(1, 400);
    let fits = |rows: i32| {
        let cols: Vec<i32> = counts.iter().map(|n| ceil(*n, rows)).collect();
        let all: i32 = cols.iter().sum();
        let across = area.w - frames * 2 * ZONE.0 - (frames - 1) * 8 - (all - frames) * tier.gap.0;
        let down = area.h - ZONE.1 - ZONE.2 - (rows - 1) * tier.gap.1;
        let (w, h) = (across / all.max(1), down / rows);
        if w < tier.least.0 || h < tier.least.1 {
            return None;
        }
        let (w, h) = (w.min(tier.most.0), h.min(tier.most.1));
        Some(Grid { rows, cols, w, h })
    };
    (1..=longest).filter_map(fits).min_by_key(|grid| {
        let inner = inner(Rect::new(0, 0, grid.w, grid.h));
        let crowded = tier.cell == Cell::Frame && pods(fullest, inner).more > 0;
        (crowded, (grid.w - grid.h * 2).abs(), -grid.w * grid.h)
    })
}

/// Where each zone's frame begins, with its columns.
fn columns<'a>(area: Rect, tier: &'a Tier, grid: &'a Grid) -> impl Iterator<Item = Rect> + 'a {
    let mut x = area.x;
    let h = ZONE.1 + ZONE.2 + grid.rows * (grid.h + tier.gap.1) - tier.gap.1;
    grid.cols.iter().map(move |cols| {
        let w = 2 * ZONE.0 + cols * (grid.w + tier.gap.0) - tier.gap.0;
        let frame = Rect::new(x, area.y, w, h);
        x += w + 8;
        frame
    })
}

fn zone_frames(
    area: Rect,
    tier: &Tier,
    zones: &[(&str, Vec<usize>)],
    grid: &Grid,
) -> Vec<(Rect, String)> {
    columns(area, tier, grid)
        .zip(zones)
        .filter(|(_, (name, _))| !name.is_empty())
        .map(|(frame, (name, _))| (frame, (*name).to_owned()))
        .collect()
}

fn cells(
    view: &ClusterView,
    area: Rect,
    tier: &Tier,
    zones: &[(&str, Vec<usize>)],
    grid: &Grid,
) -> Vec<NodeBox> {
    let mut out = Vec::with_capacity(view.nodes.len());
    for ((frame, (_, members)), cols) in columns(area, tier, grid).zip(zones).zip(&grid.cols) {
        for (i, index) in members.iter().enumerate() {
            let (col, row) = (i as i32 % cols, i as i32 / cols);
            let rect = Rect::new(
                frame.x + ZONE.0 + col * (grid.w + tier.gap.0),
                frame.y + ZONE.1 + row * (grid.h + tier.gap.1),
                grid.w,
                grid.h,
            );
            match (tier.cell, view.nodes.get(*index)) {
                (Cell::Frame, Some(node)) => out.push(node_box(*index, node, rect)),
                _ => out.push(cell_box(*index, rect, tier.cell)),
            }
        }
    }
    out
}

const fn ceil(a: i32, b: i32) -> i32 {
    (a + b - 1) / b
}

/// A node without room for its Pods.
fn cell_box(index: usize, rect: Rect, cell: Cell) -> NodeBox {
    NodeBox {
        index,
        rect,
        cell,
        status: false,
        foot: false,
        pods: Pods {
            detail: PodDetail::Chip,
            boxes: Vec::new(),
            more: 0,
        },
    }
}

/// A frame lower than this has neither shield nor status.
pub const LOW: i32 = 60;

/// Whether a frame has room for its runtime and kube-proxy.
const fn has_foot(rect: Rect) -> bool {
    rect.h >= 130 && rect.w >= 190
}

/// The room for Pods in a frame.
const fn inner(rect: Rect) -> Rect {
    let head = if rect.h >= LOW { 34 } else { 18 };
    let side = if rect.w >= 130 { 12 } else { 6 };
    let room = rect.h - head - if has_foot(rect) { 30 } else { 4 };
    Rect::new(rect.x + side, rect.y + head, rect.w - 2 * side, room)
}

fn node_box(index: usize, node: &NodeView, rect: Rect) -> NodeBox {
    NodeBox {
        index,
        rect,
        cell: Cell::Frame,
        status: rect.w >= 150,
        foot: has_foot(rect),
        pods: pods(node.pods.len(), inner(rect)),
    }
}

/// Ways to draw a Pod: least width of its column, its width (0: the column's), height, pitch, gap.
const PILLS: [(i32, i32, i32, i32, i32, PodDetail); 7] = [
    (140, 0, 24, 33, 8, PodDetail::Full),
    (140, 0, 24, 28, 8, PodDetail::Full),
    (80, 0, 22, 26, 8, PodDetail::Name),
    (86, -2, 20, 24, 8, PodDetail::Name),
    (27, 27, 16, 20, 5, PodDetail::Chip),
    (12, 12, 8, 11, 4, PodDetail::Chip),
    (6, 6, 6, 8, 2, PodDetail::Chip),
];

/// Pills for `count` Pods in a frame: as much detail as fits.
fn pods(count: usize, inner: Rect) -> Pods {
    for (least, w, h, pitch, gap, detail) in PILLS {
        let w = match w {
            0 => inner.w,
            -2 => (inner.w - gap) / 2,
            w => w,
        };
        let cols = ((inner.w + gap) / (w + gap).max(1)).max(0) as usize;
        let rows = ((inner.h + pitch - h) / pitch).max(0) as usize;
        let last = w == 6;
        if w < least || (cols * rows < count && !last) {
            continue;
        }
        let shown = count.min(cols * rows);
        let boxes = (0..shown)
            .map(|index| {
                let (col, row) = ((index % cols) as i32, (index / cols) as i32);
                let rect = Rect::new(inner.x + col * (w + gap), inner.y + row * pitch, w, h);
                PodBox { index, rect }
            })
            .collect();
        return Pods {
            detail,
            boxes,
            more: count - shown,
        };
    }
    Pods {
        detail: PodDetail::Chip,
        boxes: Vec::new(),
        more: count,
    }
}

/// The way from a node to the bus: down to it from above, or along the gap left of its column.
fn node_wire(node: &NodeBox, stage: &Stage, bus: i32) -> Vec<Point> {
    let (rect, api) = (node.rect, stage.api);
    let top = stage.nodes.iter().map(|n| n.rect.y).min().unwrap_or(rect.y);
    let x = rect.x + 22;
    let mut points = if node.cell == Cell::Frame && rect.y == top && rect.h >= LOW {
        vec![(x, rect.y - 10), (x, bus)]
    } else {
        let gap = if node.cell == Cell::Frame { 5 } else { 2 };
        vec![
            (rect.x, rect.cy()),
            (rect.x - gap, rect.cy()),
            (rect.x - gap, bus),
        ]
    };
    points.extend([(api.cx(), bus), (api.cx(), api.bottom())]);
    points
}

fn wire(stage: &mut Stage, view: &ClusterView, row: i32, bus: i32) {
    let api = stage.api;
    let top_bus = (row + LABEL + api.y) / 2;
    for place in &stage.places {
        let from = (
            place.x,
            place.y + if place.label > 0 { LABEL } else { place.r },
        );
        let points = vec![
            from,
            (place.x, top_bus),
            (api.cx(), top_bus),
            (api.cx(), api.y),
        ];
        stage.wires.push(Wire {
            id: place.id,
            points,
        });
    }
    for component in view.components.iter() {
        let points = match component.kind {
            ComponentKind::Client => {
                vec![(stage.client.right(), api.cy()), (api.x, api.cy())]
            }
            ComponentKind::Etcd => {
                let x = stage.etcd.first().map_or(stage.w, |member| member.x - 4);
                vec![(x, api.cy()), (api.right(), api.cy())]
            }
            ComponentKind::Kubelet | ComponentKind::Network | ComponentKind::Runtime => {
                let named = |node: &&NodeBox| {
                    let name = view.nodes.get(node.index).map(|node| &node.name);
                    name.is_some() && name == component.node.as_ref()
                };
                let Some(node) = stage.nodes.iter().find(named) else {
                    continue;
                };
                node_wire(node, stage, bus)
            }
            _ => continue,
        };
        stage.wires.push(Wire {
            id: component.id,
            points,
        });
    }
}

fn narrow(view: &ClusterView, w: i32, h: i32) -> Stage {
    let mut stage = Stage {
        w,
        h,
        narrow: true,
        ..Stage::default()
    };
    stage.client = Rect::new(8, 6, 84, 36);
    stage.api = Rect::new(w * 37 / 100, 4, 100, 40);
    let members = view.etcd.len().clamp(1, 5) as i32;
    let member_w = ((w - stage.api.right() - 26) / members - 4).clamp(8, 22);
    for i in 0..members {
        let x = w - 8 - (members - i) * (member_w + 4);
        stage.etcd.push(Rect::new(x, 8, member_w, 32));
    }
    // Little height, as beside the first scene's words: only who is indispensable.
    let count = view.nodes.len() as i32;
    if h < 210 && (1..=4).contains(&count) {
        let node_w = (w - 16 - (count - 1) * 10) / count;
        let top = stage.api.bottom() + 40;
        for (index, node) in view.nodes.iter().enumerate() {
            let x = 8 + (node_w + 10) * index as i32;
            stage.nodes.push(node_box(
                index,
                node,
                Rect::new(x, top, node_w, (h - top - 10).max(30)),
            ));
        }
        stage.more_pending = view.pending.len();
        let bus = stage.api.bottom() + 16;
        wire(&mut stage, view, 0, bus);
        return stage;
    }
    let row = 74;
    let ids = upper(view);
    let pitch = ((w - 32) / ids.len().max(1) as i32).min(48);
    let first = w / 2 - pitch * (ids.len() as i32 - 1) / 2;
    for (i, id) in ids.iter().enumerate() {
        let place = Place {
            id: *id,
            x: first + pitch * i as i32,
            y: row,
            r: 11,
            label: 0,
        };
        stage.places.push(place);
    }

    let shelf = row + 18;
    let per_row = ((w - 24) / 32).max(1) as usize;
    let shown = view.pending.len().min(per_row);
    for index in 0..shown {
        let rect = Rect::new(12 + index as i32 * 32, shelf, 27, 14);
        stage.pending.push(PodBox { index, rect });
    }
    stage.more_pending = view.pending.len() - shown;

    let top = shelf + 22;
    if top + 26 * count > h {
        let area = Rect::new(10, top, w - 16, h - top - 4);
        place_many(&mut stage, view, area, zones(&view.nodes));
    } else {
        place_rows(&mut stage, view, top, h);
    }
    wire_narrow(&mut stage, view, row);
    stage
}

/// Nodes of the narrow drawing, one a row.
fn place_rows(stage: &mut Stage, view: &ClusterView, top: i32, h: i32) {
    let pitch = ((h - top - 4) / view.nodes.len().max(1) as i32).clamp(26, 44);
    for (index, node) in view.nodes.iter().enumerate() {
        let y = top + pitch * index as i32;
        let rect = Rect::new(16, y, stage.w - 28, pitch - 8);
        let inner = Rect::new(rect.x + 96, rect.y + rect.h / 2 - 8, rect.w - 96 - 72, 16);
        let fit = ((inner.w + 5) / 32).max(0) as usize;
        let shown = node.pods.len().min(fit);
        let boxes = (0..shown).map(|index| PodBox {
            index,
            rect: Rect::new(inner.x + index as i32 * 32, inner.y, 27, 16),
        });
        stage.nodes.push(NodeBox {
            index,
            rect,
            cell: Cell::Row,
            status: true,
            foot: false,
            pods: Pods {
                detail: PodDetail::Chip,
                boxes: boxes.collect(),
                more: node.pods.len() - shown,
            },
        });
    }
}

#[inline(never)]
fn wire_narrow(stage: &mut Stage, view: &ClusterView, row: i32) {
    let api = stage.api;
    let bus = row - 18;
    for place in &stage.places {
        let points = vec![
            (place.x, place.y - place.r),
            (place.x, bus),
            (api.cx(), bus),
            (api.cx(), api.bottom()),
        ];
        stage.wires.push(Wire {
            id: place.id,
            points,
        });
    }
    for component in view.components.iter() {
        let points = match component.kind {
            ComponentKind::Client => vec![(stage.client.right(), api.cy()), (api.x, api.cy())],
            ComponentKind::Etcd => {
                let x = stage.etcd.first().map_or(stage.w, |member| member.x - 4);
                vec![(x, api.cy()), (api.right(), api.cy())]
            }
            ComponentKind::Kubelet | ComponentKind::Network | ComponentKind::Runtime => {
                let named = |node: &&NodeBox| {
                    let name = view.nodes.get(node.index).map(|node| &node.name);
                    name.is_some() && name == component.node.as_ref()
                };
                let Some(node) = stage.nodes.iter().find(named) else {
                    continue;
                };
                let y = node.rect.cy();
                let left = if node.cell == Cell::Row {
                    6
                } else {
                    node.rect.x - 2
                };
                vec![
                    (node.rect.x, y),
                    (left, y),
                    (left, bus),
                    (api.cx(), bus),
                    (api.cx(), api.bottom()),
                ]
            }
            _ => continue,
        };
        stage.wires.push(Wire {
            id: component.id,
            points,
        });
    }
}

/// The polyline that a message travels, from sender to receiver; `None` when it stays inside a node
/// or has no wire.
pub fn route(
    stage: &Stage,
    view: &ClusterView,
    from: ComponentId,
    to: ComponentId,
) -> Option<Vec<Point>> {
    let is_api = |id: ComponentId| {
        view.components
            .get(usize::from(id))
            .is_some_and(|c| c.kind == ComponentKind::ApiServer)
    };
    let wire = |id: ComponentId| stage.wires.iter().find(|wire| wire.id == id);
    if is_api(to) {
        return wire(from).map(|wire| wire.points.clone());
    }
    if is_api(from) {
        return wire(to).map(|wire| wire.points.iter().rev().copied().collect());
    }
    None
}

#[cfg(test)]
mod tests;
