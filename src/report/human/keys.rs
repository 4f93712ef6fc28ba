//! The keys that a diagnosis explains, folded: what the model wants, what the checkpoint has.

use std::collections::BTreeMap;

use super::ranks;
use super::rows::{self, TEXT, count};
use crate::diagnose::Explained;
use crate::diff::{Diff, Mismatch, PartDiff, is_state};
use crate::pattern::{self, Pattern};
use crate::report::style::{Role, Style};
use crate::report::words;
use textwrap::core::display_width;

/// Longer lists are cut, with a count of the rest.
const MOST_LINES: usize = 6;
/// More groups of ranks with keys of their own than this are only counted.
const MOST_GROUPS: usize = 3;
/// Between a key and its count.
const GAP: usize = 3;

/// What a diagnosis explains in one part.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Keys<'d> {
    missing: Vec<&'d str>,
    unexpected: Vec<&'d str>,
    mismatched: Vec<(&'d str, String)>,
}

/// Writes the rows. Parts with the same keys are written once.
pub(super) fn render(out: &mut String, style: Style, diff: &Diff, explains: &Explained) {
    let groups = groups(diff, explains);
    let hidden = groups.len().saturating_sub(MOST_GROUPS);
    for (keys, parts) in groups.iter().take(MOST_GROUPS) {
        group(out, style, keys);
        let place = ranks::describe(&diff.parts, parts);
        if !place.is_empty() {
            out.push_str(&format!("{}{place}\n", " ".repeat(TEXT)));
        }
    }
    if hidden > 0 {
        let text = format!("and other keys on {} more groups of ranks; --format json lists all", hidden);
        rows::painted(out, style, "", &text, Some(Role::Quiet));
    }
}

/// The explained keys, with the parts that have exactly these; in the order of their first part.
fn groups<'d>(diff: &'d Diff, explains: &Explained) -> Vec<(Keys<'d>, Vec<usize>)> {
    let mut of_part: BTreeMap<usize, Keys<'d>> = BTreeMap::new();
    let part = |index: usize| diff.parts.get(index);
    for &(at, entry) in &explains.missing {
        if let Some((key, _)) = part(at).and_then(|part: &PartDiff| part.missing.get(entry)) {
            of_part.entry(at).or_default().missing.push(key);
        }
    }
    for &(at, entry) in &explains.unexpected {
        if let Some((key, _)) = part(at).and_then(|part| part.unexpected.get(entry)) {
            of_part.entry(at).or_default().unexpected.push(key);
        }
    }
    for &(at, entry) in &explains.mismatched {
        if let Some(mismatch) = part(at).and_then(|part| part.mismatched.get(entry)) {
            of_part.entry(at).or_default().mismatched.push((&mismatch.key, difference(mismatch)));
        }
    }
    let mut parts_of: BTreeMap<Keys<'d>, Vec<usize>> = BTreeMap::new();
    for (at, mut keys) in of_part {
        keys.missing.sort_unstable();
        keys.unexpected.sort_unstable();
        keys.mismatched.sort_unstable();
        parts_of.entry(keys).or_default().push(at);
    }
    let mut groups: Vec<_> = parts_of.into_iter().collect();
    groups.sort_by(|a, b| a.1.cmp(&b.1));
    groups
}

fn group(out: &mut String, style: Style, keys: &Keys<'_>) {
    const WANTS: &str = "model wants";
    const HAS: &str = "checkpoint has";
    let missing = parameters_first(pattern::fold(&keys.missing));
    let unexpected = parameters_first(pattern::fold(&keys.unexpected));
    let mismatched = pattern::fold_by(keys.mismatched.iter().map(|(key, text)| (*key, text)));
    let all = || missing.iter().chain(&unexpected).chain(mismatched.iter().map(|(pattern, _)| pattern));
    let columns = Columns::fitting(style, all().take(3 * MOST_LINES));
    list(out, style, columns, WANTS, &missing);
    if missing.is_empty() && !unexpected.is_empty() {
        rows::prose(out, style, WANTS, "none of these:");
    }
    list(out, style, columns, HAS, &unexpected);
    if unexpected.is_empty() && !missing.is_empty() {
        rows::prose(out, style, HAS, "none of these");
    }
    for (i, (pattern, text)) in mismatched.iter().enumerate().take(MOST_LINES) {
        line(out, style, columns, if i == 0 { "differs" } else { "" }, pattern);
        rows::prose(out, style, "", text);
    }
    more(out, style, mismatched.iter().map(|(pattern, _)| pattern));
}

