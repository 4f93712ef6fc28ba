//! The machine that follows a script: its state, its limits, and what it found.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::ast::{At, Unit};
use super::holes::{Hole, Holes, Kind};
use super::state::{Field, State, Status, Value, Variable};
use super::text::Text;
use crate::launch::options::{Files, Limits};
use crate::launch::{Command, Remark, Word};
use crate::rules::value::Unknown;
use crate::text::{Located, Source, Span};

/// Why the following of a list of commands stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// `break N`
    Break(u32),
    /// `continue N`
    Continue(u32),
    /// `return`
    Return,
    /// `exit`, or an error that ends a script.
    Exit,
    /// An error that ends the command.
    Failed,
    /// A limit was hit.
    Limit,
}

/// The result of following a part of a script.
pub type Run<T = ()> = Result<T, Flow>;

/// A text being run, for `BASH_SOURCE`, `FUNCNAME` and messages.
#[derive(Debug, Clone)]
pub struct Running {
    /// The file, as it was named.
    pub file: Text,
    /// The function; empty for a file.
    pub function: String,
}

/// What a command stands in, as `break` and `return` see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inside {
    /// Loops of this function or subshell around it.
    pub loops: u32,
    /// Functions and sourced files around it.
    pub calls: usize,
}

/// Follows a script.
pub struct Machine<'a> {
    /// What is known now.
    pub state: State,
    /// What is unknown.
    pub holes: Holes,
    /// The files.
    pub files: &'a dyn Files,
    /// The limits.
    pub limits: Limits,
    /// Whether the environment is completely known.
    pub complete: bool,
    /// Whether the user gave positional arguments.
    pub has_arguments: bool,
    /// Names that some text assigns, so that they do not come from the environment alone.
    pub assigned: HashSet<String>,
    /// The texts read.
    pub sources: Vec<Arc<Source>>,
    /// The commands found.
    pub commands: Vec<Command>,
    /// What could not be followed.
    pub unknowns: Vec<Arc<Unknown>>,
    /// What is wrong with the script.
    pub remarks: Vec<Remark>,
    /// What is running, the innermost last.
    pub running: Vec<Running>,
    /// What the command being run stands in.
    pub inside: Inside,
    /// The steps taken.
    pub steps: u64,
    /// How deep calls are.
    pub depth: usize,
    /// How many conditions are being tested, in which `set -e` does not count.
    pub testing: usize,
    /// States that left a function or loop early, where that depended on something unknown.
    pub pending: Vec<(Flow, State, Hole)>,
    /// The status of the last `$(...)` of a command.
    pub substituted: Option<Status>,
    /// Whether a read-only variable kept its value.
    pub refused: bool,
    /// The command being run, for `BASH_COMMAND`.
    pub command: Option<(Rc<Unit>, At)>,
    /// Whether a trap runs, whose commands do not count for `BASH_COMMAND`.
    pub in_trap: bool,
    /// Whether a here-document is expanded: `$*` is joined by blanks in it.
    pub in_document: bool,
    /// The wrapper command whose inner command is followed.
    pub via: Option<usize>,
    /// The place of the command being run.
    pub here: Option<Span>,
}

impl Machine<'_> {
    /// Counts work; an error once there was too much.
    pub fn step(&mut self, work: usize) -> Run {
        self.steps += 1 + work as u64 / 64;
        if self.steps > self.limits.steps {
            self.cannot_follow("this script", "takes more steps than are followed (an endless loop?)");
            return Err(Flow::Limit);
        }
        Ok(())
    }

    /// Runs a part one call deeper.
    pub fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Run<T>) -> Run<T> {
        if self.depth >= self.limits.depth {
            self.cannot_follow("this script", "calls itself too deeply to be followed");
            return Err(Flow::Limit);
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// The hole for something that is not known.
    pub fn hole(&mut self, name: impl Into<String>, reason: impl Into<String>, span: Option<Span>) -> Hole {
        let places = span.or_else(|| self.here.clone()).into_iter().collect();
        self.holes.add(Unknown { name: name.into(), reason: reason.into(), places }, Kind::Other)
    }

    /// The hole for a variable that nobody set.
    pub fn unset_hole(&mut self, name: &str, span: Option<Span>) -> Hole {
        let (shown, give) = if name.starts_with(|c: char| c.is_ascii_digit()) {
            (format!("${name}"), "--arg".to_owned())
        } else {
            (format!("${name}"), format!("--env {name}=..."))
        };
        let reason = if give == "--arg" {
            format!("`{shown}` is not given; give the script's arguments with --arg")
        } else {
            format!("`{shown}` is not set in this script; give it with {give}")
        };
        self.holes.add(Unknown { name: shown, reason, places: span.into_iter().collect() }, Kind::Unset)
    }

    /// Text that is unknown as a whole.
    pub fn unknown_text(&self, hole: Hole, span: Option<Span>) -> Text {
        Text::at(hole.character().to_string(), span)
    }

    /// Notes something that was not followed.
    pub fn cannot_follow(&mut self, name: &str, reason: &str) {
        let places: Vec<Span> = self.here.clone().into_iter().collect();
        let unknown = Unknown { name: name.to_owned(), reason: reason.to_owned(), places };
        if self.unknowns.len() < 200 && !self.unknowns.iter().any(|u| u.name == name && u.reason == reason) {
            self.unknowns.push(Arc::new(unknown));
        }
    }

    /// Notes something unknown that decides what runs.
    pub fn note(&mut self, hole: Hole) {
        let unknown = self.holes.get(hole);
        if self.unknowns.len() < 200 && !self.unknowns.contains(&unknown) {
            self.unknowns.push(unknown);
        }
    }

    /// Notes something that is wrong with the script.
    pub fn remark(&mut self, message: impl Into<String>, span: Option<Span>) {
        let remark = Remark { message: message.into(), place: span.or_else(|| self.here.clone()) };
        if self.remarks.len() < 200 && !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// The word of a command line that a field became.
    pub fn word(&self, field: &Field) -> Word {
        let text = field.text.as_str();
        let value = match Hole::in_text(text) {
            Some(hole) => Err(self.holes.get(hole)),
            None => Ok(text.to_owned()),
        };
        Located { value, places: field.text.places() }
    }

    /// Text with holes shown by their names, for messages.
    pub fn shown(&self, text: &str) -> String {
        text.chars()
            .map(|c| Hole::of(c).map_or_else(|| c.to_string(), |hole| self.holes.get(hole).name.clone()))
            .collect()
    }

    /// Sets the status.
    pub fn succeed(&mut self, success: bool) {
        self.state.status = Ok(i32::from(!success));
    }

    /// Sets a plain variable without attributes being looked at.
    pub fn set_plain(&mut self, name: &str, text: Text) {
        let mut variable = self.state.get(name).map_or_else(|| Variable::new(Value::Unset), |v| (**v).clone());
        variable.value = Value::Scalar(text);
        variable.ours = true;
        self.state.variables.insert(name.to_owned(), Rc::new(variable));
    }

    /// Adds to standard output, where something reads it.
    pub fn print(&mut self, text: &Text) -> Run {
        self.step(text.len())?;
        let most = self.limits.value;
        let Some(output) = &mut self.state.output else { return Ok(()) };
        if output.len() + text.len() > most {
            self.cannot_follow("an output", "grows larger than is followed");
            return Err(Flow::Limit);
        }
        output.push(text);
        Ok(())
    }
}
