//! Inside a controller: what it has heard, what waits, what it compares, what it writes. A loop.

use super::inside::{Frame, requests, scroll};
use crate::words::moment;
use podscope_session::view::*;
use yew::prelude::*;

/// Draws it.
#[inline(never)]
pub fn draw(frame: &Frame<'_>, inside: &ControllerInside) -> Html {
    scroll(
        frame,
        "inside.controller.label",
        "ctrlin",
        html! { <>
            <p class="small muted">{frame.t("inside.controller.loop")}</p>
            <div class="loop">
                <section>{frame.head("inside.controller.cache")}{caches(frame, inside)}</section>
                <section>{frame.head("inside.controller.queue")}{queue(frame, inside)}</section>
                <section>{frame.head("inside.controller.compares")}{compares(frame, inside)}</section>
                <section>{frame.head("inside.controller.writes")}{requests(frame, &inside.writes, false)}
                    <p class="small muted">{frame.words.say(&Msg::new("inside.controller.limit", vec![
                        ("rate", Arg::Count(i64::from(inside.limit.0))), ("burst", Arg::Count(i64::from(inside.limit.1)))]))}</p>
                </section>
            </div>
        </> },
    )
}

fn caches(frame: &Frame<'_>, inside: &ControllerInside) -> Html {
    let line = |cache: &CacheLine| {
        html! { <tr key={cache.kind.to_string()} class={classes!((!cache.wakes).then_some("faint"))}>
            <th scope="row">{cache.kind.to_string()}
                if cache.wakes { <span class="wakes" aria-hidden="true">{" ⚑"}</span><span class="sr">{frame.t("inside.controller.wakes")}</span> }
                if !cache.connected { {" "}<b class="badge">{frame.t("inside.controller.cut")}</b> }
            </th>
            <td class="num">{cache.objects}</td><td class="num">{cache.revision}</td>
        </tr> }
    };
    html! { <>
        <table><thead><tr>{super::inside::heads(frame, &["inside.controller.kind", "inside.controller.objects", "inside.etcd.revision"])}</tr></thead>
            <tbody>{for inside.caches.iter().take(12).map(line)}</tbody></table>
        <p class="small muted">{frame.t("inside.controller.flag")}</p>
    </> }
}

fn queue(frame: &Frame<'_>, inside: &ControllerInside) -> Html {
    if inside.queue.is_empty() {
        return html! { <>
            <p>{frame.t("inside.controller.empty")}</p>
            <p class="small muted">{frame.t("inside.controller.back-off")}</p>
        </> };
    }
    let key = |(i, key): (usize, &QueuedKey)| {
        let (class, place) = match key.place {
            KeyPlace::InHand => ("key hand", frame.t("inside.controller.in-hand")),
            KeyPlace::Waiting => ("key", frame.t("inside.controller.waits")),
            KeyPlace::Later(at) => ("key later", frame.words.t1("timer.at", "at", &moment(at))),
        };
        html! { <li key={i} class={class}><code>{key.key.to_string()}</code>{" "}<span>{place}</span>
            if key.failures > 0 { {" "}<b class="badge">{frame.n("inside.controller.failures", key.failures)}</b> }
        </li> }
    };
    html! { <>
        <ol class="keys">{for inside.queue.iter().enumerate().map(key)}</ol>
        <p class="small muted">{frame.t("inside.controller.back-off")}</p>
    </> }
}

fn compares(frame: &Frame<'_>, inside: &ControllerInside) -> Html {
    if inside.compares.is_empty() {
        return html! { <p class="muted">{frame.t("inside.controller.nothing")}</p> };
    }
    let row = |compare: &Compare| {
        let (mark, word) = if compare.same {
            ("✓", "inside.controller.same")
        } else {
            ("≠", "inside.controller.differs")
        };
        html! { <tr key={compare.object.name.to_string()} class={classes!(compare.now.then_some("now"), (!compare.same).then_some("differs"))}>
            <th scope="row">{frame.object(&compare.object)}</th>
            <td>{frame.words.say(&compare.desired)}</td>
            <td class="mark"><span aria-hidden="true">{mark}</span><span class="sr">{frame.t(word)}</span></td>
            <td>{frame.words.say(&compare.observed)}</td>
        </tr> }
    };
    html! { <table><thead><tr>
        <th scope="col">{frame.t("inside.controller.object")}</th><th scope="col">{frame.t("inside.controller.desired")}</th>
        <th scope="col"><span class="sr">{frame.t("inside.controller.same")}</span></th><th scope="col">{frame.t("inside.controller.observed")}</th>
    </tr></thead><tbody>{for inside.compares.iter().map(row)}</tbody></table> }
}
