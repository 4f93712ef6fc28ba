//! Builds a schema from a configuration: walks the module tree that the rules describe.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::walk::{Mode, Walk};
use super::{Coordinates, Rank, Schema};
use crate::rules::RuleError;
use crate::rules::expr::Scope;
use crate::rules::modules::Modules;
use crate::rules::steps::{self, Step};
use crate::rules::value::{Unknown, Value};
use crate::tensor::Inventory;
use crate::training::{ConfigError, Rejection, Taken, TrainingConfig, take};

/// A built schema, or why there is none.
#[derive(Debug)]
pub struct Built {
    /// The schema. Entries that are there or not by an unknown value are left out; where such a value decides only a
    /// shape or dtype, the entry has none.
    pub schema: Schema,
    /// Set when building the model refuses the launch.
    pub rejected: Option<Rejection>,
    /// What decides which entries there are, and is not known.
    pub unknown: Vec<Arc<Unknown>>,
    /// What decides only shapes and dtypes, and is not known.
    pub unknown_shapes: Vec<Arc<Unknown>>,
}

/// Rules that describe stages, ranks and modules of one framework version.
pub struct Builder {
    modules: Modules,
    stage: Vec<Arc<Step>>,
    rank: Vec<Arc<Step>>,
    layer: HashMap<String, Vec<Arc<Step>>>,
}

impl Builder {
    /// The rules for a configuration's framework version.
    ///
    /// # Errors
    /// When a rule file is wrong.
    pub fn new(config: &TrainingConfig) -> Result<Self, RuleError> {
        let version = &config.installed.framework;
        Ok(Self {
            modules: Modules::load(version)?,
            stage: steps::load("stage", version)?,
            rank: steps::load("rank", version)?,
            layer: HashMap::from([("layer".to_owned(), steps::load("layer", version)?)]),
        })
    }

    /// The state dicts of every rank.
    ///
    /// # Errors
    /// When a rule cannot be computed for this launch.
    pub fn per_rank(&self, config: &TrainingConfig) -> Result<Built, ConfigError> {
        let mut notes = Notes::default();
        let stages = self.stages(config, Mode::Local, &mut notes)?;
        let mut ranks = Vec::new();
        let mut seen = BTreeSet::new();
        let per_stage = count(config, "ranks_per_stage", &mut notes).unwrap_or(0);
        for (pp, chunks) in stages.iter().enumerate() {
            for rank in 0..per_stage {
                let mut scope = Scope::within(&config.values);
                scope.set("rank", Value::Int(rank));
                scope.set("pp_rank", Value::Int(i64::try_from(pp).unwrap_or(i64::MAX)));
                let mut taken = Taken::default();
                take(&self.rank, &mut scope, &mut taken)?;
                let number = |name: &str| scope.get(name).int().and_then(|i| u64::try_from(i).ok());
                let coordinates = Coordinates {
                    tp: number("tp_rank").unwrap_or(0),
                    pp: pp as u64,
                    ep: number("ep_rank").unwrap_or(0),
                    etp: number("etp_rank"),
                };
                if seen.insert(coordinates) {
                    let file = scope.get("rank_file").text().unwrap_or("");
                    ranks.push(Rank { coordinates, file: Arc::from(file), chunks: chunks.clone() });
                }
            }
        }
        ranks.sort_by_key(|rank| (rank.coordinates.pp, rank.coordinates.ep, rank.coordinates.tp, rank.coordinates.etp));
        Ok(notes.built(Schema::PerRank(ranks)))
    }

    /// The global state of a distributed checkpoint.
    ///
    /// # Errors
    /// When a rule cannot be computed for this launch.
    pub fn global(&self, config: &TrainingConfig) -> Result<Built, ConfigError> {
        let mut notes = Notes::default();
        let mut all = Inventory::new();
        for chunk in self.stages(config, Mode::Global, &mut notes)?.into_iter().flatten() {
            for (key, tensor) in chunk.iter() {
                if all.get(key).is_none() {
                    all.insert(Arc::clone(key), tensor.clone());
                }
            }
        }
        Ok(notes.built(Schema::Global(Arc::new(all))))
    }

    /// For every pipeline stage, the inventories of its virtual stages.
    fn stages(
        &self,
        config: &TrainingConfig,
        mode: Mode,
        notes: &mut Notes,
    ) -> Result<Vec<Vec<Arc<Inventory>>>, ConfigError> {
        let Some(stages) = count(config, "pipeline_stages", notes) else { return Ok(Vec::new()) };
        let Some(chunks) = count(config, "chunks_per_stage", notes) else { return Ok(Vec::new()) };
        let Some(root) = text(config, "model_class", notes) else { return Ok(Vec::new()) };
        let mut built = Vec::new();
        for pp in 0..stages {
            let mut of_stage = Vec::new();
            for vpp in 0..chunks {
                let mut scope = Scope::within(&config.values);
                scope.set("pp_rank", Value::Int(pp));
                scope.set("vpp_rank", Value::Int(vpp));
                let mut taken = Taken::default();
                take(&self.stage, &mut scope, &mut taken)?;
                notes.add(taken);
                let mut walk = Walk::new(&self.modules, &self.layer, mode);
                walk.class(&root, &scope, &Default::default())?;
                notes.add(std::mem::take(&mut walk.taken));
                notes.unknown.append(&mut walk.unknown);
                notes.unknown_shapes.append(&mut walk.unknown_shapes);
                of_stage.push(Arc::new(walk.inventory));
            }
            built.push(of_stage);
        }
        Ok(built)
    }
}

/// What was noticed while building.
#[derive(Default)]
struct Notes {
    rejected: Option<Rejection>,
    unknown: Vec<Arc<Unknown>>,
    unknown_shapes: Vec<Arc<Unknown>>,
}

impl Notes {
    fn add(&mut self, taken: Taken) {
        if self.rejected.is_none() {
            self.rejected = taken.rejected;
        }
    }

    fn built(mut self, schema: Schema) -> Built {
        self.unknown.dedup();
        self.unknown_shapes.dedup();
        Built { schema, rejected: self.rejected, unknown: self.unknown, unknown_shapes: self.unknown_shapes }
    }
}

fn count(config: &TrainingConfig, name: &str, notes: &mut Notes) -> Option<i64> {
    match config.values.get(name) {
        Value::Unknown(unknown) => {
            notes.unknown.push(Arc::clone(unknown));
            None
        }
        value => value.int(),
    }
}

fn text(config: &TrainingConfig, name: &str, notes: &mut Notes) -> Option<String> {
    match config.values.get(name) {
        Value::Unknown(unknown) => {
            notes.unknown.push(Arc::clone(unknown));
            None
        }
        value => value.text().map(str::to_owned),
    }
}
