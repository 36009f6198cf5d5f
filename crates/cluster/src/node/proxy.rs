//! kube-proxy: from Services and EndpointSlices to iptables rules.
//!
//! Only what belongs to Services that have changed is computed again; a change after a quiet second is
//! applied at once, later ones together.
//! Models: pkg/proxy/iptables/proxier.go, pkg/proxy/endpoints.go (v1.36)
//! Left out: load balancer source ranges, topology hints, IPv6, the nftables mode.

use super::Input;
use super::sha256::base32;
use crate::client::informer::Caches;
use crate::entry::Timer;
use crate::sim::Ctx;
use crate::trace::{Data, Note};
use podscope_api::{Key, Kind, Object, Text, Value, value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime};
use std::rc::Rc;

crate::codes! {
    /// kube-proxy has brought the machine's rules up to date.
    SYNC = "proxy.sync";
}

/// Changes are applied.
const SYNC_TIMER: &str = "proxy.sync";
/// At most one sync in this time.
const MIN_PERIOD: SimDuration = SimDuration::secs(1);

/// The chains of one Service port, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortRules {
    /// `namespace/name:port`
    pub name: Text,
    /// Chain to its rules; chains that are shared hold only this port's rules.
    pub chains: Vec<(Text, Vec<Text>)>,
    /// How many endpoints get traffic.
    pub endpoints: u16,
}

/// kube-proxy's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KubeProxy {
    id: u16,
    changed: BTreeSet<Key>,
    rules: BTreeMap<Key, Rc<Vec<PortRules>>>,
    last_sync: SimTime,
    waiting: bool,
}

/// `ns/name:port`, or `ns/name` for a port without a name.
fn port_name(key: &Key, port: &Value) -> String {
    match port.get("name").str_or_empty() {
        "" => format!("{}/{}", key.namespace, key.name),
        name => format!("{}/{}:{name}", key.namespace, key.name),
    }
}

/// A chain of a Service port: `KUBE-SVC-`, `KUBE-SVL-`, `KUBE-EXT-` or `KUBE-FW-` and a hash.
pub fn service_chain(prefix: &str, port_name: &str, protocol: &str) -> String {
    format!("{prefix}{}", base32(&format!("{port_name}{protocol}"), 16))
}

/// The chain of an endpoint of a Service port.
pub fn endpoint_chain(port_name: &str, protocol: &str, endpoint: &str) -> String {
    format!(
        "KUBE-SEP-{}",
        base32(&format!("{port_name}{protocol}{endpoint}"), 16)
    )
}

/// The probability with which the rule at `index` of `count` is taken; `None` for the last one.
pub fn probability(index: usize, count: usize) -> Option<String> {
    let left = count.checked_sub(index).filter(|n| *n > 1)?;
    Some(podscope_api::float::fixed(1.0 / left as f64, 10))
}

/// An endpoint that may get traffic: address, whether it is on this machine.
struct Endpoint {
    address: String,
    local: bool,
}

/// The endpoints that get traffic: the ready ones, or, when there is none, those that still serve while they end.
fn endpoints(slices: &[&Object], port: &Value, node: &str) -> Vec<Endpoint> {
    let (mut ready, mut serving) = (BTreeMap::new(), BTreeMap::new());
    for slice in slices {
        let ports = slice.get("ports").items();
        let name = port.get("name").str_or_empty();
        let Some(number) = ports
            .iter()
            .find(|p| p.get("name").str_or_empty() == name)
            .and_then(|p| p.get("port").as_int())
        else {
            continue;
        };
        for endpoint in slice.get("endpoints").items() {
            let Some(ip) = endpoint.get("addresses").index(0).as_str() else {
                continue;
            };
            let conditions = endpoint.get("conditions");
            let local = endpoint.get("nodeName").as_str() == Some(node);
            let address = format!("{ip}:{number}");
            if conditions.get("ready").as_bool() != Some(false) {
                ready.insert(address, local);
            } else if conditions.get("serving").is_true() && conditions.get("terminating").is_true()
            {
                serving.insert(address, local);
            }
        }
    }
    let chosen = if ready.is_empty() { serving } else { ready };
    chosen
        .into_iter()
        .map(|(address, local)| Endpoint { address, local })
        .collect()
}

