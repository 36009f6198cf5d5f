//! Inside etcd: the members with their logs, the write on its way through them, the keys.

use super::inside::{Frame, heads, requests, scroll};
use super::{cylinder, kind_glyph, px, text};
use crate::path;
use crate::words::{bytes, middle};
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &EtcdInside) -> Html {
    scroll(
        frame,
        "inside.etcd.label",
        "etcdin",
        html! { <>
            {status(frame, inside)}
            if !frame.text { {members(frame, inside)} }
            {frame.head("inside.etcd.logs")}
            {logs(frame, inside)}
            <p class="small muted">{frame.t("inside.etcd.model")}</p>
            {frame.head("inside.etcd.log")}
            {entries(frame, inside)}
            {frame.head("inside.etcd.keys")}
            {keys(frame, inside)}
            <p class="small muted note">{frame.n("inside.etcd.compacted", inside.compacted)}</p>
        </> },
    )
}

/// One line: term, leader, revision; and where the write in hand is.
fn status(frame: &Frame<'_>, inside: &EtcdInside) -> Html {
    let leader = inside
        .members
        .iter()
        .find(|member| member.leader && member.up);
    let up = inside.members.iter().filter(|member| member.up).count();
    let writes = if up >= usize::from(inside.quorum) {
        html! {}
    } else {
        html! { <b class="badge">{frame.t("inside.etcd.no-quorum")}</b> }
    };
    let proposal = inside.proposal.as_ref().map(|entry| {
        let state = match entry.revision {
            0 if entry.acks.is_empty() => frame.t("inside.etcd.proposed"),
            0 => frame.n("inside.etcd.acked", entry.acks.len()),
            revision => frame.n("inside.etcd.committed", revision),
        };
        html! { <p class="writing"><span class="nowmark">{if entry.delete { "DELETE" } else { "PUT" }}</span>{" "}
            <code>{entry.key.to_string()}</code>{" "}<span>{state}</span></p> }
    });
    html! { <>
        <p class="facts"><span>{frame.n("inside.etcd.term", inside.term)}</span>
            if let Some(leader) = leader { <span>{frame.words.t1("inside.etcd.leads", "name", &leader.name)}</span> }
            <span>{frame.n("inside.etcd.commit", inside.revision)}</span>
            <span>{frame.n("inside.etcd.quorum", inside.quorum)}</span>{writes}</p>
        {proposal}
    </> }
}

