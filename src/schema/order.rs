//! The order in which parameters are registered, which is the order that an optimizer numbers and packs them in.

use std::cmp::Ordering;

/// Compares two keys of one state dict. A module's own parameters come before those of the modules in it; names are in
/// the order of `order`, numbers count up.
pub fn registered(a: &str, b: &str, order: &[String]) -> Ordering {
    let (mut left, mut right) = (a.split('.').peekable(), b.split('.').peekable());
    loop {
        match (left.next(), right.next()) {
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => {
                let inner = left.peek().is_some().cmp(&right.peek().is_some());
                return inner.then_with(|| name(x, order).cmp(&name(y, order))).then_with(|| x.cmp(y));
            }
            (x, y) => return x.is_some().cmp(&y.is_some()),
        }
    }
}

/// The place of a name: a number by itself, or the number it ends with and then its place in the order.
fn name(text: &str, order: &[String]) -> (u64, usize) {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text[stem.len()..].parse().unwrap_or(0);
    let place = |name: &str| order.iter().position(|known| known == name);
    match place(text) {
        Some(place) => (0, place),
        None => (number, place(stem).unwrap_or(usize::MAX)),
    }
}

/// Sizes of the parts of a flat buffer that holds parameters in reverse order. `parameters` gives for each, in the order
/// of registration, its elements and whether it has a part to itself; each begins at a multiple of `alignment`, and a
/// part ends when it has `limit` elements.
///
/// Source: `_ParamAndGradBuffer` of megatron/core/distributed/param_and_grad_buffer.py.
pub fn packed(parameters: &[(u64, bool)], alignment: u64, limit: Option<u64>) -> Option<Vec<u64>> {
    let (mut parts, mut filled, mut any) = (Vec::new(), 0_u64, false);
    for (elements, alone) in parameters.iter().rev() {
        filled = filled.checked_next_multiple_of(alignment)?;
        if *alone && any {
            parts.push(filled);
            filled = 0;
        }
        filled = filled.checked_add(*elements)?;
        any = true;
        if *alone || limit.is_some_and(|limit| filled >= limit) {
            parts.push(filled);
            (filled, any) = (0, false);
        }
    }
    if any {
        parts.push(filled);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_parameters_first_then_modules_in_order() {
        let order = ["proj", "fc1", "norm_weight", "weight", "bias"].map(str::to_owned);
        let mut keys = ["a.10.proj.bias", "a.2.fc1.weight", "a.2.proj.weight", "a.2.gate", "a.2.fc1.norm_weight"];
        keys.sort_by(|a, b| registered(a, b, &order));
        assert_eq!(keys, ["a.2.gate", "a.2.proj.weight", "a.2.fc1.norm_weight", "a.2.fc1.weight", "a.10.proj.bias"]);
        let mut numbered = ["x.weight10", "x.bias2", "x.weight2", "x.bias10"];
        numbered.sort_by(|a, b| registered(a, b, &order));
        assert_eq!(numbered, ["x.weight2", "x.bias2", "x.weight10", "x.bias10"]);
    }

    #[test]
    fn a_buffer_begins_with_the_last_parameter() {
        assert_eq!(packed(&[(100, false), (10, false)], 64, None), Some(vec![164]));
        assert_eq!(packed(&[(100, true), (10, false)], 64, None), Some(vec![64, 100]));
        assert_eq!(packed(&[(1, false), (64, false), (64, false)], 64, Some(128)), Some(vec![128, 1]));
        assert_eq!(packed(&[(u64::MAX, false), (1, false)], 64, None), None);
    }
}
