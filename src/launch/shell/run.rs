//! Following commands: lists, pipelines, conditions, loops.

use std::rc::Rc;

use super::ast::{AndOr, Arm, ArmEnd, Command, Kind, List, Pipeline, Unit, Word};
use super::machine::{Flow, Machine, Run};
use super::parse::Parser;
use super::state::Status;
use super::text::Text;

impl Machine<'_> {
    /// Follows a whole text: a script, a sourced file, the argument of `eval`.
    pub fn run_text(&mut self, text: Text) -> Run {
        self.step(text.len() / 16)?;
        let unit = Rc::new(Unit { text });
        let (lists, error) = Parser::new(unit.clone()).all();
        super::names::collect(&lists, &mut self.assigned);
        let top = self.depth == 0;
        for list in &lists {
            match self.run_list(list) {
                // An error that ends a command, `set -e` or not: the text goes on with the next one.
                Err(Flow::Failed) => self.state.status = Ok(1),
                other => other?,
            }
        }
        if let Some(error) = error {
            let at = super::ast::At { start: error.at, end: error.at + 1 };
            let span = unit
                .span(at)
                .or_else(|| unit.span(super::ast::At { start: error.at.saturating_sub(1), end: error.at }));
            self.remark(format!("{error}: bash stops reading here"), span);
            self.state.status = Ok(2);
            if top {
                return Err(Flow::Exit);
            }
        }
        Ok(())
    }

    /// Follows commands one after the other.
    pub fn run_list(&mut self, list: &List) -> Run {
        for item in &list.items {
            self.run_and_or(item)?;
        }
        Ok(())
    }

    fn run_and_or(&mut self, item: &AndOr) -> Run {
        if item.background {
            self.subshell(|machine| machine.chain(item))?;
            self.state.status = Ok(0);
            return Ok(());
        }
        self.chain(item)
    }

    fn chain(&mut self, item: &AndOr) -> Run {
        self.in_chain(&item.first, item, 0)
    }

    /// Runs one pipeline of a chain, then what its status lets run.
    fn in_chain(&mut self, pipeline: &Pipeline, item: &AndOr, next: usize) -> Run {
        let last = next >= item.rest.len();
        self.testing += usize::from(!last || pipeline.negated);
        let result = self.run_pipeline(pipeline);
        self.testing -= usize::from(!last || pipeline.negated);
        result?;
        if last {
            // A single command has checked itself: a failure inside `if` or `{ }` does not count again.
            let several = pipeline.commands.len() > 1 && !pipeline.negated;
            return if several { self.check_errexit() } else { Ok(()) };
        }
        self.after(item, next)
    }

    fn after(&mut self, item: &AndOr, next: usize) -> Run {
        let Some((and, pipeline)) = item.rest.get(next) else { return Ok(()) };
        match self.state.status {
            Ok(code) if (code == 0) == *and => self.in_chain(pipeline, item, next + 1),
            Ok(_) => self.after(item, next + 1),
            Err(hole) => self.fork(
                hole,
                |machine| {
                    machine.state.status = Ok(i32::from(!*and));
                    machine.in_chain(pipeline, item, next + 1)
                },
                |machine| {
                    machine.state.status = Ok(i32::from(*and));
                    machine.after(item, next + 1)
                },
            ),
        }
    }

    /// `set -e`: a known failure ends the script. An unknown status is taken for success.
    pub(super) fn check_errexit(&mut self) -> Run {
        match self.state.status {
            Ok(code) if code != 0 && self.state.flags.errexit && self.testing == 0 => Err(Flow::Exit),
            _ => Ok(()),
        }
    }

    fn run_pipeline(&mut self, pipeline: &Pipeline) -> Run {
        if let [only] = pipeline.commands.as_slice() {
            self.run_command(only)?;
            self.state.pipeline = vec![self.state.status];
        } else {
            self.run_stages(&pipeline.commands)?;
        }
        if pipeline.negated {
            self.state.status = self.state.status.map(|code| i32::from(code == 0));
        }
        Ok(())
    }

    fn run_stages(&mut self, commands: &[Command]) -> Run {
        let mut statuses = Vec::new();
        let mut piped: Option<Text> = None;
        for (i, command) in commands.iter().enumerate() {
            let last = i + 1 == commands.len();
            let input = self.state.input.clone();
            if let Some(text) = piped.take() {
                self.state.input = Some(super::state::Input { text, read: 0 });
            }
            let output = if last { None } else { Some(self.state.output.replace(Text::default())) };
            if last && self.state.flags.lastpipe {
                self.run_command(command)?;
            } else {
                self.subshell(|machine| machine.run_command(command))?;
            }
            if let Some(outer) = output {
                piped = std::mem::replace(&mut self.state.output, outer);
            }
            if i > 0 {
                self.state.input = input;
            }
            statuses.push(self.state.status);
        }
        if self.state.flags.pipefail {
            let failed = statuses.iter().rev().find(|status| !matches!(status, Ok(0)));
            self.state.status = failed.copied().unwrap_or(Ok(0));
        }
        self.state.pipeline = statuses;
        Ok(())
    }

    /// Runs a part in a shell of its own: what it changes is forgotten, what it prints and launches is not.
    pub fn subshell(&mut self, part: impl FnOnce(&mut Self) -> Run) -> Run {
        self.step(self.state.variables.len())?;
        let output = self.state.output.take();
        let mut saved = self.state.clone();
        self.state.output = output;
        self.state.on_exit = None;
        let pending = std::mem::take(&mut self.pending);
        let command = self.command.clone();
        let loops = std::mem::take(&mut self.inside.loops);
        let result = self.deeper(part);
        self.inside.loops = loops;
        self.command = command;
        self.pending = pending;
        std::mem::swap(&mut self.state, &mut saved);
        self.state.output = saved.output;
        self.state.files = saved.files;
        self.state.input = saved.input;
        self.state.status = saved.status;
        match result {
            Err(Flow::Limit) => Err(Flow::Limit),
            Err(Flow::Failed) => {
                self.state.status = Ok(1);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `$(...)`: what the commands print, without the line ends at its end.
    pub(super) fn substitute(&mut self, list: &List, span: Option<crate::text::Span>) -> Run<Text> {
        let outer = self.state.output.replace(Text::default());
        let here = self.here.clone();
        if span.is_some() {
            self.here = span;
        }
        let in_document = std::mem::take(&mut self.in_document);
        let testing = std::mem::take(&mut self.testing);
        let errexit = self.state.flags.errexit;
        let result = self.subshell(|machine| {
            machine.state.flags.errexit = errexit && machine.state.flags.inherit_errexit;
            // `$(< FILE)` prints the file.
            if let Some(redirects) = only_redirects(list) {
                machine.with_redirects(redirects, |machine| {
                    let text = machine.rest_of_input()?;
                    machine.print(&text)
                })
            } else {
                machine.run_list(list)
            }
        });
        self.testing = testing;
        self.in_document = in_document;
        self.here = here;
        let text = std::mem::replace(&mut self.state.output, outer).unwrap_or_default();
        result?;
        self.substituted = Some(self.state.status);
        let end = text.as_str().trim_end_matches('\n').len();
        Ok(text.slice(0..end))
    }

    /// `<(...)`: the path of a file that holds what the commands print.
    pub(super) fn process(&mut self, input: bool, list: &List, span: Option<crate::text::Span>) -> Run<Text> {
        let path = format!("/dev/fd/{}", 63 + self.state.files.len());
        let outer = self.state.output.replace(Text::default());
        let result = self.subshell(|machine| machine.run_list(list));
        let text = std::mem::replace(&mut self.state.output, outer).unwrap_or_default();
        result?;
        if input {
            self.write_file(std::path::Path::new(&path), super::state::Written::File(text));
        }
        Ok(Text::at(path, span))
    }

    /// Follows one command.
    pub fn run_command(&mut self, command: &Command) -> Run {
        self.step(1)?;
        self.here = command.unit.span(command.at).or(self.here.take());
        match &command.kind {
            Kind::Simple(simple) => self.run_simple(command, simple),
            Kind::Function(name, body) => {
                if self.state.flags.allexport {
                    Rc::make_mut(&mut self.state.exported_functions).insert(name.clone());
                }
                Rc::make_mut(&mut self.state.functions).insert(name.clone(), body.clone());
                self.state.status = Ok(0);
                Ok(())
            }
            kind => {
                let simple_status = matches!(kind, Kind::Test(_) | Kind::Arithmetic(_) | Kind::Subshell(_));
                self.with_redirects(&command.redirects, |machine| machine.run_compound(kind))?;
                if simple_status { self.check_errexit() } else { Ok(()) }
            }
        }
    }

    fn run_compound(&mut self, kind: &Kind) -> Run {
        match kind {
            Kind::Simple(_) | Kind::Function(..) => Ok(()),
            Kind::Group(list) => self.run_list(list),
            Kind::Subshell(list) => self.subshell(|machine| machine.run_list(list)),
            Kind::If(arms, otherwise) => self.run_if(arms, otherwise.as_ref()),
            Kind::Case(word, arms) => self.run_case(word, arms),
            Kind::While(until, condition, body) => self.run_while(*until, condition, body),
            Kind::For(name, words, body) => self.run_for(name, words.as_deref(), body),
            Kind::ForArithmetic(parts, body) => self.run_for_arithmetic(parts, body),
            Kind::Select(name, body) => {
                let hole = self.hole("select", "`select` asks a person", None);
                self.fork(
                    hole,
                    |machine| {
                        let text = machine.unknown_text(hole, None);
                        machine.set(name, text, false)?;
                        machine.run_list(body)
                    },
                    |_| Ok(()),
                )
            }
            Kind::Arithmetic(word) => {
                self.state.status = match self.arithmetic(word) {
                    Ok(number) => number.map(|n| i32::from(n == 0)),
                    Err(Flow::Failed) => Ok(1),
                    Err(flow) => return Err(flow),
                };
                Ok(())
            }
            Kind::Test(condition) => {
                self.state.status = self.condition(condition)?.map(|truth| i32::from(!truth));
                Ok(())
            }
        }
    }

    /// Runs the commands of a condition; `set -e` does not count in them.
    pub(super) fn test(&mut self, condition: &List) -> Run<Status> {
        self.testing += 1;
        let result = self.run_list(condition);
        self.testing -= 1;
        result?;
        Ok(self.state.status)
    }

    fn run_if(&mut self, arms: &[(List, List)], otherwise: Option<&List>) -> Run {
        let Some(((condition, body), rest)) = arms.split_first() else {
            self.state.status = Ok(0);
            return otherwise.map_or(Ok(()), |list| self.run_list(list));
        };
        match self.test(condition)? {
            Ok(0) => self.run_list(body),
            Ok(_) => self.run_if(rest, otherwise),
            Err(hole) => self.fork(hole, |machine| machine.run_list(body), |machine| machine.run_if(rest, otherwise)),
        }
    }

    fn run_case(&mut self, word: &Word, arms: &[Arm]) -> Run {
        let subject = self.one_text(word)?;
        self.state.status = Ok(0);
        self.case_arms(subject.as_str(), arms)
    }

    fn case_arms(&mut self, subject: &str, arms: &[Arm]) -> Run {
        for (i, arm) in arms.iter().enumerate() {
            let mut found = Ok(false);
            for pattern in &arm.patterns {
                let pattern = self.pattern_text(pattern)?;
                match self.matches_pattern(subject, &pattern)? {
                    Ok(true) => {
                        found = Ok(true);
                        break;
                    }
                    Ok(false) => {}
                    Err(hole) => found = Err(hole),
                }
            }
            match found {
                Ok(true) => return self.case_body(subject, arms, i),
                Ok(false) => {}
                Err(hole) => {
                    return self.fork(
                        hole,
                        |machine| machine.case_body(subject, arms, i),
                        |machine| machine.case_arms(subject, &arms[i + 1..]),
                    );
                }
            }
        }
        Ok(())
    }

    fn case_body(&mut self, subject: &str, arms: &[Arm], at: usize) -> Run {
        let Some(arm) = arms.get(at) else { return Ok(()) };
        self.run_list(&arm.body)?;
        match arm.end {
            ArmEnd::Stop => Ok(()),
            ArmEnd::Fall => self.case_body(subject, arms, at + 1),
            ArmEnd::Test => self.case_arms(subject, &arms[at + 1..]),
        }
    }
}

/// The redirections of a list that is nothing else.
fn only_redirects(list: &List) -> Option<&[super::ast::Redirect]> {
    let [AndOr { first, rest, background: false }] = list.items.as_slice() else { return None };
    let ([command], true) = (first.commands.as_slice(), rest.is_empty()) else { return None };
    match &command.kind {
        Kind::Simple(simple) if simple.words.is_empty() && simple.assignments.is_empty() => Some(&command.redirects),
        _ => None,
    }
}
