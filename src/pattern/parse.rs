//! Reading printed patterns back: the opposite of their `Display`.

use super::{Numbers, Part, Pattern};

impl Pattern {
    /// The pattern of that text, if it is one and stands for at most `limit` keys.
    pub fn parse(text: &str, limit: u64) -> Option<Self> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut count: u64 = 1;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '}' => return None,
                '{' => {
                    let (inside, after) = rest.split_once('}')?;
                    rest = after;
                    let numbers = Numbers::parse(inside, limit)?;
                    count = count.checked_mul(numbers.count()).filter(|count| *count <= limit)?;
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Numbers(numbers));
                }
                '\\' => {
                    let (c, after) = escaped(rest)?;
                    plain.push(c);
                    rest = after;
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        (count <= limit).then_some(Self { parts })
    }
}

/// The character behind a backslash, and what follows it.
fn escaped(rest: &str) -> Option<(char, &str)> {
    let c = rest.chars().next()?;
    let after = &rest[c.len_utf8()..];
    match c {
        '{' | '}' | '\\' => Some((c, after)),
        'n' => Some(('\n', after)),
        'r' => Some(('\r', after)),
        't' => Some(('\t', after)),
        'u' => {
            let (digits, after) = after.strip_prefix('{')?.split_once('}')?;
            Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, after))
        }
        _ => None,
    }
}

impl Numbers {
    /// The numbers between braces: `0..3,5` or `0..30..2`.
    fn parse(text: &str, limit: u64) -> Option<Self> {
        let number = |text: &str| -> Option<u64> {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for item in text.split(',') {
            let ends: Vec<u64> = item.split("..").map(number).collect::<Option<_>>()?;
            match ends[..] {
                [n] => runs.push((n, n)),
                [first, last] if first < last => runs.push((first, last)),
                [first, last, step] if first < last && step > 1 && (last - first) / step < limit => {
                    runs.extend((first..=last).step_by(usize::try_from(step).ok()?).map(|n| (n, n)));
                }
                _ => return None,
            }
        }
        Self::of_runs(runs, limit)
    }
}
