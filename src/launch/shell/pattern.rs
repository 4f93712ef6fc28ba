//! Shell patterns: `*`, `?`, `[...]` and the extended `+(...)`. A backslash quotes.

use std::collections::HashSet;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    tokens: Vec<Token>,
    any_case: bool,
}

#[derive(Debug, Clone)]
enum Token {
    Char(char),
    One,
    Many,
    Class { members: Vec<Member>, negated: bool },
    Group { kind: char, branches: Vec<Vec<Token>> },
}

#[derive(Debug, Clone)]
enum Member {
    Range(char, char),
    Named(String),
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str, any_case: bool) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut at = 0;
        let tokens = compile(&characters, &mut at, false);
        Self { tokens, any_case }
    }

    /// The pattern's text where it matches itself alone.
    pub fn literal(&self) -> Option<String> {
        self.tokens.iter().map(|token| if let Token::Char(c) = token { Some(*c) } else { None }).collect()
    }

    /// Whether it matches the whole text.
    pub fn matches(&self, text: &[char]) -> bool {
        Matcher { text, any_case: self.any_case, failed: HashSet::new() }.run(&self.tokens, 0, text.len())
    }
}

/// Whether an unquoted character of the text is special in a pattern.
pub fn is_pattern(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' => return true,
            '+' | '@' | '!' if characters.as_str().starts_with('(') => return true,
            _ => {}
        }
    }
    false
}

/// The text with every special character quoted.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c.is_alphanumeric() || matches!(c, '_' | '/' | ' ' | '\n' | '\t')) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// The text with backslashes removed.
pub fn unquote(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        plain.push(if c == '\\' { characters.next().unwrap_or('\\') } else { c });
    }
    plain
}

fn compile(text: &[char], at: &mut usize, inside: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    while let Some(&c) = text.get(*at) {
        if inside && matches!(c, '|' | ')') {
            break;
        }
        *at += 1;
        tokens.push(match c {
            '\\' => {
                *at += 1;
                Token::Char(text.get(*at - 1).copied().unwrap_or('\\'))
            }
            '?' | '*' | '+' | '@' | '!' if text.get(*at) == Some(&'(') && closes(&text[*at..]) => {
                *at += 1;
                let mut branches = Vec::new();
                loop {
                    branches.push(compile(text, at, true));
                    *at += 1;
                    if text.get(*at - 1) != Some(&'|') {
                        break;
                    }
                }
                Token::Group { kind: c, branches }
            }
            '?' => Token::One,
            '*' => Token::Many,
            '[' => class(text, at).unwrap_or(Token::Char('[')),
            c => Token::Char(c),
        });
    }
    tokens
}

/// Whether the bracket that the text starts with is closed in it.
fn closes(text: &[char]) -> bool {
    let mut depth = 0usize;
    let mut quoted = false;
    for c in text {
        match c {
            _ if quoted => quoted = false,
            '\\' => quoted = true,
            '(' => depth += 1,
            ')' if depth == 1 => return true,
            ')' => depth -= 1,
            _ => {}
        }
    }
    false
}

fn class(text: &[char], at: &mut usize) -> Option<Token> {
    let mut i = *at;
    let negated = matches!(text.get(i), Some('!' | '^'));
    i += usize::from(negated);
    let first = i;
    let mut members = Vec::new();
    loop {
        let c = *text.get(i)?;
        if c == ']' && i > first {
            *at = i + 1;
            return Some(Token::Class { members, negated });
        }
        if c == '[' && text.get(i + 1) == Some(&':') {
            let end = (i + 2..text.len().min(i + 12)).find(|k| text[*k] == ':' && text.get(k + 1) == Some(&']'));
            if let Some(end) = end {
                members.push(Member::Named(text[i + 2..end].iter().collect()));
                i = end + 2;
                continue;
            }
        }
        let low = if c == '\\' {
            i += 1;
            *text.get(i)?
        } else {
            c
        };
        i += 1;
        if text.get(i) == Some(&'-') && text.get(i + 1).is_some_and(|c| *c != ']') {
            i += 1;
            if text[i] == '\\' {
                i += 1;
            }
            members.push(Member::Range(low, *text.get(i)?));
            i += 1;
        } else {
            members.push(Member::Range(low, low));
        }
    }
}

