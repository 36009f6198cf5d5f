//! Go's view of objects: struct fields by their Go names and in their order, for the hash of Pod templates
//! and for messages that print whole structs.
//!
//! Models: pkg/util/hash DeepHashObject, JSON of the server's internal types (v1.36)

use podscope_api::schema::{self, Field, Shape, Struct, Type};
use podscope_api::status::quote;
use podscope_api::{Quantity, Text, Value, json};

/// Fields whose Go name is not the JSON name with a capital first letter.
const GO_NAMES: &[(&str, &str)] = &[
    ("apiGroup", "APIGroup"),
    ("apiVersion", "APIVersion"),
    ("awsElasticBlockStore", "AWSElasticBlockStore"),
    ("cephfs", "CephFS"),
    ("chapAuthDiscovery", "DiscoveryCHAPAuth"),
    ("chapAuthSession", "SessionCHAPAuth"),
    ("csi", "CSI"),
    ("diskURI", "DataDiskURI"),
    ("dnsConfig", "DNSConfig"),
    ("dnsPolicy", "DNSPolicy"),
    ("endpoints", "EndpointsName"),
    ("fc", "FC"),
    ("fsGroup", "FSGroup"),
    ("fsGroupChangePolicy", "FSGroupChangePolicy"),
    ("fsType", "FSType"),
    ("gcePersistentDisk", "GCEPersistentDisk"),
    ("gmsaCredentialSpec", "GMSACredentialSpec"),
    ("gmsaCredentialSpecName", "GMSACredentialSpecName"),
    ("grpc", "GRPC"),
    ("httpGet", "HTTPGet"),
    ("httpHeaders", "HTTPHeaders"),
    ("ip", "IP"),
    ("iqn", "IQN"),
    ("iscsi", "ISCSI"),
    ("iscsiInterface", "ISCSIInterface"),
    ("metadata", "ObjectMeta"),
    ("nfs", "NFS"),
    ("os", "OS"),
    ("pdName", "PDName"),
    ("pool", "RBDPool"),
    ("rbd", "RBD"),
    ("seLinuxChangePolicy", "SELinuxChangePolicy"),
    ("seLinuxOptions", "SELinuxOptions"),
    ("serviceAccount", "DeprecatedServiceAccount"),
    ("sslEnabled", "SSLEnabled"),
    ("storageos", "StorageOS"),
    ("tcpSocket", "TCPSocket"),
    ("tty", "TTY"),
    ("uid", "UID"),
    ("user", "RadosUser"),
    ("wwids", "WWIDs"),
];

fn go_name(owner: Struct, json_name: &str) -> String {
    if owner.name() == "RBDVolumeSource" {
        match json_name {
            "image" => return "RBDImage".into(),
            "monitors" => return "CephMonitors".into(),
            _ => {}
        }
    }
    if let Ok(i) = GO_NAMES.binary_search_by(|(name, _)| (*name).cmp(json_name)) {
        return GO_NAMES.get(i).map_or("", |(_, go)| go).to_string();
    }
    let mut chars = json_name.chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}

/// The text that the pod-template-hash is computed over: Go's dump of a `PodTemplateSpec`.
pub fn template_dump(template: &Value) -> String {
    let mut out = String::new();
    if let Some(root) = schema::named("PodTemplateSpec") {
        out.push_str("(v1.PodTemplateSpec)");
        dump_struct(&mut out, root, template);
    }
    out
}

fn dump_struct(out: &mut String, root: Struct, value: &Value) {
    out.push('{');
    for (i, field) in root.declared().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        // An embedded struct is a field of its type's name; its own fields stand beside the others in JSON.
        let inner = if field.inline {
            value
        } else {
            value.get(field.name)
        };
        let name = if field.inline {
            field.name.to_string()
        } else {
            go_name(root, field.name)
        };
        out.push_str(&name);
        out.push_str(":(");
        if field.ty.is_pointer() {
            out.push('*');
        }
        out.push_str(&type_name(field.ty));
        out.push(')');
        if field.ty.is_pointer() && inner.is_null() {
            out.push_str("<nil>");
        } else {
            dump(out, field.ty, inner);
        }
    }
    out.push('}');
}

