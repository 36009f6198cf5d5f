//! What can wake a Pod that a plugin rejected: the events that each plugin registers for. Its hint decides further.
//!
//! Models: EventsToRegister of the default plugins (v1.36)

use super::PluginId;
use podscope_api::{Value, value};
use podscope_kernel::collections::BTreeSet;

/// The events, by the names of [`crate::scheduler::events::ClusterEvent::name`].
#[inline(never)]
pub fn wakes(plugin: PluginId) -> &'static [&'static str] {
    match plugin {
        PluginId::NodeUnschedulable | PluginId::TaintToleration => {
            &["NodeAdd", "NodeTaintUpdate", "UnscheduledPodUpdate"]
        }
        PluginId::NodeName => &["NodeAdd", "NodeTaintUpdate"],
        PluginId::NodeAffinity => &["NodeAdd", "NodeLabelUpdate", "NodeTaintUpdate"],
        PluginId::NodePorts => &["AssignedPodDelete", "NodeAdd", "NodeTaintUpdate"],
        PluginId::NodeResourcesFit => &[
            "AssignedPodDelete",
            "AssignedPodUpdate",
            "NodeAdd",
            "NodeAllocatableUpdate",
            "NodeTaintUpdate",
            "UnscheduledPodUpdate",
        ],
        PluginId::VolumeRestrictions => &[
            "AssignedPodDelete",
            "NodeAdd",
            "NodeTaintUpdate",
            "PvcAdd",
            "PvcUpdate",
        ],
        PluginId::VolumeBinding => &[
            "NodeAdd",
            "NodeLabelUpdate",
            "NodeTaintUpdate",
            "PvAdd",
            "PvUpdate",
            "PvcAdd",
            "PvcUpdate",
            "StorageClassAdd",
            "StorageClassUpdate",
        ],
        PluginId::VolumeZone => &[
            "NodeAdd",
            "NodeLabelUpdate",
            "NodeTaintUpdate",
            "PvAdd",
            "PvUpdate",
            "PvcAdd",
            "PvcUpdate",
            "StorageClassAdd",
        ],
        PluginId::PodTopologySpread => &[
            "AssignedPodAdd",
            "AssignedPodDelete",
            "AssignedPodUpdate",
            "NodeAdd",
            "NodeDelete",
            "NodeLabelUpdate",
            "NodeTaintUpdate",
            "UnscheduledPodUpdate",
        ],
        PluginId::InterPodAffinity => &[
            "AssignedPodAdd",
            "AssignedPodDelete",
            "AssignedPodUpdate",
            "NodeAdd",
            "NodeLabelUpdate",
            "NodeTaintUpdate",
            "UnscheduledPodUpdate",
        ],
        PluginId::NodeResourcesBalancedAllocation | PluginId::ImageLocality => &[],
    }
}

/// For a reader: `[{plugin, events: [name]}]` of the plugins that rejected a Pod.
#[inline(never)]
pub fn shown(plugins: &BTreeSet<PluginId>) -> Value {
    let row = |plugin: &PluginId| {
        let events = wakes(*plugin).iter().map(|name| Value::str(*name));
        value!({"plugin": (plugin.name()), "events": (Value::list(events))})
    };
    Value::list(plugins.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_can_be_woken() {
        for plugin in PluginId::ALL {
            assert_eq!(
                wakes(*plugin).is_empty(),
                !plugin.filters(),
                "{}",
                plugin.name()
            );
        }
    }
}
