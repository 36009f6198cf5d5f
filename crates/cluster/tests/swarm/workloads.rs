//! Random objects: one workload of each kind that a controller runs, with what belongs to it.

use podscope_api::{Kind, Object, Request, Value, value};
use podscope_kernel::Rng;

/// Images that run for ever.
pub const SERVERS: [&str; 5] = [
    "nginx:1.25",
    "nginx:1.27",
    "redis:7",
    "httpd:2.4",
    "postgres:16",
];

pub fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[usize::try_from(rng.below(of.len() as u64)).unwrap_or(0)]
}

pub fn chance(rng: &mut Rng, percent: u64) -> bool {
    rng.below(100) < percent
}

fn spec(rng: &mut Rng, name: &str) -> Value {
    let cpu = format!("{}m", pick(rng, &[10, 50, 100, 250, 900]));
    let mut container = value!({
        "name": "c", "image": (*pick(rng, &SERVERS)),
        "resources": {"requests": {"cpu": (cpu), "memory": "32Mi"}}
    });
    if chance(rng, 30) {
        container.set(
            "readinessProbe",
            value!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}),
        );
    }
    if chance(rng, 20) {
        container.set(
            "livenessProbe",
            value!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}),
        );
    }
    let mut spec = value!({
        "terminationGracePeriodSeconds": (*pick(rng, &[0_i64, 1, 5, 30])),
        "containers": [(container)]
    });
    if chance(rng, 15) {
        spec.set(
            "initContainers",
            value!([{"name": "init", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 1"]}]),
        );
    }
    if chance(rng, 20) {
        let mut term = value!({"topologyKey": "kubernetes.io/hostname"});
        term.set("labelSelector", value!({"matchLabels": {"app": (name)}}));
        let rule = match chance(rng, 50) {
            true => value!({"requiredDuringSchedulingIgnoredDuringExecution": [(term)]}),
            false => value!({"preferredDuringSchedulingIgnoredDuringExecution":
                [{"weight": 50, "podAffinityTerm": (term)}]}),
        };
        spec.set("affinity", value!({"podAntiAffinity": (rule)}));
    }
    if chance(rng, 20) {
        spec.set(
            "tolerations",
            value!([
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists",
                    "effect": "NoExecute", "tolerationSeconds": 20},
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists",
                    "effect": "NoExecute", "tolerationSeconds": 20}
            ]),
        );
    }
    spec
}

fn meta(kind: Kind, name: &str, spec: Value) -> Request {
    let object = value!({
        "apiVersion": (kind.api_version()), "kind": (kind.name()),
        "metadata": {"name": (name), "namespace": "default"}, "spec": (spec)
    });
    Request::create(kind, Object(object))
}

fn template(rng: &mut Rng, name: &str) -> Value {
    value!({"metadata": {"labels": {"app": (name)}}, "spec": (spec(rng, name))})
}

fn selector(name: &str) -> Value {
    value!({"matchLabels": {"app": (name)}})
}

/// How many Pods may be too many or too few.
fn bound(rng: &mut Rng) -> Value {
    match rng.below(4) {
        0 => Value::Int(1),
        1 => Value::Int(2),
        2 => Value::str("25%"),
        _ => Value::str("50%"),
    }
}

fn deployment(rng: &mut Rng, name: &str) -> Request {
    let mut s = value!({
        "replicas": (i64::try_from(rng.below(7)).unwrap_or(1)),
        "selector": (selector(name)), "template": (template(rng, name))
    });
    if chance(rng, 20) {
        s.set("strategy", value!({"type": "Recreate"}));
    } else {
        let (surge, mut down) = (bound(rng), bound(rng));
        if chance(rng, 30) {
            down = Value::Int(0);
        }
        s.set(
            "strategy",
            value!({"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": (surge), "maxUnavailable": (down)}}),
        );
    }
    if chance(rng, 20) {
        s.set("minReadySeconds", 3);
    }
    meta(Kind::Deployment, name, s)
}

fn statefulset(rng: &mut Rng, name: &str) -> Request {
    let mut s = value!({
        "serviceName": (name), "replicas": (i64::try_from(rng.below(5)).unwrap_or(1)),
        "selector": (selector(name)), "template": (template(rng, name))
    });
    if chance(rng, 30) {
        s.set("podManagementPolicy", "Parallel");
    }
    if chance(rng, 25) {
        let mut claim = value!({"metadata": {"name": "data"}});
        claim.set(
            "spec",
            value!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "standard"}),
        );
        s.set("volumeClaimTemplates", Value::list([claim]));
        let mounts = value!([{"name": "data", "mountPath": "/data"}]);
        let containers = s.at_mut("template.spec.containers").list_mut();
        if let Some(container) = containers.first_mut() {
            container.set("volumeMounts", mounts);
        }
    }
    meta(Kind::StatefulSet, name, s)
}

fn job_spec(rng: &mut Rng) -> Value {
    let script = *pick(
        rng,
        &["sleep 2", "sleep 20", "exit 0", "exit 1", "sleep 90"],
    );
    let restart = *pick(rng, &["Never", "OnFailure"]);
    value!({
        "completions": (i64::try_from(1 + rng.below(4)).unwrap_or(1)),
        "parallelism": (i64::try_from(1 + rng.below(3)).unwrap_or(1)),
        "backoffLimit": (i64::try_from(rng.below(4)).unwrap_or(1)),
        "template": {"spec": {
            "restartPolicy": (restart),
            "containers": [{"name": "c", "image": "busybox:1.36",
                "command": ["sh", "-c", (script)]}]
        }}
    })
}

/// What makes one workload and what belongs to it; its kind comes first.
pub fn workload(rng: &mut Rng, name: &str) -> Vec<Request> {
    let mut all = match rng.below(10) {
        0..=3 => vec![deployment(rng, name)],
        4 | 5 => vec![statefulset(rng, name)],
        6 => vec![meta(
            Kind::DaemonSet,
            name,
            value!({"selector": (selector(name)), "template": (template(rng, name))}),
        )],
        7 => vec![meta(Kind::Job, name, job_spec(rng))],
        8 => {
            let s = value!({
                "replicas": (i64::try_from(rng.below(5)).unwrap_or(1)),
                "selector": (selector(name)), "template": (template(rng, name))
            });
            vec![meta(Kind::ReplicaSet, name, s)]
        }
        _ => {
            let s = value!({"schedule": "*/2 * * * *", "jobTemplate": {"spec": (job_spec(rng))}});
            vec![meta(Kind::CronJob, name, s)]
        }
    };
    if chance(rng, 50) {
        let s = value!({"selector": {"app": (name)}, "ports": [{"port": 80}]});
        all.push(meta(Kind::Service, name, s));
    }
    if all[0].kind == Kind::Deployment && chance(rng, 15) {
        let s = value!({
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": (name)},
            "minReplicas": 1, "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50}}}]
        });
        all.push(meta(Kind::HorizontalPodAutoscaler, name, s));
    }
    if chance(rng, 15) {
        let s = value!({"minAvailable": 1, "selector": (selector(name))});
        all.push(meta(Kind::PodDisruptionBudget, name, s));
    }
    if chance(rng, 10) {
        let mut pod = value!({"apiVersion": "v1", "kind": "Pod"});
        let own = format!("{name}-alone");
        pod.set(
            "metadata",
            value!({"name": (own), "namespace": "default", "labels": {"app": "alone"}}),
        );
        pod.set("spec", spec(rng, "alone"));
        all.push(Request::create(Kind::Pod, Object(pod)));
    }
    all
}