fn type_name(ty: Type) -> String {
    match ty.shape() {
        Shape::Time => "v1.Time".into(),
        Shape::MicroTime => "v1.MicroTime".into(),
        Shape::IntOrString => "intstr.IntOrString".into(),
        _ => ty.go_name(),
    }
}

fn dump(out: &mut String, ty: Type, value: &Value) {
    match ty.shape() {
        Shape::Struct(inner) => dump_struct(out, inner, value),
        Shape::List(_) | Shape::Map(_) | Shape::Bytes | Shape::FieldSet | Shape::Any
            if value.is_null() =>
        {
            out.push_str("<nil>");
        }
        Shape::List(item) => {
            out.push('[');
            for (i, v) in value.items().iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                dump(out, item, v);
            }
            out.push(']');
        }
        Shape::Map(item) => {
            out.push_str("map[");
            for (i, (key, v)) in value.entries().iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                dump(out, item, v);
            }
            out.push(']');
        }
        Shape::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        Shape::Int32 | Shape::Int64 => {
            out.push_str(&value.as_int().unwrap_or(0).to_string());
        }
        Shape::IntOrString => {
            let (kind, number, text) = match value {
                Value::Str(s) => (1, 0, &**s),
                other => (0, other.as_int().unwrap_or(0), ""),
            };
            out.push_str(&format!(
                "{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}"
            ));
        }
        Shape::Quantity => dump_quantity(out, value),
        Shape::Time | Shape::MicroTime => out
            .push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"),
        _ => out.push_str(value.str_or_empty()),
    }
}

fn dump_quantity(out: &mut String, value: &Value) {
    let text = Quantity::from_value(value).map_or_else(|| "0".to_string(), |q| q.canonical());
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '-')
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let mantissa: i64 = digits.parse().unwrap_or(0);
    let (factor, scale, format) = match suffix {
        "Ki" => (1i64 << 10, 0, "BinarySI"),
        "Mi" => (1 << 20, 0, "BinarySI"),
        "Gi" => (1 << 30, 0, "BinarySI"),
        "Ti" => (1 << 40, 0, "BinarySI"),
        "Pi" => (1 << 50, 0, "BinarySI"),
        "Ei" => (1 << 60, 0, "BinarySI"),
        "n" => (1, -9, "DecimalSI"),
        "u" => (1, -6, "DecimalSI"),
        "m" => (1, -3, "DecimalSI"),
        "k" => (1, 3, "DecimalSI"),
        "M" => (1, 6, "DecimalSI"),
        "G" => (1, 9, "DecimalSI"),
        "T" => (1, 12, "DecimalSI"),
        "P" => (1, 15, "DecimalSI"),
        "E" => (1, 18, "DecimalSI"),
        other => match other.strip_prefix('e').and_then(|e| e.parse().ok()) {
            Some(exponent) => (1, exponent, "DecimalExponent"),
            None => (1, 0, "DecimalSI"),
        },
    };
    // The text as it was read is only kept when no binary suffix was multiplied in.
    let text = if format == "BinarySI" { "" } else { &text };
    out.push_str(&format!(
        "{{i:(resource.int64Amount){{value:(int64){} scale:(resource.Scale){scale}}} d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){text} Format:(resource.Format){format}}}",
        mantissa.saturating_mul(factor)
    ));
}

/// How a struct is written: on one line, or over many with one blank for every level.
#[derive(Clone, Copy)]
enum Layout {
    Line,
    Indented(usize),
}

impl Layout {
    fn deeper(self) -> Layout {
        match self {
            Layout::Line => Layout::Line,
            Layout::Indented(n) => Layout::Indented(n + 1),
        }
    }
    fn newline(self, out: &mut String) {
        if let Layout::Indented(n) = self {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', n));
        }
    }
}

/// A value as Go prints the server's internal struct `type_name` as JSON.
pub fn internal_json(type_name: &str, value: &Value) -> String {
    print(type_name, value, Layout::Line)
}

/// The same over many lines, indented by one blank for every level.
pub fn internal_json_lines(type_name: &str, value: &Value) -> Vec<String> {
    print(type_name, value, Layout::Indented(0))
        .lines()
        .map(String::from)
        .collect()
}

