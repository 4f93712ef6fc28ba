//! Which value PyYAML's `SafeLoader` gives a plain scalar (`yaml/resolver.py` and `yaml/constructor.py`).

use std::sync::LazyLock;

use regex::Regex;

/// The type that the resolver finds, in the order in which it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `bool`
    Bool,
    /// `float`
    Float,
    /// `int`
    Int,
    /// `<<`
    Merge,
    /// `null`
    Null,
    /// `timestamp`
    Time,
    /// `=`
    Value,
    /// `str`
    Str,
}

struct Patterns {
    float: Regex,
    int: Regex,
    time: Regex,
}

/// Patterns as PyYAML has them; `(?-u)` and `\z` make them Python's `re.match(...$)` on texts without line ends.
static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let float = r"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$";
    let int = r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$";
    let time = r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)$";
    Some(Patterns { float: Regex::new(float).ok()?, int: Regex::new(int).ok()?, time: Regex::new(time).ok()? })
});

/// The type of a plain scalar.
pub fn resolve(text: &str) -> Tag {
    let bools = ["yes", "no", "true", "false", "on", "off"];
    let cased = |word: &str| {
        let mut capital = word.to_owned();
        capital[..1].make_ascii_uppercase();
        text == word || text == capital || text == word.to_ascii_uppercase()
    };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Tag::Null,
        "<<" => return Tag::Merge,
        "=" => return Tag::Value,
        _ if bools.iter().any(|word| cased(word)) => return Tag::Bool,
        _ => {}
    }
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    match PATTERNS.as_ref().filter(|_| starts) {
        Some(patterns) if patterns.float.is_match(text) => Tag::Float,
        Some(patterns) if patterns.int.is_match(text) => Tag::Int,
        Some(patterns) if patterns.time.is_match(text) => Tag::Time,
        _ => Tag::Str,
    }
}

/// The truth of a scalar that is a `bool`.
pub fn bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// A scalar whose type is given and whose text is none of that type: Python raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no value of its type")]
pub struct NoNumber;

/// The number of a scalar that is an `int`: `Ok(None)` where it needs more than 64 bits.
///
/// # Errors
/// Where Python raises.
pub fn int(text: &str) -> Result<Option<i64>, NoNumber> {
    let text = text.replace('_', "");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let radix = |digits: &str, radix: u32| {
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(NoNumber);
        }
        let fold = |sum: i128, c: char| sum.checked_mul(i128::from(radix))?.checked_add(i128::from(c.to_digit(radix)?));
        Ok(digits.chars().try_fold(0i128, fold))
    };
    let number = if digits == "0" {
        Some(0)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        radix(binary, 2)?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        radix(hexadecimal, 16)?
    } else if digits.starts_with('0') {
        radix(digits, 8)?
    } else if digits.contains(':') {
        let parts: Option<Vec<i128>> = digits.split(':').map(|part| part.parse().ok()).collect();
        parts.and_then(|parts| parts.iter().try_fold(0i128, |sum, part| sum.checked_mul(60)?.checked_add(*part)))
    } else {
        radix(digits, 10)?
    };
    let number = number.and_then(|number| if negative { number.checked_neg() } else { Some(number) });
    Ok(number.and_then(|number| i64::try_from(number).ok()))
}

/// The number of a scalar that is a `float`.
///
/// # Errors
/// Where Python raises.
pub fn float(text: &str) -> Result<f64, NoNumber> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(&text)),
    };
    match digits {
        ".inf" => Ok(sign * f64::INFINITY),
        ".nan" => Ok(f64::NAN),
        _ if digits.contains(':') => {
            let parts: Result<Vec<f64>, _> = digits.split(':').map(str::parse).collect();
            let mut base = 1.0;
            let mut value = 0.0;
            for part in parts.map_err(|_| NoNumber)?.iter().rev() {
                value += part * base;
                base *= 60.0;
            }
            Ok(sign * value)
        }
        _ => digits.parse::<f64>().map(|number| sign * number).map_err(|_| NoNumber),
    }
}

/// Whether a scalar that looks like a time is one: otherwise Python raises.
pub fn is_time(text: &str) -> bool {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut next = || numbers.next().and_then(|part| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (next(), next(), next()) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    let clock = (next().unwrap_or(0), next().unwrap_or(0), next().unwrap_or(0));
    year > 0 && (1..=12).contains(&month) && (1..=last).contains(&day) && clock.0 < 24 && clock.1 < 60 && clock.2 < 60
}
