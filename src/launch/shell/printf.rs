//! `printf`.

use super::holes::Hole;
use super::machine::{Machine, Run};
use super::state::Field;
use super::text::Text;

/// One conversion of a format: `%-8.3f`.
#[derive(Debug, Default)]
struct Conversion {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Machine<'_> {
    /// `printf [-v NAME] FORMAT WORDS`
    pub(super) fn printf(&mut self, arguments: &[Field]) -> Run {
        let mut rest = arguments;
        let mut variable = None;
        while let Some((first, after)) = rest.split_first() {
            match first.text.as_str() {
                "-v" if !after.is_empty() => {
                    variable = Some(after[0].text.as_str().to_owned());
                    rest = &after[1..];
                }
                "--" => {
                    rest = after;
                    break;
                }
                _ => break,
            }
        }
        let Some((format, words)) = rest.split_first() else { return Ok(()) };
        self.succeed(true);
        let text = self.formatted(&format.text, words)?;
        match variable {
            Some(name) => match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                Some((array, index)) => self.set_key(array, index, text, false),
                None => self.set(&name, text, false),
            },
            None => self.print(&text),
        }
    }

    fn formatted(&mut self, format: &Text, words: &[Field]) -> Run<Text> {
        let plain = format.as_str().to_owned();
        if let Some(hole) = Hole::in_text(&plain) {
            return Ok(self.unknown_text(hole, None));
        }
        let mut result = Text::default();
        let mut words = words.iter();
        loop {
            let mut taken = false;
            let mut at = 0;
            while at < plain.len() {
                let next = plain[at..].find('%').map_or(plain.len(), |found| at + found);
                if next > at {
                    let (shown, ended) = super::escapes::echo(&plain[at..next]);
                    result.push(&if shown == plain[at..next] { format.slice(at..next) } else { Text::made(shown) });
                    if ended {
                        return Ok(result);
                    }
                    at = next;
                    continue;
                }
                let mut star = || {
                    taken = true;
                    words.next().and_then(|field| field.text.as_str().parse::<i64>().ok()).unwrap_or(0)
                };
                let Some((conversion, letter, length)) = conversion(&plain[at..], &mut star) else {
                    result.push_str("%");
                    at += 1;
                    continue;
                };
                at += length;
                if letter == '%' {
                    result.push_str("%");
                    continue;
                }
                let word = words.next();
                taken |= word.is_some();
                let text = word.map(|field| field.text.clone()).unwrap_or_default();
                let text = self.convert(&conversion, letter, text)?;
                result.push(&text);
                self.step(text.len())?;
            }
            self.step(1)?;
            if words.len() == 0 || !taken {
                return Ok(result);
            }
        }
    }

    fn convert(&mut self, conversion: &Conversion, letter: char, text: Text) -> Run<Text> {
        let hole = Hole::in_text(text.as_str());
        if let Some(hole) = hole.filter(|_| letter != 's' || conversion.precision.is_some() || conversion.width > 0) {
            return Ok(text.becomes(hole.character().to_string()));
        }
        let plain = text.as_str();
        let made = match letter {
            's' => {
                let cut = conversion.precision.map_or(plain.to_owned(), |most| plain.chars().take(most).collect());
                if conversion.width == 0 && conversion.precision.is_none() {
                    return Ok(text);
                }
                conversion.pad(cut, false)
            }
            'b' => conversion.pad(super::escapes::echo(plain).0, false),
            'c' => conversion.pad(plain.chars().take(1).collect(), false),
            'q' => conversion.pad(shell_quoted(plain), false),
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                let Some(number) = self.whole(plain)? else {
                    self.remark(format!("printf: `{plain}` is not a whole number"), None);
                    self.state.status = Ok(1);
                    return Ok(text.becomes(conversion.pad("0".to_owned(), true)));
                };
                let digits = match letter {
                    'x' => format!("{}{number:x}", if conversion.alternate { "0x" } else { "" }),
                    'X' => format!("{}{number:X}", if conversion.alternate { "0X" } else { "" }),
                    'o' => format!("{}{number:o}", if conversion.alternate { "0" } else { "" }),
                    'u' => format!("{}", number.cast_unsigned()),
                    _ => number.unsigned_abs().to_string(),
                };
                let digits = format!("{digits:0>width$}", width = conversion.precision.unwrap_or(0));
                let signed = matches!(letter, 'd' | 'i');
                conversion.pad(format!("{}{digits}", conversion.sign(signed && number < 0, signed)), true)
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                let number: f64 = plain.trim().parse().unwrap_or(0.0);
                let digits = float(number.abs(), letter, conversion.precision.unwrap_or(6));
                conversion.pad(format!("{}{digits}", conversion.sign(number < 0.0, true)), true)
            }
            other => {
                let hole = self.hole(format!("printf %{other}"), format!("`printf %{other}` is not followed"), None);
                hole.character().to_string()
            }
        };
        Ok(text.becomes(made))
    }

    fn whole(&mut self, text: &str) -> Run<Option<i64>> {
        let text = text.trim();
        if let Some(c) = text.strip_prefix(['"', '\'']).and_then(|rest| rest.chars().next()) {
            return Ok(Some(i64::from(u32::from(c))));
        }
        let number = text.strip_prefix(['-', '+']).unwrap_or(text);
        let valid = number.starts_with(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_hexdigit() || c == 'x');
        if text.is_empty() {
            return Ok(Some(0));
        }
        if !valid || (number.starts_with('0') && !number.starts_with("0x") && number.contains(['8', '9'])) {
            return Ok(None);
        }
        Ok(self.evaluate(text)?.ok())
    }
}

