//! The commands that bash itself carries out.

use super::holes::Hole;
use super::machine::{Flow, Machine, Run, Running};
use super::state::{Field, Value, Written};
use super::text::Text;

impl Machine<'_> {
    /// Carries out a builtin; `None` where the name is none.
    pub(super) fn builtin(&mut self, name: &str, fields: &[Field]) -> Option<Run> {
        let arguments = &fields[1..];
        Some(match name {
            ":" | "true" | "wait" | "hash" | "umask" | "ulimit" | "alias" | "unalias" | "times" | "kill" | "jobs"
            | "disown" | "bg" | "fg" | "enable" | "bind" | "complete" | "history" => {
                self.succeed(true);
                Ok(())
            }
            "false" => {
                self.succeed(false);
                Ok(())
            }
            "echo" => self.echo(arguments),
            "printf" => self.printf(arguments),
            "cd" => self.cd(arguments),
            "pushd" => {
                let old = self.state.directory.clone();
                self.state.directories.push(old);
                self.cd(arguments)
            }
            "popd" => {
                if let Some(directory) = self.state.directories.pop() {
                    self.state.directory = directory;
                }
                self.succeed(true);
                Ok(())
            }
            "pwd" => {
                let mut text = self.state.directory.clone();
                text.push_str("\n");
                self.succeed(true);
                self.print(&text)
            }
            "dirs" => {
                let text = self.state.directory.clone();
                self.print(&text)
            }
            "declare" | "typeset" | "local" | "export" | "readonly" => self.declare_fields(name, arguments),
            "unset" => self.unset_fields(arguments),
            "set" => self.set_options(arguments),
            "shopt" => self.shopt(arguments),
            "shift" => self.shift(arguments),
            "read" => self.read(arguments),
            "mapfile" | "readarray" => self.mapfile(arguments),
            "getopts" => self.getopts(arguments),
            "let" => self.let_expressions(arguments),
            "eval" => {
                let mut text = Text::default();
                for (i, field) in arguments.iter().enumerate() {
                    if i > 0 {
                        text.push_str(" ");
                    }
                    text.push(&field.text);
                }
                self.succeed(true);
                self.deeper(|machine| machine.run_text(text))
            }
            "source" | "." => self.source(arguments),
            "exec" => self.exec(arguments),
            "command" | "builtin" => self.command_builtin(arguments),
            "type" | "which" => self.which(arguments),
            "test" => self.test_builtin(arguments),
            "[" => match arguments.split_last() {
                Some((last, rest)) if last.text.as_str() == "]" => self.test_builtin(rest),
                _ => {
                    self.remark("`[` is not closed by a `]`", None);
                    self.state.status = Ok(2);
                    Ok(())
                }
            },
            "trap" => {
                let on_exit = arguments.iter().skip(1).any(|f| matches!(f.text.as_str(), "EXIT" | "0" | "exit"));
                if on_exit {
                    let action = arguments[0].text.clone();
                    self.state.on_exit = (!matches!(action.as_str(), "-" | "")).then_some(action);
                }
                self.succeed(true);
                Ok(())
            }
            "exit" => self.leave(arguments, Flow::Exit),
            "return" if self.inside.calls == 0 => {
                self.remark("`return` outside of a function: bash goes on behind it", None);
                self.state.status = Ok(2);
                Ok(())
            }
            "return" => self.leave(arguments, Flow::Return),
            "break" | "continue" => self.leave_loop(name, arguments),
            "caller" | "compgen" | "suspend" | "logout" => {
                let hole = self.hole(name, format!("what `{name}` does is not followed"), None);
                let text = self.unknown_text(hole, None);
                self.state.status = Err(hole);
                self.print(&text)
            }
            _ => return None,
        })
    }

    /// `break` and `continue`, which leave no more loops than there are.
    fn leave_loop(&mut self, name: &str, arguments: &[Field]) -> Run {
        let loops = self.inside.loops;
        if loops == 0 {
            self.remark(format!("`{name}` outside of a loop: bash goes on behind it"), None);
            self.succeed(true);
            return Ok(());
        }
        let count = arguments.first().and_then(|field| field.text.as_str().parse().ok()).unwrap_or(1);
        self.succeed(count > 0);
        match (count, name) {
            // Out of range: it leaves all.
            (0, _) => Err(Flow::Break(loops)),
            (count, "break") => Err(Flow::Break(count.min(loops))),
            (count, _) => Err(Flow::Continue(count.min(loops))),
        }
    }

    fn leave(&mut self, arguments: &[Field], flow: Flow) -> Run {
        if let Some(field) = arguments.first() {
            let text = field.text.as_str();
            self.state.status = match Hole::in_text(text) {
                Some(hole) => Err(hole),
                None => Ok(text.trim().parse::<i32>().map_or(2, |code| code & 255)),
            };
        }
        Err(flow)
    }

    fn echo(&mut self, arguments: &[Field]) -> Run {
        let mut newline = true;
        let mut escapes = false;
        let mut rest = arguments;
        while let Some((first, after)) = rest.split_first() {
            let Some(letters) = first.text.as_str().strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                break;
            };
            if !letters.chars().all(|c| matches!(c, 'n' | 'e' | 'E')) {
                break;
            }
            for letter in letters.chars() {
                match letter {
                    'n' => newline = false,
                    'e' => escapes = true,
                    _ => escapes = false,
                }
            }
            rest = after;
        }
        let mut text = Text::default();
        for (i, field) in rest.iter().enumerate() {
            if i > 0 {
                text.push_str(" ");
            }
            text.push(&field.text);
        }
        if escapes {
            let (plain, ended) = super::escapes::echo(text.as_str());
            newline &= !ended;
            text = text.becomes(plain);
        }
        if newline {
            text.push_str("\n");
        }
        self.succeed(true);
        self.print(&text)
    }

    /// Where a directory is not there, a launch elsewhere may still have it: `cd` is taken to succeed, unless
    /// everything is known.
    pub(super) fn cd(&mut self, arguments: &[Field]) -> Run {
        let place = self.here.clone();
        let target = arguments.iter().find(|field| !matches!(field.text.as_str(), "-P" | "-L" | "--" | "-e"));
        let (target, prints) = match target.map(|field| field.text.clone()) {
            Some(text) if text.as_str() == "-" => (self.scalar("OLDPWD", place.as_ref()).unwrap_or_default(), true),
            Some(text) => (text, false),
            None => match self.scalar("HOME", place.as_ref()) {
                Ok(text) => (text, false),
                Err(hole) => {
                    let hole = hole.unwrap_or_else(|| self.unset_hole("HOME", place.clone()));
                    (self.unknown_text(hole, place), false)
                }
            },
        };
        if target.is_empty() {
            self.succeed(true);
            return Ok(());
        }
        let directory = match self.absolute(target.as_str()) {
            Ok(path) => {
                let there = self.kind_of(&path);
                if there != Some(true) {
                    let shown = path.display().to_string();
                    if self.complete || there == Some(false) {
                        self.remark(format!("`cd` fails: `{shown}` is not a directory"), None);
                        self.state.status = Ok(1);
                        return Ok(());
                    }
                    self.cannot_follow(&shown, &format!("the directory `{shown}` is not on this machine"));
                }
                target.becomes(path.to_string_lossy())
            }
            Err(_)
                if target.as_str().starts_with('/')
                    || Hole::of(target.as_str().chars().next().unwrap_or(' ')).is_some() =>
            {
                target
            }
            Err(_) => {
                let mut joined = self.state.directory.clone();
                joined.push_str("/");
                joined.push(&target);
                joined
            }
        };
        let old = std::mem::replace(&mut self.state.directory, directory);
        self.set_plain("OLDPWD", old);
        self.succeed(true);
        if prints {
            let mut text = self.state.directory.clone();
            text.push_str("\n");
            self.print(&text)?;
        }
        Ok(())
    }

    fn source(&mut self, arguments: &[Field]) -> Run {
        let Some(first) = arguments.first() else {
            self.state.status = Ok(2);
            return Ok(());
        };
        let name = first.text.clone();
        let shown = self.shown(name.as_str());
        let path = match self.absolute(name.as_str()) {
            Ok(path) => path,
            Err(hole) => {
                self.note(hole);
                self.cannot_follow(&shown, &format!("which file `source {shown}` reads is not known"));
                self.succeed(true);
                return Ok(());
            }
        };
        let Some(text) = self.read_file(&path).filter(|text| Hole::in_text(text.as_str()).is_none()) else {
            self.cannot_follow(&shown, &format!("`{shown}` is sourced, but is not a readable file on this machine"));
            // The launch may find it where it runs.
            self.state.status = Ok(i32::from(self.complete));
            return Ok(());
        };
        let positional = (arguments.len() > 1)
            .then(|| std::mem::replace(&mut self.state.positional, std::rc::Rc::new(arguments[1..].to_vec())));
        self.running.push(Running { file: name, function: String::new() });
        let pending = self.pending.len();
        self.succeed(true);
        self.inside.calls += 1;
        let result = self.deeper(|machine| machine.run_text(text));
        self.inside.calls -= 1;
        let result = self.settle(pending, Flow::Return, result);
        self.running.pop();
        if let Some(positional) = positional {
            self.state.positional = positional;
        }
        match result {
            Err(Flow::Return) => Ok(()),
            other => other,
        }
    }

    fn exec(&mut self, arguments: &[Field]) -> Run {
        let mut rest = arguments;
        while let Some((first, after)) = rest.split_first() {
            match first.text.as_str() {
                "-l" | "-c" | "--" => rest = after,
                "-a" => rest = after.get(1..).unwrap_or_default(),
                _ => break,
            }
        }
        self.succeed(true);
        if rest.is_empty() {
            return Ok(());
        }
        self.state.on_exit = None;
        self.dispatch(rest.to_vec(), false)?;
        Err(Flow::Exit)
    }

    fn command_builtin(&mut self, arguments: &[Field]) -> Run {
        match arguments.first().map(|field| field.text.as_str()) {
            Some("-v" | "-V") => self.which(&arguments[1..]),
            Some("-p" | "--") => self.dispatch(arguments[1..].to_vec(), false),
            Some(_) => self.dispatch(arguments.to_vec(), false),
            None => Ok(()),
        }
    }

    /// `command -v`, `type`, `which`: what the machine of the run has is not known.
    fn which(&mut self, arguments: &[Field]) -> Run {
        let name = arguments.iter().map(|field| field.text.as_str()).find(|text| !text.starts_with('-')).unwrap_or("");
        if self.state.functions.contains_key(name) || matches!(name, "bash" | "echo" | "cd" | "printf" | "test") {
            self.succeed(true);
            return self.print(&Text::made(format!("{name}\n")));
        }
        let shown = self.shown(name);
        let reason = format!("whether `{shown}` is installed where this runs is not known");
        let hole = self.hole(shown, reason, None);
        let text = self.unknown_text(hole, None);
        self.print(&text)?;
        self.state.status = Err(hole);
        Ok(())
    }

    fn test_builtin(&mut self, arguments: &[Field]) -> Run {
        let words: Vec<Text> = arguments.iter().map(|field| field.text.clone()).collect();
        self.state.status = self.test_words(&words)?.map(|truth| i32::from(!truth));
        Ok(())
    }

    fn let_expressions(&mut self, arguments: &[Field]) -> Run {
        let mut last = Ok(0);
        for field in arguments {
            last = match self.evaluate(field.text.as_str()) {
                Err(Flow::Failed) => {
                    self.state.status = Ok(1);
                    return Ok(());
                }
                other => other?,
            };
        }
        self.state.status = last.map(|number| i32::from(number == 0));
        Ok(())
    }

    fn shift(&mut self, arguments: &[Field]) -> Run {
        let count = arguments.first().map_or(Some(1), |field| field.text.as_str().parse::<usize>().ok());
        let positional = self.state.positional.clone();
        match count {
            Some(count) if count <= positional.len() => {
                self.state.positional = std::rc::Rc::new(positional[count..].to_vec());
                self.succeed(true);
            }
            _ => self.succeed(false),
        }
        Ok(())
    }

    fn unset_fields(&mut self, arguments: &[Field]) -> Run {
        let mut functions = false;
        for field in arguments {
            match field.text.as_str() {
                "-f" => functions = true,
                "-v" | "-n" => functions = false,
                name if functions => {
                    std::rc::Rc::make_mut(&mut self.state.functions).remove(name);
                }
                name => {
                    let name = name.to_owned();
                    self.unset(&name)?;
                }
            }
        }
        self.succeed(true);
        Ok(())
    }

    /// Notes what file commands do, so that later tests see it.
    pub(super) fn touch(&mut self, fields: &[Field], what: &Written) {
        for field in fields.iter().filter(|field| !field.text.as_str().starts_with('-')) {
            if let Ok(path) = self.absolute(field.text.as_str()) {
                match what {
                    Written::File(_) if self.kind_of(&path).is_some() => {}
                    Written::Directory => {
                        for folder in path.ancestors() {
                            if self.kind_of(folder).is_none() {
                                self.write_file(folder, Written::Directory);
                            }
                        }
                    }
                    what => self.write_file(&path, what.clone()),
                }
            }
        }
    }

    /// Whether a variable is an associative array.
    pub(super) fn is_associative(&self, name: &str) -> bool {
        matches!(self.state.get(name).map(|variable| &variable.value), Some(Value::Associative(_)))
    }
}
