//! What a launch would run: the content of `moe-lint args`.

use std::sync::Arc;

use super::Framework;
use crate::launch::Launch;
use crate::rules::value::Value;
use crate::text::Span;

/// What `moe-lint args` found.
#[derive(Debug)]
pub struct ArgumentsReport {
    /// The framework whose flags they are read as.
    pub framework: Framework,
    /// The launch with all its commands.
    pub launch: Arc<Launch>,
    /// The flags that the training command gives, in their order; those that stand for a value of the same dest only once.
    pub flags: Vec<Flag>,
}

/// One flag of the training command.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// The option, as the framework spells it; as it is written where the framework does not know it.
    pub flag: String,
    /// The argument that it sets; `None` where the framework does not know the flag.
    pub dest: Option<String>,
    /// The fork of the framework that is known to add the flag, or the program whose own it is.
    pub fork: Option<String>,
    /// The value, or why it is not known. A flag that the framework does not know has the words behind it.
    pub value: Value,
    /// The value that the argument has without the flag.
    pub default: Value,
    /// Where the flag and its values are written.
    pub labels: Vec<Span>,
}
