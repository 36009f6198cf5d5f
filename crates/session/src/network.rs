//! The network as the machines have it: kube-proxy's rules, endpoints, and a request followed through them.

use crate::cluster_view::object_ref;
use crate::session::Session;
use crate::view::*;
use podscope_api::{Key, Kind, Object, Value};
use podscope_cluster::node::Node;
use podscope_cluster::node::proxy::PortRules;
use podscope_cluster::node::route::{Does, Packet, follow};
use podscope_cluster::node::runtime::{ContainerState, node_ip};
use std::rc::Rc;

/// An address that is nobody's in the cluster, for requests from outside (RFC 5737).
const OUTSIDE: &str = "203.0.113.9";
/// The most rules of one machine that are shown.
const MAX_RULES: usize = 2_000;
/// The most Pods that a request may come from.
const MAX_SOURCES: usize = 500;

fn objects(session: &Session, kind: Kind) -> impl Iterator<Item = &Rc<Object>> {
    let etcd = session.simulation().cluster().etcd();
    etcd.of_kind(kind).map(|(_, stored)| &stored.object)
}

fn text(value: &Value) -> Text {
    match value {
        Value::Int(i) => i.to_string().into(),
        other => other.str_or_empty().into(),
    }
}

/// Services with their endpoints, and the rules of one machine.
pub fn view(session: &Session, node: &str) -> NetworkView {
    let cluster = session.simulation().cluster();
    let machine = cluster.nodes().iter().find(|n| &*n.config.name == node);
    let services = objects(session, Kind::Service).map(|s| ServiceView {
        object: object_ref(Kind::Service, &s.key()),
        kind: s.at("spec.type").as_str().unwrap_or("ClusterIP").into(),
        ip: text(s.at("spec.clusterIP")),
        ports: s.at("spec.ports").items().iter().map(port).collect(),
        endpoints: endpoints(session, &s.key()).into(),
    });
    let services = services.collect();
    let rules = machine
        .into_iter()
        .flat_map(|n| n.proxy().rules())
        .flat_map(|(key, ports)| {
            let object = object_ref(Kind::Service, key);
            ports
                .iter()
                .flat_map(|p| &p.chains)
                .flat_map(move |(chain, rules)| {
                    let object = object.clone();
                    rules.iter().map(move |rule| RuleView {
                        service: object.clone(),
                        chain: chain.clone(),
                        rule: rule.clone(),
                    })
                })
        });
    let mut sources: Vec<RequestFrom> = objects(session, Kind::Pod)
        .filter(|p| p.at("spec.nodeName").as_str().is_some())
        .take(MAX_SOURCES)
        .map(|p| RequestFrom::Pod(object_ref(Kind::Pod, &p.key())))
        .collect();
    let nodes = cluster.nodes().iter();
    sources.extend(nodes.map(|n| RequestFrom::Node(n.config.name.clone())));
    sources.push(RequestFrom::Outside);
    NetworkView {
        nodes: cluster
            .nodes()
            .iter()
            .map(|n| n.config.name.clone())
            .collect(),
        services,
        rules: rules.take(MAX_RULES).collect(),
        sources: sources.into(),
    }
}

fn port(port: &Value) -> PortView {
    PortView {
        name: text(port.get("name")),
        port: port.get("port").as_int().unwrap_or(0),
        target: match port.get("targetPort") {
            Value::Null => text(port.get("port")),
            other => text(other),
        },
        node_port: port.get("nodePort").as_int().unwrap_or(0),
        protocol: port.get("protocol").as_str().unwrap_or("TCP").into(),
    }
}

/// The endpoints of a Service as its EndpointSlices say.
fn endpoints(session: &Session, service: &Key) -> Vec<EndpointView> {
    let mut list = Vec::new();
    for slice in objects(session, Kind::EndpointSlice) {
        let mine = slice.namespace() == &*service.namespace
            && slice.label("kubernetes.io/service-name") == Some(&service.name);
        if !mine {
            continue;
        }
        let ports = slice.get("ports").items().iter();
        let ports: Vec<String> = ports.map(|p| text(p.get("port")).to_string()).collect();
        for endpoint in slice.get("endpoints").items() {
            let conditions = endpoint.get("conditions");
            list.push(EndpointView {
                address: text(endpoint.get("addresses").index(0)),
                ports: ports.join(",").into(),
                node: text(endpoint.get("nodeName")),
                pod: text(endpoint.at("targetRef.name")),
                ready: conditions.get("ready").as_bool() != Some(false),
                serving: conditions.get("serving").as_bool() != Some(false),
                terminating: conditions.get("terminating").is_true(),
            });
        }
    }
    list
}

