//! What is on a machine: processes, namespaces, network, cgroups, images, volumes.

use super::{InspectAct, chosen, opens, short};
use crate::panel::stage::heads;
use crate::state::{Act, Scene};
use crate::words::bytes;
use podscope_session::view::*;
use yew::prelude::*;

/// The node that the tabs Node and Network show.
pub fn current(scene: &Scene<'_>) -> Option<Text> {
    let known = |name: &&Text| scene.view.nodes.iter().any(|node| node.name == **name);
    let asked = scene.ui.inspector.node.as_ref().filter(known);
    let opened = match &scene.ui.target {
        Target::Node(name) => Some(name),
        _ => None,
    };
    let focus = scene.view.focus.node.as_ref();
    let first = scene.view.nodes.first().map(|node| &node.name);
    asked.or(opened).or(focus).or(first).cloned()
}

/// A selection of all nodes.
pub fn picker(scene: &Scene<'_>, current: &str) -> Html {
    let option = |node: &NodeView| {
        let here = *node.name == *current;
        html! { <option key={node.name.to_string()} value={node.name.to_string()} selected={here}>{node.name.to_string()}</option> }
    };
    let onchange = scene
        .on
        .reform(|event: Event| Act::Inspect(InspectAct::Node(chosen(&event))));
    html! { <label class="small">{scene.t("node.pick")}{" "}<select {onchange}>{for scene.view.nodes.iter().map(option)}</select></label> }
}

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let Some(name) = current(scene) else {
        return html! { <p class="empty">{scene.t("inside.nothing")}</p> };
    };
    let Some(node) = scene.session.node(&name) else {
        return html! { <p class="empty">{scene.t("inside.nothing")}</p> };
    };
    html! { <>
        <div class="list" tabindex="0" role="region" aria-label={scene.t("tab.node")}>
            <div class="inh">{picker(scene, &name)}
                <span class="small muted">{scene.words.t1("node.ip", "ip", &node.ip)}{", "}{scene.words.t1("node.cidr", "cidr", &node.pod_cidr)}</span></div>
            {processes(scene, &node)}
            {namespaces(scene, &node)}
            {links(scene, &node)}
        </div>
        <div class="side" tabindex="0" role="region" aria-label={scene.t("node.files")}>
            {cgroups(scene, &node)}
            {images(scene, &node)}
            {volumes(scene, &node)}
        </div>
    </> }
}

fn processes(scene: &Scene<'_>, node: &NodeDetail) -> Html {
    let row = |process: &NodeProcess| {
        let pod = process
            .pod
            .as_ref()
            .map(|pod| opens(scene, pod, pod.name.to_string()));
        html! { <tr key={process.pid}><td class="num">{process.pid}</td><td>{process.container.to_string()}</td><td>{pod}</td>
        <td class="mono wrap">{process.command.to_string()}</td></tr> }
    };
    html! { <>
        <h2>{scene.t("node.processes")}{" "}<span class="muted">{node.processes.len()}</span></h2>
        <table><thead><tr>{heads(scene, &["node.pid", "node.container", "node.pod", "node.command"])}</tr></thead>
            <tbody>{for node.processes.iter().map(row)}</tbody></table>
        if node.processes.is_empty() { <p class="empty">{scene.t("node.no-processes")}</p> }
    </> }
}

fn namespaces(scene: &Scene<'_>, node: &NodeDetail) -> Html {
    let kinds = ["net", "ipc", "uts", "pid", "mnt", "cgroup"];
    let head = |kind: &&'static str| html! { <th scope="col">{*kind}</th> };
    let row = |sandbox: &SandboxView| {
        let cell = |kind: &&'static str| {
            let found = sandbox
                .namespaces
                .iter()
                .find(|namespace| *namespace.kind == **kind);
            let inodes = found
                .map(|namespace| namespace.inodes.clone())
                .unwrap_or_default();
            let text = match &*inodes {
                [one] => one.to_string(),
                several => scene
                    .words
                    .t1("node.each", "n", &several.len().to_string())
                    .to_string(),
            };
            html! { <td class="num">{text}</td> }
        };
        html! { <tr key={sandbox.id.to_string()}><th scope="row">{sandbox.pod.name.to_string()}</th>{for kinds.iter().map(cell)}</tr> }
    };
    if node.sandboxes.is_empty() {
        return html! {};
    }
    html! { <>
        <h2>{scene.t("node.namespaces")}</h2>
        <table><thead><tr><th scope="col">{scene.t("node.pod")}</th>{for kinds.iter().map(head)}</tr></thead>
            <tbody>{for node.sandboxes.iter().map(row)}</tbody></table>
    </> }
}