fn print(type_name: &str, value: &Value, layout: Layout) -> String {
    let mut out = String::new();
    match schema::named(type_name) {
        Some(root) if !value.is_null() => write_struct(&mut out, root, value, layout),
        _ => json::write(&mut out, value, true),
    }
    out
}

/// Types of the `meta/v1` package keep their JSON form everywhere.
const META_TYPES: &[&str] = &["LabelSelector", "LabelSelectorRequirement", "ObjectMeta"];

/// In the internal Pod spec some fields stand elsewhere.
const POD_SPEC: &str = "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName automountServiceAccountToken nodeName securityContext imagePullSecrets hostname subdomain setHostnameAsFQDN affinity schedulerName tolerations hostAliases priorityClassName priority preemptionPolicy dnsConfig readinessGates runtimeClassName overhead enableServiceLinks topologySpreadConstraints os schedulingGates resourceClaims resources hostnameOverride schedulingGroup";
/// The internal security context holds the host's namespaces too.
const HOST_FIELDS: [&str; 5] = [
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "shareProcessNamespace",
    "hostUsers",
];
const POD_SECURITY_CONTEXT: &str = "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup fsGroupChangePolicy sysctls seccompProfile appArmorProfile seLinuxChangePolicy";

/// The fields of an internal struct with their values.
fn internal_fields(root: Struct, value: &Value) -> Vec<(Field, &Value)> {
    let order = match root.name() {
        "PodSpec" => POD_SPEC,
        "PodSecurityContext" => POD_SECURITY_CONTEXT,
        _ => {
            let mut fields = root.fields();
            let place = |fields: &[Field], name: &str| fields.iter().position(|f| f.name == name);
            if let Some(from) = place(&fields, "quobyte") {
                // Internal volume sources have it beside RBD.
                let moved = fields.remove(from);
                let to = place(&fields, "rbd").map_or(from, |at| at + 1);
                fields.insert(to, moved);
            }
            return fields.into_iter().map(|f| (f, value.get(f.name))).collect();
        }
    };
    order
        .split(' ')
        .filter_map(|name| root.field(name))
        .map(|f| (f, value.get(f.name)))
        .collect()
}

struct Writer<'o> {
    out: &'o mut String,
    layout: Layout,
    first: bool,
}

impl Writer<'_> {
    fn key(&mut self, name: &str) -> (&mut String, Layout) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        let deeper = self.layout.deeper();
        deeper.newline(self.out);
        self.out.push_str(&quote(name));
        self.out.push(':');
        if let Layout::Indented(_) = self.layout {
            self.out.push(' ');
        }
        (self.out, deeper)
    }
}

fn write_struct(out: &mut String, root: Struct, value: &Value, layout: Layout) {
    if META_TYPES.contains(&root.name()) {
        return write_plain(out, root, value, layout);
    }
    out.push('{');
    let mut writer = Writer {
        out,
        layout,
        first: true,
    };
    for (field, inner) in internal_fields(root, value) {
        if root.name() == "PodTemplateSpec" && field.name == "metadata" {
            // Embedded: its fields stand beside the spec.
            if let Shape::Struct(meta) = field.ty.shape() {
                for f in meta.fields() {
                    let v = inner.get(f.name);
                    if !v.is_empty() {
                        let (out, deeper) = writer.key(f.name);
                        write_value(out, f.ty, v, deeper);
                    }
                }
            }
            continue;
        }
        let (out, deeper) = writer.key(&go_name(root, field.name));
        if root.name() == "PodSpec" && field.name == "securityContext" && !inner.is_null() {
            write_pod_security(out, value, field.ty, inner, deeper);
        } else if field.ty.is_pointer() && inner.is_null() {
            out.push_str("null");
        } else {
            write_value(out, field.ty, inner, deeper);
        }
    }
    let empty = writer.first;
    if !empty {
        layout.newline(out);
    }
    out.push('}');
}

