//! The grammar of `[[ ... ]]`.

use super::ast::Condition;
use super::parse::{Parsed, Parser};

impl Parser {
    /// What stands between `[[` and `]]`.
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        self.deeper(|parser| {
            let mut left = parser.condition_and()?;
            parser.linebreaks()?;
            while parser.starts("||") {
                parser.pos += 2;
                let right = parser.condition_and()?;
                left = Condition::Or(Box::new(left), Box::new(right));
                parser.linebreaks()?;
            }
            Ok(left)
        })
    }

    fn condition_and(&mut self) -> Parsed<Condition> {
        let mut left = self.condition_one()?;
        self.linebreaks()?;
        while self.starts("&&") {
            self.pos += 2;
            let right = self.condition_one()?;
            left = Condition::And(Box::new(left), Box::new(right));
            self.linebreaks()?;
        }
        Ok(left)
    }

    fn condition_one(&mut self) -> Parsed<Condition> {
        self.linebreaks()?;
        if self.take_word("!") {
            return Ok(Condition::Not(Box::new(self.deeper(Self::condition_one)?)));
        }
        if self.peek() == b'(' {
            self.pos += 1;
            let inside = self.condition()?;
            self.linebreaks()?;
            self.expect(b')')?;
            return Ok(inside);
        }
        let operator = self.peek_word().to_owned();
        if operator.len() == 2 && operator.starts_with('-') && operator.as_bytes()[1].is_ascii_alphabetic() {
            let start = self.pos;
            self.pos += 2;
            self.blanks();
            let next = self.peek_word();
            if !matches!(next, "" | "]]" | "==" | "=" | "!=" | "=~") {
                return Ok(Condition::Unary(operator, self.word()?));
            }
            self.pos = start;
        }
        let left = self.word()?;
        self.blanks();
        let operator = match self.peek() {
            c @ (b'<' | b'>') => char::from(c).to_string(),
            _ => self.peek_word().to_owned(),
        };
        let binary = matches!(
            operator.as_str(),
            "==" | "="
                | "!="
                | "=~"
                | "<"
                | ">"
                | "-eq"
                | "-ne"
                | "-lt"
                | "-le"
                | "-gt"
                | "-ge"
                | "-nt"
                | "-ot"
                | "-ef"
        );
        if !binary {
            return Ok(Condition::Unary("-n".to_owned(), left));
        }
        self.pos += operator.len();
        self.blanks();
        let right = if operator == "=~" { self.regex_word()? } else { self.word()? };
        Ok(Condition::Binary(operator, left, right))
    }
}
