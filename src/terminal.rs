//! What the terminal and the environment ask for: colour, characters, width.

use std::io::{self, ErrorKind, Write};

use crate::cli::{OutputArgs, When};
use crate::report::style::Style;

/// What there is to know about the process and one of its outputs.
#[derive(Debug, Clone)]
pub struct Terminal<F> {
    /// Looks up an environment variable.
    pub variable: F,
    /// Whether the output is a terminal.
    pub is_terminal: bool,
    /// Its columns, if it is one.
    pub columns: Option<u16>,
}

impl<F: Fn(&str) -> Option<String>> Terminal<F> {
    /// The style for that output.
    pub fn style(&self, output: &OutputArgs) -> Style {
        Style {
            width: usize::from(output.width.or(self.columns).unwrap_or(80)),
            unicode: self.unicode(),
            color: self.color(output.color),
        }
    }

    /// `--color` wins, then NO_COLOR (<https://no-color.org>), FORCE_COLOR, CLICOLOR_FORCE, and CLICOLOR=0.
    fn color(&self, when: When) -> bool {
        let set = |name: &str| (self.variable)(name).filter(|value| !value.is_empty());
        let on = |name: &str| set(name).is_some_and(|value| value != "0");
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto if set("NO_COLOR").is_some() => false,
            When::Auto if on("FORCE_COLOR") || on("CLICOLOR_FORCE") => true,
            When::Auto => {
                let refused = set("CLICOLOR").is_some_and(|value| value == "0")
                    || set("FORCE_COLOR").is_some_and(|value| value == "0");
                self.is_terminal && !refused && set("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }

    /// Whether the output opens OSC 8 links: terminals that are known to, or FORCE_HYPERLINK.
    pub fn links(&self) -> bool {
        let set = |name: &str| (self.variable)(name).filter(|value| !value.is_empty());
        if let Some(forced) = set("FORCE_HYPERLINK") {
            return forced != "0";
        }
        let is = |name: &str, known: &[&str]| set(name).is_some_and(|value| known.contains(&value.as_str()));
        let newer = |name: &str, least: u32| set(name).and_then(|v| v.parse::<u32>().ok()).is_some_and(|v| v >= least);
        self.is_terminal
            && (is("TERM_PROGRAM", &["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "zed"])
                || is("TERM", &["xterm-kitty", "alacritty", "foot", "xterm-ghostty"])
                || newer("VTE_VERSION", 5000)
                || newer("KONSOLE_VERSION", 201_200)
                || set("WT_SESSION").is_some())
    }

    /// Whether the locale is a UTF-8 one, as other programs decide it: a bare container prints ASCII.
    fn unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| (self.variable)(name).filter(|value| !value.is_empty()));
        locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
    }
}

/// Looks up an environment variable of the process.
pub type Lookup<'c> = &'c dyn Fn(&str) -> Option<String>;

/// The outputs of the process, as `main` hands them to a command.
pub struct Console<'c> {
    /// Standard output.
    pub out: &'c mut dyn Write,
    /// Standard error.
    pub err: &'c mut dyn Write,
    /// What standard output is.
    pub terminal: Terminal<Lookup<'c>>,
}

impl Console<'_> {
    /// The style for standard output.
    pub fn style(&self, output: &OutputArgs) -> Style {
        self.terminal.style(output)
    }

    /// Prints a text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        self.write(|out| out.write_all(text.as_bytes()))
    }

    /// Writes a document. A reader that goes away has seen enough: that is no error.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, document: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        match document(self.out).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::OutputFormat;

    fn style(variables: &[(&str, &str)], is_terminal: bool, color: When) -> Style {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let output = OutputArgs { format: OutputFormat::Human, color, width: None };
        Terminal { variable, is_terminal, columns: None }.style(&output)
    }

    #[test]
    fn colour_follows_the_conventions() {
        let auto = |variables: &[(&str, &str)], is_terminal| style(variables, is_terminal, When::Auto).color;
        assert!(auto(&[], true));
        assert!(!auto(&[], false));
        assert!(!auto(&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], true));
        assert!(auto(&[("NO_COLOR", "")], true));
        assert!(auto(&[("FORCE_COLOR", "1")], false));
        assert!(!auto(&[("FORCE_COLOR", "0")], true));
        assert!(!auto(&[("CLICOLOR", "0")], true));
        assert!(auto(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!auto(&[("TERM", "dumb")], true));
        assert!(style(&[("NO_COLOR", "1")], false, When::Always).color);
        assert!(!style(&[("FORCE_COLOR", "1")], true, When::Never).color);
    }

    #[test]
    fn links_are_for_terminals_that_open_them() {
        let links = |variables: &[(&str, &str)], is_terminal| {
            let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            Terminal { variable, is_terminal, columns: None }.links()
        };
        assert!(links(&[("TERM_PROGRAM", "WezTerm")], true));
        assert!(links(&[("VTE_VERSION", "7600")], true));
        assert!(!links(&[("VTE_VERSION", "7600")], false));
        assert!(!links(&[("TERM", "xterm-256color")], true));
        assert!(links(&[("FORCE_HYPERLINK", "1")], false));
        assert!(!links(&[("FORCE_HYPERLINK", "0"), ("WT_SESSION", "1")], true));
    }

    #[test]
    fn characters_follow_the_locale() {
        let unicode = |variables: &[(&str, &str)]| style(variables, true, When::Auto).unicode;
        assert!(unicode(&[("LANG", "C.UTF-8")]));
        assert!(unicode(&[("LC_ALL", ""), ("LANG", "de_DE.utf8")]));
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]));
        assert!(!unicode(&[]));
    }
}
