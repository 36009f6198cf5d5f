//! Views of why and what-if as JSON, for programs. Messages are `{code, args}`; words are not part of it.

use crate::view::*;
use podscope_api::{Value, json, value};

fn int(n: impl TryInto<i64>) -> Value {
    Value::Int(n.try_into().unwrap_or(i64::MAX))
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Value) -> Value {
    Value::list(items.iter().map(one).collect::<Vec<_>>())
}

fn text(text: &Text) -> Value {
    Value::Str(text.clone())
}

fn optional(t: &Option<Text>) -> Value {
    t.as_ref().map_or(Value::Null, text)
}

/// A message: `{code, args: {name: value}}`; moments and spans in nanoseconds.
pub fn msg(msg: &Msg) -> Value {
    let args = msg.args.iter().map(|(name, arg)| {
        let value = match arg {
            Arg::Text(t) => text(t),
            Arg::Count(n) => Value::Int(*n),
            Arg::At(n) | Arg::Span(n) => int(*n),
        };
        (*name, value)
    });
    value!({"code": (msg.code), "args": (Value::from_pairs(args))})
}

fn object(object: &ObjectRef) -> Value {
    value!({
        "kind": (text(&object.kind)), "namespace": (text(&object.namespace)),
        "name": (text(&object.name))
    })
}

fn root(root: &RootView) -> Value {
    let (kind, message, event) = match root {
        RootView::Act(m, event) => ("act", msg(m), event),
        RootView::Timer(m, event) => ("timer", msg(m), event),
        RootView::Unknown(event) => ("unknown", Value::Null, event),
    };
    value!({"kind": (kind), "text": (message), "event": (int(event.saturating_sub(1)))})
}

fn cause(cause: &CauseView) -> Value {
    let event = cause
        .event
        .map_or(Value::Null, |e| int(e.saturating_sub(1)));
    value!({"event": (event), "at_ns": (int(cause.at)), "text": (msg(&cause.text))})
}

fn reason(reason: &(Text, Msg)) -> Value {
    value!({"message": (text(&reason.0)), "numbers": (msg(&reason.1))})
}

fn verdict(no: &VerdictView) -> Value {
    value!({
        "plugin": (text(&no.plugin)), "code": (text(&no.code)),
        "reasons": (list(&no.reasons, reason))
    })
}

fn node(node: &NodeReceipt) -> Value {
    let room = |r: &RoomView| {
        value!({
            "resource": (text(&r.resource)), "requested": (r.requested), "used": (r.used),
            "allocatable": (r.allocatable)
        })
    };
    let score = |s: &ScoreReceipt| {
        let account = s.account.iter().map(|(name, v)| (name.clone(), text(v)));
        value!({
            "raw": (s.raw), "normalized": (s.normalized), "weighted": (s.weighted),
            "account": (Value::from_pairs(account))
        })
    };
    value!({
        "node": (text(&node.node)), "chosen": (node.chosen),
        "rejected": (node.rejected.as_ref().map_or(Value::Null, verdict)),
        "room": (list(&node.room, room)), "scores": (list(&node.scores, score)),
        "total": (node.total.map_or(Value::Null, Value::Int))
    })
}

fn preemption(p: &PreemptionView) -> Value {
    let candidate = |c: &CandidateView| {
        let victim = |(pod, priority): &(ObjectRef, i64)| value!({"pod": (object(pod)), "priority": (*priority)});
        value!({
            "node": (text(&c.node)), "victims": (list(&c.victims, victim)),
            "violations": (int(c.violations))
        })
    };
    value!({
        "node": (optional(&p.node)), "candidates": (list(&p.candidates, candidate)),
        "rejected": (list(&p.rejected, |(t, n)| value!({"message": (text(t)), "nodes": (int(*n))}))),
        "why": (p.why.as_ref().map_or(Value::Null, msg))
    })
}

fn attempt(a: &AttemptView) -> Value {
    value!({
        "number": (int(a.number)), "event": (int(a.event.saturating_sub(1))), "at_ns": (int(a.at)),
        "woken": (msg(&a.woken)), "outcome": (msg(&a.outcome)), "message": (optional(&a.message)),
        "filters": (list(&a.filters, text)), "skipped": (list(&a.skipped, text)),
        "preFilter": (a.pre_filter.as_ref().map_or(Value::Null, verdict)),
        "nodes": (list(&a.nodes, node)),
        "reasons": (list(&a.reasons, |(t, n)| value!({"message": (text(t)), "nodes": (int(*n))}))),
        "scorers": (list(&a.scorers, |(t, n)| value!({"plugin": (text(t)), "weight": (*n)}))),
        "preemption": (a.preemption.as_ref().map_or(Value::Null, preemption)),
        "differs": (list(&a.differs, msg))
    })
}

/// A [`WhyView`].
pub fn why(view: &WhyView) -> String {
    json::to_string(&value!({
        "pod": (object(&view.pod)), "stage": (msg(&view.stage)), "message": (optional(&view.message)),
        "attempts": (list(&view.attempts, attempt)), "leftOut": (int(view.left_out)),
        "causes": (list(&view.causes, cause)), "root": (root(&view.root))
    }))
}

/// A chain of causes with what it ends in.
pub fn causes(causes: &[CauseView], end: &RootView) -> String {
    json::to_string(&value!({"causes": (list(causes, cause)), "root": (root(end))}))
}

/// A [`WhatIfView`] with what is sensitive.
pub fn what_if(view: &WhatIfView, sensitivity: Option<&SensitivityView>) -> String {
    let blocker =
        |b: &BlockerView| value!({"node": (text(&b.node)), "reasons": (list(&b.reasons, reason))});
    let edit = |e: &EditView| value!({"text": (msg(&e.text)), "object": (object(&e.object))});
    let file = |(name, t): &(Text, Text)| value!({"name": (text(name)), "text": (text(t))});
    let answer = |a: &AnswerView| {
        value!({
            "kind": (text(&a.kind)), "edits": (list(&a.edits, edit)), "node": (text(&a.node)),
            "after_ns": (int(a.after)), "victims": (list(&a.victims, object)),
            "commands": (list(&a.commands, text)), "files": (list(&a.files, file))
        })
    };
    let sensitive = |s: &SensitivityView| {
        value!({
            "totals": (list(&s.totals, |(n, t)| value!({"node": (text(n)), "total": (*t)}))),
            "winner": (optional(&s.winner)),
            "changes": (list(&s.changes, |r| value!({
                "text": (msg(&r.text)), "winner": (optional(&r.winner))
            }))),
            "bounds": (msg(&s.bounds))
        })
    };
    json::to_string(&value!({
        "pod": (object(&view.pod)), "node": (optional(&view.node)), "now": (msg(&view.now)),
        "blockers": (list(&view.blockers, blocker)), "answers": (list(&view.answers, answer)),
        "bounds": (msg(&view.bounds)),
        "sensitivity": (sensitivity.map_or(Value::Null, sensitive))
    }))
}

/// What a check of the invariants has found.
pub fn check(view: &crate::invariants::CheckView) -> String {
    let violation = |v: &crate::invariants::ViolationView| {
        value!({
            "text": (msg(&v.text)), "event": (int(v.event)), "at_ns": (int(v.at)),
            "object": (v.object.as_ref().map_or(Value::Null, object)), "explained": (v.excused)
        })
    };
    json::to_string(&value!({
        "events": (int(view.events)), "violations": (list(&view.violations, violation)),
        "more": (int(view.more))
    }))
}
