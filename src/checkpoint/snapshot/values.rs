//! Values in a snapshot: plain JSON where it can say them, an object with one name where it cannot.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::rules::value::{Unknown, Value};

/// A value as JSON.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Float(number) if number.is_finite() => json!(number),
        Value::Float(number) => json!({ "float": number.to_string() }),
        Value::Str(text) => json!(&**text),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Version(version) => json!({ "version": version.to_string() }),
        Value::Unknown(unknown) => json!({ "unknown": [unknown.name, unknown.reason] }),
    }
}

/// The value that JSON stands for; `None` where it is none of ours.
pub(super) fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::None,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::str(text),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect::<Option<_>>()?),
        Json::Object(object) => {
            let (name, inside) = object.iter().next().filter(|_| object.len() == 1)?;
            match (name.as_str(), inside) {
                ("float", Json::String(text)) => Value::Float(text.parse().ok()?),
                ("version", Json::String(text)) => Value::Version(text.parse().ok()?),
                ("unknown", Json::Array(words)) => {
                    let word = |at: usize| words.get(at).and_then(Json::as_str).map(str::to_owned);
                    Value::Unknown(Arc::new(Unknown { name: word(0)?, reason: word(1)?, places: Vec::new() }))
                }
                _ => return None,
            }
        }
    })
}
