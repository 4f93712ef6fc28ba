//! Which script a command starts, with which arguments, in how many processes.

use super::launchers::{self, Launcher, Parsed, Starts};
use super::{Command, Launch, Word};
use crate::rules::value::Value;
use crate::text::Located;

/// What a command starts.
#[derive(Debug, Clone)]
pub struct Entry<'c> {
    /// The script, or a module's name.
    pub script: &'c Word,
    /// Whether `script` is the name of a module.
    pub module: bool,
    /// The words after the script.
    pub arguments: &'c [Word],
    /// The index in the command's words of the first argument.
    pub first_argument: usize,
    /// Whether a launcher for many processes starts it.
    pub distributed: bool,
    /// The number of nodes.
    pub nnodes: Located<Value>,
    /// The number of processes on each node.
    pub nproc_per_node: Located<Value>,
    /// The number of processes in all.
    pub world_size: Located<Value>,
}

/// The numbers of processes that one launcher tells.
#[derive(Debug, Clone, Default)]
struct Counts {
    nodes: Option<Located<Value>>,
    per_node: Option<Located<Value>>,
    total: Option<Located<Value>>,
}

/// The script that a command starts, through any launchers in front of it.
pub fn entry(command: &Command) -> Option<Entry<'_>> {
    let mut at = 0;
    let mut counts = Counts::default();
    let mut distributed = false;
    for _ in 0..12 {
        let program = command.known(at)?;
        let Some(mut launcher) = launchers::by_program(program) else {
            // A script run by its own path, or a program that trains by itself.
            return finish(command, at, false, counts, distributed);
        };
        let mut parsed = launchers::parse(launcher, command, at + 1)?;
        if let Some(inner) = parsed.module.and_then(|at| command.known(at)).and_then(launchers::by_module) {
            launcher = inner;
            parsed = launchers::parse(inner, command, parsed.at)?;
        }
        distributed |= launcher.distributed;
        counts = merged(counts, told(launcher, &parsed, command));
        if let Some(module) = parsed.module {
            return finish(command, module, true, counts, distributed);
        }
        let python =
            launcher.suffix_starts_python && command.known(parsed.at).is_some_and(|word| word.ends_with(".py"));
        match launcher.starts {
            Starts::Python if !parsed.plain => return finish(command, parsed.at, false, counts, distributed),
            Starts::Program if python => return finish(command, parsed.at, false, counts, distributed),
            Starts::Python | Starts::Program => at = parsed.at,
            Starts::Shell | Starts::Batch | Starts::Text => return None,
        }
    }
    None
}

impl Launch {
    /// Whether the training runs in a container or on another machine, where other files are than here.
    pub fn trains_elsewhere(&self) -> bool {
        let Some(command) = self.training_command() else { return false };
        let end = entry(command).map_or(command.argv.len(), |entry| entry.first_argument);
        let mut elsewhere = launchers::go_elsewhere(command, end);
        let mut via = command.via;
        while let Some(outer) = via.and_then(|index| self.commands.get(index)) {
            elsewhere |= launchers::go_elsewhere(outer, 1);
            // A wrapper comes before what it starts.
            via = outer.via.filter(|next| Some(*next) < via);
        }
        elsewhere
    }

    /// The script of the training command, with what the wrappers around it tell about processes.
    pub fn training_entry(&self) -> Option<Entry<'_>> {
        let mut found = entry(self.training_command()?)?;
        let mut via = self.training_command()?.via;
        while let Some(outer) = via.and_then(|index| self.commands.get(index)) {
            if !found.distributed
                && let Some(launcher) = outer.known(0).and_then(launchers::by_program).filter(|l| l.distributed)
                && let Some(parsed) = launchers::parse(launcher, outer, 1)
            {
                let counts = told(launcher, &parsed, outer);
                found.distributed = true;
                (found.nnodes, found.nproc_per_node, found.world_size) = resolved(counts, true);
            }
            via = outer.via;
        }
        Some(found)
    }
}

