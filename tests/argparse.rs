//! Command lines against what Python's argparse made of them: random ones (`tests/truth/record/parses.py`) and launches
//! of the real program (`launches.py` beside it).

mod support {
    pub mod recorded;
}

use std::collections::{BTreeMap, BTreeSet};

use moe_lint::launch::Word;
use moe_lint::launch::argparse::{self, Ending, Parsed};
use moe_lint::rules::flags::{FlagTable, Parser};
use moe_lint::rules::value::Value;
use moe_lint::text::Located;
use serde_json::{Value as Json, json};
use support::recorded;

fn words(argv: &Json) -> Vec<Word> {
    let texts = argv.as_array().expect("a list of words");
    texts.iter().map(|word| Located::nowhere(Ok(word.as_str().expect("text").to_owned()))).collect()
}

/// JSON has no infinities, and we know no numbers beyond 64 bits; the record writes them as text.
fn plain(value: &Value) -> Json {
    match value {
        Value::Float(x) if x.is_nan() => json!("nan"),
        Value::Float(x) if x.is_infinite() => json!(if *x > 0.0 { "inf" } else { "-inf" }),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Unknown(number) => json!(number.name),
        other => recorded::json(other),
    }
}

/// A message in the form in which both sides must agree.
fn comparable(message: &str) -> String {
    // Python's parser explains syntax errors in many words that nobody needs to know.
    if message.starts_with("SyntaxError: ") {
        return "SyntaxError".to_owned();
    }
    // argparse lists the candidates in the order of `add_argument`, rules are sorted.
    match message.split_once(" could match ") {
        Some((head, options)) => format!("{head} {:?}", options.split(", ").collect::<BTreeSet<_>>()),
        None => message.to_owned(),
    }
}

fn disagreement(parser: &Parser, run: &Json, ignored: &Json) -> Option<String> {
    let argv = words(&run["argv"]);
    let known = argparse::parse_known(parser, &argv);
    if run["error"].as_str().is_some_and(|error| error.starts_with("unrecognized arguments: ")) {
        let message = argparse::parse(parser, &argv).rejection.map(|rejection| rejection.message);
        return (json!(message) != run["error"]).then(|| format!("python says {}, we {message:?}", run["error"]));
    }
    let strict = argparse::parse(parser, &argv);
    if let Some(error) = run["error"].as_str() {
        let Some(rejection) = known.rejection else { return Some(format!("python says {error:?}")) };
        let same = comparable(&rejection.message) == comparable(error) && json!(rejection.ending.code()) == run["code"];
        return (!same).then(|| format!("python says {error:?}, we say {:?}", rejection.message));
    }
    if let Some(rejection) = &known.rejection {
        return Some(format!("we refuse it: {}", rejection.message));
    }
    let extras: Vec<&str> = known.unrecognized.iter().map(|w| w.value.as_deref().expect("known")).collect();
    if json!(extras) != run["extras"] {
        return Some(format!("unrecognized: python {}, we {extras:?}", run["extras"]));
    }
    let message = strict.rejection.map(|rejection| rejection.message);
    let expected = (!extras.is_empty()).then(|| format!("unrecognized arguments: {}", extras.join(" ")));
    if message != expected {
        return Some(format!("strictly, we say {message:?}"));
    }
    let mut ours = changed(parser, &known);
    ours.retain(|dest, _| !ignored.as_array().is_some_and(|names| names.contains(&json!(dest))));
    let live: BTreeMap<String, Json> = serde_json::from_value(run["arguments"].clone()).expect("arguments");
    (ours != live).then(|| format!("arguments: python {live:?}, we {ours:?}"))
}

/// The arguments that are not at their default.
fn changed(parser: &Parser, parsed: &Parsed) -> BTreeMap<String, Json> {
    let defaults = parser.defaults();
    let text = |value: &Value| plain(value).to_string();
    let different = |(dest, argument): &(&String, &argparse::Argument)| text(&argument.value) != text(&defaults[*dest]);
    parsed.arguments.iter().filter(different).map(|(dest, a)| (dest.clone(), plain(&a.value))).collect()
}

#[test]
fn command_lines_mean_what_python_says() {
    let table = FlagTable::load().expect("sound rules");
    for (name, record) in recorded::files("argparse") {
        let tag = record["tag"].as_str().expect("a tag");
        let mut parser = table.parser(&tag.parse().expect("a version"));
        parser.allow_abbrev = record["allow_abbrev"] == json!(true);
        let runs = record["runs"].as_array().expect("runs");
        let wrong: Vec<String> = runs
            .iter()
            .filter_map(|run| {
                disagreement(&parser, run, &record["ignored"]).map(|why| format!("{}\n    {why}", run["argv"]))
            })
            .collect();
        assert!(wrong.is_empty(), "{name}: {} of {} differ\n{}", wrong.len(), runs.len(), wrong.join("\n"));
    }
}

#[test]
fn help_ends_the_program_well() {
    let parser = FlagTable::load().expect("sound rules").parser(&"0.12".parse().expect("a version"));
    for option in ["-h", "--help"] {
        let parsed = argparse::parse(&parser, &words(&json!(["--lr", "1", option])));
        assert_eq!(parsed.rejection.map(|r| (r.ending, r.ending.code())), Some((Ending::Help, 0)));
    }
}
