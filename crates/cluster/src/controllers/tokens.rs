//! Tokens: fills Secrets that ask for a service account's token, and deletes those whose account is gone.
//!
//! It acts in the name of the controller manager itself. No such Secret is made by itself: Pods get projected tokens.
//!
//! Models: pkg/controller/serviceaccount/tokens_controller.go (v1.36)

use super::meta::{self, failure_text};
use super::service_account::root_ca;
use super::{Controller, Next, Resume, Work};
use crate::apiserver::strategy::base64;
use crate::client::informer::{CacheEvent, Caches};
use crate::component::ControllerId;
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Key, Kind, Object, Request};

crate::codes! {
    /// A Secret asks for a token: it is filled.
    FILL = "tokens.fill";
    /// The account of a Secret is gone: the Secret goes too.
    DELETE = "tokens.delete";
}

/// The type of such a Secret.
const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

const ASKED: u8 = 1;
const WRITTEN: u8 = 2;

/// The controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokensController;

fn account(secret: &Object) -> Option<Key> {
    let ours = secret.get("type").as_str() == Some(TYPE);
    let name = secret.annotation(ACCOUNT).filter(|_| ours)?;
    Some(Key::new(secret.namespace(), name))
}

/// The Secret with everything that belongs into it.
fn filled(secret: &Object, account: &Object) -> Object {
    let mut object = secret.clone();
    meta::annotate(&mut object, ACCOUNT_UID, account.uid());
    let namespace = secret.namespace();
    let token = format!("simulated.{namespace}.{}.{}", account.name(), secret.uid());
    let ca = root_ca(namespace);
    let ca = ca.at("data").get("ca.crt").str_or_empty();
    let data = object.at_mut("data").map_mut();
    for (key, text) in [("ca.crt", ca), ("namespace", namespace), ("token", &token)] {
        if !data.contains_key(key) {
            data.insert(key, base64(text.as_bytes()).into());
        }
    }
    object
}

impl Controller for TokensController {
    const ID: ControllerId = ControllerId::Tokens;
    const WORKERS: usize = 5;
    type Sync = ();

    fn start(&mut self, caches: &Caches, work: &mut Work<'_>, _ctx: &mut Ctx<'_>) {
        for secret in caches.list(Kind::Secret).filter(|s| account(s).is_some()) {
            work.add(secret.key(), None);
        }
    }

    fn event(
        &mut self,
        event: &CacheEvent,
        caches: &Caches,
        work: &mut Work<'_>,
        _ctx: &mut Ctx<'_>,
    ) {
        let Some(object) = event.object() else { return };
        match event.kind {
            Kind::Secret if event.new.is_some() && account(object).is_some() => {
                work.add(object.key(), event.cause);
            }
            Kind::ServiceAccount => {
                for secret in caches.list_in(Kind::Secret, object.namespace()) {
                    if account(secret) == Some(object.key()) {
                        work.add(secret.key(), event.cause);
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(
        &mut self,
        key: &Key,
        resume: Resume<'_, ()>,
        caches: &Caches,
        ctx: &mut Ctx<'_>,
    ) -> Next {
        let answer = resume.answers.first();
        if resume.stage == WRITTEN {
            return match answer {
                Some(Err(failure)) if !matches!(meta::code(&resume.answers[0]), 404 | 409) => {
                    Next::Retry(failure_text(failure).to_string())
                }
                _ => Next::Done,
            };
        }
        let Some(secret) = caches.get(Kind::Secret, key) else {
            return Next::Done;
        };
        let Some(account) = account(secret) else {
            return Next::Done;
        };
        let uid = secret.annotation(ACCOUNT_UID);
        let live = match answer {
            Some(Ok(answer)) => Some(answer.object.clone()),
            Some(Err(failure)) if meta::code(&resume.answers[0]) != 404 => {
                return Next::Retry(failure_text(failure).to_string());
            }
            Some(Err(_)) => None,
            None => match caches.get(Kind::ServiceAccount, &account) {
                Some(found) => Some(found.clone()),
                // The cache may be late: the API server knows.
                None => {
                    let Key { namespace, name } = account;
                    return Next::Call {
                        requests: vec![Request::get(Kind::ServiceAccount, namespace, name)],
                        stage: ASKED,
                    };
                }
            },
        };
        let request = match live.filter(|a| uid.is_none_or(|uid| uid == a.uid())) {
            Some(account) => {
                let object = filled(secret, &account);
                if object == **secret || secret.is_being_deleted() {
                    return Next::Done;
                }
                let note = Note::new(FILL)
                    .about(Kind::Secret, key.clone())
                    .arg("account", account.name());
                ctx.trace(note);
                Request::update(Kind::Secret, "", object)
            }
            None => {
                ctx.trace(Note::new(DELETE).about(Kind::Secret, key.clone()));
                let mut delete =
                    Request::delete(Kind::Secret, key.namespace.clone(), key.name.clone());
                delete.options.precondition_uid = secret.uid().into();
                delete
            }
        };
        Next::Call {
            requests: vec![request],
            stage: WRITTEN,
        }
    }
}
