//! `$(( ))`: C's integer arithmetic over variables. What it takes from something unknown is unknown.

use super::ast::Word;
use super::holes::Hole;
use super::machine::{Flow, Machine, Run};
use super::text::Text;

/// A number, or the hole that decides it.
pub type Number = Result<i64, Hole>;

/// How deep variables may hold the names of variables, and brackets may nest.
const DEEPEST: usize = 40;

/// Binary operators by binding strength, the weakest first.
const OPERATORS: &[(&str, u8)] = &[
    ("||", 1),
    ("&&", 2),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("==", 6),
    ("!=", 6),
    ("<=", 7),
    (">=", 7),
    ("<<", 8),
    (">>", 8),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("**", 11),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

/// A place that can be assigned to.
#[derive(Debug, Clone)]
struct Target {
    name: String,
    index: Option<String>,
}

struct Reader<'m, 'f, 't> {
    machine: &'m mut Machine<'f>,
    text: &'t str,
    at: usize,
    depth: usize,
    /// Inside the side of `&&`, `||` or `?:` that does not count.
    skipping: usize,
}

impl Machine<'_> {
    /// The value of an expression that is written in the script.
    pub fn arithmetic(&mut self, word: &Word) -> Run<Number> {
        let text = self.one_text(word)?;
        self.evaluate(text.as_str())
    }

    /// The value of an expression.
    pub fn evaluate(&mut self, text: &str) -> Run<Number> {
        self.evaluate_at(text, 0)
    }

    fn evaluate_at(&mut self, text: &str, depth: usize) -> Run<Number> {
        self.step(text.len())?;
        let plain = text.trim();
        if plain.is_empty() {
            return Ok(Ok(0));
        }
        let decimal = plain.len() < 18 && plain.bytes().all(|b| b.is_ascii_digit()) && !plain.starts_with('0');
        if let (true, Ok(number)) = (decimal, plain.parse()) {
            return Ok(Ok(number));
        }
        let mut reader = Reader { machine: self, text, at: 0, depth, skipping: 0 };
        let number = reader.comma()?;
        reader.blanks();
        if reader.at < text.len() {
            return reader.fail();
        }
        Ok(number)
    }
}

