//! Following a bash script without running it.
//!
//! A text is parsed ([`parse`], [`parse_word`]) into a small tree ([`ast`]), which a [`machine`] follows command by
//! command: words are expanded as bash expands them, programs are recorded and never run. What cannot be known is a
//! hole ([`holes`]) with its reason; where a hole decides what runs, both sides are followed and joined ([`fork`]).

mod arithmetic;
mod ast;
mod brace;
mod builtins;
mod condition;
mod declare;
mod escapes;
mod expand;
mod fork;
mod glob;
pub mod holes;
mod input;
mod loops;
mod machine;
mod names;
mod number_tools;
mod parameter;
mod parse;
mod parse_compound;
mod parse_condition;
mod parse_parameter;
mod parse_redirect;
mod parse_simple;
mod parse_word;
mod pattern;
mod printf;
mod programs;
mod redirect;
mod regex;
mod run;
mod sed;
mod set;
mod simple;
mod state;
mod strings;
mod text;
mod text_tools;
mod tools;
mod variables;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::Launch;
use super::options::Options;
use crate::text::Source;
use machine::{Machine, Running};
use state::{Field, Flags, State, Value, Variable};
use text::Text;

/// The line and the reason of the first syntax error of a text.
pub fn syntax_error(text: &str) -> Option<(usize, String)> {
    let unit = Rc::new(ast::Unit { text: Text::made(text) });
    let (_, error) = parse::Parser::new(unit).all();
    error.map(|error| (text.get(..error.at).unwrap_or("").matches('\n').count() + 1, error.message))
}

/// Follows a script whose name the user gave as `name`.
pub fn follow(source: &Arc<Source>, name: &str, options: &Options<'_>) -> Launch {
    let directory = options.directory.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    let mut variables: HashMap<String, Rc<Variable>> = HashMap::new();
    for (name, value) in
        [("IFS", " \t\n"), ("OPTIND", "1"), ("OSTYPE", "linux-gnu"), ("BASH", "/bin/bash"), ("PS4", "+ ")]
    {
        let mut variable = Variable::new(Value::Scalar(Text::made(value)));
        variable.ours = false;
        variables.insert(name.to_owned(), Rc::new(variable));
    }
    for (name, value) in &options.env {
        let mut variable = Variable::new(Value::Scalar(Text::made(holes::without_holes(value.clone()))));
        variable.exported = true;
        variable.ours = false;
        variables.insert(name.clone(), Rc::new(variable));
    }
    let arguments =
        options.args.iter().map(|text| Field::one(Text::made(holes::without_holes(text.clone())))).collect();
    let state = State {
        variables,
        functions: Rc::default(),
        exported_functions: Rc::default(),
        positional: Rc::new(arguments),
        name: Text::made(name),
        directory: Text::made(directory.to_string_lossy()),
        directories: Vec::new(),
        flags: Flags::default(),
        status: Ok(0),
        pipeline: vec![Ok(0)],
        frames: Vec::new(),
        on_exit: None,
        getopts: 0,
        input: None,
        output: None,
        files: Rc::default(),
        matched: Vec::new(),
    };
    let mut machine = Machine {
        state,
        holes: holes::Holes::default(),
        files: options.files,
        limits: options.limits,
        complete: options.complete,
        has_arguments: !options.args.is_empty(),
        assigned: HashSet::new(),
        sources: vec![source.clone()],
        commands: Vec::new(),
        unknowns: Vec::new(),
        remarks: Vec::new(),
        running: vec![Running { file: Text::made(name), function: String::new() }],
        inside: machine::Inside::default(),
        steps: 0,
        depth: 0,
        testing: 0,
        pending: Vec::new(),
        substituted: None,
        refused: false,
        command: None,
        in_trap: false,
        in_document: false,
        via: None,
        here: None,
    };
    let result = machine.run_text(Text::of_source(source));
    // A script that a limit stopped keeps what was found before.
    let _ = machine.finish_script(result);
    Launch {
        sources: machine.sources,
        commands: machine.commands,
        training: None,
        unknowns: machine.unknowns,
        remarks: machine.remarks,
    }
}
