//! The grammar of commands: from text to [`super::ast`].
//!
//! Bash reads one complete command, runs it, and reads on: so does [`Parser::complete_command`], and a syntax error
//! leaves everything before it readable. Nothing here goes back over text more than once a level of nesting, and
//! nesting is limited, so that no text can make it slow or deep.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{AndOr, At, Command, Kind, List, Pipeline, Unit, Word};

/// How deep commands, quotes and expansions may nest.
const DEEPEST: usize = 120;

/// Where a text stops to be shell, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The byte at which it was noticed.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// The result of parsing a part.
pub type Parsed<T> = Result<T, SyntaxError>;

/// A here-document whose body starts after the end of the line.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) body: Rc<OnceCell<Word>>,
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    pub(super) strip: bool,
}

/// Reads commands from a text.
#[derive(Debug)]
pub struct Parser {
    pub(super) unit: Rc<Unit>,
    pub(super) pos: usize,
    pub(super) end: usize,
    depth: usize,
    pub(super) waiting: Vec<Waiting>,
}

impl Parser {
    /// A parser at the start of a text.
    pub fn new(unit: Rc<Unit>) -> Self {
        let end = unit.text.len();
        Self { unit, pos: 0, end, depth: 0, waiting: Vec::new() }
    }

    /// A parser for a text inside a text, as deep as this one.
    pub(super) fn inner(&self, unit: Rc<Unit>) -> Self {
        Self { depth: self.depth, ..Self::new(unit) }
    }

    /// The next complete command; `None` at the end.
    pub fn complete_command(&mut self) -> Parsed<Option<List>> {
        self.linebreaks()?;
        if self.pos >= self.end {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            list.items.push(self.and_or()?);
            self.blanks();
            if self.pos >= self.end || self.peek() == b'\n' {
                self.newline()?;
                return Ok(Some(list));
            }
            let separated = list.items.last().is_some_and(|item| item.background) || self.take_semicolon();
            if !separated {
                return Err(self.unexpected());
            }
            self.blanks();
            if self.pos >= self.end || self.peek() == b'\n' {
                self.newline()?;
                return Ok(Some(list));
            }
        }
    }

    /// All commands up to the end or to a syntax error.
    pub fn all(mut self) -> (Vec<List>, Option<SyntaxError>) {
        let mut lists = Vec::new();
        loop {
            match self.complete_command() {
                Ok(Some(list)) => lists.push(list),
                Ok(None) => return (lists, None),
                Err(error) => return (lists, Some(error)),
            }
        }
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        if at < self.end { self.unit.text.as_str().as_bytes()[at] } else { 0 }
    }

    pub(super) fn peek(&self) -> u8 {
        self.byte(self.pos)
    }

    pub(super) fn starts(&self, text: &str) -> bool {
        self.unit.text.as_str().as_bytes()[..self.end]
            .get(self.pos..)
            .is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { at: self.pos.min(self.end), message: message.into() }
    }

    pub(super) fn unexpected(&self) -> SyntaxError {
        let word = self.peek_word();
        let found = match (self.peek(), word) {
            (0, _) => "the end of the text".to_owned(),
            (b'\n', _) => "the end of the line".to_owned(),
            (c, "") => format!("`{}`", char::from(c)),
            (_, word) => format!("`{}`", word.chars().take(40).collect::<String>()),
        };
        self.error(format!("syntax error near {found}"))
    }

    /// Runs a part one level deeper.
    pub(super) fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(self.error("commands nest too deeply to follow"));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Skips blanks, joined lines and a comment.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                b' ' | b'\t' => self.pos += 1,
                b'\\' if self.byte(self.pos + 1) == b'\n' => self.pos += 2,
                b'#' => {
                    while self.pos < self.end && self.peek() != b'\n' {
                        self.pos += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Skips blanks, comments and ends of lines.
    pub(super) fn linebreaks(&mut self) -> Parsed<()> {
        loop {
            self.blanks();
            if self.peek() != b'\n' {
                return Ok(());
            }
            self.newline()?;
        }
    }

    /// Takes the end of a line and the here-documents that wait for it.
    fn newline(&mut self) -> Parsed<()> {
        self.pos = (self.pos + 1).min(self.end);
        for waiting in std::mem::take(&mut self.waiting) {
            let word = self.here_document(&waiting.delimiter, waiting.quoted, waiting.strip)?;
            // A cell is filled once: its redirection was parsed once.
            let _ = waiting.body.set(word);
        }
        Ok(())
    }

    /// The word at the place as it is written, up to a blank or an operator.
    pub(super) fn peek_word(&self) -> &str {
        let mut end = self.pos;
        while end < self.end && !b" \t\n;&|<>()".contains(&self.byte(end)) {
            end += 1;
        }
        self.unit.str(At { start: self.pos, end })
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.pos += word.len();
        }
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<()> {
        self.linebreaks()?;
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.peek() == byte && self.pos < self.end {
            self.pos += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn take_semicolon(&mut self) -> bool {
        let found = self.peek() == b';' && !matches!(self.byte(self.pos + 1), b';' | b'&');
        self.pos += usize::from(found);
        found
    }

    /// Commands up to a word or sign that ends them.
    pub(super) fn compound_list(&mut self, may_be_empty: bool) -> Parsed<List> {
        let mut list = List::default();
        loop {
            self.linebreaks()?;
            if self.at_terminator() {
                break;
            }
            list.items.push(self.and_or()?);
            self.blanks();
            let background = list.items.last().is_some_and(|item| item.background);
            if !background && !self.take_semicolon() && self.peek() != b'\n' {
                break;
            }
        }
        if list.items.is_empty() && !may_be_empty { Err(self.unexpected()) } else { Ok(list) }
    }

    fn at_terminator(&self) -> bool {
        self.pos >= self.end
            || matches!(self.peek(), b')')
            || self.starts(";;")
            || self.starts(";&")
            || matches!(self.peek_word(), "then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}")
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let and = match () {
                () if self.starts("&&") => true,
                () if self.starts("||") => false,
                () => break,
            };
            self.pos += 2;
            self.linebreaks()?;
            rest.push((and, self.pipeline()?));
        }
        let background = self.peek() == b'&' && !self.starts("&>");
        self.pos += usize::from(background);
        Ok(AndOr { first, rest, background })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        let mut commands = Vec::new();
        loop {
            self.blanks();
            if self.take_word("!") {
                negated = !negated;
            } else if self.take_word("time") {
                self.blanks();
                self.take_word("-p");
            } else {
                break;
            }
        }
        loop {
            self.blanks();
            commands.push(self.deeper(Self::command)?);
            self.blanks();
            if self.peek() != b'|' || self.starts("||") {
                return Ok(Pipeline { negated, commands });
            }
            self.pos += 1 + usize::from(self.starts("|&"));
            self.linebreaks()?;
        }
    }

    pub(super) fn command(&mut self) -> Parsed<Command> {
        let start = self.pos;
        let (kind, simple) = match self.compound()? {
            Some(kind) => (kind, false),
            None => (Kind::Simple(super::ast::Simple::default()), true),
        };
        let mut redirects = Vec::new();
        let kind = if simple { Kind::Simple(self.simple(&mut redirects)?) } else { kind };
        let mut end = self.pos;
        if !simple && !matches!(kind, Kind::Function(..)) {
            self.blanks();
            while let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                end = self.pos;
                self.blanks();
            }
        }
        Ok(Command { unit: self.unit.clone(), at: At { start, end }, kind, redirects })
    }
}
