//! JSON patch (RFC 6902).

use super::unprocessable;
use crate::status::Status;
use crate::value::Value;

/// The most operations that one patch may have.
const MAX_OPERATIONS: usize = 10_000;

#[inline(never)]
pub(super) fn apply(document: &Value, patch: &Value) -> Result<Value, Status> {
    let Value::List(operations) = patch else {
        let what = match patch {
            Value::Map(_) => "object",
            Value::Str(_) => "string",
            Value::Bool(_) => "bool",
            Value::Null => return Ok(document.clone()),
            _ => "number",
        };
        return Err(Status::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {what} into Go value of type []handlers.jsonPatchOp"
        )));
    };
    if operations.len() > MAX_OPERATIONS {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(Status::new(413, "RequestEntityTooLarge", message));
    }
    let mut result = document.clone();
    for operation in operations.iter() {
        step(&mut result, operation).ok_or_else(unprocessable)?;
    }
    Ok(result)
}

fn step(document: &mut Value, operation: &Value) -> Option<()> {
    let path = pointer(operation.get("path").as_str()?)?;
    let value = || operation.as_map()?.get("value").cloned();
    match operation.get("op").as_str()? {
        "add" => put(document, &path, value()?, false),
        "replace" => {
            // The server's library replaces fields that are not there; lists have bounds.
            put(document, &path, value()?, true)
        }
        "remove" => take(document, &path).map(|_| ()),
        "move" => {
            let moved = take(document, &pointer(operation.get("from").as_str()?)?)?;
            put(document, &path, moved, false)
        }
        "copy" => {
            let copied = find(document, &pointer(operation.get("from").as_str()?)?)?.clone();
            put(document, &path, copied, false)
        }
        "test" => {
            let found = find(document, &path).unwrap_or(&Value::Null);
            let wanted = value().unwrap_or_default();
            (*found == wanted).then_some(())
        }
        _ => None,
    }
}

/// A JSON pointer's parts, unescaped.
fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let parts = text.strip_prefix('/')?.split('/');
    Some(
        parts
            .map(|p| p.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

/// An index into a list of `len` items; negative ones count from the end, as the server's library allows.
fn index(part: &str, len: usize) -> Option<usize> {
    match part.parse::<i64>().ok()? {
        i if i < 0 => len.checked_sub(usize::try_from(-i).ok()?),
        i => usize::try_from(i).ok(),
    }
}

fn find<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |v, part| match v {
        Value::Map(m) => m.get(part),
        Value::List(l) => l.get(index(part, l.len())?),
        _ => None,
    })
}

/// The existing container at `path`, to be written.
fn find_mut<'a>(document: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(document, |v, part| match v {
        Value::Map(m) if m.contains_key(part) => Some(v.entry(part)),
        Value::List(l) => {
            let i = index(part, l.len())?;
            v.list_mut().get_mut(i)
        }
        _ => None,
    })
}

fn put(document: &mut Value, path: &[String], value: Value, replace: bool) -> Option<()> {
    let Some((last, parents)) = path.split_last() else {
        *document = value;
        return Some(());
    };
    let parent = find_mut(document, parents)?;
    match parent {
        Value::Map(_) => *parent.entry(last) = value,
        Value::List(l) => {
            let len = l.len();
            let at = if last == "-" { len } else { index(last, len)? };
            let list = parent.list_mut();
            if replace {
                *list.get_mut(at)? = value;
            } else if at <= len {
                list.insert(at, value);
            } else {
                return None;
            }
        }
        _ => return None,
    }
    Some(())
}

fn take(document: &mut Value, path: &[String]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let parent = find_mut(document, parents)?;
    match parent {
        Value::Map(_) => parent.map_mut().remove(last),
        Value::List(l) => {
            let at = index(last, l.len()).filter(|at| *at < l.len())?;
            Some(parent.list_mut().remove(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    use crate::value;

    fn patched(patch: &str) -> Result<Value, Status> {
        let document = value!({"a": {"b/c": [1, 2, 3]}, "n": null});
        apply(&document, &parse(patch).expect("valid"))
    }

    #[test]
    fn operations() {
        let ok = |patch| {
            patched(patch)
                .map(|v| crate::json::to_string(&v))
                .unwrap_or_default()
        };
        assert_eq!(
            ok(
                r#"[{"op":"add","path":"/a/b~1c/1","value":9},{"op":"add","path":"/a/b~1c/-","value":4}]"#
            ),
            r#"{"a":{"b/c":[1,9,2,3,4]},"n":null}"#
        );
        assert_eq!(
            ok(
                r#"[{"op":"move","from":"/a/b~1c","path":"/z"},{"op":"copy","from":"/z/0","path":"/y"},{"op":"test","path":"/y","value":1},{"op":"remove","path":"/a"},{"op":"replace","path":"/n","value":{}}]"#
            ),
            r#"{"n":{},"y":1,"z":[1,2,3]}"#
        );
        for bad in [
            r#"[{"op":"remove","path":"/x"}]"#,
            r#"[{"op":"replace","path":"/x/y","value":1}]"#,
            r#"[{"op":"add","path":"/a/b~1c/9","value":1}]"#,
            r#"[{"op":"add","path":"/x/y","value":1}]"#,
            r#"[{"op":"test","path":"/a","value":1}]"#,
            r#"[{"op":"what","path":"/a"}]"#,
        ] {
            assert_eq!(patched(bad).map_err(|s| s.code), Err(422), "{bad}");
        }
        assert_eq!(patched("{}").map_err(|s| s.code), Err(400));
    }
}
