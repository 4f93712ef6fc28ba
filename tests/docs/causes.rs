//! One page a cause, rendered from its rule file.

use std::collections::BTreeSet;
use std::fs;

use toml::Value;

use super::{current, root};

fn text<'v>(table: &'v Value, name: &str) -> Option<&'v str> {
    table.get(name)?.as_str()
}

fn list<'v>(table: &'v Value, name: &str) -> &'v [Value] {
    table.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Text of a rule as a reader sees it: names of values stay in braces, what is computed becomes `...`.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.trim();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, tail)) = after.split_once('}') else { break };
        let is_name = inside.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(before);
        out.push_str(&if is_name { format!("{{{inside}}}") } else { "...".to_owned() });
        rest = tail;
    }
    out.push_str(rest);
    out.replace('<', "&lt;").replace('*', "\\*")
}

/// `, since 0.13, until 0.17`.
fn range(table: &Value) -> String {
    let of = |name: &str| text(table, name).map(|version| format!(" ({name} {version})"));
    [of("since"), of("until")].into_iter().flatten().collect()
}

/// The page of a rule file.
fn page(name: &str, path: &str, file: &str) -> String {
    let rule: Value = toml::from_str(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let severity = text(&rule, "severity").unwrap_or("error");
    let mut page = format!("<!-- Rendered from rules/causes/{path} by tests/docs/causes.rs -->\n# {name}\n\n");
    if let Some(summary) = text(&rule, "summary") {
        page.push_str(&format!("**{severity}**: {}.\n\n", prose(summary).trim_end_matches('.')));
    }
    if let Some(why) = text(&rule, "why") {
        page.push_str(&format!("{}\n\n", prose(why)));
    }
    let cases = list(&rule, "case");
    if !cases.is_empty() {
        page.push_str("## What it says\n\n");
    }
    let mut seen = BTreeSet::new();
    for case in cases {
        let message = text(case, "message").unwrap_or(name);
        if seen.insert(message.to_owned()) {
            page.push_str(&format!("- {}{}\n", prose(message), range(case)));
        }
    }
    let mut flags = BTreeSet::new();
    let mut ways = Vec::new();
    for case in cases {
        flags.extend(list(case, "label").iter().filter_map(|label| text(label, "flag")));
        for fix in list(case, "fix") {
            let title = text(fix, "title").unwrap_or_default();
            let safe = fix.get("safe").and_then(Value::as_bool).unwrap_or(false) || fix.get("command").is_some();
            let line = format!("- {}{}\n", prose(title), if safe { "" } else { " (changes the training)" });
            if !title.is_empty() && !ways.contains(&line) {
                ways.push(line);
            }
        }
    }
    if !flags.is_empty() {
        let flags: Vec<String> = flags.iter().map(|flag| format!("`{flag}`")).collect();
        page.push_str(&format!("\nIt points at {}.\n", flags.join(", ")));
    }
    if !ways.is_empty() {
        page.push_str(&format!(
            "\n## Ways out\n\nThose that hold for your launch are offered, each proven by checking again.\n\n{}",
            ways.concat()
        ));
    }
    page.push_str(&format!("\n## To accept it\n\n```toml\n[[ignore]]\nrule = \"{name}\"\nreason = \"...\"\n```\n"));
    page
}

/// Name, path below rules/causes and text of every rule.
fn rules() -> Vec<(String, String, String)> {
    let root = root().join("rules/causes");
    let mut open = vec![root.clone()];
    let mut rules = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") {
                let name = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
                let inside = path.strip_prefix(&root).expect("below").to_str().expect("UTF-8").to_owned();
                rules.push((name, inside, fs::read_to_string(path).expect("a rule")));
            }
        }
    }
    rules.sort();
    rules
}

#[test]
fn every_cause_has_its_page() {
    let folder = root().join("docs/causes");
    let rules = rules();
    for (name, path, file) in &rules {
        current(&folder.join(format!("{name}.md")), &page(name, path, file));
    }
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let known = rules.iter().any(|(name, ..)| path.file_stem().is_some_and(|stem| stem == name.as_str()));
        if !known && std::env::var_os("UPDATE").is_some() {
            fs::remove_file(&path).expect("a page");
            continue;
        }
        assert!(known, "{}: there is no such cause", path.display());
    }
}

#[test]
fn the_book_lists_the_causes() {
    let path = root().join("docs/SUMMARY.md");
    let summary = fs::read_to_string(&path).expect("SUMMARY.md");
    let (before, rest) = summary.split_once("<!-- causes -->\n").expect("a place for the causes");
    let (_, after) = rest.split_once("<!-- /causes -->\n").expect("its end");
    let lines: Vec<String> = rules().iter().map(|(name, ..)| format!("- [{name}](causes/{name}.md)\n")).collect();
    current(&path, &format!("{before}<!-- causes -->\n{}<!-- /causes -->\n{after}", lines.concat()));
}
