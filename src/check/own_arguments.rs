//! The words of a program with arguments of its own: options (`--sequence_parallel true`) and overrides of settings as Hydra
//! takes them (`++actor.megatron.tensor_model_parallel_size=2`). Which argument of the framework one stands for is told by
//! its name alone.

use std::collections::HashSet;
use std::sync::Arc;

use crate::launch::Word;
use crate::report::Flag;
use crate::rules::flags::Parser;
use crate::rules::value::Value;
use crate::text::Span;

/// What may stand before an override's name: it adds, or takes away.
const OVERRIDES: [char; 2] = ['+', '~'];

/// The options and overrides of the words that `program` reads, in their order; the last of several that have one name counts.
pub(super) fn flags(parser: &Parser, program: &str, words: &[Word]) -> Vec<Flag> {
    let defaults = parser.defaults();
    let mut flags: Vec<Flag> = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let Some((name, value)) = named(word) else { continue };
        let mut labels: Vec<Span> = word.places.first().cloned().into_iter().collect();
        let mut values: Vec<Value> = value.map(typed).into_iter().collect();
        while value.is_none()
            && let Some(next) = rest.next_if(|next| named(next).is_none())
        {
            labels.extend(next.places.first().cloned());
            values.push(match &next.value {
                Ok(text) => typed(text),
                Err(unknown) => Value::Unknown(Arc::clone(unknown)),
            });
        }
        let value = joined(values);
        let last = name.rsplit('.').next().unwrap_or(name).trim_start_matches('-').replace('-', "_");
        let known = parser.setting(&last).next().is_some();
        let dest = known.then_some(last);
        let default = dest.as_ref().and_then(|dest| defaults.get(dest)).cloned().unwrap_or(Value::None);
        let fork = dest.is_none().then(|| program.to_owned());
        flags.push(Flag { flag: name.to_owned(), dest, fork, value, default, labels });
    }
    // The last one of a name stays, where it is.
    let mut seen = HashSet::new();
    let mut last: Vec<Flag> = flags.into_iter().rev().filter(|flag| seen.insert(flag.flag.clone())).collect();
    last.reverse();
    last
}

/// The name that a word gives, and the value where it has it too; `None` where it is a value alone.
fn named(word: &Word) -> Option<(&str, Option<&str>)> {
    let text = word.value.as_deref().ok()?;
    if let Some(option) = text.strip_prefix("--").filter(|option| !option.is_empty()) {
        return Some(match option.split_once('=') {
            Some((name, value)) => (&text[..2 + name.len()], Some(value)),
            None => (text, None),
        });
    }
    let (name, value) = text.trim_start_matches(OVERRIDES).split_once('=')?;
    let is_path = |c: char| c.is_alphanumeric() || "._-/@".contains(c);
    (!name.is_empty() && name.chars().all(is_path)).then_some((name, Some(value)))
}

/// No value, one, or several as a list.
pub(super) fn joined(mut values: Vec<Value>) -> Value {
    match values.len() {
        0 => Value::None,
        1 => values.remove(0),
        _ => Value::List(values.into()),
    }
}

/// Whole numbers and truths as such, all else as text.
fn typed(text: &str) -> Value {
    match text {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        _ => text.parse().map_or_else(|_| Value::str(text), Value::Int),
    }
}
