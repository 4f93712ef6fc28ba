//! Texts with expressions in braces: `mp {tp_rank:02}`, `num_query_groups ({num_query_groups}) must be ...`.

use super::expr::{Expr, ExprError, Scope};
use super::value::{Unknown, Value};
use std::sync::Arc;

/// A text whose `{expression}` and `{expression:0N}` parts are filled in from a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Value { expr: Expr, width: usize },
}

impl Template {
    /// Reads a template; `{{` and `}}` stand for single braces.
    ///
    /// # Errors
    /// When an expression in it cannot be read or a brace is left open.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let error = |message: &str| ExprError { message: message.to_owned(), text: text.to_owned() };
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(error("`}` without `{`"));
            }
            let end = rest.find('}').ok_or_else(|| error("`{` without `}`"))?;
            let inside = &rest[..end];
            rest = &rest[end + 1..];
            let (expr, width) = match inside.rsplit_once(":0") {
                Some((expr, width)) if width.bytes().all(|b| b.is_ascii_digit()) => {
                    (expr, width.parse().map_err(|_| error("a width that is too large"))?)
                }
                _ => (inside, 0),
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Value { expr: Expr::parse(expr)?, width });
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// Fills the template in. An unknown part makes the whole unknown.
    ///
    /// # Errors
    /// When an expression in it cannot be computed.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Result<String, Arc<Unknown>>, ExprError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value { expr, width } => match expr.eval(scope)? {
                    Value::Unknown(unknown) => return Ok(Err(unknown)),
                    value => text.push_str(&format!("{:0>width$}", value.to_string())),
                },
            }
        }
        Ok(Ok(text))
    }

    /// As [`Template::fill`], with unknown and failing parts printed as `?`: for messages.
    pub fn show(&self, scope: &Scope<'_>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value { expr, width } => match expr.eval(scope) {
                    Ok(Value::Unknown(_)) | Err(_) => text.push('?'),
                    Ok(value) => text.push_str(&format!("{:0>width$}", value.to_string())),
                },
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_values_with_a_width() {
        let mut scope = Scope::default();
        scope.set("tp", Value::Int(3));
        let template = Template::parse("rank_{tp:02}_{tp * 2:03} {{x}}").expect("a template");
        assert_eq!(template.fill(&scope).expect("computable").expect("known"), "rank_03_006 {x}");
        assert!(Template::parse("{tp").is_err() && Template::parse("tp}").is_err());
    }
}
