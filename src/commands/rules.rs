//! `moe-lint rules` and `moe-lint explain`: what a check can find, and one finding's page.

use crate::cli::{ExplainArgs, OutputFormat, RulesArgs};
use crate::error::Error;
use crate::report::{human, json};
use crate::rules::causes::{self, Cause};
use crate::terminal::Console;

/// Lists all rules by name.
///
/// # Errors
/// When a rule file cannot be read.
pub fn list(args: &RulesArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let rules = named()?;
    match args.output.format {
        OutputFormat::Human => console.print(&human::rules(&rules, console.style(&args.output)))?,
        OutputFormat::Json => console.write(|out| json::rules(out, &rules))?,
    }
    Ok(0)
}

/// Prints one rule's page.
///
/// # Errors
/// When there is no such rule.
pub fn explain(args: &ExplainArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let rules = named()?;
    let Some(rule) = rules.iter().find(|rule| rule.name == args.rule) else { return Err(unknown(&args.rule)?) };
    match args.output.format {
        OutputFormat::Human => console.print(&human::explain(rule, console.style(&args.output)))?,
        OutputFormat::Json => console.write(|out| json::rules(out, &[rule]))?,
    }
    Ok(0)
}

fn named() -> Result<Vec<&'static Cause>, Error> {
    let mut rules: Vec<&Cause> = causes::all()?.iter().collect();
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rules)
}

/// No rule has this name; the nearest one may be meant.
///
/// # Errors
/// When a rule file cannot be read.
pub(super) fn unknown(name: &str) -> Result<Error, Error> {
    let near = causes::all()?.iter().map(|rule| (strsim::damerau_levenshtein(name, &rule.name), &rule.name)).min();
    let meant = near.filter(|(distance, _)| *distance <= 1 + name.len() / 3).map(|(_, name)| name.clone());
    Ok(Error::NoSuchRule { name: name.to_owned(), meant })
}
