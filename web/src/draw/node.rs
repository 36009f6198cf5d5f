//! Inside a node: the calls from kubelet to runc, and what they left behind: the Pod's sandbox with
//! its processes and namespaces, its network, its cgroups.

use super::{glyph_at, px, shield, text};
use crate::path;
use crate::words::{Words, bytes, length, middle};
use podscope_session::view::*;
use yew::prelude::*;

const LANES: [(&str, &str); 4] = [
    ("kubelet", "kubelet"),
    ("runtime", "containerd"),
    ("net", "CNI plugins"),
    ("runtime", "runc"),
];

/// Draws it, at the moment `now`.
#[inline(never)]
pub fn draw(inside: &NodeInside, now: Nanos, words: &Words) -> Html {
    let sandbox = inside.sandboxes.first();
    let label = label(inside, words);
    html! {
        <div class="fig pan" tabindex="0" role="region" aria-label={words.t("inside.node.label")}>
            <svg class="pic" viewBox="0 0 720 576" preserveAspectRatio="xMidYMin meet" role="img" aria-label={label}>
                {calls(inside, now, words)}
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
            {below(inside, words)}
        </div>
    }
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

fn calls(inside: &NodeInside, now: Nanos, words: &Words) -> Html {
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
        html! { <g key={i} class={kind}>{shape}{label}</g> }
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
            y += 14;
            html! { <>{line}{text(x + 12, y, "lab3", middle(&group.limit, ((240 - x) / 6).max(10) as usize).to_string())}</> }
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
            {text(x + 8, 277, "lab mono", name)}{text(x + 8, 294, "lab3", pid)}{sign}
        </g> }
    });
    let namespaces = sandbox.namespaces.iter().take(6).enumerate().map(|(row, namespace)| {
        let y = 313 + 26 * row as i32;
        let shared = namespace.inodes.len() == 1 && sandbox.processes.len() > 1;
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

/// What does not fit into the drawing: other Pods, images, routes, rules.
fn below(inside: &NodeInside, words: &Words) -> Html {
    html! {
        <div class="astext">
            if inside.sandboxes.len() > 1 {
                <h2>{words.t("inside.node.others")}</h2>
                <ul>{for inside.sandboxes.iter().skip(1).map(|sandbox| html! {
                    <li><code>{[&*sandbox.id, "  ", &*sandbox.pod.name, "  ", &*sandbox.address].concat()}</code></li>
                })}</ul>
            }
            if !inside.images.is_empty() {
                <h2>{words.t("inside.node.images")}</h2>
                <ul>{for inside.images.iter().map(image)}</ul>
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

fn image(image: &ImageView) -> Html {
    let size = bytes(image.bytes);
    let whole: u64 = image.layers.iter().map(|layer| layer.0).sum::<u64>().max(1);
    let mut x = 0;
    let layers = image.layers.iter().map(|(size, done)| {
        let w = ((size * 316 / whole) as i32).max(2);
        let part = (w as u64 * done.min(size) / size.max(&1)) as i32;
        let at = x;
        x += w + 2;
        html! { <>
            <rect class="box" x={px(at)} y="1" width={px(w)} height="8"/>
            <rect class="dot" x={px(at)} y="1" width={px(part)} height="8"/>
        </> }
    });
    html! { <li><code>{image.name.to_string()}</code>{" "}<span class="muted">{size}</span>
        <svg class="k-runtime" viewBox="0 0 340 10" width="340" height="10" aria-hidden="true">{for layers}</svg>
    </li> }
}
