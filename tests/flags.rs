//! The flags of every version against the live parser of that version, and argparse against Python's own.

mod support {
    pub mod recorded;
}

use std::collections::BTreeMap;

use moe_lint::rules::flags::{Action, ActionKind, FlagTable, Form, Nargs, Parser};
use serde_json::{Value as Json, json};
use support::recorded;

fn parser(tag: &str) -> Parser {
    let version = tag.parse().expect("the tag of a version");
    FlagTable::load().expect("sound rules").parser(&version)
}

/// An action the way `tests/truth/record/flags.py` writes it.
fn recorded(action: &Action) -> Json {
    let kind = match action.kind {
        ActionKind::Store => "StoreAction",
        ActionKind::StoreConst => "StoreConstAction",
        ActionKind::StoreTrue => "StoreTrueAction",
        ActionKind::StoreFalse => "StoreFalseAction",
        ActionKind::Append => "AppendAction",
        ActionKind::BooleanOptional => "BooleanOptionalAction",
        ActionKind::Help => "HelpAction",
    };
    let nargs = match action.nargs {
        Nargs::One => Json::Null,
        Nargs::Optional => json!("?"),
        Nargs::Any => json!("*"),
        Nargs::Some => json!("+"),
        Nargs::Exactly(n) => json!(n),
    };
    let default = if action.kind == ActionKind::Help { json!("==SUPPRESS==") } else { recorded::json(&action.default) };
    json!({
        "options": action.options.iter().map(|o| &**o).collect::<Vec<_>>(),
        "dest": &*action.dest,
        "action": kind,
        "nargs": nargs,
        "const": recorded::json(&action.constant),
        "default": default,
        "type": action.value_type.as_ref().map(|t| &*t.name),
        "choices": action.choices.as_ref().map(|c| c.iter().map(recorded::json).collect::<Vec<_>>()),
        "required": if action.required { json!(true) } else { Json::Null },
    })
}

/// The record writes enum members as `Enum.member`; a value is the member's name.
fn by_member_name(mut live: Json, action: &Action) -> Json {
    let member = |json: &mut Json| {
        if let Some((_, name)) = json.as_str().and_then(|text| text.split_once('.')) {
            *json = json!(name);
        }
    };
    if matches!(action.value_type.as_deref().map(|t| &t.form), Some(Form::Member { .. })) {
        member(&mut live["default"]);
        live["choices"].as_array_mut().into_iter().flatten().for_each(member);
    }
    live
}

#[test]
fn every_version_has_the_flags_of_its_live_parser() {
    for (tag, dump) in recorded::files("flags") {
        let parser = parser(&tag);
        assert_eq!(json!(parser.allow_abbrev), dump["allow_abbrev"], "{tag}");
        let live: Vec<&Json> = dump["actions"].as_array().expect("actions").iter().collect();
        let mut wrong = Vec::new();
        for live in &live {
            let option = live["options"][0].as_str().expect("an option string");
            match parser.action(option) {
                None => wrong.push(format!("{option} is missing")),
                Some(action) => {
                    let (live, ours) = (by_member_name((*live).clone(), action), recorded(action));
                    if live != ours {
                        wrong.push(format!("{option}\n  live {live}\n  ours {ours}"));
                    }
                }
            }
        }
        for action in &parser.actions {
            if !live.iter().any(|live| live["options"][0] == json!(&*action.options[0])) {
                wrong.push(format!("{} is not in the live parser", action.options[0]));
            }
        }
        assert!(wrong.is_empty(), "{tag}:\n{}", wrong.join("\n"));
    }
}

/// Rules are sorted by name and argparse's actions are not; this is where it would matter.
#[test]
fn the_first_action_of_a_dest_sets_its_default() {
    for (tag, dump) in recorded::files("flags") {
        let parser = parser(&tag);
        let mut live = BTreeMap::new();
        for action in dump["actions"].as_array().expect("actions") {
            let dest = action["dest"].as_str().expect("a dest");
            if dest != "help" {
                let option = action["options"][0].as_str().expect("an option string");
                let action = by_member_name(action.clone(), parser.action(option).expect("a known flag"));
                live.entry(dest.to_owned()).or_insert(action["default"].clone());
            }
        }
        let ours: BTreeMap<String, Json> =
            parser.defaults().into_iter().map(|(dest, value)| (dest, recorded::json(&value))).collect();
        assert_eq!(ours, live, "{tag}");
    }
}

#[test]
fn the_life_of_a_flag_is_known() {
    let table = FlagTable::load().expect("sound rules");
    let life = |option| {
        let show = |version: &Option<_>| version.as_ref().map(ToString::to_string);
        table.lifetimes(option).iter().map(|(since, until)| (show(since), show(until))).collect::<Vec<_>>()
    };
    assert_eq!(life("--num-layers"), [(None, None)]);
    assert_eq!(life("--moe-use-legacy-grouped-gemm"), [(Some("0.11".to_owned()), Some("0.17".to_owned()))]);
    assert_eq!(life("--persistent-save-interval"), [(Some("0.9".to_owned()), None)]);
    assert_eq!(life("--disable-ckpt-fully-parallel-save"), [(Some("0.16".to_owned()), Some("0.17".to_owned()))]);
    assert_eq!(life("--no-such-flag"), []);
}

#[test]
fn mistakes_in_rule_files_are_named() {
    let error =
        |text: &str| FlagTable::from_files([("megatron/flags/x.toml", text)]).expect_err("a mistake").to_string();
    let cases = [
        ("[flags]\n--x = { typo = 1 }", "unknown field `typo`"),
        ("[flags]\n--x = { type = \"nonsense\" }", "`--x`: the type `nonsense` is not described in [types]"),
        ("[flags]\nx = {}", "`x`: a flag begins with `-`; is this a field?"),
        ("[flags]\n--x = { since = \"0.9\", until = \"0.8\" }", "`--x`: `until` is not after `since`"),
        ("[flags]\n--x = { since = \"0.9\", changes.\"0.9\" = { default = 1 } }", "the change in 0.9 is outside"),
        ("[flags]\n--x = { also = [\"--y\"] }\n--y = {}", "`--y` is also an option of `--x`"),
        ("[flags]\n--x = { action = \"store_true\", nargs = 2 }", "has no `nargs`"),
        ("[flags]\n--x = { choices = [{ valeu = 1 }] }", "a choice has no `valeu`"),
        ("[fields]\nx = { type = \"int\", dest = \"y\" }", "`x`: a field says only its type"),
        ("[types.t]\nform = \"member\"", "`t`: `members` is missing"),
    ];
    for (text, message) in cases {
        let error = error(text);
        assert!(error.contains("x.toml") && error.contains(message), "{text}\n{error}");
    }
}