/// The rules of one Service on one machine.
pub fn service_rules(service: &Object, slices: &[&Object], node: &str) -> Vec<PortRules> {
    let key = service.key();
    let spec = service.spec();
    let ip = spec.get("clusterIP").str_or_empty();
    if ip.is_empty() || ip == "None" || spec.get("type").as_str() == Some("ExternalName") {
        return Vec::new();
    }
    let affinity = spec.get("sessionAffinity").as_str() == Some("ClientIP");
    let local_only = |field: &str| spec.get(field).as_str() == Some("Local");
    let mut list = Vec::new();
    for port in spec.get("ports").items() {
        let name = port_name(&key, port);
        let protocol = port
            .get("protocol")
            .as_str()
            .unwrap_or("TCP")
            .to_ascii_lowercase();
        let number = port.get("port").as_int().unwrap_or(0);
        let all = endpoints(slices, port, node);
        let inside: Vec<&Endpoint> = all
            .iter()
            .filter(|e| e.local || !local_only("internalTrafficPolicy"))
            .collect();
        let to = format!("-d {ip}/32 -p {protocol} -m {protocol} --dport {number}");
        let mut chains: Vec<(Text, Vec<Text>)> = Vec::new();
        if inside.is_empty() {
            let rule = format!(
                "-m comment --comment \"{name} has no endpoints\" {to} -j REJECT --reject-with icmp-port-unreachable"
            );
            chains.push(("filter:KUBE-SERVICES".into(), vec![rule.into()]));
        } else {
            let chain = service_chain("KUBE-SVC-", &name, &protocol);
            let rule = format!("-m comment --comment \"{name} cluster IP\" {to} -j {chain}");
            chains.push(("KUBE-SERVICES".into(), vec![rule.into()]));
            let mut rules: Vec<Text> = vec![
                format!(
                    "-m comment --comment \"{name} cluster IP\" ! -s 10.244.0.0/16 {to} -j KUBE-MARK-MASQ"
                )
                .into(),
            ];
            balance(&name, &protocol, &inside, affinity, &mut rules);
            chains.push((chain.into(), rules));
        }
        if let Some(node_port) = port.get("nodePort").as_int().filter(|p| *p > 0) {
            let outside: Vec<&Endpoint> = all
                .iter()
                .filter(|e| e.local || !local_only("externalTrafficPolicy"))
                .collect();
            let external = service_chain("KUBE-EXT-", &name, &protocol);
            let at = format!(
                "-m comment --comment {name} -p {protocol} -m {protocol} --dport {node_port}"
            );
            chains.push((
                "KUBE-NODEPORTS".into(),
                vec![format!("{at} -j {external}").into()],
            ));
            let mut rules: Vec<Text> = Vec::new();
            if local_only("externalTrafficPolicy") {
                let chain = service_chain("KUBE-SVL-", &name, &protocol);
                rules.push(format!("-j {chain}").into());
                chains.push((external.into(), rules));
                let mut own = Vec::new();
                balance(&name, &protocol, &outside, affinity, &mut own);
                chains.push((chain.into(), own));
            } else {
                let why = format!("masquerade traffic for {name} external destinations");
                rules.push(format!("-m comment --comment \"{why}\" -j KUBE-MARK-MASQ").into());
                rules.push(format!("-j {}", service_chain("KUBE-SVC-", &name, &protocol)).into());
                chains.push((external.into(), rules));
            }
        }
        for endpoint in &all {
            let address = &endpoint.address;
            let ip = address.split(':').next().unwrap_or("");
            let chain = endpoint_chain(&name, &protocol, address);
            let recent = if affinity {
                format!("-m recent --name {chain} --set ")
            } else {
                String::new()
            };
            let rules = vec![
                format!("-m comment --comment {name} -s {ip}/32 -j KUBE-MARK-MASQ").into(),
                format!(
                    "-m comment --comment {name} {recent}-p {protocol} -m {protocol} -j DNAT --to-destination {address}"
                )
                .into(),
            ];
            chains.push((chain.into(), rules));
        }
        list.push(PortRules {
            name: name.into(),
            chains,
            endpoints: u16::try_from(inside.len()).unwrap_or(u16::MAX),
        });
    }
    list
}

/// The rules that choose among endpoints.
fn balance(name: &str, protocol: &str, list: &[&Endpoint], affinity: bool, rules: &mut Vec<Text>) {
    let chain = |e: &Endpoint| endpoint_chain(name, protocol, &e.address);
    if affinity {
        for endpoint in list {
            let chain = chain(endpoint);
            rules.push(
                format!(
                    "-m comment --comment \"{name} -> {}\" -m recent --name {chain} --rcheck --seconds 10800 --reap -j {chain}",
                    endpoint.address
                )
                .into(),
            );
        }
    }
    for (i, endpoint) in list.iter().enumerate() {
        let odds = match probability(i, list.len()) {
            Some(p) => format!(" -m statistic --mode random --probability {p}"),
            None => String::new(),
        };
        rules.push(
            format!(
                "-m comment --comment \"{name} -> {}\"{odds} -j {}",
                endpoint.address,
                chain(endpoint)
            )
            .into(),
        );
    }
}

impl KubeProxy {
    /// A proxy that has not started yet.
    pub fn new(id: u16) -> KubeProxy {
        KubeProxy {
            id,
            changed: BTreeSet::new(),
            rules: BTreeMap::new(),
            last_sync: SimTime::ZERO,
            waiting: false,
        }
    }
    /// The rules in force, by Service.
    pub fn rules(&self) -> impl Iterator<Item = (&Key, &Vec<PortRules>)> {
        self.rules.iter().map(|(key, rules)| (key, &**rules))
    }

