//! The expressions of rule files: whole numbers, booleans, texts, lists and versions; no loops, no I/O.
//!
//! `a ? b : c`, `||`, `&&`, `!`, comparisons, `in`, `+ - * / // %`, `x[i]`, calls of a few pure functions.
//! `/` must divide without rest; `//` and `%` round as Python does. A value that is not known makes unknown
//! only what depends on it: `false && unknown` is false.

mod eval;
mod functions;
mod lex;
mod parse;

use std::fmt;
use std::sync::Arc;

pub use eval::Scope;

use super::value::Value;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    node: Node,
}

/// An expression that cannot be read, or cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} in `{text}`")]
pub struct ExprError {
    /// What is wrong.
    pub message: String,
    /// The expression.
    pub text: String,
}

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// When the text is not an expression, or nests deeper than any rule needs.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        parse::parse(text).map(|node| Self { node }).map_err(|message| ExprError { message, text: text.to_owned() })
    }

    /// Computes the value.
    ///
    /// # Errors
    /// When operands do not fit their operator, a division leaves a rest, or a number is too large.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, ExprError> {
        eval::eval(&self.node, scope).map_err(|message| ExprError { message, text: self.to_string() })
    }

    /// Calls `visit` with every name the expression mentions.
    pub fn names(&self, visit: &mut dyn FnMut(&Arc<str>)) {
        self.node.names(visit);
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Literal(Value),
    Name(Arc<str>),
    List(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Choose(Box<Node>, Box<Node>, Box<Node>),
    Index(Box<Node>, Box<Node>),
    Call(functions::Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
}

impl Operator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
        }
    }
}

impl Node {
    fn names(&self, visit: &mut dyn FnMut(&Arc<str>)) {
        match self {
            Self::Literal(_) => {}
            Self::Name(name) => visit(name),
            Self::List(items) | Self::Call(_, items) => items.iter().for_each(|item| item.names(visit)),
            Self::Not(inner) | Self::Negate(inner) => inner.names(visit),
            Self::Binary(_, left, right) | Self::Index(left, right) => {
                left.names(visit);
                right.names(visit);
            }
            Self::Choose(condition, then, otherwise) => {
                condition.names(visit);
                then.names(visit);
                otherwise.names(visit);
            }
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl fmt::Display for Node {
    /// Prints the expression with every sub-expression in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(Value::Str(text)) => write!(f, "'{text}'"),
            Self::Literal(Value::Bool(b)) => write!(f, "{b}"),
            Self::Literal(Value::None) => f.write_str("none"),
            Self::Literal(value) => write!(f, "{value}"),
            Self::Name(name) => f.write_str(name),
            Self::List(items) => {
                f.write_str("[")?;
                comma(f, items)?;
                f.write_str("]")
            }
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::Negate(inner) => write!(f, "-({inner})"),
            Self::Binary(op, left, right) => write!(f, "({left} {} {right})", op.symbol()),
            Self::Choose(condition, then, otherwise) => write!(f, "({condition} ? {then} : {otherwise})"),
            Self::Index(list, index) => write!(f, "{list}[{index}]"),
            Self::Call(function, items) => {
                write!(f, "{}(", function.name())?;
                comma(f, items)?;
                f.write_str(")")
            }
        }
    }
}

fn comma(f: &mut fmt::Formatter<'_>, items: &[Node]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
