//! Reads a list expression, as far as it is one that we can evaluate.

use super::{Item, Node, POWER, Stop};

/// Python refuses to parse brackets nested deeper than that.
const DEEPEST: usize = 200;

/// More operations than that in one expression are no pattern of layers, and would nest too deep to compute.
const MOST_OPERATIONS: usize = 1000;

const SYNTAX: Stop = Stop::Raise("SyntaxError: invalid syntax");

/// Reads the whole text as one expression.
pub(super) fn read(text: &str) -> Result<Node, Stop> {
    Reader { text: text.as_bytes(), at: 0, depth: 0, operations: 0 }.whole()
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    operations: usize,
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
            self.count()?;
            left = Node::Operation(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, Stop> {
        let mut left = self.signed()?;
        while self.peek() == Some(b'*') && self.text.get(self.at + 1) != Some(&b'*') {
            self.at += 1;
            self.count()?;
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
                self.count()?;
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

    fn count(&mut self) -> Result<(), Stop> {
        self.operations += 1;
        if self.operations > MOST_OPERATIONS { Err(Stop::TooBig) } else { Ok(()) }
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
