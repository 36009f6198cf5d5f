//! What every namespace gets: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`.
//!
//! Models: pkg/controller/serviceaccount/serviceaccounts_controller.go, pkg/controller/certificates/rootcacertpublisher (v1.36)

use super::meta::{self, failure_text};
use super::{Controller, Next, Resume, Work};
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request, Response, Value, value};
use podscope_kernel::SimTime;

crate::codes! {
    /// An active namespace lacks something that each has: it is created.
    CREATE = "namespace_default.create";
}

/// The name of the ConfigMap with the cluster's certificate authority.
pub const ROOT_CA: &str = "kube-root-ca.crt";

/// Creates the ServiceAccount `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServiceAccountController;

/// Publishes the cluster's certificate authority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RootCaPublisher;

/// The ConfigMap with the certificate authority's certificate.
pub fn root_ca(namespace: &str) -> Value {
    value!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": (ROOT_CA), "namespace": (namespace),
            "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."}},
        "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\n(simulated)\n-----END CERTIFICATE-----\n"}
    })
}

fn is_active(namespace: &Object) -> bool {
    namespace.at("status.phase").as_str() == Some("Active") && !namespace.is_being_deleted()
}

fn watch(event: &CacheEvent, kind: Kind, name: &str, work: &mut Work<'_>) {
    let Some(object) = event.object() else { return };
    if event.kind == Kind::Namespace && event.new.is_some() {
        work.add(Key::new("", object.name()), event.cause);
    } else if event.kind == kind && object.name() == name && event.old.is_some() {
        work.add(Key::new("", object.namespace()), event.cause);
    }
}

/// After a restart every namespace is looked at; a cluster that has just been set up is complete.
fn all_namespaces(caches: &Caches, work: &mut Work<'_>, ctx: &Ctx<'_>) {
    if ctx.now() > SimTime::ZERO {
        for namespace in caches.list(Kind::Namespace) {
            work.add(namespace.key(), None);
        }
    }
}

fn create(kind: Kind, object: Value, ctx: &mut Ctx<'_>) -> Next {
    let object = Object(object);
    ctx.trace(Note::new(CREATE).about(kind, object.key()));
    Next::Call {
        requests: vec![Request::create(kind, object)],
        stage: 1,
    }
}

/// A namespace that is going away takes nothing new; whoever was faster is welcome.
fn end(answers: &[Response]) -> Next {
    match answers.first() {
        Some(answer @ Err(failure))
            if !matches!(meta::code(answer), 404 | 409) && !meta::namespace_terminating(answer) =>
        {
            Next::Retry(failure_text(failure).to_string())
        }
        _ => Next::Done,
    }
}

impl Controller for ServiceAccountController {
    const ID: ControllerId = ControllerId::ServiceAccount;
    const WORKERS: usize = 1;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        all_namespaces(caches, work, ctx);
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        if event.kind != Kind::ServiceAccount || event.new.is_none() {
            watch(event, Kind::ServiceAccount, "default", work);
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if resume.stage > 0 {
            return end(resume.answers);
        }
        let account = Key::new(key.name.clone(), "default");
        let active = caches
            .get(Kind::Namespace, key)
            .is_some_and(|n| is_active(n));
        if !active || caches.get(Kind::ServiceAccount, &account).is_some() {
            return Next::Done;
        }
        let object = value!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": (key.name.clone())}
        });
        create(Kind::ServiceAccount, object, ctx)
    }
}

impl Controller for RootCaPublisher {
    const ID: ControllerId = ControllerId::RootCa;
    const WORKERS: usize = 1;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, ctx: &mut Ctx<'_>) {
        all_namespaces(caches, work, ctx);
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        _caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        watch(event, Kind::ConfigMap, ROOT_CA, work);
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        if resume.stage > 0 {
            return end(resume.answers);
        }
        if !caches
            .get(Kind::Namespace, key)
            .is_some_and(|n| is_active(n))
        {
            return Next::Done;
        }
        let wanted = root_ca(&key.name);
        match caches.get(Kind::ConfigMap, &Key::new(key.name.clone(), ROOT_CA)) {
            None => create(Kind::ConfigMap, wanted, ctx),
            Some(map) if map.get("data") != wanted.get("data") => {
                let mut map = (**map).clone();
                map.set("data", wanted.get("data").clone());
                Next::Call {
                    requests: vec![Request::update(Kind::ConfigMap, "", map)],
                    stage: 1,
                }
            }
            Some(_) => Next::Done,
        }
    }
}
