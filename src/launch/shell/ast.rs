//! The tree of a shell text. It holds ranges of the text, not copies, so that every word knows its place.

use std::cell::OnceCell;
use std::rc::Rc;

use super::text::Text;
use crate::text::Span;

/// One text that was parsed as a whole: a file, the argument of `eval`, a here-document.
#[derive(Debug)]
pub struct Unit {
    /// The text.
    pub text: Text,
}

/// A range of bytes in a [`Unit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Unit {
    /// The part of the text at a range.
    pub fn slice(&self, at: At) -> Text {
        self.text.slice(at.start..at.end)
    }

    /// The plain text at a range.
    pub fn str(&self, at: At) -> &str {
        self.text.as_str().get(at.start..at.end).unwrap_or("")
    }

    /// The place of a range in a text of the user.
    pub fn span(&self, at: At) -> Option<Span> {
        self.text.span(at.start..at.end)
    }
}

/// Commands one after the other.
#[derive(Debug, Default)]
pub struct List {
    /// The commands.
    pub items: Vec<AndOr>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others; `true` stands for `&&`.
    pub rest: Vec<(bool, Pipeline)>,
    /// Whether it ends in `&`.
    pub background: bool,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub struct Pipeline {
    /// Whether `!` turns its status round.
    pub negated: bool,
    /// The commands.
    pub commands: Vec<Command>,
}

/// One command with its redirections.
#[derive(Debug)]
pub struct Command {
    /// The text it was read from.
    pub unit: Rc<Unit>,
    /// Where it is written.
    pub at: At,
    /// What it is.
    pub kind: Kind,
    /// Its redirections, in order.
    pub redirects: Vec<Redirect>,
}

/// The kinds of commands.
#[derive(Debug)]
pub enum Kind {
    /// Assignments and words.
    Simple(Simple),
    /// `{ ...; }`
    Group(List),
    /// `( ... )`
    Subshell(List),
    /// `if`: conditions with their bodies, then the `else` body.
    If(Vec<(List, List)>, Option<List>),
    /// `for NAME in WORDS`; without words it goes over the positional parameters.
    For(String, Option<Vec<Word>>, List),
    /// `for ((INIT; CONDITION; STEP))`
    ForArithmetic([Option<Word>; 3], List),
    /// `select`: asks a person.
    Select(String, List),
    /// `case`
    Case(Word, Vec<Arm>),
    /// `while`, or `until` where the flag is set.
    While(bool, List, List),
    /// `(( ... ))`
    Arithmetic(Word),
    /// `[[ ... ]]`
    Test(Condition),
    /// A function's definition.
    Function(String, Rc<Command>),
}

/// One arm of a `case`.
#[derive(Debug)]
pub struct Arm {
    /// Its patterns.
    pub patterns: Vec<Word>,
    /// What it runs.
    pub body: List,
    /// How it ends.
    pub end: ArmEnd,
}

/// What follows an arm that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmEnd {
    /// `;;`
    Stop,
    /// `;&`: the next arm runs too.
    Fall,
    /// `;;&`: the next patterns are tried too.
    Test,
}

/// Assignments and words.
#[derive(Debug, Default)]
pub struct Simple {
    /// Assignments before the first word.
    pub assignments: Vec<Assignment>,
    /// The words.
    pub words: Vec<Argument>,
}

/// A word of a simple command; `declare` and its like take assignments as arguments.
#[derive(Debug)]
pub enum Argument {
    /// A word.
    Word(Word),
    /// An assignment given to `declare`, `export`, `local`, `readonly`.
    Assignment(Assignment),
}

/// `NAME=VALUE`, `NAME[INDEX]+=VALUE`, `NAME=(...)`.
#[derive(Debug)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// The element of an array.
    pub index: Option<Word>,
    /// Whether it is `+=`.
    pub append: bool,
    /// What is assigned.
    pub value: Assigned,
}

/// The right side of an assignment.
#[derive(Debug)]
pub enum Assigned {
    /// A word.
    Scalar(Word),
    /// The elements of an array, some with an index.
    Array(Vec<(Option<Word>, bool, Word)>),
}

