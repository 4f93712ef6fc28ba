//! The list of rules, and one rule's page.

use textwrap::core::display_width;

use crate::diagnose::Severity;
use crate::report::style::{Role, Style};
use crate::rules::causes::Cause;

/// A line a rule: name, severity, summary.
pub fn rules(rules: &[&Cause], style: Style) -> String {
    let name = rules.iter().map(|rule| display_width(&rule.name)).max().unwrap_or(0);
    let severity = Severity::Warning.name().len();
    let hang = name + severity + 4;
    let mut out = String::new();
    for rule in rules {
        let lines = textwrap::wrap(&rule.summary, style.text_columns().saturating_sub(hang).max(20));
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(display_width(text)));
        let level = rule.severity.name();
        out.push_str(&format!(
            "{}{}  {}{}",
            style.paint(Role::Strong, &rule.name),
            pad(&rule.name, name),
            style.paint(role(rule.severity), level),
            pad(level, severity)
        ));
        for (i, line) in lines.iter().enumerate() {
            let start = if i == 0 { "  ".to_owned() } else { " ".repeat(hang) };
            out.push_str(&format!("{start}{line}\n"));
        }
    }
    out
}

/// A rule's page: what it is, and why.
pub fn explain(rule: &Cause, style: Style) -> String {
    let title = format!("{}[{}]", rule.severity.name(), rule.name);
    let mut out = format!("{}\n", style.paint(role(rule.severity), &title));
    for text in [&rule.summary, &rule.why] {
        out.push('\n');
        for paragraph in text.split("\n\n") {
            let words: Vec<&str> = paragraph.split_whitespace().collect();
            for line in textwrap::wrap(&words.join(" "), style.text_columns()) {
                out.push_str(&format!("{line}\n"));
            }
        }
    }
    out
}

fn role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Info => Role::Info,
    }
}
