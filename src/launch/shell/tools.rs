//! Programs whose effect is known from their words and their input: paths, text tools, file commands.
//!
//! Nothing is run: each one here is carried out in memory, and only where that is exact. Otherwise its output is
//! unknown.

use super::holes::Hole;
use super::machine::{Machine, Run};
use super::state::{Field, Written};
use super::text::Text;
use super::text_tools::{self, Done};

impl Machine<'_> {
    /// Carries out a program that is known; `None` for any other.
    pub(super) fn tool(&mut self, name: &str, fields: &[Field]) -> Option<Run> {
        let name = name.strip_prefix("/usr/bin/").or_else(|| name.strip_prefix("/bin/")).unwrap_or(name);
        let arguments = &fields[1..];
        Some(match name {
            "mkdir" => {
                self.touch(arguments, &Written::Directory);
                self.done()
            }
            "touch" => {
                self.touch(arguments, &Written::File(Text::default()));
                self.done()
            }
            "rm" | "rmdir" => {
                self.touch(arguments, &Written::Gone);
                self.done()
            }
            "cp" | "mv" | "ln" | "chmod" | "chown" | "sleep" | "sync" | "install" | "truncate" | "rsync"
            | "dos2unix" => {
                self.copied(name, arguments);
                self.done()
            }
            "tee" => match self.rest_of_input() {
                Ok(text) => {
                    for field in arguments.iter().filter(|field| !field.text.as_str().starts_with('-')) {
                        if let Ok(path) = self.absolute(field.text.as_str()) {
                            self.write_file(&path, Written::File(text.clone()));
                        }
                    }
                    self.succeed(true);
                    self.print(&text)
                }
                Err(flow) => Err(flow),
            },
            "cat" => self.cat(arguments),
            "basename" | "dirname" => self.path_part(name, arguments),
            "realpath" | "readlink" => self.real_path(name, arguments),
            "ls" => self.list_files(arguments),
            "perl" => self.perl(arguments),
            "seq" | "expr" | "tr" | "cut" | "wc" | "head" | "tail" | "sort" | "uniq" | "grep" | "egrep" | "fgrep"
            | "sed" | "awk" | "bc" | "rev" | "tac" | "nl" | "paste" | "xargs" | "column" | "envsubst" | "jq"
            | "find" | "stat" | "date" | "du" | "df" => self.text_tool(name, arguments),
            _ => return None,
        })
    }

    fn done(&mut self) -> Run {
        self.succeed(true);
        Ok(())
    }

    /// `cp` and its like: the file it makes is there afterwards.
    fn copied(&mut self, name: &str, arguments: &[Field]) {
        let words: Vec<&Field> = arguments.iter().filter(|field| !field.text.as_str().starts_with('-')).collect();
        let [from, to] = words.as_slice() else { return };
        if !matches!(name, "cp" | "mv" | "ln") {
            return;
        }
        let (Ok(from), Ok(mut to)) = (self.absolute(from.text.as_str()), self.absolute(to.text.as_str())) else {
            return;
        };
        if self.kind_of(&to) == Some(true) {
            let Some(name) = from.file_name() else { return };
            to.push(name);
        }
        if let Some(text) = self.read_file(&from) {
            self.write_file(&to, Written::File(text));
        }
        if name == "mv" {
            self.write_file(&from, Written::Gone);
        }
    }

    fn cat(&mut self, arguments: &[Field]) -> Run {
        let files: Vec<Field> =
            arguments.iter().filter(|f| !f.text.as_str().starts_with('-') || f.text.as_str() == "-").cloned().collect();
        if files.len() < arguments.len() {
            return self.unknown_output("cat");
        }
        self.succeed(true);
        if files.is_empty() {
            let text = self.rest_of_input()?;
            return self.print(&text);
        }
        for field in files {
            let text =
                if field.text.as_str() == "-" { Ok(Some(self.rest_of_input()?)) } else { self.file_text(&field.text) };
            match text {
                Ok(Some(text)) => self.print(&text)?,
                Ok(None) => self.state.status = Ok(1),
                Err(hole) => {
                    let text = self.unknown_text(hole, self.here.clone());
                    self.print(&text)?;
                    self.state.status = Err(hole);
                }
            }
        }
        Ok(())
    }

    /// The text of a file that a tool reads; `None` where it is not there.
    pub(super) fn file_text(&mut self, name: &Text) -> Result<Option<Text>, Hole> {
        let path = self.absolute(name.as_str())?;
        match self.read_file(&path) {
            Some(text) => Ok(Some(text)),
            // With everything known, a file that is not here is nowhere.
            None if self.complete && self.kind_of(&path).is_none() => Ok(None),
            None => {
                let shown = path.display().to_string();
                Err(self.hole(shown.clone(), format!("the file `{shown}` cannot be read on this machine"), None))
            }
        }
    }

    /// The output of a program that is not followed.
    pub(super) fn unknown_output(&mut self, name: &str) -> Run {
        let reason = format!("the output of `{name}` is not known before the run");
        let hole = self.hole(format!("the output of `{name}`"), reason, None);
        self.state.status = Err(hole);
        let text = self.unknown_text(hole, self.here.clone());
        self.print(&text)
    }

    /// `basename` and `dirname`, also of paths whose start is unknown.
    fn path_part(&mut self, name: &str, arguments: &[Field]) -> Run {
        let words: Vec<&Text> =
            arguments.iter().map(|field| &field.text).filter(|text| text.as_str() != "--").collect();
        if words.iter().any(|text| text.as_str().starts_with('-')) {
            return self.unknown_output(name);
        }
        let (paths, suffix) = match (name, words.as_slice()) {
            ("dirname", [_, ..]) => (words.as_slice(), ""),
            (_, [path]) => (std::slice::from_ref(path), ""),
            (_, [path, suffix]) => (std::slice::from_ref(path), suffix.as_str()),
            _ => {
                // It complains, and prints nothing.
                self.succeed(false);
                return Ok(());
            }
        };
        self.succeed(true);
        for path in paths {
            let mut text = part_of(name, path, suffix);
            text.push_str("\n");
            self.print(&text)?;
        }
        Ok(())
    }

    fn real_path(&mut self, name: &str, arguments: &[Field]) -> Run {
        let words: Vec<&Text> = arguments.iter().map(|field| &field.text).collect();
        let options: Vec<&str> = words.iter().map(|text| text.as_str()).filter(|word| word.starts_with('-')).collect();
        let paths: Vec<&&Text> = words.iter().filter(|text| !text.as_str().starts_with('-')).collect();
        let followed = match name {
            "realpath" => options.iter().all(|option| matches!(*option, "-m" | "-e" | "-s" | "--" | "-q")),
            _ => !options.is_empty() && options.iter().all(|option| matches!(*option, "-f" | "-e" | "-m" | "--")),
        };
        let ([path], true) = (paths.as_slice(), followed) else { return self.unknown_output(name) };
        let path = (**path).clone();
        let mut text = match self.absolute(path.as_str()) {
            Ok(absolute) => {
                let real = self.files.real_path(&absolute).unwrap_or(absolute);
                path.becomes(real.to_string_lossy())
            }
            Err(hole) => path.becomes(hole.character().to_string()),
        };
        text.push_str("\n");
        self.succeed(true);
        self.print(&text)
    }

    fn text_tool(&mut self, name: &str, arguments: &[Field]) -> Run {
        if let Some(hole) = Self::hole_in(arguments) {
            // The words decide the output.
            let text = self.unknown_text(hole, self.here.clone());
            self.state.status = Err(hole);
            return self.print(&text);
        }
        let words: Vec<String> = arguments.iter().map(|field| field.text.as_str().to_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(plan) = text_tools::plan(name, &words) else { return self.unknown_output(name) };
        let input = match plan.files.as_slice() {
            _ if !plan.reads => Text::default(),
            [] => self.rest_of_input()?,
            files => {
                let mut all = Text::default();
                for file in files {
                    match self.file_text(&Text::made(*file)) {
                        Ok(Some(text)) => all.push(&text),
                        Ok(None) => {
                            self.state.status = Ok(if name.ends_with("grep") { 2 } else { 1 });
                            return Ok(());
                        }
                        Err(hole) => {
                            let text = self.unknown_text(hole, self.here.clone());
                            self.state.status = Err(hole);
                            return self.print(&text);
                        }
                    }
                }
                all
            }
        };
        self.step(input.len())?;
        if let Some(hole) = Hole::in_text(input.as_str()) {
            let hole = self.passed_on(hole, name);
            let text = self.unknown_text(hole, self.here.clone());
            self.state.status = Err(hole);
            return self.print(&text);
        }
        match (plan.run)(input.as_str()) {
            Some(Done { output, status }) => {
                self.state.status = Ok(status);
                let text = if output == input.as_str() { input } else { Text::at(output, self.here.clone()) };
                self.print(&text)
            }
            None => self.unknown_output(name),
        }
    }
}

/// The directory or the last name of a path, without a suffix.
fn part_of(name: &str, path: &Text, suffix: &str) -> Text {
    let full = path.as_str();
    let trimmed = full.trim_end_matches('/');
    let known_from = full.char_indices().rfind(|(_, c)| Hole::of(*c).is_some()).map(|(i, c)| i + c.len_utf8());
    let slash = trimmed.rfind('/');
    if let Some(from) = known_from
        && slash.is_none_or(|slash| slash < from)
    {
        let hole = Hole::in_text(full).map_or_else(String::new, |hole| hole.character().to_string());
        return path.becomes(hole);
    }
    match (name, slash) {
        (_, None) if trimmed.is_empty() && !full.is_empty() => Text::made("/"),
        ("dirname", None) => Text::made("."),
        ("dirname", Some(slash)) => {
            let kept = trimmed[..slash].trim_end_matches('/').len();
            if kept == 0 { Text::made("/") } else { path.slice(0..kept) }
        }
        (_, slash) => {
            let base = path.slice(slash.map_or(0, |slash| slash + 1)..trimmed.len());
            match base.as_str().strip_suffix(suffix) {
                Some(kept) if !kept.is_empty() => base.slice(0..kept.len()),
                _ => base,
            }
        }
    }
}
