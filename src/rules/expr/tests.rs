use super::*;
use crate::rules::version::Version;

fn scope() -> Scope<'static> {
    let mut scope = Scope::default();
    scope.set("n", Value::Int(7));
    scope.set("version", Value::Version("0.12.0".parse::<Version>().expect("a version")));
    scope.set("u", Value::unknown("$U", "is not set", vec![]));
    scope.set("list", Value::List([Value::Int(0), Value::Int(1)].into()));
    scope
}

fn value(text: &str) -> Result<Value, ExprError> {
    Expr::parse(text)?.eval(&scope())
}

#[test]
fn computes_as_python_does() {
    for (text, expected) in [
        ("1 + 2 * 3", "7"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("(4 * 100 * 2 // 3) // 64 * 64", "256"),
        ("n == 7 && version < '0.13' ? 'a' : 'b'", "a"),
        ("version >= 'core_v0.12.0'", "True"),
        ("[0] * 2 + [1]", "[0, 0, 1]"),
        ("literal('([0]*1+[1]*3)*2')", "[0, 1, 1, 1, 0, 1, 1, 1]"),
        ("list[-1]", "1"),
        ("missing_name == none", "True"),
        ("round_up(50257, 128 * 2)", "50432"),
        ("expand('Et*2|(t|)*2,mL')", "Ett|t|t|mL"),
        ("split(expand('E|t*2|L'), '|')", "['E', 'tt', 'L']"),
        ("'rope' in ['none', 'rope']", "True"),
        ("!n", "False"),
        ("is_known(u) || is_known(n) && n == 7", "True"),
        ("is_known(u + 1)", "False"),
        ("product([2, 3, n])", "42"),
        ("without(['a', 'b', 'c'], ['b'])", "['a', 'c']"),
    ] {
        assert_eq!(value(text).expect(text).to_string(), expected, "{text}");
    }
}

#[test]
fn unknown_spreads_only_where_it_decides() {
    assert_eq!(value("false && u"), Ok(Value::Bool(false)));
    assert_eq!(value("u || true"), Ok(Value::Bool(true)));
    assert_eq!(value("u ? 3 : 3"), Ok(Value::Int(3)));
    for text in ["u && true", "u + 1", "n < u", "max(u, 1)", "!u", "u ? 1 : 2"] {
        assert!(matches!(value(text), Ok(Value::Unknown(_))), "{text}");
    }
}

#[test]
fn errors_are_told_not_rounded() {
    for text in ["7 / 2", "1 // 0", "'a' < 1", "list[5]", "9223372036854775807 + 1", "[1] * 10000000", "1 +", "nope(1)"]
    {
        assert!(value(text).is_err(), "{text}");
    }
    assert!(value(&"(".repeat(500)).is_err());
    assert!(value(&"-".repeat(500)).is_err());
}

#[test]
fn what_is_printed_reads_back_the_same() {
    for text in ["a ? b + 1 : c[0] // 2", "!(x in ['a', 'b']) || -y == none", "min(a, 3) % 2"] {
        let expr = Expr::parse(text).expect(text);
        assert_eq!(Expr::parse(&expr.to_string()), Ok(expr));
    }
}
