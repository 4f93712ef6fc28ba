//! The text tools in the forms that launch scripts use. A form that is not here is not followed.

/// What a tool printed and its status.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    /// Standard output.
    pub output: String,
    /// The status.
    pub status: i32,
}

/// What a tool makes of its input; `None` where it is not exact.
type Action<'w> = Box<dyn Fn(&str) -> Option<Done> + 'w>;

/// What a tool reads, and what it makes of it.
pub struct Plan<'w> {
    /// Whether it reads at all.
    pub reads: bool,
    /// The files it reads; none for standard input.
    pub files: Vec<&'w str>,
    /// From the input to the output; `None` where it is not exact.
    pub run: Action<'w>,
}

impl<'w> Plan<'w> {
    fn reading(files: Vec<&'w str>, run: impl Fn(&str) -> Option<Done> + 'w) -> Option<Self> {
        Some(Self { reads: true, files, run: Box::new(run) })
    }

    /// A tool that prints a text whatever it could read.
    pub(super) fn printing(output: String, status: i32) -> Option<Self> {
        let run = move |_: &str| Some(Done { output: output.clone(), status });
        Some(Self { reads: false, files: Vec::new(), run: Box::new(run) })
    }
}

/// How a tool would do what its words say; `None` where that is not followed.
pub fn plan<'w>(name: &str, words: &[&'w str]) -> Option<Plan<'w>> {
    match name {
        "seq" => super::number_tools::seq(words),
        "expr" => super::number_tools::expr(words),
        "tr" => tr(words),
        "cut" => cut(words),
        "wc" => wc(words),
        "head" | "tail" => ends(name == "head", words),
        "sort" => sort(words),
        "uniq" => match words {
            [] => Plan::reading(Vec::new(), |input| {
                let mut lines: Vec<&str> = input.lines().collect();
                lines.dedup();
                Some(text(&lines, 0))
            }),
            _ => None,
        },
        "tac" => match words {
            [] => Plan::reading(Vec::new(), |input| Some(text(&input.lines().rev().collect::<Vec<_>>(), 0))),
            _ => None,
        },
        "rev" => match words {
            [] => Plan::reading(Vec::new(), |input| {
                Some(text(&input.lines().map(|line| line.chars().rev().collect::<String>()).collect::<Vec<_>>(), 0))
            }),
            _ => None,
        },
        "paste" => match words {
            ["-sd", separator] | ["-s", "-d", separator] | ["-sd", separator, "-"] => {
                Plan::reading(Vec::new(), |input| {
                    let joined = input.lines().collect::<Vec<_>>().join(separator);
                    (separator.chars().count() == 1).then(|| Done { output: joined + "\n", status: 0 })
                })
            }
            _ => None,
        },
        "xargs" => match words {
            [] => Plan::reading(Vec::new(), |input| {
                let quoted = input.contains(['\'', '"', '\\']);
                let joined = input.split_whitespace().collect::<Vec<_>>().join(" ");
                (!quoted).then(|| Done { output: joined + "\n", status: 0 })
            }),
            _ => None,
        },
        "grep" | "egrep" | "fgrep" => grep(name, words),
        "sed" => super::sed::plan(words),
        "awk" => awk(words),
        "bc" => match words {
            [] | ["-l"] => Plan::reading(Vec::new(), super::number_tools::bc),
            _ => None,
        },
        _ => None,
    }
}

fn text<S: AsRef<str>>(lines: &[S], status: i32) -> Done {
    let mut output = String::new();
    for line in lines {
        output.push_str(line.as_ref());
        output.push('\n');
    }
    Done { output, status }
}

/// The characters of a set of `tr`.
fn tr_set(set: &str) -> Option<Vec<char>> {
    let plain = match set {
        "[:upper:]" | "[A-Z]" => return Some(('A'..='Z').collect()),
        "[:lower:]" | "[a-z]" => return Some(('a'..='z').collect()),
        "[:digit:]" => return Some(('0'..='9').collect()),
        "[:space:]" => return Some(" \t\n\r\u{b}\u{c}".chars().collect()),
        "[:blank:]" => return Some(vec![' ', '\t']),
        set if set.contains("[:") || set.contains("[=") => return None,
        set => super::escapes::ansi(set),
    };
    let characters: Vec<char> = plain.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if at + 2 < characters.len() && characters[at + 1] == '-' {
            all.extend(characters[at]..=characters[at + 2]);
            at += 3;
        } else {
            all.push(characters[at]);
            at += 1;
        }
    }
    Some(all)
}

