//! `kubectl events`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/events/events.go (v1.36)

use crate::ctx::Ctx;
use crate::describe::event_interval;
use crate::fault::{Fault, Res};
use crate::output::{self, Format};
use crate::target;
use crate::text::{TABLE, align, align_after};
use podscope_api::{Kind, Request, Timestamp, Value, Verb};

const FLAGS: &str = "all-namespaces,A=b for=s types=S watch,w=b no-headers=b output,o=s template=s chunk-size=i \
show-managed-fields=b allow-missing-template-keys=b";

/// When the event was seen last.
fn time(event: &Value) -> Option<Timestamp> {
    let at = |v: &Value| Timestamp::parse(v.as_str()?);
    let series = event.get("series");
    if !series.is_null() {
        return at(series.get("lastObservedTime"));
    }
    at(event.get("lastTimestamp")).or_else(|| at(event.get("eventTime")))
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "events", FLAGS, words)?;
    let format = Format::read(&flags, false)?;
    let everywhere = flags.is("all-namespaces");
    let types = flags.list("types");
    if types
        .iter()
        .any(|t| !t.eq_ignore_ascii_case("Normal") && !t.eq_ignore_ascii_case("Warning"))
    {
        return Err(Fault::text("valid --types are Normal or Warning"));
    }
    let namespace = if everywhere {
        String::new()
    } else {
        ctx.namespace.clone()
    };
    let mut request = Request::list(Kind::Event, namespace.as_str());
    if let Some(about) = flags.opt("for") {
        let Some((word, name)) = about.split_once('/') else {
            return Err(Fault::text("--for must be in resource/name form"));
        };
        let kind = target::kind(word).map_err(|f| Fault::Raw(f.line()))?;
        request.options.field_selector =
            format!("involvedObject.kind={kind},involvedObject.name={name}").into();
    }
    let list = ctx.send(request.clone())?;
    let wanted = |event: &Value| {
        types.is_empty()
            || types
                .iter()
                .any(|t| t.eq_ignore_ascii_case(event.get("type").str_or_empty()))
    };
    let mut events: Vec<Value> = list
        .object
        .get("items")
        .items()
        .iter()
        .filter(|e| wanted(e))
        .cloned()
        .collect();
    crate::sort::sort(&mut events, |a, b| time(a) < time(b));
    if !matches!(format, Format::Default) {
        if matches!(format, Format::Name) {
            return Ok(());
        }
        let text = output::print(&format, &output::list(events), "")?;
        ctx.out.push_str(&text);
        return Ok(());
    }
    let watching = flags.is("watch");
    if events.is_empty() && !watching {
        let place = if everywhere {
            String::new()
        } else {
            format!(" in {} namespace", ctx.namespace)
        };
        ctx.complain(&format!("No events found{place}."));
        return Ok(());
    }
    let mut text = String::new();
    if !flags.is("no-headers") {
        text.push_str(if everywhere { "NAMESPACE\t" } else { "" });
        text.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
    }
    for event in &events {
        text.push_str(&line(event, everywhere, ctx.now));
    }
    if !watching {
        ctx.out.push_str(&align(&text, TABLE));
        return Ok(());
    }
    let mut widths = Vec::new();
    ctx.out.push_str(&align_after(&text, TABLE, &mut widths));
    let mut version = list.object.resource_version();
    loop {
        let mut next = Request::new(Verb::Watch, Kind::Event, namespace.as_str(), "");
        next.options = request.options.clone();
        next.options.resource_version = Some(version);
        let Some((_, event)) = ctx.watch(next, None)? else {
            return Ok(());
        };
        version = version.max(event.resource_version());
        if wanted(&event) {
            let text = line(&event, everywhere, ctx.now);
            ctx.out.push_str(&align_after(&text, TABLE, &mut widths));
        }
    }
}

fn line(event: &Value, with_namespace: bool, now: Timestamp) -> String {
    let part = |path: &str| event.at(path).str_or_empty();
    let namespace = if with_namespace {
        format!("{}\t", part("metadata.namespace"))
    } else {
        String::new()
    };
    format!(
        "{namespace}{}\t{}\t{}\t{}/{}\t{}\n",
        event_interval(event, now),
        part("type"),
        part("reason"),
        part("involvedObject.kind"),
        part("involvedObject.name"),
        part("message").trim()
    )
}
