//! A packet's way through a machine's iptables rules, as kube-proxy has written them.
//!
//! A reader of the rules' own text: nothing is derived from Services a second time, so what the rules do not say
//! does not happen. Pure; the random choice between endpoints is an argument.
//! Models: the kernel's walk of the nat table (PREROUTING, OUTPUT) and of kube-proxy's part of the filter table
//! Left out: connection tracking, the `recent` list of session affinity (nobody has connected before).

use super::proxy::PortRules;
use podscope_api::Text;

/// A new connection's first packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source address.
    pub source: Text,
    /// Destination address.
    pub destination: Text,
    /// Destination port.
    pub port: i64,
    /// `tcp` or `udp`.
    pub protocol: Text,
    /// The destination is an address of this machine.
    pub local: bool,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The chain: `KUBE-SERVICES`, `filter:KUBE-SERVICES`, …
    pub chain: Text,
    /// The rule as written.
    pub rule: Text,
    /// What it does.
    pub does: Does,
}

/// What a rule that matched does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Goes on in another chain.
    Jump(Text),
    /// Goes on in another chain, chosen by a draw among this many.
    Draw(Text, usize),
    /// Marks the packet: its source will be replaced by the machine's.
    Masquerade,
    /// Replaces the destination by this address and port.
    Translate(Text),
    /// Answers that nobody is there.
    Reject,
    /// The chain ends without a decision: for local policies that means the packet is dropped.
    Drop,
}

/// Where a packet goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The rules that matched, in order.
    pub hops: Vec<Hop>,
    /// The source is replaced by the machine's address.
    pub masquerade: bool,
    /// The last hop decided; `None`: no rule is about this packet, it keeps its destination.
    pub end: Option<Does>,
}

/// The most rules that a packet may match.
const MAX_HOPS: usize = 32;

/// Follows a packet through the rules of one machine. `draw` chooses among endpoints: draw `n` of `m` takes
/// endpoint `n % m`.
pub fn follow(rules: &[&PortRules], packet: &Packet, draw: usize) -> Way {
    let mut way = Way {
        hops: Vec::new(),
        masquerade: false,
        end: None,
    };
    let mut starts = vec!["KUBE-SERVICES"];
    if packet.local {
        starts.push("KUBE-NODEPORTS");
    }
    starts.push("filter:KUBE-SERVICES");
    for start in starts {
        if way.end.is_none() {
            walk(rules, start, packet, draw, &mut way);
        }
    }
    way
}

/// Walks a chain and those that it jumps to.
fn walk(rules: &[&PortRules], chain: &str, packet: &Packet, draw: usize, way: &mut Way) {
    let lines: Vec<&Text> = rules
        .iter()
        .flat_map(|port| &port.chains)
        .filter(|(name, _)| **name == *chain)
        .flat_map(|(_, lines)| lines)
        .collect();
    // Rules with a probability share one draw; the last endpoint's rule has none.
    let endpoints = lines.iter().filter(|l| l.contains("-j KUBE-SEP-"));
    let endpoints = endpoints.filter(|l| !l.contains("-m recent")).count();
    let mut seen = 0;
    for line in lines {
        if way.end.is_some() || way.hops.len() >= MAX_HOPS {
            return;
        }
        if line.contains("-m recent") && line.contains("--rcheck") || !matches(line, packet) {
            continue;
        }
        let Some(target) = option(line, "-j") else {
            continue;
        };
        let of_many = endpoints > 1 && target.starts_with("KUBE-SEP-");
        if of_many {
            seen += 1;
            if seen - 1 != draw % endpoints {
                continue;
            }
        }
        let does = match target {
            "KUBE-MARK-MASQ" => Does::Masquerade,
            "DNAT" => Does::Translate(option(line, "--to-destination").unwrap_or("").into()),
            "REJECT" => Does::Reject,
            "DROP" => Does::Drop,
            chain if of_many => Does::Draw(chain.into(), endpoints),
            chain => Does::Jump(chain.into()),
        };
        way.hops.push(Hop {
            chain: chain.into(),
            rule: line.clone(),
            does: does.clone(),
        });
        match &does {
            Does::Masquerade => way.masquerade = true,
            Does::Jump(next) | Does::Draw(next, _) => {
                walk(rules, next, packet, draw, way);
                if way.end.is_none() && next.starts_with("KUBE-SVL-") {
                    way.hops.push(Hop {
                        chain: next.clone(),
                        rule: "".into(),
                        does: Does::Drop,
                    });
                    way.end = Some(Does::Drop);
                }
            }
            Does::Translate(_) | Does::Reject | Does::Drop => way.end = Some(does),
        }
    }
}

/// The words of a rule; a comment in quotes is one word.
fn words(rule: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for (i, part) in rule.split('"').enumerate() {
        if i % 2 == 1 {
            out.push(part);
        } else {
            out.extend(part.split_whitespace());
        }
    }
    out
}

/// The word behind an option.
fn option<'a>(rule: &'a str, name: &str) -> Option<&'a str> {
    let words = words(rule);
    let at = words.iter().position(|w| *w == name)?;
    words.get(at + 1).copied()
}

