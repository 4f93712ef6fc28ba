//! Inventories in a snapshot: one line for all keys that have the same dtype, shape and file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pattern::{Pattern, fold_by};
use crate::tensor::{Dtype, Inventory, Kind, Tensor};

/// Stands for the part's own file.
const OWN: &str = ".";
/// Stands for an entry without a file.
const NOWHERE: &str = "-";

/// Patterns and what each of their keys is, in print order.
pub(super) type Lines = Vec<(String, String)>;

/// An inventory of a part that lies in that file.
pub(super) fn fold(inventory: &Inventory, file: &str) -> Lines {
    let told = inventory.iter().map(|(key, tensor)| (&**key, tell(tensor, file)));
    fold_by(told).into_iter().map(|(pattern, what)| (pattern.to_string(), what)).collect()
}

/// `bfloat16 [4, 16]`, `object`; ` in FILE` where it is not the part's own.
fn tell(tensor: &Tensor, own: &str) -> String {
    let Tensor { kind, shape, dtype, file, optional } = tensor;
    let mut text = match (kind, dtype) {
        (Kind::Tensor, Some(dtype)) => word(dtype.name()),
        (Kind::Tensor, None) => "?".to_owned(),
        (Kind::Object, None) => "object".to_owned(),
        (Kind::Object, Some(dtype)) => format!("object:{}", word(dtype.name())),
    };
    if let Some(shape) = shape {
        let axes: Vec<String> = shape.iter().map(u64::to_string).collect();
        text.push_str(&format!(" [{}]", axes.join(", ")));
    }
    if *optional {
        text.push_str(" optional");
    }
    match file.as_deref() {
        Some(file) if file == own => {}
        Some(file) if file == OWN || file == NOWHERE => text.push_str(&format!(" in ./{file}")),
        Some(file) => text.push_str(&format!(" in {file}")),
        None => text.push_str(&format!(" in {NOWHERE}")),
    }
    text
}

/// A dtype's name, which a damaged file may have made of anything.
fn word(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let hex = || name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    if plain && name != "object" { name.to_owned() } else { format!("x:{}", hex()) }
}

fn of_word(word: &str) -> Option<Dtype> {
    let Some(hex) = word.strip_prefix("x:") else { return Some(Dtype::new(word)) };
    let pairs = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    Some(Dtype::new(std::str::from_utf8(&bytes).ok()?))
}

/// The tensor that a line tells.
fn read(text: &str, own: &Arc<str>) -> Option<Tensor> {
    let (text, file) = match text.split_once(" in ") {
        None => (text, Some(Arc::clone(own))),
        Some((text, NOWHERE)) => (text, None),
        Some((text, file)) => {
            let special = file.strip_prefix("./").filter(|rest| [OWN, NOWHERE].contains(rest));
            (text, Some(Arc::from(special.unwrap_or(file))))
        }
    };
    let (text, optional) = text.strip_suffix(" optional").map_or((text, false), |text| (text, true));
    let (what, shape) = match text.split_once(" [") {
        None => (text, None),
        Some((what, axes)) => {
            let axes = axes.strip_suffix(']')?;
            let axes = axes.split(", ").filter(|_| !axes.is_empty());
            (what, Some(axes.map(|axis| axis.parse().ok()).collect::<Option<Vec<u64>>>()?))
        }
    };
    let (kind, dtype) = match what {
        "?" => (Kind::Tensor, None),
        "object" => (Kind::Object, None),
        what => match what.strip_prefix("object:") {
            Some(dtype) => (Kind::Object, Some(of_word(dtype)?)),
            None => (Kind::Tensor, Some(of_word(what)?)),
        },
    };
    Some(Tensor { kind, shape, dtype, file, optional })
}

/// The inventory of a part that lies in that file, if its lines make one of at most `left` entries.
pub(super) fn unfold(lines: &BTreeMap<String, String>, own: &Arc<str>, left: &mut u64) -> Option<Inventory> {
    let mut inventory = Inventory::new();
    for (pattern, what) in lines {
        let tensor = read(what, own)?;
        let pattern = Pattern::parse(pattern, *left)?;
        *left -= pattern.count();
        for key in pattern.keys() {
            if inventory.insert(key, tensor.clone()).is_some() {
                return None;
            }
        }
    }
    Some(inventory)
}
