//! Reports for people. One screen: the cause, the place, the keys folded, what will happen, the way out, one line of
//! summary. Nothing else.

mod arguments;
mod compare;
mod convert;
mod crop;
mod diagnosis;
mod infer;
mod inspect;
mod keys;
mod ranks;
mod rows;
mod rules;
mod schema;
mod several;
mod snippet;
mod stopped;
mod summary;
mod table;
mod tally;
mod versions;

pub use arguments::arguments;
pub use compare::compare;
pub use convert::convert;
pub use infer::infer;
pub use inspect::inspect;
pub use rules::{explain, rules};
pub use schema::schema;
pub use several::{accepted, failure, heading, tally};

use super::Report;
use super::style::{Role, Style};
use crate::loader::Outcome;

/// The text of a check, ending in its one line of summary.
pub fn check(report: &Report, style: Style) -> String {
    let mut out = String::new();
    if !report.others.is_empty() {
        versions::render(&mut out, style, report);
        return out;
    }
    for diagnosis in &report.diagnoses {
        diagnosis::render(&mut out, style, &report.diff, diagnosis);
        out.push('\n');
    }
    if report.outcome == Outcome::Undetermined {
        stopped::unknowns(&mut out, style, &report.undetermined);
    }
    if report.diagnoses.is_empty() && report.outcome != Outcome::Loads {
        match &report.rejected {
            Some(rejection) => stopped::rejected(&mut out, style, &report.framework, &report.launch, rejection),
            None => stopped::stage(&mut out, style, report),
        }
    }
    summary::render(&mut out, style, report);
    out
}

/// The colour of an outcome.
fn role(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Loads => Role::Good,
        Outcome::Undetermined => Role::Warning,
        Outcome::Partial | Outcome::Fresh | Outcome::Fails => Role::Error,
    }
}
