//! Two futures side by side: how each ends, what differs first, and the steps aligned.

use super::breakpoints::started;
use crate::draw::cluster::ClusterPicture;
use crate::draw::kind_glyph;
use crate::state::{Act, Scene};
use crate::time_act::TimeAct;
use crate::words::{Words, length, moment, rich};
use podscope_session::view::*;
use std::rc::Rc;
use yew::prelude::*;

/// Size of the small stages: they are pictures of the ends, drawn for a narrow place.
const STAGE: (i32, i32) = (460, 250);

/// The dialogue's inside.
#[inline(never)]
pub fn draw(scene: &Scene<'_>, view: &Rc<CompareView>) -> Html {
    let names = [&view.names.0, &view.names.1].map(|name| started(scene.words, name));
    let args = vec![
        ("event", Arg::Count(view.shared.0.into())),
        ("at", Arg::At(view.shared.1)),
    ];
    let parting = scene.words.say(&Msg::new("compare.parting", args));
    html! { <div class="compare">
        <p class="muted">{parting}</p>
        <section class="firstdiff" aria-label={scene.t("compare.first")}>
            <h3>{scene.t("compare.first")}</h3>
            {first(scene, view, &names)}
        </section>
        <section aria-label={scene.t("compare.ends")}>
            <h3>{scene.t("compare.ends")}</h3>
            {stages(scene, view, &names)}
            {ends(scene, view, &names)}
        </section>
        <section aria-label={scene.t("compare.steps")}>
            <h3>{scene.t("compare.steps")}</h3>
            {steps(scene, view, &names)}
        </section>
    </div> }
}

fn say(words: &Words, row: &StoryRow) -> String {
    let text = words.say(&row.msg);
    // Some titles name who acts.
    if text.starts_with(&*row.who) {
        return text;
    }
    [&*row.who, ": ", &text].concat()
}

/// The first difference in words, from what the two logs hold.
fn first(scene: &Scene<'_>, view: &CompareView, names: &[String; 2]) -> Html {
    let Some(row) = view.first.and_then(|i| view.rows.get(usize::from(i))) else {
        return html! { <p>{scene.t("compare.none")}</p> };
    };
    let words = scene.words;
    let sides = [(&row.left, view.ids.0, 0), (&row.right, view.ids.1, 1)];
    let text = match (&row.left, &row.right, &row.pairing) {
        (Some(left), Some(_), Pairing::Differs(fields)) => {
            let parts: Vec<String> = fields
                .iter()
                .map(|(path, a, b)| ["`", path, "`: ", a, " → ", b].concat())
                .collect();
            let args = vec![
                ("what", Arg::Text(say(words, left).into())),
                ("fields", Arg::Text(parts.join("; ").into())),
            ];
            words.say(&Msg::new("compare.differs", args))
        }
        (left, right, _) => {
            let (here, i) = match (left, right) {
                (Some(row), _) => (Some(row), 0),
                (None, row) => (row.as_ref(), 1),
            };
            let args = vec![
                (
                    "what",
                    Arg::Text(here.map(|row| say(words, row)).unwrap_or_default().into()),
                ),
                ("at", Arg::At(here.map_or(0, |row| row.at))),
                (
                    "here",
                    Arg::Text(names.get(i).cloned().unwrap_or_default().into()),
                ),
                (
                    "there",
                    Arg::Text(names.get(1 - i).cloned().unwrap_or_default().into()),
                ),
            ];
            words.say(&Msg::new("compare.alone", args))
        }
    };
    let go = sides.into_iter().filter_map(|(row, id, i)| {
        let row = row.as_ref()?;
        let label = words.t1("compare.go", "name", names.get(i)?);
        let act = Act::Time(TimeAct::GoTo(id, row.event));
        Some(html! { <button class="btn" type="button" onclick={scene.act(act)}>{label}</button> })
    });
    html! { <><p>{rich(&text)}</p><p class="acts">{for go}</p></> }
}

