//! Turns what a component has to tell into Event objects: counts repeats, combines similar ones, limits floods.
//!
//! Models: staging/src/k8s.io/client-go/tools/record/events_cache.go, tools/events/event_broadcaster.go (v1.36)
//! Left out: an Event that was deleted meanwhile is not made again.

use crate::client::limiter::Limiter;
use crate::sim::Ctx;
use podscope_api::{Key, Kind, Object, PatchType, Request, Text, Value, value};
use podscope_kernel::collections::{BTreeMap, BTreeSet};
use podscope_kernel::{SimDuration, SimTime, state_hash};

/// From this many different messages with one reason on, they are combined.
const MAX_SIMILAR: usize = 10;
/// Similar messages are forgotten after this long.
const SIMILAR_WINDOW: SimDuration = SimDuration::secs(600);
/// How many events about one object pass at once before one in five minutes does.
const BURST_PER_OBJECT: u64 = 25;
/// A series that goes on is told of again after this long.
const SERIES_EVERY: SimDuration = SimDuration::secs(360);
/// How many different events are remembered.
const MAX_REMEMBERED: usize = 4096;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Regarding {
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: Key,
    /// The uid.
    pub uid: Text,
    /// The part of the object, such as `spec.containers{nginx}`; empty for the whole.
    pub field_path: Text,
    /// The resourceVersion seen; empty when unknown.
    pub resource_version: Text,
}

impl Regarding {
    /// An object as a whole.
    pub fn object(kind: Kind, object: &Object) -> Regarding {
        Regarding {
            kind,
            key: object.key(),
            uid: object.uid().into(),
            field_path: "".into(),
            resource_version: object.at("metadata.resourceVersion").str_or_empty().into(),
        }
    }
    /// A part of an object.
    #[must_use]
    pub fn part(mut self, field_path: impl Into<Text>) -> Regarding {
        self.field_path = field_path.into();
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Seen {
    name: Text,
    namespace: Text,
    count: i64,
    /// When the server was told last.
    told: SimTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Similar {
    messages: BTreeSet<u64>,
    last: SimTime,
}

/// Which API a component records its events with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// core/v1: source, firstTimestamp, lastTimestamp, count.
    Core,
    /// events.k8s.io/v1: eventTime, action, reportingController, series.
    Series,
}

/// A component's event recorder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recorder {
    component: Text,
    host: Text,
    style: Style,
    seen: BTreeMap<u64, Seen>,
    similar: BTreeMap<u64, Similar>,
    floods: BTreeMap<Regarding, Limiter>,
    /// The nanoseconds in the newest Event's name: names of one recorder never repeat.
    newest_name: i64,
}

impl Recorder {
    /// A recorder for a component (`kubelet`) on a host (`node-1`, or empty).
    pub fn new(component: impl Into<Text>, host: impl Into<Text>, style: Style) -> Recorder {
        Recorder {
            component: component.into(),
            host: host.into(),
            style,
            seen: BTreeMap::new(),
            similar: BTreeMap::new(),
            floods: BTreeMap::new(),
            newest_name: 0,
        }
    }

