//! The options that every command prints by.

use clap::{Args, ValueEnum};

/// How to print; never changes the exit code.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Print for people or for programs
    #[arg(long, value_enum, value_name = "human|json", hide_possible_values = true, default_value_t = OutputFormat::Human, help_heading = "Output")]
    pub format: OutputFormat,
    /// Colour; NO_COLOR, FORCE_COLOR and CLICOLOR are heard too
    #[arg(long, value_enum, value_name = "auto|always|never", hide_possible_values = true, default_value_t = When::Auto, help_heading = "Output")]
    pub color: When,
    /// Columns to print in [default: the terminal's, or 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub width: Option<u16>,
}

/// How `check` and `exec` print; never changes the exit code.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Print for people, programs or a service [default: human, on GitHub Actions with annotations]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<ReportFormat>,
    /// Colour; NO_COLOR, FORCE_COLOR and CLICOLOR are heard too
    #[arg(long, value_enum, value_name = "auto|always|never", hide_possible_values = true, default_value_t = When::Auto, help_heading = "Output")]
    pub color: When,
    /// Columns to print in [default: the terminal's, or 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub width: Option<u16>,
}

impl ReportArgs {
    /// The options for a report to people.
    pub fn human(&self) -> OutputArgs {
        OutputArgs { format: OutputFormat::Human, color: self.color, width: self.width }
    }
}

/// How to print a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Human,
    /// For programs: one document a launch.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
    /// JUnit XML.
    Junit,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
