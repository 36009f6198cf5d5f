//! Lists in strategic merge patches: identity of elements and order.

use crate::value::Value;

/// The place of `item` in `list`, by merge key or, with an empty key, by value.
pub(super) fn position(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|other| {
        if key.is_empty() {
            other == item
        } else {
            let wanted = item.get(key);
            !wanted.is_null() && other.get(key) == wanted
        }
    })
}

pub(super) fn is_delete(item: &Value) -> bool {
    item.get("$patch").as_str() == Some("delete")
}

/// Brings `items` into the order that `order` has; elements to delete go last.
pub(super) fn in_order(mut items: Vec<Value>, order: &[Value], key: &str) -> Vec<Value> {
    let deletes: Vec<Value> = items.iter().filter(|i| is_delete(i)).cloned().collect();
    items.retain(|i| !is_delete(i));
    // An element unknown to `order` moves in front of what stands before it, as in the original's
    // insertion sort with an always-true comparison.
    let before = |a: &Value, b: &Value| match (position(order, a, key), position(order, b, key)) {
        (Some(a), Some(b)) => a < b,
        _ => true,
    };
    for i in 1..items.len() {
        let mut j = i;
        while j > 0 && before(&items[j], &items[j - 1]) {
            items.swap(j, j - 1);
            j -= 1;
        }
    }
    items.extend(deletes);
    items
}

/// Orders a merged list: what the patch names in the patch's order, the rest where the server had it.
pub(super) fn arrange(
    merged: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: &str,
) -> Vec<Value> {
    let (named, rest): (Vec<Value>, Vec<Value>) = merged
        .into_iter()
        .partition(|item| position(patch_order, item, key).is_some());
    let mut named = in_order(named, patch_order, key).into_iter().peekable();
    let mut rest = in_order(rest, server_order, key).into_iter().peekable();
    let mut out = Vec::new();
    loop {
        let rest_first = match (rest.peek(), named.peek()) {
            (None, None) => return out,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(l), Some(r)) => {
                match (
                    position(server_order, l, key),
                    position(server_order, r, key),
                ) {
                    (Some(l), Some(r)) => l < r,
                    _ => false,
                }
            }
        };
        out.extend(if rest_first {
            rest.next()
        } else {
            named.next()
        });
    }
}
