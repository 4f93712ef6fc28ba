//! Tensors in pickles of `torch.save`: which call rebuilds which tensor. Source: torch/_utils.py, torch/_tensor.py
//! (2.0 to 2.15).

use super::error::{Problem, malformed};
use super::pickle::{Data, Id, Node};
use crate::tensor::{Dtype, Shape};

/// A tensor as its pickle describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorFact {
    /// Sizes of the axes.
    pub shape: Shape,
    /// Element type.
    pub dtype: Dtype,
    /// Where its elements lie; `None` for tensors without data of their own.
    pub storage: Option<StorageFact>,
}

/// The part of a storage that a tensor uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageFact {
    /// The storage's name: `data/<key>` in the archive.
    pub key: String,
    /// Bytes of the whole storage.
    pub bytes: u64,
    /// Bytes from its start to the end of the tensor's last element.
    pub used: u64,
}

/// How deep calls of rebuilding functions are nested in practice is two; more is a trick.
const MAX_WRAPPERS: usize = 8;

/// The tensor that this value would be, if it is one. `wrapped` are methods that rebuild quantised tensors.
pub fn tensor(data: &Data<'_>, id: Id, wrapped: &[String]) -> Result<Option<TensorFact>, Problem> {
    let mut id = id;
    if method(data, id).is_some_and(|method| wrapped.iter().any(|name| name == method)) {
        return Ok(quantised(data, data.args(id).unwrap_or(&[])));
    }
    for _ in 0..MAX_WRAPPERS {
        let Some((module, name)) = data.class(id) else { return Ok(None) };
        let args = data.args(id).unwrap_or(&[]);
        if !matches!(module, "torch._utils" | "torch._tensor") {
            return Ok(None);
        }
        match (name, args) {
            ("_rebuild_tensor_v2" | "_rebuild_tensor" | "_rebuild_qtensor", [storage, offset, size, stride, ..]) => {
                return strided(data, *storage, [*offset, *size, *stride], None).map(Some);
            }
            ("_rebuild_tensor_v3", [storage, offset, size, stride, _grad, _hooks, dtype, ..]) => {
                return strided(data, *storage, [*offset, *size, *stride], Some(*dtype)).map(Some);
            }
            ("_rebuild_parameter" | "_rebuild_parameter_with_state", [inner, ..]) => id = *inner,
            ("_rebuild_meta_tensor_no_storage", [dtype, size, ..])
            | ("_rebuild_wrapper_subclass", [_, dtype, size, ..]) => {
                let (shape, dtype) = (dimensions(data, *size)?, named_dtype(data, *dtype)?);
                return Ok(Some(TensorFact { shape, dtype, storage: None }));
            }
            ("_rebuild_sparse_tensor", [_, parts, ..]) => return sparse(data, *parts).map(Some),
            ("_rebuild_from_type_v2", [function, _, arguments, ..]) => {
                return from_type(data, *function, *arguments);
            }
            (name, _) if name.starts_with("_rebuild") => {
                return Err(malformed(format!("the arguments of torch's `{name}`"), "fewer or others"));
            }
            _ => return Ok(None),
        }
    }
    Err(malformed("a tensor", "rebuilding functions nested in each other"))
}

/// The name of a class method that makes an object: Python pickles it as `getattr(class, name)`.
fn method<'d>(data: &'d Data<'_>, id: Id) -> Option<&'d str> {
    let Node::Object { class, .. } = data.node(id) else { return None };
    let (Some((_, "getattr")), Some(&[_, name])) = (data.class(*class), data.args(*class)) else { return None };
    data.str(name)
}

/// A quantised tensor. The order of the arguments changed between releases, but the element type that it stands for
/// is the only dtype among them, and the shape is given or that of the stored data, the first tensor.
fn quantised(data: &Data<'_>, args: &[Id]) -> Option<TensorFact> {
    let dtype = args.iter().find_map(|&arg| named_dtype(data, arg).ok())?;
    let given = args.iter().find_map(|&arg| dimensions(data, arg).ok());
    let stored = || args.iter().find_map(|&arg| tensor(data, arg, &[]).ok().flatten()).map(|fact| fact.shape);
    Some(TensorFact { shape: given.or_else(stored)?, dtype, storage: None })
}

/// `_rebuild_from_type_v2(function, type, arguments, state)`: a subclass of a tensor that `function` rebuilds.
fn from_type(data: &Data<'_>, function: Id, arguments: Id) -> Result<Option<TensorFact>, Problem> {
    let arguments = data.elements(arguments).unwrap_or(&[]);
    match (data.global(function).map(|(_, name)| name), arguments) {
        (Some("_rebuild_tensor_v2"), [storage, offset, size, stride, ..]) => {
            strided(data, *storage, [*offset, *size, *stride], None).map(Some)
        }
        (Some("_rebuild_tensor_v3"), [storage, offset, size, stride, _, _, dtype, ..]) => {
            strided(data, *storage, [*offset, *size, *stride], Some(*dtype)).map(Some)
        }
        (Some("_rebuild_wrapper_subclass"), [_, dtype, size, ..])
        | (Some("_rebuild_meta_tensor_no_storage"), [dtype, size, ..]) => {
            let (shape, dtype) = (dimensions(data, *size)?, named_dtype(data, *dtype)?);
            Ok(Some(TensorFact { shape, dtype, storage: None }))
        }
        // Another subclass: its shape is its own secret.
        _ => Ok(None),
    }
}

