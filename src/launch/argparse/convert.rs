//! From a word to a value: `_get_value` and `_check_value`.

use std::sync::Arc;

use super::expression;
use super::python::{self, Int, repr};
use crate::rules::flags::{Action, Form};
use crate::rules::value::Value;

/// A word that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// argparse refuses it with this text.
    Invalid(String),
    /// The conversion raises what argparse does not catch; the last line of the traceback.
    Raised(String),
}

/// Converts a word and compares it with the choices.
pub(super) fn checked(action: &Action, text: &str) -> Result<Value, Failure> {
    let value = convert(action, text)?;
    check(action, &value)?;
    Ok(value)
}

/// Refuses a value that is none of the choices.
pub(super) fn check(action: &Action, value: &Value) -> Result<(), Failure> {
    let Some(choices) = &action.choices else { return Ok(()) };
    // What is unknown here is a number beyond 64 bits: no choice is that big.
    if choices.iter().any(|choice| equal(choice, value)) {
        return Ok(());
    }
    let names: Vec<String> = choices.iter().map(show).collect();
    Err(Failure::Invalid(format!("invalid choice: {} (choose from {})", show(value), names.join(", "))))
}

/// Converts a word by the action's type.
pub(super) fn convert(action: &Action, text: &str) -> Result<Value, Failure> {
    let Some(value_type) = &action.value_type else { return Ok(Value::str(text)) };
    // What a ValueError or TypeError of the conversion becomes.
    let invalid = || Failure::Invalid(format!("invalid {} value: {}", value_type.name, repr(text)));
    match &value_type.form {
        Form::Text => Ok(Value::str(text)),
        Form::Truth => Ok(Value::Bool(!text.is_empty())),
        Form::Int => int(text).ok_or_else(invalid),
        Form::Float => python::float(text).map(Value::Float).ok_or_else(invalid),
        Form::Member { members, words } => {
            let found = words.iter().chain(members).find(|name| ***name == *text);
            found.map(|name| Value::Str(Arc::clone(name))).ok_or_else(|| key_error(text))
        }
        Form::Number(numbers) => numbers.get(text).copied().map(Value::Int).ok_or_else(|| key_error(text)),
        Form::Ints => {
            let numbers = text.trim_matches(['(', ')']).split(',').map(int);
            numbers.collect::<Option<Vec<_>>>().map(|list| Value::List(list.into())).ok_or_else(invalid)
        }
        Form::IntOrList { .. } if !text.contains('[') => int(text).ok_or_else(invalid),
        Form::IntOrList { alphabet } => {
            if alphabet.as_ref().is_some_and(|alphabet| text.chars().any(|c| !alphabet.contains(c))) {
                return Err(invalid());
            }
            expression::evaluate(text).map_err(|error| match error {
                expression::Error::TypeOrValue => invalid(),
                expression::Error::Other(line) => Failure::Raised(line),
            })
        }
    }
}

fn key_error(text: &str) -> Failure {
    Failure::Raised(format!("KeyError: {}", repr(text)))
}

fn int(text: &str) -> Option<Value> {
    Some(match python::int(text)? {
        Int::Number(number) => Value::Int(number),
        Int::Huge(number) => Value::unknown(number, "it is a whole number of more than 64 bits", Vec::new()),
    })
}

/// Python's `==`, which takes numbers of different types for equal.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(x), other) | (other, Value::Float(x)) => match other {
            Value::Float(y) => x == y,
            other => other.int().is_some_and(|i| i as f64 == *x),
        },
        (Value::Str(_) | Value::List(_), _) => a == b,
        _ => a == b || (a.int().is_some() && a.int() == b.int()),
    }
}

/// `repr()` of a value.
fn show(value: &Value) -> String {
    match value {
        Value::Str(text) => repr(text),
        Value::Unknown(number) => number.name.clone(),
        other => other.to_string(),
    }
}
