//! The grammar of words: quotes, expansions, assignments, here-documents.

use std::rc::Rc;

use super::ast::{At, Index, Name, Operation, Parameter, Piece, Unit, Word};
use super::parse::{Parsed, Parser};
use super::text::Text;

/// Where a run of pieces stands: decides what ends it and what is special in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A word of a command.
    Word,
    /// The value of an assignment: `~` counts after `:` too.
    Value,
    /// Inside `"..."`.
    Double,
    /// A here-document.
    Here,
    /// An arithmetic expression.
    Arithmetic,
    /// The operand of `${V...}` outside double quotes.
    Operand,
    /// The same inside double quotes, where `'` is an ordinary character.
    QuotedOperand,
    /// The right side of `=~`.
    Regex,
    /// The inside of `+(...)`.
    Group,
    /// Inside `[...]`.
    Subscript,
}

impl Mode {
    /// Whether a backslash quotes only a few characters.
    fn quoted(self) -> bool {
        matches!(self, Self::Double | Self::Here | Self::Arithmetic | Self::QuotedOperand)
    }
}

impl Parser {
    /// A word; an error where none starts.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        self.word_in(Mode::Word, &[])
    }

    /// The right side of `=~`.
    pub(super) fn regex_word(&mut self) -> Parsed<Word> {
        self.word_in(Mode::Regex, &[])
    }

    pub(super) fn word_in(&mut self, mode: Mode, stops: &[u8]) -> Parsed<Word> {
        let start = self.pos;
        let pieces = self.deeper(|parser| parser.pieces(mode, stops))?;
        if self.pos == start && matches!(mode, Mode::Word | Mode::Regex) {
            return Err(self.unexpected());
        }
        Ok(Word { unit: self.unit.clone(), at: At { start, end: self.pos }, pieces })
    }

    /// A word that fills a range of the text.
    fn word_within(&mut self, at: At, mode: Mode) -> Parsed<Word> {
        let (pos, end) = (self.pos, self.end);
        (self.pos, self.end) = (at.start, at.end);
        let word = self.word_in(mode, &[]);
        (self.pos, self.end) = (pos, end);
        word
    }

    /// An arithmetic expression.
    pub(super) fn arithmetic(&mut self, at: At) -> Parsed<Word> {
        self.word_within(at, Mode::Arithmetic)
    }

    /// The three parts of `for ((A; B; C))`.
    pub(super) fn arithmetic_parts(&mut self, at: At) -> Parsed<[Option<Word>; 3]> {
        let text = self.unit.str(at).to_owned();
        let mut start = at.start;
        let mut parts = [None, None, None];
        for (slot, part) in parts.iter_mut().zip(text.split(';')) {
            if !part.trim().is_empty() {
                *slot = Some(self.arithmetic(At { start, end: start + part.len() })?);
            }
            start += part.len() + 1;
        }
        Ok(parts)
    }

    /// The place of the `))` that ends an expression which starts at `from`.
    pub(super) fn arithmetic_end(&self, from: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut at = from;
        while at < self.end {
            match self.byte(at) {
                b'\\' => at += 1,
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b')' => return (self.byte(at + 1) == b')').then_some(at),
                b'\'' => at = (at + 1..self.end).find(|i| self.byte(*i) == b'\'')?,
                _ => {}
            }
            at += 1;
        }
        None
    }

    pub(super) fn name(&mut self) -> String {
        let start = self.pos;
        if !self.peek().is_ascii_digit() {
            while self.peek() == b'_' || self.peek().is_ascii_alphanumeric() {
                self.pos += 1;
            }
        }
        self.unit.str(At { start, end: self.pos }).to_owned()
    }

    /// The body of a here-document, from the start of a line.
    pub(super) fn here_document(&mut self, delimiter: &str, quoted: bool, strip: bool) -> Parsed<Word> {
        let start = self.pos;
        let mut body = Text::default();
        let mut end = start;
        while self.pos < self.end {
            let line_start = self.pos;
            while self.pos < self.end && self.peek() != b'\n' {
                self.pos += 1;
            }
            let line_end = self.pos;
            self.pos = (self.pos + 1).min(self.end);
            let mut from = line_start;
            while strip && from < line_end && self.byte(from) == b'\t' {
                from += 1;
            }
            if self.unit.str(At { start: from, end: line_end }) == delimiter {
                break;
            }
            if strip {
                body.push(&self.unit.slice(At { start: from, end: self.pos }));
            }
            end = self.pos;
        }
        let at = At { start, end };
        let unit = if strip { Rc::new(Unit { text: body }) } else { self.unit.clone() };
        let at = if strip { At { start: 0, end: unit.text.len() } } else { at };
        if quoted {
            return Ok(Word { unit, at, pieces: vec![Piece::Single(at)] });
        }
        if strip {
            return self.inner(unit).word_within(at, Mode::Here);
        }
        self.word_within(at, Mode::Here)
    }

    /// Pieces up to what ends them in a mode.
    fn pieces(&mut self, mode: Mode, stops: &[u8]) -> Parsed<Vec<Piece>> {
        let start = self.pos;
        let mut pieces = Vec::new();
        let mut literal = self.pos;
        let mut nested = 0usize;
        macro_rules! flush {
            () => {
                if literal < self.pos {
                    pieces.push(Piece::Literal(At { start: literal, end: self.pos }));
                }
            };
        }
        while self.pos < self.end {
            let c = self.peek();
            if nested == 0 && stops.contains(&c) {
                break;
            }
            match c {
                b'\\' => {
                    let next = self.byte(self.pos + 1);
                    if next == b'\n' {
                        flush!();
                        self.pos += 2;
                        literal = self.pos;
                    } else if self.pos + 1 >= self.end || (mode.quoted() && !self.escapes(mode, next)) {
                        self.pos += 1;
                    } else {
                        flush!();
                        let text = self.unit.text.as_str();
                        let width = text[self.pos + 1..].chars().next().map_or(1, char::len_utf8);
                        pieces.push(Piece::Escaped(At { start: self.pos, end: self.pos + 1 + width }));
                        self.pos += 1 + width;
                        literal = self.pos;
                    }
                }
                b'\'' if !matches!(mode, Mode::Double | Mode::Here | Mode::QuotedOperand) => {
                    flush!();
                    let inside = self.pos + 1;
                    let end = (inside..self.end).find(|i| self.byte(*i) == b'\'');
                    let end = end.ok_or_else(|| self.error("a `'` is never closed"))?;
                    pieces.push(Piece::Single(At { start: inside, end }));
                    self.pos = end + 1;
                    literal = self.pos;
                }
                b'"' if mode == Mode::Arithmetic => {
                    flush!();
                    self.pos += 1;
                    literal = self.pos;
                }
                b'"' if mode != Mode::Here => {
                    flush!();
                    pieces.push(self.double_quoted()?);
                    literal = self.pos;
                }
                b'$' | b'`' => {
                    let from = self.pos;
                    if let Some(piece) = self.deeper(|parser| parser.expansion(mode))? {
                        if literal < from {
                            pieces.push(Piece::Literal(At { start: literal, end: from }));
                        }
                        pieces.push(piece);
                        literal = self.pos;
                    } else {
                        self.pos = from + 1;
                    }
                }
                b'~' if self.tilde_here(mode, start) => {
                    flush!();
                    let from = self.pos;
                    self.pos += 1;
                    while self.peek().is_ascii_alphanumeric() || matches!(self.peek(), b'_' | b'+' | b'-' | b'.') {
                        self.pos += 1;
                    }
                    pieces.push(Piece::Tilde(At { start: from, end: self.pos }));
                    literal = self.pos;
                }
                b'?' | b'*' | b'+' | b'@' | b'!'
                    if self.byte(self.pos + 1) == b'(' && matches!(mode, Mode::Word | Mode::Group | Mode::Operand) =>
                {
                    self.pos += 2;
                    flush!();
                    pieces.extend(self.deeper(|parser| parser.pieces(Mode::Group, b")"))?);
                    literal = self.pos;
                    self.expect(b')')?;
                }
                b'<' | b'>' if self.byte(self.pos + 1) == b'(' && matches!(mode, Mode::Word | Mode::Value) => {
                    flush!();
                    let from = self.pos;
                    self.pos += 2;
                    let list = self.deeper(|parser| parser.compound_list(true))?;
                    self.expect(b')')?;
                    pieces.push(Piece::Process(At { start: from, end: self.pos }, c == b'<', Rc::new(list)));
                    literal = self.pos;
                }
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
                    if matches!(mode, Mode::Word | Mode::Value) =>
                {
                    break;
                }
                b' ' | b'\t' | b'\n' if mode == Mode::Regex && nested == 0 => break,
                b'(' if matches!(mode, Mode::Regex | Mode::Arithmetic) => {
                    nested += 1;
                    self.pos += 1;
                }
                b')' if matches!(mode, Mode::Regex | Mode::Arithmetic) => {
                    nested = nested.saturating_sub(1);
                    self.pos += 1;
                }
                b'[' if mode == Mode::Subscript => {
                    nested += 1;
                    self.pos += 1;
                }
                b']' if mode == Mode::Subscript => {
                    nested = nested.saturating_sub(1);
                    self.pos += 1;
                }
                _ => self.pos += 1,
            }
        }
        flush!();
        Ok(pieces)
    }

    /// Whether a backslash before `next` quotes it where most are ordinary.
    fn escapes(&self, mode: Mode, next: u8) -> bool {
        match next {
            b'$' | b'`' | b'\\' => true,
            b'"' => mode != Mode::Here,
            b'}' => mode == Mode::QuotedOperand,
            _ => false,
        }
    }

    fn tilde_here(&self, mode: Mode, start: usize) -> bool {
        match mode {
            Mode::Word | Mode::Operand => self.pos == start,
            Mode::Value => self.pos == start || self.byte(self.pos - 1) == b':',
            _ => false,
        }
    }

    fn double_quoted(&mut self) -> Parsed<Piece> {
        self.pos += 1;
        let opened = self.pos;
        let pieces = self.deeper(|parser| parser.pieces(Mode::Double, b"\""))?;
        if self.pos >= self.end {
            self.pos = opened;
            return Err(self.error("a `\"` is never closed"));
        }
        self.pos += 1;
        Ok(Piece::Double(pieces))
    }

    /// What starts with `$` or a backquote; `None` where the sign is an ordinary character.
    fn expansion(&mut self, mode: Mode) -> Parsed<Option<Piece>> {
        let start = self.pos;
        if self.peek() == b'`' {
            return self.backquoted(mode).map(Some);
        }
        let quoted = mode.quoted();
        let next = self.byte(start + 1);
        let simple = |parser: &mut Self, name: Name, end: usize| {
            parser.pos = end;
            let at = At { start, end };
            Piece::Parameter(Rc::new(Parameter {
                at,
                name,
                index: Index::None,
                indirect: false,
                operation: Operation::None,
            }))
        };
        Ok(Some(match next {
            b'(' => {
                if self.byte(start + 2) == b'('
                    && let Some(end) = self.arithmetic_end(start + 3)
                {
                    let word = self.arithmetic(At { start: start + 3, end })?;
                    self.pos = end + 2;
                    return Ok(Some(Piece::Arithmetic(At { start, end: self.pos }, Rc::new(word))));
                }
                self.pos += 2;
                let list = self.compound_list(true)?;
                self.expect(b')')?;
                Piece::Command(At { start, end: self.pos }, Rc::new(list))
            }
            b'[' => {
                self.pos += 2;
                let word = self.word_in(Mode::Subscript, b"]")?;
                self.expect(b']')?;
                Piece::Arithmetic(At { start, end: self.pos }, Rc::new(word))
            }
            b'{' => {
                self.pos += 2;
                self.parameter(start, quoted)?
            }
            b'\'' if !quoted => {
                let mut end = start + 2;
                while end < self.end && self.byte(end) != b'\'' {
                    end += 1 + usize::from(self.byte(end) == b'\\');
                }
                if end >= self.end {
                    return Err(self.error("a `$'` is never closed"));
                }
                self.pos = end + 1;
                Piece::Ansi(At { start: start + 2, end })
            }
            b'"' if !quoted => {
                self.pos += 1;
                self.double_quoted()?
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.pos += 1;
                let name = self.name();
                let end = self.pos;
                simple(self, Name::Variable(name), end)
            }
            b'1'..=b'9' => simple(self, Name::Positional(usize::from(next - b'0')), start + 2),
            b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' | b'0' => {
                simple(self, Name::Special(char::from(next)), start + 2)
            }
            _ => return Ok(None),
        }))
    }

    /// `` `...` ``: its text is unquoted once, then parsed on its own.
    fn backquoted(&mut self, mode: Mode) -> Parsed<Piece> {
        let start = self.pos;
        let mut body = Text::default();
        self.pos += 1;
        while self.pos < self.end && self.peek() != b'`' {
            let next = self.byte(self.pos + 1);
            let quotes = matches!(next, b'$' | b'`' | b'\\') || (mode == Mode::Double && next == b'"');
            let skip = usize::from(self.peek() == b'\\' && quotes);
            let from = self.pos + skip;
            let width = self.unit.text.as_str()[from..].chars().next().map_or(1, char::len_utf8);
            body.push(&self.unit.slice(At { start: from, end: from + width }));
            self.pos = from + width;
        }
        if self.pos >= self.end {
            self.pos = start;
            return Err(self.error("a backquote is never closed"));
        }
        self.pos += 1;
        let mut inner = self.inner(Rc::new(Unit { text: body }));
        let list = inner.compound_list(true)?;
        Ok(Piece::Command(At { start, end: self.pos }, Rc::new(list)))
    }
}
