//! Inside etcd and inside a controller.

use super::kind_glyph;
use crate::words::{Words, moment};
use podscope_session::view::*;
use yew::prelude::*;

/// etcd: members, the end of the log.
#[inline(never)]
pub fn etcd(inside: &EtcdInside, words: &Words) -> Html {
    let member = |member: &EtcdMemberView| {
        let role = match (member.up, member.leader) {
            (false, _) => "stage.down",
            (_, true) => "inside.etcd.leader",
            _ => "inside.etcd.follower",
        };
        html! { <tr key={member.name.to_string()}>
            <th scope="row">{kind_glyph(ComponentKind::Etcd, 14)}{" "}{member.name.to_string()}</th>
            <td>{words.t(role)}</td><td class="num">{member.index}</td>
        </tr> }
    };
    let entry = |(revision, what, acks): &(u64, Text, u8)| {
        html! { <tr key={*revision}>
            <td class="num">{*revision}</td><td><code>{what.to_string()}</code></td><td class="num">{*acks}</td>
        </tr> }
    };
    html! {
        <div class="astext" tabindex="0" role="region" aria-label={words.t("inside.etcd.label")}>
            <h2>{words.t("inside.etcd.members")}</h2>
            <table><thead><tr><th scope="col">{words.t("inside.etcd.member")}</th>
                <th scope="col">{words.t("inside.etcd.role")}</th>
                <th scope="col">{words.t("inside.etcd.index")}</th></tr></thead>
                <tbody>{for inside.members.iter().map(member)}</tbody></table>
            <h2>{words.t("inside.etcd.log")}</h2>
            <table><thead><tr><th scope="col">{words.t("inside.etcd.revision")}</th>
                <th scope="col">{words.t("inside.etcd.entry")}</th>
                <th scope="col">{words.t("inside.etcd.acks")}</th></tr></thead>
                <tbody>{for inside.log.iter().rev().map(entry)}</tbody></table>
            <p class="small muted note">{words.t1("inside.etcd.compacted", "n", &inside.compacted.to_string())}</p>
        </div>
    }
}

/// A controller: cache, queue, comparison.
#[inline(never)]
pub fn controller(inside: &ControllerInside, words: &Words) -> Html {
    let compared = |(name, desired, observed): &(Text, Text, Text)| {
        let same = desired == observed;
        let mark = if same { "✓" } else { "≠" };
        html! { <tr key={name.to_string()}>
            <th scope="row">{name.to_string()}</th><td class="num">{desired.to_string()}</td>
            <td class="num">{observed.to_string()}</td>
            <td class={if same { "" } else { "strong" }}>{mark}</td>
        </tr> }
    };
    let queued = |(key, at): &(Text, Option<Nanos>)| {
        let at = at.map_or_else(|| words.t("inside.controller.now").to_string(), moment);
        html! { <tr key={key.to_string()}><td><code>{key.to_string()}</code></td><td>{at}</td></tr> }
    };
    let cache = |(kind, count, revision): &(Text, u32, u64)| {
        html! { <tr key={kind.to_string()}>
            <th scope="row">{kind.to_string()}</th><td class="num">{*count}</td><td class="num">{*revision}</td>
        </tr> }
    };
    html! {
        <div class="astext" tabindex="0" role="region" aria-label={words.t("inside.controller.label")}>
            <h2>{words.t("inside.controller.compares")}</h2>
            <table><thead><tr><th scope="col">{words.t("inside.controller.object")}</th>
                <th scope="col">{words.t("inside.controller.desired")}</th>
                <th scope="col">{words.t("inside.controller.observed")}</th><th scope="col"><span class="sr">{words.t("inside.controller.same")}</span></th></tr></thead>
                <tbody>{for inside.compares.iter().map(compared)}</tbody></table>
            if inside.compares.is_empty() { <p class="empty">{words.t("inside.controller.nothing")}</p> }
            <h2>{words.t("inside.controller.queue")}</h2>
            if inside.queue.is_empty() {
                <p class="muted small">{words.t("inside.controller.empty")}</p>
            } else {
                <table><tbody>{for inside.queue.iter().map(queued)}</tbody></table>
            }
            <h2>{words.t("inside.controller.cache")}</h2>
            <table><thead><tr><th scope="col">{words.t("inside.controller.kind")}</th>
                <th scope="col">{words.t("inside.controller.objects")}</th>
                <th scope="col">{words.t("inside.etcd.revision")}</th></tr></thead>
                <tbody>{for inside.caches.iter().map(cache)}</tbody></table>
        </div>
    }
}
