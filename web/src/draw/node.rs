//! Inside a node: the calls from kubelet to runc, and what they left behind: the Pod's sandbox with
//! its processes and namespaces, its network, its cgroups.

use super::cluster::opener;
use super::inside::{Frame, scroll};
use super::{glyph_at, px, shield, text};
use crate::path;
use crate::state::Act;
use crate::words::{Words, bytes, length, middle, moment};
use podscope_session::view::*;
use yew::prelude::*;

const LANES: [(&str, &str); 4] = [
    ("kubelet", "kubelet"),
    ("runtime", "containerd"),
    ("net", "CNI plugins"),
    ("runtime", "runc"),
];

/// Draws it.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &NodeInside) -> Html {
    let words = frame.words;
    let sandbox = inside.sandboxes.first();
    if frame.text {
        return scroll(
            frame,
            "inside.node.label",
            "",
            html! { <>
                {call_list(frame, inside)}
                {for inside.sandboxes.iter().take(1).map(|sandbox| in_words(frame, sandbox))}
                {below(frame, inside)}
            </> },
        );
    }
    let label = label(inside, words);
    html! {
        <div class="fig pan inside" tabindex="0" role="region" aria-label={words.t("inside.node.label")}>
            <svg class="pic" viewBox="0 0 720 576" width="720" height="576" preserveAspectRatio="xMidYMin meet" role="group" aria-label={label}>
                {calls(frame, inside)}
                <rect class="node" x="8" y="172" width="704" height="388"/>
                <path class="k-kubelet sline" d="M8 566h704"/>
                {shield(18, 161)}
                {text(50, 192, "lab", inside.node.to_string())}
                {cgroups(inside, words)}
                if let Some(sandbox) = sandbox { {draw_sandbox(sandbox, inside, words)} } else {
                    {text(481, 380, "lab3 mid", words.t("inside.node.empty"))}
                }
                {bridge(inside)}
            </svg>
            {below(frame, inside)}
        </div>
    }
}

/// The calls in words.
fn call_list(frame: &Frame<'_>, inside: &NodeInside) -> Html {
    if inside.calls.is_empty() {
        return html! { <p class="muted">{frame.t("inside.node.no-calls")}</p> };
    }
    let call = |call: &CallView| {
        let (kind, who) = LANES
            .get(usize::from(call.lane))
            .copied()
            .unwrap_or(LANES[0]);
        let took = call
            .to
            .filter(|to| *to > call.from)
            .map(|to| length(to - call.from));
        html! { <tr key={call.event}>
            <td class="num muted">{moment(call.from)}</td><td>{super::glyph(kind, 14)}{" "}{who}</td>
            <td>{frame.opens(Target::Call(call.event), call.name.to_string())}
                if call.failed { {" "}<b class="badge">{"✕"}</b> }</td>
            <td class="num muted">{took.unwrap_or_default()}</td>
        </tr> }
    };
    html! { <><h2>{frame.t("inside.node.calls")}</h2>
    <table class="calls"><tbody>{for inside.calls.iter().map(call)}</tbody></table></> }
}

/// A sandbox in words: processes, namespaces, address.
fn in_words(frame: &Frame<'_>, sandbox: &SandboxView) -> Html {
    let process = |process: &ProcessView| {
        html! { <li key={process.container.to_string()}><code>{process.command.to_string()}</code>
        <span class="muted">{[" ", &*process.container, if process.pid > 0 { ", pid " } else { "" }, &if process.pid > 0 { process.pid.to_string() } else { String::new() }].concat()}</span>
        {" "}{probes(&process.probes)}</li> }
    };
    let namespace = |namespace: &NamespaceView| {
        let list = namespace
            .inodes
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        html! { <li key={namespace.kind.to_string()}><code>{[&*namespace.kind, " ", &list].concat()}</code>
        if is_shared(namespace) && sandbox.processes.len() > 1 { {" "}<span class="muted">{frame.t("inside.node.shared")}</span> }</li> }
    };
    html! { <>
        <h2>{frame.words.t1("inside.node.sandbox", "id", &sandbox.id)}{" "}{frame.object(&sandbox.pod)}</h2>
        <ul>{for sandbox.processes.iter().map(process)}</ul>
        <ul>{for sandbox.namespaces.iter().map(namespace)}</ul>
        if !sandbox.address.is_empty() {
            <p><code>{["eth0 ", &*sandbox.address, " via ", &sandbox.gateway, ", ", &sandbox.mac, ", ", &sandbox.veth].concat()}</code></p>
        }
    </> }
}

