//! Plain values out of pickled data: what saved launch arguments and single settings are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::pickle::{Data, Id, Node};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;

/// Lists and objects nested deeper than this are cut in a value; no launch argument comes close.
const MAX_DEPTH: usize = 6;
/// So are longer texts.
const MAX_TEXT: usize = 4096;
/// And longer lists.
const MAX_LIST: usize = 65_536;

/// The attributes of an `argparse.Namespace` (or the entries of a dict) as values.
pub fn attributes(data: &Data<'_>, id: Id, rules: &StorageRules) -> Option<BTreeMap<String, Value>> {
    let table = data.state(id).unwrap_or(id);
    let mut attributes = BTreeMap::new();
    for (key, value) in data.pairs(table)? {
        if let Some(name) = data.str(key) {
            attributes.insert(name.to_owned(), value_of(data, value, rules));
        }
    }
    Some(attributes)
}

/// The value; what rules cannot compute with becomes text.
pub fn value_of(data: &Data<'_>, id: Id, rules: &StorageRules) -> Value {
    match data.node(id) {
        Node::List(_) | Node::Tuple(_) | Node::Set(_) => {
            let elements = data.elements(id).unwrap_or(&[]);
            if elements.len() > MAX_LIST {
                return Value::Str(text_of(data, id, rules).into());
            }
            // One level: a list in a list is text, for lists may be shared and nested without end.
            elements.iter().map(|&element| scalar_of(data, element, rules)).collect::<Vec<_>>().into_list()
        }
        _ => scalar_of(data, id, rules),
    }
}

trait IntoList {
    fn into_list(self) -> Value;
}

impl IntoList for Vec<Value> {
    fn into_list(self) -> Value {
        Value::List(self.into())
    }
}

fn scalar_of(data: &Data<'_>, id: Id, rules: &StorageRules) -> Value {
    match data.node(id) {
        Node::None => Value::None,
        Node::Bool(truth) => Value::Bool(*truth),
        Node::Int(number) => Value::Int(*number),
        Node::Float(number) => Value::Float(*number),
        Node::Object { .. } => match sole_argument(data, id) {
            Some(argument) => enum_of(data, id, argument, rules),
            None => Value::Str(text_of(data, id, rules).into()),
        },
        _ => Value::Str(text_of(data, id, rules).into()),
    }
}

/// The only argument of an object without state, if it is a scalar: an enum member is pickled as its class and value.
fn sole_argument(data: &Data<'_>, id: Id) -> Option<Id> {
    let Some(&[argument]) = data.args(id) else { return None };
    let is_scalar = matches!(data.node(argument), Node::Int(_) | Node::Str(_) | Node::Text(_) | Node::Bool(_));
    (is_scalar && data.state(id).is_none()).then_some(argument)
}

/// An enum member: its name where the rules know the class, else its value.
fn enum_of(data: &Data<'_>, id: Id, argument: Id, rules: &StorageRules) -> Value {
    let value = scalar_of(data, argument, rules);
    let class = data.class(id).map(|(module, name)| format!("{module}.{name}"));
    match class.and_then(|class| rules.enum_member(&class, &value.to_string()).map(Value::str)) {
        Some(member) => member,
        None => value,
    }
}

/// A value as text, in Python's notation where it has one.
pub fn text_of(data: &Data<'_>, id: Id, rules: &StorageRules) -> String {
    let mut text = String::new();
    write(data, id, rules, 0, &mut text);
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Recursion is bounded by `MAX_DEPTH`, the work by `MAX_TEXT`.
fn write(data: &Data<'_>, id: Id, rules: &StorageRules, depth: usize, text: &mut String) {
    if depth > MAX_DEPTH || text.len() > MAX_TEXT {
        text.push_str("...");
        return;
    }
    // Writing to a String cannot fail.
    match data.node(id) {
        Node::None | Node::Bool(_) | Node::Int(_) | Node::Float(_) => {
            let _ = write!(text, "{}", scalar_of(data, id, rules));
        }
        Node::Long(bytes) => {
            text.push_str("0x");
            bytes.iter().rev().for_each(|byte| {
                let _ = write!(text, "{byte:02x}");
            });
        }
        Node::Str(_) | Node::Text(_) => {
            let value = data.str(id).unwrap_or("");
            let _ = if depth == 0 { write!(text, "{value}") } else { write!(text, "'{value}'") };
        }
        Node::Bytes(bytes) => {
            let _ = write!(text, "<{} bytes>", bytes.len());
        }
        Node::Tuple(_) => sequence(data, id, rules, depth, ["(", ")"], text),
        Node::List(_) => sequence(data, id, rules, depth, ["[", "]"], text),
        Node::Set(_) => sequence(data, id, rules, depth, ["{", "}"], text),
        Node::Dict(_) => mapping(data, id, rules, depth, text),
        Node::Global { .. } => {
            let _ = match data.global(id) {
                // A dtype is its name: that is how flags spell it.
                Some(("torch", name)) if depth == 0 => write!(text, "{name}"),
                Some((module, name)) => write!(text, "{module}.{name}"),
                None => write!(text, "<global>"),
            };
        }
        Node::Object { class, args, .. } => match data.global(*class) {
            Some(("torch", "device" | "Size")) | Some(("collections", "OrderedDict")) if depth == 0 => {
                write(data, data.args(id).and_then(|a| a.first().copied()).unwrap_or(*args), rules, depth, text);
            }
            Some(("pathlib", _)) => {
                let parts = data.args(id).unwrap_or(&[]).iter().filter_map(|&part| data.str(part));
                text.push_str(&parts.collect::<Vec<_>>().join("/").replacen("//", "/", 1));
            }
            Some((module, name)) => {
                let _ = write!(text, "{module}.{name}");
                write(data, *args, rules, depth + 1, text);
            }
            None => text.push_str("<object>"),
        },
        Node::Persistent(_) => text.push_str("<storage>"),
    }
}

fn sequence(data: &Data<'_>, id: Id, rules: &StorageRules, depth: usize, brackets: [&str; 2], text: &mut String) {
    text.push_str(brackets[0]);
    let elements = data.elements(id).unwrap_or(&[]);
    for (i, &element) in elements.iter().enumerate() {
        if text.len() > MAX_TEXT {
            break;
        }
        text.push_str(if i > 0 { ", " } else { "" });
        write(data, element, rules, depth + 1, text);
    }
    if elements.len() == 1 && brackets[0] == "(" {
        text.push(',');
    }
    text.push_str(brackets[1]);
}

fn mapping(data: &Data<'_>, id: Id, rules: &StorageRules, depth: usize, text: &mut String) {
    text.push('{');
    for (i, (key, value)) in data.pairs(id).into_iter().flatten().enumerate() {
        if text.len() > MAX_TEXT {
            break;
        }
        text.push_str(if i > 0 { ", " } else { "" });
        write(data, key, rules, depth + 1, text);
        text.push_str(": ");
        write(data, value, rules, depth + 1, text);
    }
    text.push('}');
}

/// The text of a dict's key in a dotted path.
pub fn key_of(data: &Data<'_>, id: Id, rules: &StorageRules) -> Arc<str> {
    match data.str(id) {
        Some(text) => Arc::from(text),
        None => Arc::from(text_of(data, id, rules)),
    }
}
