//! The whole flow on one page: a launch is read, configured, its schema built, compared with a checkpoint, the loader's
//! stages gone through, the difference explained, each way out proven by going through all of it again.

mod compare;
mod request;
mod saved;
mod scope;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub use request::{Input, Machine, Request};

use crate::checkpoint::{self, Checkpoint, Format, Location};
use crate::diagnose::{self, Candidate, Diagnosis, Evidence, Explained, Fix, Found, Label, Note, Severity};
use crate::diff::Diff;
use crate::error::Error;
use crate::fix;
use crate::launch::{Launch, Word, entry_point};
use crate::loader::{self, Outcome, Stage, Verdict};
use crate::report::{Environment, Framework, Report, SchemaReport};
use crate::rules::expr::{ExprError, Scope};
use crate::rules::flags::{FlagTable, Parser};
use crate::rules::loader::LoaderRules;
use crate::rules::value::{Unknown, Value};
use crate::rules::{causes, releases};
use crate::schema::{Builder, Schema};
use crate::training::{Installed, Rejection, TrainingConfig, configure_with, place};

const RELEASES: &str = "megatron/versions.toml";
const LOADER: &str = "megatron/loader/";
const CAUSES: &str = "causes/";
const FRAMEWORK: &str = "Megatron-LM";
/// The model family that the rules describe.
const FAMILY: &str = "gpt";

/// What a launch means and builds.
struct Understood {
    launch: Launch,
    framework: Framework,
    environment: Environment,
    parser: Parser,
    config: TrainingConfig,
    rejected: Option<Rejection>,
    undetermined: Vec<Arc<Unknown>>,
    /// Whether `undetermined` keeps us from telling what is built at all.
    outside: bool,
    builder: Option<Builder>,
}

impl Understood {
    /// The words that the training script receives.
    fn arguments(&self) -> &[Word] {
        self.launch.training_entry().map_or(&[], |entry| entry.arguments)
    }
}

/// What a launch builds, without a checkpoint. `format` is that of the checkpoint it would be stored in.
///
/// # Errors
/// When there is nothing to judge.
pub fn schema(request: &Request, format: Option<Format>) -> Result<SchemaReport, Error> {
    let start = Instant::now();
    let mut understood = understand(request, &request.input)?;
    let format = format.unwrap_or_else(|| match understood.config.values.get("checkpoint_format").text() {
        Some("torch") => Format::Torch,
        _ => Format::TorchDist,
    });
    let schema = build(&mut understood, format)?;
    let told = understood.rejected.is_none() && understood.undetermined.is_empty();
    Ok(SchemaReport {
        framework: understood.framework,
        environment: understood.environment,
        launch: understood.launch,
        rejected: understood.rejected,
        schema: schema.filter(|_| told),
        undetermined: understood.undetermined,
        elapsed: start.elapsed(),
    })
}

