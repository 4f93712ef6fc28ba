//! What is the same for all files of a conversion, and what becomes of one file.

use std::collections::BTreeMap;

use super::error::{ConvertError, Result};
use super::journal::{Done, SourceFile, Task};
use super::names::{self, Implementations};
use super::plan::{self, Entry, Plan};
use super::rewrite::{FilePlan, Rewrite, State};
use super::saved;
use super::source::Opened;
use super::verify::{self, Compared, Planned};
use super::write;
use super::{Progress, Report, Request, fingerprint};
use crate::checkpoint::store::{LocalStore, Store as _};
use crate::checkpoint::{self, Checkpoint};
use crate::rules::convert::{ConvertRules, Layout};
use crate::rules::expr::Scope;
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;

/// Everything that is the same for all files.
pub struct Job<'r> {
    pub request: &'r Request,
    pub rules: ConvertRules,
    pub storage: &'static StorageRules,
    pub source: LocalStore,
    pub task: Task,
    pub saved_args: BTreeMap<String, Value>,
    pub experts_a_rank: Option<u64>,
    pub saved: BTreeMap<String, Value>,
    pub optimizer_files: bool,
}

/// A file that is planned.
pub struct PlannedFile {
    pub plan: FilePlan,
    pub dicts: Vec<Planned>,
    pub layout: Option<String>,
    pub dropped_states: usize,
    pub has_optimizer: bool,
}

impl<'r> Job<'r> {
    pub fn new(request: &'r Request, checkpoint: &Checkpoint) -> Result<Self> {
        let rules = ConvertRules::load(super::RULES)?;
        let storage = StorageRules::megatron();
        let iteration = checkpoint.iteration.ok_or_else(|| {
            let message = format!("{}: which iteration this is cannot be told", request.source.display());
            ConvertError::refused(message, "name the root with the tracker file, or the iteration's own directory")
        })?;
        let source = LocalStore::new(&checkpoint.directory);
        let mut files = Vec::new();
        for part in &checkpoint.parts {
            let (bytes, changed) = write::identity(&source.path(&part.file))?;
            files.push(SourceFile { file: part.file.to_string(), bytes, changed });
        }
        files.sort_by(|a, b| a.file.cmp(&b.file));
        let optimizer_files = files.iter().any(|file| {
            let folder = file.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            rules.experts.optimizer.files.iter().any(|name| source.kind(&format!("{folder}/{name}")).is_some())
        });
        let task = Task {
            source: write::real(&checkpoint.directory).display().to_string(),
            folder: checkpoint::locate::folder_of(storage, iteration),
            options: words(request, &rules),
            files,
        };
        if write::real(&request.target).starts_with(write::real(&checkpoint.directory)) {
            let message = format!("{} lies in the source", request.target.display());
            return Err(ConvertError::refused(message, "choose a target elsewhere"));
        }
        let saved_args = checkpoint.saved_args.clone().unwrap_or_default();
        let mut job = Self {
            request,
            rules,
            storage,
            source,
            task,
            saved_args,
            experts_a_rank: request.experts_a_rank,
            saved: BTreeMap::new(),
            optimizer_files,
        };
        job.judge()?;
        Ok(job)
    }

    /// What the saved arguments decide.
    fn judge(&mut self) -> Result<()> {
        let implementations = &self.rules.implementations;
        if let Some(to) = &self.request.implementation
            && !implementations.names.iter().any(|named| named.name == *to)
        {
            let names: Vec<&str> = implementations.names.iter().map(|named| named.name.as_str()).collect();
            return Err(ConvertError::refused(
                format!("`{} {to}`: there is no such implementation", implementations.option),
                format!("choose {}", names.join(" or ")),
            ));
        }
        let mut facts = self.facts();
        let count = saved::experts_a_rank(&self.rules, &facts);
        if let Some(to) = &self.request.implementation {
            facts.set(implementations.argument.as_str(), Value::str(to));
        }
        let target = self.target_layout()?;
        let mut changes = saved::changes(target, &facts)?;
        if let Some(to) = &self.request.implementation {
            changes.insert(implementations.argument.clone(), Value::str(to));
        }
        saved::keep_real(&mut changes, &self.saved_args);
        self.experts_a_rank = self.experts_a_rank.or(count);
        self.saved = changes;
        Ok(())
    }

