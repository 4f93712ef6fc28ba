//! A rank's parameters as an optimizer sees them: in the order of their registration, packed into flat buffers.

use std::sync::Arc;

use crate::error::Error;
use crate::rules::causes::as_path;
use crate::rules::expr::Scope;
use crate::rules::facts::Parameters;
use crate::rules::value::Value;
use crate::schema::{Rank, packed, registered};
use crate::tensor::{Inventory, Kind, Tensor};

/// Sets `<prefix><class>_shapes` (of all chunks), `_sizes` (elements in each chunk's flat buffer) and `_buckets` (elements
/// in each part of each buffer).
///
/// # Errors
/// When a rule cannot be computed for this launch.
pub(super) fn describe(
    scope: &mut Scope<'_>,
    prefix: &str,
    class: &Parameters,
    rank: &Rank,
    order: &[String],
) -> Result<(), Error> {
    let (mut shapes, mut sizes, mut buckets) = (Vec::new(), Vec::new(), Vec::new());
    let alone_holds = match &class.alone {
        Some((_, when)) => when.eval(scope)?.truth() == Some(true),
        None => false,
    };
    let mut unknown = None;
    for (index, chunk) in rank.chunks.iter().enumerate() {
        let parameters = of_class(class, chunk, order);
        shapes.extend(parameters.iter().map(|(_, tensor)| shape(tensor).unwrap_or(Value::None)));
        let mut inner = Scope::within(scope);
        inner.set("chunk", Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        let part = class.part.eval(&inner)?;
        let limit = part.int().and_then(|n| u64::try_from(n).ok());
        let alone =
            |key: &str| alone_holds && class.alone.as_ref().is_some_and(|(keys, _)| keys.is_match(as_path(key)));
        let each: Option<Vec<(u64, bool)>> = parameters
            .iter()
            .map(|(key, tensor)| Some((u64::try_from(elements(tensor)?.int()?).ok()?, alone(key))))
            .collect();
        let int = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        match each.and_then(|each| packed(&each, class.alignment, limit)) {
            _ if matches!(part, Value::Unknown(_)) => unknown = Some(part),
            Some(parts) if !parts.is_empty() => {
                sizes.push(int(parts.iter().fold(0_u64, |sum, n| sum.saturating_add(*n))));
                buckets.extend(parts.into_iter().map(int));
            }
            Some(_) => {}
            None => {
                let reason = "a size of a parameter is not known or too large";
                unknown = Some(Value::unknown("the size of the buffers", reason, Vec::new()));
            }
        }
    }
    let list = |items: Vec<Value>| Value::List(items.into());
    let name = |what: &str| Arc::<str>::from(format!("{prefix}{}_{what}", class.name));
    scope.set(name("shapes"), list(shapes));
    scope.set(name("sizes"), unknown.clone().unwrap_or_else(|| list(sizes)));
    scope.set(name("buckets"), unknown.unwrap_or_else(|| list(buckets)));
    Ok(())
}

/// The parameters of one state dict that belong to a class, in order.
fn of_class<'c>(class: &Parameters, chunk: &'c Inventory, order: &[String]) -> Vec<(&'c str, &'c Tensor)> {
    let belongs = |key: &str, tensor: &Tensor| {
        let path = as_path(key);
        let vector = tensor.shape.as_ref().is_some_and(|shape| shape.len() == 1);
        tensor.kind == Kind::Tensor
            && class.keys.is_match(&path)
            && !class.without.is_match(&path)
            && class.vectors.is_none_or(|wanted| wanted == vector)
    };
    let mut parameters: Vec<_> =
        chunk.iter().filter(|(key, tensor)| belongs(key, tensor)).map(|(key, tensor)| (&**key, tensor)).collect();
    parameters.sort_by(|(a, _), (b, _)| registered(a, b, order));
    parameters
}

/// The number of a tensor's elements.
pub(super) fn elements(tensor: &Tensor) -> Option<Value> {
    let product = tensor.shape.as_ref()?.iter().try_fold(1_u64, |product, n| product.checked_mul(*n))?;
    i64::try_from(product).ok().map(Value::Int)
}

/// A tensor's shape as text, such as `64 x 16`.
pub(super) fn shape(tensor: &Tensor) -> Option<Value> {
    let sizes: Vec<String> = tensor.shape.as_ref()?.iter().map(u64::to_string).collect();
    Some(Value::str(&sizes.join(" x ")))
}