/// Checks a launch against a checkpoint.
///
/// # Errors
/// When there is nothing to judge. A finding is never an error.
pub fn check(request: &Request) -> Result<Report, Error> {
    let start = Instant::now();
    let (mut report, found, understood, checkpoint) = judge(request, &request.input, None)?;
    for Found { mut diagnosis, remedies } in found {
        for candidate in &remedies {
            if let Some(fix) = prove(request, &understood, candidate, checkpoint.as_ref()) {
                diagnosis.fixes.push(fix);
            }
        }
        report.diagnoses.push(diagnosis);
    }
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Reads and configures a launch.
fn understand(request: &Request, input: &Input) -> Result<Understood, Error> {
    let mut launch = request::read(input)?;
    if let Some(command) = request.command {
        launch.training = usize::try_from(command).ok().and_then(|n| n.checked_sub(1));
    }
    let releases = releases::load(RELEASES)?;
    let machine = &request.machine;
    let (version, from) = match &machine.framework {
        Some(version) => (version.clone(), "--megatron".to_owned()),
        None => {
            let newest = releases::newest(&releases).ok_or(Error::NoTrainingCommand)?;
            (newest.name.clone(), "assumed: the newest release known".to_owned())
        }
    };
    let release = releases::describing(&releases, &version).ok_or_else(|| Error::TooOld(version.clone()))?;
    let te = machine.te.clone().unwrap_or_else(|| Some(release.te.clone()));
    let installed = Installed { framework: version.clone(), transformer_engine: te.clone(), apex: machine.apex };
    let parser = FlagTable::load()?.parser(&version);
    let mut undetermined = Vec::new();
    let entry = launch.training_entry().ok_or(Error::NoTrainingCommand)?;
    if let Some(point) = entry_point(&entry)
        && point.family != FAMILY
    {
        let script = entry.script.value.as_deref().unwrap_or("the script").to_owned();
        let reason = format!("it trains a {} model, which is not modelled", point.family);
        undetermined.push(Arc::new(Unknown { name: script, reason, places: entry.script.places.clone() }));
    }
    let world = match request.machine.world_size {
        Some(size) => Value::Int(i64::try_from(size).unwrap_or(i64::MAX)),
        None if entry.distributed => entry.world_size.value.clone(),
        None => Value::unknown("the number of processes", "the launch does not tell it", Vec::new()),
    };
    let config = configure_with(&parser, entry.arguments, world, installed, &|values| {
        saved::take_over(values, request.checkpoint.as_deref())
    })?;
    undetermined.extend(config.open.iter().cloned());
    for unsupported in &config.unsupported {
        let places = unsupported.flags.iter().filter_map(|flag| place(&config.given, flag)).collect();
        let reason = "it is outside of what moe-lint models".to_owned();
        undetermined.push(Arc::new(Unknown { name: unsupported.message.clone(), reason, places }));
    }
    let outside = !undetermined.is_empty();
    let framework = Framework { name: FRAMEWORK.to_owned(), version, from };
    let environment = Environment { transformer_engine: te, apex: machine.apex };
    let rejected = config.rejected.clone();
    Ok(Understood { launch, framework, environment, parser, config, rejected, undetermined, outside, builder: None })
}

/// Builds what the launch builds in that format, unless it is refused or outside of the model.
fn build(understood: &mut Understood, format: Format) -> Result<Option<Schema>, Error> {
    if understood.rejected.is_some() || understood.outside {
        return Ok(None);
    }
    if format != Format::Torch
        && let Some(reason) = understood.config.values.get("no_global_state").text()
    {
        let unknown = Unknown { name: "the global state".to_owned(), reason: reason.to_owned(), places: Vec::new() };
        understood.undetermined.push(Arc::new(unknown));
        return Ok(None);
    }
    let builder = match understood.builder.take() {
        Some(builder) => builder,
        None => Builder::new(&understood.config)?,
    };
    let built = match format {
        Format::Torch => builder.per_rank(&understood.config)?,
        _ => builder.global(&understood.config)?,
    };
    understood.builder = Some(builder);
    understood.rejected = built.rejected;
    for unknown in built.unknown {
        if !understood.undetermined.contains(&unknown) {
            understood.undetermined.push(unknown);
        }
    }
    Ok(Some(built.schema))
}

type Judged = (Report, Vec<Found>, Understood, Option<Checkpoint>);

/// One pass: from a launch to an outcome and its causes, without ways out.
fn judge(request: &Request, input: &Input, known: Option<&Checkpoint>) -> Result<Judged, Error> {
    let mut understood = understand(request, input)?;
    let mut stages = Vec::new();
    let mut diff = Diff::default();
    let mut found = Vec::new();
    let mut checkpoint = None;
    let mut schema = None;
    if understood.rejected.is_none() && !understood.outside {
        // A refusal while the model is built comes before anything is loaded.
        schema = build(&mut understood, Format::Torch)?;
    }
    let mut outcome = Outcome::Undetermined;
    if let Some(rejected) = &understood.rejected {
        outcome = Outcome::Fails;
        stages.push(Stage { name: "launch".to_owned(), verdict: Verdict::Fails, message: rejected.message.clone() });
        found.push(rejection(&understood, rejected));
    } else if let Some(mut path) = request.checkpoint_path(&understood.config)? {
        let rules = LoaderRules::load(LOADER, &understood.config.installed.framework)?;
        let step = understood.config.values.get("load_step").int().and_then(|step| u64::try_from(step).ok());
        let options = checkpoint::Options { step, rules: None };
        let mut location = checkpoint::locate(&path, &options);
        let given = request.checkpoint.is_some();
        if !given && let Some(other) = elsewhere(&mut understood.config.values, &rules, &path, &location)? {
            location = checkpoint::locate(&other, &options);
            path = other;
        }
        let read = match known {
            Some(known) if known.root == path => Ok(known.clone()),
            _ => checkpoint::read(&path, &options),
        };
        let built = match &read {
            Ok(read) if read.format != Format::Torch => build(&mut understood, read.format)?,
            _ => schema.take(),
        };
        let mut facts = scope::location(&understood.config.values, &path, &location, given);
        match read {
            Ok(read) => {
                let active = scope::active(&rules, &facts)?;
                let mut compared =
                    built.as_ref().map(|built| compare::differences(built, &read, &rules, &active)).unwrap_or_default();
                if !understood.undetermined.is_empty() {
                    // What an unknown value decides is not in the schema: it cannot be called unexpected.
                    compared.diff.parts.iter_mut().for_each(|part| part.unexpected.clear());
                }
                scope::state(&mut facts, &read, built.as_ref(), &compared, &rules)?;
                diff = compared.diff;
                stages = loader::run(&rules, &facts)?;
                if built.is_some() {
                    let causes = causes::load(CAUSES, &understood.config.installed.framework)?;
                    let evidence = Evidence { diff: &diff, scope: &facts, given: &understood.config.given };
                    found.extend(diagnose::diagnose(&causes, &evidence)?);
                }
                schema = built;
                outcome = loader::outcome(&stages);
                let known = schema.is_some() && understood.undetermined.is_empty();
                if !known && matches!(outcome, Outcome::Loads | Outcome::Partial) {
                    outcome = Outcome::Undetermined;
                }
                checkpoint = Some(read);
            }
            Err(error) => {
                stages = scope::without_checkpoint(&rules, &mut facts, &error)?;
                outcome = loader::outcome(&stages);
                if !matches!(outcome, Outcome::Fails | Outcome::Fresh) {
                    return Err(error.into());
                }
            }
        }
        drop(facts);
    }
    if outcome == Outcome::Fails && found.is_empty() || outcome == Outcome::Fresh {
        found.extend(stage_finding(&understood, &stages));
    }
    tell_what_happens(&mut found, &understood.framework, &stages);
    let report = Report {
        framework: understood.framework.clone(),
        environment: understood.environment.clone(),
        launch: understood.launch.clone(),
        rejected: understood.rejected.clone(),
        schema,
        checkpoint: checkpoint.clone(),
        outcome,
        stages,
        diff,
        diagnoses: Vec::new(),
        undetermined: understood.undetermined.clone(),
        elapsed: std::time::Duration::ZERO,
    };
    Ok((report, found, understood, checkpoint))
}

/// Another path that the framework loads from, because the launch's own holds nothing.
fn elsewhere(
    values: &mut Scope<'static>,
    rules: &LoaderRules,
    path: &Path,
    location: &Location,
) -> Result<Option<PathBuf>, Error> {
    for source in &rules.sources {
        let facts = scope::location(values, path, location, false);
        if source.when.eval(&facts)?.truth() != Some(true) {
            continue;
        }
        let other = match source.path.eval(&facts)? {
            Value::Str(path) => PathBuf::from(&*path),
            Value::Unknown(unknown) => return Err(Error::UnknownCheckpoint(unknown)),
            _ => continue,
        };
        let set = source.set.iter().map(|(name, value)| Ok((name.as_str(), value.eval(&facts)?)));
        let set: Vec<_> = set.collect::<Result<_, ExprError>>()?;
        drop(facts);
        for (name, value) in set {
            values.set(name, value);
        }
        return Ok(Some(other));
    }
    Ok(None)
}

fn rejection(understood: &Understood, rejected: &Rejection) -> Found {
    let mut spans = rejected.places.clone();
    spans.extend(rejected.flags.iter().filter_map(|flag| place(&understood.config.given, flag)));
    let labels = spans.into_iter().take(1).map(|span| Label { span, text: "given here".to_owned() }).collect();
    plain("launch-rejected", format!("{FRAMEWORK} stops this launch: {}", rejected.message), labels)
}

/// Puts what the loader will do into the first error, unless that is what the error says.
fn tell_what_happens(found: &mut [Found], framework: &Framework, stages: &[Stage]) {
    let decides = |stage: &&Stage| matches!(stage.verdict, Verdict::Fails | Verdict::Partial);
    let Some(stage) = stages.iter().find(decides) else { return };
    let how = if stage.verdict == Verdict::Fails { "stops" } else { "goes on" };
    let text = format!("{} {} {how}: {}", framework.name, framework.version, stage.message);
    if let Some(first) = found.iter_mut().find(|one| one.diagnosis.severity == Severity::Error)
        && first.diagnosis.explains != Explained::default()
    {
        first.diagnosis.notes.insert(0, Note { heading: "what happens".to_owned(), text });
    }
}

/// A diagnosis for the stage that ended a load, where no cause explains it.
fn stage_finding(understood: &Understood, stages: &[Stage]) -> Option<Found> {
    let stage = stages.iter().find(|stage| matches!(stage.verdict, Verdict::Fails | Verdict::Fresh))?;
    let labels = place(&understood.config.given, "--load");
    let labels = labels.map(|span| Label { span, text: "loaded from here".to_owned() }).into_iter().collect();
    let rule = match stage.verdict {
        Verdict::Fresh => "nothing-loaded".to_owned(),
        _ => format!("{}-fails", stage.name),
    };
    Some(plain(&rule, stage.message.clone(), if stage.name == "locate" { labels } else { Vec::new() }))
}

fn plain(rule: &str, message: String, labels: Vec<Label>) -> Found {
    let diagnosis = Diagnosis {
        rule: rule.to_owned(),
        severity: Severity::Error,
        message,
        labels,
        explains: Explained::default(),
        notes: Vec::new(),
        fixes: Vec::new(),
    };
    Found { diagnosis, remedies: Vec::new() }
}

/// A way out, if going through everything again with it ends in `loads`.
fn prove(
    request: &Request,
    understood: &Understood,
    candidate: &Candidate,
    checkpoint: Option<&Checkpoint>,
) -> Option<Fix> {
    let arguments = understood.arguments();
    let change = fix::change(candidate, arguments, &understood.parser)?;
    let (input, edits) = request::changed(&request.input, &understood.launch, &change)?;
    let (report, ..) = judge(request, &input, checkpoint).ok()?;
    (report.outcome == Outcome::Loads).then(|| Fix {
        title: candidate.title.clone(),
        applicability: candidate.applicability,
        edits,
        command: None,
        proven: true,
    })
}
