//! Text that remembers where each part of it was written.
//!
//! A part that cannot be known is one private-use character, a *hole*: it travels through every string operation,
//! and [`super::holes`] tells what it stands for.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::text::{Source, Span};

/// How many places a word keeps; the most direct ones stay.
const MOST_PLACES: usize = 12;

/// How many parts a text tells apart; the places of later ones are forgotten.
const MOST_MARKS: usize = 4_096;

/// One use of a value on its way into a command: `$ARGS`, `"${MOE_ARGS[@]}"`.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    span: Span,
    earlier: Option<Rc<Use>>,
}

/// A part of a text and the place it was written at.
#[derive(Debug, Clone)]
struct Mark {
    at: Range<usize>,
    span: Span,
    uses: Option<Rc<Use>>,
}

impl Mark {
    /// Whether each byte of the part lies at the same offset in the place.
    fn exact(&self) -> bool {
        self.at.len() == self.span.end - self.span.start
    }

    fn slice(&self, range: &Range<usize>) -> Option<Self> {
        let start = self.at.start.max(range.start);
        let end = self.at.end.min(range.end);
        if start >= end {
            return None;
        }
        let mut span = self.span.clone();
        if self.exact() {
            span.start += start - self.at.start;
            span.end = span.start + (end - start);
        }
        Some(Self { at: start - range.start..end - range.start, span, uses: self.uses.clone() })
    }
}

/// Text with the places of its parts. Equality looks at the text alone.
#[derive(Debug, Clone, Default)]
pub struct Text {
    text: String,
    marks: Vec<Mark>,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Text {
    /// Text that nobody wrote.
    pub fn made(text: impl Into<String>) -> Self {
        Self { text: text.into(), marks: Vec::new() }
    }

    /// Text that stands for what is written at `span`.
    pub fn at(text: impl Into<String>, span: Option<Span>) -> Self {
        let mut made = Self::made(text);
        if let Some(span) = span
            && !made.text.is_empty()
        {
            made.marks.push(Mark { at: 0..made.text.len(), span, uses: None });
        }
        made
    }

    /// The whole text of a source.
    pub fn of_source(source: &Arc<Source>) -> Self {
        Self::at(source.text.clone(), Some(Span { source: source.clone(), start: 0, end: source.text.len() }))
    }

    /// The plain text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds a text to the end.
    pub fn push(&mut self, other: &Self) {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        for mark in &other.marks {
            let at = mark.at.start + shift..mark.at.end + shift;
            self.add(Mark { at, span: mark.span.clone(), uses: mark.uses.clone() });
        }
    }

    /// Adds text that nobody wrote.
    pub fn push_str(&mut self, other: &str) {
        self.text.push_str(other);
    }

    /// Adds a mark, joined to the last one where both are neighbours in the text and in the source.
    fn add(&mut self, mark: Mark) {
        if let Some(last) = self.marks.last_mut() {
            let same_uses = match (&last.uses, &mark.uses) {
                (None, None) => true,
                (Some(a), Some(b)) => Rc::ptr_eq(a, b),
                _ => false,
            };
            if same_uses
                && last.exact()
                && mark.exact()
                && last.at.end == mark.at.start
                && last.span.end == mark.span.start
                && Arc::ptr_eq(&last.span.source, &mark.span.source)
            {
                last.at.end = mark.at.end;
                last.span.end = mark.span.end;
                return;
            }
        }
        if self.marks.len() < MOST_MARKS {
            self.marks.push(mark);
        }
    }

    /// A part of it; the range must lie on character boundaries.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or("").to_owned();
        let first = self.marks.partition_point(|mark| mark.at.end <= range.start);
        let marks =
            self.marks[first..].iter().take_while(|m| m.at.start < range.end).filter_map(|m| m.slice(&range)).collect();
        Self { text, marks }
    }

    /// Other text made from this one, standing at the same places.
    pub fn becomes(&self, text: impl Into<String>) -> Self {
        let text = text.into();
        if text == self.text {
            return self.clone();
        }
        let at = 0..text.len();
        let marks = if text.is_empty() {
            Vec::new()
        } else {
            self.marks
                .iter()
                .take(1)
                .map(|m| Mark { at: at.clone(), span: m.span.clone(), uses: m.uses.clone() })
                .collect()
        };
        Self { text, marks }
    }

    /// The place that a range of it was written at, if it lies in one place.
    pub fn span(&self, range: Range<usize>) -> Option<Span> {
        let part = self.slice(range);
        let first = part.marks.first()?;
        let last = part.marks.last()?;
        let mut span = first.span.clone();
        if Arc::ptr_eq(&span.source, &last.span.source) && last.span.end > span.end {
            span.end = last.span.end;
        }
        Some(span)
    }

    /// Notes that all of it was used at a place.
    #[must_use]
    pub fn used(mut self, span: Option<Span>) -> Self {
        let Some(span) = span else { return self };
        if self.marks.is_empty() && !self.text.is_empty() {
            self.marks.push(Mark { at: 0..self.text.len(), span, uses: None });
            return self;
        }
        let mut shared: Option<(Option<Rc<Use>>, Rc<Use>)> = None;
        for mark in &mut self.marks {
            let known = shared.as_ref().filter(|(earlier, _)| match (earlier, &mark.uses) {
                (None, None) => true,
                (Some(a), Some(b)) => Rc::ptr_eq(a, b),
                _ => false,
            });
            let uses = match known {
                Some((_, uses)) => uses.clone(),
                None => {
                    let uses = Rc::new(Use { span: span.clone(), earlier: mark.uses.clone() });
                    shared = Some((mark.uses.clone(), uses.clone()));
                    uses
                }
            };
            mark.uses = Some(uses);
        }
        self
    }

    /// Where it was written, then where it was used, the most direct place first.
    pub fn places(&self) -> Vec<Span> {
        let mut places: Vec<Span> = Vec::new();
        let mut add = |span: &Span| {
            if places.len() < MOST_PLACES && !places.contains(span) {
                places.push(span.clone());
            }
        };
        for mark in &self.marks {
            add(&mark.span);
        }
        for mark in &self.marks {
            let mut uses = Vec::new();
            let mut next = mark.uses.as_deref();
            while let Some(one) = next.filter(|_| uses.len() < MOST_PLACES) {
                uses.push(&one.span);
                next = one.earlier.as_deref();
            }
            uses.iter().rev().for_each(|span| add(span));
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_exact_places() {
        let source = Source::file("a.sh", "ARGS=\"--a 1 --b 2\"");
        let whole = Text::of_source(&source);
        let value = whole.slice(6..17).used(whole.span(0..4));
        let word = value.slice(6..9);
        assert_eq!(word.as_str(), "--b");
        let texts: Vec<String> = word.places().iter().map(|span| span.text().to_owned()).collect();
        assert_eq!(texts, ["--b", "ARGS"]);
    }

    #[test]
    fn neighbours_join_into_one_place() {
        let source = Source::file("a.sh", "abcdef");
        let whole = Text::of_source(&source);
        let mut joined = whole.slice(0..2);
        joined.push(&whole.slice(2..4));
        assert_eq!(joined.places().len(), 1);
        assert_eq!(joined.places()[0].text(), "abcd");
    }
}
