//! Entries of state dicts in JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::checkpoint::Iteration;
use crate::rules::value::Value;
use crate::tensor::{Kind, Tensor};

/// `{key, kind, shape, dtype}`; `shape` only where there is one, `dtype` null for what is no tensor.
#[derive(Serialize)]
pub(super) struct Entry<'r> {
    key: &'r str,
    #[serde(flatten)]
    tensor: Description<'r>,
}

/// An entry without its key.
#[derive(Serialize)]
pub(super) struct Description<'r> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<&'r [u64]>,
    dtype: Option<&'r str>,
}

impl<'r> Entry<'r> {
    pub(super) fn new(key: &'r str, tensor: &'r Tensor) -> Self {
        Self { key, tensor: Description::new(tensor) }
    }
}

impl<'r> Description<'r> {
    pub(super) fn new(tensor: &'r Tensor) -> Self {
        let kind = match tensor.kind {
            Kind::Tensor => "tensor",
            Kind::Object => "object",
        };
        Self { kind, shape: tensor.shape.as_deref(), dtype: tensor.dtype.as_ref().map(|dtype| dtype.name()) }
    }
}

/// The step count, or `"release"`.
pub(super) struct IterationDocument(pub(super) Iteration);

impl Serialize for IterationDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Iteration::Step(step) => serializer.serialize_u64(step),
            Iteration::Release => serializer.serialize_str("release"),
        }
    }
}

/// Saved launch arguments by name.
pub(super) struct Args<'r>(pub(super) &'r BTreeMap<String, Value>);

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, ValueDocument(value))))
    }
}

/// A value as JSON has it. What JSON cannot say is text (`"inf"`), what is not known an object with the reason.
pub(super) struct ValueDocument<'r>(pub(super) &'r Value);

impl Serialize for ValueDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::None => serializer.serialize_none(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Value::Float(value) => serializer.serialize_str(&value.to_string()),
            Value::Str(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items.iter().map(ValueDocument)),
            Value::Version(version) => serializer.serialize_str(&version.to_string()),
            Value::Unknown(unknown) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unknown", &unknown.reason)?;
                map.end()
            }
        }
    }
}
