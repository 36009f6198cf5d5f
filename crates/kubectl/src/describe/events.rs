//! The events of an object.

use super::Page;
use crate::ctx::Ctx;
use crate::fault::Res;
use crate::table::since;
use crate::target::Info;
use podscope_api::{Kind, Request, Timestamp, Value};

/// How long ago, and how often: `51s (x3 over 4m21s)`.
pub(crate) fn interval(event: &Value, now: Timestamp) -> String {
    let first = match event.get("eventTime") {
        Value::Null => event.get("firstTimestamp"),
        time => time,
    };
    let first = since(first, now);
    let series = event.get("series");
    let (last, count) = if series.is_null() {
        (
            event.get("lastTimestamp"),
            event.get("count").as_int().unwrap_or(0),
        )
    } else {
        (
            series.get("lastObservedTime"),
            series.get("count").as_int().unwrap_or(0),
        )
    };
    if series.is_null() && count <= 1 {
        return first;
    }
    format!("{} (x{count} over {first})", since(last, now))
}

/// Who reported the event.
pub(crate) fn component(event: &Value) -> &str {
    match event.at("source.component").str_or_empty() {
        "" => event.get("reportingComponent").str_or_empty(),
        component => component,
    }
}

fn time(event: &Value) -> Option<Timestamp> {
    Timestamp::parse(event.get("lastTimestamp").as_str()?)
}

fn find(ctx: &mut Ctx<'_>, info: &Info, uid: &str) -> Res<Vec<Value>> {
    let o = &info.object;
    let mut selector = format!("involvedObject.kind={}", info.kind);
    for (field, value) in [
        ("name", o.name()),
        ("namespace", o.namespace()),
        ("uid", uid),
    ] {
        if !value.is_empty() {
            selector.push_str(&format!(",involvedObject.{field}={value}"));
        }
    }
    let mut request = Request::list(Kind::Event, o.namespace());
    request.options.field_selector = selector.into();
    Ok(ctx.send(request)?.object.get("items").items().to_vec())
}

pub(super) fn events(ctx: &mut Ctx<'_>, page: &mut Page, info: &Info) -> Res<()> {
    let mut events = Vec::new();
    if info.kind == Kind::Node {
        // The kubelet writes the node's name as uid, the controllers write its uid.
        events = find(ctx, info, info.name())?;
    }
    events.extend(find(ctx, info, info.object.uid())?);
    write(page, &mut events, ctx.now);
    Ok(())
}

fn write(page: &mut Page, events: &mut [Value], now: Timestamp) {
    if events.is_empty() {
        page.field(0, "Events", "<none>");
        return;
    }
    crate::sort::sort(events, |a, b| time(a) < time(b));
    page.line(0, "Events:");
    page.line(1, "Type\tReason\tAge\tFrom\tMessage");
    page.line(1, "----\t------\t----\t----\t-------");
    for event in events {
        let part = |field: &str| event.get(field).str_or_empty();
        let mut message = part("message").trim().to_string();
        let path = event.at("involvedObject.fieldPath").str_or_empty();
        if !path.is_empty() {
            message = format!("{path}: {message}");
        }
        let age = interval(event, now);
        page.line(
            1,
            &format!(
                "{}\t{}\t{age}\t{}\t{message}",
                part("type"),
                part("reason"),
                component(event)
            ),
        );
    }
}