/// Whether a Pod's containers share a namespace of this kind.
fn is_shared(namespace: &NamespaceView) -> bool {
    matches!(&*namespace.kind, "net" | "ipc" | "uts") && namespace.inodes.len() == 1
}

/// Probes with their results: a tick, a cross, or a question mark before the first.
fn probes(list: &[ProbeLine]) -> String {
    list.iter()
        .map(|probe| {
            let sign = match probe.ok {
                Some(true) => " ✓",
                Some(false) => " ✕",
                None => " ?",
            };
            [&*probe.kind.to_lowercase(), sign].concat()
        })
        .collect::<Vec<_>>()
        .join("  ")
}

fn label(inside: &NodeInside, words: &Words) -> String {
    let mut label = words
        .t1("inside.node.inside", "node", &inside.node)
        .to_string();
    for call in inside.calls.iter() {
        label.push_str(". ");
        label.push_str(&call.name);
    }
    label
}

fn calls(frame: &Frame<'_>, inside: &NodeInside) -> Html {
    let (now, words) = (frame.now, frame.words);
    let heads = LANES.iter().enumerate().map(|(i, (kind, name))| {
        let y = 34 + 32 * i as i32;
        html! { <>{glyph_at(kind, 16, y, 18)}{text(32, y + 4, "lab2", *name)}</> }
    });
    let Some(first) = inside.calls.iter().map(|call| call.from).min() else {
        return html! { <>{for heads}{text(400, 88, "lab3 mid", words.t("inside.node.no-calls"))}</> };
    };
    let last = inside
        .calls
        .iter()
        .map(|call| call.to.unwrap_or(now))
        .max()
        .unwrap_or(first);
    let span = (last.max(now.min(last)) - first).max(1_000_000);
    let x = |at: Nanos| 112 + ((at.saturating_sub(first)) as u128 * 576 / u128::from(span)) as i32;
    let step = span.div_ceil(6);
    let step = round_up(step);
    let ticks = (0..8)
        .map(|i| first + i * step)
        .take_while(|at| *at <= last)
        .map(|at| {
            let column = x(at);
            html! { <>
                <path class="hair" d={path!("M", column, " 18V148")}/>
                {text(column, 12, "lab3 mid num", length(at - first))}
            </> }
        });
    let bars = inside.calls.iter().enumerate().map(|(i, call)| {
        let lane = i32::from(call.lane.min(3));
        let y = 25 + 32 * lane;
        let (x0, x1) = (
            x(call.from),
            x(call.to.unwrap_or(now.min(last))).max(x(call.from)),
        );
        let kind = if call.failed {
            "k-fault"
        } else {
            ["k-kubelet", "k-runtime", "k-net", "k-runtime"][lane as usize]
        };
        let wide = x1 - x0;
        let name_w = call.name.chars().count() as i32 * 66 / 10;
        let shape = if wide < 6 {
            html! { <path class="dot" d={path!("M", x0 - 4, " ", y + 1, "l9 8-9 8z")}/> }
        } else {
            html! { <rect class="shape" x={px(x0)} y={px(y)} width={px(wide)} height="18"/> }
        };
        let label = if wide > name_w + 12 {
            text(x0 + 6, y + 13, "lab2", call.name.to_string())
        } else if x1 + 8 + name_w < 712 {
            text(
                x1.max(x0 + 6) + 6,
                y + 13,
                "lab2 halo",
                call.name.to_string(),
            )
        } else {
            text(x0 - 8, y + 13, "lab2 end halo", call.name.to_string())
        };
        let opened = opener(&frame.on.reform(Act::Open), Target::Call(call.event));
        let spoken = [&*call.name, ", ", &length(call.to.unwrap_or(now).saturating_sub(call.from))].concat();
        html! { <g key={i} class={kind} role="button" tabindex="0" aria-label={spoken}
            onclick={opened.click} onkeydown={opened.key}>
            <rect class="hit" x={px(x0 - 4)} y={px(y - 3)} width={px(wide.max(16) + 4)} height="24"/>
            {shape}{label}
            <rect class="focus" x={px(x0 - 4)} y={px(y - 2)} width={px(wide.max(12) + 8)} height="22"/>
        </g> }
    });
    let needle = x(now.clamp(first, last));
    html! { <>
        {for ticks}{for heads}{for bars}
        <path class="needle" d={path!("M", needle, " 22V150")}/>
        <path class="cap" d={path!("M", needle - 6, " 16h12v8l-6 6-6-6z")}/>
    </> }
}

