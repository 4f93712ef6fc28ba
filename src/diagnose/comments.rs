//! `# moe-lint: ignore[rule] reason` in a script: on the line of a flag, on the line above it, or before the first
//! command for the whole file.

use std::sync::LazyLock;

use regex::Regex;

/// One such comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The rules that it names.
    pub rules: Vec<String>,
    /// Why; empty where the reason is missing.
    pub reason: String,
    /// The line that it stands in, from 1.
    pub line: usize,
    /// The line that it speaks of; `None`: the whole file.
    pub about: Option<usize>,
}

impl Comment {
    /// Whether it accepts a finding of that rule on that line.
    pub fn accepts(&self, rule: &str, line: usize) -> bool {
        !self.reason.is_empty()
            && self.about.is_none_or(|about| about == line)
            && self.rules.iter().any(|name| name == rule)
    }
}

static PATTERN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|\s)#\s*moe-lint:\s*ignore\[([^\]]*)\]\s*(.*)$").ok());

/// The comments of a script.
pub fn comments(text: &str) -> Vec<Comment> {
    let lines: Vec<&str> = text.lines().collect();
    let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let first = lines.iter().position(|line| is_code(line)).unwrap_or(lines.len());
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(caught) = PATTERN.as_ref().and_then(|pattern| pattern.captures(line)) else { continue };
        let part = |index| caught.get(index).map_or("", |part| part.as_str()).trim();
        let rules = part(1).split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty());
        let own_line = is_code(line);
        let below = lines.iter().skip(at + 1).position(|line| is_code(line)).map(|more| at + 1 + more);
        let about = if own_line {
            Some(at + 1)
        } else if at < first {
            None
        } else {
            Some(below.unwrap_or(at) + 1)
        };
        found.push(Comment { rules: rules.collect(), reason: part(2).to_owned(), line: at + 1, about });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_speaks_of_its_line_the_next_or_the_file() {
        let text = "#!/bin/bash\n# moe-lint: ignore[a, b] the whole file\nARGS=(\n  # moe-lint: ignore[c] below\n\n  --x\n  \
                    --y # moe-lint: ignore[d] here\n  --z # moe-lint: ignore[e]\n)\necho '#moe-lint: nothing'\n";
        let found = comments(text);
        let told: Vec<_> = found.iter().map(|one| (one.rules.join("+"), one.line, one.about)).collect();
        let told: Vec<_> = told.iter().map(|(rules, line, about)| (rules.as_str(), *line, *about)).collect();
        assert_eq!(told, [("a+b", 2, None), ("c", 4, Some(6)), ("d", 7, Some(7)), ("e", 8, Some(8))]);
        assert!(found[0].accepts("b", 40) && !found[0].accepts("c", 40));
        assert!(found[1].accepts("c", 6) && !found[1].accepts("c", 7));
        assert!(!found[3].accepts("e", 8), "without a reason it accepts nothing");
    }
}
