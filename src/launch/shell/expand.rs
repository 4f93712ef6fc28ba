//! Expanding words: quotes, expansions, word splitting, in bash's order.

use std::rc::Rc;

use super::ast::{At, Piece, Unit, Word};
use super::holes::Hole;
use super::machine::{Machine, Run};
use super::pattern;
use super::state::Field;
use super::text::Text;

/// What stands between the elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// `"$@"`: each is a word, empty or not.
    Quoted,
    /// `$@` outside quotes.
    At,
    /// `$*` outside quotes.
    Star,
}

/// What a piece of a word became.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text.
    Text {
        /// It.
        text: Text,
        /// Whether it stood in quotes: then nothing in it is special.
        quoted: bool,
        /// Whether blanks in it separate words.
        split: bool,
        /// Whether it may stand for any number of words.
        open: bool,
    },
    /// The end of a word, as between the elements of an array.
    Break(Between),
}

impl Part {
    /// Text in quotes.
    pub fn quoted(text: Text) -> Self {
        Self::Text { text, quoted: true, split: false, open: false }
    }
}

/// A word being put together.
#[derive(Debug, Default)]
struct Building {
    chunks: Vec<(Text, bool)>,
    open: bool,
}

impl Machine<'_> {
    /// A word as the words it becomes in a command.
    pub fn fields(&mut self, word: &Word) -> Run<Vec<Field>> {
        let mut fields = Vec::new();
        for pieces in self.braces(word)? {
            self.step(1)?;
            let parts = self.parts(&pieces, &word.unit, false, false)?;
            for building in self.split(parts)? {
                self.finish(building, &mut fields)?;
            }
        }
        Ok(fields)
    }

    /// A word as one text, as in an assignment: no splitting, no file names.
    pub fn one_text(&mut self, word: &Word) -> Run<Text> {
        let parts = self.parts(&word.pieces, &word.unit, false, false)?;
        self.joined(&parts)
    }

    /// Parts as one text: `@` joins by a blank, `*` by the first character of `IFS`.
    pub(super) fn joined(&mut self, parts: &[Part]) -> Run<Text> {
        let mut text = Text::default();
        for part in parts {
            match part {
                Part::Text { text: more, .. } => text.push(more),
                Part::Break(Between::Quoted | Between::At) => text.push_str(" "),
                Part::Break(Between::Star) => {
                    let separator = self.separators().chars().next();
                    text.push_str(&separator.map_or(String::new(), String::from));
                }
            }
        }
        self.step(text.len())?;
        Ok(text)
    }

    /// A word as a pattern: what stood in quotes is quoted with backslashes.
    pub fn pattern_text(&mut self, word: &Word) -> Run<String> {
        let parts = self.parts(&word.pieces, &word.unit, false, false)?;
        let mut text = String::new();
        for part in &parts {
            match part {
                Part::Text { text: more, quoted: true, .. } => text.push_str(&pattern::quote(more.as_str())),
                Part::Text { text: more, .. } => text.push_str(more.as_str()),
                Part::Break(_) => text.push(' '),
            }
        }
        self.step(text.len())?;
        Ok(text)
    }

    /// The parts of some pieces. `split_literals` is for operands, whose blanks separate words outside quotes.
    pub fn parts(&mut self, pieces: &[Piece], unit: &Rc<Unit>, quoted: bool, split_literals: bool) -> Run<Vec<Part>> {
        let mut parts = Vec::new();
        for piece in pieces {
            self.step(0)?;
            let plain = |text: Text| {
                // In the text of `eval`, what stands outside quotes may be any number of words.
                let open = !quoted && Hole::in_text(text.as_str()).is_some();
                Part::Text { text, quoted, split: split_literals && !quoted, open }
            };
            match piece {
                Piece::Literal(at) => parts.push(plain(unit.slice(*at))),
                Piece::Made(text) => parts.push(plain(text.clone())),
                Piece::Escaped(at) => {
                    let text = unit.str(*at);
                    let shown = Text::at(text.strip_prefix('\\').unwrap_or(text), unit.span(*at));
                    parts.push(Part::quoted(shown));
                }
                Piece::Single(at) => parts.push(Part::quoted(unit.slice(*at))),
                Piece::Ansi(at) => {
                    parts.push(Part::quoted(Text::at(super::escapes::ansi(unit.str(*at)), unit.span(*at))));
                }
                Piece::Double(inside) => {
                    let inside_parts = self.parts(inside, unit, true, false)?;
                    // `"$@"` without arguments is no word at all; any other empty quotes are an empty word.
                    let nothing = inside_parts.is_empty() && inside.iter().any(|piece| self.may_vanish(piece));
                    if inside_parts.is_empty() && !nothing {
                        parts.push(Part::quoted(Text::default()));
                    }
                    parts.extend(inside_parts);
                }
                Piece::Tilde(at) => {
                    let text = self.tilde(unit, *at);
                    parts.push(Part::quoted(text));
                }
                Piece::Parameter(parameter) => {
                    let found = self.parameter(parameter, unit, quoted, split_literals)?;
                    // In an operand, `$@` outside quotes is joined by blanks before it is split.
                    parts.extend(found.into_iter().map(|part| match part {
                        Part::Break(Between::At) if split_literals && !quoted => {
                            Part::Text { text: Text::made(" "), quoted, split: true, open: false }
                        }
                        part => part,
                    }));
                }
                Piece::Command(at, list) => {
                    let span = unit.span(*at);
                    let text = self.substitute(list, span.clone())?;
                    let text = if text.places().is_empty() { Text::at(text.as_str(), span) } else { text.used(span) };
                    let open = !quoted && Hole::in_text(text.as_str()).is_some();
                    parts.push(Part::Text { text, quoted, split: !quoted, open });
                }
                Piece::Arithmetic(at, word) => {
                    let span = unit.span(*at);
                    let text = match self.arithmetic(word)? {
                        Ok(number) => Text::at(number.to_string(), span),
                        // A number is one word, known or not.
                        Err(hole) => self.unknown_text(hole, span),
                    };
                    parts.push(Part::Text { text, quoted, split: !quoted, open: false });
                }
                Piece::Process(at, input, list) => {
                    let text = self.process(*input, list, unit.span(*at))?;
                    parts.push(Part::quoted(text));
                }
            }
        }
        Ok(parts)
    }

    /// Whether a piece can be no word at all inside double quotes.
    fn may_vanish(&self, piece: &Piece) -> bool {
        use super::ast::{Index, Name};
        match piece {
            Piece::Parameter(parameter) => {
                matches!(parameter.index, Index::All)
                    || matches!(parameter.name, Name::Special('@'))
                    || parameter.indirect
            }
            _ => false,
        }
    }

    fn tilde(&mut self, unit: &Rc<Unit>, at: At) -> Text {
        let span = unit.span(at);
        let place = span.as_ref();
        let (found, name) = match unit.str(at) {
            "~" => (self.scalar("HOME", place), "HOME"),
            "~+" => (self.scalar("PWD", place), "PWD"),
            "~-" => (self.scalar("OLDPWD", place), "OLDPWD"),
            "~root" => return Text::at("/root", span),
            other => {
                let hole = self.hole(other, format!("`{other}` depends on the machine's users"), span.clone());
                return self.unknown_text(hole, span);
            }
        };
        match found {
            Ok(text) => text.used(span),
            Err(hole) => {
                let hole = hole.unwrap_or_else(|| self.unset_hole(name, span.clone()));
                self.unknown_text(hole, span)
            }
        }
    }

    /// The characters that separate words.
    pub fn separators(&mut self) -> String {
        match self.scalar("IFS", None) {
            Ok(text) => text.as_str().to_owned(),
            Err(_) => " \t\n".to_owned(),
        }
    }

    /// Splits parts into words.
    fn split(&mut self, parts: Vec<Part>) -> Run<Vec<Building>> {
        let separators = self.separators();
        let white_first = separators.chars().next().is_none_or(|c| matches!(c, ' ' | '\t' | '\n'));
        let mut words: Vec<Building> = Vec::new();
        let mut current: Option<Building> = None;
        // Whether blanks ended a word just now, so that a following `,` of IFS ends the same word.
        let mut blank = false;
        for part in parts {
            let (text, quoted, split, open) = match part {
                // Outside quotes, elements are joined by the first separator and split again.
                Part::Break(between) if between != Between::Quoted && !white_first => {
                    match current.take() {
                        Some(word) => words.push(word),
                        None if blank => {}
                        None => words.push(Building { chunks: vec![(Text::default(), true)], open: false }),
                    }
                    blank = false;
                    continue;
                }
                Part::Break(_) => {
                    words.extend(current.take());
                    blank = false;
                    continue;
                }
                Part::Text { text, quoted, split, open } => (text, quoted, split, open),
            };
            if !split {
                if quoted || !text.is_empty() {
                    let building = current.get_or_insert_with(Building::default);
                    building.open |= open;
                    building.chunks.push((text, quoted));
                    blank = false;
                }
                continue;
            }
            self.step(text.len())?;
            let mut start = 0;
            let plain = text.as_str().to_owned();
            for (at, c) in plain.char_indices() {
                if !separators.contains(c) {
                    continue;
                }
                if start < at {
                    let piece = text.slice(start..at);
                    let building = current.get_or_insert_with(Building::default);
                    building.open |= open && Hole::in_text(piece.as_str()).is_some();
                    building.chunks.push((piece, quoted));
                    blank = false;
                }
                start = at + c.len_utf8();
                let white = matches!(c, ' ' | '\t' | '\n');
                match (white, current.take()) {
                    (true, Some(word)) => {
                        words.push(word);
                        blank = true;
                    }
                    (true, None) => {}
                    (false, Some(word)) => words.push(word),
                    (false, None) if blank => blank = false,
                    (false, None) => words.push(Building { chunks: vec![(Text::default(), true)], open: false }),
                }
            }
            if start < plain.len() {
                let piece = text.slice(start..plain.len());
                let building = current.get_or_insert_with(Building::default);
                building.open |= open && Hole::in_text(piece.as_str()).is_some();
                building.chunks.push((piece, quoted));
                blank = false;
            }
            self.step(words.len())?;
        }
        words.extend(current);
        Ok(words)
    }

    /// Makes a word of its chunks, or the file names that it matches.
    fn finish(&mut self, building: Building, fields: &mut Vec<Field>) -> Run {
        let mut text = Text::default();
        let mut special = false;
        for (chunk, quoted) in &building.chunks {
            text.push(chunk);
            special |= !quoted && pattern::is_pattern(chunk.as_str());
        }
        self.step(text.len())?;
        let glob = special && !self.state.flags.noglob && Hole::in_text(text.as_str()).is_none();
        if glob {
            let mut pattern = String::new();
            for (chunk, quoted) in &building.chunks {
                if *quoted {
                    pattern.push_str(&pattern::quote(chunk.as_str()));
                } else {
                    pattern.push_str(chunk.as_str());
                }
            }
            if let Some(names) = self.glob(&pattern)? {
                fields.extend(names.into_iter().map(|name| Field::one(text.becomes(name))));
                return Ok(());
            }
        }
        fields.push(Field { text, open: building.open });
        Ok(())
    }
}
