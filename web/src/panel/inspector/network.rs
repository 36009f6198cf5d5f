//! Services and their endpoints, a machine's rules, and a request that is followed through them.

use super::node::{current, picker};
use super::{InspectAct, chosen, field, opens, short};
use crate::draw::kind_glyph;
use crate::panel::stage::heads;
use crate::state::{Act, Scene};
use crate::words::rich;
use podscope_session::view::*;
use yew::prelude::*;

/// The most rules.
const MAX_RULES: usize = 400;

/// The value of a source's option.
pub fn source_value(from: &RequestFrom) -> String {
    match from {
        RequestFrom::Pod(pod) => ["pod/", &*pod.namespace, "/", &*pod.name].concat(),
        RequestFrom::Node(name) => ["node/", &**name].concat(),
        RequestFrom::Outside => "outside".to_owned(),
    }
}

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let node = current(scene).unwrap_or_else(|| "".into());
    let network = scene.session.network(&node);
    html! { <>
        <div class="list" tabindex="0" role="region" aria-label={scene.t("tab.network")}>
            {services(scene, &network)}
            {rules(scene, &network, &node)}
        </div>
        <div class="side" role="region" aria-label={scene.t("request.head")} tabindex="0">
            {form(scene, &network)}
            {answer(scene)}
        </div>
    </> }
}

fn services(scene: &Scene<'_>, network: &NetworkView) -> Html {
    let endpoint = |endpoint: &EndpointView| {
        let word = match (endpoint.ready, endpoint.terminating) {
            (true, _) => "network.ready",
            (false, true) => "network.ending",
            (false, false) => "network.unready",
        };
        let class = if endpoint.ready { "ep" } else { "ep off" };
        html! { <li class={class}><code>{[&*endpoint.address, ":", &*endpoint.ports].concat()}</code>{" "}{endpoint.pod.to_string()}
        <span class="muted">{" "}{endpoint.node.to_string()}{" "}{scene.t(word)}</span></li> }
    };
    let row = |service: &ServiceView| {
        let port = |port: &PortView| {
            let mut text = [&*port.port.to_string(), " → ", &*port.target].concat();
            if port.node_port > 0 {
                text = [&*text, ", node port ", &*port.node_port.to_string()].concat();
            }
            text
        };
        let ports: Vec<String> = service.ports.iter().map(port).collect();
        html! { <tr key={short(&service.object)}><td>{opens(scene, &service.object, short(&service.object))}</td><td>{service.kind.to_string()}</td>
        <td class="mono">{service.ip.to_string()}</td><td>{ports.join("; ")}</td>
        <td class="wrap"><ul>{for service.endpoints.iter().take(40).map(endpoint)}
            if service.endpoints.is_empty() { <li class="muted">{scene.t("network.no-endpoints")}</li> }</ul></td></tr> }
    };
    html! { <>
        <h2>{scene.t("network.services")}{" "}<span class="muted">{network.services.len()}</span></h2>
        <table><thead><tr>{heads(scene, &["network.service", "network.type", "network.ip", "network.ports", "network.endpoints"])}</tr></thead>
            <tbody>{for network.services.iter().map(row)}</tbody></table>
        if network.services.is_empty() { <p class="empty">{scene.t("network.none")}</p> }
    </> }
}

fn rules(scene: &Scene<'_>, network: &NetworkView, node: &str) -> Html {
    let mut chains: Vec<(&Text, Vec<&RuleView>)> = Vec::new();
    for rule in network.rules.iter().take(MAX_RULES) {
        match chains.iter_mut().find(|(chain, _)| **chain == rule.chain) {
            Some((_, rules)) => rules.push(rule),
            None => chains.push((&rule.chain, vec![rule])),
        }
    }
    let chain = |(name, rules): &(&Text, Vec<&RuleView>)| {
        let rule = |rule: &&RuleView| html! { <li>{rule.rule.to_string()}</li> };
        html! { <div class="chain2" key={name.to_string()}><h3 class="mono">{name.to_string()}</h3><ol class="mono">{for rules.iter().map(rule)}</ol></div> }
    };
    let more = network.rules.len().saturating_sub(MAX_RULES);
    html! { <>
        <div class="inh in-list"><h2>{scene.t("network.rules")}{" "}<span class="muted">{network.rules.len()}</span></h2>{picker(scene, node)}</div>
        {for chains.iter().map(chain)}
        if more > 0 { <p class="empty">{scene.words.t1("objects.more", "n", &more.to_string())}</p> }
        if network.rules.is_empty() { <p class="empty">{scene.t("network.no-rules")}</p> }
    </> }
}

