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

/// A node's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeBox {
    /// Index into [`ClusterView::nodes`].
    pub index: usize,
    /// Its frame.
    pub rect: Rect,
    /// It is a row of the narrow drawing: name left, Pods right of it.
    pub row: bool,
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
        .filter(|c| is_upper(c.kind))
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

/// Runs of nodes of the same zone: (zone, how many).
fn zones(nodes: &[NodeView]) -> Vec<(&str, usize)> {
    let mut zones: Vec<(&str, usize)> = Vec::new();
    for node in nodes {
        match zones.last_mut() {
            Some((zone, count)) if *zone == &*node.zone => *count += 1,
            _ => zones.push((&node.zone, 1)),
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
    if one_row_w >= 132 {
        let mut x = area.x;
        let mut index = 0;
        for (zone, in_zone) in zones {
            let n = in_zone as i32;
            let frame_w = 28 + n * one_row_w + (n - 1) * 10;
            let named = !zone.is_empty();
            if named {
                stage
                    .zones
                    .push((Rect::new(x, area.y, frame_w, area.h), zone.to_owned()));
            }
            for i in 0..n {
                let left = x + 14 + i * (one_row_w + 10);
                let rect = Rect::new(left, area.y + 16, one_row_w, area.h - 30);
                if let Some(node) = view.nodes.get(index) {
                    stage.nodes.push(node_box(index, node, rect));
                }
                index += 1;
            }
            x += frame_w + 8;
        }
        return;
    }
    // Many nodes: a grid without frames, in the shape that leaves the cells largest.
    let (cols, rows) = grid(count, area);
    let cell_w = (area.w - (cols - 1) * 8) / cols;
    let cell_h = ((area.h - 14) / rows - 12).max(24);
    for (index, node) in view.nodes.iter().enumerate() {
        let (col, row) = (index as i32 % cols, index as i32 / cols);
        if row >= rows {
            stage.more_nodes = view.nodes.len() - index;
            break;
        }
        let x = area.x + col * (cell_w + 8);
        let y = area.y + 10 + row * (cell_h + 12);
        stage
            .nodes
            .push(node_box(index, node, Rect::new(x, y, cell_w, cell_h)));
    }
}

/// Columns and rows for `count` cells of at least 64 × 28 pixels, wide rather than tall.
fn grid(count: i32, area: Rect) -> (i32, i32) {
    let most_cols = (area.w / 72).max(1);
    let most_rows = (area.h / 40).max(1);
    let best = (1..=most_cols)
        .filter(|cols| ceil(count, *cols) <= most_rows)
        .min_by_key(|cols| {
            let rows = ceil(count, *cols);
            let (w, h) = (area.w / cols, area.h / rows);
            (w - h * 2).abs()
        });
    let cols = best.unwrap_or(most_cols);
    (cols, ceil(count, cols).min(most_rows))
}

const fn ceil(a: i32, b: i32) -> i32 {
    (a + b - 1) / b
}

fn node_box(index: usize, node: &NodeView, rect: Rect) -> NodeBox {
    let head = if rect.h >= 60 { 34 } else { 22 };
    let foot = rect.h >= 130 && rect.w >= 190;
    let room = rect.h - head - if foot { 30 } else { 6 };
    let inner = Rect::new(rect.x + 12, rect.y + head, rect.w - 24, room);
    NodeBox {
        index,
        rect,
        row: false,
        status: rect.w >= 150,
        foot,
        pods: pods(node.pods.len(), inner),
    }
}

/// Pills for `count` Pods in a frame: as much detail as fits.
fn pods(count: usize, inner: Rect) -> Pods {
    // (least width of a pill, its height, pitch, columns, detail)
    let two = (inner.w + 8) / 2 - 8;
    let choices = [
        (140, inner.w, 24, 33, PodDetail::Full),
        (140, inner.w, 24, 28, PodDetail::Full),
        (80, inner.w, 22, 26, PodDetail::Name),
        (86, two, 20, 24, PodDetail::Name),
        (0, 27, 16, 20, PodDetail::Chip),
        (0, 12, 8, 11, PodDetail::Chip),
    ];
    for (least, w, h, pitch, detail) in choices {
        let cols = ((inner.w + 5) / (w + 5)).max(1) as usize;
        let rows = ((inner.h + pitch - h) / pitch).max(0) as usize;
        let last = w == 12;
        if w < least || (cols * rows < count && !last) {
            continue;
        }
        let shown = count.min(cols * rows);
        let gap = if w == two { 8 } else { 5 };
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
                let rect = node.rect;
                let x = rect.x + 22;
                vec![
                    (x, rect.y - 10),
                    (x, bus),
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
    let pitch = ((h - top - 4) / count.max(1)).clamp(26, 44);
    for (index, node) in view.nodes.iter().enumerate() {
        let y = top + pitch * index as i32;
        if y + 22 > h {
            stage.more_nodes = view.nodes.len() - index;
            break;
        }
        let rect = Rect::new(16, y, w - 28, pitch - 8);
        let inner = Rect::new(rect.x + 96, y + rect.h / 2 - 8, rect.w - 96 - 72, 16);
        let mut pods = pods(0, inner);
        let fit = ((inner.w + 5) / 32).max(0) as usize;
        pods.more = node.pods.len().saturating_sub(fit);
        for index in 0..node.pods.len().min(fit) {
            let rect = Rect::new(inner.x + index as i32 * 32, inner.y, 27, 16);
            pods.boxes.push(PodBox { index, rect });
        }
        pods.detail = PodDetail::Chip;
        stage.nodes.push(NodeBox {
            index,
            rect,
            row: true,
            status: true,
            foot: false,
            pods,
        });
    }
    wire_narrow(&mut stage, view, row);
    stage
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
                vec![
                    (node.rect.x, y),
                    (6, y),
                    (6, bus),
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
mod tests {
    use super::*;
    use podscope_session::view::{
        ComponentView, EtcdMemberView, NodeLook, ObjectRef, PodLook, PodView,
    };
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn cluster(nodes: usize, pods: usize, pending: usize) -> ClusterView {
        use ComponentKind::{ApiServer, Client, Controller, Etcd, Kubelet, Scheduler};
        let mut components: Vec<ComponentView> = Vec::new();
        let mut add = |kind, name: &str, node: Option<&str>| {
            let id = components.len() as u16;
            let (name, node) = (name.into(), node.map(Into::into));
            components.push(ComponentView {
                id,
                kind,
                name,
                node,
                doing: None,
                up: true,
            });
            id
        };
        add(Client, "kubectl", None);
        add(ApiServer, "API server", None);
        add(Etcd, "etcd", None);
        for name in [
            "Deployment",
            "ReplicaSet",
            "EndpointSlice",
            "Node lifecycle",
        ] {
            add(Controller, name, None);
        }
        add(Scheduler, "Scheduler", None);
        let pod = |i: usize| PodView {
            object: ObjectRef {
                kind: "Pod".into(),
                namespace: "default".into(),
                name: format!("web-{i}").into(),
            },
            look: PodLook::Ready,
            status: "Running".into(),
            ready: "1/1".into(),
            ip: "".into(),
            message: None,
            containers: [].into(),
        };
        let nodes: Vec<NodeView> = (0..nodes)
            .map(|i| {
                let name: String = format!("node-{}", i + 1);
                NodeView {
                    kubelet: add(Kubelet, &name, Some(&name)),
                    name: name.as_str().into(),
                    zone: if i < 2 {
                        "zone-1".into()
                    } else {
                        "zone-2".into()
                    },
                    look: NodeLook::Ready,
                    status: "Ready".into(),
                    cordoned: false,
                    capacity: "4 CPU  8 GiB".into(),
                    cpu_milli: (0, 4000),
                    memory: (0, 8 << 30),
                    pods: (0..pods).map(pod).collect(),
                    alive: true,
                }
            })
            .collect();
        let member = |i: usize| EtcdMemberView {
            name: format!("etcd-{i}").into(),
            leader: i == 0,
            up: true,
            index: 1,
        };
        ClusterView {
            components: components.into(),
            nodes: nodes.into(),
            pending: (0..pending).map(pod).collect(),
            etcd: (0..3).map(member).collect(),
            ..ClusterView::default()
        }
    }

    /// One line per thing, for goldens.
    fn sketch(stage: &Stage) -> String {
        let rect = |r: Rect| format!("{},{} {}x{}", r.x, r.y, r.w, r.h);
        let mut out = vec![
            format!("api {}", rect(stage.api)),
            format!("client {}", rect(stage.client)),
        ];
        out.extend(stage.etcd.iter().map(|r| format!("etcd {}", rect(*r))));
        out.extend(
            stage
                .places
                .iter()
                .map(|p| format!("place {} {},{} r{}", p.id, p.x, p.y, p.r)),
        );
        out.extend(
            stage
                .zones
                .iter()
                .map(|(r, name)| format!("{name} {}", rect(*r))),
        );
        for node in &stage.nodes {
            let pods: Vec<String> = node.pods.boxes.iter().map(|b| rect(b.rect)).collect();
            let detail = format!("{:?}", node.pods.detail);
            out.push(format!(
                "node {} {} {}",
                node.index,
                rect(node.rect),
                detail
            ));
            out.extend(pods.iter().map(|pod| format!("  pod {pod}")));
        }
        out.extend(
            stage
                .pending
                .iter()
                .map(|b| format!("pending {}", rect(b.rect))),
        );
        out.join("\n")
    }

    #[test]
    fn the_default_cluster_at_three_widths() {
        let view = cluster(3, 1, 2);
        // A browser has no files to bless: there the golden is compiled in.
        macro_rules! golden {
            ($file:literal, $w:expr, $h:expr) => {
                let drawn = sketch(&stage(&view, $w, $h));
                #[cfg(not(target_arch = "wasm32"))]
                expect_test::expect_file![$file].assert_eq(&drawn);
                #[cfg(target_arch = "wasm32")]
                assert_eq!(drawn, include_str!($file));
            };
        }
        golden!("golden/cluster-720.txt", 720, 436);
        golden!("golden/cluster-820.txt", 820, 520);
        golden!("golden/cluster-360.txt", 360, 278);
    }

    #[test]
    fn nothing_overlaps_from_3_to_50_nodes_and_up_to_500_pods() {
        for (nodes, pods) in [
            (1, 0),
            (3, 4),
            (3, 20),
            (5, 30),
            (12, 40),
            (30, 16),
            (50, 10),
            (200, 3),
        ] {
            let view = cluster(nodes, pods, 9);
            for (w, h) in [
                (280, 200),
                (360, 278),
                (520, 300),
                (720, 436),
                (720, 548),
                (1400, 900),
            ] {
                let stage = stage(&view, w, h);
                let mut solid: Vec<Rect> = stage.nodes.iter().map(|node| node.rect).collect();
                solid.push(stage.api);
                solid.push(stage.client);
                solid.extend(&stage.etcd);
                solid.extend(stage.pending.iter().map(|pod| pod.rect));
                no_overlap(&solid, &format!("{nodes} nodes at {w}x{h}"));
                for node in &stage.nodes {
                    let rects: Vec<Rect> = node.pods.boxes.iter().map(|pod| pod.rect).collect();
                    no_overlap(&rects, &format!("{pods} pods at {w}x{h}"));
                    assert_eq!(node.pods.boxes.len() + node.pods.more, pods);
                    assert!(
                        rects.iter().all(|r| r.right() <= node.rect.right()),
                        "{nodes}/{pods} {w}x{h}"
                    );
                }
                assert_eq!(stage.nodes.len() + stage.more_nodes, nodes);
            }
        }
    }

    fn no_overlap(rects: &[Rect], what: &str) {
        for (i, a) in rects.iter().enumerate() {
            for b in rects.iter().skip(i + 1) {
                assert!(!a.overlaps(*b), "{what}: {a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn every_component_has_a_wire_and_messages_follow_it() {
        let view = cluster(3, 1, 0);
        for (w, h) in [(720, 436), (360, 278)] {
            let stage = stage(&view, w, h);
            for component in view
                .components
                .iter()
                .filter(|c| c.kind != ComponentKind::ApiServer)
            {
                let there = route(&stage, &view, component.id, 1).expect("a wire");
                let mut back = route(&stage, &view, 1, component.id).expect("a wire");
                back.reverse();
                assert_eq!(there, back);
            }
            assert_eq!(
                route(&stage, &view, 0, 2),
                None,
                "only the API server talks to etcd"
            );
        }
    }
}
