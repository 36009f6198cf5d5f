//! What applying the file would do, drawn on the stage while its text differs from the cluster.

use super::ui::EditorAct;
use crate::draw::glyph;
use crate::draw::scheduler::ui::SchedAct;
use crate::state::{Act, Scene};
use crate::words::rich;
use podscope_session::view::*;
use yew::prelude::*;

/// Preview of what applying would do; shown on the stage while the text differs from the cluster.
pub fn effect(scene: &Scene<'_>) -> Html {
    let Some(file) = scene.files.get(scene.ui.file) else {
        return html! {};
    };
    if file.applied || scene.ui.editor.holds {
        return html! {};
    }
    let title = html! { <>{glyph("obj", 18)}{file.name.to_string()}</> };
    match &file.diagnostics.effect {
        Effect::Refused {
            stage,
            code,
            reason,
        } => html! {
            <section class="eff" tabindex="0" aria-label={scene.t("effect.label")}>
                <h2>{title}<b class="badge">{scene.t("effect.refused")}</b><span class="muted small">{scene.t("effect.note")}</span></h2>
                {refused(scene, *stage, *code, reason)}
            </section>
        },
        Effect::Pending {
            pods,
            message,
            nodes,
        } => html! {
            <section class="eff" tabindex="0" aria-label={scene.t("effect.label")}>
                <h2>{title}<b class="badge warn">{scene.words.t1("effect.pending", "n", &pods.to_string())}</b>
                    <span class="muted small">{scene.t("effect.note")}</span></h2>
                <p class="verbatim"><code>{message.to_string()}</code></p>
                {capacities(scene, nodes)}
                {help(scene, file)}
            </section>
        },
        _ => html! {},
    }
}

#[inline(never)]
fn refused(scene: &Scene<'_>, stage: u16, code: u16, reason: &str) -> Html {
    use crate::draw::{cylinder, octagon, px, text};
    use crate::path;
    let count = PIPELINE.len() as i32;
    let pitch = (590 - 180) / (count - 1);
    let x_of = |i: i32| 180 + pitch * i;
    let stop = x_of(i32::from(stage));
    let stages = (0..count).map(|i| {
        let x = x_of(i);
        let name = PIPELINE.get(i as usize).copied().unwrap_or_default();
        let word = scene.t(&["stage.", name, ".short"].concat());
        let here = i == i32::from(stage);
        let drawing = if here {
            html! { <g class="k-fault">{octagon(x, 36, 18, "shape")}<path class="faultline" d={path!("M", x - 6, " 30l12 12m0-12l-12 12")}/></g> }
        } else if i + 1 == count {
            cylinder(x - 11, 22, 22, 28, "shape")
        } else if i < i32::from(stage) {
            html! { <g class="k-api">{octagon(x, 36, 11, "shape")}<path class="sline" d={path!("M", x - 5, " 36l3.5 4 6.5-8")}/></g> }
        } else {
            html! { <g class="k-api">{octagon(x, 36, 11, "shape off")}</g> }
        };
        html! { <g key={i}>{drawing}{text(x, if here { 72 } else { 66 }, if here { "lab2 mid faulttext" } else { "lab3 mid" }, word)}</g> }
    });
    let answer = [&*code.to_string(), " ", reason].concat();
    html! {
        <svg viewBox="0 0 620 104" role="img" aria-label={answer.clone()}>
            <path class="rail" d={path!("M128 36H", stop)}/><path class="rail ahead" d={path!("M", stop, " 36H590")}/>
            <g class="k-client"><path class="shape" d="M0 15h114l14 21-14 21H0z"/></g>
            {text(56, 41, "lab mid", "POST")}
            {for stages}
            <path class="faultline" stroke-dasharray="6 3" d={path!("M", stop, " 80V94H64V64")} marker-end="url(#a-res)"/>
            {text((stop + 64) / 2, 90, "lab2 faulttext mid halo-p", answer)}
            <rect width={px(0)} height="0"/>
        </svg>
    }
}

/// The smallest changes that help; those of the text can be put into it.
#[inline(never)]
fn help(scene: &Scene<'_>, file: &FileView) -> Html {
    let known = scene.ui.stage.sched.effect.as_ref();
    let known = known.filter(|(name, text, _)| *name == file.name && *text == file.text);
    let Some((_, _, answers)) = known else {
        let ask = scene.act(Act::Sched(SchedAct::Effect));
        return html! { <button class="btn" type="button" onclick={ask}>{scene.t("sched.smallest")}</button> };
    };
    if answers.is_empty() {
        return html! { <p>{scene.t("sched.no-help-known")}</p> };
    }
    let answer = |(i, of): (usize, &EffectAnswer)| {
        let edits = of.answer.edits.iter();
        let edits = edits.map(|edit| html! { <span>{rich(&scene.words.say(&edit.text))}</span> });
        let on = scene.words.t1("sched.then-on", "n", &of.answer.node);
        let put = of.fix.as_ref().map(|fix| {
            let act = scene.act(Act::Editor(EditorAct::Put(fix.clone())));
            let label = scene.words.t1("sched.put-n", "n", &(i + 1).to_string());
            html! { <button class="btn" type="button" aria-label={label} onclick={act}>{scene.t("sched.put")}</button> }
        });
        html! { <li key={i}><div>{for edits}<small class="muted">{on}</small></div>{put}</li> }
    };
    html! { <ol class="efffix" aria-label={scene.t("sched.answers")}>{for answers.iter().enumerate().map(answer)}</ol> }
}

#[inline(never)]
fn capacities(scene: &Scene<'_>, nodes: &[(Text, i64, i64, Text)]) -> Html {
    use crate::draw::{glyph_at, px, text};
    let shown = nodes.len().min(6) as i32;
    let most = nodes
        .iter()
        .map(|node| node.1.max(node.2))
        .max()
        .unwrap_or(1)
        .max(1);
    let rows = nodes.iter().take(6).enumerate().map(|(i, (name, wanted, free, reason))| {
        let y = 8 + 34 * i as i32;
        let scale = |milli: i64| (milli.max(0) * 330 / most) as i32;
        let (free_w, wanted_w) = (scale(*free), scale(*wanted));
        html! { <g key={name.to_string()}>
            {glyph_at("node", 10, y + 13, 18)}{text(26, y + 18, "lab", name.to_string())}
            <rect class="node" x="96" y={px(y)} width={px(free_w)} height="26"/>
            <rect class="pod-plan" x="99" y={px(y + 4)} width={px(wanted_w.max(10))} height="18" rx="9"/>
            if wanted_w > free_w {
                <rect class="over" x={px(96 + free_w)} y={px(y + 4)} width={px(wanted_w - free_w)} height="18"/>
            }
            {text(620, y + 18, "lab2 end faulttext", reason.to_string())}
        </g> }
    });
    let height = 12 + 34 * shown;
    let view_box = ["0 0 620 ", &height.to_string()].concat();
    html! { <svg viewBox={view_box} role="img" aria-label={scene.t("effect.capacity")}>{for rows}</svg> }
}