fn matches(rule: &str, packet: &Packet) -> bool {
    let words = words(rule);
    let mut not = false;
    for (i, word) in words.iter().enumerate() {
        let value = words.get(i + 1).copied().unwrap_or("");
        let ok = match *word {
            "!" => {
                not = true;
                continue;
            }
            "-d" => within(&packet.destination, value),
            "-s" => within(&packet.source, value),
            "-p" => *packet.protocol == *value,
            "--dport" => value.parse() == Ok(packet.port),
            _ => continue,
        };
        if ok == not {
            return false;
        }
        not = false;
    }
    true
}

/// Whether an address lies in `network/bits`.
fn within(address: &str, network: &str) -> bool {
    let (network, bits) = network.split_once('/').unwrap_or((network, "32"));
    let (Some(a), Some(n)) = (number(address), number(network)) else {
        return false;
    };
    let bits: u32 = bits.parse().unwrap_or(32);
    let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
    a & mask == n & mask
}

fn number(address: &str) -> Option<u32> {
    let mut n = 0;
    let mut parts = 0;
    for part in address.split('.') {
        n = n << 8 | u32::from(part.parse::<u8>().ok()?);
        parts += 1;
    }
    (parts == 4).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::super::proxy::service_rules;
    use super::*;
    use podscope_api::{Object, value};

    fn service(spec: podscope_api::Value) -> Object {
        Object(value!({"metadata": {"namespace": "default", "name": "web"}, "spec": (spec)}))
    }
    fn through(rules: &[PortRules], packet: &Packet, draw: usize) -> Way {
        follow(&rules.iter().collect::<Vec<_>>(), packet, draw)
    }
    fn slice() -> Object {
        Object(value!({"ports": [{"port": 8080}], "endpoints": [
            {"addresses": ["10.244.1.5"], "nodeName": "node-1", "conditions": {"ready": true}},
            {"addresses": ["10.244.2.7"], "nodeName": "node-2", "conditions": {"ready": true}}]}))
    }
    fn packet(source: &str, destination: &str, port: i64) -> Packet {
        Packet {
            source: source.into(),
            destination: destination.into(),
            port,
            protocol: "tcp".into(),
            local: destination.starts_with("172."),
        }
    }

    #[test]
    fn a_cluster_ip_leads_to_the_endpoint_that_was_drawn() {
        let web = service(value!({"clusterIP": "10.96.5.5", "ports": [{"port": 80}]}));
        let rules = service_rules(&web, &[&slice()], "node-1");
        let to: Vec<Option<Does>> = (0..3)
            .map(|draw| through(&rules, &packet("10.244.1.9", "10.96.5.5", 80), draw).end)
            .collect();
        let dnat = |a: &str| Some(Does::Translate(a.into()));
        let (a, b) = (dnat("10.244.1.5:8080"), dnat("10.244.2.7:8080"));
        assert_eq!(to, [a.clone(), b, a]);
        let way = through(&rules, &packet("10.244.1.9", "10.96.5.5", 80), 0);
        assert_eq!(way.hops.len(), 3);
        assert!(!way.masquerade, "a Pod's own address stays");
        assert!(matches!(way.hops[1].does, Does::Draw(_, 2)));
        let node = through(&rules, &packet("172.18.0.3", "10.96.5.5", 80), 0);
        assert!(node.masquerade, "from outside the Pod network");
        let itself = through(&rules, &packet("10.244.1.5", "10.96.5.5", 80), 0);
        assert!(itself.masquerade, "a Pod that reaches itself");
    }

    #[test]
    fn other_ports_and_addresses_match_nothing() {
        let web = service(value!({"clusterIP": "10.96.5.5", "ports": [{"port": 80}]}));
        let rules = service_rules(&web, &[&slice()], "node-1");
        for (to, port) in [("10.96.5.5", 81), ("10.96.5.6", 80), ("nonsense", 80)] {
            let way = through(&rules, &packet("10.244.1.9", to, port), 0);
            assert_eq!((way.end, way.hops.len()), (None, 0));
        }
    }

    #[test]
    fn without_endpoints_the_packet_is_rejected() {
        let web = service(value!({"clusterIP": "10.96.5.5", "ports": [{"port": 80}]}));
        let rules = service_rules(&web, &[], "node-1");
        let way = through(&rules, &packet("10.244.1.9", "10.96.5.5", 80), 0);
        assert_eq!(way.end, Some(Does::Reject));
    }

    #[test]
    fn a_node_port_is_open_on_every_machine_unless_the_policy_is_local() {
        let ports = value!([{"port": 80, "nodePort": 30080}]);
        let open = service(value!({"clusterIP": "10.96.5.5", "ports": (ports.clone())}));
        let rules = service_rules(&open, &[&slice()], "node-3");
        let from_outside = packet("203.0.113.9", "172.18.0.4", 30080);
        let way = through(&rules, &from_outside, 1);
        assert_eq!(way.end, Some(Does::Translate("10.244.2.7:8080".into())));
        assert!(way.masquerade);
        let local = service(
            value!({"clusterIP": "10.96.5.5", "externalTrafficPolicy": "Local", "ports": (ports)}),
        );
        let away = service_rules(&local, &[&slice()], "node-3");
        assert_eq!(
            through(&away, &from_outside, 0).end,
            Some(Does::Drop),
            "no endpoint on this machine"
        );
        let here = service_rules(&local, &[&slice()], "node-2");
        let way = through(&here, &from_outside, 0);
        assert_eq!(way.end, Some(Does::Translate("10.244.2.7:8080".into())));
        assert!(!way.masquerade, "the caller's address stays visible");
    }
}
