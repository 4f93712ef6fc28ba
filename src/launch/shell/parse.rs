//! The grammar of commands: from text to [`super::ast`].
//!
//! Bash reads one complete command, runs it, and reads on: so does [`Parser::complete_command`], and a syntax error
//! leaves everything before it readable. Nothing here goes back over text more than once a level of nesting, and
//! nesting is limited, so that no text can make it slow or deep.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{
    AndOr, Arm, ArmEnd, At, Command, Condition, Kind, List, Pipeline, Redirect, RedirectKind, Unit, Word,
};

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
struct Waiting {
    body: Rc<OnceCell<Word>>,
    delimiter: String,
    quoted: bool,
    strip: bool,
}

/// Reads commands from a text.
#[derive(Debug)]
pub struct Parser {
    pub(super) unit: Rc<Unit>,
    pub(super) pos: usize,
    pub(super) end: usize,
    depth: usize,
    waiting: Vec<Waiting>,
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

    fn take_semicolon(&mut self) -> bool {
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

    fn command(&mut self) -> Parsed<Command> {
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

    /// A command that starts with a reserved word or a bracket; `None` for a simple one.
    fn compound(&mut self) -> Parsed<Option<Kind>> {
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

    fn condition(&mut self) -> Parsed<Condition> {
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

    /// A redirection, if one starts here.
    pub(super) fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let start = self.pos;
        while self.peek().is_ascii_digit() {
            self.pos += 1;
        }
        let descriptor = self.unit.str(At { start, end: self.pos }).parse().ok();
        let operator = ["&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"]
            .into_iter()
            .find(|operator| self.starts(operator))
            .filter(|operator| !(operator.len() == 1 && self.byte(self.pos + 1) == b'('))
            .filter(|operator| !(operator.starts_with('&') && descriptor.is_some()));
        let Some(operator) = operator else {
            self.pos = start;
            return Ok(None);
        };
        self.pos += operator.len();
        self.blanks();
        if let "<<" | "<<-" = operator {
            let delimiter = self.word()?;
            let written = self.unit.str(delimiter.at).to_owned();
            let quoted = written.contains(['\'', '"', '\\']);
            let body = Rc::new(OnceCell::new());
            self.waiting.push(Waiting {
                body: body.clone(),
                delimiter: written.replace(['\'', '"', '\\'], ""),
                quoted,
                strip: operator == "<<-",
            });
            return Ok(Some(Redirect { descriptor, kind: RedirectKind::HereDocument(body) }));
        }
        let word = self.word()?;
        let kind = match operator {
            "<<<" => RedirectKind::HereString(word),
            "<" | "<>" => RedirectKind::Input(word),
            "<&" => RedirectKind::Duplicate { input: true, to: word },
            ">&" => RedirectKind::Duplicate { input: false, to: word },
            _ => RedirectKind::Output { append: operator.ends_with(">>"), both: operator.starts_with('&'), file: word },
        };
        Ok(Some(Redirect { descriptor, kind }))
    }
}

/// A list of one command.
fn single(command: Command) -> List {
    let first = Pipeline { negated: false, commands: vec![command] };
    List { items: vec![AndOr { first, rest: Vec::new(), background: false }] }
}
