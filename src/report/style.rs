//! How a report looks: width, characters and colours, always told and never guessed here.

use owo_colors::{OwoColorize, Style as Ansi};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether line-drawing characters may be used.
    pub unicode: bool,
    /// Whether to colour.
    pub color: bool,
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Error,
    Warning,
    Info,
    Good,
    /// The small words that name a row.
    Heading,
    /// Something to type.
    Command,
    /// What may be skipped while reading.
    Quiet,
    Strong,
}

impl Style {
    /// Below this nothing can be aligned, so narrower terminals wrap by themselves.
    const NARROWEST: usize = 48;
    /// Prose in longer lines is hard to read.
    const WIDEST_TEXT: usize = 100;

    /// The columns to lay out for.
    pub(crate) fn columns(self) -> usize {
        self.width.max(Self::NARROWEST)
    }

    /// The columns for prose.
    pub(crate) fn text_columns(self) -> usize {
        self.columns().min(Self::WIDEST_TEXT)
    }

    /// Stands for text that is left out.
    pub(crate) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// The text in the colour of its role.
    pub(crate) fn paint(self, role: Role, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let ansi = match role {
            Role::Error => Ansi::new().red().bold(),
            Role::Warning => Ansi::new().yellow().bold(),
            Role::Info => Ansi::new().blue().bold(),
            Role::Good => Ansi::new().green().bold(),
            Role::Heading => Ansi::new().cyan(),
            Role::Command => Ansi::new().bold(),
            Role::Quiet => Ansi::new().dimmed(),
            Role::Strong => Ansi::new().bold(),
        };
        text.style(ansi).to_string()
    }
}
