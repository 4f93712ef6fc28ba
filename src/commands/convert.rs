//! `moe-lint convert`: rewrites a checkpoint, then checks what was written against the launch.

mod progress;

use super::request::request;
use crate::check;
use crate::checkpoint::Format;
use crate::cli::{ConvertArgs, LaunchArgs, OutputFormat, TransformerEngine, Verify};
use crate::convert::{self, ConvertError, Depth, Part};
use crate::error::Error;
use crate::loader::Outcome;
use crate::report::{Report, human, json};
use crate::rules::releases;
use crate::rules::version::Version;
use crate::terminal::Console;

/// More threads than this wait for the disk.
const MAX_JOBS: usize = 8;

/// Converts a checkpoint.
///
/// # Errors
/// When it cannot be done, or must not.
pub fn run(args: &ConvertArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let has_launch = args.launch.script.is_some() || !args.launch.argv.is_empty();
    // Read before anything is written: a launch that cannot be read is told at once.
    let mut launch = has_launch.then(|| request(&args.launch)).transpose()?;
    let wanted = wanted(args, console)?;
    let progress = progress::Bars::new();
    let done = convert::convert(&wanted, &progress);
    progress.clear();
    let done = done?;
    let needs_no_conversion = done.format != Some(Format::Torch);
    let judged = match &mut launch {
        Some(launch) if done.complete || needs_no_conversion => {
            let path = if needs_no_conversion { &args.source } else { &args.target };
            launch.checkpoint = Some(path.clone());
            Some(check::check(launch)?)
        }
        _ => None,
    };
    match args.output.format {
        OutputFormat::Human => {
            let style = console.style(&args.output);
            let mut text = human::convert(&wanted, &done, judged.as_ref(), style);
            if let Some(judged) = &judged {
                text.push('\n');
                text.push_str(&human::check(judged, style));
            }
            console.print(&text)?;
        }
        OutputFormat::Json => console.write(|out| json::convert(out, &wanted, &done, judged.as_ref()))?,
    }
    Ok(code(judged.as_ref(), needs_no_conversion))
}

/// What was written is what was asked for; whether it loads is the launch's outcome.
fn code(judged: Option<&Report>, needs_no_conversion: bool) -> u8 {
    match judged {
        Some(judged) => judged.outcome.exit_code(),
        // That no conversion is needed holds only for a launch that was looked at.
        None if needs_no_conversion => Outcome::Undetermined.exit_code(),
        None => Outcome::Loads.exit_code(),
    }
}

fn wanted(args: &ConvertArgs, console: &Console<'_>) -> Result<convert::Request, Error> {
    if [&args.experts, &args.transformer_impl, &args.strip_prefix, &args.add_prefix]
        .iter()
        .all(|option| option.is_none())
    {
        let help = "give --experts, --transformer-impl, --strip-prefix or --add-prefix";
        return Err(ConvertError::refused("what to convert to is not said", help).into());
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_JOBS);
    Ok(convert::Request {
        source: args.source.clone(),
        target: args.target.clone(),
        experts: args.experts.clone(),
        implementation: args.transformer_impl.clone(),
        strip_prefix: args.strip_prefix.clone(),
        add_prefix: args.add_prefix.clone(),
        experts_a_rank: args.experts_per_rank,
        drop_optimizer: args.drop_optimizer,
        framework: args.launch.megatron.clone(),
        engine: engine(&args.launch)?,
        part: part(args, console),
        resume: args.resume,
        jobs: args.jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(cores),
        depth: match args.verify {
            Verify::Sampled => Depth::Sampled,
            Verify::Full => Depth::Full,
        },
    })
}

/// Transformer Engine's version: as it is given, or the one beside the framework's.
fn engine(launch: &LaunchArgs) -> Result<Option<Version>, Error> {
    match (&launch.te, &launch.megatron) {
        (Some(TransformerEngine::Installed(version)), _) => Ok(Some(version.clone())),
        (Some(TransformerEngine::Absent), _) | (None, None) => Ok(None),
        (None, Some(version)) => {
            let releases = releases::load()?;
            Ok(releases::describing(releases, version).map(|release| release.te.clone()))
        }
    }
}

/// The share that is asked for, or that Slurm gives a task of several.
fn part(args: &ConvertArgs, console: &Console<'_>) -> Part {
    let number = |name: &str| (console.terminal.variable)(name).and_then(|text| text.parse::<u64>().ok());
    match (args.shard, number("SLURM_PROCID"), number("SLURM_NTASKS")) {
        _ if args.dry_run => Part::Plan,
        _ if args.finish => Part::Finish,
        (Some((index, of)), ..) => Part::Shard { index, of },
        (None, Some(index), Some(of)) if of > 1 && index < of => Part::Shard { index, of },
        _ => Part::All,
    }
}