/// A request on its way: what has been found out so far.
struct Walk<'a> {
    session: &'a Session,
    hops: Vec<HopView>,
}

impl<'a> Walk<'a> {
    fn hop(&mut self, kind: ComponentKind, code: &'static str, args: Vec<(&'static str, Arg)>) {
        self.hop_with(kind, code, args, "");
    }
    fn hop_with(
        &mut self,
        kind: ComponentKind,
        code: &'static str,
        args: Vec<(&'static str, Arg)>,
        verbatim: &str,
    ) {
        self.hops.push(HopView {
            kind,
            text: Msg::new(code, args),
            verbatim: verbatim.into(),
        });
    }
    fn end(
        self,
        ok: bool,
        code: &'static str,
        args: Vec<(&'static str, Arg)>,
        says: &str,
    ) -> RequestView {
        RequestView {
            hops: self.hops.into(),
            ok,
            end: Msg::new(code, args),
            says: says.into(),
        }
    }
    fn fails(self, code: &'static str, args: Vec<(&'static str, Arg)>, says: &str) -> RequestView {
        self.end(false, code, args, says)
    }
}

fn arg(text: impl Into<Text>) -> Arg {
    Arg::Text(text.into())
}

/// Follows a request from somewhere to `host[:port]`: hop by hop to an endpoint, or to the reason why none is
/// reached. `draw` chooses where a rule draws; bounded by the number of rules that can match.
pub fn request(session: &Session, from: &RequestFrom, to: &str, draw: u32) -> RequestView {
    let cluster = session.simulation().cluster();
    let network = cluster.network();
    let mut walk = Walk {
        session,
        hops: Vec::new(),
    };
    let to = to
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let (host, given) = match to.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (to, None),
    };
    let wanted: Option<i64> = match given.map(str::parse) {
        None => None,
        Some(Ok(port)) if (1..=65_535).contains(&port) => Some(port),
        Some(_) => {
            return walk.fails(
                "request.bad-port",
                vec![("port", arg(given.unwrap_or("")))],
                "",
            );
        }
    };
    if host.is_empty() || host.len() > 253 || host.contains(['/', ' ']) {
        return walk.fails("request.bad-host", vec![], "");
    }
    // Where it starts.
    let (source, machine, namespace): (Text, Option<&Node>, Text) = match from {
        RequestFrom::Outside => (OUTSIDE.into(), None, "".into()),
        RequestFrom::Node(name) => {
            let Some(node) = cluster.nodes().iter().find(|n| n.config.name == *name) else {
                return walk.fails("request.no-source", vec![], "");
            };
            (node_ip(node.id).into(), Some(node), "".into())
        }
        RequestFrom::Pod(pod) => {
            let key = Key::new(pod.namespace.clone(), pod.name.clone());
            let record = cluster.nodes().iter().find_map(|n| {
                let mut pods = n.runtime().pods();
                pods.find(|(_, r)| r.key == key).map(|(_, r)| (n, r))
            });
            let Some((node, record)) = record else {
                return walk.fails("request.no-source", vec![], "");
            };
            let runs = record
                .containers
                .iter()
                .any(|c| c.state == ContainerState::Running);
            let Some(sandbox) = record.sandbox.as_ref().filter(|s| runs && s.ready) else {
                return walk.fails(
                    "request.source-down",
                    vec![("object", arg(pod.name.clone()))],
                    "",
                );
            };
            let ip = if sandbox.host_network {
                node_ip(node.id).into()
            } else {
                sandbox.link.ip.clone()
            };
            (ip, Some(node), pod.namespace.clone())
        }
    };
    if let Some(node) = machine.filter(|n| network.powered_off.contains(&n.id)) {
        let args = vec![("node", arg(node.config.name.clone()))];
        return walk.fails("request.source-off", args, "");
    }
    // A name first becomes an address.
    let is_ip = host.split('.').count() == 4 && host.split('.').all(|p| p.parse::<u8>().is_ok());
    let (address, service) = if is_ip {
        (Text::from(host), None)
    } else {
        match from {
            RequestFrom::Pod(_) => match resolve(&mut walk, host, &namespace, draw) {
                Ok(found) => found,
                Err((code, args, says)) => return walk.fails(code, args, &says),
            },
            _ => {
                let known = cluster.nodes().iter().find(|n| &*n.config.name == host);
                let Some(node) = known else {
                    let says = format!("Could not resolve host: {host}");
                    return walk.fails("request.no-dns", vec![("name", arg(host))], &says);
                };
                (node_ip(node.id).into(), None)
            }
        }
    };
    let owner = service.or_else(|| {
        objects(session, Kind::Service).find(|s| s.at("spec.clusterIP").as_str() == Some(&*address))
    });
    // Behind a headless Service the Pod's own port is dialled.
    let headless = owner.is_some_and(|s| s.at("spec.clusterIP").as_str() == Some("None"));
    let first = owner.map(|s| s.at("spec.ports").index(0));
    let target_port = first
        .and_then(|p| p.get("targetPort").as_int())
        .filter(|_| headless);
    let first_port = target_port
        .or(first.and_then(|p| p.get("port").as_int()))
        .unwrap_or(80);
    let number = wanted.unwrap_or(first_port);
    let target = cluster.nodes().iter().find(|n| node_ip(n.id) == *address);
    // Whose rules see it: those of the machine where it starts; from outside, of the machine it is sent to.
    let at = match (machine, target) {
        (Some(node), _) => node,
        (None, Some(node)) => {
            if network.powered_off.contains(&node.id) {
                let says =
                    format!("connect to {address} port {number} failed: Connection timed out");
                return walk.fails(
                    "request.node-off",
                    vec![("node", arg(node.config.name.clone()))],
                    &says,
                );
            }
            node
        }
        (None, None) => {
            let says = format!("connect to {address} port {number} failed: No route to host");
            return walk.fails(
                "request.not-outside",
                vec![("address", arg(address))],
                &says,
            );
        }
    };
    let args = vec![
        ("source", arg(source.clone())),
        ("address", arg(address.clone())),
        ("port", arg(number.to_string())),
        ("node", arg(at.config.name.clone())),
    ];
    let enters = match from {
        RequestFrom::Outside => "request.arrives",
        RequestFrom::Pod(_) => "request.leaves-pod",
        RequestFrom::Node(_) => "request.leaves-node",
    };
    walk.hop(ComponentKind::Network, enters, args);
    let protocol = protocol(owner, number);
    let packet = Packet {
        source,
        destination: address.clone(),
        port: number,
        protocol,
        local: target.is_some_and(|n| n.id == at.id),
    };
    let rules: Vec<&PortRules> = at.proxy().rules().flat_map(|(_, ports)| ports).collect();
    let way = follow(&rules, &packet, usize::try_from(draw).unwrap_or(0));
    for hop in &way.hops {
        let chain = ("chain", arg(hop.chain.clone()));
        let (code, args) = match &hop.does {
            Does::Jump(next) => ("request.jump", vec![chain, ("next", arg(next.clone()))]),
            Does::Draw(next, of) => {
                let of = ("n", Arg::Count(i64::try_from(*of).unwrap_or(0)));
                ("request.draw", vec![chain, ("next", arg(next.clone())), of])
            }
            Does::Masquerade => ("request.masquerade", vec![chain]),
            Does::Translate(to) => ("request.translate", vec![chain, ("to", arg(to.clone()))]),
            Does::Reject => ("request.reject", vec![chain]),
            Does::Drop => ("request.drop", vec![chain]),
        };
        walk.hop_with(ComponentKind::Network, code, args, &hop.rule);
    }
    let refused = format!("connect to {address} port {number} failed: Connection refused");
    let silent = format!("connect to {address} port {number} failed: Connection timed out");
    match &way.end {
        Some(Does::Translate(to)) => {
            let (ip, port) = to.split_once(':').unwrap_or((to, ""));
            arrive(walk, at, ip, port.parse().unwrap_or(0), &refused, &silent)
        }
        Some(Does::Reject) => {
            let name = owner.map_or_else(|| Text::from(&*address), |s| s.name().into());
            walk.fails(
                "request.no-endpoints",
                vec![("object", arg(name))],
                &refused,
            )
        }
        Some(_) => {
            let args = vec![("node", arg(at.config.name.clone()))];
            walk.fails("request.local-only", args, &silent)
        }
        None => no_rule(walk, at, owner, &address, number, &refused, &silent),
    }
}

