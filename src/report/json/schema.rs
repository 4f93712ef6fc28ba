//! The document of `moe-lint schema`.

use serde::Serialize;
use serde::ser::Serializer;

use super::entries::Entry;
use super::places::UnknownDocument;
use super::{Assumed, Head, Stream};
use crate::checkpoint::Format;
use crate::report::SchemaReport;
use crate::schema::{Rank, Schema};
use crate::tensor::Inventory;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    assumed: Assumed<'r>,
    undetermined: Vec<UnknownDocument<'r>>,
    schema: Option<SchemaDocument<'r>>,
}

impl<'r> Document<'r> {
    pub(super) fn new(report: &'r SchemaReport) -> Self {
        Self {
            head: Head::new(),
            assumed: Assumed::new(&report.framework, &report.environment, report.rejected.as_ref()),
            undetermined: report.undetermined.iter().map(|unknown| UnknownDocument::new(unknown)).collect(),
            schema: report.schema.as_ref().map(SchemaDocument::new),
        }
    }
}

#[derive(Serialize)]
struct SchemaDocument<'r> {
    checkpoint_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranks: Option<Ranks<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    global: Option<Chunk<'r>>,
}

impl<'r> SchemaDocument<'r> {
    fn new(schema: &'r Schema) -> Self {
        let (format, ranks, global) = match schema {
            Schema::PerRank(ranks) => (Format::Torch, Some(Ranks(ranks)), None),
            Schema::Global(inventory) => (Format::TorchDist, None, Some(Chunk(inventory))),
        };
        Self { checkpoint_format: format.name(), ranks, global }
    }
}

struct Ranks<'r>(&'r [Rank]);

impl Serialize for Ranks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(RankDocument::new))
    }
}

#[derive(Serialize)]
struct RankDocument<'r> {
    tp: u64,
    pp: u64,
    ep: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    etp: Option<u64>,
    file: &'r str,
    chunks: Vec<ChunkOfRank<'r>>,
}

impl<'r> RankDocument<'r> {
    fn new(rank: &'r Rank) -> Self {
        let at = rank.coordinates;
        let several = rank.chunks.len() > 1;
        let chunks = rank.chunks.iter().enumerate();
        let chunks = chunks.map(|(i, chunk)| ChunkOfRank { vpp: several.then_some(i), chunk: Chunk(chunk) }).collect();
        Self { tp: at.tp, pp: at.pp, ep: at.ep, etp: at.etp, file: &rank.file, chunks }
    }
}

#[derive(Serialize)]
struct ChunkOfRank<'r> {
    vpp: Option<usize>,
    #[serde(flatten)]
    chunk: Chunk<'r>,
}

/// `{entries: [...]}`.
struct Chunk<'r>(&'r Inventory);

impl Serialize for Chunk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = Stream(|| self.0.iter().map(|(key, tensor)| Entry::new(key, tensor)));
        serializer.collect_map([("entries", entries)])
    }
}