fn form(scene: &Scene<'_>, network: &NetworkView) -> Html {
    let ui = &scene.ui.inspector;
    let at = network
        .sources
        .iter()
        .position(|from| source_value(from) == ui.from);
    let at = at.unwrap_or(0);
    let option = |(i, from): (usize, &RequestFrom)| {
        let value = source_value(from);
        let here = i == at;
        let label = match from {
            RequestFrom::Pod(pod) => short(pod),
            RequestFrom::Node(name) => ["node/", name].concat(),
            RequestFrom::Outside => scene.t("request.outside").to_string(),
        };
        html! { <option key={value.clone()} value={value} selected={here}>{label}</option> }
    };
    let known = network.services.iter().flat_map(|service| {
        let namespace = &*service.object.namespace;
        let name = match namespace {
            "default" => service.object.name.to_string(),
            other => [&*service.object.name, ".", other].concat(),
        };
        let port = service.ports.first().map_or(80, |port| port.port);
        let by_ip = [&*service.ip, ":", &*port.to_string()].concat();
        let by_ip = (service.ip.contains('.')).then_some(by_ip);
        let node_port = service.ports.iter().find(|port| port.node_port > 0);
        let by_node = node_port.and_then(|port| {
            let node = scene.view.nodes.first()?;
            Some([&*node.name, ":", &*port.node_port.to_string()].concat())
        });
        [Some(name), by_ip, by_node].into_iter().flatten()
    });
    let onfrom = scene
        .on
        .reform(|event: Event| Act::Inspect(InspectAct::From(chosen(&event))));
    let onto = scene
        .on
        .reform(|event: InputEvent| Act::Inspect(InspectAct::To(field(&event))));
    let onsubmit = scene.on.reform(|event: SubmitEvent| {
        event.prevent_default();
        Act::Inspect(InspectAct::Send)
    });
    html! {
        <form class="picks send" {onsubmit}>
            <h2>{scene.t("request.head")}</h2>
            <label>{scene.t("request.from")}{" "}<select onchange={onfrom}>{for network.sources.iter().enumerate().map(option)}</select></label>
            <label>{scene.t("request.to")}{" "}<input class="filter" type="text" list="request-to" value={ui.to.clone()} spellcheck="false" autocomplete="off"
                autocapitalize="off" placeholder={scene.t("request.to.example")} oninput={onto}/></label>
            <datalist id="request-to">{for known.map(|to| html! { <option value={to}/> })}</datalist>
            <button class="btn" type="submit">{scene.t(if ui.sent.is_some() { "request.again" } else { "request.send" })}</button>
        </form>
    }
}

/// The way of the request that was sent, as it would go at this moment.
fn answer(scene: &Scene<'_>) -> Html {
    let Some((from, to, draw)) = &scene.ui.inspector.sent else {
        return html! { <p class="empty">{scene.t("request.empty")}</p> };
    };
    let request = scene.session.request(from, to, *draw);
    let hop = |hop: &HopView| {
        html! { <li>{kind_glyph(hop.kind, 16)}<span>{rich(&scene.words.say(&hop.text))}
        if !hop.verbatim.is_empty() { <code class="rule">{hop.verbatim.to_string()}</code> }</span></li> }
    };
    let (class, sign) = if request.ok {
        ("end good", "✓ ")
    } else {
        ("end bad", "✕ ")
    };
    html! { <div aria-live="polite">
        <p class={class}><b aria-hidden="true">{sign}</b>{rich(&scene.words.say(&request.end))}</p>
        if !request.says.is_empty() { <p class="verbatim says"><code>{request.says.to_string()}</code></p> }
        <ol class="hops">{for request.hops.iter().map(hop)}</ol>
    </div> }
}
