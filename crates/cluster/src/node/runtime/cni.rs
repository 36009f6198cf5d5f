//! The Pod network of a machine: the `bridge` plugin with `host-local` addresses.
//!
//! Models: github.com/containernetworking/plugins bridge and host-local 1.7

use podscope_api::{Key, Text, Value, value};
use podscope_kernel::collections::BTreeMap;

/// Addresses given out on one machine, in turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// The first three parts, such as `10.244.1`.
    prefix: Text,
    last: u8,
    /// Last part to the sandbox that has it.
    used: BTreeMap<u8, Text>,
}

impl Addresses {
    /// All addresses of a Pod CIDR of 24 bits.
    pub fn new(cidr: &str) -> Addresses {
        let network = cidr.split('/').next().unwrap_or(cidr);
        let prefix = network.rsplit_once('.').map_or("10.244.0", |(p, _)| p);
        Addresses {
            prefix: prefix.into(),
            last: 1,
            used: BTreeMap::new(),
        }
    }
    /// The next free address after the one given out last.
    ///
    /// # Errors
    /// The plugin's words when none is free.
    pub fn take(&mut self, sandbox: &Text) -> Result<Text, String> {
        let mut candidate = self.last;
        for _ in 2..=254 {
            candidate = if candidate >= 254 { 2 } else { candidate + 1 };
            if let podscope_kernel::collections::Entry::Vacant(place) = self.used.entry(candidate) {
                place.insert(sandbox.clone());
                self.last = candidate;
                return Ok(format!("{}.{candidate}", self.prefix).into());
            }
        }
        Err(format!(
            "failed to allocate for range 0: no IP addresses available in range set: {p}.1-{p}.254",
            p = self.prefix
        ))
    }
    /// Gives an address back.
    pub fn release(&mut self, sandbox: &str) {
        self.used.retain(|_, owner| &**owner != sandbox);
    }
    /// Gives all addresses back.
    pub fn clear(&mut self) {
        self.used.clear();
    }
    /// Takes all free addresses but `free` of them for an owner that never gives them back; gives how many.
    #[inline(never)]
    pub fn leak(&mut self, owner: &str, free: usize) -> usize {
        let open: Vec<u8> = (2..=254).filter(|n| !self.used.contains_key(n)).collect();
        let taken = open.len().saturating_sub(free);
        for last in open.into_iter().take(taken) {
            self.used.insert(last, owner.into());
        }
        taken
    }
    /// The bridge's own address, the Pods' gateway.
    pub fn gateway(&self) -> String {
        format!("{}.1", self.prefix)
    }
    /// The range.
    pub fn cidr(&self) -> String {
        format!("{}.0/24", self.prefix)
    }
    /// Addresses in use with the sandbox that has each.
    pub fn in_use(&self) -> impl Iterator<Item = (String, &Text)> {
        self.used
            .iter()
            .map(|(last, id)| (format!("{}.{last}", self.prefix), id))
    }
}

/// What containerd says when the plugin has failed to add a sandbox.
#[inline(never)]
pub fn failed(sandbox: &str, error: &str) -> String {
    format!(
        "rpc error: code = Unknown desc = failed to setup network for sandbox \"{sandbox}\": plugin type=\"bridge\" failed (add): {error}"
    )
}

/// The interfaces of one Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// The Pod's address.
    pub ip: Text,
    /// The network namespace's file.
    pub netns: Text,
    /// The machine's end of the veth pair.
    pub veth: Text,
    /// The hardware address of `eth0`.
    pub mac: Text,
}

/// What the plugin is called with: environment and configuration.
pub fn request(
    command: &str,
    key: &Key,
    uid: &str,
    sandbox: &str,
    netns: &str,
    cidr: &str,
) -> Value {
    value!({
        "env": {
            "CNI_COMMAND": (command),
            "CNI_CONTAINERID": (sandbox),
            "CNI_NETNS": (netns),
            "CNI_IFNAME": "eth0",
            "CNI_PATH": "/opt/cni/bin",
            "CNI_ARGS": (format!(
                "IgnoreUnknown=1;K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={sandbox};K8S_POD_UID={uid}",
                key.namespace, key.name
            ))
        },
        "stdin": {
            "cniVersion": "1.0.0", "name": "cbr0", "type": "bridge", "bridge": "cni0",
            "isGateway": true, "ipMasq": false, "hairpinMode": true,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": (cidr)}]], "routes": [{"dst": "0.0.0.0/0"}]}
        }
    })
}

/// The plugin's answer to ADD.
pub fn result(link: &Link, gateway: &str) -> Value {
    value!({
        "cniVersion": "1.0.0",
        "interfaces": [
            {"name": "cni0", "mac": "02:a8:56:75:de:44"},
            {"name": (link.veth.clone())},
            {"name": "eth0", "mac": (link.mac.clone()), "sandbox": (link.netns.clone())}
        ],
        "ips": [{"address": (format!("{}/24", link.ip)), "gateway": (gateway), "interface": 2}],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dns": {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_round() {
        let mut a = Addresses::new("10.244.3.0/24");
        assert_eq!(a.take(&"x".into()).as_deref(), Ok("10.244.3.2"));
        assert_eq!(a.take(&"y".into()).as_deref(), Ok("10.244.3.3"));
        a.release("x");
        assert_eq!(a.take(&"z".into()).as_deref(), Ok("10.244.3.4"));
        for _ in 0..251 {
            assert!(a.take(&"more".into()).is_ok());
        }
        assert_eq!(
            a.take(&"last".into()),
            Err("failed to allocate for range 0: no IP addresses available in range set: 10.244.3.1-10.244.3.254".into())
        );
    }
}