/// Extra states last, so that they never push parameters out of sight.
fn parameters_first(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
    patterns.sort_by_cached_key(|pattern| is_state(&pattern.to_string()));
    patterns
}

/// How a mismatch reads: only what differs of shape and dtype.
fn difference(mismatch: &Mismatch) -> String {
    let (wants, has) = (&mismatch.expected, &mismatch.found);
    let show = if wants.shape == has.shape { words::dtype } else { words::shape };
    let both = wants.shape != has.shape && wants.dtype != has.dtype;
    let text = |tensor| if both { format!("{} {}", words::shape(tensor), words::dtype(tensor)) } else { show(tensor) };
    format!("model wants {}, checkpoint has {}", text(wants), text(has))
}

fn list(out: &mut String, style: Style, columns: Columns, heading: &str, patterns: &[Pattern]) {
    for (i, pattern) in patterns.iter().take(MOST_LINES).enumerate() {
        line(out, style, columns, if i == 0 { heading } else { "" }, pattern);
    }
    more(out, style, patterns.iter());
}

/// How much is not shown after the first lines.
fn more<'p>(out: &mut String, style: Style, patterns: impl Iterator<Item = &'p Pattern>) {
    let hidden: Vec<u64> = patterns.skip(MOST_LINES).map(Pattern::count).collect();
    if !hidden.is_empty() {
        let text = format!("and {} more; --format json lists all", count(hidden.iter().sum(), "key"));
        rows::painted(out, style, "", &text, Some(Role::Quiet));
    }
}

/// Widths of the key and the count beside it.
#[derive(Clone, Copy)]
struct Columns {
    key: usize,
    count: usize,
}

impl Columns {
    /// Counts stand close to the keys on a wide terminal, and at the edge of a narrow one.
    fn fitting<'p>(style: Style, patterns: impl Iterator<Item = &'p Pattern>) -> Self {
        let (mut key, mut widest) = (0, 0);
        for pattern in patterns {
            key = key.max(display_width(&pattern.to_string()));
            widest = widest.max(count(pattern.count(), "key").len());
        }
        Self { key: key.min(style.columns().saturating_sub(TEXT + GAP + widest)), count: widest }
    }
}

/// One pattern with its count. A long one breaks at a dot, and what follows is set to the right, beside the count.
fn line(out: &mut String, style: Style, columns: Columns, heading: &str, pattern: &Pattern) {
    let full = columns.key + GAP + columns.count;
    let lines = broken(&pattern.to_string(), full, columns.key);
    let tally = format!("{:>width$}", count(pattern.count(), "key"), width = columns.count);
    for (i, line) in lines.iter().enumerate() {
        let start = if i == 0 { rows::heading(style, heading) } else { " ".repeat(TEXT) };
        let last = i + 1 == lines.len();
        let pad = columns.key.saturating_sub(display_width(line));
        let (before, after) = if i == 0 { (0, pad) } else { (if last { pad } else { 4 }, 0) };
        out.push_str(&format!("{start}{}{line}", " ".repeat(before)));
        if last {
            out.push_str(&format!("{}{}", " ".repeat(after + GAP), style.paint(Role::Quiet, &tally)));
        }
        out.push('\n');
    }
}

/// The text in lines of `width` columns, the last one of `last`, broken before dots where there are any.
fn broken(text: &str, width: usize, last: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut pieces: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut depth = 0i32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            '.' if depth == 0 && at > start => {
                pieces.push(&text[start..at]);
                start = at;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    for (i, piece) in pieces.iter().enumerate() {
        let room = if i + 1 == pieces.len() { last } else { width };
        let indent = if lines.len() > 1 { 4 } else { 0 };
        match lines.last_mut() {
            Some(line) if line.is_empty() || display_width(line) + display_width(piece) + indent <= room => {
                line.push_str(piece);
            }
            _ => lines.push((*piece).to_owned()),
        }
    }
    lines
}
