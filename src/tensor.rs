//! The one type on both sides of a check: what a model wants and what a checkpoint has.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The name of an entry of a state dict, exactly as the framework writes it.
pub type Key = Arc<str>;

/// Sizes of a tensor's axes, outermost first.
pub type Shape = Vec<u64>;

/// Element type of a tensor under PyTorch's own name (`bfloat16`, `float32`, `float8_e4m3fn`, ...).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dtype(Arc<str>);

impl Dtype {
    /// The dtype of that torch name.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// torch's name, without the `torch.` prefix.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Bytes of one element, where the type is a known one of whole bytes.
    pub fn size(&self) -> Option<u64> {
        Some(match &*self.0 {
            "bool" | "uint8" | "int8" | "float8_e4m3fn" | "float8_e5m2" | "float8_e4m3fnuz" | "float8_e5m2fnuz"
            | "float8_e8m0fnu" | "quint8" | "qint8" => 1,
            "float16" | "bfloat16" | "int16" | "uint16" => 2,
            "float32" | "int32" | "uint32" | "complex32" | "qint32" => 4,
            "float64" | "int64" | "uint64" | "complex64" => 8,
            "complex128" => 16,
            _ => return None,
        })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A tensor with shape and dtype.
    Tensor,
    /// Anything else (bytes or `None`, say). Its shape, if any, is the grid of
    /// its shards in a distributed checkpoint.
    Object,
}

/// One entry of a state dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Tensor or other object.
    pub kind: Kind,
    /// Sizes of the axes; for an object of a distributed checkpoint the grid of its shards.
    pub shape: Option<Shape>,
    /// Element type; `None` for objects.
    pub dtype: Option<Dtype>,
    /// The file that holds it, relative to the checkpoint directory; `None` on the expected side.
    pub file: Option<Arc<str>>,
    /// On the expected side: its module fills it in by itself where a checkpoint lacks it.
    pub optional: bool,
}

impl Tensor {
    /// A tensor of that shape and dtype.
    #[allow(clippy::self_named_constructors, reason = "its counterpart is `object`")]
    pub fn tensor(shape: Shape, dtype: Dtype) -> Self {
        Self { kind: Kind::Tensor, shape: Some(shape), dtype: Some(dtype), file: None, optional: false }
    }

    /// An object without a shape.
    pub fn object() -> Self {
        Self { kind: Kind::Object, shape: None, dtype: None, file: None, optional: false }
    }

    /// The same entry, held by that file.
    pub fn in_file(mut self, file: &Arc<str>) -> Self {
        self.file = Some(Arc::clone(file));
        self
    }
}

/// The entries of one state dict, sorted by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    entries: BTreeMap<Key, Tensor>,
}

impl Inventory {
    /// An inventory without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry and gives back the one that had this key before.
    pub fn insert(&mut self, key: impl Into<Key>, tensor: Tensor) -> Option<Tensor> {
        self.entries.insert(key.into(), tensor)
    }

    /// The entry of that key.
    pub fn get(&self, key: &str) -> Option<&Tensor> {
        self.entries.get(key)
    }

    /// All entries in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Tensor)> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(Key, Tensor)> for Inventory {
    fn from_iter<I: IntoIterator<Item = (Key, Tensor)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl IntoIterator for Inventory {
    type Item = (Key, Tensor);
    type IntoIter = std::collections::btree_map::IntoIter<Key, Tensor>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
