//! The kinds that the API server serves, with their REST names.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $group:literal, $version:literal, $plural:literal, $scope:ident, [$($short:literal),*];)*) => {
        /// A kind of API object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $(#[doc = concat!("`", $group, "/", $version, "` ", stringify!($name))] $name,)* }

        impl Kind {
            /// Every kind, in declaration order.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            fn info(self) -> Info {
                match self {
                    $(Kind::$name => Info {
                        kind: stringify!($name), group: $group, version: $version, plural: $plural,
                        namespaced: scope!($scope), short: &[$($short),*],
                    },)*
                }
            }
        }
    };
}
macro_rules! scope {
    (namespaced) => {
        true
    };
    (cluster) => {
        false
    };
}

struct Info {
    kind: &'static str,
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    namespaced: bool,
    short: &'static [&'static str],
}

kinds! {
    Namespace: "", "v1", "namespaces", cluster, ["ns"];
    Node: "", "v1", "nodes", cluster, ["no"];
    Pod: "", "v1", "pods", namespaced, ["po"];
    Service: "", "v1", "services", namespaced, ["svc"];
    Endpoints: "", "v1", "endpoints", namespaced, ["ep"];
    ConfigMap: "", "v1", "configmaps", namespaced, ["cm"];
    Secret: "", "v1", "secrets", namespaced, [];
    ServiceAccount: "", "v1", "serviceaccounts", namespaced, ["sa"];
    Event: "", "v1", "events", namespaced, ["ev"];
    LimitRange: "", "v1", "limitranges", namespaced, ["limits"];
    ResourceQuota: "", "v1", "resourcequotas", namespaced, ["quota"];
    PersistentVolume: "", "v1", "persistentvolumes", cluster, ["pv"];
    PersistentVolumeClaim: "", "v1", "persistentvolumeclaims", namespaced, ["pvc"];
    ReplicationController: "", "v1", "replicationcontrollers", namespaced, ["rc"];
    PodTemplate: "", "v1", "podtemplates", namespaced, [];
    Deployment: "apps", "v1", "deployments", namespaced, ["deploy"];
    ReplicaSet: "apps", "v1", "replicasets", namespaced, ["rs"];
    DaemonSet: "apps", "v1", "daemonsets", namespaced, ["ds"];
    StatefulSet: "apps", "v1", "statefulsets", namespaced, ["sts"];
    ControllerRevision: "apps", "v1", "controllerrevisions", namespaced, [];
    Job: "batch", "v1", "jobs", namespaced, [];
    CronJob: "batch", "v1", "cronjobs", namespaced, ["cj"];
    HorizontalPodAutoscaler: "autoscaling", "v2", "horizontalpodautoscalers", namespaced, ["hpa"];
    PodDisruptionBudget: "policy", "v1", "poddisruptionbudgets", namespaced, ["pdb"];
    EndpointSlice: "discovery.k8s.io", "v1", "endpointslices", namespaced, [];
    Lease: "coordination.k8s.io", "v1", "leases", namespaced, [];
    PriorityClass: "scheduling.k8s.io", "v1", "priorityclasses", cluster, ["pc"];
    StorageClass: "storage.k8s.io", "v1", "storageclasses", cluster, ["sc"];
    RuntimeClass: "node.k8s.io", "v1", "runtimeclasses", cluster, [];
    Ingress: "networking.k8s.io", "v1", "ingresses", namespaced, ["ing"];
    IngressClass: "networking.k8s.io", "v1", "ingressclasses", cluster, [];
    NetworkPolicy: "networking.k8s.io", "v1", "networkpolicies", namespaced, ["netpol"];
    Role: "rbac.authorization.k8s.io", "v1", "roles", namespaced, [];
    RoleBinding: "rbac.authorization.k8s.io", "v1", "rolebindings", namespaced, [];
    ClusterRole: "rbac.authorization.k8s.io", "v1", "clusterroles", cluster, [];
    ClusterRoleBinding: "rbac.authorization.k8s.io", "v1", "clusterrolebindings", cluster, [];
    MutatingWebhookConfiguration: "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", cluster, [];
    ValidatingWebhookConfiguration: "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", cluster, [];
    ValidatingAdmissionPolicy: "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", cluster, [];
    ValidatingAdmissionPolicyBinding: "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", cluster, [];
}

impl Kind {
    /// The kind's name, such as `Deployment`.
    pub fn name(self) -> &'static str {
        self.info().kind
    }
    /// The API group, `""` for the core group.
    pub fn group(self) -> &'static str {
        self.info().group
    }
    /// The served (preferred) version.
    pub fn version(self) -> &'static str {
        self.info().version
    }
    /// The plural resource name in URLs, such as `deployments`.
    pub fn plural(self) -> &'static str {
        self.info().plural
    }
    /// Whether objects of this kind live in a namespace.
    pub fn namespaced(self) -> bool {
        self.info().namespaced
    }
    /// Short names that kubectl accepts.
    pub fn short_names(self) -> &'static [&'static str] {
        self.info().short
    }
    /// `apps/v1`, or `v1` in the core group.
    pub fn api_version(self) -> String {
        match self.group() {
            "" => self.version().to_string(),
            group => format!("{group}/{}", self.version()),
        }
    }
    /// The kind named by an object's `apiVersion` and `kind`.
    pub fn from_api(api_version: &str, kind: &str) -> Option<Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Kind::ALL
            .iter()
            .copied()
            .find(|k| k.name() == kind && k.group() == group && k.version() == version)
    }
    /// The kind named on a command line: plural, singular or short, in any case, with or without group.
    pub fn from_word(word: &str) -> Option<Kind> {
        let word = word.to_ascii_lowercase();
        let (name, group) = match word.split_once('.') {
            Some((name, group)) => (name, Some(group)),
            None => (word.as_str(), None),
        };
        let group_fits = |k: Kind| {
            group.is_none_or(|g| {
                g == k.group()
                    || g.split_once('.')
                        .is_some_and(|(v, g)| v == k.version() && g == k.group())
            })
        };
        Kind::ALL.iter().copied().find(|k| {
            group_fits(*k)
                && (name == k.plural()
                    || name == k.name().to_ascii_lowercase()
                    || k.short_names().contains(&name))
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