fn links(scene: &Scene<'_>, node: &NodeDetail) -> Html {
    let row = |sandbox: &SandboxView| {
        html! { <tr key={sandbox.id.to_string()}><th scope="row">{sandbox.pod.name.to_string()}</th><td class="mono">{sandbox.veth.to_string()}</td>
        <td class="mono">{sandbox.address.to_string()}</td><td class="mono">{sandbox.gateway.to_string()}</td><td class="mono">{sandbox.mac.to_string()}</td></tr> }
    };
    html! { <>
        <h2>{scene.t("node.links")}</h2>
        if !node.sandboxes.is_empty() {
            <table><thead><tr>{heads(scene, &["node.pod", "node.veth", "node.eth0", "node.gateway", "node.mac"])}</tr></thead>
                <tbody>{for node.sandboxes.iter().map(row)}</tbody></table>
        }
        <pre class="lines" tabindex="0" role="region" aria-label={scene.t("node.routes")}>{node.routes.join("\n")}</pre>
    </> }
}

fn cgroups(scene: &Scene<'_>, node: &NodeDetail) -> Html {
    let group = |group: &CgroupFiles| {
        let file = |(name, value): &(Text, Text)| html! { <><dt>{name.to_string()}</dt><dd>{value.to_string()}</dd></> };
        html! { <div class="cgroup" key={group.path.to_string()}><p class="mono">{group.path.to_string()}</p>
        <p class="small muted">{short(&group.pod)}</p><dl class="mono">{for group.files.iter().map(file)}</dl></div> }
    };
    html! { <>
        <h2>{scene.t("node.cgroups")}{" "}<span class="muted">{node.cgroups.len()}</span></h2>
        {for node.cgroups.iter().take(80).map(group)}
        if node.cgroups.is_empty() { <p class="empty">{scene.t("inside.node.no-cgroups")}</p> }
    </> }
}

fn images(scene: &Scene<'_>, node: &NodeDetail) -> Html {
    let row = |image: &ImageView| {
        html! { <tr key={image.name.to_string()}><td class="mono wrap">{image.name.to_string()}</td><td class="num">{image.layers.len()}</td><td class="num">{bytes(image.bytes)}</td></tr> }
    };
    html! { <>
        <h2>{scene.t("node.images")}{" "}<span class="muted">{node.images.len()}</span></h2>
        if !node.images.is_empty() {
            <table><thead><tr>{heads(scene, &["node.image", "node.layers", "node.size"])}</tr></thead><tbody>{for node.images.iter().map(row)}</tbody></table>
        }
    </> }
}

fn volumes(scene: &Scene<'_>, node: &NodeDetail) -> Html {
    let row = |volume: &VolumeView| {
        html! { <tr key={[&*volume.pod.name, &*volume.name].concat()}><td class="mono">{volume.name.to_string()}</td><td>{opens(scene, &volume.pod, volume.pod.name.to_string())}</td>
        <td class="wrap">{volume.source.to_string()}</td><td class="mono wrap">{volume.mounts.join(", ")}</td></tr> }
    };
    html! { <>
        <h2>{scene.t("node.volumes")}{" "}<span class="muted">{node.volumes.len()}</span></h2>
        if !node.volumes.is_empty() {
            <table><thead><tr>{heads(scene, &["node.volume", "node.pod", "node.source", "node.mounts"])}</tr></thead><tbody>{for node.volumes.iter().map(row)}</tbody></table>
        }
    </> }
}
