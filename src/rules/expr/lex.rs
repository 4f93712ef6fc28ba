//! Cuts an expression into tokens.

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Int(i64),
    Float(f64),
    Text(&'a str),
    Name(&'a str),
    Symbol(&'static str),
}

/// Longest first, so that `//` is not read as two `/`.
const SYMBOLS: [&str; 25] = [
    "||", "&&", "==", "!=", "<=", ">=", "//", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]",
    ",", "{", "}", "=",
];

/// All tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if first.is_ascii_digit() {
            number(rest, &mut tokens)?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            tokens.push(Token::Name(&rest[..end]));
            end
        } else if first == '\'' || first == '"' {
            let end = rest[1..].find(first).ok_or("a text without its closing quote")?;
            tokens.push(Token::Text(&rest[1..=end]));
            end + 2
        } else {
            let symbol = SYMBOLS.iter().find(|s| rest.starts_with(**s)).ok_or(format!("unexpected `{first}`"))?;
            tokens.push(Token::Symbol(symbol));
            symbol.len()
        };
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

fn number<'a>(rest: &'a str, tokens: &mut Vec<Token<'a>>) -> Result<usize, String> {
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    let text = &rest[..end];
    tokens.push(if text.contains('.') {
        Token::Float(text.parse().map_err(|_| format!("`{text}` is not a number"))?)
    } else {
        Token::Int(text.parse().map_err(|_| format!("`{text}` is too large"))?)
    });
    Ok(end)
}
