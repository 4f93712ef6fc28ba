//! One argument with another value, and its words.

use crate::diagnose::{Applicability, Candidate};
use crate::infer::same;
use crate::rules::expr::Scope;
use crate::rules::flags::Parser;
use crate::rules::repair::RepairRules;
use crate::rules::value::Value;

/// An argument that gets another value.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its dest.
    pub name: String,
    /// The options that set it, which go.
    pub options: Vec<String>,
    /// The words that give the new value; none where it is the default.
    pub words: Vec<String>,
    /// The words that would give the old value.
    pub before: Vec<String>,
    /// Whether the checkpoint was saved with this value.
    pub saved: bool,
    /// Whether the run then means the same.
    pub same: bool,
}

impl Setting {
    /// A setting; `None` where the launch has this value already or no option gives it.
    pub(super) fn new(
        rules: &RepairRules,
        parser: &Parser,
        values: &Scope<'_>,
        name: &str,
        value: &Value,
        saved: bool,
    ) -> Option<Self> {
        let old = values.get(name);
        if matches!(value, Value::Unknown(_)) || same(value, old) {
            return None;
        }
        let actions: Vec<_> = parser.setting(name).collect();
        let options = actions.iter().flat_map(|action| &action.options).map(ToString::to_string).collect();
        Some(Self {
            name: name.to_owned(),
            options,
            words: parser.spell(name, value)?,
            before: parser.spell(name, old).unwrap_or_default(),
            saved,
            same: rules.same.iter().any(|one| one == name),
        })
    }

    /// The first option that sets it.
    pub fn option(&self) -> &str {
        let words = if self.words.is_empty() { &self.before } else { &self.words };
        words.first().or(self.options.first()).map_or(&self.name, String::as_str)
    }

    /// How the checkpoint has it: `--flag 4`, `without --flag`.
    pub fn wanted(&self) -> String {
        shown(&self.words, self.option())
    }

    /// How the launch has it: the value alone where the option is the same.
    pub fn given(&self) -> String {
        match (&self.words[..], &self.before[..]) {
            ([option, _, ..], [same, rest @ ..]) if option == same && !rest.is_empty() => rest.join(" "),
            ([_], []) => "does not".to_owned(),
            (_, before) => shown(before, self.option()),
        }
    }
}

fn shown(words: &[String], option: &str) -> String {
    if words.is_empty() { format!("without {option}") } else { words.join(" ") }
}

/// The change that makes some settings.
pub fn candidate(settings: &[Setting]) -> Candidate {
    let safe = settings.iter().all(|one| one.same);
    let mut options = Vec::new();
    for one in settings {
        // An option that is put in anew need not be taken out first, but others for the same value must go.
        options.extend(one.options.iter().cloned());
    }
    Candidate {
        title: title(settings),
        applicability: if safe { Applicability::Safe } else { Applicability::Unsafe },
        remove: options,
        add: settings.iter().flat_map(|one| one.words.iter().cloned()).collect(),
        behind: None,
        command: None,
        convert: None,
    }
}

/// What to do, in a few words.
pub fn title(settings: &[Setting]) -> String {
    let set: Vec<String> = settings.iter().filter(|one| !one.words.is_empty()).map(|one| one.words.join(" ")).collect();
    let gone: Vec<&str> = settings.iter().filter(|one| one.words.is_empty()).map(Setting::option).collect();
    let mut parts = Vec::new();
    if !set.is_empty() {
        parts.push(format!("set {}", set.join(" ")));
    }
    if !gone.is_empty() {
        parts.push(format!("remove {}", gone.join(", ")));
    }
    parts.join(", ")
}