fn protocol(service: Option<&Rc<Object>>, number: i64) -> Text {
    let ports = service
        .map(|s| s.at("spec.ports").items())
        .unwrap_or_default();
    let port = ports
        .iter()
        .find(|p| p.get("port").as_int() == Some(number));
    let name = port
        .and_then(|p| p.get("protocol").as_str())
        .unwrap_or("TCP");
    name.to_ascii_lowercase().into()
}

/// No rule is about the packet: it goes to its destination as it is, if there is one.
fn no_rule(
    mut walk: Walk<'_>,
    at: &Node,
    service: Option<&Rc<Object>>,
    address: &Text,
    number: i64,
    refused: &str,
    silent: &str,
) -> RequestView {
    let cluster = walk.session.simulation().cluster();
    let pod = cluster.nodes().iter().any(|n| {
        let mut pods = n.runtime().pods();
        pods.any(|(_, r)| r.sandbox.as_ref().is_some_and(|s| s.link.ip == *address))
    });
    if pod {
        walk.hop(
            ComponentKind::Network,
            "request.no-rule",
            vec![("address", arg(address.clone()))],
        );
        return arrive(walk, at, address, number, refused, silent);
    }
    if let Some(node) = cluster.nodes().iter().find(|n| node_ip(n.id) == **address) {
        let args = vec![
            ("node", arg(node.config.name.clone())),
            ("port", arg(number.to_string())),
        ];
        if cluster.network().powered_off.contains(&node.id) {
            return walk.fails("request.node-off", args, silent);
        }
        // A Pod's or another machine's packet meets the rules of the machine that it is sent to.
        if node.id != at.id {
            walk.hop(ComponentKind::Network, "request.to-node", args.clone());
            let packet = Packet {
                source: node_ip(at.id).into(),
                destination: address.clone(),
                port: number,
                protocol: "tcp".into(),
                local: true,
            };
            let rules: Vec<&PortRules> =
                node.proxy().rules().flat_map(|(_, ports)| ports).collect();
            let way = follow(&rules, &packet, 0);
            for hop in &way.hops {
                let args = vec![("chain", arg(hop.chain.clone()))];
                walk.hop_with(ComponentKind::Network, "request.there", args, &hop.rule);
            }
            if let Some(Does::Translate(to)) = &way.end {
                let (ip, port) = to.split_once(':').unwrap_or((to, ""));
                return arrive(walk, node, ip, port.parse().unwrap_or(0), refused, silent);
            }
        }
        return walk.fails("request.closed", args, refused);
    }
    match service {
        Some(service) => {
            let ports = service.at("spec.ports").items().iter();
            let ports: Vec<String> = ports.map(|p| text(p.get("port")).to_string()).collect();
            let known = ports.contains(&number.to_string());
            let args = vec![
                ("object", arg(service.name())),
                ("port", arg(number.to_string())),
                ("ports", arg(ports.join(", "))),
                ("node", arg(at.config.name.clone())),
            ];
            let code = if known {
                "request.not-yet"
            } else {
                "request.wrong-port"
            };
            walk.fails(code, args, silent)
        }
        None => walk.fails(
            "request.nobody",
            vec![("address", arg(address.clone()))],
            silent,
        ),
    }
}

