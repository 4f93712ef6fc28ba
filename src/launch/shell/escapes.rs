//! Backslash escapes: of `$'...'`, of `echo -e` and of `printf`.

/// The text of `$'...'`.
pub fn ansi(text: &str) -> String {
    decode(text, false).0
}

/// The text of `echo -e` or `printf %b`, and whether `\c` ended it.
pub fn echo(text: &str) -> (String, bool) {
    decode(text, true)
}

fn decode(text: &str, echo: bool) -> (String, bool) {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        let Some(escape) = rest.next() else {
            plain.push('\\');
            break;
        };
        let mut number = |radix: u32, most: usize, first: Option<char>| -> Option<u32> {
            let mut digits: String = first.into_iter().collect();
            while digits.len() < most {
                match rest.clone().next().filter(|c| c.is_digit(radix)) {
                    Some(digit) => {
                        digits.push(digit);
                        rest.next();
                    }
                    None => break,
                }
            }
            u32::from_str_radix(&digits, radix).ok()
        };
        match escape {
            'a' => plain.push('\u{7}'),
            'b' => plain.push('\u{8}'),
            'e' | 'E' => plain.push('\u{1b}'),
            'f' => plain.push('\u{c}'),
            'n' => plain.push('\n'),
            'r' => plain.push('\r'),
            't' => plain.push('\t'),
            'v' => plain.push('\u{b}'),
            '\\' => plain.push('\\'),
            '\'' | '"' | '?' if !echo => plain.push(escape),
            'c' if echo => return (plain, true),
            'x' => match number(16, 2, None) {
                Some(code) => plain.extend(char::from_u32(code)),
                None => plain.push_str("\\x"),
            },
            'u' | 'U' => match number(16, if escape == 'u' { 4 } else { 8 }, None) {
                Some(code) => plain.extend(char::from_u32(code).filter(|c| super::holes::Hole::of(*c).is_none())),
                None => plain.extend(['\\', escape]),
            },
            '0'..='7' => {
                // `echo` writes octal numbers with a zero in front.
                let first = if echo && escape == '0' { None } else { Some(escape) };
                plain.extend(number(8, 3, first).or(Some(0)).and_then(|code| char::from_u32(code & 255)));
            }
            other => plain.extend(['\\', other]),
        }
    }
    (plain, false)
}
