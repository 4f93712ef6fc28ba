//! What Python's `eval` makes of a list expression such as `([1]*3+[0])*2`.
//!
//! Whole numbers, lists, tuples, `+ - * **`, indexing. What else Python could evaluate gives an unknown value.

use crate::rules::value::Value;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// A TypeError or a ValueError, which argparse catches.
    TypeOrValue,
    /// Anything else, by the last line of its traceback.
    Other(String),
}

/// Python refuses to parse brackets nested deeper than that.
const DEEPEST: usize = 200;
/// Lists longer than that are of no use to anybody, and take time and memory.
const LONGEST: usize = 1 << 20;

/// Evaluates the expression.
pub(super) fn evaluate(text: &str) -> Result<Value, Error> {
    let unknown = |what: &str| Ok(Value::unknown(text, format!("is a Python expression {what}"), Vec::new()));
    let mut reader = Reader { text: text.as_bytes(), at: 0, depth: 0 };
    let node = reader.whole();
    match node.and_then(|node| node.value()) {
        Ok(value) => Ok(value.into_value()),
        Err(Stop::Type) => Err(Error::TypeOrValue),
        Err(Stop::Raise(line)) => Err(Error::Other(line.to_owned())),
        Err(Stop::Unsupported) => unknown("that would have to be run"),
        Err(Stop::TooBig) => unknown("with a result too big to compute"),
    }
}

enum Stop {
    Type,
    Raise(&'static str),
    Unsupported,
    TooBig,
}

const SYNTAX: Stop = Stop::Raise("SyntaxError: invalid syntax");

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

struct Item {
    starred: bool,
    node: Node,
}

/// `**`, to tell it from `*`.
const POWER: u8 = b'^';

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn whole(&mut self) -> Result<Node, Stop> {
        let first = self.sum()?;
        let node = if self.peek() == Some(b',') {
            let mut items = vec![Item { starred: false, node: first }];
            while self.accept(b',') && self.peek().is_some() {
                items.push(Item { starred: false, node: self.sum()? });
            }
            Node::Tuple(items)
        } else {
            first
        };
        if self.peek().is_none() { Ok(node) } else { Err(self.strange()) }
    }

    /// What stands here does not belong here; it is an error only where we know all of Python's ways to go on.
    fn strange(&mut self) -> Stop {
        match self.peek() {
            None | Some(b'[' | b']' | b'(' | b')' | b'+' | b'*' | b',' | b'0'..=b'9') => SYNTAX,
            Some(_) => Stop::Unsupported,
        }
    }

    fn sum(&mut self) -> Result<Node, Stop> {
        let mut left = self.product()?;
        while let Some(sign @ (b'+' | b'-')) = self.peek() {
            self.at += 1;
            left = Node::Operation(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, Stop> {
        let mut left = self.signed()?;
        while self.peek() == Some(b'*') && self.text.get(self.at + 1) != Some(&b'*') {
            self.at += 1;
            left = Node::Operation(b'*', Box::new(left), Box::new(self.signed()?));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Node, Stop> {
        let Some(sign @ (b'+' | b'-')) = self.peek() else { return self.power() };
        self.at += 1;
        let inner = Box::new(self.nested(Self::signed)?);
        Ok(if sign == b'-' { Node::Negative(inner) } else { Node::Positive(inner) })
    }

    fn power(&mut self) -> Result<Node, Stop> {
        let base = self.indexed()?;
        if self.peek() == Some(b'*') && self.text.get(self.at + 1) == Some(&b'*') {
            self.at += 2;
            let exponent = Box::new(self.nested(Self::signed)?);
            return Ok(Node::Operation(POWER, Box::new(base), exponent));
        }
        Ok(base)
    }

    fn indexed(&mut self) -> Result<Node, Stop> {
        let mut node = self.atom()?;
        loop {
            if self.accept(b'(') {
                self.items(b')')?;
                node = Node::Call;
            } else if self.accept(b'[') {
                let (mut items, comma) = self.items(b']')?;
                let index = match items.pop() {
                    None => return Err(SYNTAX),
                    Some(only) if items.is_empty() && !comma && !only.starred => only.node,
                    Some(last) => {
                        items.push(last);
                        Node::Tuple(items)
                    }
                };
                node = Node::Index(Box::new(node), Box::new(index));
            } else {
                return Ok(node);
            }
        }
    }

    fn atom(&mut self) -> Result<Node, Stop> {
        match self.peek() {
            Some(b'0'..=b'9') => self.number(),
            Some(b'[') => {
                self.at += 1;
                Ok(Node::List(self.items(b']')?.0))
            }
            Some(b'(') => {
                self.at += 1;
                let (mut items, comma) = self.items(b')')?;
                match items.pop() {
                    Some(only) if items.is_empty() && !comma => {
                        if only.starred {
                            Err(SYNTAX)
                        } else {
                            Ok(only.node)
                        }
                    }
                    Some(last) => {
                        items.push(last);
                        Ok(Node::Tuple(items))
                    }
                    None => Ok(Node::Tuple(items)),
                }
            }
            _ => Err(self.strange()),
        }
    }

    /// What is between brackets, and whether there was a comma in it.
    fn items(&mut self, close: u8) -> Result<(Vec<Item>, bool), Stop> {
        let (mut items, mut comma) = (Vec::new(), false);
        while !self.accept(close) {
            let starred = self.accept(b'*');
            items.push(Item { starred, node: self.nested(Self::sum)? });
            if self.accept(b',') {
                comma = true;
            } else if self.peek() != Some(close) {
                return Err(self.strange());
            }
        }
        Ok((items, comma))
    }

    fn nested(&mut self, inner: impl Fn(&mut Self) -> Result<Node, Stop>) -> Result<Node, Stop> {
        self.depth += 1;
        if self.depth >= DEEPEST {
            return Err(Stop::Raise("SyntaxError: too many nested parentheses"));
        }
        let node = inner(self);
        self.depth -= 1;
        node
    }

    fn number(&mut self) -> Result<Node, Stop> {
        let from = self.at;
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
        while self.text.get(self.at).is_some_and(part) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[from..self.at]).map_err(|_| SYNTAX)?;
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Stop::Unsupported);
        }
        if text.starts_with('0') && text.bytes().any(|b| b != b'0') {
            return Err(Stop::Raise(
                "SyntaxError: leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal \
                 integers",
            ));
        }
        text.parse().map(Node::Int).map_err(|_| Stop::TooBig)
    }
}

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
