//! What the holes in a text stand for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::rules::value::Unknown;

/// The first of the private-use characters that stand for something unknown.
const FIRST: u32 = 0x10_0000;
/// How many there can be: plane 16 without its two last, non-character places.
const MOST: usize = 0xFFFD;

/// A thing that is not known: its number in [`Holes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hole(usize);

impl Hole {
    /// The character that stands for it.
    pub fn character(self) -> char {
        u32::try_from(self.0).ok().and_then(|n| char::from_u32(FIRST + n)).unwrap_or('\u{10FFFD}')
    }

    /// The first hole in a text.
    pub fn in_text(text: &str) -> Option<Self> {
        // Every such character starts with this byte in UTF-8, and no other character that we keep does.
        if !text.as_bytes().contains(&0xF4) {
            return None;
        }
        text.chars().find_map(Self::of)
    }

    /// The hole that a character stands for.
    pub fn of(character: char) -> Option<Self> {
        (u32::from(character)).checked_sub(FIRST).map(|n| Self(n as usize))
    }
}

/// Why something is unknown; decides how it is treated where emptiness is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A variable that nobody set: a question whether it is empty is answered with yes.
    Unset,
    /// Addresses of this machine: digits, `a` to `f`, `.` and `:`.
    Addresses,
    /// Anything else.
    Other,
}

/// Everything unknown that a reading met.
#[derive(Debug, Default)]
pub struct Holes {
    all: Vec<(Arc<Unknown>, Kind)>,
    known: HashMap<(String, String), Hole>,
}

impl Holes {
    /// The hole for something unknown; the same name and reason give the same hole.
    pub fn add(&mut self, unknown: Unknown, kind: Kind) -> Hole {
        let key = (unknown.name.clone(), unknown.reason.clone());
        if let Some(hole) = self.known.get(&key) {
            return *hole;
        }
        if self.all.len() >= MOST {
            return Hole(MOST - 1);
        }
        let hole = Hole(self.all.len());
        self.all.push((Arc::new(unknown), kind));
        self.known.insert(key, hole);
        hole
    }

    /// What a hole stands for.
    pub fn get(&self, hole: Hole) -> Arc<Unknown> {
        match self.all.get(hole.0) {
            Some((unknown, _)) => unknown.clone(),
            None => Arc::new(Unknown { name: "?".into(), reason: "is not known".into(), places: Vec::new() }),
        }
    }

    /// Whether the whole text is one variable that nobody set.
    pub fn is_unset(&self, text: &str) -> bool {
        self.is_one(text, Kind::Unset)
    }

    /// Whether a text is an address of this machine and another one, `known`, can be none: it has other letters.
    pub fn cannot_be(&self, text: &str, known: &str) -> bool {
        self.is_one(text, Kind::Addresses) && known.chars().any(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit())
    }

    /// The kind of a hole.
    pub fn kind(&self, hole: Hole) -> Kind {
        self.all.get(hole.0).map_or(Kind::Other, |(_, kind)| *kind)
    }

    fn is_one(&self, text: &str, kind: Kind) -> bool {
        let mut characters = text.chars();
        match (characters.next().and_then(Hole::of), characters.next()) {
            (Some(hole), None) => self.all.get(hole.0).is_some_and(|(_, known)| *known == kind),
            _ => false,
        }
    }
}

/// A text from outside with the characters replaced that would be taken for holes.
pub fn without_holes(text: String) -> String {
    if !text.as_bytes().contains(&0xF4) {
        return text;
    }
    // The replacement is of the same length, so that places stay right.
    text.chars().map(|c| if Hole::of(c).is_some() { '\u{F0000}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_found_again_in_text() {
        let mut holes = Holes::default();
        let unknown = Unknown { name: "$X".into(), reason: "r".into(), places: Vec::new() };
        let hole = holes.add(unknown.clone(), Kind::Unset);
        let text = format!("a{}b", hole.character());
        assert_eq!(Hole::in_text(&text), Some(hole));
        assert_eq!(Hole::in_text(&without_holes(text.clone())), None);
        assert_eq!(without_holes(text.clone()).len(), text.len());
        assert!(holes.is_unset(&hole.character().to_string()) && !holes.is_unset(&text));
        assert_eq!(holes.add(unknown, Kind::Unset), hole);
        let unknown = Unknown { name: "hostname".into(), reason: "r".into(), places: Vec::new() };
        let address = holes.add(unknown, Kind::Addresses).character().to_string();
        assert!(
            holes.cannot_be(&address, "IP1") && !holes.cannot_be(&address, "10.0.0.1") && !holes.is_unset(&address)
        );
    }
}
