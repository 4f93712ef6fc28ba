//! Python's own ways with text and numbers.

/// argparse's complaint about `--flag=value` where the flag takes none.
pub(super) fn ignored_explicit(value: &str) -> String {
    format!("ignored explicit argument {}", repr(value))
}

/// `repr()` of a text.
pub(super) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push(quote);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c == quote => shown.extend(['\\', c]),
            c if is_printable(c) => shown.push(c),
            c => {
                let code = u32::from(c);
                shown.push_str(&match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
        }
    }
    shown.push(quote);
    shown
}

/// Near enough to `str.isprintable` for what people type: control characters and all blanks but the space are not.
fn is_printable(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}'))
}

/// What `int()` makes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Int {
    /// A number.
    Number(i64),
    /// A number beyond 64 bits, as Python prints it.
    Huge(String),
}

/// `int(text)`; `None` for a ValueError.
pub(super) fn int(text: &str) -> Option<Int> {
    let text = strip(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = without_underscores(digits)?;
    if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) || plain.len() > MOST_DIGITS {
        return None;
    }
    let plain = plain.trim_start_matches('0');
    let number =
        format!("{}{}", if text.starts_with('-') { "-" } else { "" }, if plain.is_empty() { "0" } else { plain });
    Some(number.parse().map_or(Int::Huge(number), Int::Number))
}

/// `sys.get_int_max_str_digits()`.
const MOST_DIGITS: usize = 4300;

/// `float(text)`; `None` for a ValueError.
pub(super) fn float(text: &str) -> Option<f64> {
    // Rust reads the same numbers, `inf` and `nan` included; only underscores it does not know.
    without_underscores(strip(text))?.parse().ok()
}

/// The digits without the underscores between them; `None` where an underscore is not between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let misplaced = |at: usize| bytes[at] == b'_' && !(digit(at.checked_sub(1)) && digit(Some(at + 1)));
    if (0..bytes.len()).any(misplaced) { None } else { Some(text.replace('_', "")) }
}

/// `str.strip()`: Python counts the four separator characters as blanks, too.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}
