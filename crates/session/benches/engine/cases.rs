//! What is measured.

use crate::clock;
use crate::table::{Budget, Table, budget};
use podscope_api::{Kind, Object};
use podscope_kernel::World;
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::{Seek, StepSize};
use podscope_session::{Command, Invocation, Scenario, Session, SimTime, Simulation, scenario};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: REPLICAS
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.25
        resources:
          requests:
            cpu: 10m
            memory: 16Mi
";

/// A cluster of `nodes` large machines with a Deployment in its editor; nothing is applied yet.
fn open(nodes: u32, replicas: u32) -> Session {
    let manifest: String = DEPLOYMENT
        .replace("REPLICAS", &replicas.to_string())
        .lines()
        .map(|l| format!("    {l}\n"))
        .collect();
    let text = format!(
        "podscope: 1\ncluster:\n  nodes:\n  - {{name: node, count: {nodes}, zone: zone-1, cpu: '64', memory: 256Gi, pods: 500}}\nfiles:\n- name: web.yaml\n  text: |\n{manifest}"
    );
    let scenario = Scenario::parse(&text).expect("the benchmark's scenario is valid");
    Session::from_scenario(&scenario).expect("the benchmark's scenario opens")
}

fn preset(id: &str) -> Session {
    Session::open(Source::Preset(id)).expect("a preset that opens")
}

/// Whether so many Pods are there and all are Running; mostly answered by the first that is not.
fn all_running(simulation: &Simulation, wanted: usize) -> bool {
    let cluster = simulation.cluster();
    let pods = || cluster.api().cached(Kind::Pod);
    let runs = |pod: &Rc<Object>| pod.status().get("phase").as_str() == Some("Running");
    pods().all(runs) && pods().count() >= wanted
}

/// Runs until so many Pods are Running; false when that never happens.
fn run_until_running(session: &mut Session, pods: usize) -> bool {
    loop {
        // Looking costs time too: not after every step.
        let left = Cell::new(pods.max(256));
        let before = session.log().len();
        session.run_while(
            |_| {
                left.set(left.get().saturating_sub(1));
                left.get() > 0
            },
            SimTime(7_200_000_000),
        );
        if all_running(session.simulation(), pods) {
            return true;
        }
        if session.log().len() == before {
            return false;
        }
    }
}

/// A manifest of 200 lines: Deployments, Services and a ConfigMap. The image of the Deployment `edited` has
/// the tag `tag`: what a person types must reach the API server and the scheduler.
fn long_manifest(edited: usize, tag: u32) -> String {
    let mut text = String::from("# 200 lines\n");
    for i in 0.. {
        for line in DEPLOYMENT.replace("REPLICAS", "3").lines() {
            text.push_str(&line.replace("web", &format!("web-{i}")));
            text.push('\n');
        }
        text.push_str(&format!(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web-{i}\nspec:\n  selector:\n    app: web-{i}\n  ports:\n  - port: 80\n---\n"
        ));
        if text.lines().count() >= 169 {
            break;
        }
    }
    text.push_str("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n");
    while text.lines().count() < 200 {
        let line = text.lines().count();
        text.push_str(&format!("  key-{line}: value {line}\n"));
    }
    let mut parts: Vec<&str> = text.split("nginx:1.25").collect();
    let after = parts.split_off((edited + 1).min(parts.len() - 1));
    format!(
        "{}nginx:{tag}{}",
        parts.join("nginx:1.25"),
        after.join("nginx:1.25")
    )
}

/// Everything that is measured in an ordinary run.
pub fn all(table: &mut Table) {
    birth(table);
    typing(table);
    stepping(table);
    travelling(table);
    node_loss(table);
    replicas(table);
}

fn birth(table: &mut Table) {
    table.line(
        "first live scene: open, view, timeline, explain",
        budget(20.0, 60.0),
        21,
        |_| (),
        |()| {
            let session = preset("birth");
            let event = session.view().cursor.event;
            (
                SessionApi::timeline(&session),
                session.explain(event),
                session,
            )
        },
    );
}

fn typing(table: &mut Table) {
    let mut session = preset("birth");
    table.line(
        "keystroke, 200-line manifest",
        budget(8.0, 16.0),
        51,
        |i| long_manifest(0, i),
        |text| session.edit("long.yaml", &text),
    );
    table.line(
        "keystroke, 200 lines, each time another document",
        budget(8.0, 16.0),
        51,
        |i| long_manifest(i as usize % 4, i),
        |text| session.edit("long.yaml", &text),
    );
    let session = RefCell::new(preset("birth"));
    table.line(
        "keystroke, another document after a pause in it",
        budget(8.0, 16.0),
        51,
        |i| {
            // The page warms the document that the caret is in.
            let text = long_manifest(i as usize % 4, 0);
            session.borrow_mut().edit("long.yaml", &text);
            let caret = text.find("nginx:0").unwrap_or(0);
            session.borrow().warm(&text, caret as u32);
            long_manifest(i as usize % 4, 1)
        },
        |text| session.borrow_mut().edit("long.yaml", &text),
    );
    let mut session = session.into_inner();
    let text = session.files()[0].text.to_string();
    table.line(
        "keystroke, the birth's manifest",
        budget(8.0, 16.0),
        51,
        |i| text.replace("replicas: 3", &format!("replicas: {}", 1 + i % 3)),
        |text| session.edit("nginx.yaml", &text),
    );
}

