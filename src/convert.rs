//! Rewriting a checkpoint on disk: another layout of the experts, another implementation's names, another prefix.
//!
//! Each rank's file is rewritten by itself, in windows of bounded size: written beside its name, made durable, renamed,
//! read again and compared. The source is only ever read.

mod copy;
mod error;
mod job;
mod journal;
mod names;
mod plan;
mod predict;
mod rewrite;
mod saved;
mod source;
mod verify;
mod view;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use error::{ConvertError, Result};
pub use journal::RECORD;
pub use predict::predict;
pub use verify::{Compared, Depth};

use job::Job;
use journal::{Done, Found, Journal, SourceFile, Task};
use source::Opened;

use crate::checkpoint::store::{LocalStore, Store as _};
use crate::checkpoint::{self, Format, Iteration, Options};
use crate::rules::RuleError;
use crate::rules::convert::ConvertRules;
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::rules::version::Version;

const RULES: &str = "megatron/convert/";

/// Checks the rule files.
///
/// # Errors
/// When one of them cannot be read.
pub fn check_rules() -> std::result::Result<(), RuleError> {
    ConvertRules::load(RULES).map(|_| ())
}

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
