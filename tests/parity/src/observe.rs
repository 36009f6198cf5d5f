//! Reads off the simulation's trace what a recorder would have seen.

use crate::normal;
use crate::run::{Change, Decision, Run, What, Write};
use podscope_api::{Failure, Verb};
use podscope_cluster::{Data, RequestId, TraceEvent};
use std::collections::BTreeMap;

/// Collects what happens from a moment on.
pub struct Observer {
    /// The simulated time at which the recording starts, in microseconds.
    origin: i64,
    /// How much later the script is than recorded, in microseconds.
    pub shift: i64,
    /// What was seen so far; commands are added by whoever plays them.
    pub run: Run,
    open: BTreeMap<RequestId, Write>,
    scores: BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>>,
}

impl Observer {
    /// Nothing seen yet.
    pub fn new(origin: i64) -> Observer {
        Observer {
            origin,
            shift: 0,
            run: Run::default(),
            open: BTreeMap::new(),
            scores: BTreeMap::new(),
        }
    }

    /// Notes an event of the trace.
    pub fn see(&mut self, event: &TraceEvent) {
        let at = i64::try_from(event.at.0).unwrap_or(i64::MAX) - self.origin;
        match event.code {
            "client.request" => self.request(at, event),
            "apiserver.authentication" => {
                if let Some(write) = event.request.and_then(|id| self.open.get_mut(&id)) {
                    write.user = normal::user(event.arg("user").str_or_empty());
                    write.at = at;
                }
            }
            "client.response" | "client.no_answer" => self.response(at, event),
            "etcd.commit" => self.commit(at, event),
            "scheduler.cycle" => {
                if let Some(pod) = &event.subject {
                    self.scores.remove(&*pod.key.name);
                }
            }
            "scheduler.score" => self.score(event),
            "scheduler.choose" => {
                let pod = event.subject.as_ref().map(|s| s.key.name.to_string());
                let pod = pod.unwrap_or_default();
                self.run.decisions.push(Decision {
                    scores: self.scores.remove(&pod).unwrap_or_default(),
                    pod,
                    node: event.arg("node").str_or_empty().to_owned(),
                });
            }
            _ => {}
        }
    }

    fn request(&mut self, at: i64, event: &TraceEvent) {
        let (Some(id), Data::Request(request)) = (event.request, &event.data) else {
            return;
        };
        if matches!(request.verb, Verb::Get | Verb::List | Verb::Watch) {
            return;
        }
        let mut resource = request.kind.plural().to_owned();
        if !request.subresource.is_empty() {
            resource = format!("{resource}/{}", request.subresource);
        }
        let mut name = request.name.to_string();
        if name.is_empty()
            && let podscope_api::Body::Object(object) = &request.body
        {
            name = object.name().to_owned();
        }
        let write = Write {
            at,
            done: at,
            user: String::new(),
            verb: request.verb.name().to_owned(),
            resource,
            namespace: request.namespace.to_string(),
            name,
            code: 0,
        };
        self.open.insert(id, write);
    }

    fn response(&mut self, at: i64, event: &TraceEvent) {
        let Some(mut write) = event.request.and_then(|id| self.open.remove(&id)) else {
            return;
        };
        // What never reached the server is in no audit log.
        if write.user.is_empty() {
            return;
        }
        write.done = at;
        if let Data::Response(response) = &event.data {
            match &**response {
                Ok(answer) => {
                    write.code = i64::from(answer.code);
                    if write.name.is_empty() {
                        write.name = answer.object.name().to_owned();
                    }
                }
                Err(Failure::Status(status)) => write.code = i64::from(status.code),
                Err(_) => {}
            }
        }
        self.run.writes.push(write);
    }

    fn commit(&mut self, at: i64, event: &TraceEvent) {
        let (Some(subject), Data::Change(old, new)) = (&event.subject, &event.data) else {
            return;
        };
        let (what, object) = match (old, new) {
            (None, Some(new)) => (What::Added, new),
            (Some(_), Some(new)) => (What::Modified, new),
            (Some(old), None) => (What::Deleted, old),
            (None, None) => return,
        };
        self.run.changes.push(Change {
            at,
            moment: at - self.shift,
            resource: subject.kind.plural().to_owned(),
            what,
            object: (**object).clone(),
        });
    }

    fn score(&mut self, event: &TraceEvent) {
        let (Some(subject), Data::Json(data)) = (&event.subject, &event.data) else {
            return;
        };
        let by_node = self.scores.entry(subject.key.name.to_string()).or_default();
        for node in data.get("nodes").items() {
            let name = node.get("node").str_or_empty().to_owned();
            let by = by_node.entry(name).or_default();
            for score in node.get("scores").items() {
                let plugin = score.get("plugin").str_or_empty().to_owned();
                by.insert(plugin, score.get("weighted").as_int().unwrap_or(0));
            }
        }
    }
}
