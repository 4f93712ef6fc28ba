//! The functions that expressions may call.

use super::Expr;
use super::eval::Scope;
use crate::pattern::Numbers;
use crate::rules::value::Value;

/// A pure function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Min,
    Max,
    Sum,
    Product,
    Len,
    Int,
    RoundUp,
    Range,
    Slice,
    Without,
    Split,
    Count,
    StartsWith,
    Expand,
    Literal,
    IsList,
    IsText,
    Join,
    Ranges,
    Digits,
    LeastCommonMultiple,
    Unknown,
    IsKnown,
}

const ALL: [(&str, Function); 23] = [
    ("min", Function::Min),
    ("max", Function::Max),
    ("sum", Function::Sum),
    ("product", Function::Product),
    ("len", Function::Len),
    ("int", Function::Int),
    ("round_up", Function::RoundUp),
    ("range", Function::Range),
    ("slice", Function::Slice),
    ("without", Function::Without),
    ("split", Function::Split),
    ("count", Function::Count),
    ("starts_with", Function::StartsWith),
    ("expand", Function::Expand),
    ("literal", Function::Literal),
    ("is_list", Function::IsList),
    ("is_text", Function::IsText),
    ("join", Function::Join),
    ("ranges", Function::Ranges),
    ("digits", Function::Digits),
    ("least_common_multiple", Function::LeastCommonMultiple),
    ("unknown", Function::Unknown),
    ("is_known", Function::IsKnown),
];

/// Longest text that `expand` may make.
const MAX_TEXT: usize = 100_000;

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(n, _)| *n == name).map(|(_, function)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        ALL.iter().find(|(_, f)| *f == self).map_or("?", |(name, _)| name)
    }

    pub(super) fn call(self, arguments: &[Value]) -> Result<Value, String> {
        if let (Self::IsKnown, [value]) = (self, arguments) {
            return Ok(Value::Bool(!matches!(value, Value::Unknown(_))));
        }
        if let Some(unknown) = arguments.iter().find(|a| matches!(a, Value::Unknown(_))) {
            return Ok(unknown.clone());
        }
        let wrong = || {
            let shown: Vec<String> = arguments.iter().map(Value::to_string).collect();
            format!("`{}` cannot take ({})", self.name(), shown.join(", "))
        };
        let usize_of = |value: &Value| value.int().and_then(|i| usize::try_from(i).ok());
        Ok(match (self, arguments) {
            (Self::Min, [a, b]) => Value::Int(a.int().ok_or_else(wrong)?.min(b.int().ok_or_else(wrong)?)),
            (Self::Max, [a, b]) => Value::Int(a.int().ok_or_else(wrong)?.max(b.int().ok_or_else(wrong)?)),
            (Self::Sum, [Value::List(items)]) => {
                Value::Int(items.iter().map(Value::int).sum::<Option<i64>>().ok_or_else(wrong)?)
            }
            (Self::Product, [Value::List(items)]) => {
                let product = items.iter().try_fold(1_i64, |product, item| product.checked_mul(item.int()?));
                Value::Int(product.ok_or_else(wrong)?)
            }
            (Self::Len, [Value::List(items)]) => Value::Int(i64::try_from(items.len()).map_err(|_| wrong())?),
            (Self::Len, [Value::Str(text)]) => Value::Int(i64::try_from(text.chars().count()).map_err(|_| wrong())?),
            // Python's int(): towards zero.
            #[allow(clippy::cast_possible_truncation)]
            (Self::Int, [Value::Float(x)]) if x.abs() < 9e15 => Value::Int(x.trunc() as i64),
            (Self::Int, [Value::Str(text)]) => Value::Int(text.trim().parse().map_err(|_| wrong())?),
            (Self::Int, [value]) => Value::Int(value.int().ok_or_else(wrong)?),
            (Self::RoundUp, [a, b]) => {
                let (a, b) = (a.int().ok_or_else(wrong)?, b.int().filter(|b| *b > 0).ok_or_else(wrong)?);
                let up = a.checked_add(b - 1).ok_or_else(wrong)?;
                Value::Int(up.div_euclid(b) * b)
            }
            (Self::Range, [n]) => {
                let n = n.int().filter(|n| *n <= 100_000).ok_or_else(wrong)?;
                Value::List((0..n).map(Value::Int).collect())
            }
            (Self::Slice, [Value::List(items), start, end]) => {
                let end = usize_of(end).ok_or_else(wrong)?.min(items.len());
                let start = usize_of(start).ok_or_else(wrong)?.min(end);
                Value::List(items[start..end].iter().cloned().collect())
            }
            // The items of a list that are not in another.
            (Self::Without, [Value::List(items), Value::List(excluded)]) => {
                Value::List(items.iter().filter(|item| !excluded.contains(item)).cloned().collect())
            }
            (Self::Split, [Value::Str(text), Value::Str(separator)]) => {
                Value::List(text.split(&**separator).map(Value::str).collect())
            }
            (Self::Count, [Value::Str(text), Value::Str(part)]) => {
                Value::Int(i64::try_from(text.matches(&**part).count()).map_err(|_| wrong())?)
            }
            (Self::Count, [Value::List(items), item]) => {
                let count = items.iter().filter(|i| *i == item).count();
                Value::Int(i64::try_from(count).map_err(|_| wrong())?)
            }
            (Self::StartsWith, [Value::Str(text), Value::Str(start)]) => Value::Bool(text.starts_with(&**start)),
            (Self::Expand, [Value::Str(text)]) => Value::str(&expand(text)?),
            (Self::Literal, [Value::Str(text)]) => {
                Expr::parse(text).and_then(|e| e.eval(&Scope::default())).map_err(|e| e.message)?
            }
            (Self::Literal, [value]) => value.clone(),
            (Self::IsList, [value]) => Value::Bool(matches!(value, Value::List(_))),
            (Self::Join, [Value::List(items)]) => {
                Value::str(&items.iter().map(Value::to_string).collect::<Vec<_>>().concat())
            }
            (Self::Join, [Value::List(items), Value::Str(between)]) => {
                Value::str(&items.iter().map(Value::to_string).collect::<Vec<_>>().join(between))
            }
            // Ascending numbers for people: `0..3,5`.
            (Self::Ranges, [Value::List(items)]) => {
                let numbers = items.iter().map(|item| item.int().and_then(|i| u64::try_from(i).ok()));
                let numbers = numbers.collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
                Value::str(Numbers::ascending(numbers).to_string().trim_matches(['{', '}']))
            }
            (Self::Digits, [number, width]) => {
                let (number, width) = (number.int().ok_or_else(wrong)?, usize_of(width).ok_or_else(wrong)?);
                Value::str(&format!("{number:0>width$}"))
            }
            (Self::LeastCommonMultiple, [a, b]) => {
                let (a, b) = (a.int().ok_or_else(wrong)?, b.int().ok_or_else(wrong)?);
                let (mut x, mut y) = (a, b);
                while y != 0 {
                    (x, y) = (y, x % y);
                }
                Value::Int(a.checked_div(x).and_then(|q| q.checked_mul(b)).ok_or_else(wrong)?)
            }
            (Self::Unknown, [name, reason]) => Value::unknown(name.to_string(), reason.to_string(), Vec::new()),
            (Self::IsText, [value]) => Value::Bool(matches!(value, Value::Str(_))),
            _ => return Err(wrong()),
        })
    }
}

