//! What differs, in JSON.

use serde::Serialize;
use serde::ser::Serializer;

use super::Stream;
use super::entries::{Description, Entry};
use crate::diff::{Diff, Mismatch, PartDiff};
use crate::tensor::{Key, Tensor};

/// The list of parts.
pub(super) struct Parts<'r>(pub(super) &'r Diff);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.parts.iter().map(part))
    }
}

/// One rank, virtual stage or global state. The coordinates of a global state are null.
#[derive(Serialize)]
struct Part<M, U, D, R> {
    tp: Option<u64>,
    pp: Option<u64>,
    ep: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etp: Option<u64>,
    vpp: Option<u64>,
    missing: M,
    unexpected: U,
    mismatched: D,
    /// The same shape in another dtype, which loading converts.
    #[serde(skip_serializing_if = "Option::is_none")]
    retyped: Option<R>,
}

fn part(part: &PartDiff) -> impl Serialize {
    let at = part.coordinates;
    Part {
        tp: at.map(|at| at.tp),
        pp: at.map(|at| at.pp),
        ep: at.map(|at| at.ep),
        etp: at.and_then(|at| at.etp),
        vpp: part.vpp,
        missing: Stream(|| part.missing.iter().map(entry)),
        unexpected: Stream(|| part.unexpected.iter().map(entry)),
        mismatched: Stream(|| part.mismatched.iter().map(MismatchDocument::new)),
        retyped: (!part.retyped.is_empty()).then_some(Stream(|| part.retyped.iter().map(MismatchDocument::new))),
    }
}

fn entry((key, tensor): &(Key, Tensor)) -> Entry<'_> {
    Entry::new(key, tensor)
}

#[derive(Serialize)]
struct MismatchDocument<'r> {
    key: &'r str,
    expected: Description<'r>,
    found: Description<'r>,
}

impl<'r> MismatchDocument<'r> {
    fn new(mismatch: &'r Mismatch) -> Self {
        Self {
            key: &mismatch.key,
            expected: Description::new(&mismatch.expected),
            found: Description::new(&mismatch.found),
        }
    }
}