/// The packet comes to a Pod's address.
fn arrive(
    mut walk: Walk<'_>,
    at: &Node,
    ip: &str,
    number: i64,
    refused: &str,
    silent: &str,
) -> RequestView {
    let cluster = walk.session.simulation().cluster();
    let found = cluster.nodes().iter().find_map(|n| {
        let mut pods = n.runtime().pods();
        pods.find(|(_, r)| r.sandbox.as_ref().is_some_and(|s| s.link.ip.as_ref() == ip))
            .map(|(_, r)| (n, r))
    });
    let address = ("address", arg(ip));
    let Some((node, record)) = found else {
        return walk.fails("request.stale", vec![address], silent);
    };
    let args = vec![
        address,
        ("object", arg(record.key.name.clone())),
        ("node", arg(node.config.name.clone())),
        ("port", arg(number.to_string())),
    ];
    let code = if node.id == at.id {
        "request.bridge"
    } else {
        "request.to-other"
    };
    walk.hop(ComponentKind::Network, code, args.clone());
    if cluster.network().powered_off.contains(&node.id) {
        return walk.fails("request.pod-off", args, silent);
    }
    let Some(sandbox) = record.sandbox.as_ref().filter(|s| s.ready) else {
        return walk.fails("request.stale", args, silent);
    };
    let veth = vec![
        ("veth", arg(sandbox.link.veth.clone())),
        ("object", arg(record.key.name.clone())),
    ];
    walk.hop(ComponentKind::Network, "request.veth", veth);
    let listens = |c: &&Value| {
        let mut ports = c.get("ports").items().iter();
        ports.any(|p| p.get("containerPort").as_int() == Some(number))
    };
    let containers = record.pod.at("spec.containers").items();
    let named = containers.iter().find(listens);
    let container = named.or(containers.first());
    let name = container.map_or("", |c| c.get("name").str_or_empty());
    let runs = record
        .newest(name)
        .is_some_and(|c| c.state == ContainerState::Running);
    let mut args = args;
    args.push(("container", arg(name)));
    if !runs {
        return walk.fails("request.not-running", args, refused);
    }
    let code = if named.is_some() {
        "request.answered"
    } else {
        "request.answered-unsaid"
    };
    walk.end(true, code, args, "")
}

