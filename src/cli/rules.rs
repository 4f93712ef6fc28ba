//! What can be typed after `moe-lint rules` and `moe-lint explain`.

use clap::Args;

use super::output::OutputArgs;

/// `moe-lint rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `moe-lint explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The rule's name, as a finding shows it in brackets
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