fn write_pod_security(out: &mut String, spec: &Value, ty: Type, value: &Value, layout: Layout) {
    out.push('{');
    let mut writer = Writer {
        out,
        layout,
        first: true,
    };
    for field in HOST_FIELDS {
        let (out, _) = writer.key(&go_name_of(field));
        match spec.get(field) {
            Value::Bool(b) => out.push_str(&b.to_string()),
            _ if field.starts_with("share") || field == "hostUsers" => out.push_str("null"),
            _ => out.push_str("false"),
        }
    }
    if let Shape::Struct(root) = ty.shape() {
        for (field, inner) in internal_fields(root, value) {
            let (out, deeper) = writer.key(&go_name(root, field.name));
            if field.ty.is_pointer() && inner.is_null() {
                out.push_str("null");
            } else {
                write_value(out, field.ty, inner, deeper);
            }
        }
    }
    layout.newline(out);
    out.push('}');
}

fn go_name_of(json_name: &str) -> String {
    let mut chars = json_name.chars();
    chars.next().map_or_else(String::new, |c| {
        c.to_ascii_uppercase().to_string() + chars.as_str()
    })
}

/// A struct with JSON tags: only what is set.
fn write_plain(out: &mut String, root: Struct, value: &Value, layout: Layout) {
    out.push('{');
    let mut writer = Writer {
        out,
        layout,
        first: true,
    };
    for field in root.fields() {
        let inner = value.get(field.name);
        if inner.is_null() || (field.omit_empty && inner.is_empty()) {
            continue;
        }
        let (out, deeper) = writer.key(field.name);
        write_value(out, field.ty, inner, deeper);
    }
    let empty = writer.first;
    if !empty {
        layout.newline(out);
    }
    out.push('}');
}

fn write_value(out: &mut String, ty: Type, value: &Value, layout: Layout) {
    match ty.shape() {
        Shape::Struct(inner) => write_struct(out, inner, value, layout),
        Shape::List(_) | Shape::Map(_) | Shape::Bytes if value.is_null() => out.push_str("null"),
        Shape::List(item) => {
            out.push('[');
            for (i, v) in value.items().iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                layout.deeper().newline(out);
                write_value(out, item, v, layout.deeper());
            }
            if !value.items().is_empty() {
                layout.newline(out);
            }
            out.push(']');
        }
        Shape::Map(item) => {
            out.push('{');
            let mut writer = Writer {
                out,
                layout,
                first: true,
            };
            for (key, v) in value.entries() {
                let (out, deeper) = writer.key(key);
                write_value(out, item, v, deeper);
            }
            if !value.entries().is_empty() {
                layout.newline(out);
            }
            out.push('}');
        }
        Shape::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        Shape::Int32 | Shape::Int64 => out.push_str(&value.as_int().unwrap_or(0).to_string()),
        Shape::IntOrString if value.is_null() => out.push('0'),
        Shape::Quantity if value.is_null() => out.push_str("\"0\""),
        Shape::String if value.is_null() => out.push_str("\"\""),
        _ => json::write(out, value, true),
    }
}

/// A value as Go writes its JSON: fields of structs in their declared order. Maps in `touched` come out in the
/// order of their keys, as what a patch opens does.
pub(crate) fn document(out: &mut String, shape: Shape, value: &Value, touched: &Value) {
    match value {
        Value::Map(map) => {
            let mut entries: Vec<&(Text, Value)> = map.entries().iter().collect();
            let fields = match shape {
                Shape::Struct(fields) => fields.fields(),
                _ => Vec::new(),
            };
            if touched.as_map().is_none() {
                let place = |key: &str| {
                    let found = fields.iter().position(|f| f.name == key);
                    found.unwrap_or(fields.len())
                };
                podscope_api::sort::by(&mut entries, |a, b| place(&a.0).cmp(&place(&b.0)));
            }
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                json::write(out, &Value::Str(key.clone()), true);
                out.push(':');
                let below = match shape {
                    Shape::Map(item) => item.shape(),
                    _ => fields
                        .iter()
                        .find(|f| *f.name == **key)
                        .map_or(Shape::Any, |f| f.ty.shape()),
                };
                document(out, below, value, touched.get(key));
            }
            out.push('}');
        }
        Value::List(items) => {
            let below = match shape {
                Shape::List(item) => item.shape(),
                _ => Shape::Any,
            };
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                document(out, below, item, touched.index(i));
            }
            out.push(']');
        }
        leaf => json::write(out, leaf, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(GO_NAMES.is_sorted());
    }
}
