//! Programs of which a part is known: `ls` of files, `perl` that edits a variable, the addresses of a host.

use super::holes::{Hole, Kind};
use super::machine::{Machine, Run};
use super::state::Field;
use super::text::Text;
use crate::rules::value::Unknown;

impl Machine<'_> {
    /// The hole for what `hostname -I` prints: unknown, but made of addresses.
    pub(super) fn addresses(&mut self, program: &str, fields: &[Field]) -> Option<Hole> {
        let options: Vec<&str> = fields.iter().skip(1).map(|field| field.text.as_str()).collect();
        if program != "hostname" || !matches!(options.as_slice(), ["-I" | "-i" | "--all-ip-addresses"]) {
            return None;
        }
        let name = format!("the output of `hostname {}`", options[0]);
        let reason = format!("{name} is not known before the run");
        Some(self.holes.add(Unknown { name, reason, places: Vec::new() }, Kind::Addresses))
    }

    /// The hole for what a tool makes of an unknown input: a tool that does more than choose parts of it may print
    /// other characters.
    pub(super) fn passed_on(&mut self, hole: Hole, tool: &str) -> Hole {
        let chooses = matches!(tool, "awk" | "cut" | "head" | "tail" | "sort" | "uniq" | "tac" | "grep");
        if chooses || self.holes.kind(hole) != Kind::Addresses {
            return hole;
        }
        let unknown = self.holes.get(hole);
        let reason = format!("{}; `{tool}` changes it", unknown.reason);
        self.hole(unknown.name.clone(), reason, None)
    }

    /// `ls FILE...`: the names of files that are there; their order is the locale's, so only one is printed.
    pub(super) fn list_files(&mut self, arguments: &[Field]) -> Run {
        let mut names: Vec<Text> = Vec::new();
        let mut missing = false;
        for field in arguments {
            let word = field.text.as_str();
            if matches!(word, "-1" | "-d" | "-1d" | "-d1" | "--") {
                continue;
            }
            let kind = match self.absolute(word) {
                Ok(path) if !word.starts_with('-') && !field.open => self.kind_of(&path),
                _ => return self.unknown_output("ls"),
            };
            match kind {
                Some(false) => names.push(field.text.clone()),
                Some(true) => return self.unknown_output("ls"),
                None => missing = true,
            }
        }
        if names.is_empty() && !missing || names.len() > 1 && self.state.output.is_some() {
            return self.unknown_output("ls");
        }
        self.state.status = Ok(if missing { 2 } else { 0 });
        if let [name] = names.as_slice() {
            let mut line = name.clone();
            line.push_str("\n");
            self.print(&line)?;
        }
        Ok(())
    }

    /// `perl -le '$_=$ENV{"NAME"}; s/A/B/; print'`: a variable of the environment, edited.
    pub(super) fn perl(&mut self, arguments: &[Field]) -> Run {
        let program = match arguments {
            [options, program] if matches!(options.text.as_str(), "-le" | "-e") => Program::read(program.text.as_str()),
            _ => None,
        };
        let Some(program) = program else { return self.unknown_output("perl") };
        let known = self.state.get(&program.variable).is_none_or(|variable| variable.exported);
        let value = if known { self.scalar(&program.variable, None) } else { Err(None) };
        let value = match value {
            Ok(text) => text,
            Err(Some(hole)) => self.unknown_text(hole, self.here.clone()),
            Err(None) => Text::default(),
        };
        let hole = Hole::in_text(value.as_str()).filter(|_| !program.edits.is_empty());
        let mut text = match hole {
            Some(hole) => {
                let hole = self.passed_on(hole, "perl");
                self.unknown_text(hole, self.here.clone())
            }
            None => {
                let edited = program.edits.iter().fold(value.as_str().to_owned(), |text, edit| edit.apply(&text));
                if edited == value.as_str() { value } else { value.becomes(edited) }
            }
        };
        if arguments[0].text.as_str() == "-le" {
            text.push_str("\n");
        }
        self.succeed(true);
        self.print(&text)
    }
}

/// A program that prints a variable of the environment after some substitutions.
#[derive(Debug)]
struct Program {
    variable: String,
    edits: Vec<Edit>,
}

/// `s/A/B/`
#[derive(Debug)]
struct Edit {
    regex: regex::Regex,
    with: String,
    all: bool,
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let with = regex::NoExpand(&self.with);
        let edited = if self.all { self.regex.replace_all(text, with) } else { self.regex.replace(text, with) };
        edited.into_owned()
    }
}

impl Program {
    /// `None` for a program of any other kind.
    fn read(text: &str) -> Option<Self> {
        let mut statements = text.split(';').map(str::trim).filter(|statement| !statement.is_empty());
        let source = statements.next()?.strip_prefix("$_")?.trim_start().strip_prefix('=')?.trim_start();
        let name = source.strip_prefix("$ENV{")?.strip_suffix('}')?.trim_matches(['"', '\'', ' ']);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        let mut edits = Vec::new();
        loop {
            match statements.next()? {
                "print" | "print $_" => break,
                statement => edits.push(substitution(statement)?),
            }
        }
        statements.next().is_none().then_some(Self { variable: name.to_owned(), edits })
    }
}

/// An `s` of Perl without anything that Perl would put into it.
fn substitution(text: &str) -> Option<Edit> {
    let [pattern, with, flags] = text.strip_prefix("s/")?.split('/').collect::<Vec<_>>().try_into().ok()?;
    let pattern: &str = pattern;
    let inside = pattern.strip_suffix('$').unwrap_or(pattern);
    let plain = !pattern.is_empty() && !pattern.ends_with('\\') && !inside.contains(['$', '@']);
    if !plain || with.contains(['$', '@', '\\']) || !flags.chars().all(|flag| matches!(flag, 'g' | 'i')) {
        return None;
    }
    let regex = regex::RegexBuilder::new(pattern).case_insensitive(flags.contains('i')).size_limit(1 << 20).build();
    Some(Edit { regex: regex.ok()?, with: with.to_owned(), all: flags.contains('g') })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_edits_a_variable_is_read() {
        let program = Program::read(r#"$_=$ENV{"NODES"}; s/,.*//; s/-.*//; s/\[//; print"#).expect("a program");
        assert_eq!(program.variable, "NODES");
        let edited = |text: &str| program.edits.iter().fold(text.to_owned(), |text, edit| edit.apply(&text));
        assert_eq!(edited("r6i[4-7,9],x"), "r6i4");
        for other in ["print 1", "$_=$ENV{X}; s/a/$1/; print", "$_=<STDIN>; print", "$_=$ENV{X}; print; print", ""] {
            assert!(Program::read(other).is_none(), "{other}");
        }
    }
}
