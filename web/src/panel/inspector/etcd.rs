//! etcd: its members, its keys, and the history of one of them.

use super::{InspectAct, finder, go, holds, opens, short};
use crate::panel::stage::heads;
use crate::state::{Act, Scene};
use crate::words::{bytes, moment};
use podscope_session::view::*;
use yew::prelude::*;

/// The most keys.
const MAX_KEYS: usize = 400;
/// The most revisions of one key.
const MAX_HISTORY: usize = 300;

/// Draws the tab.
#[inline(never)]
pub fn draw(scene: &Scene<'_>) -> Html {
    let keys = scene.session.etcd_keys();
    let ui = &scene.ui.inspector;
    let find = ui.key_find.trim();
    let found: Vec<&EtcdKeyView> = keys.iter().filter(|key| holds(&key.key, find)).collect();
    let size: u64 = keys.iter().map(|key| u64::from(key.bytes)).sum();
    let row = |key: &&EtcdKeyView| {
        let chosen = ui.key.as_ref() == Some(&key.object);
        let class = match (chosen, key.now) {
            (true, _) => "sel",
            (_, true) => "now",
            _ => "",
        };
        let act = Act::Inspect(InspectAct::Key((!chosen).then(|| key.object.clone())));
        html! { <tr key={key.key.to_string()} class={class}>
            <td class="mono"><button type="button" aria-pressed={chosen.to_string()} onclick={scene.act(act)}>{key.key.to_string()}</button></td>
            <td class="num">{key.modified}</td><td class="num">{key.create}</td><td class="num">{key.version}</td><td class="num">{bytes(key.bytes.into())}</td>
        </tr> }
    };
    let more = found.len().saturating_sub(MAX_KEYS);
    html! { <>
        <div class="list" tabindex="0" role="region" aria-label={scene.t("tab.etcd")}>
            <div class="inh"><h2>{scene.words.t1("stage.revision", "n", &scene.view.revision.to_string())}</h2>
                <span class="small muted">{scene.words.t1("etcd.keys", "n", &keys.len().to_string())}{", "}{bytes(size)}</span>
                {finder(scene, "etcd.find", &ui.key_find, InspectAct::KeyFind)}</div>
            {members(scene)}
            <table><thead><tr>{heads(scene, &["etcd.key", "etcd.modified", "etcd.created", "etcd.version", "etcd.size"])}</tr></thead>
                <tbody>{for found.iter().take(MAX_KEYS).map(row)}</tbody></table>
            if more > 0 { <p class="empty">{scene.words.t1("objects.more", "n", &more.to_string())}</p> }
            if found.is_empty() { <p class="empty">{scene.t("inspect.none")}</p> }
        </div>
        if let Some(object) = &ui.key { {history(scene, object)} }
    </> }
}

fn members(scene: &Scene<'_>) -> Html {
    let etcd = scene.session.etcd();
    let row = |member: &EtcdMemberView| {
        let role = match (member.up, member.leader) {
            (false, _) => "etcd.down",
            (true, true) => "etcd.leader",
            (true, false) => "etcd.follower",
        };
        let behind = etcd.revision.saturating_sub(member.index);
        html! { <tr key={member.name.to_string()}><th scope="row">{member.name.to_string()}</th>
        <td class={if member.up { "" } else { "badge" }}>{scene.t(role)}</td><td class="num">{member.index}</td>
        <td>{ if behind == 0 { scene.t("etcd.level") } else { scene.words.t1("etcd.behind", "n", &behind.to_string()) } }</td></tr> }
    };
    let kept = vec![
        ("n", Arg::Count(etcd.kept.into())),
        ("from", Arg::Text((etcd.compacted + 1).to_string().into())),
    ];
    let kept = Msg::new("etcd.kept", kept);
    html! { <div class="facts">
        <table><thead><tr>{heads(scene, &["etcd.member", "etcd.role", "etcd.index", "etcd.state"])}</tr></thead>
            <tbody>{for etcd.members.iter().map(row)}</tbody></table>
        <dl>
            <dt>{scene.t("etcd.term")}</dt><dd class="num">{etcd.term}</dd>
            <dt>{scene.t("etcd.quorum")}</dt><dd class="num">{etcd.quorum}</dd>
            <dt>{scene.t("etcd.commit")}</dt><dd class="num">{etcd.revision}</dd>
            <dt>{scene.t("etcd.compaction")}</dt><dd>{scene.words.say(&kept)}</dd>
        </dl>
    </div> }
}

fn history(scene: &Scene<'_>, object: &ObjectRef) -> Html {
    let close = Act::Inspect(InspectAct::Key(None));
    let view = scene.session.object(object, None, Some(0));
    let revisions = view
        .as_ref()
        .map(|view| view.revisions.clone())
        .unwrap_or_default();
    let row = |(version, revision): (usize, &RevisionView)| {
        let op = if revision.deletes { "DELETE" } else { "PUT" };
        html! { <tr key={revision.revision}><td class="num">{go(scene, revision.event, revision.revision.to_string())}</td><td class="mono">{op}</td>
        <td class="num">{version + 1}</td><td class="num">{if revision.deletes { "0 B".to_owned() } else { bytes(revision.bytes.into()) }}</td>
        <td>{revision.by.to_string()}</td><td class="num">{moment(revision.at)}</td></tr> }
    };
    let skip = revisions.len().saturating_sub(MAX_HISTORY);
    html! {
        <div class="side one" role="region" tabindex="0" aria-label={scene.t("etcd.history")}>
            <div class="inh"><h2>{scene.t("etcd.history")}</h2><span class="small tdlink">{opens(scene, object, short(object))}</span>
                <button class="linky small right" type="button" onclick={scene.act(close)}>{scene.t("close")}</button></div>
            <table><thead><tr>{heads(scene, &["etcd.revision", "etcd.op", "etcd.write", "etcd.size", "etcd.by", "etcd.at"])}</tr></thead>
                <tbody>{for revisions.iter().enumerate().skip(skip).rev().map(row)}</tbody></table>
            if revisions.is_empty() { <p class="empty">{scene.t("objects.gone")}</p> }
        </div>
    }
}