fn stages(scene: &Scene<'_>, view: &CompareView, names: &[String; 2]) -> Html {
    let one = |(end, name): (&Rc<ClusterView>, &String)| {
        let props = yew::props!(crate::draw::cluster::Props {
            view: end.clone(),
            size: STAGE,
            words: scene.words.clone(),
            moving: false,
            on_open: Callback::noop(),
            on_object: Callback::noop(),
        });
        let label = scene.words.t1("compare.end-of", "name", name);
        // The picture repeats the table below; nothing in it can be opened.
        html! { <figure key={name.clone()}><figcaption>{name.clone()}<small>{moment(end.cursor.time)}</small></figcaption>
        <div class="small-stage" inert={true} aria-hidden="true" title={label}><ClusterPicture ..props/></div></figure> }
    };
    html! { <div class="beside">{for [&view.ends.0, &view.ends.1].into_iter().zip(names).map(one)}</div> }
}

fn ends(scene: &Scene<'_>, view: &CompareView, names: &[String; 2]) -> Html {
    let row = |row: &EndRow| {
        let differs = row.left != row.right;
        html! { <tr class={differs.then_some("differs")}>
        <th scope="row">{scene.words.say(&row.what)}</th><td>{row.left.to_string()}</td><td>{row.right.to_string()}</td>
        <td class="sign">{if differs { html! { <><span aria-hidden="true">{"≠"}</span><span class="sr">{scene.t("compare.different")}</span></> } } else { html! {} }}</td></tr> }
    };
    html! { <table class="ends"><thead><tr><td></td><th scope="col">{names[0].clone()}</th><th scope="col">{names[1].clone()}</th><td></td></tr></thead>
    <tbody>{for view.summary.iter().map(row)}</tbody></table> }
}

fn steps(scene: &Scene<'_>, view: &CompareView, names: &[String; 2]) -> Html {
    let first = view.first.map(usize::from);
    let cell = |row: &Option<StoryRow>, id: u32| match row {
        None => html! { <td></td> },
        Some(row) => {
            let act = Act::Time(TimeAct::GoTo(id, row.event));
            html! { <td><button type="button" class="linky" onclick={scene.act(act)}>
            <span class="num">{moment(row.at)}</span>{kind_glyph(row.kind, 14)}<span>{say(scene.words, row)}</span></button></td> }
        }
    };
    let row = |(i, row): (usize, &CompareRow)| {
        let is_first = first == Some(i);
        let class = match row.pairing {
            _ if is_first => "firstrow",
            Pairing::Same => "same",
            _ => "differs",
        };
        let word = match (&row.pairing, &row.left) {
            _ if is_first => "compare.first",
            (Pairing::Same, _) => "compare.same",
            (Pairing::Differs(_), _) => "compare.other-data",
            (Pairing::Alone, Some(_)) => "compare.left-only",
            (Pairing::Alone, None) => "compare.right-only",
        };
        let sign = match (&row.pairing, &row.left) {
            (Pairing::Same, _) => "=",
            (Pairing::Differs(_), _) => "≠",
            (Pairing::Alone, Some(_)) => "←",
            (Pairing::Alone, None) => "→",
        };
        let apart = match (&row.left, &row.right) {
            (Some(a), Some(b)) if a.at != b.at => [
                if b.at > a.at { "+" } else { "−" },
                &length(a.at.abs_diff(b.at)),
            ]
            .concat(),
            _ => String::new(),
        };
        html! { <tr key={i} class={class}>{cell(&row.left, view.ids.0)}
        <td class="sign"><span aria-hidden="true">{sign}</span><span class="sr">{scene.t(word)}</span><small>{apart}</small></td>
        {cell(&row.right, view.ids.1)}</tr> }
    };
    let (a, b) = view.left_out;
    html! { <>
        <table class="steps-beside"><thead><tr><th scope="col">{names[0].clone()}</th><th class="sign"><span class="sr">{scene.t("compare.relation")}</span></th><th scope="col">{names[1].clone()}</th></tr></thead>
            <tbody>{for view.rows.iter().enumerate().map(row)}</tbody></table>
        if a + b > 0 { <p class="muted small">{scene.words.t1("compare.left-out", "n", &(a + b).to_string())}</p> }
    </> }
}
