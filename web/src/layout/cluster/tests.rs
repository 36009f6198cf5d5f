//! Goldens and properties of the cluster view's layout.

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
            drawn: true,
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
            if matches!(node.cell, Cell::Frame | Cell::Row) {
                detail
            } else {
                format!("{:?}", node.cell)
            }
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
            golden!(view, $file, $w, $h)
        };
        ($view:expr, $file:literal, $w:expr, $h:expr) => {
            let drawn = sketch(&stage(&$view, $w, $h));
            #[cfg(not(target_arch = "wasm32"))]
            expect_test::expect_file![$file].assert_eq(&drawn);
            #[cfg(target_arch = "wasm32")]
            assert_eq!(drawn, include_str!($file));
        };
    }
    golden!("../golden/cluster-720.txt", 720, 436);
    golden!("../golden/cluster-820.txt", 820, 520);
    golden!("../golden/cluster-360.txt", 360, 278);
    let view = zoned(50, 10, 0, 2);
    golden!(view, "../golden/fifty-720.txt", 720, 548);
    golden!(view, "../golden/fifty-360.txt", 360, 278);
    let view = zoned(120, 4, 0, 3);
    golden!(view, "../golden/many-720.txt", 720, 436);
}

/// A cluster whose nodes alternate between zones.
fn zoned(nodes: usize, pods: usize, pending: usize, zones: usize) -> ClusterView {
    let mut view = cluster(nodes, pods, pending);
    let mut list = view.nodes.to_vec();
    for (i, node) in list.iter_mut().enumerate() {
        node.zone = match zones {
            0 => "".into(),
            zones => format!("zone-{}", i % zones + 1).into(),
        };
    }
    view.nodes = list.into();
    view
}

const SIZES: [(i32, i32); 9] = [
    (280, 150),
    (280, 200),
    (320, 240),
    (360, 278),
    (520, 300),
    (720, 436),
    (720, 548),
    (820, 520),
    (1400, 900),
];

#[test]
fn nothing_overlaps_and_nothing_leaves_the_frame() {
    let clusters = [
        (0, 0),
        (1, 0),
        (1, 60),
        (2, 9),
        (3, 4),
        (3, 20),
        (3, 200),
        (4, 1),
        (5, 30),
        (6, 6),
        (9, 55),
        (12, 40),
        (13, 3),
        (20, 25),
        (30, 16),
        (50, 10),
        (51, 0),
        (120, 30),
        (200, 3),
    ];
    for (nodes, pods) in clusters {
        for zones in 0..5 {
            let view = zoned(nodes, pods, 9, zones);
            for (w, h) in SIZES {
                holds(
                    &view,
                    w,
                    h,
                    &format!("{nodes} nodes of {pods} Pods, {zones} zones, {w}x{h}"),
                );
            }
        }
    }
    for nodes in [1000, 5000] {
        let view = zoned(nodes, 0, 0, 3);
        holds(&view, 720, 548, &format!("{nodes} nodes"));
        assert_eq!(
            stage(&view, 720, 548).more_nodes,
            0,
            "{nodes} nodes are all there"
        );
    }
}

fn holds(view: &ClusterView, w: i32, h: i32, what: &str) {
    let stage = stage(view, w, h);
    let inside = |outer: Rect, inner: Rect, name: &str| {
        let fits = inner.x >= outer.x
            && inner.y >= outer.y
            && inner.right() <= outer.right()
            && inner.bottom() <= outer.bottom();
        assert!(fits, "{what}: {name} {inner:?} leaves {outer:?}");
        assert!(
            inner.w > 0 && inner.h > 0,
            "{what}: {name} {inner:?} is empty"
        );
    };
    let all = Rect::new(0, 0, stage.w, stage.h.max(h));
    let mut solid: Vec<Rect> = stage.nodes.iter().map(|node| node.rect).collect();
    solid.push(stage.api);
    solid.push(stage.client);
    solid.extend(&stage.etcd);
    solid.extend(stage.pending.iter().map(|pod| pod.rect));
    let round = |p: &Place| Rect::new(p.x - p.r, p.y - p.r, 2 * p.r, 2 * p.r);
    solid.extend(stage.places.iter().map(round));
    for rect in &solid {
        inside(all, *rect, "a box");
    }
    no_overlap(&solid, what);
    let frames: Vec<Rect> = stage.zones.iter().map(|(rect, _)| *rect).collect();
    no_overlap(&frames, what);
    for frame in &frames {
        inside(all, *frame, "a zone");
    }
    for node in &stage.nodes {
        let data = view.nodes.get(node.index).expect("a node of the view");
        let zone = stage.zones.iter().find(|(_, name)| **name == *data.zone);
        if let Some((frame, _)) = zone {
            inside(*frame, node.rect, "a node");
        }
        let rects: Vec<Rect> = node.pods.boxes.iter().map(|pod| pod.rect).collect();
        for rect in &rects {
            inside(node.rect, *rect, "a Pod");
        }
        no_overlap(&rects, what);
        let counted = node.pods.boxes.len() + node.pods.more;
        if matches!(node.cell, Cell::Frame | Cell::Row) {
            assert_eq!(counted, data.pods.len(), "{what}");
        }
    }
    let mut drawn: Vec<usize> = stage.nodes.iter().map(|node| node.index).collect();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(
        drawn.len() + stage.more_nodes,
        view.nodes.len(),
        "{what}: each node once"
    );
}

fn no_overlap(rects: &[Rect], what: &str) {
    for (i, a) in rects.iter().enumerate() {
        for b in rects.iter().skip(i + 1) {
            assert!(!a.overlaps(*b), "{what}: {a:?} and {b:?}");
        }
    }
}

#[test]
fn fifty_nodes_with_500_pods_are_all_shown() {
    let view = zoned(50, 10, 0, 2);
    for (w, h, cell) in [
        (720, 548, Cell::Frame),
        (1400, 900, Cell::Frame),
        (820, 520, Cell::Frame),
        (360, 278, Cell::Count),
    ] {
        let stage = stage(&view, w, h);
        assert_eq!(stage.nodes.len(), 50);
        assert!(
            stage
                .nodes
                .iter()
                .all(|n| n.cell == cell && n.pods.more == 0),
            "{w}x{h}: {:?}",
            stage.nodes.first()
        );
        assert_eq!(stage.zones.len(), 2);
    }
    // Beyond that, cells with counts.
    let stage = stage(&zoned(120, 20, 0, 3), 720, 548);
    assert!(stage.nodes.iter().all(|n| n.cell == Cell::Count));
    assert_eq!(stage.zones.len(), 3);
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