    /// Records an event: `event_type` is `Normal` or `Warning`; `action` only matters for [`Style::Series`].
    pub fn record(
        &mut self,
        ctx: &mut Ctx<'_>,
        regarding: Regarding,
        event_type: &str,
        reason: &str,
        action: &str,
        message: &str,
    ) {
        let now = ctx.now();
        let whole = Regarding {
            field_path: "".into(),
            resource_version: "".into(),
            ..regarding.clone()
        };
        if self.floods.len() > MAX_REMEMBERED {
            self.floods.clear();
        }
        let flood = self.floods.entry(whole.clone()).or_insert_with(|| {
            // One every 300 s after the burst.
            Limiter::every(SimDuration::secs(300), BURST_PER_OBJECT)
        });
        if self.style == Style::Core && !flood.allow(now) {
            return;
        }
        let similar_key = state_hash(&(&whole, event_type, reason));
        if self.similar.len() > MAX_REMEMBERED {
            self.similar.clear();
        }
        let similar = self.similar.entry(similar_key).or_insert_with(|| Similar {
            messages: BTreeSet::new(),
            last: now,
        });
        if now.since(similar.last) > SIMILAR_WINDOW {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(state_hash(message));
        let combined = self.style == Style::Core && similar.messages.len() >= MAX_SIMILAR;
        let message = if combined {
            similar.messages.pop_first();
            format!("(combined from similar events): {message}")
        } else {
            message.to_string()
        };
        let repeat_key = if combined {
            similar_key
        } else if self.style == Style::Series {
            // Words do not tell series apart, but the object's revision does.
            state_hash(&(&regarding, event_type, action, reason))
        } else {
            let key = Regarding {
                resource_version: "".into(),
                ..regarding.clone()
            };
            state_hash(&(&key, event_type, reason, &message))
        };
        if let Some(seen) = self.seen.get_mut(&repeat_key) {
            seen.count += 1;
            // The second time makes it a series; what follows is counted and told of now and then.
            let goes_on = self.style == Style::Series && seen.count > 2;
            if goes_on && now.since(seen.told) < SERIES_EVERY {
                return;
            }
            seen.told = now;
            let patch = self.repeat(repeat_key, ctx, combined.then_some(&*message));
            ctx.request(patch);
            return;
        }
        if self.seen.len() > MAX_REMEMBERED {
            self.seen.clear();
        }
        let event = self.event(ctx, &regarding, event_type, reason, action, &message);
        let key = event.key();
        self.seen.insert(
            repeat_key,
            Seen {
                name: key.name,
                namespace: key.namespace,
                count: 1,
                told: now,
            },
        );
        ctx.request(Request::create(Kind::Event, event));
    }

    #[inline(never)]
    fn repeat(&self, key: u64, ctx: &Ctx<'_>, message: Option<&str>) -> Request {
        let seen = &self.seen[&key];
        let mut patch = match self.style {
            Style::Core => {
                value!({"count": (seen.count), "lastTimestamp": (ctx.wall().seconds_text())})
            }
            Style::Series => value!({"series": {
                "count": (seen.count), "lastObservedTime": (ctx.wall().micros_text())
            }}),
        };
        if let Some(message) = message {
            patch.set("message", message);
        }
        Request::patch(
            Kind::Event,
            seen.namespace.clone(),
            seen.name.clone(),
            "",
            PatchType::Strategic,
            patch,
        )
    }

    fn event(
        &mut self,
        ctx: &Ctx<'_>,
        regarding: &Regarding,
        event_type: &str,
        reason: &str,
        action: &str,
        message: &str,
    ) -> Object {
        let namespace: Text = if regarding.key.namespace.is_empty() {
            "default".into()
        } else {
            regarding.key.namespace.clone()
        };
        // The real name ends in the nanoseconds since 1970, in hexadecimal.
        let nanos = ctx.wall().0.saturating_mul(1_000);
        self.newest_name = nanos.max(self.newest_name.saturating_add(1));
        let name = format!("{}.{:x}", regarding.key.name, self.newest_name);
        let mut involved = value!({
            "kind": (regarding.kind.name()),
            "apiVersion": (regarding.kind.api_version()),
            "name": (regarding.key.name.clone())
        });
        let more = [
            ("namespace", &regarding.key.namespace),
            ("uid", &regarding.uid),
            ("resourceVersion", &regarding.resource_version),
            ("fieldPath", &regarding.field_path),
        ];
        for (field, text) in more {
            if !text.is_empty() {
                involved.set(field, text.clone());
            }
        }
        let mut event = value!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": (name), "namespace": (namespace)},
            "involvedObject": (involved),
            "reason": (reason),
            "message": (message),
            "type": (event_type),
            "reportingComponent": (self.component.clone())
        });
        match self.style {
            Style::Core => {
                let at = ctx.wall().seconds_text();
                let mut source = value!({"component": (self.component.clone())});
                if !self.host.is_empty() {
                    source.set("host", self.host.clone());
                }
                event.set("source", source);
                event.set("count", 1);
                event.set("firstTimestamp", at.clone());
                event.set("lastTimestamp", at);
                event.set("eventTime", Value::Null);
                event.set("reportingInstance", self.host.clone());
            }
            Style::Series => {
                event.set("source", Value::map());
                event.set("firstTimestamp", Value::Null);
                event.set("lastTimestamp", Value::Null);
                event.set("eventTime", ctx.wall().micros_text());
                event.set("action", action);
                event.set(
                    "reportingInstance",
                    format!("{}-control-plane", self.component),
                );
            }
        }
        Object(event)
    }
}
