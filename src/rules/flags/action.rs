//! One action of an argparse parser, in argparse's own terms.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, de};

use crate::rules::value::Value;

/// An `argparse.Action`.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its option strings, in argparse's order.
    pub options: Vec<Arc<str>>,
    /// The attribute of the namespace that it sets.
    pub dest: Arc<str>,
    /// What it does with its values.
    pub kind: ActionKind,
    /// How many words it takes.
    pub nargs: Nargs,
    /// What `store_const` stores, and `?` without a word.
    pub constant: Value,
    /// The value when the flag is not given.
    pub default: Value,
    /// How a word becomes a value; `None` keeps the text.
    pub value_type: Option<Arc<ValueType>>,
    /// The values that are accepted; `None` for all.
    pub choices: Option<Vec<Value>>,
    /// Whether the flag must be given.
    pub required: bool,
    /// Whether another action sets the dest's default, because it was added before this one.
    pub shadowed: bool,
}

impl Action {
    /// The action behind `-h`, `--help` that every parser has.
    pub fn help() -> Self {
        Self {
            options: vec![Arc::from("-h"), Arc::from("--help")],
            dest: Arc::from("help"),
            kind: ActionKind::Help,
            nargs: Nargs::Exactly(0),
            constant: Value::None,
            default: Value::None,
            value_type: None,
            choices: None,
            required: false,
            shadowed: false,
        }
    }

    /// The name argparse calls it by in messages: all option strings, joined by slashes.
    pub fn name(&self) -> String {
        self.options.join("/")
    }
}

/// The `action=` of `add_argument`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Stores the value; the last one given counts.
    #[default]
    Store,
    /// Stores the constant.
    StoreConst,
    /// Stores `True`.
    StoreTrue,
    /// Stores `False`.
    StoreFalse,
    /// Collects the values of every use in a list.
    Append,
    /// `--x` stores `True`, `--no-x` stores `False`.
    BooleanOptional,
    /// Prints the help and exits.
    #[serde(skip)]
    Help,
}

/// How many words an action takes: the `nargs=` of `add_argument`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nargs {
    /// One word, which is the value itself.
    #[default]
    One,
    /// `?`: one word or none.
    Optional,
    /// `*`: a list of any length.
    Any,
    /// `+`: a list of at least one.
    Some,
    /// A list of exactly that many; 0 for actions that take no word.
    Exactly(usize),
}

impl<'de> Deserialize<'de> for Nargs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bad = || de::Error::custom("expected \"?\", \"*\", \"+\" or a number of words");
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Integer(n) => usize::try_from(n).map(Self::Exactly).map_err(|_| bad()),
            toml::Value::String(s) => match &*s {
                "?" => Ok(Self::Optional),
                "*" => Ok(Self::Any),
                "+" => Ok(Self::Some),
                _ => Err(bad()),
            },
            _ => Err(bad()),
        }
    }
}

/// The `type=` of `add_argument`.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueType {
    /// The function's `__name__`, which argparse prints when it refuses a word.
    pub name: Arc<str>,
    /// What the function does.
    pub form: Form,
}

/// What a conversion function does with a word.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// `str`.
    Text,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// `bool`: every word but the empty one is true.
    Truth,
    /// The member of an enum by its name, or one of some other words.
    Member {
        /// The members' names.
        members: Vec<Arc<str>>,
        /// The words that stay text.
        words: Vec<Arc<str>>,
    },
    /// The number of a named member of an enum of numbers.
    Number(BTreeMap<String, i64>),
    /// A whole number, or, where there is a `[` in the word, what Python makes of it.
    IntOrList {
        /// The characters that may occur in a list; `None` for all.
        alphabet: Option<String>,
    },
    /// Whole numbers between commas, in parentheses or not.
    Ints,
}
