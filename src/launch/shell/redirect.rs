//! Redirections: where a command reads from and writes to. Files are written in memory alone.

use std::path::PathBuf;

use super::ast::{Redirect, RedirectKind, Word};
use super::holes::Hole;
use super::machine::{Machine, Run};
use super::state::{Input, Written};
use super::text::Text;

impl Machine<'_> {
    /// Runs a part with redirections in place. Where one fails, the part does not run.
    pub(super) fn with_redirects(&mut self, redirects: &[Redirect], part: impl FnOnce(&mut Self) -> Run) -> Run {
        if redirects.is_empty() {
            return part(self);
        }
        let outer_input = self.state.input.clone();
        let mut new_input = None;
        // Where standard output goes: a file in memory, or nowhere.
        let mut output: Option<Option<(PathBuf, bool)>> = None;
        for redirect in redirects {
            match &redirect.kind {
                RedirectKind::Input(word) => match self.input_file(word)? {
                    Some(text) if redirect.descriptor.unwrap_or(0) == 0 => new_input = Some(text),
                    Some(_) => {}
                    None => {
                        self.state.status = Ok(1);
                        return self.check_errexit();
                    }
                },
                RedirectKind::HereString(word) => {
                    let mut text = self.one_text(word)?;
                    text.push_str("\n");
                    new_input = Some(text);
                }
                RedirectKind::HereDocument(body) => {
                    new_input = Some(match body.get() {
                        Some(word) => self.here_text(word)?,
                        None => Text::default(),
                    });
                }
                RedirectKind::Output { file, append, both } => {
                    let name = self.one_text(file)?;
                    if redirect.descriptor.unwrap_or(1) == 1 || *both {
                        output = Some(self.absolute(name.as_str()).ok().map(|path| (path, *append)));
                    }
                }
                RedirectKind::Duplicate { input, to } => {
                    let to = self.one_text(to)?;
                    if !input && redirect.descriptor.unwrap_or(1) == 1 && to.as_str() != "1" {
                        output = Some(None);
                    }
                }
            }
        }
        let reads = new_input.is_some();
        if let Some(text) = new_input {
            self.state.input = Some(Input { text, read: 0 });
        }
        let outer_output = output.as_ref().map(|_| self.state.output.replace(Text::default()));
        let result = part(self);
        if reads {
            self.state.input = outer_input;
        }
        if let (Some(outer), Some(target)) = (outer_output, output) {
            let text = std::mem::replace(&mut self.state.output, outer).unwrap_or_default();
            if let Some((path, append)) = target.filter(|(path, _)| !path.starts_with("/dev")) {
                let mut all = if append { self.read_file(&path).unwrap_or_default() } else { Text::default() };
                all.push(&text);
                self.write_file(&path, Written::File(all));
            }
        }
        result
    }

    /// The text of a here-document: quotes in it are ordinary characters.
    fn here_text(&mut self, word: &Word) -> Run<Text> {
        self.in_document = true;
        let parts = self.parts(&word.pieces, &word.unit, true, false);
        self.in_document = false;
        self.joined(&parts?)
    }

    /// The text of a file that is read; `None` where the file is not there.
    fn input_file(&mut self, word: &Word) -> Run<Option<Text>> {
        let name = self.one_text(word)?;
        let span = word.unit.span(word.at);
        let path = match self.absolute(name.as_str()) {
            Ok(path) => path,
            Err(hole) => return Ok(Some(self.unknown_text(hole, span))),
        };
        if name.as_str().is_empty() || self.kind_of(&path).is_none() {
            let shown = name.as_str();
            self.remark(format!("`{shown}` is not there: bash does not run the command that reads it with `<`"), span);
            return Ok(None);
        }
        Ok(Some(match self.read_file(&path) {
            Some(text) => text,
            None => {
                let hole = self.hole(name.as_str(), format!("`{}` cannot be read here", name.as_str()), span.clone());
                self.unknown_text(hole, span)
            }
        }))
    }

    /// What is left of standard input; a hole where it is not known.
    pub(super) fn rest_of_input(&mut self) -> Run<Text> {
        let Some(input) = &mut self.state.input else {
            let hole = self.hole("standard input", "the standard input is not known before the run", None);
            return Ok(self.unknown_text(hole, None));
        };
        let text = input.text.slice(input.read..input.text.len());
        input.read = input.text.len();
        self.step(text.len())?;
        Ok(text)
    }

    /// The next line of standard input without its end; the flag tells whether the end was there.
    pub(super) fn next_line(&mut self, end: char) -> Result<Option<(Text, bool)>, Hole> {
        let Some(input) = &mut self.state.input else {
            return Err(self.hole("standard input", "the standard input is not known before the run", None));
        };
        let rest = &input.text.as_str()[input.read..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (length, ended) = rest.find(end).map_or((rest.len(), false), |at| (at, true));
        let line = input.text.slice(input.read..input.read + length);
        input.read += length + if ended { end.len_utf8() } else { 0 };
        Ok(Some((line, ended)))
    }
}
