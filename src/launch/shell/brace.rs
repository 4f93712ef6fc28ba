//! Brace expansion: `{a,b}`, `{1..8..2}`. It comes before every other expansion and looks at unquoted text alone.

use std::rc::Rc;

use super::ast::{At, Index, Name, Operation, Parameter, Piece, Unit, Word};
use super::machine::{Machine, Run};
use super::text::Text;

/// The most words that one word may become.
const MOST_WORDS: usize = 10_000;

/// A character outside quotes, or a piece in which braces mean nothing.
#[derive(Debug, Clone)]
enum Atom {
    Char(char, At),
    Piece(Piece),
}

impl Atom {
    fn is(&self, wanted: char) -> bool {
        matches!(self, Self::Char(c, _) if *c == wanted)
    }
}

impl Machine<'_> {
    /// The words, as pieces, that a word becomes.
    pub(super) fn braces(&mut self, word: &Word) -> Run<Vec<Vec<Piece>>> {
        let has_brace =
            word.pieces.iter().any(|piece| matches!(piece, Piece::Literal(at) if word.unit.str(*at).contains('{')));
        if !has_brace {
            return Ok(vec![word.pieces.clone()]);
        }
        let atoms = atoms(&word.pieces, &word.unit);
        self.step(atoms.len())?;
        let mut words = Vec::new();
        if expand(&atoms, &word.unit, 0, &mut words).is_none() {
            self.cannot_follow("a brace expansion", "makes more words than are followed");
            return Err(super::machine::Flow::Limit);
        }
        self.step(words.len() * 4)?;
        Ok(words.into_iter().map(pieces).collect())
    }
}

fn atoms(pieces: &[Piece], unit: &Rc<Unit>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(at) => {
                let characters = unit.str(*at).char_indices();
                atoms.extend(characters.map(|(i, c)| {
                    let start = at.start + i;
                    Atom::Char(c, At { start, end: start + c.len_utf8() })
                }));
            }
            other => atoms.push(Atom::Piece(other.clone())),
        }
    }
    atoms
}

fn pieces(atoms: Vec<Atom>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for atom in atoms {
        let more = match &atom {
            Atom::Char(c, _) => c.to_string(),
            Atom::Piece(Piece::Made(text)) => text.as_str().to_owned(),
            Atom::Piece(_) => String::new(),
        };
        if let Some(Piece::Parameter(last)) = pieces.last_mut()
            && let Some(parameter) = longer(last, &more)
        {
            *last = Rc::new(parameter);
            continue;
        }
        match (atom, pieces.last_mut()) {
            (Atom::Char(_, at), Some(Piece::Literal(last))) if last.end == at.start => last.end = at.end,
            (Atom::Char(_, at), _) => pieces.push(Piece::Literal(at)),
            (Atom::Piece(piece), _) => pieces.push(piece),
        }
    }
    pieces
}

/// `$A{b,c}` is `$Ab $Ac`: braces come before names are read.
fn longer(parameter: &Parameter, more: &str) -> Option<Parameter> {
    let Name::Variable(name) = &parameter.name else { return None };
    let letters = !more.is_empty() && more.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let unbraced = parameter.at.end - parameter.at.start == name.len() + 1;
    (letters && unbraced && matches!(parameter.operation, Operation::None)).then(|| Parameter {
        at: At { start: parameter.at.start, end: parameter.at.end + more.len() },
        name: Name::Variable(format!("{name}{more}")),
        index: Index::None,
        indirect: false,
        operation: Operation::None,
    })
}

/// Expands the first brace, then what follows; `None` where it grows too large.
fn expand(atoms: &[Atom], unit: &Rc<Unit>, depth: usize, words: &mut Vec<Vec<Atom>>) -> Option<()> {
    let mut from = 0;
    while let Some(open) = (from..atoms.len()).find(|i| atoms[*i].is('{')) {
        from = open + 1;
        let Some((close, commas)) = closing(atoms, open) else { continue };
        let choices = if commas.is_empty() {
            match sequence(&atoms[open + 1..close], unit) {
                Some(choices) => choices,
                None => continue,
            }
        } else {
            let mut choices = Vec::new();
            let mut start = open + 1;
            for end in commas.into_iter().chain([close]) {
                if depth > 20 {
                    return None;
                }
                expand(&atoms[start..end], unit, depth + 1, &mut choices)?;
                start = end + 1;
            }
            choices
        };
        let mut tails = Vec::new();
        expand(&atoms[close + 1..], unit, depth, &mut tails)?;
        if words.len() + choices.len() * tails.len() > MOST_WORDS {
            return None;
        }
        for choice in &choices {
            for tail in &tails {
                words.push([&atoms[..open], choice, tail].concat());
            }
        }
        return Some(());
    }
    words.push(atoms.to_vec());
    Some(())
}

/// The brace that closes the one at `open`, and the commas between them.
fn closing(atoms: &[Atom], open: usize) -> Option<(usize, Vec<usize>)> {
    let mut depth = 0usize;
    let mut commas = Vec::new();
    for (i, atom) in atoms.iter().enumerate().skip(open) {
        let Atom::Char(c, _) = atom else { continue };
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((i, commas));
                }
            }
            ',' if depth == 1 => commas.push(i),
            _ => {}
        }
    }
    None
}

/// `1..8`, `a..e`, `01..10..2`
fn sequence(atoms: &[Atom], unit: &Rc<Unit>) -> Option<Vec<Vec<Atom>>> {
    let text: String =
        atoms.iter().map(|atom| if let Atom::Char(c, _) = atom { Some(*c) } else { None }).collect::<Option<_>>()?;
    let parts: Vec<&str> = text.split("..").collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => (*first, *last, step.parse::<i64>().ok()?),
        _ => return None,
    };
    let step = if step == 0 { 1 } else { step.checked_abs()? };
    let letter = |part: &str| part.chars().next().filter(|c| part.len() == 1 && c.is_ascii_alphabetic());
    let (from, to, letters) = match (first.parse::<i64>(), last.parse::<i64>(), letter(first), letter(last)) {
        (Ok(from), Ok(to), ..) => (from, to, false),
        (_, _, Some(from), Some(to)) => (i64::from(u32::from(from)), i64::from(u32::from(to)), true),
        _ => return None,
    };
    let digits = |part: &str| part.trim_start_matches('-').len();
    let padded = |part: &str| digits(part) > 1 && part.trim_start_matches('-').starts_with('0');
    let width = if !letters && (padded(first) || padded(last)) { first.len().max(last.len()) } else { 0 };
    if (from.checked_sub(to)?.checked_abs()? / step) as u64 > MOST_WORDS as u64 {
        return None;
    }
    let first_at = atoms.first().map(|atom| if let Atom::Char(_, at) = atom { at.start } else { 0 })?;
    let last_at = atoms.last().map(|atom| if let Atom::Char(_, at) = atom { at.end } else { 0 })?;
    let span = unit.span(At { start: first_at, end: last_at });
    let mut words = Vec::new();
    let mut value = from;
    while (from <= to && value <= to) || (from > to && value >= to) {
        let text = if letters {
            u32::try_from(value).ok().and_then(char::from_u32).map_or(String::new(), String::from)
        } else if value < 0 && width > 0 {
            format!("-{:0>width$}", value.unsigned_abs(), width = width - 1)
        } else {
            format!("{value:0>width$}")
        };
        words.push(vec![Atom::Piece(Piece::Made(Text::at(text, span.clone())))]);
        value += if from <= to { step } else { -step };
    }
    Some(words)
}
