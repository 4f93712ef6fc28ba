//! Rows of a short heading and a text that wraps beside it.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::report::style::{Role, Style};

/// Where the text of a row begins.
pub(super) const TEXT: usize = 18;
const INDENT: usize = 2;

/// A heading in its column; a long one keeps two blanks before the text.
pub(super) fn heading(style: Style, heading: &str) -> String {
    let gap = (TEXT - INDENT).saturating_sub(display_width(heading)).max(2);
    format!("{}{}{}", " ".repeat(INDENT), style.paint(Role::Heading, heading), " ".repeat(gap))
}

/// The text in lines of at most `width` columns. Words are broken only where they alone are wider.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width.max(1))
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    text.lines().flat_map(|line| textwrap::wrap(line, &options)).map(|line| line.into_owned()).collect()
}

/// A row of prose.
pub(super) fn prose(out: &mut String, style: Style, name: &str, text: &str) {
    painted(out, style, name, text, None);
}

/// A row of prose in one colour.
pub(super) fn painted(out: &mut String, style: Style, name: &str, text: &str, role: Option<Role>) {
    let lines = wrap(&printable(text), style.text_columns() - TEXT);
    for (i, line) in lines.iter().enumerate() {
        out.push_str(&if i == 0 { heading(style, name) } else { " ".repeat(TEXT) });
        out.push_str(&role.map_or_else(|| line.clone(), |role| style.paint(role, line)));
        out.push('\n');
    }
}

/// `error[rule]: message`, with the message hanging beside its title.
pub(super) fn title(out: &mut String, style: Style, role: Role, title: &str, message: &str) {
    let hang = (display_width(title) + 2).min(style.columns() / 2);
    let lines = wrap(&printable(message), style.text_columns() - hang);
    out.push_str(&style.paint(role, title));
    out.push_str(": ");
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push_str(&" ".repeat(hang));
        }
        out.push_str(&style.paint(Role::Strong, line));
        out.push('\n');
    }
    if lines.is_empty() {
        out.push('\n');
    }
}

/// The text without characters that would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A number and its noun: `1 key`, `64 keys`.
pub(super) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(thousands(n), text);
        }
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb\nc");
    }
}
