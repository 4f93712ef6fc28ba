//! What argparse itself does is tested against Python (`tests/argparse.rs`); this is about what we add to it.

use std::sync::Arc;

use super::*;
use crate::text::{Located, Source};

const FLAGS: &str = r#"
[flags]
--one = { type = "int" }
--maybe = { nargs = "?", const = "alone" }
--some = { nargs = "+" }
--any = { nargs = "*" }
--three = { nargs = 3, type = "int" }
--on = { action = "store_true" }
--off = { action = "store_false", dest = "on_by_default" }
--each = { action = "append", default = ["a"] }
--constant = { action = "store_const", const = 7 }
--needed = { required = true }
--layers = { type = "pattern" }
[types.pattern]
form = "int_or_list"
"#;

fn parser() -> Parser {
    let table = crate::rules::flags::FlagTable::from_files([("test.toml", FLAGS)]).expect("sound rules");
    table.parser(&"1.0".parse().expect("a version"))
}

/// The words of a line; one with a `$` in it is unknown.
fn words(line: &str) -> Vec<Word> {
    let source = Source::command_line(line);
    let mut at = 0;
    let mut words = Vec::new();
    for text in line.split(' ') {
        let places = vec![Span { source: Arc::clone(&source), start: at, end: at + text.len() }];
        at += text.len() + 1;
        let unknown = || Unknown { name: text.to_owned(), reason: "is not set".to_owned(), places: places.clone() };
        let value = if text.contains('$') { Err(Arc::new(unknown())) } else { Ok(text.to_owned()) };
        words.push(Located::new(value, places));
    }
    words
}

fn parsed(line: &str) -> Parsed {
    parse_known(&parser(), &words(line))
}

fn show(line: &str, dest: &str) -> String {
    parsed(line).arguments[dest].value.to_string()
}

fn open(line: &str) -> Vec<String> {
    parsed(line).open.iter().map(|unknown| unknown.name.clone()).collect()
}

fn message(line: &str) -> Option<String> {
    parse(&parser(), &words(line)).rejection.map(|rejection| rejection.message)
}

#[test]
fn every_action_does_its_work() {
    let line = "--needed x --one 1 --one 2 --maybe --on --off --each b --each c --constant";
    let expected = [
        ("needed", "x"),
        ("one", "2"),
        ("maybe", "alone"),
        ("on", "True"),
        ("on_by_default", "False"),
        ("each", "['a', 'b', 'c']"),
        ("constant", "7"),
        ("any", "None"),
    ];
    for (dest, value) in expected {
        assert_eq!(show(line, dest), value, "{dest}");
    }
    assert_eq!(message(line), None);
}

#[test]
fn a_value_remembers_where_it_was_given() {
    let one = parsed("--one 1 --one=2").arguments["one"].clone();
    let given = one.given.expect("given");
    assert_eq!(given.option, "--one");
    assert_eq!(given.places[0].text(), "--one=2");
    let some = parsed("--some a b").arguments["some"].clone().given.expect("given");
    assert_eq!(some.places.iter().map(Span::text).collect::<Vec<_>>(), ["--some", "a", "b"]);
    assert_eq!(parsed("--on").arguments["one"].given, None);
}

#[test]
fn a_missing_flag_is_required() {
    assert_eq!(message("--on").as_deref(), Some("the following arguments are required: --needed"));
    assert_eq!(message("--on $MORE"), None, "it may be in there");
}

#[test]
fn the_first_complaint_counts_and_the_rest_is_read() {
    let parsed = parse(&parser(), &words("--one x --on --some"));
    let rejection = parsed.rejection.expect("a rejection");
    assert_eq!(rejection.message, "argument --one: invalid int value: 'x'");
    assert_eq!((rejection.option.as_deref(), rejection.ending), (Some("--one"), Ending::Usage));
    assert_eq!(rejection.places.iter().map(Span::text).collect::<Vec<_>>(), ["--one", "x"]);
    assert_eq!(parsed.arguments["on"].value, Value::Bool(true));
}

#[test]
fn an_unknown_word_is_the_value_of_the_option_before_it() {
    for line in ["--one $N --on", "--one=$N --on", "\"--one=$N\" --on", "--some $N --on", "--any $N --on"] {
        let dest = if line.contains("one") { "one" } else { line[2..6].trim() };
        assert_eq!(open(line), [""; 0], "{line}");
        assert!(matches!(parsed(line).arguments[dest].value, Value::Unknown(_)), "{line}");
        assert_eq!(show(line, "on"), "True", "{line}");
    }
}

#[test]
fn an_unknown_word_by_itself_may_be_any_options() {
    assert_eq!(open("$A --on $B"), ["$A", "$B"]);
    assert_eq!(open("--one 1 $A 5 --strange"), ["$A"]);
    // `5` may be the value of an option in $A, but the parser knows no --strange.
    let strangers: Vec<_> = parsed("--one 1 $A 5 --strange").unrecognized.iter().map(|w| w.value.clone()).collect();
    assert_eq!(strangers, [Ok("--strange".to_owned())]);
}

#[test]
fn behind_the_first_value_an_unknown_word_may_be_both() {
    assert_eq!(open("--some a $B"), ["$B"]);
    assert!(matches!(parsed("--some a $B").arguments["some"].value, Value::Unknown(_)));
    assert_eq!(open("--some a \"$B\""), [""; 0], "quoted, it is one word");
    assert_eq!(open("--some a \"${B[@]}\""), ["\"${B[@]}\""], "but a whole list is not");
    assert_eq!(open("--maybe $A"), ["$A"]);
}

#[test]
fn an_unknown_word_can_be_several_values() {
    assert_eq!(message("--needed x --three $A --on"), None);
    assert_eq!(message("--needed x --three 1 --on").as_deref(), Some("argument --three: expected 3 arguments"));
}

#[test]
fn a_path_with_an_unknown_part_is_no_option() {
    assert_eq!(open("/data/$NAME"), [""; 0]);
    assert_eq!(message("--needed x /data/$NAME").as_deref(), Some("unrecognized arguments: /data/$NAME"));
}

#[test]
fn what_python_would_have_to_run_is_unknown() {
    let unknown = [
        "[1if(i)else(0)for(i)in(range(8))]".to_owned(),
        "[1]*99999999999".to_owned(),
        format!("[1]{}", "+[1]".repeat(100_000)),
        format!("[1]{}", "[0]".repeat(100_000)),
    ];
    for pattern in unknown {
        let line = format!("--layers {pattern}");
        assert!(matches!(parsed(&line).arguments["layers"].value, Value::Unknown(_)), "{pattern:.40}");
    }
    for pattern in ["(".repeat(100_000) + "[", "[".repeat(100_000), "[1]+".to_owned() + &"+".repeat(100_000)] {
        let rejection = parsed(&format!("--layers {pattern}")).rejection.expect("a rejection");
        assert_eq!(rejection.ending, Ending::Traceback);
        assert!(rejection.message.starts_with("SyntaxError"), "{}", rejection.message);
    }
}

proptest::proptest! {
    #[test]
    fn no_command_line_is_too_strange(
        texts in proptest::collection::vec("(--layers=?|--(one|some|three|on)|-h|-)?[-$=_ \\PC\\[\\]()*+,0-9.]{0,12}", 0..8)
    ) {
        let line = texts.join(" ");
        let parsed = parse(&parser(), &words(&line));
        proptest::prop_assert_eq!(parsed.arguments.len(), parser().defaults().len());
    }
}
