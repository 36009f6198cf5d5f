//! `kubectl get`.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/cmd/get/get.go (v1.36)

use crate::ctx::{Ctx, EventType};
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use crate::jsonpath::Template;
use crate::output::{self, Format};
use crate::table::{Cell, Table, columns, labels, row, since};
use crate::target::{self, Info, Rules, Target};

use podscope_api::quantity::Quantity;
use podscope_api::{Kind, Request, Status, Value, Verb};
use std::cmp::Ordering;

const FLAGS: &str = "all-namespaces,A=b selector,l=s field-selector=s output,o=s template=s filename,f=S recursive,R=b \
kustomize,k=s show-labels=b label-columns,L=S no-headers=b show-kind=b sort-by=s watch,w=b watch-only=b \
output-watch-events=b ignore-not-found=b chunk-size=i raw=s server-print=b subresource=s \
show-managed-fields=b allow-missing-template-keys=b";

struct View<'a> {
    format: Format,
    flags: &'a Flags,
    label_columns: Vec<&'a str>,
}

/// Resources of which the simulated cluster never has any, with their other names.
const EMPTY: &[(&str, &[&str])] = &[
    (
        "customresourcedefinitions.apiextensions.k8s.io",
        &["crd", "crds", "customresourcedefinition"],
    ),
    (
        "certificatesigningrequests.certificates.k8s.io",
        &["csr", "certificatesigningrequest"],
    ),
    ("volumeattachments.storage.k8s.io", &["volumeattachment"]),
];

/// The full name of a resource that has no objects.
pub(super) fn always_empty(word: &str) -> Option<&'static str> {
    let found = EMPTY.iter().find(|(full, others)| {
        *full == word || full.split('.').next() == Some(word) || others.contains(&word)
    });
    found.map(|(full, _)| *full)
}

#[inline(never)]
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let flags = super::flags(ctx, "get", FLAGS, words)?;
    let view = View {
        format: Format::read(&flags, true)?,
        label_columns: flags.list("label-columns"),
        flags: &flags,
    };
    let watching = flags.is("watch") || flags.is("watch-only");
    if flags.is("output-watch-events") && !watching {
        return Err(Fault::text(
            "--output-watch-events option can only be used with --watch or --watch-only",
        ));
    }
    if flags.args.is_empty() && !flags.has("filename") {
        ctx.complain(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n",
        );
        return Err(Fault::usage(
            "get",
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).",
        ));
    }
    if let Some(resource) = flags.args.first().and_then(|word| always_empty(word)) {
        return match flags.args.get(1) {
            None => {
                ctx.complain("No resources found");
                Ok(())
            }
            Some(name) => {
                let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
                Err(Status::not_found(group, plural, name).into())
            }
        };
    }
    let rules = Rules {
        bare_type_lists: true,
        may_be_empty: false,
    };
    let targets = target::targets(ctx, &flags, &flags.args, rules)?;
    if watching {
        return watch(ctx, &view, &targets);
    }
    let (mut infos, mut faults) = target::read_all(ctx, &targets, &flags)?;
    if flags.is("ignore-not-found") {
        faults.retain(|f| !f.is_not_found());
    }
    if flags.has("sort-by") && !sort(&mut infos, flags.str("sort-by"))? {
        infos.clear();
    }
    if view.format.is_table() {
        let text = tables(ctx, &view, &targets, &infos);
        ctx.out.push_str(&text);
        if text.is_empty() && faults.is_empty() && !flags.is("ignore-not-found") {
            let namespaced = targets.iter().all(|t| t.kind.namespaced());
            let place = if namespaced && !flags.is("all-namespaces") {
                format!(" in {} namespace.", ctx.namespace)
            } else {
                String::new()
            };
            ctx.complain(&format!("No resources found{place}"));
        }
    } else {
        let single = targets.len() == 1 && targets.iter().all(|t| !t.name.is_empty());
        let text = plain(&view, &infos, single, !faults.is_empty())?;
        ctx.out.push_str(&text);
    }
    Fault::all(faults)
}

