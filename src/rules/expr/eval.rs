//! Computes a tree's value.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Node, Operator};
use crate::rules::value::Value;
use crate::rules::version::Version;

/// Longest list an expression may build; a model has far fewer layers.
const MAX_LIST: usize = 100_000;

/// The names an expression may use: an inner scope sees the outer ones. A name that nobody set is `none`.
#[derive(Debug, Clone, Default)]
pub struct Scope<'a> {
    outer: Option<&'a Scope<'a>>,
    values: HashMap<Arc<str>, Value>,
}

impl<'a> Scope<'a> {
    /// A scope with those values.
    pub fn new(values: HashMap<Arc<str>, Value>) -> Self {
        Self { outer: None, values }
    }

    /// An empty scope within another.
    pub fn within(outer: &'a Scope<'a>) -> Self {
        Self { outer: Some(outer), values: HashMap::new() }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> &Value {
        match self.values.get(name) {
            Some(value) => value,
            None => self.outer.map_or(&Value::None, |outer| outer.get(name)),
        }
    }

    /// Sets a name in this scope.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: Value) {
        self.values.insert(name.into(), value);
    }

    /// The names and values set in this scope itself.
    pub fn own(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.values.iter()
    }
}

pub(super) fn eval(node: &Node, scope: &Scope<'_>) -> Result<Value, String> {
    Ok(match node {
        Node::Literal(value) => value.clone(),
        Node::Name(name) => scope.get(name).clone(),
        Node::List(items) => Value::List(items.iter().map(|item| eval(item, scope)).collect::<Result<_, _>>()?),
        Node::Not(inner) => match eval(inner, scope)? {
            unknown @ Value::Unknown(_) => unknown,
            value => Value::Bool(value.truth() == Some(false)),
        },
        Node::Negate(inner) => match eval(inner, scope)? {
            Value::Float(x) => Value::Float(-x),
            unknown @ Value::Unknown(_) => unknown,
            value => Value::Int(value.int().and_then(i64::checked_neg).ok_or("cannot negate this")?),
        },
        Node::Choose(condition, then, otherwise) => {
            let condition = eval(condition, scope)?;
            match condition.truth() {
                Some(true) => eval(then, scope)?,
                Some(false) => eval(otherwise, scope)?,
                None => {
                    let (then, otherwise) = (eval(then, scope)?, eval(otherwise, scope)?);
                    if then == otherwise { then } else { condition }
                }
            }
        }
        Node::Binary(Operator::And, left, right) => either(eval(left, scope)?, right, scope, false)?,
        Node::Binary(Operator::Or, left, right) => either(eval(left, scope)?, right, scope, true)?,
        Node::Binary(operator, left, right) => binary(*operator, eval(left, scope)?, eval(right, scope)?)?,
        Node::Index(list, index) => index_into(eval(list, scope)?, eval(index, scope)?)?,
        Node::Call(function, arguments) => {
            let arguments: Vec<Value> = arguments.iter().map(|a| eval(a, scope)).collect::<Result<_, _>>()?;
            function.call(&arguments)?
        }
    })
}

/// `&&` (decided by a false side) and `||` (decided by a true side), as booleans.
fn either(left: Value, right: &Node, scope: &Scope<'_>, decisive: bool) -> Result<Value, String> {
    let left_truth = left.truth();
    if left_truth == Some(decisive) {
        return Ok(Value::Bool(decisive));
    }
    let right = eval(right, scope)?;
    Ok(match (left_truth, right.truth()) {
        (_, Some(truth)) if truth == decisive => Value::Bool(decisive),
        (None, _) => left,
        (_, None) => right,
        _ => Value::Bool(!decisive),
    })
}

