//! Watches: who hears of which change.

use super::{ApiServer, WATCH, Watcher};
use crate::client::informer::{Scope, WatchId};
use crate::config::delay;
use crate::entry::{Entry, WatchEvent, WatchType};
use crate::etcd::{Change, Etcd};
use crate::sim::Ctx;
use crate::trace::Note;
use podscope_api::{Kind, Object};
use std::rc::Rc;

/// What a client that opens a watch gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The stream goes on after the revision that the client had.
    Resumed,
    /// The revision is too old (410 Gone): the client must list; here is the list at a revision.
    Relist(Vec<Rc<Object>>, u64),
}

impl ApiServer {
    /// Registers a watch (from the start, without events).
    pub(crate) fn register(&mut self, watch: WatchId, watcher: Watcher) {
        match &watcher.scope {
            Scope::Node(node) => self.by_node.entry(node.clone()).or_default().push(watch),
            _ => self.by_kind.entry(watcher.kind).or_default().push(watch),
        }
        self.watchers.insert(watch, watcher);
    }

    /// Closes the streams of watchers for which `lost` says so: they hear nothing until they reconnect.
    pub(crate) fn close(&mut self, lost: impl Fn(&Watcher) -> bool) {
        for watcher in self.watchers.values_mut().filter(|w| lost(w)) {
            watcher.open = false;
        }
    }

    /// A client opens its watch again after `revision`.
    pub(crate) fn reopen(
        &mut self,
        ctx: &mut Ctx<'_>,
        etcd: &Etcd,
        watch: WatchId,
        revision: u64,
    ) -> Option<Opened> {
        let watcher = self.watchers.get_mut(&watch)?;
        watcher.open = true;
        let (kind, scope, to) = (watcher.kind, watcher.scope.clone(), watcher.to);
        let too_old = revision < etcd.oldest();
        let note = Note::new(WATCH)
            .arg("resource", kind.plural())
            .arg("revision", i64::try_from(revision).unwrap_or(i64::MAX))
            .arg("code", if too_old { 410 } else { 200 });
        ctx.trace(note);
        if too_old {
            let objects = self
                .cached(kind)
                .filter(|o| scope.shows(o))
                .cloned()
                .collect();
            return Some(Opened::Relist(objects, etcd.revision()));
        }
        let missed: Vec<Change> = etcd
            .changes_after(revision)
            .filter(|c| c.kind == kind)
            .cloned()
            .collect();
        for change in missed {
            if let Some(event) = seen_through(&scope, &change) {
                self.send(ctx, watch, to, event);
            }
        }
        Some(Opened::Resumed)
    }

    /// Sends a change to everybody who can see it.
    pub(crate) fn dispatch(&mut self, ctx: &mut Ctx<'_>, change: &Change) {
        let mut watches: Vec<WatchId> = self.by_kind.get(&change.kind).cloned().unwrap_or_default();
        if change.kind == Kind::Pod {
            let mut nodes: Vec<&str> = [&change.old, &change.new]
                .into_iter()
                .flatten()
                .filter_map(|o| o.spec().get("nodeName").as_str())
                .collect();
            nodes.dedup();
            for node in nodes {
                watches.extend(self.by_node.get(node).into_iter().flatten());
            }
        }
        for watch in watches {
            let Some(watcher) = self.watchers.get(&watch).filter(|w| w.open) else {
                continue;
            };
            if let Some(event) = seen_through(&watcher.scope, change) {
                let to = watcher.to;
                self.send(ctx, watch, to, event);
            }
        }
    }

    fn send(
        &self,
        ctx: &mut Ctx<'_>,
        watch: WatchId,
        to: crate::component::Process,
        event: WatchEvent,
    ) {
        let link = if to.machine().is_some() {
            delay::NODE_LINK
        } else {
            delay::CONTROL_PLANE
        };
        let at =
            ctx.now() + ctx.jitter("watch", delay::WATCH_DISPATCH) + ctx.jitter("network", link);
        let at = match ctx.sim.faults.none() {
            true => at,
            false => at + ctx.link_delay(to.machine()),
        };
        let at = ctx.in_order(to, at);
        let cause = ctx.cause();
        ctx.sim.queue.push(
            at,
            Entry::Watch {
                to,
                watch,
                event: Rc::new(event),
                cause,
            },
        );
    }
}

/// How a change looks to a watcher that sees only a part: objects come into sight and leave it.
fn seen_through(scope: &Scope, change: &Change) -> Option<WatchEvent> {
    let shows = |o: &Option<Rc<Object>>| o.as_ref().filter(|o| scope.shows(o)).cloned();
    let (before, after) = (shows(&change.old), shows(&change.new));
    let (kind, object) = match (before, after) {
        (None, Some(new)) => (WatchType::Added, new),
        (Some(_), Some(new)) => (WatchType::Modified, new),
        (Some(old), None) => (WatchType::Deleted, change.new.clone().unwrap_or(old)),
        (None, None) => return None,
    };
    Some(WatchEvent {
        kind,
        object,
        revision: change.revision,
    })
}
