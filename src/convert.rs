//! Rewriting a checkpoint on disk: another layout of the experts, another implementation's names, another prefix.
//!
//! Each rank's file is rewritten by itself, in windows of bounded size: written beside its name, made durable, renamed,
//! read again and compared. The source is only ever read.

mod copy;
mod error;
mod journal;
mod names;
mod plan;
mod rewrite;
mod source;
mod verify;
mod view;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use error::{ConvertError, Result};
pub use journal::RECORD;
pub use verify::{Compared, Depth};

use journal::{Done, Found, Journal, SourceFile, Task};
use names::Implementations;
use plan::{Entry, Plan};
use rewrite::{FilePlan, Rewrite, State};
use source::Opened;
use verify::Planned;

use crate::checkpoint::store::{LocalStore, Store as _};
use crate::checkpoint::{self, Checkpoint, Format, Iteration, Options};
use crate::rules::convert::{ConvertRules, Layout};
use crate::rules::expr::Scope;
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::rules::version::Version;

const RULES: &str = "megatron/convert/";

/// What is to be converted.
#[derive(Debug, Clone)]
pub struct Request {
    /// The checkpoint: a root, or an iteration's directory.
    pub source: PathBuf,
    /// The root to write.
    pub target: PathBuf,
    /// The layout of the experts; `None` leaves it.
    pub experts: Option<String>,
    /// The implementation of the layers; `None` leaves it.
    pub implementation: Option<String>,
    /// A prefix of every key to take away.
    pub strip_prefix: Option<String>,
    /// A prefix to put before every key.
    pub add_prefix: Option<String>,
    /// Experts of a rank, where the checkpoint does not tell.
    pub experts_a_rank: Option<u64>,
    /// Whether the optimizer's state may be left out.
    pub drop_optimizer: bool,
    /// The framework's version, if it is known.
    pub framework: Option<Version>,
    /// Transformer Engine's version, if it is known.
    pub engine: Option<Version>,
    /// Which part of the work to do.
    pub part: Part,
    /// Whether to go on with what is there.
    pub resume: bool,
    /// How many threads write.
    pub jobs: usize,
    /// How much of what was written is compared with the source.
    pub depth: Depth,
}

/// Which part of the work to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing: only tell what would be done.
    Plan,
    /// Everything.
    All,
    /// Every `of`-th file, from `index` on.
    Shard {
        /// Which share, from 0 on.
        index: u64,
        /// How many shares.
        of: u64,
    },
    /// What comes when all files are there.
    Finish,
}

/// Told how the work goes on.
pub trait Progress: Sync {
    /// All that is to be written.
    fn total(&self, bytes: u64);
    /// A file is begun.
    fn file(&self, name: &str);
    /// Bytes were written.
    fn advance(&self, bytes: u64);
}

/// What was done.
#[derive(Debug, Default)]
pub struct Report {
    /// The source's format.
    pub format: Option<Format>,
    /// The layout that the source's experts have, and the target's.
    pub layouts: Option<(String, String)>,
    /// The implementation of the source's layers, and the target's.
    pub implementations: Option<(String, String)>,
    /// Files of the target.
    pub files: usize,
    /// Those that were there already.
    pub kept: usize,
    /// Bytes of all files of this share.
    pub bytes: u64,
    /// What was compared.
    pub compared: Compared,
    /// Whether the target is complete.
    pub complete: bool,
    /// The optimizer's state was left out: the option that the launch needs.
    pub without_optimizer: Option<String>,
    /// Module states that were left out, and why.
    pub dropped_states: Option<(usize, String)>,
    /// Saved arguments that the target tells otherwise.
    pub saved: BTreeMap<String, Value>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Everything that is the same for all files.
struct Job<'r> {
    request: &'r Request,
    rules: ConvertRules,
    storage: &'static StorageRules,
    source: LocalStore,
    task: Task,
    saved_args: BTreeMap<String, Value>,
    experts_a_rank: Option<u64>,
    saved: BTreeMap<String, Value>,
    optimizer_files: bool,
}

/// A file that is planned.
struct PlannedFile {
    plan: FilePlan,
    dicts: Vec<Planned>,
    layout: Option<String>,
    dropped_states: usize,
    has_optimizer: bool,
}

