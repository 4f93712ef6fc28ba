//! Which variables a text assigns: those do not come from the environment alone.

use std::collections::HashSet;

use super::ast::{Argument, Assigned, Assignment, Command, Kind, List, Name, Operation, Piece, Word};

/// Adds the names that commands assign. `V=$V:x` does not count: it expects a value from outside.
pub fn collect(lists: &[List], names: &mut HashSet<String>) {
    for list in lists {
        in_list(list, names);
    }
}

fn in_list(list: &List, names: &mut HashSet<String>) {
    for item in &list.items {
        for pipeline in std::iter::once(&item.first).chain(item.rest.iter().map(|(_, pipeline)| pipeline)) {
            for command in &pipeline.commands {
                in_command(command, names);
            }
        }
    }
}

fn in_command(command: &Command, names: &mut HashSet<String>) {
    let mut lists: Vec<&List> = Vec::new();
    match &command.kind {
        Kind::Simple(simple) => {
            for assignment in &simple.assignments {
                in_assignment(assignment, names);
            }
            for argument in &simple.words {
                match argument {
                    Argument::Assignment(assignment) => in_assignment(assignment, names),
                    Argument::Word(word) => in_word(word, names),
                }
            }
            by_builtin(&simple.words, names);
        }
        Kind::Group(list) | Kind::Subshell(list) => lists.push(list),
        Kind::If(arms, otherwise) => {
            lists.extend(arms.iter().flat_map(|(condition, body)| [condition, body]));
            lists.extend(otherwise);
        }
        Kind::For(name, _, body) | Kind::Select(name, body) => {
            names.insert(name.clone());
            lists.push(body);
        }
        Kind::ForArithmetic(_, body) => lists.push(body),
        Kind::Case(_, arms) => lists.extend(arms.iter().map(|arm| &arm.body)),
        Kind::While(_, condition, body) => lists.extend([condition, body]),
        Kind::Function(_, body) => in_command(body, names),
        Kind::Arithmetic(_) | Kind::Test(_) => {}
    }
    for list in lists {
        in_list(list, names);
    }
}

fn in_assignment(assignment: &Assignment, names: &mut HashSet<String>) {
    let name = &assignment.name;
    let inherits = match &assignment.value {
        Assigned::Scalar(word) => assignment.append || mentions(word, name),
        Assigned::Array(_) => false,
    };
    if !inherits {
        names.insert(name.clone());
    }
}

/// Whether a word holds `$NAME` or `${NAME...}`.
fn mentions(word: &Word, name: &str) -> bool {
    let text = word.unit.str(word.at);
    text.match_indices(name).any(|(at, _)| {
        let before = &text[..at];
        let after = text[at + name.len()..].chars().next();
        (before.ends_with('$') || before.ends_with("${"))
            && !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// `: ${V:=x}` assigns too.
fn in_word(word: &Word, names: &mut HashSet<String>) {
    let mut pieces: Vec<&Piece> = word.pieces.iter().collect();
    while let Some(piece) = pieces.pop() {
        match piece {
            Piece::Double(inside) => pieces.extend(inside),
            Piece::Parameter(parameter) => {
                if let (Name::Variable(name), Operation::Default('=', ..)) = (&parameter.name, &parameter.operation) {
                    names.insert(name.clone());
                }
            }
            _ => {}
        }
    }
}

/// The names that `read`, `mapfile`, `printf -v` and `getopts` set.
fn by_builtin(words: &[Argument], names: &mut HashSet<String>) {
    let mut texts = words.iter().filter_map(|argument| match argument {
        Argument::Word(word) => Some(word.unit.str(word.at)),
        Argument::Assignment(_) => None,
    });
    let found: Vec<&str> = match texts.next() {
        Some("read" | "mapfile" | "readarray") => texts.filter(|text| !text.starts_with('-')).collect(),
        Some("getopts") => texts.skip(1).take(1).collect(),
        Some("printf") => {
            texts.next().filter(|option| *option == "-v").and_then(|_| texts.next()).into_iter().collect()
        }
        Some("let") => texts.filter_map(|text| text.trim_matches('"').split(['=', '+', '-']).next()).collect(),
        _ => return,
    };
    for name in found {
        let name = name.trim_matches(['"', '\'']).split('[').next().unwrap_or("");
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            names.insert(name.to_owned());
        }
    }
}