fn plain(view: &View<'_>, infos: &[Info], single: bool, failed: bool) -> Res<String> {
    if let Format::Columns(columns) = &view.format {
        return Ok(output::custom_columns(
            columns,
            infos,
            !view.flags.is("no-headers"),
        ));
    }
    if let Format::Name = view.format {
        let lines = infos.iter().map(|info| info.title() + "\n");
        return Ok(lines.collect());
    }
    let keep_managed =
        view.flags.is("show-managed-fields") || !matches!(view.format, Format::Yaml | Format::Json);
    let shown = |info: &Info| {
        if keep_managed {
            info.object.0.clone()
        } else {
            output::hide_managed(&info.object)
        }
    };
    if single {
        return match infos.first() {
            Some(info) => output::print(&view.format, &shown(info), &info.title()),
            None => Ok(String::new()),
        };
    }
    if infos.is_empty() && failed {
        return Ok(String::new());
    }
    let list = output::list(infos.iter().map(shown).collect());
    output::print(&view.format, &list, "")
}

/// The titles and rows of objects of one kind.
fn table(
    ctx: &Ctx<'_>,
    view: &View<'_>,
    kind: Kind,
    infos: &[&Info],
    with_kind: bool,
    headers: bool,
) -> Table {
    let wide = matches!(view.format, Format::Wide);
    let with_namespace = view.flags.is("all-namespaces") && kind.namespaced();
    let generic = !view.flags.bool_or("server-print", true);
    let mut table = Table::default();
    if headers {
        table
            .titles
            .extend(with_namespace.then(|| "NAMESPACE".to_string()));
        if generic {
            table.titles.extend(["NAME".to_string(), "AGE".to_string()]);
        } else {
            table.titles.extend(columns(kind, wide).map(String::from));
        }
        table.titles.extend(
            view.label_columns
                .iter()
                .map(|l| l.rsplit('/').next().unwrap_or(l).to_ascii_uppercase()),
        );
        table
            .titles
            .extend(view.flags.is("show-labels").then(|| "LABELS".to_string()));
    }
    for info in infos {
        let mut cells = if generic {
            let created = info.object.at("metadata.creationTimestamp");
            vec![info.name().into(), since(created, ctx.now).into()]
        } else {
            row(kind, &info.object, wide, ctx.now)
        };
        if with_kind && let Some(first) = cells.first_mut() {
            *first = Cell::Text(format!("{}/{first}", target::singular(kind)));
        }
        if with_namespace {
            cells.insert(0, info.namespace().into());
        }
        for label in &view.label_columns {
            cells.push(info.object.label(label).unwrap_or("").into());
        }
        if view.flags.is("show-labels") {
            cells.push(Cell::Text(labels(info.object.labels())));
        }
        table.rows.push(cells);
    }
    table
}

fn tables(ctx: &Ctx<'_>, view: &View<'_>, targets: &[Target], infos: &[Info]) -> String {
    let mut kinds: Vec<Kind> = targets.iter().map(|t| t.kind).collect();
    kinds.dedup();
    let named = targets.iter().all(|t| !t.name.is_empty());
    if named {
        kinds.retain(|k| infos.iter().any(|i| i.kind == *k));
    }
    let with_kind = view.flags.is("show-kind") || kinds.iter().any(|k| Some(k) != kinds.first());
    let headers = !view.flags.is("no-headers");
    let mut blocks: Vec<String> = Vec::new();
    let mut from = 0;
    while let Some(first) = infos.get(from) {
        let same = infos.iter().skip(from).take_while(|i| i.kind == first.kind);
        let group: Vec<&Info> = same.collect();
        from += group.len();
        blocks.push(table(ctx, view, first.kind, &group, with_kind, headers).print());
    }
    blocks.join(if headers { "\n" } else { "" })
}

/// Sorts by a field path; false when no object has the field.
fn sort(infos: &mut Vec<Info>, path: &str) -> Res<bool> {
    let template = Template::field(path).map_err(Fault::Text)?;
    let mut keyed: Vec<(Option<Value>, Info)> = Vec::new();
    for info in infos.drain(..) {
        let key = template
            .find(&info.object)
            .unwrap_or_default()
            .into_iter()
            .next();
        keyed.push((key, info));
    }
    if keyed.iter().all(|(key, _)| key.is_none()) {
        return Ok(keyed.is_empty());
    }
    crate::sort::sort(&mut keyed, |(a, _), (b, _)| match (a, b) {
        (None, _) => true,
        (_, None) => false,
        (Some(a), Some(b)) => order(a, b) == Ordering::Less,
    });
    infos.extend(keyed.into_iter().map(|(_, info)| info));
    Ok(true)
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Str(a), Value::Str(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => natural(a, b),
        },
        _ => Ordering::Equal,
    }
}

