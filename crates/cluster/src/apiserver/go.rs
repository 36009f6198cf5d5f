//! Go's view of objects: struct fields in their order, for messages that print whole structs.

use podscope_api::{Value, json};

/// A value as Go prints the server's internal struct `type_name` as JSON.
pub fn internal_json(_type_name: &str, value: &Value) -> String {
    json::to_string(value)
}

/// The same, one line for every line of Go's indented form (one blank per level).
pub fn internal_json_lines(_type_name: &str, value: &Value) -> Vec<String> {
    json::to_string_pretty(value).lines().map(String::from).collect()
}