/// The members in a row; what goes between them for the write in hand.
fn members(frame: &Frame<'_>, inside: &EtcdInside) -> Html {
    let count = inside.members.len().max(1) as i32;
    let w = (frame.width - 48).clamp(280, 640);
    let pitch = w / count;
    let x = |i: usize| pitch * i as i32 + pitch / 2;
    let leader = inside
        .members
        .iter()
        .position(|m| m.leader && m.up)
        .unwrap_or(0);
    let acked = |i: usize| {
        inside
            .proposal
            .as_ref()
            .is_some_and(|entry| entry.acks.iter().any(|m| usize::from(*m) == i))
    };
    let member = |(i, member): (usize, &EtcdMemberView)| {
        let class = match (member.up, inside.proposal.is_some() && acked(i)) {
            (false, _) => "shape off",
            (_, true) => "nowfill",
            _ => "shape",
        };
        let role = match (member.up, member.leader) {
            (false, _) => "stage.down",
            (_, true) => "inside.etcd.leader",
            _ => "inside.etcd.follower",
        };
        let name = if acked(i) {
            "lab mid nowtext"
        } else {
            "lab mid"
        };
        html! { <g key={i} class="k-etcd">
            {cylinder(x(i) - 34, 62, 68, 62, class)}
            {text(x(i), 100, name, member.name.to_string())}
            {text(x(i), 142, "lab3 mid", frame.t(role))}
            if acked(i) { <path class="nowline" d={path!("M", x(i) - 5, " 110l4 5 7-9")}/> }
            if !member.up { {super::cross(x(i), 112, 6)} }
        </g> }
    };
    let lines = inside.proposal.iter().flat_map(|entry| {
        (0..inside.members.len())
            .filter(move |i| *i != leader)
            .map(move |i| {
                let up = inside.members.get(i).is_some_and(|m| m.up);
                let (from, to) = (x(leader), x(i));
                let side = (to - from).signum();
                let high = 44 - 8 * ((to - from).abs() / pitch);
                let d = path!(
                    "M",
                    from + side * 12,
                    " 60C",
                    from + side * 12,
                    " ",
                    high,
                    " ",
                    to - side * 12,
                    " ",
                    high,
                    " ",
                    to - side * 12,
                    " 58"
                );
                let sent = if up {
                    html! { <path class="msg-request" d={d} marker-end="url(#a-req)"/> }
                } else {
                    html! { <path class="msg-none" d={d} marker-end="url(#a-no)"/> }
                };
                let low = 152 + 6 * ((to - from).abs() / pitch);
                let back = path!(
                    "M",
                    to,
                    " 146C",
                    to,
                    " ",
                    low + 8,
                    " ",
                    from,
                    " ",
                    low + 8,
                    " ",
                    from,
                    " 148"
                );
                html! { <>
                    {sent}
                    if entry.acks.iter().any(|m| usize::from(*m) == i) {
                        <path class="msg-response" d={back} marker-end="url(#a-res)"/>
                    }
                </> }
            })
    });
    let into = inside.proposal.as_ref().map(|_| {
        html! { <path class="msg-request" d={path!("M", x(leader), " 4V58")} marker-end="url(#a-req)"/> }
    });
    let label = inside
        .members
        .iter()
        .map(|m| m.name.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    // Without a write there is nothing above and below them.
    let (top, h) = if inside.proposal.is_some() {
        (0, 176)
    } else {
        (54, 96)
    };
    let view_box = [
        "0 ",
        &top.to_string(),
        " ",
        &w.to_string(),
        " ",
        &h.to_string(),
    ]
    .concat();
    html! {
        <svg class="members" viewBox={view_box} width={px(w)} height={px(h)} role="img" aria-label={label}>
            {into}
            { for inside.members.iter().enumerate().map(member) }
            { for lines }
        </svg>
    }
}

/// How many entries each member's row has.
const COLUMNS: usize = 9;

/// A row for each member, a column for each entry: who has what.
fn logs(frame: &Frame<'_>, inside: &EtcdInside) -> Html {
    let open = inside.proposal.as_ref().filter(|entry| entry.revision == 0);
    let columns = if frame.is_narrow() { 4 } else { COLUMNS };
    let room = columns - usize::from(open.is_some());
    let skip = inside.log.len().saturating_sub(room);
    let shown: Vec<&EtcdEntry> = inside.log.iter().skip(skip).chain(open).collect();
    let head = |entry: &&EtcdEntry| {
        let label = match entry.revision {
            0 => frame.t("inside.etcd.next"),
            n => AttrValue::from(n.to_string()),
        };
        html! { <th scope="col" key={entry.event} class={classes!("num", entry.now.then_some("now"))}>{label}
        <small>{frame.n("inside.etcd.term-short", entry.term)}</small></th> }
    };
    let row = |(i, member): (usize, &EtcdMemberView)| {
        let cell = |entry: &&EtcdEntry| {
            let acked = entry.acks.iter().any(|m| usize::from(*m) == i);
            let has = match entry.revision {
                0 => acked,
                n => n <= member.index,
            };
            let (class, sign, word) = match (has, entry.revision, acked) {
                (true, _, true) => ("has", "✓", "inside.etcd.has"),
                (true, ..) => ("has", "•", "inside.etcd.has-later"),
                _ => ("hasnt", "", "inside.etcd.hasnt"),
            };
            html! { <td key={entry.event} class={classes!(class, entry.now.then_some("now"))}>
            <span aria-hidden="true">{sign}</span><span class="sr">{frame.t(word)}</span></td> }
        };
        html! { <tr key={i}>
            <th scope="row">{kind_glyph(ComponentKind::Etcd, 14)}{" "}{member.name.to_string()}{" "}
                <small>{if !member.up { frame.t("stage.down") } else if member.leader { frame.t("inside.etcd.leader") } else { AttrValue::default() }}</small></th>
            {for shown.iter().map(cell)}
        </tr> }
    };
    html! { <table class="raft"><thead><tr><th scope="col">{frame.t("inside.etcd.member")}</th>{for shown.iter().map(head)}</tr></thead>
    <tbody>{for inside.members.iter().enumerate().map(row)}</tbody></table> }
}

fn entries(frame: &Frame<'_>, inside: &EtcdInside) -> Html {
    let entry = |entry: &EtcdEntry| {
        let verb = if entry.delete { "DELETE " } else { "PUT " };
        let label = [
            verb,
            &middle(&entry.key, if frame.is_narrow() { 30 } else { 76 }),
        ]
        .concat();
        let acks = entry
            .acks
            .iter()
            .map(|m| ["etcd-", &(m + 1).to_string()].concat())
            .collect::<Vec<_>>();
        html! { <tr key={entry.event} class={classes!(entry.now.then_some("now"))}>
            <td class="num">{entry.revision}</td><td class="num">{entry.term}</td>
            <td><code>{frame.opens(Target::Call(entry.event), label)}</code></td><td>{acks.join(", ")}</td>
        </tr> }
    };
    html! { <table class="calls"><thead><tr>{heads(frame, &["inside.etcd.revision", "inside.etcd.term-head", "inside.etcd.entry", "inside.etcd.acks"])}</tr></thead>
    <tbody>{for inside.log.iter().rev().map(entry)}</tbody></table> }
}

fn keys(frame: &Frame<'_>, inside: &EtcdInside) -> Html {
    let key = |key: &EtcdKeyView| {
        let object = key.object.clone();
        let label = middle(&key.key, if frame.is_narrow() { 34 } else { 80 }).to_string();
        html! { <tr key={key.key.to_string()} class={classes!(key.now.then_some("now"))}>
            <td><code><button class="linky" type="button" onclick={frame.act(crate::state::Act::Object(object))}>{label}</button></code></td>
            <td class="num">{key.create}</td><td class="num">{key.modified}</td><td class="num">{key.version}</td>
            <td class="num">{bytes(u64::from(key.bytes))}</td>
        </tr> }
    };
    html! { <table class="calls"><thead><tr>{heads(frame, &["inside.etcd.key", "inside.etcd.created", "inside.etcd.modified", "inside.etcd.version", "inside.etcd.size"])}</tr></thead>
    <tbody>{for inside.keys.iter().take(30).map(key)}</tbody></table> }
}

/// Inside a client: the command, what it printed, the requests it took.
#[inline(never)]
pub fn client(frame: &Frame<'_>, inside: &ClientInside) -> Html {
    let exit = inside.exit.map(|code| frame.n("inside.client.exit", code));
    scroll(
        frame,
        "inside.client.label",
        "clientin",
        html! { <>
            if inside.command.is_empty() {
                <p class="muted">{frame.t("inside.client.none")}</p>
            } else {
                <pre class="cmd"><b>{["$ ", &*inside.command].concat()}</b>{"\n"}{inside.output.to_string()}</pre>
                if let Some(exit) = exit { <p class="small muted">{exit}</p> }
            }
            {frame.head("inside.client.requests")}
            {requests(frame, &inside.requests, false)}
        </> },
    )
}
