//! Reports for people. One screen: the cause, the place, the keys folded, what will happen, the way out, one line of
//! summary. Nothing else.

mod arguments;
mod compare;
mod convert;
mod crop;
mod diagnosis;
mod inspect;
mod keys;
mod ranks;
mod rows;
mod schema;
mod several;
mod snippet;
mod stopped;
mod summary;
mod table;
mod tally;

pub use arguments::arguments;
pub use compare::compare;
pub use convert::convert;
pub use inspect::inspect;
pub use schema::schema;
pub use several::{accepted, failure, heading, tally};

use super::Report;
use super::style::Style;
use crate::loader::Outcome;

/// The text of a check, ending in its one line of summary.
pub fn check(report: &Report, style: Style) -> String {
    let mut out = String::new();
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