fn binary(operator: Operator, left: Value, right: Value) -> Result<Value, String> {
    if let Value::Unknown(_) = left {
        return Ok(left);
    }
    if let Value::Unknown(_) = right {
        return Ok(right);
    }
    Ok(match operator {
        Operator::Equal => Value::Bool(equal(&left, &right)),
        Operator::NotEqual => Value::Bool(!equal(&left, &right)),
        Operator::In => match &right {
            Value::List(items) => Value::Bool(items.iter().any(|item| equal(&left, item))),
            Value::Str(text) => Value::Bool(left.text().is_some_and(|part| text.contains(part))),
            _ => return Err(format!("`in` needs a list or a text, not `{right}`")),
        },
        Operator::Less => Value::Bool(order(&left, &right)? == Ordering::Less),
        Operator::LessEqual => Value::Bool(order(&left, &right)? != Ordering::Greater),
        Operator::Greater => Value::Bool(order(&left, &right)? == Ordering::Greater),
        Operator::GreaterEqual => Value::Bool(order(&left, &right)? != Ordering::Less),
        _ => arithmetic(operator, &left, &right)?,
    })
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_) | Value::Bool(_) | Value::Float(_), Value::Int(_) | Value::Bool(_) | Value::Float(_)) => {
            number(left) == number(right)
        }
        (Value::Version(version), Value::Str(text)) | (Value::Str(text), Value::Version(version)) => {
            text.parse::<Version>().is_ok_and(|other| other.cmp(version).is_eq())
        }
        _ => left == right,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(x) => Some(*x),
        // Sizes and counts are far below 2^53.
        #[allow(clippy::cast_precision_loss)]
        _ => value.int().map(|i| i as f64),
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, String> {
    let version = |value: &Value| match value {
        Value::Version(version) => Ok(version.clone()),
        Value::Str(text) => text.parse::<Version>().map_err(|e| e.to_string()),
        _ => Err(format!("`{value}` is not a version")),
    };
    match (left, right) {
        (Value::Version(_), _) | (_, Value::Version(_)) => Ok(version(left)?.cmp(&version(right)?)),
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => a.partial_cmp(&b).ok_or_else(|| "not a number".to_owned()),
            _ => Err(format!("cannot order `{left}` and `{right}`")),
        },
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    match (operator, left, right) {
        (Operator::Add, Value::List(a), Value::List(b)) => {
            return if a.len() + b.len() > MAX_LIST {
                Err("the list is too long".to_owned())
            } else {
                Ok(Value::List(a.iter().chain(b.iter()).cloned().collect()))
            };
        }
        (Operator::Add, Value::Str(a), Value::Str(b)) => return Ok(Value::str(&format!("{a}{b}"))),
        (Operator::Multiply, Value::List(items), Value::Int(times))
        | (Operator::Multiply, Value::Int(times), Value::List(items)) => {
            let times = usize::try_from((*times).max(0)).unwrap_or(usize::MAX);
            return match items.len().checked_mul(times) {
                Some(length) if length <= MAX_LIST => {
                    Ok(Value::List(items.iter().cycle().take(length).cloned().collect()))
                }
                _ => Err("the list is too long".to_owned()),
            };
        }
        _ => {}
    }
    if let (Some(a), Some(b)) = (left.int(), right.int()) {
        return whole(operator, a, b);
    }
    let (Some(a), Some(b)) = (number(left), number(right)) else {
        return Err(format!("cannot compute `{left}` {} `{right}`", operator.symbol()));
    };
    Ok(Value::Float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b != 0.0 => a / b,
        Operator::FloorDivide if b != 0.0 => (a / b).floor(),
        _ => return Err(format!("cannot compute `{left}` {} `{right}`", operator.symbol())),
    }))
}

fn whole(operator: Operator, a: i64, b: i64) -> Result<Value, String> {
    if b == 0 && matches!(operator, Operator::Divide | Operator::FloorDivide | Operator::Modulo) {
        return Err("division by zero".to_owned());
    }
    let floor = |a: i64, b: i64| {
        let quotient = a.checked_div(b)?;
        let rest = a.checked_rem(b)?;
        if rest != 0 && (rest < 0) != (b < 0) { quotient.checked_sub(1) } else { Some(quotient) }
    };
    let value = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => match a.checked_rem(b) {
            Some(0) => a.checked_div(b),
            _ => return Err(format!("{a} is not divisible by {b}")),
        },
        Operator::FloorDivide => floor(a, b),
        Operator::Modulo => floor(a, b).and_then(|q| q.checked_mul(b)).and_then(|p| a.checked_sub(p)),
        _ => None,
    };
    value.map(Value::Int).ok_or_else(|| "a number is too large".to_owned())
}

fn index_into(list: Value, index: Value) -> Result<Value, String> {
    match (&list, &index) {
        (Value::Unknown(_), _) => Ok(list),
        (_, Value::Unknown(_)) => Ok(index),
        (Value::List(items), Value::Int(i)) => {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let position = if *i < 0 { length + i } else { *i };
            usize::try_from(position)
                .ok()
                .and_then(|p| items.get(p).cloned())
                .ok_or_else(|| format!("index {i} is outside a list of {length}"))
        }
        _ => Err(format!("cannot take element `{index}` of `{list}`")),
    }
}