fn stepping(table: &mut Table) {
    if !["step, 100 Pods: step and view", "step, 100 Pods: all panes"]
        .iter()
        .any(|name| table.wants(name))
    {
        return;
    }
    let mut session = open(3, 100);
    session.apply("web.yaml").expect("accepted");
    let all = u32::try_from(session.log().len()).expect("small");
    session.seek(Seek::Event(all / 2));
    table.line(
        "step, 100 Pods: step and view",
        budget(2.0, 6.0),
        201,
        |_| (),
        |()| {
            session.step(StepSize::Event);
            session.view()
        },
    );
    table.line(
        "step, 100 Pods: all panes",
        budget(2.0, 6.0),
        101,
        |_| (),
        |()| {
            session.step(StepSize::Event);
            let view = session.view();
            (
                SessionApi::timeline(&session),
                session.explain(view.cursor.event),
                session.objects(),
                view,
            )
        },
    );
}

fn travelling(table: &mut Table) {
    if !["seek, anywhere in 30 minutes", "step back in 30 minutes"]
        .iter()
        .any(|name| table.wants(name))
    {
        return;
    }
    let mut long = preset("node-burns-down");
    long.seek_end();
    long.run_for(scenario::parse_duration("30m").expect("valid"));
    let all = u32::try_from(long.log().len()).expect("small");
    let mut place = 1u32;
    table.line(
        "seek, anywhere in 30 minutes",
        budget(16.0, 50.0),
        128,
        |_| {
            place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((u64::from(place) * u64::from(all)) >> 32) as u32
        },
        |to| {
            long.seek(Seek::Event(to));
        },
    );
    long.seek_time(SimTime(900_000_000));
    table.line(
        "step back in 30 minutes",
        budget(16.0, 50.0),
        64,
        |_| (),
        |()| long.back(StepSize::Event),
    );
}

fn node_loss(table: &mut Table) {
    let rested = || {
        let mut session = open(3, 6);
        session.apply("web.yaml").expect("accepted");
        session.seek_end();
        session
    };
    table.line(
        "node loss, 360 s of 3 nodes",
        budget(16.0, 50.0),
        11,
        |_| rested(),
        |mut session| {
            session
                .fault("node-power", "node-2", &[])
                .expect("accepted");
            session.run_for(scenario::parse_duration("360s").expect("valid"));
            session
        },
    );
    table.line(
        "preset node-burns-down opened",
        None,
        5,
        |_| (),
        |()| preset("node-burns-down"),
    );
}

fn replicas(table: &mut Table) {
    table.line(
        "300 replicas, to all Running",
        budget(50.0, 150.0),
        5,
        |_| {
            let mut session = open(3, 300);
            let command = apply(&session);
            session.submit(command);
            session
        },
        |mut session| {
            assert!(run_until_running(&mut session, 300), "all Pods run");
            session
        },
    );
    table.line(
        "300 replicas, applied, run ahead, back",
        budget(50.0, 150.0),
        5,
        |_| open(3, 300),
        |mut session| {
            session.apply("web.yaml").expect("accepted");
            session
        },
    );
}

fn apply(session: &Session) -> Command {
    Command::Kubectl(Rc::new(Invocation {
        argv: ["apply", "-f", "web.yaml"].map(String::from).to_vec(),
        files: vec![("web.yaml".into(), session.files()[0].text.to_string())],
        stdin: String::new(),
    }))
}

/// Many machines with many Pods.
pub fn crowd(table: &mut Table, nodes: u32, pods: u32, budget: Option<Budget>) {
    let wanted = usize::try_from(pods).unwrap_or(usize::MAX);
    table.line(
        &format!("{nodes} nodes, {pods} Pods: engine alone"),
        budget,
        1,
        |_| open(nodes, pods),
        |session| {
            let mut world = session.simulation().clone();
            let mut trace = Vec::new();
            world.command(SimTime(1), &apply(&session), &mut trace);
            let mut events = 0;
            while !all_running(&world, wanted) && world.next_time().is_some() {
                for _ in 0..wanted.max(10_000) {
                    world.step(&mut trace);
                    events += trace.len();
                    trace.clear();
                }
            }
            clock::say(&format!(
                "  {events} events in {} simulated seconds",
                world.now().0 / 1_000_000
            ));
            world
        },
    );
    table.line(
        &format!("{nodes} nodes, {pods} Pods: with the way back"),
        budget,
        1,
        |_| {
            let mut session = open(nodes, pods);
            let command = apply(&session);
            session.submit(command);
            session
        },
        |mut session| {
            assert!(run_until_running(&mut session, wanted), "all Pods run");
            session
        },
    );
}
