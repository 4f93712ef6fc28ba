//! What the framework's own loader will do, stage by stage.

/// How a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every parameter of the model is filled from the checkpoint.
    Loads,
    /// The loader reports success, but some state keeps its initial values or saved weights are dropped.
    Partial,
    /// Nothing is loaded and training starts from random weights.
    Fresh,
    /// The loader raises or exits.
    Fails,
    /// An input that decides it is not known.
    Undetermined,
}

impl Outcome {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loads => "loads",
            Self::Partial => "partial",
            Self::Fresh => "fresh",
            Self::Fails => "fails",
            Self::Undetermined => "undetermined",
        }
    }

    /// The exit code of a check that ends so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Loads => 0,
            Self::Partial | Self::Fresh | Self::Fails => 1,
            Self::Undetermined => 2,
        }
    }
}

/// What one stage of the loader does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes through.
    Ok,
    /// It goes on, with less than was asked for.
    Partial,
    /// It finds nothing and goes on without a checkpoint.
    Fresh,
    /// It raises or exits.
    Fails,
    /// It is not reached, or the launch switches it off.
    Skipped,
    /// Something that decides it is not known, or is not modelled.
    Undetermined,
}

impl Verdict {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Fresh => "fresh",
            Self::Fails => "fails",
            Self::Skipped => "skipped",
            Self::Undetermined => "undetermined",
        }
    }
}

/// One stage of a load: `locate`, `format`, `args`, `model`, `optimizer`, `scheduler`, `rng`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What it does.
    pub verdict: Verdict,
    /// In words: what it does and why.
    pub message: String,
}
