//! A folded table of entries: key pattern, shape, dtype, count.

use std::collections::BTreeSet;

use textwrap::core::display_width;

use super::rows::thousands;
use crate::pattern::{self, Pattern};
use crate::report::style::{Role, Style};
use crate::report::words;
use crate::tensor::{Key, Tensor};

/// A line of a table.
struct Line {
    key: String,
    shape: String,
    dtype: String,
    count: String,
    file: String,
}

/// Writes the entries, those that differ only in numbers in one line. `files`: say which files hold each line's keys.
pub(super) fn render<'i>(
    out: &mut String,
    style: Style,
    entries: impl Iterator<Item = (&'i Key, &'i Tensor)>,
    files: bool,
) {
    let entries: Vec<(&Key, &Tensor)> = entries.collect();
    let attribute = |tensor: &Tensor| (tensor.kind, tensor.shape.clone(), tensor.dtype.clone());
    let folded = pattern::fold_by(entries.iter().map(|(key, tensor)| (key, attribute(tensor))));
    let lines: Vec<Line> = folded
        .into_iter()
        .map(|(pattern, (kind, shape, dtype))| {
            let tensor = Tensor { kind, shape, dtype, file: None };
            Line {
                key: pattern.to_string(),
                shape: words::shape(&tensor),
                dtype: words::dtype(&tensor),
                count: thousands(pattern.count()),
                file: if files { files_of(&pattern, &entries) } else { String::new() },
            }
        })
        .collect();
    write(out, style, &lines);
}

fn write(out: &mut String, style: Style, lines: &[Line]) {
    let widest = |text: fn(&Line) -> &String| lines.iter().map(|line| display_width(text(line))).max().unwrap_or(0);
    let (shape, dtype, count) = (widest(|l| &l.shape), widest(|l| &l.dtype), widest(|l| &l.count));
    let rest = 2 + count + 2 + 2 + shape + 2 + dtype;
    let key = widest(|l| &l.key).min(style.columns().saturating_sub(rest).max(24));
    for line in lines {
        let tally = style.paint(Role::Quiet, &format!("{:>count$}", line.count));
        let attributes = format!("{:<shape$}  {}", line.shape, line.dtype);
        let gap = key.saturating_sub(display_width(&line.key));
        out.push_str(&format!("  {tally}  {}", line.key));
        if display_width(&line.key) > key {
            out.push_str(&format!("\n{}", " ".repeat(2 + count + 2 + key)));
        }
        out.push_str(&format!("{}  {}\n", " ".repeat(gap), attributes.trim_end()));
        if !line.file.is_empty() {
            out.push_str(&format!("{}{}\n", " ".repeat(2 + count + 4), style.paint(Role::Quiet, &line.file)));
        }
    }
}

/// The files that hold the keys of a pattern, folded.
fn files_of(pattern: &Pattern, entries: &[(&Key, &Tensor)]) -> String {
    let mut files = BTreeSet::new();
    for key in pattern.keys() {
        if let Ok(at) = entries.binary_search_by(|(other, _)| other.as_ref().cmp(key.as_str())) {
            files.extend(entries[at].1.file.as_deref());
        }
    }
    let folded: Vec<String> = pattern::fold(&files).iter().map(Pattern::to_string).collect();
    match &folded[..] {
        [] => String::new(),
        lines if lines.len() <= 2 => format!("in {}", lines.join(", ")),
        _ => format!("in {} files", thousands(files.len() as u64)),
    }
}
