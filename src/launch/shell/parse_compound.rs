//! The grammar of `if`, `for`, `while`, `case`, groups and functions.

use std::rc::Rc;

use super::ast::{AndOr, Arm, ArmEnd, At, Command, Kind, List, Pipeline};
use super::parse::{Parsed, Parser};

impl Parser {
    /// A command that starts with a reserved word or a bracket; `None` for a simple one.
    pub(super) fn compound(&mut self) -> Parsed<Option<Kind>> {
        if self.peek() == b'(' {
            if self.starts("((")
                && let Some(end) = self.arithmetic_end(self.pos + 2)
            {
                let word = self.arithmetic(At { start: self.pos + 2, end })?;
                self.pos = end + 2;
                return Ok(Some(Kind::Arithmetic(word)));
            }
            self.pos += 1;
            let list = self.compound_list(false)?;
            self.expect(b')')?;
            return Ok(Some(Kind::Subshell(list)));
        }
        let word = self.peek_word().to_owned();
        let length = word.len();
        let after = self.pos + length;
        let kind = match word.as_str() {
            "{" => {
                self.pos = after;
                let list = self.compound_list(false)?;
                self.expect_word("}")?;
                Kind::Group(list)
            }
            "if" => {
                self.pos = after;
                self.if_clause()?
            }
            "for" => {
                self.pos = after;
                self.for_clause()?
            }
            "select" => {
                self.pos = after;
                match self.for_clause()? {
                    Kind::For(name, _, body) => Kind::Select(name, body),
                    other => other,
                }
            }
            "while" | "until" => {
                self.pos = after;
                let condition = self.compound_list(false)?;
                Kind::While(word == "until", condition, self.do_group()?)
            }
            "case" => {
                self.pos = after;
                self.case_clause()?
            }
            "[[" => {
                self.pos = after;
                let condition = self.condition()?;
                self.expect_word("]]")?;
                Kind::Test(condition)
            }
            "coproc" => {
                self.pos = after;
                self.blanks();
                let command = self.deeper(Self::command)?;
                Kind::Subshell(single(command))
            }
            "function" => {
                self.pos = after;
                self.blanks();
                let name = self.peek_word().to_owned();
                self.pos += name.len();
                self.blanks();
                if self.peek() == b'(' {
                    self.pos += 1;
                    self.blanks();
                    self.expect(b')')?;
                }
                self.function_body(name)?
            }
            "then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "in" | "}" | "]]" => {
                return Err(self.unexpected());
            }
            _ => {
                if word.is_empty() || word.ends_with('=') || word.contains(['$', '\'', '"', '`', '\\']) {
                    return Ok(None);
                }
                let start = self.pos;
                self.pos = after;
                self.blanks();
                if self.peek() == b'(' {
                    self.pos += 1;
                    self.blanks();
                    if self.peek() == b')' {
                        self.pos += 1;
                        return Ok(Some(self.function_body(word)?));
                    }
                }
                self.pos = start;
                return Ok(None);
            }
        };
        Ok(Some(kind))
    }

    fn function_body(&mut self, name: String) -> Parsed<Kind> {
        self.linebreaks()?;
        let body = self.deeper(Self::command)?;
        if matches!(body.kind, Kind::Simple(_)) {
            return Err(self.unexpected());
        }
        Ok(Kind::Function(name, Rc::new(body)))
    }

    fn if_clause(&mut self) -> Parsed<Kind> {
        let mut arms = Vec::new();
        loop {
            let condition = self.compound_list(false)?;
            self.expect_word("then")?;
            arms.push((condition, self.compound_list(false)?));
            self.linebreaks()?;
            if self.take_word("elif") {
                continue;
            }
            let otherwise = if self.take_word("else") { Some(self.compound_list(false)?) } else { None };
            self.expect_word("fi")?;
            return Ok(Kind::If(arms, otherwise));
        }
    }

    fn do_group(&mut self) -> Parsed<List> {
        self.linebreaks()?;
        if self.take_word("{") {
            let body = self.compound_list(false)?;
            self.expect_word("}")?;
            return Ok(body);
        }
        self.expect_word("do")?;
        let body = self.compound_list(false)?;
        self.expect_word("done")?;
        Ok(body)
    }

    fn for_clause(&mut self) -> Parsed<Kind> {
        self.blanks();
        if self.starts("((") {
            let start = self.pos + 2;
            let end = self.arithmetic_end(start).ok_or_else(|| self.unexpected())?;
            let parts = self.arithmetic_parts(At { start, end })?;
            self.pos = end + 2;
            self.blanks();
            self.take_semicolon();
            return Ok(Kind::ForArithmetic(parts, self.do_group()?));
        }
        let name = self.peek_word().to_owned();
        self.pos += name.len();
        self.linebreaks()?;
        let mut words = None;
        if self.take_word("in") {
            let mut list = Vec::new();
            self.blanks();
            while self.pos < self.end && !matches!(self.peek(), b';' | b'\n') {
                list.push(self.word()?);
                self.blanks();
            }
            words = Some(list);
        }
        self.take_semicolon();
        Ok(Kind::For(name, words, self.do_group()?))
    }

    fn case_clause(&mut self) -> Parsed<Kind> {
        self.blanks();
        let subject = self.word()?;
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.linebreaks()?;
            if self.take_word("esac") {
                return Ok(Kind::Case(subject, arms));
            }
            if self.peek() == b'(' {
                self.pos += 1;
            }
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?);
                self.blanks();
                if self.peek() != b'|' {
                    break;
                }
                self.pos += 1;
            }
            self.expect(b')')?;
            let body = self.compound_list(true)?;
            let (end, length) = match () {
                () if self.starts(";;&") => (ArmEnd::Test, 3),
                () if self.starts(";;") => (ArmEnd::Stop, 2),
                () if self.starts(";&") => (ArmEnd::Fall, 2),
                () => (ArmEnd::Stop, 0),
            };
            self.pos += length;
            arms.push(Arm { patterns, body, end });
            if length == 0 {
                self.expect_word("esac")?;
                return Ok(Kind::Case(subject, arms));
            }
        }
    }
}

/// A list of one command.
fn single(command: Command) -> List {
    let first = Pipeline { negated: false, commands: vec![command] };
    List { items: vec![AndOr { first, rest: Vec::new(), background: false }] }
}