type Found<'a> = (Text, Option<&'a Rc<Object>>);
type Failed = (&'static str, Vec<(&'static str, Arg)>, String);

/// A name as a Pod's resolver reads it, with the search list of its namespace.
fn resolve<'a>(
    walk: &mut Walk<'a>,
    host: &str,
    namespace: &str,
    draw: u32,
) -> Result<Found<'a>, Failed> {
    let session = walk.session;
    let whole = host.trim_end_matches('.');
    let search = [
        format!("{whole}.{namespace}.svc.cluster.local"),
        format!("{whole}.svc.cluster.local"),
        format!("{whole}.cluster.local"),
        whole.to_string(),
    ];
    for name in search {
        let Some(rest) = name.strip_suffix(".svc.cluster.local") else {
            continue;
        };
        let Some((service, namespace)) = rest.split_once('.') else {
            continue;
        };
        let mut services = objects(session, Kind::Service);
        let found = services.find(|s| s.name() == service && s.namespace() == namespace);
        let Some(found) = found else {
            if service.is_empty() || namespace.contains('.') {
                continue;
            }
            walk.hop(
                ComponentKind::Network,
                "request.nxdomain",
                vec![("name", arg(name))],
            );
            continue;
        };
        let ip = text(found.at("spec.clusterIP"));
        if found.at("spec.type").as_str() == Some("ExternalName") {
            let to = text(found.at("spec.externalName"));
            return Err((
                "request.external",
                vec![("name", arg(name)), ("to", arg(to))],
                String::new(),
            ));
        }
        if &*ip == "None" {
            let ready: Vec<EndpointView> = endpoints(session, &found.key());
            let ready: Vec<&EndpointView> = ready.iter().filter(|e| e.ready).collect();
            let count = ready.len().max(1);
            let Some(endpoint) = ready.get(usize::try_from(draw).unwrap_or(0) % count) else {
                let says = format!("Could not resolve host: {host}");
                return Err(("request.headless-empty", vec![("name", arg(name))], says));
            };
            let args = vec![
                ("name", arg(name)),
                ("address", arg(endpoint.address.clone())),
                ("n", Arg::Count(i64::try_from(ready.len()).unwrap_or(0))),
            ];
            walk.hop(ComponentKind::Network, "request.headless", args);
            return Ok((endpoint.address.clone(), Some(found)));
        }
        let args = vec![("name", arg(name)), ("address", arg(ip.clone()))];
        walk.hop(ComponentKind::Network, "request.resolved", args);
        return Ok((ip, Some(found)));
    }
    let says = format!("Could not resolve host: {host}");
    Err(("request.unknown-name", vec![("name", arg(whole))], says))
}
