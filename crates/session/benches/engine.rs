//! Speed of the engine, against the budgets of the README. `cargo bench -p podscope-session`.
//!
//! Each line: what, the measured time (best of the runs), the budget for the browser.

use podscope_session::api::{SessionApi, Source};
use podscope_session::view::{Seek, StepSize};
use podscope_session::{Scenario, Session, SimTime};
use std::hint::black_box;
#[allow(clippy::disallowed_types, reason = "a benchmark measures host time")]
use std::time::Instant;

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

fn scenario(nodes: u32, replicas: u32) -> Scenario {
    let manifest: String = DEPLOYMENT
        .replace("REPLICAS", &replicas.to_string())
        .lines()
        .map(|l| format!("    {l}\n"))
        .collect();
    let text = format!(
        "podscope: 1\ncluster:\n  nodes:\n  - {{name: node, count: {nodes}, zone: zone-1, cpu: '64', memory: 256Gi, pods: 500}}\nfiles:\n- name: web.yaml\n  text: |\n{manifest}commands:\n- {{at: 1ms, kubectl: apply -f web.yaml}}\n"
    );
    Scenario::parse(&text).expect("the benchmark's scenario is valid")
}

#[allow(clippy::disallowed_types, reason = "a benchmark measures host time")]
fn measure<T>(name: &str, budget: &str, runs: u32, mut run: impl FnMut() -> T) {
    let mut best = f64::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{name:<58} {:>10.2} ms   (budget in the browser: {budget})",
        best * 1e3
    );
}

fn main() {
    measure(
        "birth of a Pod, opened and run ahead",
        "60 ms with page start",
        10,
        || Session::open(Source::Preset("birth")).map_err(|e| e.to_string()),
    );
    measure(
        "300 replicas on 12 nodes, to all Running",
        "150 ms",
        3,
        || Session::from_scenario(&scenario(12, 300)).map_err(|e| e.to_string()),
    );
    measure(
        "node loss, 390 simulated seconds, 3 nodes",
        "50 ms",
        5,
        || Session::open(Source::Preset("node-burns-down")).map_err(|e| e.to_string()),
    );

    let mut long = Session::open(Source::Preset("birth")).expect("opens");
    long.seek_end();
    long.run_for(podscope_session::scenario::parse_duration("30m").expect("valid"));
    let all = u32::try_from(long.log().len()).expect("small");
    let mut place = 1u32;
    measure(
        "seek anywhere in a 30-minute scenario (worst of 64)",
        "50 ms",
        64,
        || {
            place = place.wrapping_mul(2_654_435_761) % all;
            long.seek(Seek::Event(place));
        },
    );
    let mut worst = 0.0f64;
    for i in 0..64u32 {
        #[allow(clippy::disallowed_types, reason = "a benchmark measures host time")]
        let start = Instant::now();
        long.seek(Seek::Event(i.wrapping_mul(2_654_435_761) % all));
        worst = worst.max(start.elapsed().as_secs_f64());
    }
    println!(
        "{:<58} {:>10.2} ms   (budget in the browser: 50 ms)",
        "  … the worst of 64 random places",
        worst * 1e3
    );
    long.seek_time(SimTime(900_000_000));
    measure("step back by one event", "50 ms", 20, || {
        long.back(StepSize::Event)
    });

    let mut edited = Session::open(Source::Preset("birth")).expect("opens");
    let text = edited.files()[0].text.to_string();
    measure(
        "keystroke to diagnostics and effect preview",
        "16 ms",
        20,
        || edited.edit("nginx.yaml", &text),
    );
    measure(
        "view of the cluster and the timeline after a step",
        "6 ms",
        20,
        || {
            edited.step(StepSize::Event);
            (edited.view(), SessionApi::timeline(&edited))
        },
    );

    if std::env::args().any(|a| a == "--large") {
        measure("1,000 nodes, 10,000 Pods", "5 s", 1, || {
            Session::from_scenario(&scenario(1_000, 10_000)).map_err(|e| e.to_string())
        });
    }
}
