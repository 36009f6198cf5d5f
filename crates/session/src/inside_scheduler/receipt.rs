//! All receipts of one node in an attempt: every plugin's verdict and score with its arithmetic.

use super::attempt::Attempt;
use super::{filters, sums};
use crate::session::Session;
use crate::view::*;
use podscope_api::Value;
use std::rc::Rc;

/// A no in the plugin's words, its reasons joined by commas; empty for a yes.
pub fn said(rejected: &Value) -> Text {
    let reasons = rejected.get("reasons").items().iter();
    let reasons: Vec<&str> = reasons.map(|r| r.get("message").str_or_empty()).collect();
    reasons.join(", ").into()
}

/// The receipts of `node` in the attempt that begins with `event`; `None` when it was not looked at.
pub fn receipt(session: &Session, event: EventIndex, node: &str) -> Option<ReceiptView> {
    let attempt = Attempt::find(session, Some(event))?;
    let (facts, _) = attempt.facts(session);
    let named = |list: &'_ Value| {
        let found = list
            .items()
            .iter()
            .find(|v| v.get("node").as_str() == Some(node));
        found.cloned()
    };
    let verdict = named(facts.filter.get("verdicts"))?;
    let columns = filters(session, attempt.json("scheduler.pre_filter"));
    let scored = named(facts.scores.get("nodes"));
    let plugins = facts.scores.get("plugins").items();
    let scores = scored.iter().flat_map(|node| node.get("scores").items());
    let lines = plugins.iter().zip(scores).map(|(plugin, score)| {
        let int = |field: &str| score.get(field).as_int().unwrap_or(0);
        let name = plugin.get("plugin").str_or_empty();
        ScoreLine {
            plugin: name.into(),
            weight: plugin.get("weight").as_int().unwrap_or(1),
            cell: ScoreCell {
                raw: int("raw"),
                normalized: int("normalized"),
                weighted: int("weighted"),
            },
            sums: sums::score(name, score.get("account"), int("raw")).into(),
        }
    });
    Some(ReceiptView {
        node: node.into(),
        checks: checks(&columns, &verdict),
        scores: lines.collect(),
        total: scored.as_ref().and_then(|node| node.get("total").as_int()),
    })
}

fn checks(columns: &[PluginColumn], verdict: &Value) -> Rc<[CheckLine]> {
    let no = verdict.get("rejected");
    let stopped = columns
        .iter()
        .position(|c| no.get("plugin").as_str() == Some(&c.name));
    let check = |(i, column): (usize, &PluginColumn)| {
        let verdict_here = match stopped {
            _ if column.skipped => Verdict::Skipped,
            Some(at) if i == at => Verdict::Failed,
            Some(at) if i > at => Verdict::NotAsked,
            _ => Verdict::Passed,
        };
        let failed = verdict_here == Verdict::Failed;
        let fits = verdict_here == Verdict::Passed && &*column.name == "NodeResourcesFit";
        let sums: Vec<Msg> = if failed {
            let reasons = no.get("reasons").items().iter();
            reasons.filter_map(|r| sums::fact(r.get("facts"))).collect()
        } else if fits {
            sums::rooms(verdict.get("resources"))
        } else {
            Vec::new()
        };
        CheckLine {
            plugin: column.name.clone(),
            verdict: verdict_here,
            reason: if failed { said(no) } else { "".into() },
            sums: sums.into(),
        }
    };
    columns.iter().enumerate().map(check).collect()
}
