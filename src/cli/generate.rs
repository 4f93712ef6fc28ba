//! What can be typed after `moe-lint completions` and `moe-lint man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `moe-lint completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// `moe-lint man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Directory to write moe-lint.1 and a page for each command to
    #[arg(value_name = "DIRECTORY")]
    pub directory: PathBuf,
}
