//! What can be typed after `moe-lint init`.

use std::path::PathBuf;

use clap::Args;

/// `moe-lint init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The repository
    #[arg(value_name = "DIRECTORY", default_value = ".")]
    pub directory: PathBuf,
}
