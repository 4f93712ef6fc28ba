//! `moe-lint exec`: checks a command and, only when it may go on, becomes that command.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::{check, tell};
use crate::cli::{CheckArgs, ExecArgs, LaunchArgs, SettingsArgs};
use crate::error::Error;
use crate::launch;
use crate::rules::processes::Processes;
use crate::terminal::Console;

/// Checks, then replaces this process: signals and the exit code are the command's own. What is printed goes to standard
/// error, for standard output belongs to the command; of many processes only the first prints.
///
/// # Errors
/// When the command cannot be checked or cannot be started.
pub fn run(args: &ExecArgs, more: &[PathBuf], console: &mut Console<'_>) -> Result<u8, Error> {
    let mut check = of(args);
    let found = check::settings(&check, more)?;
    let processes = Processes::load()?;
    let variable = console.terminal.variable;
    let prints = Processes::number(&processes.rank, &variable).is_none_or(|rank| rank == 0);
    // A training script that no launcher starts is one of the processes itself, and this is its environment.
    let launch = launch::from_argv(&args.argv);
    let itself = launch.training == Some(0) && launch.training_entry().is_some_and(|entry| !entry.distributed);
    if itself && args.world_size.is_none() {
        check.launch.world_size = Some(Processes::number(&processes.world_size, &variable).unwrap_or(processes.alone));
    }
    let (mut silent, mut also_silent) = (io::sink(), io::sink());
    let mut quiet = Console { out: &mut silent, err: &mut also_silent, terminal: console.terminal.clone() };
    let mut loud_out = Vec::new();
    let told = if prints {
        let mut loud = Console { out: &mut loud_out, err: &mut *console.err, terminal: console.terminal.clone() };
        check::judge(&check, &found, &mut loud).and_then(|judged| tell::tell(judged, &check.output, &mut loud))
    } else {
        check::judge(&check, &found, &mut quiet).and_then(|judged| tell::tell(judged, &check.output, &mut quiet))
    };
    console.err.write_all(&loud_out)?;
    console.err.flush()?;
    match told {
        Ok(0) => {}
        told if args.warn_only => {
            if prints {
                if let Err(error) = &told {
                    writeln!(console.err, "error: {error}")?;
                }
                writeln!(console.err, "moe-lint: starting it all the same (--warn-only)")?;
            }
        }
        Err(_) if !prints => return Ok(2),
        told => return told,
    }
    console.out.flush()?;
    Err(become_command(&args.argv))
}

fn of(args: &ExecArgs) -> CheckArgs {
    CheckArgs {
        launch: LaunchArgs {
            argv: args.argv.clone(),
            megatron: args.megatron.clone(),
            te: args.te.clone(),
            no_apex: args.no_apex,
            world_size: args.world_size,
            tokenizer_size: args.tokenizer_size,
            ..LaunchArgs::default()
        },
        checkpoint: args.checkpoint.clone(),
        settings: SettingsArgs { config: args.config.clone(), isolated: args.isolated, ..SettingsArgs::default() },
        output: args.output.clone(),
        fix: false,
        diff: false,
        unsafe_fixes: false,
    }
}

/// Does not return unless the command cannot be started.
#[cfg(unix)]
fn become_command(argv: &[String]) -> Error {
    use std::os::unix::process::CommandExt as _;
    let (program, arguments) = argv.split_first().map_or(("", argv), |(program, rest)| (program.as_str(), rest));
    let error = Command::new(program).args(arguments).exec();
    Error::NotStarted { program: program.to_owned(), error }
}

/// A process cannot be replaced here.
#[cfg(not(unix))]
fn become_command(argv: &[String]) -> Error {
    Error::NotStarted { program: argv.first().cloned().unwrap_or_default(), error: io::ErrorKind::Unsupported.into() }
}
