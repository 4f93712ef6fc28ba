//! Plain values out of pickled data: what saved launch arguments and single settings are.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use super::pickle::{Data, Id, Node};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;

/// Lists and objects nested deeper than this are cut in a text; no launch argument comes close.
const MAX_DEPTH: usize = 6;
/// So are longer texts.
const MAX_TEXT: usize = 4096;

/// Makes values of one pickle's data.
///
/// A list that stands at many places is made once and shared: the whole costs no more than the pickle's length
/// allows.
pub struct Values<'r> {
    data: &'r Data<'r>,
    rules: &'r StorageRules,
    made: HashMap<Id, Value>,
    /// Characters that texts of composed values may still have.
    budget: usize,
}

impl<'r> Values<'r> {
    /// The values of that data.
    pub fn new(data: &'r Data<'r>, rules: &'r StorageRules) -> Self {
        let budget = data.pickle_length().saturating_mul(16).saturating_add(1 << 20);
        Self { data, rules, made: HashMap::new(), budget }
    }

    /// The attributes of an `argparse.Namespace` (or the entries of a dict).
    pub fn attributes(&mut self, id: Id) -> Option<BTreeMap<String, Value>> {
        let table = self.data.state(id).unwrap_or(id);
        let mut attributes = BTreeMap::new();
        for (key, value) in self.data.pairs(table)? {
            if let Some(name) = self.data.str(key) {
                attributes.insert(name.to_owned(), self.value(value));
            }
        }
        Some(attributes)
    }

    /// The value; what rules cannot compute with becomes text.
    pub fn value(&mut self, id: Id) -> Value {
        if let Some(value) = self.made.get(&id) {
            return value.clone();
        }
        let value = match self.data.node(id) {
            // One level: a list in a list is text, for lists may be shared and nested without end.
            Node::List(_) | Node::Tuple(_) | Node::Set(_) => {
                let elements = self.data.elements(id).unwrap_or(&[]);
                Value::List(elements.iter().map(|&element| self.scalar(element)).collect())
            }
            _ => return self.scalar(id),
        };
        self.made.insert(id, value.clone());
        value
    }

    fn scalar(&mut self, id: Id) -> Value {
        if let Some(value) = plain(self.data, id) {
            return value;
        }
        if let Some(value) = self.made.get(&id) {
            // In a list in a list the inner one is text all the same.
            return if matches!(value, Value::List(_)) { Value::Str(Arc::from("[...]")) } else { value.clone() };
        }
        let value = match sole_argument(self.data, id) {
            Some(argument) => self.enum_member(id, argument),
            None => {
                let text = if self.budget == 0 { "...".to_owned() } else { text_of(self.data, id) };
                self.budget = self.budget.saturating_sub(text.len());
                Value::Str(text.into())
            }
        };
        self.made.insert(id, value.clone());
        value
    }

    /// An enum member: its name where the rules know the class, else its value.
    fn enum_member(&mut self, id: Id, argument: Id) -> Value {
        let value = self.scalar(argument);
        let class = self.data.class(id).map(|(module, name)| format!("{module}.{name}"));
        match class.and_then(|class| self.rules.enum_member(&class, &value.to_string()).map(Value::str)) {
            Some(member) => member,
            None => value,
        }
    }
}

/// Values that need nothing else to be told.
fn plain(data: &Data<'_>, id: Id) -> Option<Value> {
    Some(match data.node(id) {
        Node::None => Value::None,
        Node::Bool(truth) => Value::Bool(*truth),
        Node::Int(number) => Value::Int(*number),
        Node::Float(number) => Value::Float(*number),
        _ => return None,
    })
}

/// The only argument of an object without state, if it is a scalar: an enum member is pickled as its class and value.
fn sole_argument(data: &Data<'_>, id: Id) -> Option<Id> {
    let Some(&[argument]) = data.args(id) else { return None };
    let is_scalar = matches!(data.node(argument), Node::Int(_) | Node::Str(_) | Node::Text(_) | Node::Bool(_));
    (is_scalar && data.state(id).is_none()).then_some(argument)
}

/// A value as text, in Python's notation where it has one.
pub fn text_of(data: &Data<'_>, id: Id) -> String {
    let mut text = String::new();
    write(data, id, 0, &mut text);
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Recursion is bounded by `MAX_DEPTH`, the work by `MAX_TEXT`.
fn write(data: &Data<'_>, id: Id, depth: usize, text: &mut String) {
    if depth > MAX_DEPTH || text.len() > MAX_TEXT {
        text.push_str("...");
        return;
    }
    // Writing to a String cannot fail.
    match data.node(id) {
        Node::None | Node::Bool(_) | Node::Int(_) | Node::Float(_) => {
            let _ = write!(text, "{}", plain(data, id).unwrap_or(Value::None));
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
        Node::Tuple(_) => sequence(data, id, depth, ["(", ")"], text),
        Node::List(_) => sequence(data, id, depth, ["[", "]"], text),
        Node::Set(_) => sequence(data, id, depth, ["{", "}"], text),
        Node::Dict(_) => mapping(data, id, depth, text),
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
                write(data, data.args(id).and_then(|a| a.first().copied()).unwrap_or(*args), depth, text);
            }
            Some(("pathlib", _)) => {
                let parts = data.args(id).unwrap_or(&[]).iter().filter_map(|&part| data.str(part));
                text.push_str(&parts.collect::<Vec<_>>().join("/").replacen("//", "/", 1));
            }
            Some((module, name)) => {
                let _ = write!(text, "{module}.{name}");
                write(data, *args, depth + 1, text);
            }
            None => text.push_str("<object>"),
        },
        Node::Persistent(_) => text.push_str("<storage>"),
    }
}

fn sequence(data: &Data<'_>, id: Id, depth: usize, brackets: [&str; 2], text: &mut String) {
    text.push_str(brackets[0]);
    let elements = data.elements(id).unwrap_or(&[]);
    for (i, &element) in elements.iter().enumerate() {
        if text.len() > MAX_TEXT {
            break;
        }
        text.push_str(if i > 0 { ", " } else { "" });
        write(data, element, depth + 1, text);
    }
    if elements.len() == 1 && brackets[0] == "(" {
        text.push(',');
    }
    text.push_str(brackets[1]);
}

fn mapping(data: &Data<'_>, id: Id, depth: usize, text: &mut String) {
    text.push('{');
    for (i, (key, value)) in data.pairs(id).into_iter().flatten().enumerate() {
        if text.len() > MAX_TEXT {
            break;
        }
        text.push_str(if i > 0 { ", " } else { "" });
        write(data, key, depth + 1, text);
        text.push_str(": ");
        write(data, value, depth + 1, text);
    }
    text.push('}');
}

/// The text of a dict's key in a dotted path.
pub fn key_of(data: &Data<'_>, id: Id) -> Arc<str> {
    match data.str(id) {
        Some(text) => Arc::from(text),
        None => Arc::from(text_of(data, id)),
    }
}