fn tr<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    match words {
        ["-d", set] => {
            let set = tr_set(set)?;
            Plan::reading(Vec::new(), move |input| {
                Some(Done { output: input.chars().filter(|c| !set.contains(c)).collect(), status: 0 })
            })
        }
        ["-s", set] => {
            let set = tr_set(set)?;
            Plan::reading(Vec::new(), move |input| {
                let mut output = String::new();
                for c in input.chars() {
                    if !(set.contains(&c) && output.ends_with(c)) {
                        output.push(c);
                    }
                }
                Some(Done { output, status: 0 })
            })
        }
        [from, to] if !from.starts_with('-') => {
            let (from, to) = (tr_set(from)?, tr_set(to)?);
            let last = *to.last()?;
            Plan::reading(Vec::new(), move |input| {
                let change = |c: char| match from.iter().rposition(|known| *known == c) {
                    Some(at) => to.get(at).copied().unwrap_or(last),
                    None => c,
                };
                Some(Done { output: input.chars().map(change).collect(), status: 0 })
            })
        }
        _ => None,
    }
}

/// The parts that `cut -f` or `-c` keeps: `1`, `2-`, `-3`, `1,3-4`.
fn cut_list(list: &str) -> Option<Vec<(usize, usize)>> {
    list.split(',')
        .map(|part| match part.split_once('-') {
            None => part.parse().ok().map(|at: usize| (at, at)),
            Some((from, to)) => {
                let from = if from.is_empty() { Some(1) } else { from.parse().ok() };
                let to = if to.is_empty() { Some(usize::MAX) } else { to.parse().ok() };
                from.zip(to)
            }
        })
        .collect()
}

fn cut<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    let (mut delimiter, mut list, mut by_character, mut files) = ('\t', None, false, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if let Some(given) = word.strip_prefix("-d") {
            let given = if given.is_empty() { rest.next()? } else { given };
            delimiter = given.strip_prefix("=").filter(|g| !g.is_empty()).unwrap_or(given).chars().next()?;
        } else if let Some(given) = word.strip_prefix("-f").or_else(|| word.strip_prefix("-c")) {
            by_character = word.starts_with("-c");
            list = cut_list(if given.is_empty() { rest.next()? } else { given });
        } else if word.starts_with('-') {
            return None;
        } else {
            files.push(*word);
        }
    }
    let list = list?;
    let kept = move |at: usize| list.iter().any(|(from, to)| (*from..=*to).contains(&(at + 1)));
    Plan::reading(files, move |input| {
        let lines: Vec<String> = input
            .lines()
            .map(|line| {
                if by_character {
                    line.chars().enumerate().filter(|(i, _)| kept(*i)).map(|(_, c)| c).collect()
                } else if line.contains(delimiter) {
                    let parts = line.split(delimiter).enumerate().filter(|(i, _)| kept(*i)).map(|(_, part)| part);
                    parts.collect::<Vec<_>>().join(&delimiter.to_string())
                } else {
                    line.to_owned()
                }
            })
            .collect();
        Some(text(&lines, 0))
    })
}

fn wc<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    let [option, files @ ..] = words else { return None };
    let option = *option;
    if !matches!(option, "-l" | "-w" | "-c" | "-m") || files.len() > 1 {
        return None;
    }
    let files = files.to_vec();
    let name = files.first().map_or(String::new(), |file| format!(" {file}"));
    Plan::reading(files, move |input| {
        let count = match option {
            "-l" => input.matches('\n').count(),
            "-w" => input.split_whitespace().count(),
            "-c" => input.len(),
            _ => input.chars().count(),
        };
        Some(Done { output: format!("{count}{name}\n"), status: 0 })
    })
}

fn ends<'w>(head: bool, words: &[&'w str]) -> Option<Plan<'w>> {
    let mut count: &str = "10";
    let mut files = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.strip_prefix("-n").or_else(|| word.strip_prefix("--lines=")) {
            Some("") => count = rest.next()?,
            Some(given) => count = given.strip_prefix('=').unwrap_or(given),
            None if word.starts_with('-') => {
                count = word.strip_prefix('-').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
            }
            None => files.push(*word),
        }
    }
    if files.len() > 1 {
        return None;
    }
    let from_start = count.starts_with('+');
    let but = head && count.starts_with('-');
    let count: usize = count.trim_start_matches(['+', '-']).parse().ok()?;
    Plan::reading(files, move |input| {
        let lines: Vec<&str> = input.split_inclusive('\n').collect();
        let kept = match (head, but, from_start) {
            (true, true, _) => &lines[..lines.len().saturating_sub(count)],
            (true, false, _) => &lines[..count.min(lines.len())],
            (false, _, true) => &lines[count.saturating_sub(1).min(lines.len())..],
            (false, _, false) => &lines[lines.len().saturating_sub(count)..],
        };
        Some(Done { output: kept.concat(), status: 0 })
    })
}

