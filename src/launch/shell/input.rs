//! `read`, `mapfile`, `getopts`: the builtins that take words apart.

use std::rc::Rc;

use super::holes::Hole;
use super::machine::{Machine, Run};
use super::state::Field;
use super::text::Text;

impl Machine<'_> {
    /// `read [-r] [-a ARRAY] [-d END] [-n COUNT] [NAMES]`
    pub(super) fn read(&mut self, arguments: &[Field]) -> Run {
        let mut raw = false;
        let mut array = None;
        let mut end = '\n';
        let mut names: Vec<String> = Vec::new();
        let mut words = arguments.iter().map(|field| field.text.as_str().to_owned());
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty() && names.is_empty()) else {
                names.push(word);
                continue;
            };
            for (at, letter) in letters.char_indices() {
                let mut value = || {
                    let rest = &letters[at + 1..];
                    if rest.is_empty() { words.next().unwrap_or_default() } else { rest.to_owned() }
                };
                match letter {
                    'r' => raw = true,
                    'a' => {
                        array = Some(value());
                        break;
                    }
                    'd' => {
                        end = value().chars().next().unwrap_or('\0');
                        break;
                    }
                    'p' | 't' | 'u' | 'n' | 'N' | 'i' => {
                        value();
                        break;
                    }
                    _ => {}
                }
            }
        }
        let line = self.next_line(end);
        let (mut line, ended) = match line {
            Ok(Some(found)) => found,
            Ok(None) => (Text::default(), false),
            Err(hole) => {
                let text = self.unknown_text(hole, self.here.clone());
                for name in names.iter().chain(&array) {
                    self.set(name, text.clone(), false)?;
                }
                if names.is_empty() && array.is_none() {
                    self.set("REPLY", text, false)?;
                }
                self.state.status = Err(hole);
                return Ok(());
            }
        };
        self.step(line.len())?;
        if !raw && line.as_str().contains('\\') {
            line = line.becomes(line.as_str().replace("\\\n", "").replace('\\', ""));
        }
        let separators = self.separators();
        if let Some(array) = array {
            let fields = split_fields(&line, &separators, usize::MAX).into_iter().map(Field::one).collect();
            self.set_array(&array, fields)?;
        } else if names.is_empty() {
            self.set("REPLY", line, false)?;
        } else {
            let mut parts = split_fields(&line, &separators, names.len()).into_iter();
            for name in &names {
                self.set(name, parts.next().unwrap_or_default(), false)?;
            }
        }
        self.succeed(ended);
        Ok(())
    }

    /// `mapfile [-t] [-d END] [-n COUNT] [-s SKIP] [ARRAY]`
    pub(super) fn mapfile(&mut self, arguments: &[Field]) -> Run {
        let (mut strip, mut end, mut skip, mut most) = (false, '\n', 0, usize::MAX);
        let mut name = "MAPFILE".to_owned();
        let mut words = arguments.iter().map(|field| field.text.as_str().to_owned());
        while let Some(word) = words.next() {
            match word.as_str() {
                "-t" => strip = true,
                "-d" => end = words.next().and_then(|word| word.chars().next()).unwrap_or('\0'),
                "-s" => skip = words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
                "-n" => most = words.next().and_then(|word| word.parse().ok()).filter(|n| *n > 0).unwrap_or(usize::MAX),
                "-O" | "-u" | "-C" | "-c" => {
                    words.next();
                }
                other => match other.strip_prefix("-d").filter(|end| !end.is_empty()) {
                    Some(given) => end = given.chars().next().unwrap_or('\n'),
                    None => other.clone_into(&mut name),
                },
            }
        }
        let mut fields = Vec::new();
        loop {
            match self.next_line(end) {
                Ok(Some((mut line, ended))) => {
                    self.step(line.len())?;
                    if ended && !strip {
                        line.push_str(&end.to_string());
                    }
                    let open = Hole::in_text(line.as_str()).is_some();
                    fields.push(Field { text: line, open });
                }
                Ok(None) => break,
                Err(hole) => {
                    fields.push(Field { text: self.unknown_text(hole, self.here.clone()), open: true });
                    break;
                }
            }
        }
        let fields = fields.into_iter().skip(skip).take(most).collect();
        self.set_array(&name, fields)?;
        self.succeed(true);
        Ok(())
    }

    /// `getopts LETTERS NAME [ARGUMENTS]`
    pub(super) fn getopts(&mut self, arguments: &[Field]) -> Run {
        let [letters, name, given @ ..] = arguments else {
            self.state.status = Ok(2);
            return Ok(());
        };
        let (letters, name) = (letters.text.as_str().to_owned(), name.text.as_str().to_owned());
        let words = if given.is_empty() { self.state.positional.clone() } else { Rc::new(given.to_vec()) };
        if let Some(hole) = Self::hole_in(&words) {
            let text = self.unknown_text(hole, None);
            self.set(&name, text.clone(), false)?;
            self.set("OPTARG", text, false)?;
            self.state.status = Err(hole);
            return Ok(());
        }
        let index = self.scalar("OPTIND", None).ok().and_then(|text| text.as_str().parse::<usize>().ok()).unwrap_or(1);
        if index <= 1 && self.state.getopts == 0 {
            self.state.getopts = 1;
        }
        let word = words.get(index.saturating_sub(1)).map(|field| field.text.as_str().to_owned()).unwrap_or_default();
        let ends = !word.starts_with('-') || word == "-" || word == "--";
        if ends {
            let next = index + usize::from(word == "--");
            self.set("OPTIND", Text::made(next.to_string()), false)?;
            self.set(&name, Text::made("?"), false)?;
            self.state.getopts = 0;
            self.succeed(false);
            return Ok(());
        }
        let at = self.state.getopts.max(1);
        let letter = word.chars().nth(at).unwrap_or('?');
        let last = word.chars().count() <= at + 1;
        let silent = letters.starts_with(':');
        let known = letters.char_indices().find(|(_, c)| *c == letter && letter != ':');
        let takes = known.is_some_and(|(i, c)| letters[i + c.len_utf8()..].starts_with(':'));
        let mut next = index;
        let (mut found, mut value) = (letter.to_string(), None);
        if known.is_none() {
            found = "?".to_owned();
            value = silent.then(|| Text::made(letter.to_string()));
        }
        if takes {
            if last {
                match words.get(index) {
                    Some(field) => value = Some(field.text.clone()),
                    None if silent => (found, value) = (":".to_owned(), Some(Text::made(letter.to_string()))),
                    None => found = "?".to_owned(),
                }
                next += 2;
            } else {
                value = Some(Text::made(word.chars().skip(at + 1).collect::<String>()));
                next += 1;
            }
            self.state.getopts = 1;
        } else if last {
            next += 1;
            self.state.getopts = 1;
        } else {
            self.state.getopts = at + 1;
        }
        self.set("OPTIND", Text::made(next.to_string()), false)?;
        self.set(&name, Text::made(found), false)?;
        match value {
            Some(value) => self.set("OPTARG", value, false)?,
            None => self.unset("OPTARG")?,
        }
        self.succeed(true);
        Ok(())
    }
}