/// A redirection.
#[derive(Debug)]
pub struct Redirect {
    /// The descriptor in front of it, if one is written.
    pub descriptor: Option<u32>,
    /// What it does.
    pub kind: RedirectKind,
}

/// What a redirection does.
#[derive(Debug)]
pub enum RedirectKind {
    /// `< FILE`
    Input(Word),
    /// `> FILE`, `>> FILE` (the flag), `&> FILE` (both outputs).
    Output {
        /// The file.
        file: Word,
        /// Whether it adds to the file.
        append: bool,
        /// Whether standard error goes there too.
        both: bool,
    },
    /// `>&2`, `2>&1`, `<&3`
    Duplicate {
        /// Whether it is an input.
        input: bool,
        /// The descriptor, or `-`.
        to: Word,
    },
    /// `<< END`; the body is read after the line's end.
    HereDocument(Rc<OnceCell<Word>>),
    /// `<<< WORD`
    HereString(Word),
}

/// What `[[ ... ]]` asks.
#[derive(Debug)]
pub enum Condition {
    /// `&&`
    And(Box<Condition>, Box<Condition>),
    /// `||`
    Or(Box<Condition>, Box<Condition>),
    /// `!`
    Not(Box<Condition>),
    /// `-f FILE` and the like; a bare word is `-n`.
    Unary(String, Word),
    /// `A == B` and the like.
    Binary(String, Word, Word),
}

/// A word before expansion.
#[derive(Debug, Clone)]
pub struct Word {
    /// The text it was read from.
    pub unit: Rc<Unit>,
    /// Where it is written.
    pub at: At,
    /// Its pieces.
    pub pieces: Vec<Piece>,
}

/// A piece of a word.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Text outside quotes (inside double quotes: text).
    Literal(At),
    /// A backslash and the character it quotes.
    Escaped(At),
    /// The inside of `'...'`.
    Single(At),
    /// The inside of `$'...'`.
    Ansi(At),
    /// `"..."`
    Double(Vec<Piece>),
    /// `~`, `~user`, `~+`
    Tilde(At),
    /// `$V`, `${V...}`
    Parameter(Rc<Parameter>),
    /// `$(...)` and backquotes.
    Command(At, Rc<List>),
    /// `$((...))`
    Arithmetic(At, Rc<Word>),
    /// `<(...)` where the flag is set, else `>(...)`.
    Process(At, bool, Rc<List>),
    /// Text that brace expansion made.
    Made(Text),
}

/// A parameter expansion.
#[derive(Debug)]
pub struct Parameter {
    /// Where it is written.
    pub at: At,
    /// Which parameter.
    pub name: Name,
    /// Which elements of it.
    pub index: Index,
    /// Whether `!` stands before the name.
    pub indirect: bool,
    /// What is done with it.
    pub operation: Operation,
}

/// The name of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A variable.
    Variable(String),
    /// `$1`, `${10}`
    Positional(usize),
    /// `@ * # ? - $ ! 0`
    Special(char),
}

/// The index of a parameter.
#[derive(Debug)]
pub enum Index {
    /// None.
    None,
    /// `[@]`
    All,
    /// `[*]`
    Joined,
    /// `[WORD]`
    One(Word),
}

/// What an expansion does with its parameter.
#[derive(Debug)]
pub enum Operation {
    /// Nothing.
    None,
    /// `${#V}`
    Length,
    /// `-`, `=`, `+`, `?`; the flag is the colon's.
    Default(char, bool, Word),
    /// `#`, `##`, `%`, `%%`
    Trim {
        /// Whether the end is cut.
        suffix: bool,
        /// Whether the longest match is cut.
        longest: bool,
        /// The pattern.
        pattern: Word,
    },
    /// `/`, `//`, `/#`, `/%` (the character; a blank for the plain one).
    Replace(char, Word, Word),
    /// `:OFFSET:LENGTH`
    Slice(Word, Option<Word>),
    /// `^ ^^ , ,, ~ ~~`; the flag stands for all characters.
    Case(char, bool, Word),
    /// `@Q` and the like.
    Transform(char),
    /// `${!A[@]}`
    Keys,
    /// `${!PREFIX*}`
    Names,
}