fn sort<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    let mut options = String::new();
    let mut files = Vec::new();
    for word in words {
        match word.strip_prefix('-') {
            Some(letters) if letters.chars().all(|c| matches!(c, 'u' | 'n' | 'r')) => options.push_str(letters),
            Some(_) => return None,
            None => files.push(*word),
        }
    }
    Plan::reading(files, move |input| {
        // The order of other characters is the locale's.
        if !input.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase() || matches!(c, '\n' | '.')) {
            return None;
        }
        let mut lines: Vec<&str> = input.lines().collect();
        if options.contains('n') {
            let numbers: Option<Vec<i64>> = lines.iter().map(|line| line.parse().ok()).collect();
            let mut both: Vec<(i64, &str)> = numbers?.into_iter().zip(lines).collect();
            both.sort_unstable();
            lines = both.into_iter().map(|(_, line)| line).collect();
        } else {
            lines.sort_unstable();
        }
        if options.contains('r') {
            lines.reverse();
        }
        if options.contains('u') {
            lines.dedup();
        }
        Some(text(&lines, 0))
    })
}

fn grep<'w>(name: &str, words: &[&'w str]) -> Option<Plan<'w>> {
    let (mut invert, mut quiet, mut count, mut only, mut any_case) = (false, false, false, false, false);
    let (mut fixed, mut extended) = (name == "fgrep", name == "egrep");
    let mut pattern = None;
    let mut files = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if *word == "-e" {
            pattern = Some(*rest.next()?);
        } else if let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty() && pattern.is_none()) {
            for letter in letters.chars() {
                match letter {
                    'v' => invert = true,
                    'q' | 's' => quiet |= letter == 'q',
                    'c' => count = true,
                    'o' => only = true,
                    'i' => any_case = true,
                    'F' => fixed = true,
                    'E' => extended = true,
                    _ => return None,
                }
            }
        } else if pattern.is_none() {
            pattern = Some(*word);
        } else {
            files.push(*word);
        }
    }
    if files.len() > 1 {
        return None;
    }
    let pattern = pattern?;
    let expression = match (fixed, extended) {
        (true, _) => regex::escape(pattern),
        (_, true) => super::regex::translated(pattern),
        // Basic expressions mean the same where none of these are in them.
        _ if pattern.contains(['\\', '+', '?', '{', '|', '(']) => return None,
        _ => super::regex::translated(pattern),
    };
    let regex = regex::RegexBuilder::new(&expression).case_insensitive(any_case).size_limit(1 << 20).build().ok()?;
    Plan::reading(files, move |input| {
        let found: Vec<&str> = input.lines().filter(|line| regex.is_match(line) != invert).collect();
        let status = i32::from(found.is_empty());
        Some(match (quiet, count, only) {
            (true, ..) => Done { output: String::new(), status },
            (_, true, _) => Done { output: format!("{}\n", found.len()), status },
            (_, _, true) if invert => return None,
            (_, _, true) => {
                let all = found.iter().flat_map(|line| regex.find_iter(line)).map(|m| m.as_str());
                text(&all.filter(|found| !found.is_empty()).collect::<Vec<_>>(), status)
            }
            _ => text(&found, status),
        })
    })
}

/// `awk '{print $N}'`, with `-F`.
fn awk<'w>(words: &[&'w str]) -> Option<Plan<'w>> {
    let (separator, program, files) = match words {
        ["-F", separator, program, files @ ..] => (Some(*separator), *program, files),
        [first, program, files @ ..] if first.starts_with("-F") => (Some(&first[2..]), *program, files),
        [program, files @ ..] => (None, *program, files),
        [] => return None,
    };
    if files.len() > 1 || separator.is_some_and(|s| s.chars().count() != 1 || s == "\\") {
        return None;
    }
    let body = program.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let field = body.strip_prefix("print")?.trim().trim_end_matches(';').trim();
    let column: Option<usize> = match field {
        "$NF" => None,
        field => Some(field.strip_prefix('$')?.parse().ok()?),
    };
    Plan::reading(files.to_vec(), move |input| {
        let lines: Vec<String> = input
            .lines()
            .map(|line| {
                let parts: Vec<&str> = match separator {
                    Some(" ") | None => line.split_whitespace().collect(),
                    Some(separator) if line.is_empty() || separator.is_empty() => Vec::new(),
                    Some(separator) => line.split(separator).collect(),
                };
                match column {
                    Some(0) => line.to_owned(),
                    Some(column) => parts.get(column - 1).map_or(String::new(), |part| (*part).to_owned()),
                    None => parts.last().map_or(line.to_owned(), |part| (*part).to_owned()),
                }
            })
            .collect();
        Some(text(&lines, 0))
    })
}
