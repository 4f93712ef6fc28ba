//! How entries read in every rendering for people.

use crate::tensor::{Kind, Tensor};

/// `[4096, 1024]`; empty for an object without a grid.
pub(crate) fn shape(tensor: &Tensor) -> String {
    match &tensor.shape {
        None => String::new(),
        Some(shape) => format!("[{}]", shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// `bfloat16`; `object` for what is no tensor.
pub(crate) fn dtype(tensor: &Tensor) -> String {
    match (tensor.kind, &tensor.dtype) {
        (Kind::Object, _) => "object".to_owned(),
        (Kind::Tensor, None) => "?".to_owned(),
        (Kind::Tensor, Some(dtype)) => dtype.name().to_owned(),
    }
}