/// Text order in which runs of digits compare as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let digits = |t: &[u8]| t.iter().take_while(|c| c.is_ascii_digit()).count();
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        let (n, m) = (digits(a), digits(b));
        if n > 0 && m > 0 {
            let number = |t: &[u8], n: usize| {
                let zeros = t.iter().take(n).take_while(|c| **c == b'0').count();
                t.get(zeros..n).unwrap_or(&[]).to_vec()
            };
            let (p, q) = (number(a, n), number(b, m));
            let by = p
                .len()
                .cmp(&q.len())
                .then_with(|| p.cmp(&q))
                .then_with(|| n.cmp(&m));
            if by != Ordering::Equal {
                return by;
            }
            a = a.get(n..).unwrap_or(&[]);
            b = b.get(m..).unwrap_or(&[]);
        } else if x != y {
            return x.cmp(y);
        } else {
            a = a.get(1..).unwrap_or(&[]);
            b = b.get(1..).unwrap_or(&[]);
        }
    }
    a.len().cmp(&b.len())
}

/// `-w`: the list, then a row for each change, for ever.
fn watch(ctx: &mut Ctx<'_>, view: &View<'_>, targets: &[Target]) -> Res<()> {
    let [target] = targets else {
        return Err(Fault::text("you may only specify a single resource type"));
    };
    let read = target::read_request(target, view.flags);
    let answer = ctx.send(read.clone())?;
    let infos: Vec<Info> = if target.name.is_empty() {
        let items = answer.object.get("items").items().iter().cloned();
        items.map(|item| item_info(target, item)).collect()
    } else {
        vec![item_info(target, answer.object.0.clone())]
    };
    let mut version = answer.object.resource_version();
    let events = view.flags.is("output-watch-events");
    let mut widths = Vec::new();
    let mut headers = !view.flags.is("no-headers");
    let mut show = |ctx: &mut Ctx<'_>, infos: &[&Info], event: &str| -> Res<()> {
        if !view.format.is_table() {
            for info in infos {
                let text = output::print(
                    &view.format,
                    &output::hide_managed(&info.object),
                    &info.title(),
                )?;
                ctx.out.push_str(if matches!(view.format, Format::Yaml) {
                    "---\n"
                } else {
                    ""
                });
                ctx.out.push_str(&text);
            }
            return Ok(());
        }
        if infos.is_empty() {
            return Ok(());
        }
        let mut table = table(
            ctx,
            view,
            target.kind,
            infos,
            view.flags.is("show-kind"),
            headers,
        );
        if events {
            if headers {
                table.titles.insert(0, "EVENT".into());
            }
            for row in &mut table.rows {
                row.insert(0, event.into());
            }
        }
        headers = false;
        let text = table.print_after(&mut widths);
        ctx.out.push_str(&text);
        Ok(())
    };
    if !view.flags.is("watch-only") {
        show(ctx, &infos.iter().collect::<Vec<_>>(), "ADDED")?;
    }
    // The stream ends quietly when the client's time for one request is over.
    let until = view.flags.request_timeout().map(|span| ctx.now.0 + span);
    loop {
        let mut request = Request::new(Verb::Watch, target.kind, target.namespace.as_str(), "");
        request.options = read.options.clone();
        if !target.name.is_empty() {
            request.options.field_selector = format!("metadata.name={}", target.name).into();
        }
        request.options.resource_version = Some(version);
        let left = until.map(|until| until - ctx.now.0);
        let Some((what, object)) = ctx.watch(request, left)? else {
            return Ok(());
        };
        version = version.max(object.resource_version());
        let name = match what {
            EventType::Added => "ADDED",
            EventType::Modified => "MODIFIED",
            EventType::Deleted => "DELETED",
        };
        let info = item_info(target, object.0.clone());
        show(ctx, &[&info], name)?;
    }
}

fn item_info(target: &Target, item: Value) -> Info {
    Info {
        kind: target.kind,
        object: target::typed(target.kind, &podscope_api::Object(item)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order() {
        assert_eq!(natural("a2", "a10"), Ordering::Less);
        assert_eq!(natural("a2b", "a2"), Ordering::Greater);
        assert_eq!(natural("h9", "h10"), Ordering::Less);
    }
}
