//! What a shell knows at one moment: variables, functions, arguments, options, files it wrote.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::ast::Command;
use super::holes::Hole;
use super::text::Text;

/// One word after expansion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field {
    /// Its text.
    pub text: Text,
    /// Whether something unknown stood outside quotes, so that bash might make none or several words of it.
    pub open: bool,
}

impl Field {
    /// A word that is exactly one word.
    pub fn one(text: Text) -> Self {
        Self { text, open: false }
    }
}

/// What a variable holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: declared but not set.
    Unset,
    /// Text.
    Scalar(Text),
    /// An array.
    Indexed(BTreeMap<i64, Field>),
    /// An associative array, in the order of insertion.
    Associative(Vec<(String, Field)>),
}

/// A variable and its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its value.
    pub value: Value,
    /// Whether commands see it.
    pub exported: bool,
    /// Whether it can be set.
    pub readonly: bool,
    /// Whether values are arithmetic.
    pub integer: bool,
    /// Whether values become upper (`true`) or lower case.
    pub case: Option<bool>,
    /// Whether it stands for another variable.
    pub reference: bool,
    /// Whether the launch set it (and not the environment).
    pub ours: bool,
}

impl Variable {
    /// A plain variable.
    pub fn new(value: Value) -> Self {
        Self { value, exported: false, readonly: false, integer: false, case: None, reference: false, ours: true }
    }
}

/// The options of `set` and `shopt` that change what words become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `set -e`
    pub errexit: bool,
    /// `set -u`
    pub nounset: bool,
    /// `set -f`
    pub noglob: bool,
    /// `set -a`
    pub allexport: bool,
    /// `set -o pipefail`
    pub pipefail: bool,
    /// `shopt -s nullglob`
    pub nullglob: bool,
    /// `shopt -s failglob`
    pub failglob: bool,
    /// `shopt -s dotglob`
    pub dotglob: bool,
    /// `shopt -s nocasematch`
    pub nocasematch: bool,
    /// `shopt -s inherit_errexit`
    pub inherit_errexit: bool,
    /// `shopt -s lastpipe`
    pub lastpipe: bool,
}

/// The status of a command.
pub type Status = Result<i32, Hole>;

/// What a script did to a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It made a directory.
    Directory,
    /// It wrote this.
    File(Text),
    /// It removed it.
    Gone,
}

/// A call of a function.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Variables that `local` hid, with what they were.
    pub hidden: HashMap<String, Option<Rc<Variable>>>,
}

/// Standard input: what is known of it and how much was read.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// All of it.
    pub text: Text,
    /// The bytes that were read.
    pub read: usize,
}

/// Everything that a branch can change.
#[derive(Debug, Clone)]
pub struct State {
    /// The variables.
    pub variables: HashMap<String, Rc<Variable>>,
    /// The functions.
    pub functions: Rc<HashMap<String, Rc<Command>>>,
    /// The names of functions that new shells see, too.
    pub exported_functions: Rc<BTreeSet<String>>,
    /// `$1` and on.
    pub positional: Rc<Vec<Field>>,
    /// `$0`
    pub name: Text,
    /// The working directory.
    pub directory: Text,
    /// Directories that `pushd` left.
    pub directories: Vec<Text>,
    /// Options.
    pub flags: Flags,
    /// `$?`
    pub status: Status,
    /// `PIPESTATUS`
    pub pipeline: Vec<Status>,
    /// Calls, the innermost last.
    pub frames: Vec<Frame>,
    /// The command of `trap ... EXIT`.
    pub on_exit: Option<Text>,
    /// The letter that `getopts` looks at inside a word.
    pub getopts: usize,
    /// Standard input, where it is known.
    pub input: Option<Input>,
    /// Standard output, where something reads it.
    pub output: Option<Text>,
    /// Files that the script wrote.
    pub files: Rc<BTreeMap<String, Written>>,
    /// What the last regular expression matched.
    pub matched: Vec<Text>,
}

impl State {
    /// The value of a variable as it stands, without special variables and references.
    pub fn get(&self, name: &str) -> Option<&Rc<Variable>> {
        self.variables.get(name)
    }

    /// The variable that a name stands for, following references.
    pub fn resolve(&self, name: &str) -> String {
        let mut name = name;
        for _ in 0..8 {
            match self.variables.get(name).map(|v| (v.reference, &v.value)) {
                Some((true, Value::Scalar(target))) => name = target.as_str(),
                _ => break,
            }
        }
        name.to_owned()
    }
}
