//! Reads tokens into a tree.

use std::sync::Arc;

use super::functions::Function;
use super::lex::{Token, tokens};
use super::{Node, Operator};
use crate::rules::value::Value;

/// Deeper than any rule; keeps hostile input (a flag's value that is evaluated) off the stack's end.
const MAX_DEPTH: usize = 64;

/// Binary operators by binding strength, weakest first.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessEqual),
        (">=", Operator::GreaterEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("in", Operator::In),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("//", Operator::FloorDivide), ("/", Operator::Divide), ("%", Operator::Modulo)],
];

pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.expression()?;
    match parser.tokens.get(parser.at) {
        None => Ok(node),
        Some(token) => Err(format!("unexpected {token:?} after the end")),
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn take(&mut self, symbol: &str) -> bool {
        let found = match self.tokens.get(self.at) {
            Some(Token::Symbol(s)) => *s == symbol,
            Some(Token::Name(n)) => *n == symbol,
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) { Ok(()) } else { Err(format!("expected `{symbol}`")) }
    }

    fn expression(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let condition = self.level(0)?;
        let node = if self.take("?") {
            let then = self.expression()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            Node::Choose(Box::new(condition), Box::new(then), Box::new(otherwise))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn level(&mut self, level: usize) -> Result<Node, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(symbol, _)| self.take(symbol)) {
            let right = self.level(level + 1)?;
            left = Node::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let node = if self.take("!") {
            Node::Not(Box::new(self.unary()?))
        } else if self.take("-") {
            Node::Negate(Box::new(self.unary()?))
        } else {
            self.postfix()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn postfix(&mut self) -> Result<Node, String> {
        let mut node = self.primary()?;
        while self.take("[") {
            let index = self.expression()?;
            self.expect("]")?;
            node = Node::Index(Box::new(node), Box::new(index));
        }
        Ok(node)
    }

    fn primary(&mut self) -> Result<Node, String> {
        if self.take("(") {
            let node = self.expression()?;
            self.expect(")")?;
            return Ok(node);
        }
        if self.take("[") {
            return Ok(Node::List(self.items("]")?));
        }
        let token = self.tokens.get(self.at).cloned().ok_or("the expression ends too early")?;
        self.at += 1;
        Ok(match token {
            Token::Int(i) => Node::Literal(Value::Int(i)),
            Token::Float(x) => Node::Literal(Value::Float(x)),
            Token::Text(text) => Node::Literal(Value::str(text)),
            Token::Name("true" | "True") => Node::Literal(Value::Bool(true)),
            Token::Name("false" | "False") => Node::Literal(Value::Bool(false)),
            Token::Name("none" | "None") => Node::Literal(Value::None),
            Token::Name(name) if self.take("(") => {
                let function = Function::named(name).ok_or_else(|| format!("there is no function `{name}`"))?;
                Node::Call(function, self.items(")")?)
            }
            Token::Name(name) => Node::Name(Arc::from(name)),
            Token::Symbol(symbol) => return Err(format!("unexpected `{symbol}`")),
        })
    }

    fn items(&mut self, close: &str) -> Result<Vec<Node>, String> {
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.expression()?);
            if !self.take(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }
}