impl Conversion {
    fn sign(&self, negative: bool, signed: bool) -> &'static str {
        match (negative, signed && self.plus, signed && self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    fn pad(&self, text: String, number: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        if self.left {
            return text + &" ".repeat(missing);
        }
        if self.zero && number {
            let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            return format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]);
        }
        " ".repeat(missing) + &text
    }
}

/// The conversion that a text starts with, its letter and its length.
fn conversion(text: &str, star: &mut impl FnMut() -> i64) -> Option<(Conversion, char, usize)> {
    let mut conversion = Conversion::default();
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(flag) = bytes.get(at) {
        match flag {
            b'-' => conversion.left = true,
            b'0' => conversion.zero = true,
            b'+' => conversion.plus = true,
            b' ' => conversion.space = true,
            b'#' => conversion.alternate = true,
            _ => break,
        }
        at += 1;
    }
    let mut number = |at: &mut usize| -> i64 {
        if bytes.get(*at) == Some(&b'*') {
            *at += 1;
            return star();
        }
        let start = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        text[start..*at].parse().unwrap_or(0)
    };
    let width = number(&mut at);
    conversion.left |= width < 0;
    conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(10_000);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        conversion.precision = usize::try_from(number(&mut at)).ok().map(|precision| precision.min(1_000));
    }
    while matches!(bytes.get(at), Some(b'l' | b'h' | b'L' | b'z' | b'j')) {
        at += 1;
    }
    let letter = text[at..].chars().next()?;
    Some((conversion, letter, at + letter.len_utf8()))
}

/// A number as C's `printf` writes it.
pub fn float(number: f64, letter: char, precision: usize) -> String {
    let exponential = |digits: usize| -> String {
        let text = format!("{number:.digits$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
    };
    let text = match letter.to_ascii_lowercase() {
        'f' => format!("{number:.precision$}"),
        'e' => exponential(precision),
        _ => {
            let precision = precision.max(1);
            let exponent: i32 =
                exponential(precision - 1).split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
            let plain = (-4..i32::try_from(precision).unwrap_or(i32::MAX)).contains(&exponent);
            let text = if plain {
                let digits = usize::try_from(i32::try_from(precision).unwrap_or(0) - 1 - exponent).unwrap_or(0);
                format!("{number:.digits$}")
            } else {
                exponential(precision - 1)
            };
            let (mantissa, exponent) = text.split_once('e').map_or((text.as_str(), None), |(m, e)| (m, Some(e)));
            let mantissa =
                if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
            exponent.map_or(mantissa.to_owned(), |exponent| format!("{mantissa}e{exponent}"))
        }
    };
    if letter.is_uppercase() { text.to_uppercase() } else { text }
}

/// A word as `printf %q` writes it.
pub fn shell_quoted(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().any(char::is_control) {
        let mut quoted = String::from("$'");
        for c in text.chars() {
            match c {
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                '\r' => quoted.push_str("\\r"),
                '\'' => quoted.push_str("\\'"),
                '\\' => quoted.push_str("\\\\"),
                c if c.is_control() => quoted.push_str(&format!("\\{:03o}", u32::from(c))),
                c => quoted.push(c),
            }
        }
        quoted.push('\'');
        return quoted;
    }
    let mut quoted = String::new();
    for (i, c) in text.chars().enumerate() {
        let special = " !\"$&'()*,;<>?[\\]^`{|}".contains(c) || (i == 0 && matches!(c, '~' | '#'));
        if special {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}
