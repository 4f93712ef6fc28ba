//! What Python's `eval` makes of a list expression such as `([1]*3+[0])*2`.
//!
//! Whole numbers, lists, tuples, `+ - * **`, indexing. What else Python could evaluate gives an unknown value.

mod read;

use crate::rules::value::Value;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// A TypeError or a ValueError, which argparse catches.
    TypeOrValue,
    /// Anything else, by the last line of its traceback.
    Other(String),
}

/// Lists longer than that are of no use to anybody, and take time and memory.
const LONGEST: usize = 1 << 20;

/// Evaluates the expression.
pub(super) fn evaluate(text: &str) -> Result<Value, Error> {
    let unknown = |what: &str| Ok(Value::unknown(text, format!("it is a Python expression {what}"), Vec::new()));
    match read::read(text).and_then(|node| node.value()) {
        Ok(value) => Ok(value.into_value()),
        Err(Stop::Type) => Err(Error::TypeOrValue),
        Err(Stop::Raise(line)) => Err(Error::Other(line.to_owned())),
        Err(Stop::Unsupported) => unknown("that would have to be run"),
        Err(Stop::TooBig) => unknown("with a result too big to compute"),
    }
}

/// Why the evaluation ends early.
enum Stop {
    Type,
    Raise(&'static str),
    Unsupported,
    TooBig,
}

/// What was read.
enum Node {
    Int(i64),
    List(Vec<Item>),
    Tuple(Vec<Item>),
    Operation(u8, Box<Node>, Box<Node>),
    Negative(Box<Node>),
    Positive(Box<Node>),
    Index(Box<Node>, Box<Node>),
    Call,
}

/// An element of a list or tuple; `*x` stands for the elements of `x`.
struct Item {
    starred: bool,
    node: Node,
}

/// `**`, to tell it from `*`.
const POWER: u8 = b'^';

/// What it is worth.
enum Object {
    Int(i64),
    List(Vec<Object>),
    Tuple(Vec<Object>),
}

impl Node {
    fn value(&self) -> Result<Object, Stop> {
        Ok(match self {
            Self::Int(i) => Object::Int(*i),
            Self::List(items) => Object::List(objects(items)?),
            Self::Tuple(items) => Object::Tuple(objects(items)?),
            Self::Negative(inner) => match inner.value()? {
                Object::Int(i) => Object::Int(i.checked_neg().ok_or(Stop::TooBig)?),
                _ => return Err(Stop::Type),
            },
            Self::Positive(inner) => match inner.value()? {
                Object::Int(i) => Object::Int(i),
                _ => return Err(Stop::Type),
            },
            // Neither numbers nor lists can be called.
            Self::Call => return Err(Stop::Type),
            Self::Index(from, index) => match (from.value()?, index.value()?) {
                (Object::List(mut items) | Object::Tuple(mut items), Object::Int(at)) => {
                    let length = items.len() as i64;
                    let at = if at < 0 { at.saturating_add(length) } else { at };
                    if !(0..length).contains(&at) {
                        return Err(Stop::Raise("IndexError: list index out of range"));
                    }
                    items.swap_remove(at as usize)
                }
                _ => return Err(Stop::Type),
            },
            Self::Operation(operator, left, right) => operation(*operator, left.value()?, right.value()?)?,
        })
    }
}

fn objects(items: &[Item]) -> Result<Vec<Object>, Stop> {
    let mut objects = Vec::with_capacity(items.len());
    for item in items {
        match (item.starred, item.node.value()?) {
            (false, object) => objects.push(object),
            (true, Object::List(inner) | Object::Tuple(inner)) => objects.extend(inner),
            (true, Object::Int(_)) => return Err(Stop::Type),
        }
    }
    Ok(objects)
}

fn operation(operator: u8, left: Object, right: Object) -> Result<Object, Stop> {
    let too_big = || Stop::TooBig;
    Ok(match (operator, left, right) {
        (b'+', Object::Int(a), Object::Int(b)) => Object::Int(a.checked_add(b).ok_or_else(too_big)?),
        (b'-', Object::Int(a), Object::Int(b)) => Object::Int(a.checked_sub(b).ok_or_else(too_big)?),
        (b'*', Object::Int(a), Object::Int(b)) => Object::Int(a.checked_mul(b).ok_or_else(too_big)?),
        (POWER, Object::Int(a), Object::Int(b)) => {
            // A negative exponent gives a float.
            let b = u32::try_from(b).map_err(|_| Stop::Unsupported)?;
            Object::Int(a.checked_pow(b).ok_or_else(too_big)?)
        }
        (b'+', Object::List(a), Object::List(b)) => Object::List(joined(a, b)?),
        (b'+', Object::Tuple(a), Object::Tuple(b)) => Object::Tuple(joined(a, b)?),
        (b'*', Object::List(items), Object::Int(n)) | (b'*', Object::Int(n), Object::List(items)) => {
            Object::List(repeated(&items, n)?)
        }
        (b'*', Object::Tuple(items), Object::Int(n)) | (b'*', Object::Int(n), Object::Tuple(items)) => {
            Object::Tuple(repeated(&items, n)?)
        }
        _ => return Err(Stop::Type),
    })
}

fn joined(mut a: Vec<Object>, b: Vec<Object>) -> Result<Vec<Object>, Stop> {
    a.extend(b);
    if a.iter().map(Object::size).sum::<usize>() > LONGEST { Err(Stop::TooBig) } else { Ok(a) }
}

fn repeated(items: &[Object], times: i64) -> Result<Vec<Object>, Stop> {
    let times = usize::try_from(times).unwrap_or(0);
    let size: usize = items.iter().map(Object::size).sum();
    if size.checked_mul(times).is_none_or(|size| size > LONGEST) {
        return Err(Stop::TooBig);
    }
    // Nothing, any number of times, is nothing, and takes no time.
    let times = if items.is_empty() { 0 } else { times };
    Ok((0..times).flat_map(|_| items.iter().map(Object::copy)).collect())
}

impl Object {
    fn size(&self) -> usize {
        match self {
            Self::Int(_) => 1,
            Self::List(items) | Self::Tuple(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
        }
    }

    fn copy(&self) -> Self {
        match self {
            Self::Int(i) => Self::Int(*i),
            Self::List(items) => Self::List(items.iter().map(Self::copy).collect()),
            Self::Tuple(items) => Self::Tuple(items.iter().map(Self::copy).collect()),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Int(i) => Value::Int(i),
            Self::List(items) | Self::Tuple(items) => Value::List(items.into_iter().map(Self::into_value).collect()),
        }
    }
}
