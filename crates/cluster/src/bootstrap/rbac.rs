//! The ClusterRoles and ClusterRoleBindings that a fresh cluster has for the components simulated here.
//!
//! Models: plugin/pkg/auth/authorizer/rbac/bootstrappolicy (v1.36)
//! Left out: roles of components that are not simulated, and rules on kinds that are not served.

use podscope_api::{Value, value};

/// Who a role is bound to.
#[derive(Clone, Copy)]
enum To {
    /// Nobody: a role for people to use.
    Nobody,
    User(&'static str),
    Group(&'static str),
    /// A service account of the namespace `kube-system`.
    Account(&'static str),
}

/// One rule: groups, resources, verbs and, where limited to them, resource names; each a list with commas.
type Rule = (&'static str, &'static str, &'static str, &'static str);

const RO: &str = "get,list,watch";
const ALL: &str = "create,delete,deletecollection,get,list,patch,update,watch";
/// The core group among others.
const CORE: &str = "";
const APPS: &str = "apps";
const EVENTS: Rule = (",events.k8s.io", "events", "create,patch,update", "");

/// Role name (with `@` for `system:controller:`), subject, rules.
const ROLES: &[(&str, To, &[Rule])] = &[
    (
        "cluster-admin",
        To::Group("system:masters"),
        &[("*", "*", "*", "")],
    ),
    (
        "admin",
        To::Nobody,
        &[
            (
                CORE,
                "pods,pods/eviction,services,endpoints,configmaps,secrets,serviceaccounts,persistentvolumeclaims,replicationcontrollers,events",
                ALL,
                "",
            ),
            (
                "apps",
                "deployments,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale,daemonsets",
                ALL,
                "",
            ),
            (
                "batch,autoscaling,policy",
                "jobs,cronjobs,horizontalpodautoscalers,poddisruptionbudgets",
                ALL,
                "",
            ),
            ("rbac.authorization.k8s.io", "roles,rolebindings", ALL, ""),
            (
                ",discovery.k8s.io,coordination.k8s.io",
                "namespaces,limitranges,resourcequotas,endpointslices,leases",
                RO,
                "",
            ),
        ],
    ),
    (
        "edit",
        To::Nobody,
        &[
            (
                CORE,
                "pods,pods/eviction,services,endpoints,configmaps,secrets,serviceaccounts,persistentvolumeclaims,replicationcontrollers,events",
                ALL,
                "",
            ),
            (
                "apps",
                "deployments,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale,daemonsets",
                ALL,
                "",
            ),
            (
                "batch,autoscaling,policy",
                "jobs,cronjobs,horizontalpodautoscalers,poddisruptionbudgets",
                ALL,
                "",
            ),
            (
                ",discovery.k8s.io,coordination.k8s.io",
                "namespaces,limitranges,resourcequotas,endpointslices,leases",
                RO,
                "",
            ),
        ],
    ),
    (
        "view",
        To::Nobody,
        &[
            (
                CORE,
                "pods,services,endpoints,configmaps,serviceaccounts,persistentvolumeclaims,replicationcontrollers,events,namespaces,limitranges,resourcequotas",
                RO,
                "",
            ),
            (
                "apps,batch,autoscaling,policy,discovery.k8s.io",
                "deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,horizontalpodautoscalers,poddisruptionbudgets,endpointslices",
                RO,
                "",
            ),
        ],
    ),
    (
        "system:kube-controller-manager",
        To::User("system:kube-controller-manager"),
        &[
            EVENTS,
            ("coordination.k8s.io", "leases", "create", ""),
            (
                "coordination.k8s.io",
                "leases",
                "get,list,update,watch",
                "kube-controller-manager",
            ),
            (
                CORE,
                "secrets,serviceaccounts",
                "create,delete,get,update",
                "",
            ),
            (CORE, "serviceaccounts/token", "create", ""),
            ("*", "*", "list,watch", ""),
        ],
    ),
    (
        "system:kube-scheduler",
        To::User("system:kube-scheduler"),
        &[
            EVENTS,
            ("coordination.k8s.io", "leases", "create", ""),
            (
                "coordination.k8s.io",
                "leases",
                "get,list,update,watch",
                "kube-scheduler",
            ),
            (CORE, "nodes", RO, ""),
            (CORE, "pods", "delete,get,list,watch", ""),
            (CORE, "bindings,pods/binding", "create", ""),
            (CORE, "pods/status", "patch,update", ""),
            (CORE, "replicationcontrollers,services", RO, ""),
            (APPS, "replicasets", RO, ""),
            (APPS, "statefulsets", RO, ""),
            ("policy", "poddisruptionbudgets", RO, ""),
            (
                CORE,
                "persistentvolumeclaims,persistentvolumes",
                "get,list,patch,update,watch",
                "",
            ),
            (CORE, "namespaces", RO, ""),
            ("storage.k8s.io", "storageclasses", RO, ""),
        ],
    ),
    (
        "system:node",
        To::Nobody,
        &[
            (CORE, "services", RO, ""),
            (CORE, "nodes", "create,get,list,watch", ""),
            (CORE, "nodes/status", "patch,update", ""),
            (CORE, "nodes", "patch,update", ""),
            EVENTS,
            (CORE, "pods", RO, ""),
            (CORE, "pods", "create,delete", ""),
            (CORE, "pods/status", "patch,update", ""),
            (CORE, "pods/eviction", "create", ""),
            (CORE, "configmaps,secrets", RO, ""),
            (CORE, "persistentvolumeclaims,persistentvolumes", "get", ""),
            (CORE, "endpoints", "get", ""),
            (
                "coordination.k8s.io",
                "leases",
                "create,delete,get,patch,update",
                "",
            ),
            (CORE, "serviceaccounts/token", "create", ""),
            ("node.k8s.io", "runtimeclasses", RO, ""),
            (CORE, "serviceaccounts", "get", ""),
        ],
    ),
    (
        "system:node-proxier",
        To::Account("kube-proxy"),
        &[
            (CORE, "endpoints,services", "list,watch", ""),
            (CORE, "nodes", RO, ""),
            EVENTS,
            ("discovery.k8s.io", "endpointslices", "list,watch", ""),
        ],
    ),
    (
        "@deployment-controller",
        To::Account("deployment-controller"),
        &[
            (APPS, "deployments", "get,list,update,watch", ""),
            (APPS, "deployments/status", "update", ""),
            (APPS, "deployments/finalizers", "update", ""),
            (
                APPS,
                "replicasets",
                "create,delete,get,list,patch,update,watch",
                "",
            ),
            (CORE, "pods", "get,list,update,watch", ""),
            EVENTS,
        ],
    ),
    (
        "@replicaset-controller",
        To::Account("replicaset-controller"),
        &[
            (APPS, "replicasets", "get,list,update,watch", ""),
            (APPS, "replicasets/status", "update", ""),
            (APPS, "replicasets/finalizers", "update", ""),
            (CORE, "pods", "create,delete,list,patch,watch", ""),
            EVENTS,
        ],
    ),
    (
        "@endpointslice-controller",
        To::Account("endpointslice-controller"),
        &[
            (CORE, "nodes,pods,services", RO, ""),
            (CORE, "services/finalizers", "update", ""),
            (
                "discovery.k8s.io",
                "endpointslices",
                "create,delete,get,list,update",
                "",
            ),
            EVENTS,
        ],
    ),
    (
        "@node-controller",
        To::Account("node-controller"),
        &[
            (CORE, "nodes", "delete,get,list,patch,update", ""),
            (CORE, "nodes/status", "patch,update", ""),
            (CORE, "pods", "delete,get,list", ""),
            (CORE, "pods/status", "patch,update", ""),
            EVENTS,
        ],
    ),
    (
        "@pod-garbage-collector",
        To::Account("pod-garbage-collector"),
        &[
            (CORE, "pods", "delete,list,watch", ""),
            (CORE, "nodes", "get,list", ""),
            (CORE, "pods/status", "patch", ""),
        ],
    ),
    (
        "@generic-garbage-collector",
        To::Account("generic-garbage-collector"),
        &[("*", "*", "delete,get,list,patch,update,watch", ""), EVENTS],
    ),
    (
        "@service-account-controller",
        To::Account("service-account-controller"),
        &[(CORE, "serviceaccounts", "create", ""), EVENTS],
    ),
    (
        "@root-ca-cert-publisher",
        To::Account("root-ca-cert-publisher"),
        &[(CORE, "configmaps", "create,update", ""), EVENTS],
    ),
    (
        "@namespace-controller",
        To::Account("namespace-controller"),
        &[
            (CORE, "namespaces", "delete,get,list,watch", ""),
            (CORE, "namespaces/finalize,namespaces/status", "update", ""),
            ("*", "*", "delete,deletecollection,get,list", ""),
        ],
    ),
    (
        "@persistent-volume-binder",
        To::Account("persistent-volume-binder"),
        &[
            (
                CORE,
                "persistentvolumes",
                "create,delete,get,list,update,watch",
                "",
            ),
            (
                CORE,
                "persistentvolumeclaims/status,persistentvolumes/status",
                "update",
                "",
            ),
            (CORE, "persistentvolumeclaims", "get,list,update,watch", ""),
            (CORE, "pods", "create,delete,get,list,watch", ""),
            ("storage.k8s.io", "storageclasses", RO, ""),
            EVENTS,
        ],
    ),
    (
        "@external-provisioner",
        To::Account("external-provisioner"),
        &[
            (
                CORE,
                "persistentvolumes",
                "create,delete,get,list,watch",
                "",
            ),
            (CORE, "nodes,persistentvolumeclaims", RO, ""),
            ("storage.k8s.io", "storageclasses", RO, ""),
            EVENTS,
        ],
    ),
    (
        "@pvc-protection-controller",
        To::Account("pvc-protection-controller"),
        &[
            (CORE, "persistentvolumeclaims", "get,list,update,watch", ""),
            (CORE, "pods", RO, ""),
            EVENTS,
        ],
    ),
    (
        "@pv-protection-controller",
        To::Account("pv-protection-controller"),
        &[
            (CORE, "persistentvolumes", "get,list,update,watch", ""),
            EVENTS,
        ],
    ),
    (
        "@ephemeral-volume-controller",
        To::Account("ephemeral-volume-controller"),
        &[
            (CORE, "pods", RO, ""),
            (CORE, "persistentvolumeclaims", "create,get,list,watch", ""),
            EVENTS,
        ],
    ),
    (
        "@daemon-set-controller",
        To::Account("daemon-set-controller"),
        &[
            (APPS, "daemonsets", RO, ""),
            (APPS, "daemonsets/status", "update", ""),
            (APPS, "daemonsets/finalizers", "update", ""),
            (CORE, "nodes", "list,watch", ""),
            (CORE, "pods", "create,delete,list,patch,watch", ""),
            (
                APPS,
                "controllerrevisions",
                "create,delete,get,list,patch,update,watch",
                "",
            ),
            EVENTS,
        ],
    ),
    (
        "@statefulset-controller",
        To::Account("statefulset-controller"),
        &[
            (CORE, "pods", "list,watch", ""),
            (APPS, "statefulsets", RO, ""),
            (APPS, "statefulsets/status", "update", ""),
            (APPS, "statefulsets/finalizers", "update", ""),
            (CORE, "pods", "create,delete,get,patch,update", ""),
            (
                APPS,
                "controllerrevisions",
                "create,delete,get,list,patch,update,watch",
                "",
            ),
            (CORE, "persistentvolumeclaims", "create,get,list,watch", ""),
            EVENTS,
        ],
    ),
    (
        "@job-controller",
        To::Account("job-controller"),
        &[
            ("batch", "jobs", "get,list,patch,update,watch", ""),
            ("batch", "jobs/status", "update", ""),
            ("batch", "jobs/finalizers", "update", ""),
            (CORE, "pods", "create,delete,list,patch,watch", ""),
            EVENTS,
        ],
    ),
    (
        "@ttl-after-finished-controller",
        To::Account("ttl-after-finished-controller"),
        &[("batch", "jobs", "delete,get,list,watch", ""), EVENTS],
    ),
    (
        "@cronjob-controller",
        To::Account("cronjob-controller"),
        &[
            ("batch", "cronjobs", "get,list,update,watch", ""),
            (
                "batch",
                "jobs",
                "create,delete,get,list,patch,update,watch",
                "",
            ),
            ("batch", "cronjobs/status", "update", ""),
            ("batch", "cronjobs/finalizers", "update", ""),
            (CORE, "pods", "delete,list", ""),
            EVENTS,
        ],
    ),
    (
        "@disruption-controller",
        To::Account("disruption-controller"),
        &[
            (APPS, "deployments,replicasets,statefulsets", RO, ""),
            (CORE, "replicationcontrollers", RO, ""),
            ("policy", "poddisruptionbudgets", RO, ""),
            ("policy", "poddisruptionbudgets/status", "update", ""),
            (CORE, "pods/status", "patch,update", ""),
            ("*", "*/scale", "get", ""),
            EVENTS,
        ],
    ),
    (
        "@horizontal-pod-autoscaler",
        To::Account("horizontal-pod-autoscaler"),
        &[
            ("autoscaling", "horizontalpodautoscalers", RO, ""),
            (
                "autoscaling",
                "horizontalpodautoscalers/status",
                "update",
                "",
            ),
            ("*", "*/scale", "get,update", ""),
            (CORE, "pods", "list", ""),
            ("metrics.k8s.io", "pods", "list", ""),
            EVENTS,
        ],
    ),
];

/// All roles and bindings, in the order in which they are created.
pub fn objects() -> Vec<Value> {
    let mut objects = Vec::new();
    for (name, to, rules) in ROLES {
        let name = match name.strip_prefix('@') {
            Some(controller) => format!("system:controller:{controller}"),
            None => (*name).to_string(),
        };
        let mut role = object("ClusterRole", &name);
        role.set("rules", Value::list(rules.iter().map(rule)));
        objects.push(role);
        let subject = match to {
            To::Nobody => continue,
            To::User(user) => {
                value!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": (*user)})
            }
            To::Group(group) => {
                value!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": (*group)})
            }
            To::Account(account) => {
                value!({"kind": "ServiceAccount", "name": (*account), "namespace": "kube-system"})
            }
        };
        let mut binding = object("ClusterRoleBinding", &name);
        binding.set(
            "roleRef",
            value!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": (name)}),
        );
        binding.set("subjects", Value::list([subject]));
        objects.push(binding);
    }
    objects.extend(accounts().map(|name| {
        value!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": (name), "namespace": "kube-system"}})
    }));
    objects
}

/// The service accounts that the roles are bound to.
fn accounts() -> impl Iterator<Item = &'static str> {
    ROLES.iter().filter_map(|(_, to, _)| match to {
        To::Account(name) => Some(*name),
        _ => None,
    })
}

fn object(kind: &str, name: &str) -> Value {
    value!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": (kind),
        "metadata": {
            "name": (name),
            "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
            "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}
        }
    })
}

fn rule((groups, resources, verbs, names): &Rule) -> Value {
    let list = |text: &str| Value::list(text.split(',').map(Value::str));
    let mut rule = Value::map();
    rule.set("apiGroups", list(groups));
    rule.set("resources", list(resources));
    rule.set("verbs", list(verbs));
    if !names.is_empty() {
        rule.set("resourceNames", list(names));
    }
    rule
}