fn round_up(span: Nanos) -> Nanos {
    let mut step = 1_000_000;
    while step < span {
        for factor in [1, 2, 5] {
            if step * factor >= span {
                return step * factor;
            }
        }
        step *= 10;
    }
    step
}

fn cgroups(inside: &NodeInside, words: &Words) -> Html {
    let mut y = 226;
    let rows: Vec<Html> = inside
        .cgroups
        .iter()
        .take(9)
        .map(|group| {
            y += if group.limit.is_empty() { 22 } else { 25 };
            let x = 24 + 14 * i32::from(group.depth.min(5));
            let room = ((170 - (x - 24)) / 8).max(6) as usize;
            let line = html! { <>
                <path class="wire" d={path!("M", x, " ", y - 4, "h8")}/>
                {text(x + 12, y, "lab2 mono", middle(&group.name, room).to_string())}
                {text(228, y, "lab2 mono end", group.weight.to_string())}
            </> };
            if group.limit.is_empty() {
                return line;
            }
            let limits: Vec<Html> = group
                .limit
                .split(", ")
                .map(|limit| {
                    y += 14;
                    text(
                        x + 12,
                        y,
                        "lab3",
                        middle(limit, ((240 - x) / 6).max(10) as usize).to_string(),
                    )
                })
                .collect();
            html! { <>{line}{for limits}</> }
        })
        .collect();
    html! { <>
        {text(24, 226, "lab", "cgroups")}{text(228, 226, "lab3 end", "cpu.weight")}
        {for rows}
        if inside.cgroups.is_empty() { {text(24, 250, "lab3", words.t("inside.node.no-cgroups"))} }
    </> }
}

