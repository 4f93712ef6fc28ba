//! The grammar of simple commands: assignments, words, redirections.

use super::ast::{Argument, Assigned, Assignment, Redirect, Simple};
use super::parse::{Parsed, Parser};
use super::parse_word::Mode;

impl Parser {
    /// The words, assignments and redirections of a simple command.
    pub(super) fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Parsed<Simple> {
        let mut simple = Simple::default();
        let mut declares = false;
        let mut end = self.pos;
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                end = self.pos;
                continue;
            }
            let operator = matches!(self.peek(), b'\n' | b';' | b'&' | b'|' | b')' | b'(');
            if self.pos >= self.end || operator {
                break;
            }
            if (simple.words.is_empty() || declares)
                && let Some(assignment) = self.assignment()?
            {
                if simple.words.is_empty() {
                    simple.assignments.push(assignment);
                } else {
                    simple.words.push(Argument::Assignment(assignment));
                }
                end = self.pos;
                continue;
            }
            let written = self.peek_word();
            let declaration = matches!(written, "declare" | "typeset" | "local" | "export" | "readonly");
            declares = declares || (simple.words.is_empty() && declaration);
            simple.words.push(Argument::Word(self.word()?));
            end = self.pos;
        }
        if simple.words.is_empty() && simple.assignments.is_empty() && redirects.is_empty() {
            return Err(self.unexpected());
        }
        self.pos = end;
        Ok(simple)
    }

    /// An assignment, if one starts here.
    fn assignment(&mut self) -> Parsed<Option<Assignment>> {
        let start = self.pos;
        let name = self.name();
        if name.is_empty() {
            return Ok(None);
        }
        let index = if self.peek() == b'[' {
            self.pos += 1;
            let index = self.word_in(Mode::Subscript, b"]")?;
            if self.peek() != b']' {
                self.pos = start;
                return Ok(None);
            }
            self.pos += 1;
            Some(index)
        } else {
            None
        };
        let append = self.starts("+=");
        if !append && self.peek() != b'=' {
            self.pos = start;
            return Ok(None);
        }
        self.pos += 1 + usize::from(append);
        let value = if self.peek() == b'(' {
            self.pos += 1;
            self.array()?
        } else {
            Assigned::Scalar(self.word_in(Mode::Value, &[])?)
        };
        Ok(Some(Assignment { name, index, append, value }))
    }

    fn array(&mut self) -> Parsed<Assigned> {
        let mut elements = Vec::new();
        loop {
            self.linebreaks()?;
            if self.peek() == b')' {
                self.pos += 1;
                return Ok(Assigned::Array(elements));
            }
            let start = self.pos;
            if self.peek() == b'[' {
                self.pos += 1;
                let index = self.word_in(Mode::Subscript, b"]")?;
                let append = self.starts("]+=");
                if append || self.starts("]=") {
                    self.pos += 2 + usize::from(append);
                    elements.push((Some(index), append, self.word_in(Mode::Value, &[])?));
                    continue;
                }
                self.pos = start;
            }
            elements.push((None, false, self.word()?));
        }
    }
}