/// Writes out repetitions: `x*3` is `xxx`, `(ab)*2` is `abab`; blanks and commas are dropped.
fn expand(text: &str) -> Result<String, String> {
    let characters: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    // Open groups: the text so far of each.
    let mut open = vec![String::new()];
    let mut unit = String::new();
    let mut at = 0;
    while at < characters.len() {
        match characters[at] {
            '(' => {
                close_unit(&mut open, &mut unit);
                open.push(String::new());
            }
            ')' => {
                close_unit(&mut open, &mut unit);
                if open.len() < 2 {
                    return Err(format!("`)` without `(` in the layout `{text}`"));
                }
                unit = open.pop().unwrap_or_default();
            }
            '*' => {
                let digits: String = characters[at + 1..].iter().take_while(|c| c.is_ascii_digit()).collect();
                let times: usize = digits.parse().map_err(|_| format!("`*` without a number in `{text}`"))?;
                if unit.len().saturating_mul(times) > MAX_TEXT {
                    return Err(format!("the layout `{text}` is too long"));
                }
                unit = unit.repeat(times);
                at += digits.len();
            }
            other => {
                close_unit(&mut open, &mut unit);
                unit.push(other);
            }
        }
        at += 1;
    }
    close_unit(&mut open, &mut unit);
    if open.len() != 1 {
        return Err(format!("`(` without `)` in the layout `{text}`"));
    }
    Ok(open.pop().unwrap_or_default())
}

fn close_unit(open: &mut [String], unit: &mut String) {
    if let Some(group) = open.last_mut() {
        group.push_str(unit);
    }
    unit.clear();
}
