//! `seq`, `expr` and `bc` on whole numbers.

use super::text_tools::{Done, Plan};

/// `seq [FIRST [STEP]] LAST`
pub fn seq<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    let mut separator = "\n";
    let mut width = 0;
    let mut numbers = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-s" => separator = rest.next()?,
            "-w" => width = 1,
            word => match word.strip_prefix("-s") {
                Some(given) => separator = given,
                None => numbers.push(word.parse::<i64>().ok()?),
            },
        }
    }
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => return None,
    };
    if (last.checked_sub(first)? / step) > 100_000 {
        return None;
    }
    if width > 0 {
        width = first.to_string().len().max(last.to_string().len());
    }
    let mut items = Vec::new();
    let mut value = first;
    while (step > 0 && value <= last) || (step < 0 && value >= last) {
        items.push(format!("{value:0width$}"));
        value = value.checked_add(step)?;
    }
    let output = if items.is_empty() { String::new() } else { items.join(separator) + "\n" };
    Plan::printing(output, 0)
}

/// `expr A + B`
pub fn expr<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    // Left to right over one level of precedence is exact; mixed levels are not followed.
    let level = |sign: &str| match sign {
        "*" | "/" | "%" => Some(2),
        "+" | "-" => Some(1),
        _ => None,
    };
    let mut value: i64 = words.first()?.parse().ok()?;
    let mut seen = None;
    for pair in words[1..].chunks(2) {
        let [sign, number] = pair else { return None };
        let number: i64 = number.parse().ok()?;
        let this = level(sign)?;
        if seen.is_some_and(|seen| seen < this) {
            return None;
        }
        seen = Some(this);
        value = match *sign {
            "+" => value.checked_add(number)?,
            "-" => value.checked_sub(number)?,
            "*" => value.checked_mul(number)?,
            "/" => value.checked_div(number)?,
            _ => value.checked_rem(number)?,
        };
    }
    Plan::printing(format!("{value}\n"), i32::from(value == 0))
}

/// Whole-number expressions of `bc`.
pub fn bc(input: &str) -> Option<Done> {
    let expression = input.trim();
    if expression.is_empty() || !expression.chars().all(|c| c.is_ascii_digit() || " +-*()".contains(c)) {
        return None;
    }
    let mut at = 0;
    let bytes: Vec<u8> = expression.bytes().filter(|b| *b != b' ').collect();
    let value = bc_sum(&bytes, &mut at, 0)?;
    (at == bytes.len()).then(|| Done { output: format!("{value}\n"), status: 0 })
}

fn bc_sum(text: &[u8], at: &mut usize, depth: usize) -> Option<i64> {
    let mut value = bc_product(text, at, depth)?;
    while let Some(sign @ (b'+' | b'-')) = text.get(*at) {
        *at += 1;
        let right = bc_product(text, at, depth)?;
        value = if *sign == b'+' { value.checked_add(right)? } else { value.checked_sub(right)? };
    }
    Some(value)
}

fn bc_product(text: &[u8], at: &mut usize, depth: usize) -> Option<i64> {
    let mut value = bc_atom(text, at, depth)?;
    while text.get(*at) == Some(&b'*') {
        *at += 1;
        value = value.checked_mul(bc_atom(text, at, depth)?)?;
    }
    Some(value)
}

fn bc_atom(text: &[u8], at: &mut usize, depth: usize) -> Option<i64> {
    if text.get(*at) == Some(&b'(') && depth < 30 {
        *at += 1;
        let value = bc_sum(text, at, depth + 1)?;
        (text.get(*at) == Some(&b')')).then_some(())?;
        *at += 1;
        return Some(value);
    }
    let start = *at;
    while text.get(*at).is_some_and(u8::is_ascii_digit) {
        *at += 1;
    }
    std::str::from_utf8(&text[start..*at]).ok()?.parse().ok()
}