    /// What rules may ask for: the saved arguments, and the versions.
    fn facts(&self) -> Scope<'static> {
        let mut facts = Scope::default();
        for (name, value) in &self.saved_args {
            facts.set(name.as_str(), value.clone());
        }
        facts.set("version", self.request.framework.clone().map_or(Value::None, Value::Version));
        let unknown = || Value::unknown("te_version", "it is not given", Vec::new());
        facts.set("te_version", self.request.engine.clone().map_or_else(unknown, Value::Version));
        facts
    }

    fn target_layout(&self) -> Result<Option<&Layout>> {
        let Some(to) = &self.request.experts else { return Ok(None) };
        self.rules.layout(to).map(Some).ok_or_else(|| {
            let names: Vec<&str> = self.rules.experts.layouts.iter().map(|layout| layout.name.as_str()).collect();
            ConvertError::refused(
                format!("`{} {to}`: there is no such layout", self.rules.experts.option),
                format!("choose {}", names.join(", ")),
            )
        })
    }

    /// The implementation of the source's layers, where another one is asked for.
    fn implementations(&self) -> Option<Implementations<'_>> {
        let to = self.request.implementation.as_deref()?;
        let rules = &self.rules.implementations;
        let saved = self.saved_args.get(&rules.argument).and_then(Value::text);
        let from = saved.or_else(|| rules.names.iter().map(|named| named.name.as_str()).find(|name| *name != to))?;
        (from != to).then_some(Implementations { from, to })
    }

    /// Plans a file.
    pub fn plan(&self, opened: &Opened) -> Result<PlannedFile> {
        let mut rewrite = Rewrite::new(opened)?;
        let mut planned = (Vec::new(), None::<String>, 0_usize, false);
        let states = &self.rules.experts.states;
        let is_empty = |state: &State| match state {
            State::Nothing => true,
            State::Bytes(bytes) => states.empty.contains(bytes),
            State::File(bytes) => contains(bytes, &states.empty_file),
            State::Other => false,
        };
        for (name, value) in rewrite.top() {
            if self.rules.experts.optimizer.entries.contains(&name) {
                planned.3 = true;
            } else if name == self.storage.entries.args {
                rewrite.set_attributes(value, &self.saved)?;
            } else if self.storage.entries.model.iter().any(|pattern| pattern.matches(&name))
                && let Some(items) = rewrite.graph.items(value)
            {
                let dict = (value, items);
                let entries = rewrite.entries(&dict, &states.suffix, &is_empty)?;
                let plan = self.plan_dict(&entries)?;
                rewrite.set(&dict, &plan.targets)?;
                planned.1 = planned.1.or(plan.found);
                planned.2 += plan.dropped_states;
                planned.0.push((name, plan.targets));
            }
        }
        rewrite.remove_top(&self.rules.experts.optimizer.entries);
        let (dicts, layout, dropped_states, has_optimizer) = planned;
        Ok(PlannedFile { plan: rewrite.finish()?, dicts, layout, dropped_states, has_optimizer })
    }

    fn plan_dict(&self, entries: &[Entry]) -> Result<Plan> {
        let stripped: Vec<Entry>;
        let mut entries = entries;
        // The forms of keys are those of a model without a wrapper around it.
        if let Some(prefix) = &self.request.strip_prefix {
            let mut plan = plan::unchanged(entries);
            names::prefix(Some(prefix), None, &mut plan)?;
            let renamed = entries.iter().zip(plan.targets);
            stripped = renamed.map(|(entry, target)| Entry { key: target.key, ..entry.clone() }).collect();
            entries = &stripped;
        }
        let mut plan = match self.target_layout()? {
            Some(target) => plan::experts(&self.rules, entries, target, self.experts_a_rank)?,
            None => {
                let found = plan::layout(&self.rules, entries)?.map(|layout| layout.name.clone());
                Plan { found, ..plan::unchanged(entries) }
            }
        };
        if let Some(change) = self.implementations() {
            names::implement(&self.rules, change, &self.facts(), &mut plan)?;
        }
        names::prefix(None, self.request.add_prefix.as_deref(), &mut plan)?;
        Ok(plan)
    }

    /// Tells in the report what a file's plan means for the whole, or why it must not be.
    pub fn tell(&self, planned: &PlannedFile, report: &mut Report) -> Result<()> {
        let optimizer = &self.rules.experts.optimizer;
        if planned.has_optimizer || self.optimizer_files {
            if !self.request.drop_optimizer {
                return Err(ConvertError::refused(
                    "the checkpoint holds the optimizer's state, which fits no other layout",
                    format!("leave it out with --drop-optimizer; the launch then needs {}", optimizer.option),
                ));
            }
            report.without_optimizer = Some(optimizer.option.clone());
        }
        if let (Some(from), Some(to)) = (&planned.layout, &self.request.experts) {
            match &report.layouts {
                Some((other, _)) if other != from => {
                    return Err(ConvertError::refused(
                        format!("one rank's experts are stored as {other}, another's as {from}"),
                        "the checkpoint is mixed up: use another one",
                    ));
                }
                _ => report.layouts = Some((from.clone(), to.clone())),
            }
            let others = self.implementations().is_some()
                || self.request.strip_prefix.is_some()
                || self.request.add_prefix.is_some();
            if from == to && !others {
                return Err(ConvertError::refused(
                    format!("the experts are stored as {to} already"),
                    "there is nothing to convert: load the checkpoint as it is",
                ));
            }
        }
        report.implementations = self.implementations().map(|change| (change.from.to_owned(), change.to.to_owned()));
        if planned.dropped_states > 0 {
            let known = report.dropped_states.as_ref().map_or(0, |(count, _)| *count);
            let why = self.rules.experts.states.left_out.clone();
            report.dropped_states = Some((known + planned.dropped_states, why));
        }
        Ok(())
    }

    /// Writes a file and compares it with its source.
    pub fn write(&self, file: &SourceFile, progress: &dyn Progress) -> Result<(Done, Compared)> {
        let source = Opened::open(&self.source, &file.file)?;
        let planned = self.plan(&source)?;
        let folder = self.request.target.join(&self.task.folder);
        let path = folder.join(&file.file);
        write::folder(path.parent().unwrap_or(&folder))?;
        let jobs = self.request.jobs;
        let advance = |bytes| progress.advance(bytes);
        let checksum = write::file(&planned.plan, (&self.source, &file.file), &path, jobs, &advance)?;
        let changed = (file.bytes, file.changed) != write::identity(&self.source.path(&file.file))?;
        let compared = match changed {
            true => Err(ConvertError::Wrong { path: path.clone(), message: "its source changed meanwhile".to_owned() }),
            false => {
                let target = Opened::open(&LocalStore::new(&folder), &file.file)?;
                verify::file(&source, &target, &planned.dicts, self.request.depth)
            }
        };
        if compared.is_err() {
            write::remove(&path)?;
        }
        let compared = compared?;
        let (bytes, there) = fingerprint(&path)?;
        if there != checksum {
            return Err(ConvertError::Wrong { path, message: "reads back otherwise than it was written".to_owned() });
        }
        Ok((Done { file: file.file.clone(), bytes, checksum }, compared))
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    // A state that holds tensors is a file of many entries.
    bytes.len() < 4096 && bytes.windows(part.len()).any(|window| window == part)
}

/// The options that decide the content.
fn words(request: &Request, rules: &ConvertRules) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |option: &str, value: Option<&str>| {
        if let Some(value) = value {
            words.extend([option.to_owned(), value.to_owned()]);
        }
    };
    add(&rules.experts.option, request.experts.as_deref());
    add(&rules.implementations.option, request.implementation.as_deref());
    add("--strip-prefix", request.strip_prefix.as_deref());
    add("--add-prefix", request.add_prefix.as_deref());
    add("--experts-per-rank", request.experts_a_rank.map(|count| count.to_string()).as_deref());
    // The names of another implementation are what its version decides.
    let engine = request.engine.as_ref().filter(|_| request.implementation.is_some());
    add("--te", engine.map(ToString::to_string).as_deref());
    if request.drop_optimizer {
        words.push("--drop-optimizer".to_owned());
    }
    words
}