/// Splits a line as `read` does: the last of `most` parts takes the rest.
pub fn split_fields(line: &Text, separators: &str, most: usize) -> Vec<Text> {
    let is_white = |c: char| matches!(c, ' ' | '\t' | '\n') && separators.contains(c);
    let text = line.as_str();
    let mut end = text.len() - text.chars().rev().take_while(|c| is_white(*c)).map(char::len_utf8).sum::<usize>();
    let mut at = text.len() - text.trim_start_matches(is_white).len();
    end = end.max(at);
    let mut parts = Vec::new();
    while at < end {
        if parts.len() + 1 == most {
            let rest = line.slice(at..end);
            // A single separator at the very end is dropped, as long as no other one is in the rest.
            let plain = rest.as_str();
            let one = plain.chars().filter(|c| separators.contains(*c)).count() == 1;
            let cut = plain.chars().next_back().filter(|c| one && separators.contains(*c)).map_or(0, char::len_utf8);
            parts.push(rest.slice(0..plain.len() - cut));
            return parts;
        }
        let stop = text[at..end].find(|c| separators.contains(c)).map_or(end, |found| at + found);
        parts.push(line.slice(at..stop));
        // A separator with the blanks around it.
        at = stop;
        let mut hard = false;
        while let Some(c) = text[at..end].chars().next() {
            if is_white(c) {
                at += c.len_utf8();
            } else if separators.contains(c) && !hard {
                hard = true;
                at += c.len_utf8();
            } else {
                break;
            }
        }
    }
    parts
}
