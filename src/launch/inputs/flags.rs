//! The flags of the framework by the names of its arguments, whatever the version.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::rules::flags::{Action, ActionKind, FlagTable};

/// The flags that set each dest.
static BY_DEST: LazyLock<HashMap<Arc<str>, Vec<Arc<Action>>>> = LazyLock::new(|| {
    let mut all: HashMap<Arc<str>, Vec<Arc<Action>>> = HashMap::new();
    // A test checks that the embedded table is in order.
    for action in FlagTable::load().map(|table| table.newest()).unwrap_or_default() {
        all.entry(Arc::clone(&action.dest)).or_default().push(action);
    }
    all
});

/// How a value of a dest is written on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Not at all: it is so without.
    Absent,
    /// A flag alone.
    Flag(String),
    /// A flag and its values.
    Valued(String),
}

/// How a dest gets a value; `truth` where the value is one. `None` where no flag sets it.
pub fn written(dest: &str, truth: Option<bool>) -> Option<Written> {
    let actions = BY_DEST.get(dest)?;
    let of = |kind: ActionKind| actions.iter().find(|action| action.kind == kind);
    let option = |action: &Arc<Action>| action.options.first().map(ToString::to_string);
    if let Some(truth) = truth {
        let kind = if truth { ActionKind::StoreTrue } else { ActionKind::StoreFalse };
        if let Some(action) = of(kind) {
            return option(action).map(Written::Flag);
        }
        if let Some(action) = of(ActionKind::BooleanOptional) {
            let negative = |o: &&Arc<str>| o.starts_with("--no-");
            let found = action.options.iter().find(|o| negative(o) != truth);
            return found.map(|option| Written::Flag(option.to_string()));
        }
        if of(ActionKind::StoreTrue).is_some() || of(ActionKind::StoreFalse).is_some() {
            return Some(Written::Absent);
        }
    }
    let action = of(ActionKind::Store).or_else(|| of(ActionKind::Append))?;
    option(action).map(Written::Valued)
}