/// A tensor of a storage; `layout` is offset, size and stride, counted in elements.
fn strided(data: &Data<'_>, storage: Id, layout: [Id; 3], dtype: Option<Id>) -> Result<TensorFact, Problem> {
    let [offset, size, stride] = layout;
    let shape = dimensions(data, size)?;
    let strides = dimensions(data, stride)?;
    let offset = count(data, offset, "a storage offset")?;
    let (key, stored, numel) = persistent(data, storage)?;
    let untyped = stored.is_none();
    let dtype = match (dtype, stored) {
        (Some(dtype), _) => named_dtype(data, dtype)?,
        (None, Some(stored)) => Dtype::new(stored),
        (None, None) => Dtype::new("uint8"),
    };
    if strides.len() != shape.len() {
        return Err(malformed(format!("{} strides", shape.len()), strides.len()));
    }
    let overflow = || malformed("a tensor of less than 2^64 bytes", "a larger one");
    let last = shape
        .iter()
        .zip(&strides)
        .try_fold(offset, |last, (size, stride)| last.checked_add(size.saturating_sub(1).checked_mul(*stride)?));
    let elements = if shape.contains(&0) { 0 } else { last.and_then(|l| l.checked_add(1)).ok_or_else(overflow)? };
    // A type of unknown size is listed all the same; only its extent is not checked.
    let width = dtype.size().unwrap_or(0);
    let bytes = if untyped { numel } else { numel.checked_mul(width).ok_or_else(overflow)? };
    let used = elements.checked_mul(width).ok_or_else(overflow)?;
    if used > bytes {
        let found = format!("one of {bytes} bytes");
        return Err(malformed(format!("a storage of at least {used} bytes for the shape {shape:?}"), found));
    }
    Ok(TensorFact { shape, dtype, storage: Some(StorageFact { key, bytes, used }) })
}

/// `('storage', class, key, location, numel[, view])`: key, element type (`None` for untyped), size.
fn persistent(data: &Data<'_>, id: Id) -> Result<(String, Option<&'static str>, u64), Problem> {
    let bad = |what: &str| malformed("a storage reference ('storage', class, key, location, size)", what);
    let Node::Persistent(tuple) = data.node(id) else { return Err(bad("another value")) };
    let Some(&[kind, class, key, _location, numel, ..]) = data.elements(*tuple) else {
        return Err(bad("fewer elements"));
    };
    if data.str(kind) != Some("storage") {
        return Err(bad("another kind of reference"));
    }
    let (_, class) = data.global(class).ok_or_else(|| bad("no storage class"))?;
    let dtype = storage_dtype(class).ok_or_else(|| bad(&format!("the class `{class}`")))?;
    let key = data.str(key).map(str::to_owned).or_else(|| data.int(key).map(|k| k.to_string()));
    let key = key.ok_or_else(|| bad("a key that is no text"))?;
    Ok((key, dtype, count(data, numel, "a storage size")?))
}

/// The element type of a storage class; `Some(None)` for the untyped one, whose sizes are bytes.
pub(crate) fn storage_dtype(class: &str) -> Option<Option<&'static str>> {
    Some(Some(match class {
        "UntypedStorage" | "_UntypedStorage" => return Some(None),
        "FloatStorage" => "float32",
        "DoubleStorage" => "float64",
        "HalfStorage" => "float16",
        "BFloat16Storage" => "bfloat16",
        "LongStorage" => "int64",
        "IntStorage" => "int32",
        "ShortStorage" => "int16",
        "CharStorage" => "int8",
        "ByteStorage" => "uint8",
        "BoolStorage" => "bool",
        "ComplexFloatStorage" => "complex64",
        "ComplexDoubleStorage" => "complex128",
        "QInt8Storage" => "qint8",
        "QUInt8Storage" => "quint8",
        "QInt32Storage" => "qint32",
        "QUInt4x2Storage" => "quint4x2",
        "QUInt2x4Storage" => "quint2x4",
        _ => return None,
    }))
}

/// `(indices, values, size[, is_coalesced])` of a sparse tensor.
fn sparse(data: &Data<'_>, parts: Id) -> Result<TensorFact, Problem> {
    let bad = || malformed("indices, values and size of a sparse tensor", "other values");
    let Some(&[_, values, size, ..]) = data.elements(parts) else { return Err(bad()) };
    let shape = dimensions(data, size)?;
    let args = data.args(values).ok_or_else(bad)?;
    let [storage, offset, size, stride, ..] = args else { return Err(bad()) };
    let values = strided(data, *storage, [*offset, *size, *stride], None)?;
    Ok(TensorFact { shape, dtype: values.dtype, storage: values.storage })
}

/// A shape: a tuple or list of sizes, or a `torch.Size` of one.
pub fn dimensions(data: &Data<'_>, id: Id) -> Result<Shape, Problem> {
    let bad = || malformed("a shape: a tuple of sizes", "another value");
    let list = match data.class(id) {
        Some(("torch", "Size")) => *data.args(id).and_then(<[Id]>::first).ok_or_else(bad)?,
        _ => id,
    };
    data.elements(list).ok_or_else(bad)?.iter().map(|&size| count(data, size, "a size")).collect()
}

/// A dtype: the global `torch.<name>`.
pub fn named_dtype(data: &Data<'_>, id: Id) -> Result<Dtype, Problem> {
    match data.global(id) {
        Some(("torch", name)) => Ok(Dtype::new(name)),
        _ => Err(malformed("a dtype such as torch.bfloat16", "another value")),
    }
}

fn count(data: &Data<'_>, id: Id, what: &str) -> Result<u64, Problem> {
    let number = data.int(id).and_then(|n| u64::try_from(n).ok());
    number.ok_or_else(|| malformed(format!("{what}, a whole number from 0 on"), "another value"))
}