fn draw_sandbox(sandbox: &SandboxView, inside: &NodeInside, words: &Words) -> Html {
    let title = words.t1("inside.node.sandbox", "id", &sandbox.id);
    let pod = [&*sandbox.pod.namespace, "/", &*sandbox.pod.name].concat();
    let count = sandbox.processes.len().clamp(1, 4) as i32;
    let gap = 14;
    let each = (322 - gap * (count - 1)) / count;
    let column = |i: usize| 358 + (each + gap) * i as i32;
    let processes = sandbox.processes.iter().take(4).enumerate().map(|(i, process)| {
        let x = column(i);
        let (x_, w) = (px(x), px(each));
        let room = ((each - 16) / 8).max(4) as usize;
        let name = middle(&process.command, room).to_string();
        let pid = match process.pid {
            0 => process.container.to_string(),
            pid => ["pid ", &pid.to_string(), ", ", &process.container].concat(),
        };
        let pid = middle(&pid, ((each - 16) / 6).max(5) as usize).to_string();
        if process.now {
            return html! { <g key={i}>
                <rect class="nowfill" x={x_} y="258" width={w} height="46"/>
                {text(x + 8, 277, "lab mono nowtext", name)}{text(x + 8, 294, "lab3 nowt", pid)}
            </g> };
        }
        let (class, group) = match process.look {
            ContainerLook::Waiting => ("shape off", "k-runtime"),
            ContainerLook::Running | ContainerLook::Ready => ("shape", "k-runtime"),
            ContainerLook::Exited => ("box", "k-runtime"),
            ContainerLook::Failed => ("box", "k-fault"),
        };
        let sign = match process.look {
            ContainerLook::Failed => html! { <path class="faultline" d={path!("M", x + each - 18, " 264l10 10m0-10l-10 10")}/> },
            ContainerLook::Exited => html! { <path class="inkline" d={path!("M", x + each - 18, " 268l3 4 6-8")}/> },
            _ => html! {},
        };
        html! { <g key={i} class={group}>
            <rect class={class} x={x_} y="258" width={w} height="46"/>
            {text(x + 8, 275, "lab mono", name)}{text(x + 8, 288, "lab3", pid)}{sign}
            {text(x + 8, 300, "lab3", middle(&probes(&process.probes), ((each - 12) / 6).max(5) as usize).to_string())}
        </g> }
    });
    let namespaces = sandbox.namespaces.iter().take(6).enumerate().map(|(row, namespace)| {
        let y = 313 + 26 * row as i32;
        let shared = is_shared(namespace) && sandbox.processes.len() > 1;
        let kind = if &*namespace.kind == "net" { "k-net" } else { "k-runtime" };
        let boxes = namespace.inodes.iter().take(4).enumerate().map(|(i, inode)| {
            let (x, w) = if shared { (358, 322) } else { (column(i), each) };
            let class = if shared { "shape" } else { "box" };
            html! { <>
                <rect class={class} x={px(x)} y={px(y)} width={px(w)} height="18"/>
                {text(x + w / 2, y + 13, "lab2 mono mid", inode.to_string())}
                if shared { {text(672, y + 13, "lab2 end", words.t("inside.node.shared"))} }
            </> }
        });
        html! { <g key={row} class={kind}>{text(282, y + 13, "lab mono", namespace.kind.to_string())}{for boxes}</g> }
    });
    let wired = !sandbox.address.is_empty();
    let network = wired.then(|| {
        html! { <>
            <g class="k-net"><rect class="shape" x="358" y="474" width="322" height="56"/></g>
            {glyph_at("net", 380, 502, 20)}
            {text(400, 498, "lab", "eth0")}{text(400, 515, "lab2 mono", sandbox.address.to_string())}
            {text(668, 498, "lab2 end mono", ["via ", &sandbox.gateway].concat())}
            {text(668, 515, "lab3 end mono", sandbox.mac.to_string())}
            if !inside.bridge.0.is_empty() {
                <g class="k-net"><path class="sline" d="M228 502H358"/>
                    <rect class="dot" x="224" y="497" width="9" height="10"/>
                    <rect class="dot" x="354" y="497" width="9" height="10"/></g>
                {text(293, 492, "lab2 mono mid halo-p", middle(&sandbox.veth, 14).to_string())}
            }
        </> }
    });
    html! { <>
        {text(700, 192, "lab end", middle(&pod, 44).to_string())}
        <rect class="pod-wait" x="262" y="204" width="438" height="346" rx="18"/>
        {text(282, 228, "lab", title)}
        {text(282, 243, "lab3", words.t1("inside.node.processes", "n", &sandbox.processes.len().to_string()))}
        {for processes}{for namespaces}{network}
    </> }
}

fn bridge(inside: &NodeInside) -> Html {
    if inside.bridge.0.is_empty() {
        return html! {};
    }
    html! { <>
        <g class="k-net"><rect class="shape" x="24" y="474" width="204" height="56"/></g>
        {glyph_at("net", 44, 502, 20)}
        {text(64, 498, "lab", inside.bridge.0.to_string())}
        {text(64, 515, "lab2 mono", inside.bridge.1.to_string())}
    </> }
}

