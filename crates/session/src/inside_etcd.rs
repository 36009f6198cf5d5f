//! The inside of etcd: members, the write on its way, the end of the log, the keys written last.

use crate::cluster_view::etcd_members;
use crate::requests::{nanos, number};
use crate::session::Session;
use crate::view::*;
use podscope_cluster::trace::RequestId;
use podscope_cluster::{Data, TraceEvent};
use podscope_kernel::collections::BTreeMap;

/// How far back entries are looked for.
const LOOK_BACK: usize = 20_000;
/// How many entries of the log are shown.
const LOG: usize = 24;
/// How many keys are shown.
const KEYS: usize = 60;

/// What the stage shows of etcd.
pub fn inside(session: &Session) -> EtcdInside {
    let etcd = session.simulation().cluster().etcd();
    let entries = entries(session);
    let proposal = entries
        .iter()
        .rev()
        .find(|e| e.revision == 0 || e.now)
        .cloned();
    let mut keys: Vec<EtcdKeyView> = crate::objects::etcd_keys(session).to_vec();
    podscope_api::sort::by_key(&mut keys, |k| std::cmp::Reverse(k.modified));
    keys.truncate(KEYS);
    let committed: Vec<EtcdEntry> = entries.into_iter().filter(|e| e.revision > 0).collect();
    let skip = committed.len().saturating_sub(LOG);
    EtcdInside {
        members: members(session).into(),
        term: etcd.term(),
        revision: etcd.revision(),
        quorum: u8::try_from(etcd.quorum()).unwrap_or(u8::MAX),
        proposal,
        log: committed.into_iter().skip(skip).collect(),
        keys: keys.into(),
        compacted: etcd.oldest(),
    }
}

/// The members; one that is down has the log as it was when it went down.
fn members(session: &Session) -> Vec<EtcdMemberView> {
    let mut members = etcd_members(session);
    let log = session.shown_log();
    for (i, member) in members.iter_mut().enumerate().filter(|(_, m)| !m.up) {
        let target = i.to_string();
        let went = log.iter().rposition(|e| {
            e.arg("kind").as_str() == Some("etcd-member-down")
                && e.arg("target").as_str() == Some(&target)
        });
        let before = log.get(..went.unwrap_or(0)).unwrap_or(&[]);
        member.index = before
            .iter()
            .rev()
            .find(|e| e.code == "etcd.commit")
            .and_then(revision)
            .unwrap_or(0);
    }
    members
}

fn revision(event: &TraceEvent) -> Option<u64> {
    u64::try_from(event.arg("revision").as_int()?).ok()
}

/// Writes up to the cursor, oldest first, with the term in which each was proposed.
fn entries(session: &Session) -> Vec<EtcdEntry> {
    let log = session.shown_log();
    let index = session.index();
    let from = log.len().saturating_sub(LOOK_BACK);
    let current = log.last().and_then(|e| e.request);
    let quiet = index.entries().get(log.len().saturating_sub(1));
    let quiet = quiet.is_some_and(|e| e.background);
    // Each request's newest proposal: a write that is refused and tried again is proposed anew.
    let mut open: BTreeMap<RequestId, EtcdEntry> = BTreeMap::new();
    let mut out = Vec::new();
    let mut leaders: Vec<(i64, usize)> = Vec::new();
    for event in log.iter().skip(from) {
        let Some(id) = event.request else { continue };
        match event.code {
            "etcd.propose" => {
                let leader = event.arg("leader").as_int().unwrap_or(0);
                if leaders.last().map(|(leader, _)| *leader) != Some(leader) {
                    leaders.push((leader, out.len()));
                }
                let entry = EtcdEntry {
                    revision: 0,
                    // How many leaders there have been since; counted below.
                    term: leaders.len() as u64,
                    delete: false,
                    key: event.arg("key").str_or_empty().into(),
                    acks: Vec::new().into(),
                    event: number(event),
                    at: nanos(event),
                    now: current == Some(id) && !quiet,
                };
                open.insert(id, entry);
            }
            "etcd.ack" => {
                if let Some(entry) = open.get_mut(&id) {
                    let member = event.arg("member").as_int().unwrap_or(0);
                    let mut acks = entry.acks.to_vec();
                    acks.push(u8::try_from(member).unwrap_or(0));
                    entry.acks = acks.into();
                    entry.event = number(event);
                    entry.at = nanos(event);
                }
            }
            "etcd.commit" => {
                if let Some(mut entry) = open.remove(&id) {
                    entry.revision = revision(event).unwrap_or(0);
                    entry.delete = matches!(&event.data, Data::Change(_, None));
                    entry.event = number(event);
                    entry.at = nanos(event);
                    out.push(entry);
                }
            }
            "etcd.compare_failed" | "apiserver.refused" => {
                open.remove(&id);
            }
            _ => {}
        }
    }
    out.extend(open.into_values());
    let term = session.simulation().cluster().etcd().term();
    let newest = leaders.len() as u64;
    for entry in &mut out {
        entry.term = term.saturating_sub(newest.saturating_sub(entry.term));
    }
    out
}