struct Matcher<'a> {
    text: &'a [char],
    any_case: bool,
    /// Token addresses and places from which no match is possible: keeps matching polynomial.
    failed: HashSet<(*const Token, usize, usize)>,
}

impl Matcher<'_> {
    fn run(&mut self, tokens: &[Token], mut at: usize, end: usize) -> bool {
        let mut rest = tokens;
        loop {
            let Some((token, after)) = rest.split_first() else { return at == end };
            match token {
                Token::Many => {
                    let key = (std::ptr::from_ref(token), at, end);
                    if self.failed.contains(&key) {
                        return false;
                    }
                    if after.is_empty() || (at..=end).any(|from| self.run(after, from, end)) {
                        return true;
                    }
                    self.failed.insert(key);
                    return false;
                }
                Token::Group { kind, branches } => {
                    let key = (std::ptr::from_ref(token), at, end);
                    if self.failed.contains(&key) {
                        return false;
                    }
                    if self.group(*kind, branches, rest, after, at, end) {
                        return true;
                    }
                    self.failed.insert(key);
                    return false;
                }
                _ => {
                    if at >= end || !self.one(token, self.text[at]) {
                        return false;
                    }
                    at += 1;
                }
            }
            rest = after;
        }
    }

    fn group(
        &mut self,
        kind: char,
        branches: &[Vec<Token>],
        again: &[Token],
        after: &[Token],
        at: usize,
        end: usize,
    ) -> bool {
        if kind == '!' {
            return (at..=end)
                .any(|to| !branches.iter().any(|branch| self.run(branch, at, to)) && self.run(after, to, end));
        }
        if matches!(kind, '?' | '*') && self.run(after, at, end) {
            return true;
        }
        let repeats = matches!(kind, '+' | '*');
        for to in at..=end {
            if branches.iter().any(|branch| self.run(branch, at, to))
                && (self.run(after, to, end) || (repeats && to > at && self.run(again, to, end)))
            {
                return true;
            }
        }
        false
    }

    fn one(&self, token: &Token, c: char) -> bool {
        match token {
            Token::One => true,
            Token::Char(want) => *want == c || (self.any_case && same_letter(*want, c)),
            Token::Class { members, negated } => {
                let found = members.iter().any(|member| match member {
                    Member::Range(low, high) => {
                        (low..=high).contains(&&c)
                            || (self.any_case
                                && c.to_lowercase().chain(c.to_uppercase()).any(|c| (low..=high).contains(&&c)))
                    }
                    Member::Named(name) => named(name, c),
                });
                found != *negated
            }
            Token::Many | Token::Group { .. } => false,
        }
    }
}

fn same_letter(a: char, b: char) -> bool {
    a.to_lowercase().eq(b.to_lowercase())
}

fn named(name: &str, c: char) -> bool {
    match name {
        "alnum" => c.is_alphanumeric(),
        "alpha" => c.is_alphabetic(),
        "blank" => matches!(c, ' ' | '\t'),
        "cntrl" => c.is_control(),
        "digit" => c.is_ascii_digit(),
        "graph" => c.is_ascii_graphic(),
        "lower" => c.is_lowercase(),
        "print" => c.is_ascii_graphic() || c == ' ',
        "punct" => c.is_ascii_punctuation(),
        "space" => c.is_whitespace(),
        "upper" => c.is_uppercase(),
        "word" => c.is_alphanumeric() || c == '_',
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, false).matches(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn patterns_match_as_in_bash() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abc"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a]", "b"),
            ("[]x]", "]"),
            ("\\*", "*"),
            ("+([0-9])b", "123b"),
            ("@(a|b)c", "bc"),
            ("?(a)b", "b"),
            ("*(ab)c", "ababc"),
            ("!(a)", "b"),
            ("[[:digit:]]", "7"),
            ("[", "["),
            ("a[", "a["),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "b"), ("?", ""), ("[a-c]", "d"), ("\\*", "x"), ("+([0-9])", ""), ("!(a)", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_stay_fast() {
        assert!(!matches(&"*a".repeat(25), &"a".repeat(24)));
        assert!(!matches(&format!("{}b", "*(a|aa)".repeat(6)), &"a".repeat(60)));
    }
}
