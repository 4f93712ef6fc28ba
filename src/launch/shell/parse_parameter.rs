//! The grammar of `${...}`.

use std::rc::Rc;

use super::ast::{At, Index, Name, Operation, Parameter, Piece, Word};
use super::parse::{Parsed, Parser};
use super::parse_word::Mode;

impl Parser {
    /// `${...}`, after the brace.
    pub(super) fn parameter(&mut self, start: usize, quoted: bool) -> Parsed<Piece> {
        let names = |c: u8| c == b'_' || c.is_ascii_alphanumeric();
        let next = self.byte(self.pos + 1);
        let length =
            self.peek() == b'#' && (names(next) || (b"@*?$!-#".contains(&next) && self.byte(self.pos + 2) == b'}'));
        let indirect = self.peek() == b'!' && (names(next) || b"@*#?".contains(&next));
        self.pos += usize::from(length || indirect);
        let name = if self.peek().is_ascii_digit() && self.peek() != b'0' {
            let from = self.pos;
            while self.peek().is_ascii_digit() {
                self.pos += 1;
            }
            Name::Positional(self.unit.str(At { start: from, end: self.pos }).parse().unwrap_or(usize::MAX))
        } else if b"@*#?-$!0".contains(&self.peek()) {
            self.pos += 1;
            Name::Special(char::from(self.byte(self.pos - 1)))
        } else {
            let name = self.name();
            if name.is_empty() {
                return Err(self.error("bad substitution"));
            }
            Name::Variable(name)
        };
        let mut index = Index::None;
        if self.peek() == b'[' {
            self.pos += 1;
            index = match () {
                () if self.starts("@]") => Index::All,
                () if self.starts("*]") => Index::Joined,
                () => Index::One(self.word_in(Mode::Subscript, b"]")?),
            };
            self.pos += usize::from(!matches!(index, Index::One(_)));
            self.expect(b']')?;
        }
        let operation = self.operation(length, indirect, &index, quoted)?;
        if self.peek() != b'}' {
            return Err(self.error("bad substitution"));
        }
        self.pos += 1;
        let indirect = indirect && !matches!(operation, Operation::Keys | Operation::Names);
        let at = At { start, end: self.pos };
        Ok(Piece::Parameter(Rc::new(Parameter { at, name, index, indirect, operation })))
    }

    fn operation(&mut self, length: bool, indirect: bool, index: &Index, quoted: bool) -> Parsed<Operation> {
        let default_mode = if quoted { Mode::QuotedOperand } else { Mode::Operand };
        let c = self.peek();
        let next = self.byte(self.pos + 1);
        Ok(match c {
            _ if length => Operation::Length,
            b'}' if indirect && matches!(index, Index::All | Index::Joined) => Operation::Keys,
            b'}' => Operation::None,
            b'*' | b'@' if indirect && next == b'}' => {
                self.pos += 1;
                Operation::Names
            }
            b':' if b"-=+?".contains(&next) => {
                self.pos += 2;
                Operation::Default(char::from(next), true, self.word_in(default_mode, b"}")?)
            }
            b'-' | b'=' | b'+' | b'?' => {
                self.pos += 1;
                Operation::Default(char::from(c), false, self.word_in(default_mode, b"}")?)
            }
            b':' => {
                self.pos += 1;
                let offset = self.word_in(Mode::Arithmetic, b":}")?;
                let length = if self.peek() == b':' {
                    self.pos += 1;
                    Some(self.word_in(Mode::Arithmetic, b"}")?)
                } else {
                    None
                };
                Operation::Slice(offset, length)
            }
            b'#' | b'%' => {
                self.pos += 1 + usize::from(next == c);
                let pattern = self.word_in(Mode::Operand, b"}")?;
                Operation::Trim { suffix: c == b'%', longest: next == c, pattern }
            }
            b'/' => {
                let kind = if b"/#%".contains(&next) { next } else { b' ' };
                self.pos += 1 + usize::from(kind != b' ');
                let pattern = self.word_in(Mode::Operand, b"/}")?;
                let with = if self.peek() == b'/' {
                    self.pos += 1;
                    self.word_in(Mode::Operand, b"}")?
                } else {
                    Word { unit: self.unit.clone(), at: At { start: self.pos, end: self.pos }, pieces: Vec::new() }
                };
                Operation::Replace(char::from(kind), pattern, with)
            }
            b'^' | b',' | b'~' => {
                self.pos += 1 + usize::from(next == c);
                Operation::Case(char::from(c), next == c, self.word_in(Mode::Operand, b"}")?)
            }
            b'@' if next.is_ascii_alphabetic() => {
                self.pos += 2;
                Operation::Transform(char::from(next))
            }
            _ => return Err(self.error("bad substitution")),
        })
    }
}