fn finish(command: &Command, at: usize, module: bool, counts: Counts, distributed: bool) -> Option<Entry<'_>> {
    let script = command.argv.get(at)?;
    let arguments = command.argv.get(at + 1..).unwrap_or_default();
    let (nnodes, nproc_per_node, world_size) = resolved(counts, distributed);
    Some(Entry { script, module, arguments, first_argument: at + 1, distributed, nnodes, nproc_per_node, world_size })
}

/// The three numbers, one from the others.
fn resolved(counts: Counts, distributed: bool) -> (Located<Value>, Located<Value>, Located<Value>) {
    let unknown = |what: &str| {
        let reason = format!("the launch does not tell the {what}");
        Located::nowhere(Value::unknown(format!("the {what}"), reason, Vec::new()))
    };
    if !distributed {
        let one = || Located::nowhere(Value::Int(1));
        return (one(), one(), one());
    }
    let Counts { nodes, per_node, total } = counts;
    let int = |value: &Option<Located<Value>>| value.as_ref().and_then(|located| located.value.int());
    let nodes = match (nodes, int(&total), int(&per_node)) {
        (Some(nodes), ..) => nodes,
        (None, Some(total), Some(per_node)) if per_node > 0 && total % per_node == 0 => {
            Located::nowhere(Value::Int(total / per_node))
        }
        _ => unknown("number of nodes"),
    };
    let per_node = match (per_node, int(&total), nodes.value.int()) {
        (Some(per_node), ..) => per_node,
        (None, Some(total), Some(nodes)) if nodes > 0 && total % nodes == 0 => {
            Located::nowhere(Value::Int(total / nodes))
        }
        _ => unknown("number of processes on each node"),
    };
    let world = match (total, nodes.value.int(), per_node.value.int()) {
        (Some(total), ..) => total,
        (None, Some(nodes_count), Some(per_node_count)) => {
            let places = nodes.places.iter().chain(&per_node.places).cloned().collect();
            Located::new(nodes_count.checked_mul(per_node_count).map_or(Value::None, Value::Int), places)
        }
        (None, None, _) => nodes.clone(),
        (None, _, None) => per_node.clone(),
    };
    (nodes, per_node, world)
}

fn merged(outer: Counts, inner: Counts) -> Counts {
    let told = inner.nodes.is_some() || inner.per_node.is_some() || inner.total.is_some();
    if told { inner } else { outer }
}

/// What a launcher's options tell.
fn told(launcher: &Launcher, parsed: &Parsed, command: &Command) -> Counts {
    let find = |names: &[String], default: Option<i64>| {
        let found = parsed.options.iter().rev().find(|(name, _)| launchers::is_one_of(names, name));
        match found {
            Some((name, Some(at))) => command.argv.get(*at).map(|word| number(name, word)),
            _ => default.map(|number| Located::nowhere(Value::Int(number))),
        }
    };
    let facts = &launcher.facts;
    Counts {
        nodes: find(&facts.nodes, facts.default.nodes),
        per_node: find(&facts.per_node, facts.default.per_node),
        total: find(&facts.total, None),
    }
}

/// The number that an option's word holds: `8`, `--nnodes=2`, `-N2`.
fn number(option: &str, word: &Word) -> Located<Value> {
    let value = match &word.value {
        Err(unknown) => Value::Unknown(unknown.clone()),
        Ok(text) => {
            let text = text.split_once('=').filter(|_| text.starts_with('-')).map_or(text.as_str(), |(_, value)| value);
            let text = text.strip_prefix(option).unwrap_or(text);
            text.trim().parse().map_or_else(
                |_| {
                    let reason = format!("`{option} {text}` is settled when the launcher runs");
                    Value::unknown(option, reason, word.places.clone())
                },
                Value::Int,
            )
        }
    };
    Located::new(value, word.places.clone())
}