    /// The proxy is woken.
    pub(crate) fn on(&mut self, input: Input<'_>, caches: &Caches, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => {
                self.changed = caches.list(Kind::Service).map(|s| s.key()).collect();
                self.sync(caches, ctx);
            }
            Input::Cache(event) => {
                let Some(object) = event.object() else { return };
                let key = match event.kind {
                    Kind::Service => object.key(),
                    Kind::EndpointSlice => {
                        let name = object.label("kubernetes.io/service-name").unwrap_or("");
                        Key::new(object.key().namespace, name)
                    }
                    _ => return,
                };
                self.changed.insert(key);
                if !self.waiting {
                    self.waiting = true;
                    let earliest = self.last_sync + MIN_PERIOD;
                    let at = if self.last_sync == SimTime::ZERO {
                        ctx.now()
                    } else {
                        earliest.max(ctx.now())
                    };
                    ctx.set_timer_at(at, Timer::internal(SYNC_TIMER));
                }
            }
            Input::Timer(timer) if timer.code == SYNC_TIMER => self.sync(caches, ctx),
            _ => {}
        }
    }

    fn sync(&mut self, caches: &Caches, ctx: &mut Ctx<'_>) {
        self.waiting = false;
        let node = ctx
            .sim
            .config
            .nodes
            .get(usize::from(self.id))
            .map_or_else(|| Text::from(""), |n| n.name.clone());
        let mut different = Vec::new();
        for key in std::mem::take(&mut self.changed) {
            let service = caches.get(Kind::Service, &key);
            let slices: Vec<&Object> = caches
                .list_in(Kind::EndpointSlice, &key.namespace)
                .filter(|s| s.label("kubernetes.io/service-name") == Some(&key.name))
                .map(|s| &**s)
                .collect();
            let rules = service.map_or_else(Vec::new, |s| service_rules(s, &slices, &node));
            let before = self.rules.get(&key);
            if before.map_or(rules.is_empty(), |b| **b == rules) {
                continue;
            }
            different.push(key.clone());
            if rules.is_empty() {
                self.rules.remove(&key);
            } else {
                self.rules.insert(key, Rc::new(rules));
            }
        }
        if different.is_empty() {
            return;
        }
        self.last_sync = ctx.now();
        let shown = different.iter().filter_map(|key| {
            let rules = self.rules.get(key)?;
            let ports = rules.iter().map(|port| {
                let chains = port.chains.iter().map(|(chain, rules)| {
                    let rules = rules.iter().map(|r| Value::from(r.clone()));
                    value!({"chain": (chain.clone()), "rules": (Value::list(rules))})
                });
                value!({"port": (port.name.clone()), "chains": (Value::list(chains))})
            });
            Some((key.to_string(), Value::list(ports)))
        });
        let data = Value::from_pairs(shown);
        let names = crate::trace::joined(different.iter().map(Key::to_string));
        let endpoints: i64 = different
            .iter()
            .filter_map(|key| self.rules.get(key))
            .flat_map(|rules| rules.iter())
            .map(|port| i64::from(port.endpoints))
            .sum();
        let mut note = Note::new(SYNC)
            .arg("services", names)
            .arg("endpoints", endpoints)
            .data(Data::Json(data.into()));
        if let [key] = &*different {
            note = note.about(Kind::Service, key.clone());
        }
        ctx.trace(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_two_endpoints() {
        let service = Object(value!({
            "metadata": {"namespace": "default", "name": "web"},
            "spec": {"clusterIP": "10.96.5.5", "ports": [{"port": 80, "protocol": "TCP"}]}}));
        let slice = Object(value!({"ports": [{"port": 8080}], "endpoints": [
            {"addresses": ["10.244.1.5"], "conditions": {"ready": true}},
            {"addresses": ["10.244.2.7"], "conditions": {"ready": true}},
            {"addresses": ["10.244.2.8"], "conditions": {"ready": false}}]}));
        let rules = service_rules(&service, &[&slice], "node-1");
        let chains: Vec<&str> = rules[0].chains.iter().map(|(c, _)| &**c).collect();
        assert_eq!(chains[..2], ["KUBE-SERVICES", "KUBE-SVC-LOLE4ISW44XBNF3G"]);
        assert_eq!(rules[0].chains[1].1.len(), 3);
        assert!(rules[0].chains[1].1[1].contains("--probability 0.5000000000 -j KUBE-SEP-"));
        assert!(!rules[0].chains[1].1[2].contains("probability"));
        assert!(rules[0].chains[2].1[1].ends_with("--to-destination 10.244.1.5:8080"));
        let none = service_rules(&service, &[], "node-1");
        assert!(none[0].chains[0].1[0].contains("has no endpoints"));
    }
}
