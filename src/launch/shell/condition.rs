//! `[ ... ]`, `test` and `[[ ... ]]`. What an unknown value decides is unknown, unless its known part decides.

use super::ast::Condition;
use super::holes::Hole;
use super::machine::{Machine, Run};
use super::pattern::{Pattern, unquote};
use super::text::Text;

/// Whether something holds, or the hole that decides it.
pub type Truth = Result<bool, Hole>;

impl Machine<'_> {
    /// The truth of `[[ ... ]]`.
    pub(super) fn condition(&mut self, condition: &Condition) -> Run<Truth> {
        self.step(1)?;
        Ok(match condition {
            Condition::Not(inside) => self.condition(inside)?.map(|truth| !truth),
            Condition::And(left, right) => match self.condition(left)? {
                Ok(false) => Ok(false),
                Ok(true) => self.condition(right)?,
                Err(hole) => match self.condition(right)? {
                    Ok(false) => Ok(false),
                    _ => Err(hole),
                },
            },
            Condition::Or(left, right) => match self.condition(left)? {
                Ok(true) => Ok(true),
                Ok(false) => self.condition(right)?,
                Err(hole) => match self.condition(right)? {
                    Ok(true) => Ok(true),
                    _ => Err(hole),
                },
            },
            Condition::Unary(operator, word) => {
                let text = self.one_text(word)?;
                self.unary(operator, text.as_str())?
            }
            Condition::Binary(operator, left, right) => {
                let left = self.one_text(left)?;
                match operator.as_str() {
                    "==" | "=" | "!=" => {
                        let pattern = self.pattern_text(right)?;
                        let truth = self.matches_pattern(left.as_str(), &pattern)?;
                        truth.map(|truth| truth != (operator == "!="))
                    }
                    "=~" => {
                        let regex = self.regex_text(right)?;
                        self.matches_regex(&left, &regex)?
                    }
                    _ => {
                        let right = self.one_text(right)?;
                        let numeric = operator.starts_with('-');
                        if numeric && !matches!(operator.as_str(), "-nt" | "-ot" | "-ef") {
                            let numbers = (self.evaluate(left.as_str())?, self.evaluate(right.as_str())?);
                            compare_numbers(operator, numbers)
                        } else {
                            self.binary(operator, left.as_str(), right.as_str())?
                        }
                    }
                }
            }
        })
    }

    /// Whether a text matches a pattern, as `case` and `[[ == ]]` ask.
    pub(super) fn matches_pattern(&mut self, text: &str, pattern: &str) -> Run<Truth> {
        self.step(text.len() + pattern.len())?;
        let hole = Hole::in_text(text).or_else(|| Hole::in_text(pattern));
        let any_case = self.state.flags.nocasematch;
        let compiled = Pattern::new(pattern, any_case);
        let Some(hole) = hole else {
            let characters: Vec<char> = text.chars().collect();
            return Ok(Ok(compiled.matches(&characters)));
        };
        if compiled.literal().is_some() && !any_case {
            return Ok(self.same(text, &unquote(pattern)));
        }
        if pattern == "*" {
            return Ok(Ok(true));
        }
        // `V` that nobody set is taken for empty, as by `-z`, where the pattern does not ask for its text.
        Ok(Err(hole))
    }

    /// Whether two texts are the same.
    pub(super) fn same(&self, a: &str, b: &str) -> Truth {
        let Some(hole) = Hole::in_text(a).or_else(|| Hole::in_text(b)) else { return Ok(a == b) };
        if a == b {
            return Ok(true);
        }
        let a = if self.holes.is_unset(a) && b.is_empty() { "" } else { a };
        let b = if self.holes.is_unset(b) && a.is_empty() { "" } else { b };
        if a == b {
            return Ok(true);
        }
        if self.holes.cannot_be(a, b) || self.holes.cannot_be(b, a) {
            return Ok(false);
        }
        // Their known starts or ends can tell them apart.
        let start = |text: &str| text.chars().take_while(|c| Hole::of(*c).is_none()).collect::<Vec<char>>();
        let end = |text: &str| text.chars().rev().take_while(|c| Hole::of(*c).is_none()).collect::<Vec<char>>();
        let apart = |x: Vec<char>, y: Vec<char>, (x_all, y_all): (bool, bool)| {
            let same = x.iter().zip(&y).all(|(x, y)| x == y);
            // A text known as a whole is no longer than the known part of the other.
            !same || (x_all && y.len() > x.len()) || (y_all && x.len() > y.len())
        };
        let whole = (Hole::in_text(a).is_none(), Hole::in_text(b).is_none());
        if apart(start(a), start(b), whole) || apart(end(a), end(b), whole) { Ok(false) } else { Err(hole) }
    }

    /// Whether a text is empty; a variable that nobody set is.
    fn is_empty(&self, text: &str) -> Truth {
        match Hole::in_text(text) {
            None => Ok(text.is_empty()),
            Some(_) if self.holes.is_unset(text) => Ok(true),
            Some(_) if text.chars().any(|c| Hole::of(c).is_none()) => Ok(false),
            Some(hole) => Err(hole),
        }
    }

    fn unary(&mut self, operator: &str, text: &str) -> Run<Truth> {
        Ok(match operator {
            "-z" => self.is_empty(text),
            "-n" => self.is_empty(text).map(|empty| !empty),
            "-v" => {
                let (name, index) = text.split_once('[').map_or((text, None), |(n, i)| (n, i.strip_suffix(']')));
                match (self.elements(name, None), index) {
                    (Ok(all), Some("@" | "*")) => Ok(!all.is_empty()),
                    (Ok(all), Some(index)) => Ok(all.iter().any(|(key, _)| key == index)),
                    (Ok(all), None) => Ok(all.iter().any(|(key, _)| key == "0")),
                    (Err(_), _) => Ok(false),
                }
            }
            "-t" => Err(self.hole("-t", "whether this runs in a terminal is not known", None)),
            "-o" => Ok(match text {
                "errexit" => self.state.flags.errexit,
                "nounset" => self.state.flags.nounset,
                "pipefail" => self.state.flags.pipefail,
                "noglob" => self.state.flags.noglob,
                _ => false,
            }),
            _ if text.is_empty() => Ok(false),
            _ => match self.absolute(text) {
                Err(hole) => Err(hole),
                Ok(path) => match (operator, self.kind_of(&path)) {
                    (_, None) => Ok(false),
                    ("-d", Some(directory)) => Ok(directory),
                    ("-f", Some(directory)) => Ok(!directory && !path.starts_with("/dev")),
                    ("-s", Some(directory)) => Ok(directory || self.size_of(&path).unwrap_or(0) > 0),
                    ("-e" | "-a" | "-r" | "-w", Some(_)) => Ok(true),
                    ("-x", Some(true)) => Ok(true),
                    _ => {
                        let name = format!("{operator} {text}");
                        let reason = format!("what `{text}` is on the machine of the run is not known");
                        Err(self.hole(name, reason, None))
                    }
                },
            },
        })
    }

    fn binary(&mut self, operator: &str, left: &str, right: &str) -> Run<Truth> {
        Ok(match operator {
            "=" | "==" => self.same(left, right),
            "!=" => self.same(left, right).map(|same| !same),
            "<" | ">" => match Hole::in_text(left).or_else(|| Hole::in_text(right)) {
                Some(hole) => Err(hole),
                None => Ok(if operator == "<" { left < right } else { left > right }),
            },
            "-nt" | "-ot" | "-ef" => Err(self.hole(operator, "the times of files are not known before the run", None)),
            _ => {
                let mut numbers = [Ok(0), Ok(0)];
                for (number, text) in numbers.iter_mut().zip([left, right]) {
                    *number = match Hole::in_text(text) {
                        Some(hole) => Err(hole),
                        None => match text.trim().parse::<i64>() {
                            Ok(number) => Ok(number),
                            Err(_) => {
                                let shown = self.shown(text);
                                self.remark(format!("`[`: `{shown}` is not a whole number"), None);
                                return Ok(Ok(false));
                            }
                        },
                    };
                }
                compare_numbers(operator, (numbers[0], numbers[1]))
            }
        })
    }

    /// The truth of `[ ... ]`: by the number of arguments, as POSIX says, then by precedence.
    pub(super) fn test_words(&mut self, words: &[Text]) -> Run<Truth> {
        self.step(words.len())?;
        let texts: Vec<&str> = words.iter().map(Text::as_str).collect();
        match texts.as_slice() {
            [] => Ok(Ok(false)),
            [one] => Ok(self.is_empty(one).map(|empty| !empty)),
            ["!", rest @ ..] if rest.len() <= 3 => Ok(self.test_words(&words[1..])?.map(|truth| !truth)),
            [operator, text] if is_unary(operator) => self.unary(operator, text),
            [left, operator, right] if is_binary(operator) => self.binary(operator, left, right),
            ["(", _, ")"] => self.test_words(&words[1..2]),
            _ => {
                let mut at = 0;
                let truth = self.test_or(&texts, &mut at, 0)?;
                if at < texts.len() {
                    self.remark("`[` has too many arguments, and is false", None);
                    return Ok(Ok(false));
                }
                Ok(truth)
            }
        }
    }

    fn test_or(&mut self, words: &[&str], at: &mut usize, depth: usize) -> Run<Truth> {
        let mut left = self.test_and(words, at, depth)?;
        while words.get(*at) == Some(&"-o") {
            *at += 1;
            let right = self.test_and(words, at, depth)?;
            left = match (left, right) {
                (Ok(true), _) | (_, Ok(true)) => Ok(true),
                (Err(hole), _) | (_, Err(hole)) => Err(hole),
                _ => Ok(false),
            };
        }
        Ok(left)
    }

    fn test_and(&mut self, words: &[&str], at: &mut usize, depth: usize) -> Run<Truth> {
        let mut left = self.test_one(words, at, depth)?;
        while words.get(*at) == Some(&"-a") {
            *at += 1;
            let right = self.test_one(words, at, depth)?;
            left = match (left, right) {
                (Ok(false), _) | (_, Ok(false)) => Ok(false),
                (Err(hole), _) | (_, Err(hole)) => Err(hole),
                _ => Ok(true),
            };
        }
        Ok(left)
    }

    fn test_one(&mut self, words: &[&str], at: &mut usize, depth: usize) -> Run<Truth> {
        let rest = &words[(*at).min(words.len())..];
        match rest {
            [_, operator, right, ..] if is_binary(operator) => {
                *at += 3;
                self.binary(operator, rest[0], right)
            }
            ["!", ..] if depth < 30 => {
                *at += 1;
                Ok(self.test_one(words, at, depth + 1)?.map(|truth| !truth))
            }
            ["(", ..] if depth < 30 => {
                *at += 1;
                let truth = self.test_or(words, at, depth + 1)?;
                *at += usize::from(words.get(*at) == Some(&")"));
                Ok(truth)
            }
            [operator, text, ..] if is_unary(operator) => {
                *at += 2;
                self.unary(operator, text)
            }
            [text, ..] => {
                *at += 1;
                Ok(self.is_empty(text).map(|empty| !empty))
            }
            [] => Ok(Ok(false)),
        }
    }
}

fn is_unary(operator: &str) -> bool {
    operator.len() == 2
        && operator.starts_with('-')
        && operator[1..].chars().all(|c| "abcdefghknoprstuvwxzGLNOS".contains(c))
}

fn is_binary(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "==" | "!=" | "<" | ">" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-nt" | "-ot" | "-ef"
    )
}

fn compare_numbers(operator: &str, numbers: (Result<i64, Hole>, Result<i64, Hole>)) -> Truth {
    let (a, b) = match numbers {
        (Ok(a), Ok(b)) => (a, b),
        (Err(hole), _) | (_, Err(hole)) => return Err(hole),
    };
    Ok(match operator {
        "-eq" => a == b,
        "-ne" => a != b,
        "-lt" => a < b,
        "-le" => a <= b,
        "-gt" => a > b,
        _ => a >= b,
    })
}