impl Reader<'_, '_, '_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn fail<T>(&mut self) -> Run<T> {
        let shown = self.machine.shown(self.text.trim());
        self.machine.remark(format!("`{shown}` is not arithmetic that bash can evaluate"), None);
        self.machine.state.status = Ok(1);
        Err(Flow::Failed)
    }

    fn take(&mut self, sign: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn comma(&mut self) -> Run<Number> {
        let mut number = self.assignment()?;
        while self.take(",") {
            number = self.assignment()?;
        }
        Ok(number)
    }

    /// `NAME = ...`, `NAME += ...`, or a condition.
    fn assignment(&mut self) -> Run<Number> {
        self.machine.step(0)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail();
        }
        let start = self.at;
        let result = match self.target()? {
            Some(target) => {
                self.blanks();
                let operators = ["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|="];
                let rest = self.rest();
                let operator = operators
                    .into_iter()
                    .find(|op| rest.starts_with(op))
                    .filter(|op| *op != "=" || !rest.starts_with("=="));
                match operator {
                    Some(operator) => {
                        self.at += operator.len();
                        let right = self.assignment()?;
                        let value = if operator == "=" {
                            right
                        } else {
                            let left = self.get(&target)?;
                            self.apply(&operator[..operator.len() - 1], left, right)?
                        };
                        self.put(&target, value)?;
                        Ok(value)
                    }
                    None => {
                        self.at = start;
                        self.conditional()
                    }
                }
            }
            None => self.conditional(),
        };
        self.depth -= 1;
        result
    }

    fn conditional(&mut self) -> Run<Number> {
        let condition = self.binary(1)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let skip_left = condition == Ok(0);
        let skip_right = condition.is_ok_and(|n| n != 0);
        let left = self.skipped(skip_left, Self::comma)?;
        if !self.take(":") {
            return self.fail();
        }
        let right = self.skipped(skip_right, Self::assignment)?;
        Ok(match condition {
            Ok(0) => right,
            Ok(_) => left,
            Err(hole) => Err(hole),
        })
    }

    fn skipped(&mut self, skip: bool, part: impl FnOnce(&mut Self) -> Run<Number>) -> Run<Number> {
        self.skipping += usize::from(skip);
        let result = part(self);
        self.skipping -= usize::from(skip);
        result
    }

    fn operator(&mut self) -> Option<(&'static str, u8)> {
        self.blanks();
        let rest = self.rest();
        let found = OPERATORS.iter().filter(|(sign, _)| rest.starts_with(sign)).max_by_key(|(sign, _)| sign.len())?;
        // `1 ++a`: bash takes the two signs for one in front of a name, and that is no operator.
        if matches!(found.0, "+" | "-") && rest[1..].starts_with(found.0) {
            let name = rest[2..].trim_start_matches([' ', '\t', '\n']);
            if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                return None;
            }
        }
        // `a += 1` is no sum.
        let after = rest[found.0.len()..].chars().next();
        let assigns = after == Some('=') && !matches!(found.0, "==" | "!=" | "<=" | ">=");
        if assigns { None } else { Some(*found) }
    }

    fn binary(&mut self, least: u8) -> Run<Number> {
        let mut left = self.unary()?;
        while let Some((sign, strength)) = self.operator() {
            if strength < least {
                break;
            }
            self.at += sign.len();
            self.depth += 1;
            if self.depth > DEEPEST * 4 {
                return self.fail();
            }
            let skip = (sign == "&&" && left == Ok(0)) || (sign == "||" && left.is_ok_and(|n| n != 0));
            // `**` binds to the right, all others to the left.
            let next = if sign == "**" { strength } else { strength + 1 };
            let right = self.skipped(skip, |reader| reader.binary(next))?;
            self.depth -= 1;
            left = self.apply(sign, left, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Run<Number> {
        self.blanks();
        for sign in ["++", "--"] {
            let start = self.at;
            if self.take(sign) {
                if let Some(target) = self.target()? {
                    let old = self.get(&target)?;
                    let new = self.apply(&sign[..1], old, Ok(1))?;
                    self.put(&target, new)?;
                    return Ok(new);
                }
                self.at = start;
            }
        }
        let Some(sign) = self.rest().chars().next().filter(|c| "+-!~".contains(*c)) else { return self.primary() };
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST * 4 {
            return self.fail();
        }
        let value = self.unary()?;
        self.depth -= 1;
        Ok(value.map(|n| match sign {
            '-' => n.wrapping_neg(),
            '!' => i64::from(n == 0),
            '~' => !n,
            _ => n,
        }))
    }

    fn primary(&mut self) -> Run<Number> {
        if self.take("(") {
            let value = self.comma()?;
            return if self.take(")") { Ok(value) } else { self.fail() };
        }
        self.blanks();
        let end = self.rest().find(|c: char| !(c.is_alphanumeric() || "_#@".contains(c) || Hole::of(c).is_some()));
        let token = self.rest()[..end.unwrap_or(self.rest().len())].to_owned();
        if let Some(hole) = Hole::in_text(&token) {
            self.at += token.len();
            return Ok(Err(hole));
        }
        if token.starts_with(|c: char| c.is_ascii_digit()) {
            self.at += token.len();
            return match literal(&token) {
                Some(number) => Ok(Ok(number)),
                None => self.fail(),
            };
        }
        let Some(target) = self.target()? else { return self.fail() };
        let value = self.get(&target)?;
        for sign in ["++", "--"] {
            if self.take(sign) {
                let new = self.apply(&sign[..1], value, Ok(1))?;
                self.put(&target, new)?;
            }
        }
        Ok(value)
    }

    /// A name with an index, if one is next.
    fn target(&mut self) -> Run<Option<Target>> {
        self.blanks();
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if length == 0 || rest.as_bytes()[0].is_ascii_digit() {
            return Ok(None);
        }
        let name = rest[..length].to_owned();
        let mut used = length;
        let mut index = None;
        if rest[length..].starts_with('[') {
            let mut depth = 0usize;
            let close = rest[length..].char_indices().find(|(_, c)| {
                depth += usize::from(*c == '[');
                depth -= usize::from(*c == ']');
                depth == 0
            });
            let Some((close, _)) = close else { return self.fail() };
            index = Some(rest[length + 1..length + close].to_owned());
            used = length + close + 1;
        }
        self.at += used;
        Ok(Some(Target { name, index }))
    }

    fn get(&mut self, target: &Target) -> Run<Number> {
        if self.skipping > 0 {
            return Ok(Ok(0));
        }
        let place = self.machine.here.clone();
        let found = match &target.index {
            None => self.machine.scalar(&target.name, place.as_ref()),
            Some(index) => {
                let elements = self.machine.elements(&target.name, place.as_ref());
                let associative = matches!(
                    self.machine.state.get(&target.name).map(|v| &v.value),
                    Some(super::state::Value::Associative(_))
                );
                let key = if associative {
                    index.clone()
                } else {
                    match self.machine.evaluate_at(index, self.depth + 1)? {
                        Ok(number) if number < 0 => {
                            let last = elements.as_ref().ok().and_then(|all| all.last()?.0.parse::<i64>().ok());
                            (last.unwrap_or(-1) + 1 + number).to_string()
                        }
                        Ok(number) => number.to_string(),
                        Err(hole) => return Ok(Err(hole)),
                    }
                };
                elements.and_then(|all| all.into_iter().find(|(k, _)| *k == key).map(|(_, f)| f.text).ok_or(None))
            }
        };
        match found {
            Ok(text) => {
                if self.depth > DEEPEST {
                    return self.fail();
                }
                self.machine.evaluate_at(text.as_str(), self.depth + 1)
            }
            Err(Some(hole)) => Ok(Err(hole)),
            Err(None) => Ok(Ok(0)),
        }
    }

    fn put(&mut self, target: &Target, value: Number) -> Run {
        if self.skipping > 0 {
            return Ok(());
        }
        let place = self.machine.here.clone();
        let text = match value {
            Ok(number) => Text::at(number.to_string(), place),
            Err(hole) => self.machine.unknown_text(hole, place),
        };
        match &target.index {
            None => self.machine.set(&target.name, text, false),
            Some(index) => self.machine.set_key(&target.name, index, text, false),
        }
    }

    fn apply(&mut self, sign: &str, left: Number, right: Number) -> Run<Number> {
        // A known side decides these whatever the other is.
        match (sign, left, right) {
            ("&&", Ok(0), _) | ("&&", _, Ok(0)) => return Ok(Ok(0)),
            ("||", Ok(n), _) | ("||", _, Ok(n)) if n != 0 => return Ok(Ok(1)),
            _ => {}
        }
        let (a, b) = match (left, right) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(hole), _) | (_, Err(hole)) => return Ok(Err(hole)),
        };
        let truth = |truth: bool| i64::from(truth);
        let shift = u32::try_from(b & 63).unwrap_or(0);
        Ok(Ok(match sign {
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" | "%" if b == 0 => {
                if self.skipping > 0 {
                    return Ok(Ok(0));
                }
                return self.fail();
            }
            "/" => a.wrapping_div(b),
            "%" => a.wrapping_rem(b),
            "**" => match u32::try_from(b) {
                Ok(power) => a.wrapping_pow(power),
                Err(_) => return self.fail(),
            },
            "<<" => a.wrapping_shl(shift),
            ">>" => a.wrapping_shr(shift),
            "<" => truth(a < b),
            ">" => truth(a > b),
            "<=" => truth(a <= b),
            ">=" => truth(a >= b),
            "==" => truth(a == b),
            "!=" => truth(a != b),
            "&" => a & b,
            "^" => a ^ b,
            "|" => a | b,
            "&&" => truth(a != 0 && b != 0),
            _ => truth(a != 0 || b != 0),
        }))
    }
}

