//! `kubectl describe`: one text per object.
//!
//! Models: staging/src/k8s.io/kubectl/pkg/describe/describe.go (v1.36)

mod autoscale;
mod container;
mod events;
mod generic;
mod misc;
mod network;
mod node;
mod pod;
mod volume;
mod workload;

use crate::ctx::Ctx;
use crate::fault::Res;
use crate::table::text;
use crate::target::Info;
use crate::text::{DESCRIBE, align};
use podscope_api::time::civil_from_days;
use podscope_api::{Kind, Object, Timestamp, Value};

pub(crate) use container::template_text;
pub(crate) use events::interval as event_interval;
pub(crate) use workload::{controlled, replica_sets, same_template};

/// A text under construction; cells are separated by tabs.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// One line, indented by two blanks for each level.
    pub fn line(&mut self, level: usize, line: &str) {
        self.text.extend(std::iter::repeat_n("  ", level));
        self.text.push_str(line);
        self.text.push('\n');
    }
    /// `Key:<tab>value`.
    pub fn field(&mut self, level: usize, key: &str, value: impl std::fmt::Display) {
        self.line(level, &format!("{key}:\t{value}"));
    }
    /// As [`Page::field`], unless the value is empty.
    pub fn field_if(&mut self, level: usize, key: &str, value: &Value) {
        let value = text(value);
        if !value.is_empty() {
            self.field(level, key, value);
        }
    }
    /// Labels or selectors, one for each line.
    pub fn labels(&mut self, indent: &str, title: &str, labels: &Value) {
        if labels.entries().is_empty() {
            self.line(0, &format!("{indent}{title}:\t<none>"));
        }
        for (i, (key, value)) in labels.entries().iter().enumerate() {
            let title = if i == 0 {
                format!("{title}:")
            } else {
                String::new()
            };
            self.line(
                0,
                &format!("{indent}{title}\t{key}={}", value.str_or_empty()),
            );
        }
    }
    /// Annotations, long ones cut and below their key.
    pub fn annotations(&mut self, title: &str, annotations: &Value) {
        const LONGEST: usize = 140;
        let mut first = true;
        for (key, value) in annotations.entries() {
            if key.as_ref() == "kubectl.kubernetes.io/last-applied-configuration" {
                continue;
            }
            let start = if first {
                format!("{title}:\t")
            } else {
                "\t".into()
            };
            first = false;
            let value = value.str_or_empty();
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > LONGEST || value.contains('\n') {
                self.line(0, &format!("{start}{key}:"));
                for line in value.split('\n') {
                    let cut = line
                        .char_indices()
                        .map(|(i, _)| i)
                        .find(|i| *i >= LONGEST - 2);
                    match cut {
                        Some(at) => {
                            self.line(0, &format!("\t  {}...", line.get(..at).unwrap_or("")));
                        }
                        None => self.line(0, &format!("\t  {line}")),
                    }
                }
            } else {
                self.line(0, &format!("{start}{key}: {value}"));
            }
        }
        if first {
            self.field(0, title, "<none>");
        }
    }
    /// `Type Status Reason` of an object's conditions.
    pub fn conditions(&mut self, object: &Object) {
        let conditions = object.status().get("conditions").items();
        if conditions.is_empty() {
            return;
        }
        self.line(0, "Conditions:");
        self.line(1, "Type\tStatus\tReason");
        self.line(1, "----\t------\t------");
        for c in conditions {
            let part = |field: &str| c.get(field).str_or_empty();
            self.line(
                1,
                &format!("{} \t{}\t{}", part("type"), part("status"), part("reason")),
            );
        }
    }
}

/// A time as `Fri, 20 Nov 2026 10:00:23 +0000`; no time prints as Go's zero time.
pub(crate) fn rfc1123(time: &Value) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let Some(at) = time.as_str().and_then(Timestamp::parse) else {
        return "Mon, 01 Jan 0001 00:00:00 +0000".into();
    };
    let seconds = at.unix_seconds();
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let weekday = DAYS.get(days.rem_euclid(7) as usize).copied().unwrap_or("");
    let month = MONTHS.get((month - 1) as usize).copied().unwrap_or("");
    format!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} +0000",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Describes one object.
pub(crate) fn describe(ctx: &mut Ctx<'_>, info: &Info, events: bool) -> Res<String> {
    let mut page = Page::default();
    let o = &info.object;
    match info.kind {
        Kind::Pod => pod::pod(ctx, &mut page, o),
        Kind::Deployment => workload::deployment(ctx, &mut page, o)?,
        Kind::ReplicaSet | Kind::ReplicationController => {
            workload::replica_set(ctx, &mut page, o)?;
        }
        Kind::DaemonSet => workload::daemon_set(ctx, &mut page, o)?,
        Kind::StatefulSet => workload::stateful_set(ctx, &mut page, o)?,
        Kind::Job => workload::job(&mut page, o),
        Kind::CronJob => workload::cron_job(&mut page, o),
        Kind::Node => node::node(ctx, &mut page, o)?,
        Kind::Service => network::service(ctx, &mut page, o)?,
        Kind::EndpointSlice => network::endpoint_slice(&mut page, o),
        Kind::HorizontalPodAutoscaler => autoscale::autoscaler(&mut page, o),
        Kind::PodDisruptionBudget => autoscale::disruption_budget(&mut page, o),
        Kind::Namespace => misc::namespace(ctx, &mut page, o)?,
        Kind::ConfigMap => misc::config_map(&mut page, o),
        Kind::Secret => misc::secret(&mut page, o),
        Kind::ServiceAccount => misc::service_account(&mut page, o),
        Kind::PriorityClass => misc::priority_class(&mut page, o),
        Kind::ResourceQuota => misc::quota(&mut page, o),
        Kind::LimitRange => misc::limit_range(&mut page, o),
        _ => generic::generic(&mut page, o),
    }
    if events
        && !matches!(
            info.kind,
            Kind::ResourceQuota | Kind::LimitRange | Kind::Namespace | Kind::Secret
        )
    {
        events::events(ctx, &mut page, info)?;
    }
    Ok(align(&page.text, DESCRIBE))
}