/// What does not fit into the drawing: the kubelet's workers, other Pods, images, routes, rules.
fn below(frame: &Frame<'_>, inside: &NodeInside) -> Html {
    let words = frame.words;
    let worker = |worker: &WorkerLine| {
        let name = frame.object(&worker.pod);
        html! { <tr key={worker.pod.name.to_string()} class={classes!(worker.now.then_some("now"))}>
            <th scope="row">{name}</th><td>{words.say(&worker.doing)}</td>
            <td class="muted">{worker.waiting.as_deref().unwrap_or_default().to_owned()}</td>
        </tr> }
    };
    let probe = |(process, probe): (&ProcessView, &ProbeLine)| {
        let (sign, word) = match probe.ok {
            Some(true) => ("✓ ", "inside.probe.ok"),
            Some(false) => ("✕ ", "inside.probe.fails"),
            None => ("", "inside.probe.none"),
        };
        html! { <tr><th scope="row">{process.container.to_string()}</th><td>{probe.kind.to_string()}</td>
        <td>{sign}{frame.t(word)}</td><td class="num muted">{words.t1("timer.at", "at", &moment(probe.next))}</td></tr> }
    };
    let all_probes = inside.sandboxes.iter().take(1).flat_map(|sandbox| {
        sandbox
            .processes
            .iter()
            .flat_map(|process| process.probes.iter().map(move |probe| (process, probe)))
    });
    let all_probes: Vec<Html> = all_probes.map(probe).collect();
    html! {
        <div class="astext">
            if !inside.workers.is_empty() {
                <h2>{words.t("inside.node.workers")}</h2>
                <table class="calls"><tbody>{for inside.workers.iter().map(worker)}</tbody></table>
            }
            if !all_probes.is_empty() {
                <h2>{words.t("inside.node.probes")}</h2>
                <table class="calls"><tbody>{for all_probes}</tbody></table>
            }
            if inside.sandboxes.len() > 1 {
                <h2>{words.t("inside.node.others")}</h2>
                <ul>{for inside.sandboxes.iter().skip(1).map(|sandbox| html! {
                    <li><code>{[&*sandbox.id, "  "].concat()}</code>{frame.object(&sandbox.pod)}<code>{["  ", &*sandbox.address].concat()}</code></li>
                })}</ul>
            }
            if !inside.pulls.is_empty() || !inside.images.is_empty() {
                <h2>{words.t("inside.node.images")}</h2>
                <ul>{for inside.pulls.iter().map(|pull| {
                    let of = pull.layers.iter().map(|layer| layer.0).sum();
                    let here = pull.layers.iter().map(|layer| layer.1).sum();
                    let size = [&*bytes(here), " ", &frame.t("timer.of"), " ", &bytes(of)].concat();
                    image(&pull.image, &size, &pull.layers)
                })}
                {for inside.images.iter().map(|stored| image(&stored.name, &bytes(stored.bytes), &stored.layers))}</ul>
            }
            if !inside.routes.is_empty() {
                <h2>{words.t("inside.node.routes")}</h2>
                <pre>{inside.routes.join("\n")}</pre>
            }
            if !inside.rules.is_empty() {
                <h2>{words.t("inside.node.rules")}</h2>
                <pre>{inside.rules.join("\n")}</pre>
            }
        </div>
    }
}

/// An image with its layers as a bar: as wide as they are large, filled as far as they are here.
fn image(name: &str, size: &str, layers: &[(u64, u64)]) -> Html {
    let whole: u64 = layers.iter().map(|layer| layer.0).sum::<u64>().max(1);
    let mut x = 0;
    let layers = layers.iter().map(|(size, done)| {
        let w = ((size * 316 / whole) as i32).max(2);
        let part = (w as u64 * done.min(size) / size.max(&1)) as i32;
        let at = x;
        x += w + 2;
        html! { <>
            <rect class="box" x={px(at)} y="1" width={px(w)} height="8"/>
            <rect class="dot" x={px(at)} y="1" width={px(part)} height="8"/>
        </> }
    });
    html! { <li key={name.to_owned()}><code>{name.to_owned()}</code>{" "}<span class="muted">{size.to_owned()}</span>
        <svg class="k-runtime" viewBox="0 0 340 10" width="340" height="10" aria-hidden="true">{for layers}</svg>
    </li> }
}