/// A number as bash writes them: `10`, `0x1f`, `017`, `2#1010`.
fn literal(token: &str) -> Option<i64> {
    if let Some((base, digits)) = token.split_once('#') {
        let base: i64 = base.parse().ok().filter(|base| (2..=64).contains(base))?;
        let mut value = 0i64;
        for c in digits.chars() {
            let digit = match c {
                '0'..='9' => i64::from(u32::from(c) - u32::from('0')),
                'a'..='z' => i64::from(u32::from(c) - u32::from('a')) + 10,
                'A'..='Z' if base <= 36 => i64::from(u32::from(c) - u32::from('A')) + 10,
                'A'..='Z' => i64::from(u32::from(c) - u32::from('A')) + 36,
                '@' => 62,
                '_' => 63,
                _ => return None,
            };
            if digit >= base {
                return None;
            }
            value = value.wrapping_mul(base).wrapping_add(digit);
        }
        return Some(value);
    }
    let (digits, base) = match token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if token.len() > 1 && token.starts_with('0') => (&token[1..], 8),
        None => (token, 10),
    };
    digits.chars().try_fold(0i64, |value, c| {
        Some(value.wrapping_mul(base).wrapping_add(i64::from(c.to_digit(u32::try_from(base).ok()?)?)))
    })
}
