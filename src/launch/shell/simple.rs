//! Simple commands: assignments, functions, builtins, and programs, which are recorded and never run.

use std::path::PathBuf;
use std::rc::Rc;

use super::ast::{Argument, Command, Simple};
use super::holes::Hole;
use super::machine::{Flow, Inside, Machine, Run, Running};
use super::state::{Field, Frame, Value, Variable};
use super::text::Text;
use crate::launch::wrapper::{self, Inner};

impl Machine<'_> {
    pub(super) fn run_simple(&mut self, command: &Command, simple: &Simple) -> Run {
        self.substituted = None;
        self.refused = false;
        if !self.in_trap {
            self.command = Some((command.unit.clone(), command.at));
        }
        if simple.words.is_empty() {
            for assignment in &simple.assignments {
                self.step(1)?;
                self.assign(assignment)?;
            }
            if std::mem::take(&mut self.refused) {
                self.state.status = Ok(1);
                return Err(if self.state.flags.errexit { Flow::Exit } else { Flow::Failed });
            }
            let status = self.substituted.take().unwrap_or(Ok(0));
            if !command.redirects.is_empty() {
                self.with_redirects(&command.redirects, |_| Ok(()))?;
            }
            self.state.status = status;
            self.set_last(Some(Text::default()));
            return self.check_errexit();
        }
        if let Some(Argument::Word(first)) = simple.words.first() {
            // The place of a command is that of its first word.
            self.here = first.unit.span(first.at).or(self.here.take());
        }
        if simple.words.iter().any(|word| matches!(word, Argument::Assignment(_))) {
            self.declare(&simple.words)?;
            self.set_last(None);
            return self.check_errexit();
        }
        let mut fields = Vec::new();
        for word in &simple.words {
            if let Argument::Word(word) = word {
                fields.extend(self.fields(word)?);
            }
        }
        if fields.is_empty() {
            for assignment in &simple.assignments {
                self.assign(assignment)?;
            }
            self.state.status = self.substituted.take().unwrap_or(Ok(0));
            return self.check_errexit();
        }
        let last = fields.last().map(|field| field.text.clone());
        let result = if simple.assignments.is_empty() {
            self.with_redirects(&command.redirects, |machine| machine.dispatch(fields, true))
        } else {
            self.with_assignments(simple, |machine| {
                machine.with_redirects(&command.redirects, |machine| machine.dispatch(fields, true))
            })
        };
        self.set_last(last);
        result?;
        self.check_errexit()
    }

    /// `$_`: the last word of the command that ended; `None` where it is not known.
    fn set_last(&mut self, word: Option<Text>) {
        match word {
            Some(text) => {
                let mut variable = Variable::new(Value::Scalar(text));
                variable.ours = false;
                self.state.variables.insert("_".to_owned(), Rc::new(variable));
            }
            None => {
                self.state.variables.remove("_");
            }
        }
    }

    /// Runs a part with `NAME=VALUE` in front of it.
    fn with_assignments(&mut self, simple: &Simple, part: impl FnOnce(&mut Self) -> Run) -> Run {
        let mut saved: Vec<(String, Option<Rc<Variable>>)> = Vec::new();
        for assignment in &simple.assignments {
            let name = assignment.name.clone();
            let old = self.state.get(&name).cloned();
            self.assign(assignment)?;
            if let Some(variable) = self.state.variables.get_mut(&name) {
                Rc::make_mut(variable).exported = true;
            }
            saved.push((name, old));
        }
        let result = part(self);
        for (name, old) in saved.into_iter().rev() {
            match old {
                Some(variable) => self.state.variables.insert(name, variable),
                None => self.state.variables.remove(&name),
            };
        }
        result
    }

    /// Runs a command whose words are known as far as they are.
    pub(super) fn dispatch(&mut self, fields: Vec<Field>, functions: bool) -> Run {
        let Some(first) = fields.first() else { return Ok(()) };
        let name = first.text.as_str().to_owned();
        if functions && let Some(body) = self.state.functions.get(&name).cloned() {
            return self.call(&name, &body, fields);
        }
        match self.builtin(&name, &fields) {
            Some(result) => result,
            None => self.program(&name, fields),
        }
    }

    fn call(&mut self, name: &str, body: &Rc<Command>, fields: Vec<Field>) -> Run {
        let arguments = Rc::new(fields[1..].to_vec());
        let positional = std::mem::replace(&mut self.state.positional, arguments);
        self.state.frames.push(Frame::default());
        let file = self.running.last().map(|running| running.file.clone()).unwrap_or_default();
        self.running.push(Running { file, function: name.to_owned() });
        let pending = self.pending.len();
        let depth = self.state.frames.len();
        let outside = self.inside;
        self.inside = Inside { loops: 0, calls: outside.calls + 1 };
        let result = self.deeper(|machine| machine.run_command(body));
        self.inside = outside;
        let result = self.settle(pending, Flow::Return, result);
        self.running.pop();
        // A joined state has the frames of one of the sides.
        self.state.frames.truncate(depth);
        if let Some(frame) = self.state.frames.pop() {
            for (name, old) in frame.hidden {
                match old {
                    Some(variable) => self.state.variables.insert(name, variable),
                    None => self.state.variables.remove(&name),
                };
            }
        }
        self.state.positional = positional;
        match result {
            Err(Flow::Return) => Ok(()),
            other => other,
        }
    }

    /// A program: its known output is printed, anything else is recorded.
    fn program(&mut self, name: &str, fields: Vec<Field>) -> Run {
        if name.starts_with('-') || (name.contains('=') && !name.contains('/')) {
            let shown = self.shown(name);
            let why = if name.starts_with('-') { ": the line before does not continue into this one" } else { "" };
            self.remark(format!("bash takes `{shown}` for a command of its own{why}"), None);
            self.state.status = Ok(127);
            return Ok(());
        }
        if let Some(result) = self.tool(name, &fields) {
            return result;
        }
        self.record(name, fields)
    }

    /// Records a program and follows the command inside a wrapper.
    fn record(&mut self, name: &str, fields: Vec<Field>) -> Run {
        if self.commands.len() >= self.limits.commands {
            self.cannot_follow("this script", "starts more commands than are followed");
            return Err(Flow::Limit);
        }
        self.step(fields.len())?;
        let line = self.line();
        let command = crate::launch::Command {
            argv: fields.iter().map(|field| self.word(field)).collect(),
            open: fields.iter().enumerate().filter(|(_, field)| field.open).map(|(i, _)| i).collect(),
            env: self.environment(),
            directory: self.known_directory(),
            line,
            via: self.via,
            depends_on: None,
        };
        let inner = wrapper::inner(&command);
        let shown = self.shown(name);
        let status = self.hole(
            format!("the status of `{shown}`"),
            format!("whether `{shown}` succeeds is not known before the run"),
            None,
        );
        // A shell or `env` is no command of its own where what it starts is followed.
        let shows = !matches!(
            inner,
            Some(
                Inner::ShellText { .. }
                    | Inner::ShellScript { .. }
                    | Inner::ShellInput
                    | Inner::Command { transparent: true, .. }
            )
        ) || !is_transparent(name);
        let via = self.via;
        if shows {
            self.via = Some(self.commands.len());
            self.commands.push(command);
            let followed = inner.map_or(Ok(false), |inner| self.follow(&inner, &fields));
            self.via = via;
            self.state.status = Err(status);
            return if followed? { Ok(()) } else { self.prints_unknown(&shown, &fields) };
        }
        let followed = inner.map_or(Ok(false), |inner| self.follow(&inner, &fields))?;
        if !followed {
            self.commands.push(command);
            self.state.status = Err(status);
            return self.prints_unknown(&shown, &fields);
        }
        Ok(())
    }

    /// The output of a program, where something reads it.
    fn prints_unknown(&mut self, shown: &str, fields: &[Field]) -> Run {
        if self.state.output.is_none() {
            return Ok(());
        }
        let hole = self.addresses(shown, fields).unwrap_or_else(|| {
            let reason = format!("the output of `{shown}` is not known before the run");
            self.hole(format!("the output of `{shown}`"), reason, None)
        });
        let text = self.unknown_text(hole, self.here.clone());
        self.print(&text)
    }

    fn line(&self) -> usize {
        self.here.as_ref().map_or(0, |span| span.line_column().0)
    }

    /// The variables that a command sees and that the launch set.
    fn environment(&mut self) -> Vec<(String, crate::launch::Word)> {
        let mut names: Vec<&String> =
            self.state.variables.iter().filter(|(_, v)| v.exported && v.ours).map(|(name, _)| name).collect();
        names.sort();
        let mut environment = Vec::new();
        for name in names {
            if let Some(Value::Scalar(text)) = self.state.get(name).map(|variable| &variable.value) {
                environment.push((name.clone(), self.word(&Field::one(text.clone()))));
            }
        }
        environment
    }

    fn known_directory(&self) -> Option<PathBuf> {
        let text = self.state.directory.as_str();
        Hole::in_text(text).is_none().then(|| PathBuf::from(text))
    }

    /// Follows what a wrapper starts; tells whether its output is that of what was followed.
    fn follow(&mut self, inner: &Inner, fields: &[Field]) -> Run<bool> {
        let here = self.here.clone();
        let errexit = self.state.flags.errexit;
        let result = match inner {
            Inner::Command { at, assignments, transparent } => {
                let assigned: Vec<Text> = assignments.iter().map(|i| fields[*i].text.clone()).collect();
                let rest = fields[*at..].to_vec();
                self.subshell(|machine| {
                    machine.state.flags.errexit = false;
                    for text in assigned {
                        machine.export_pair(&text)?;
                    }
                    machine.started(rest)
                })
                .map(|()| *transparent)
            }
            Inner::ShellText { at, from } => {
                let text = fields[*at].text.clone();
                let text = text.slice(*from..text.len());
                let rest = fields.get(at + 1..).unwrap_or_default().to_vec();
                self.shell(rest, |machine| machine.run_text(text)).map(|()| true)
            }
            Inner::ShellScript { at } => self.shell_script(&fields[*at..]),
            Inner::ShellInput => match self.state.input.clone() {
                Some(input) => {
                    let text = input.text.slice(input.read..input.text.len());
                    self.shell(Vec::new(), |machine| machine.run_text(text)).map(|()| true)
                }
                None => Ok(false),
            },
        };
        self.state.flags.errexit = errexit;
        self.here = here;
        result
    }

    /// A program that another one starts: shell functions and builtins are unknown to it.
    fn started(&mut self, fields: Vec<Field>) -> Run {
        let Some(first) = fields.first() else { return Ok(()) };
        let name = first.text.as_str().to_owned();
        if let Some(result) = self.tool(&name, &fields) {
            return result;
        }
        self.record(&name, fields)
    }

    fn export_pair(&mut self, text: &Text) -> Run {
        if let Some(at) = text.as_str().find('=') {
            let name = text.as_str()[..at].to_owned();
            self.set(&name, text.slice(at + 1..text.len()), false)?;
            if let Some(variable) = self.state.variables.get_mut(&name) {
                Rc::make_mut(variable).exported = true;
            }
        }
        Ok(())
    }

    /// Runs a part in a new shell: it sees exported variables and functions alone.
    fn shell(&mut self, fields: Vec<Field>, part: impl FnOnce(&mut Self) -> Run) -> Run {
        self.subshell(|machine| {
            machine
                .state
                .variables
                .retain(|name, variable| variable.exported || matches!(name.as_str(), "IFS" | "OPTIND"));
            machine.state.variables.insert("IFS".into(), Rc::new(Variable::new(Value::Scalar(Text::made(" \t\n")))));
            let exported = Rc::clone(&machine.state.exported_functions);
            Rc::make_mut(&mut machine.state.functions).retain(|name, _| exported.contains(name));
            machine.state.frames.clear();
            machine.state.flags = super::state::Flags::default();
            let mut fields = fields.into_iter();
            if let Some(name) = fields.next() {
                machine.state.name = name.text;
            }
            machine.state.positional = Rc::new(fields.collect());
            let file = machine.state.name.clone();
            let running = std::mem::replace(
                &mut machine.running,
                vec![Running { file: file.clone(), function: "c".into() }, Running { file, function: String::new() }],
            );
            let testing = std::mem::take(&mut machine.testing);
            let outside = std::mem::take(&mut machine.inside);
            let result = part(machine);
            let result = machine.finish_script(result);
            machine.inside = outside;
            machine.testing = testing;
            machine.running = running;
            result
        })
    }

    /// A script file that a shell runs; where it cannot be read, it stays a program.
    fn shell_script(&mut self, fields: &[Field]) -> Run<bool> {
        let Some(first) = fields.first() else { return Ok(false) };
        let Ok(path) = self.absolute(first.text.as_str()) else { return Ok(false) };
        if self.kind_of(&path) != Some(false) {
            return Ok(false);
        }
        let Some(text) = self.read_file(&path) else { return Ok(false) };
        let shebang = text.as_str().lines().next().unwrap_or("");
        let shell = if shebang.starts_with("#!") {
            shebang.contains("sh")
        } else {
            path.extension().is_some_and(|e| e == "sh")
        };
        if text.as_str().contains('\0') || !shell {
            return Ok(false);
        }
        self.shell(fields.to_vec(), |machine| machine.run_text(text))?;
        Ok(true)
    }

    /// Ends a script: `trap ... EXIT` runs, and leaving it early is no matter.
    pub(super) fn finish_script(&mut self, result: Run) -> Run {
        let mut result = self.settle(0, Flow::Exit, result);
        if result == Err(Flow::Limit) {
            return result;
        }
        if let Some(text) = self.state.on_exit.take() {
            self.state.flags.errexit = false;
            self.in_trap = true;
            result = self.run_text(text);
            self.in_trap = false;
        }
        match result {
            Err(Flow::Limit) => Err(Flow::Limit),
            _ => Ok(()),
        }
    }

    /// The first hole in some words.
    pub(super) fn hole_in(fields: &[Field]) -> Option<Hole> {
        fields.iter().find_map(|field| Hole::in_text(field.text.as_str()))
    }
}

/// Whether a program is no command of its own: a shell, or a launcher that says so.
fn is_transparent(name: &str) -> bool {
    crate::launch::launchers::by_program(name)
        .is_none_or(|launcher| launcher.transparent || launcher.starts == crate::launch::launchers::Starts::Shell)
}
