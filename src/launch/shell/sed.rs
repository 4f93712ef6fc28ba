//! `sed 's/A/B/g'` and `sed -n 'Np'`, the forms that launch scripts use.

use super::text_tools::{Done, Plan};

/// One `s` command.
struct Substitution {
    regex: regex::Regex,
    with: String,
    all: bool,
}

/// How `sed` would do what its words say.
pub fn plan<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    let (mut extended, mut quiet) = (false, false);
    let mut scripts: Vec<&str> = Vec::new();
    let mut files = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-E" | "-r" => extended = true,
            "-n" => quiet = true,
            "-e" => scripts.push(rest.next()?),
            word if word.starts_with('-') => return None,
            word if scripts.is_empty() => scripts.push(word),
            word => files.push(word),
        }
    }
    if files.len() > 1 {
        return None;
    }
    if quiet {
        let [script] = scripts.as_slice() else { return None };
        let number: usize = script.strip_suffix('p')?.parse().ok()?;
        return Some(Plan {
            reads: true,
            files,
            run: Box::new(move |input| {
                let line = input.lines().nth(number.checked_sub(1)?);
                Some(Done { output: line.map_or(String::new(), |line| format!("{line}\n")), status: 0 })
            }),
        });
    }
    let mut steps = Vec::new();
    for script in scripts.iter().flat_map(|script| split(script)) {
        steps.push(substitution(script.trim(), extended)?);
    }
    Some(Plan {
        reads: true,
        files,
        run: Box::new(move |input| {
            let mut output = String::new();
            for line in input.split_inclusive('\n') {
                let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
                let mut line = line.to_owned();
                for step in &steps {
                    line = match step.all {
                        true => step.regex.replace_all(&line, step.with.as_str()).into_owned(),
                        false => step.regex.replace(&line, step.with.as_str()).into_owned(),
                    };
                }
                output.push_str(&line);
                output.push_str(end);
            }
            Some(Done { output, status: 0 })
        }),
    })
}

/// Commands joined by `;`, where none of them holds one.
fn split(script: &str) -> Vec<&str> {
    let parts: Vec<&str> = script.split(';').collect();
    if parts.iter().all(|part| part.trim().starts_with('s') && part.len() > 3) { parts } else { vec![script] }
}

fn substitution(script: &str, extended: bool) -> Option<Substitution> {
    let rest = script.strip_prefix('s')?;
    let delimiter = rest.chars().next().filter(|c| c.is_ascii_punctuation() && *c != '\\')?;
    let mut parts = vec![String::new()];
    let mut characters = rest[1..].chars();
    while let Some(c) = characters.next() {
        match (c, parts.last_mut()) {
            ('\\', Some(part)) => {
                let next = characters.next()?;
                if next != delimiter {
                    part.push('\\');
                }
                part.push(next);
            }
            (c, _) if c == delimiter => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => return None,
        }
    }
    let [pattern, with, flags] = parts.as_slice() else { return None };
    if !matches!(flags.as_str(), "" | "g") {
        return None;
    }
    let expression = if extended {
        super::regex::translated(pattern)
    } else if pattern.contains(['\\', '+', '?', '{', '|', '(', ')']) {
        return None;
    } else {
        super::regex::translated(pattern)
    };
    // `&` and `\1` stand for what matched; other backslashes are not followed.
    let mut replacement = String::new();
    let mut characters = with.chars();
    while let Some(c) = characters.next() {
        match c {
            '&' => replacement.push_str("${0}"),
            '$' => replacement.push_str("$$"),
            '\\' => match characters.next()? {
                digit @ '1'..='9' => replacement.push_str(&format!("${{{digit}}}")),
                other @ ('&' | '/' | '\\' | '.') => replacement.push(other),
                _ => return None,
            },
            c => replacement.push(c),
        }
    }
    let regex = regex::RegexBuilder::new(&expression).size_limit(1 << 20).build().ok()?;
    Some(Substitution { regex, with: replacement, all: flags == "g" })
}