/// Converts a checkpoint, or the share of it that the request names.
///
/// # Errors
/// When it would be wrong or cannot be done; what is complete of the target stays for `resume`.
pub fn convert(request: &Request, progress: &dyn Progress) -> Result<Report> {
    let start = Instant::now();
    let checkpoint = checkpoint::read(&request.source, &Options::default())?;
    if let Some(problem) = checkpoint.problems.first() {
        return Err(problem.clone().into());
    }
    let mut report = Report { format: Some(checkpoint.format), ..Report::default() };
    match checkpoint.format {
        Format::Torch => {}
        Format::TorchDist => {
            if [&request.implementation, &request.strip_prefix, &request.add_prefix].iter().any(|name| name.is_some()) {
                return Err(ConvertError::refused(
                    format!("{}: keys of a torch_dist checkpoint are not rewritten", request.source.display()),
                    "load it with Megatron-LM and save it in the format torch",
                ));
            }
            report.elapsed = start.elapsed();
            return Ok(report);
        }
        other => {
            return Err(ConvertError::refused(
                format!("{}: a checkpoint of the format {} is not rewritten", request.source.display(), other.name()),
                "load it with Megatron-LM and save it in the format torch",
            ));
        }
    }
    let job = Job::new(request, &checkpoint)?;
    let journal = Journal::new(&request.target);
    let files: Vec<&SourceFile> = match request.part {
        Part::Shard { index, of } => {
            let mine = |(number, _): &(usize, &SourceFile)| *number as u64 % of == index;
            job.task.files.iter().enumerate().filter(mine).map(|(_, file)| file).collect()
        }
        _ => job.task.files.iter().collect(),
    };
    report.files = files.len();
    report.saved = job.saved.clone();
    // Everything is planned before anything is written: a refusal comes at once, not after an hour.
    let mut total = 0;
    if request.part != Part::Finish {
        for file in &files {
            let planned = job.plan(&Opened::open(&job.source, &file.file)?)?;
            job.tell(&planned, &mut report)?;
            total += planned.plan.contents.iter().map(rewrite::Content::size).sum::<u64>();
        }
        if let (Some(to), None, true) =
            (&request.experts, &report.layouts, matches!(request.part, Part::Plan | Part::All))
        {
            return Err(ConvertError::refused(
                format!("{}: there are no experts to store as {to}", request.source.display()),
                "this is a dense model's checkpoint",
            ));
        }
    }
    report.bytes = total;
    if request.part == Part::Plan {
        report.elapsed = start.elapsed();
        return Ok(report);
    }
    let found = journal.look(&job.task)?;
    if begin(request, &journal, &job.task, found)? {
        report.complete = true;
        report.kept = report.files;
        check_complete(request, &job.task, &journal.record()?)?;
        report.elapsed = start.elapsed();
        return Ok(report);
    }
    progress.total(total);
    let mut written = Vec::new();
    for file in files {
        if let Some(done) = journal.done(&job.task, &file.file)? {
            report.kept += 1;
            progress.advance(done.bytes);
            written.push(done);
        } else if request.part == Part::Finish {
            return Err(ConvertError::refused(
                format!("{} is not written yet", file.file),
                "run the shares that are missing, then --finish again",
            ));
        } else {
            progress.file(&file.file);
            let (done, compared) = job.write(file, progress)?;
            journal.note(&done)?;
            report.compared.add(compared);
            written.push(done);
        }
    }
    if matches!(request.part, Part::All | Part::Finish) {
        check_complete(request, &job.task, &written)?;
        let tracker = (job.storage.tracker.file.as_str(), &*tracker_text(job.storage, checkpoint.iteration));
        journal.end(&job.task, written, tracker)?;
        report.complete = true;
    }
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Begins or goes on; whether the target is complete already.
fn begin(request: &Request, journal: &Journal, task: &Task, found: Found) -> Result<bool> {
    let is_shared = matches!(request.part, Part::Shard { .. } | Part::Finish);
    match found {
        Found::Nothing if request.part == Part::Finish => {
            let message = format!("{}: nothing is written yet", request.target.display());
            Err(ConvertError::refused(message, "run the shares first: --shard I/N, or a Slurm task each"))
        }
        Found::Nothing => journal.begin(task).map(|()| false),
        Found::Begun if request.resume || is_shared => Ok(false),
        Found::Complete if request.resume || is_shared => Ok(true),
        Found::Begun => Err(ConvertError::refused(
            format!("{}: a conversion was begun here and did not end", request.target.display()),
            "go on with --resume, or remove it",
        )),
        Found::Complete | Found::Other => Err(ConvertError::refused(
            format!("{} exists already", request.target.display()),
            "choose a target that does not exist: nothing is ever overwritten",
        )),
    }
}

/// Reads the target's headers again: all files are there, as they were written, and hold together.
fn check_complete(request: &Request, task: &Task, written: &[Done]) -> Result<()> {
    let wrong = |path: PathBuf, message: &str| ConvertError::Wrong { path, message: message.to_owned() };
    let folder = request.target.join(&task.folder);
    for file in &task.files {
        let path = folder.join(&file.file);
        let done = written.iter().find(|done| done.file == file.file);
        let done = done.ok_or_else(|| wrong(path.clone(), "is not in the record"))?;
        if fingerprint(&path)? != (done.bytes, done.checksum) {
            return Err(wrong(path, "is not what was written"));
        }
    }
    let read = checkpoint::read(&folder, &Options::default())?;
    match read.problems.first() {
        Some(problem) => Err(problem.clone().into()),
        None if read.parts.len() != task.files.len() => Err(wrong(folder, "holds other ranks than the source")),
        None => Ok(()),
    }
}

/// Bytes of a file and the checksum of its zip directory.
fn fingerprint(path: &Path) -> Result<(u64, u32)> {
    let (folder, name) = (path.parent().unwrap_or(Path::new(".")), path.file_name().and_then(|name| name.to_str()));
    let blob = LocalStore::new(folder).open(name.unwrap_or(""))?;
    let section = checkpoint::store::Section::whole(&*blob);
    let start = checkpoint::zip::directory_start(&section)?;
    let end = blob.read(start, blob.bounded("a zip directory", blob.len() - start, 1 << 30)?)?;
    Ok((blob.len(), crc32fast::hash(&end)))
}

fn tracker_text(rules: &StorageRules, iteration: Option<Iteration>) -> String {
    match iteration {
        Some(Iteration::Step(step)) => step.to_string(),
        _ => rules.tracker.release.clone(),
    }
}

impl<'r> Job<'r> {
    fn new(request: &'r Request, checkpoint: &Checkpoint) -> Result<Self> {
        let rules = ConvertRules::load(RULES)?;
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
        let target = self.target_layout()?;
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
        let count = self.rules.experts.experts_a_rank.eval(&facts).ok().and_then(|count| count.int());
        let count = count.and_then(|count| u64::try_from(count).ok());
        let mut saved = BTreeMap::new();
        if let Some(to) = &self.request.implementation {
            saved.insert(implementations.argument.clone(), Value::str(to));
            facts.set(implementations.argument.as_str(), Value::str(to));
        }
        if let Some(target) = target {
            for refusal in &target.refusals {
                if refusal.when.eval(&facts)?.truth() == Some(true) {
                    return Err(ConvertError::refused(&refusal.message, &refusal.help));
                }
            }
            for argument in &target.saved {
                let holds = argument.when.as_ref().map(|when| when.eval(&facts)).transpose()?;
                if holds.is_none_or(|value| value.truth() == Some(true)) {
                    saved.insert(argument.name.clone(), argument.value.eval(&facts)?);
                }
            }
        }
        saved.retain(|name, value| self.saved_args.get(name).is_some_and(|old| old != value));
        self.experts_a_rank = self.experts_a_rank.or(count);
        self.saved = saved;
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
    fn plan(&self, opened: &Opened) -> Result<PlannedFile> {
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
    fn tell(&self, planned: &PlannedFile, report: &mut Report) -> Result<()> {
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
    fn write(&self, file: &SourceFile, progress: &dyn Progress) -> Result<(Done, Compared)> {
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
