//! Scripts for the comparison with bash: single constructs, and a generator of random ones.

use proptest::collection::vec;
use proptest::prelude::*;

/// One construct each, of those that a random script seldom holds.
pub const CONSTRUCTS: &[&str] = &[
    "set -e\nx=$(( * )); torchrun no\ntorchrun $?x\necho $((1/0))\nf() { x=$((2 *)); torchrun no; }\nf\na[1+*]=3\ndeclare -i n=1+*\ntorchrun 1",
    "set -e\n(( 1 +* ))\ntorchrun no",
    "set -e\nlet '1 +*'\ntorchrun no",
    "set -e\nreadonly r=1\ntorchrun 1\nr=2\ntorchrun no",
    "set -e\neval 'y=$(( * ))'\ntorchrun no",
    "eval 'y=$(( * )); torchrun no\ntorchrun 1'",
    "set -e\n( y=$(( * )); torchrun no )\ntorchrun no",
    "set -e\nx=$(echo $((1/0)))\ntorchrun no",
    "torchrun a 'b c'; torchrun $_; A=1 B=2; torchrun \"[$_]\"; : x y; torchrun $_; f() { :; }; f q r; torchrun $_",
    "A=; B=y; torchrun ${A:-{x,y}} ${A:-$B{p,q}} {${A:-1},2}",
    "A=1; B=${A:+x}${C:-y}${D=z}; torchrun $B $D \"${A-}\" ${A:?no}",
    "P=/a/b.c.d; torchrun ${P##*/} ${P%/*} ${P%%.*} ${P#/} ${P/b/x} ${P//./-} ${P/#\\//R} ${P/%d/e} ${P^^} ${P:1:3} ${P: -2} ${#P}",
    "A=(x 'y z' w); torchrun \"${A[@]}\" ${A[*]} \"${A[*]}\" ${#A[@]} \"${A[@]:1}\" ${A[-1]} \"${!A[@]}\" \"${A[@]/y/Q}\" \"${A[@]%z}\"",
    "declare -A M=([a]=1 [\"b c\"]=2); M[d]=3; for k in \"${!M[@]}\"; do torchrun \"$k=${M[$k]}\"; done",
    "f() { local x=$1 y; shift; y=$#; torchrun $x $y \"$@\" ${FUNCNAME[0]}; return 3; }; f a 'b c' d; torchrun $?",
    "set -- a 'b c' d; shift; torchrun \"$@\" $# \"$*\" $1 ${@:1:1} \"${@: -1}\"; set --; torchrun \"$@\" $#",
    "while getopts 'ab:' o; do torchrun $o $OPTARG; done < /dev/null",
    "I=3; while ((I > 0)); do torchrun $I; ((I--)); done; until [ $I -ge 2 ]; do I=$((I + 1)); done; torchrun $I",
    "for ((i = 0, j = 9; i < j; i += 4, j--)); do torchrun $i $j; [ $i = 4 ] && break; done",
    "for i in {1..3} {a..c} x{1,2}y {05..01..2}; do torchrun $i; done",
    "case ab in a) torchrun 1 ;; a*|b) torchrun 2 ;& x) torchrun 3 ;;& *b) torchrun 4 ;; *) torchrun 5 ;; esac",
    "[[ abc == a* && ! -z x || -n '' ]] && torchrun 1; [[ abc =~ ^(a)(.)c$ ]] && torchrun \"${BASH_REMATCH[@]}\"; [[ a == 'a*' ]] || torchrun 2",
    "read -r A B <<< 'x y z'; IFS=, read -r C D <<< 'p,q,r'; torchrun $A \"$B\" $C \"$D\"",
    "mapfile -t L <<< $'a b\\nc'; torchrun \"${L[@]}\" ${#L[@]}",
    "printf -v X '%03d|%-4s|%5.2f|%x|%s' 7 ab 3.14159 255 e; torchrun \"$X\"; torchrun $(printf '%s-' a b c)",
    "X=$(cat <<EOF\na $HOME \"q\" \\$x\nEOF\n); torchrun \"$X\"; torchrun \"$(cat <<'E'\n$HOME 'x'\nE\n)\"",
    "eval 'A=\"x y\"; torchrun $A \"$A\"'; C='torchrun \"a b\" $HOME'; eval $C; $C",
    "A='*.bin'; torchrun *.bin \"*.bin\" $A [ab].bin ?.bin no*.x; set -f; torchrun *.bin",
    "torchrun $(basename /a/b.sh .sh) $(dirname /a/b) $(echo x | tr a-z A-Z) $(seq 3) $(echo a:b:c | cut -d: -f2) $(expr 2 + 3)",
    "torchrun $(echo 'a b' | wc -w) $(printf 'a\\nb\\nc\\n' | head -n 2 | tail -1) $(echo abc | sed 's/b/X/') $(echo 'a b' | awk '{print $2}')",
    "set -e; f() { false; torchrun in; true; }; if f; then torchrun yes; fi; f || torchrun no; f; torchrun never",
    "set -u; torchrun ${A:-d}; torchrun $A; torchrun never",
    "A=1; (A=2; torchrun $A); torchrun $A; { A=3; }; torchrun $A; A=4 eval 'torchrun $A'; torchrun $A",
    "echo x | { read v; torchrun $v; }; torchrun \"$v\"; cat < /dev/null | torchrun p; torchrun a > /dev/null 2>&1 &\nwait; torchrun b",
    "A=5; N=A; torchrun ${!N}; declare -n R=A; R=6; torchrun $A; declare -i K=2+3; K+=4; torchrun $K; declare -u U=abc; torchrun $U",
    "readonly Q=1; Q=2; torchrun $Q; unset Q; torchrun $Q; export E=1; torchrun ${E+set} ${F+set}",
    "trap 'torchrun bye' EXIT; torchrun hi; exit 3; torchrun never",
    "a=2; for e in 0--a '5 ++a' '5+++a' '5--1' '2 ++ 3' '5++' '(a)--a' '(a)--1' 'a--' 'a --'; do ( torchrun $((1 + ($e))) ); torchrun $e; done",
    "f() { for i in 1 2 3; do [ $i = 2 ] && return 7; torchrun $i; done; }; f; torchrun $?",
    "for i in 1 2; do for j in 1 2; do [ $j = 2 ] && continue 2; torchrun $i $j; done; done; for i in 1; do for j in 1 2; do break 2; done; torchrun x; done",
    "A=\"a\\\"b\\$c\\\\d\\e\"; torchrun \"$A\" 'x'\\''y' $'t\\tn\\x41' \"`echo hi`\" a\\ b",
    "torchrun a \\\n  b \\\n  # c\n  d",
    "torchrun a#b # c\ntorchrun $((1+2*3)) $((7/2)) $((-7%3)) $((2**10)) $((1<<4|1)) $((3>2?5:6)) $((0x1f)) $((010)) $(( (1+2)*3 ))",
    "a=3 b=a; torchrun $((a++ + ++a)) $a $((b)) $((a*=2)) $((a,7)) $((!a)) $((~a)) $((5&3^1))",
    "A=(1 2 3); A+=(4); A[1]=x; unset 'A[0]'; torchrun ${A[@]} ${!A[@]} $((A[2] + 1)); A=(\"${A[@]}\" e); torchrun ${#A[@]}",
    "shopt -s nullglob extglob\ntorchrun *.none +(a|b).bin; shopt -s nocasematch; [[ ABC == abc ]] && torchrun yes",
    "IFS=:; A=a:b::c; torchrun $A \"$A\"; set -- $A; torchrun $# \"$*\"; unset IFS; B=' x  y '; torchrun $B",
    "test 1 -lt 2 -a -n x && torchrun 1; [ ! a = b ] && torchrun 2; [ a = b -o c = c ] && torchrun 3; [ ] || torchrun 4; [ -z \"\" ] && torchrun 5",
    "X=a; X+=b; torchrun ${X}c \"${X}\"'d'$X; Y=${X/b/$X}; torchrun $Y ${Y@Q} ${Y@U}",
    "f() { echo \"r $1\"; return 2; }; V=$(f q); torchrun \"$V\" $?; W=$(f z) || torchrun failed $?",
    "bash -c 'torchrun \"$0\" \"$@\" $#' a 'b c'; env A=1 torchrun e; command torchrun c; exec torchrun x; torchrun never",
    "if false; then torchrun 1; elif true; then torchrun 2; else torchrun 3; fi; ! true || torchrun 4; true && false || torchrun 5",
    "let 'x = 3 * 2' y=1; torchrun $x $y; ((z = x > 5)) && torchrun $z; ((0)) || torchrun no",
    "A=; torchrun $A \"$A\" ''$A x$A; torchrun ${A:-\"a b\"} ${A:-'c d'} \"${A:-e \"f\" g}\" ${A:-x y}",
    "set -- \"$@\"; torchrun $# \"$@\" $@ \"$*\" \"pre$@post\"",
    "while read -r l; do torchrun \"$l\"; done <<< $'p q\\n r'; while read -r a b; do torchrun \"$b\"; done < <(printf '%s\\n' 'x y' z)",
    "A={a,b} ; torchrun $A {a,b}{c,'d e'} {,x} {x} a{b,{c,d}}e '{a,b}' ${HOME}{1,2}",
    "function g { torchrun g \"$@\"; }; g 1; g() ( torchrun sub; A=9; ); g; torchrun \"$A\"",
    "x=5; [[ $x -gt 3 && $x -lt 10 ]] && torchrun ok; [[ 10 < 9 ]] && torchrun lex; [[ -f a.bin && -d . && ! -e nope ]] && torchrun files",
    "source /dev/stdin <<< 'Z=1'; torchrun \"$Z\"; . ./nope.sh; torchrun after",
    "torchrun ${A[@]} \"${A[@]}\" \"${A[*]}\" ${#A[@]}; A=(); torchrun \"${A[@]}\" x",
    "cd /; torchrun $PWD $OLDPWD; cd - > /dev/null; pushd / > /dev/null; torchrun \"$(pwd)\"; popd > /dev/null",
    "v=$(false); torchrun $?; v=x; torchrun $?; torchrun \"$(exit 3)\"; (exit 4); torchrun $?",
    "torchrun \"${#}\" ${#1} ${1:1:1} ${2/ /_} \"${3:-none}\" ${10:-ten}",
    "A=abc; torchrun ${A:1} ${A:0:-1} ${A:5} ${A:1:1} ${A: -2:1}; torchrun ${A/[ab]/x} ${A//[^b]/} ${A#?} ${A%%[bc]*}",
    "echo a > f.tmp; cat f.tmp; torchrun \"$(cat f.tmp)\" \"$(< f.tmp)\"; rm f.tmp; [ -e f.tmp ] || torchrun gone",
];

/// The names of variables; arrays and scalars are apart, so that scripts stay sensible.
fn scalar() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("A"), Just("B"), Just("OPT"), Just("n_1")]
}

fn array() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("L"), Just("M")]
}

fn plain() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}",
        "--[a-z]{1,3}",
        "[0-9]{1,2}",
        "[a-z]/[a-z.]{1,3}",
        Just("a=b".to_owned()),
        Just("x:y".to_owned()),
        Just("1e-4".to_owned()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[a-z0-9 ,:*./=-]{0,8}"
}

/// An arithmetic expression that cannot fail.
fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[0-9]{1,2}".prop_map(|n| n.trim_start_matches('0').to_owned() + "1"),
        Just("i".to_owned()),
        Just("k".to_owned())
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), prop_oneof!["[-+*<>&|^]", Just("==".to_owned()), Just("<=".to_owned())], inner)
            .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
    })
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]", Just("*".to_owned()), Just("?".to_owned()), Just("[a-m]".to_owned()), "[a-z]\\*", "\\*[a-z/.]"]
}

/// A word; `depth` bounds what stands in its expansions.
fn word(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        4 => plain(),
        2 => scalar().prop_map(|v| format!("${v}")),
        2 => scalar().prop_map(|v| format!("\"${{{v}}}\"")),
        1 => array().prop_map(|v| format!("\"${{{v}[@]}}\"")),
        1 => array().prop_map(|v| format!("${{{v}[@]}}")),
        1 => array().prop_map(|v| format!("\"${{{v}[*]}}\"")),
        1 => array().prop_map(|v| format!("${{#{v}[@]}}")),
        1 => (array(), 0..3).prop_map(|(v, i)| format!("\"${{{v}[{i}]}}\"")),
        1 => (array(), 0..3, 0..3).prop_map(|(v, i, n)| format!("\"${{{v}[@]:{i}:{n}}}\"")),
        1 => text().prop_map(|t| format!("'{t}'")),
        1 => text().prop_map(|t| format!("\"{t}\"")),
        1 => scalar().prop_map(|v| format!("${{#{v}}}")),
        1 => (scalar(), pattern(), prop_oneof![Just("#"), Just("##"), Just("%"), Just("%%")]).prop_map(|(v, p, o)| format!("\"${{{v}{o}{p}}}\"")),
        1 => (scalar(), pattern(), "[a-z]{0,2}", prop_oneof![Just("/"), Just("//"), Just("/#"), Just("/%")]).prop_map(|(v, p, w, o)| format!("\"${{{v}{o}{p}/{w}}}\"")),
        1 => (scalar(), 0..4, 0..4).prop_map(|(v, o, n)| format!("\"${{{v}:{o}:{n}}}\"")),
        1 => scalar().prop_map(|v| format!("${{{v}^^}}")),
        1 => number().prop_map(|n| format!("$(({n}))")),
        1 => Just("\"$@\"".to_owned()),
        1 => Just("$*".to_owned()),
        1 => Just("$#".to_owned()),
        1 => Just("\"$1\"".to_owned()),
        1 => Just("{a,b}".to_owned()),
        1 => Just("x{1..3}".to_owned()),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    // Braces in an operand are cut by bash's own scan for them.
    let inner = word(depth - 1).prop_map(|word| word.replace("{a,b}", "ab").replace("x{1..3}", "x1"));
    let inner = inner.boxed();
    prop_oneof![
        6 => leaf,
        1 => (scalar(), inner.clone()).prop_map(|(v, w)| format!("${{{v}:-{w}}}")),
        1 => (scalar(), inner.clone()).prop_map(|(v, w)| format!("${{{v}:+{w}}}")),
        1 => (scalar(), inner.clone()).prop_map(|(v, w)| format!("\"${{{v}-{}}}\"", w.replace(['"', '\''], ""))),
        1 => vec(inner.clone(), 0..3).prop_map(|w| format!("$(echo {})", w.join(" "))),
        1 => vec(inner.clone(), 0..3).prop_map(|w| format!("\"$(printf '%s,' {})\"", w.join(" "))),
        1 => (inner.clone(), inner).prop_map(|(a, b)| format!("{a}{b}")),
    ]
    .boxed()
}

fn words() -> impl Strategy<Value = String> {
    vec(word(2), 0..5).prop_map(|words| words.join(" "))
}

fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        scalar().prop_map(|v| format!("[ -z \"${v}\" ]")),
        (scalar(), plain()).prop_map(|(v, w)| format!("[ \"${v}\" = {w} ]")),
        (scalar(), pattern()).prop_map(|(v, p)| format!("[[ ${v} == {p}* ]]")),
        (scalar(), "[a-z]").prop_map(|(v, p)| format!("[[ \"${v}\" =~ ^{p}(.*)$ ]]")),
        number().prop_map(|n| format!("(({n}))")),
        Just("[ $# -gt 1 ]".to_owned()),
        array().prop_map(|v| format!("[[ ${{#{v}[@]}} -gt 1 && -n x ]]")),
        Just("! true".to_owned()),
    ]
}

fn statement() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => (scalar(), word(2)).prop_map(|(v, w)| format!("{v}={w}")),
        2 => (scalar(), word(1)).prop_map(|(v, w)| format!("{v}+={w}")),
        1 => (scalar(), text()).prop_map(|(v, t)| format!("{v}=\"{t}\"")),
        3 => (array(), words()).prop_map(|(v, w)| format!("{v}=({w})")),
        2 => (array(), words()).prop_map(|(v, w)| format!("{v}+=({w})")),
        1 => (array(), 0..4, word(1)).prop_map(|(v, i, w)| format!("{v}[{i}]={w}")),
        8 => words().prop_map(|w| format!("torchrun {w}")),
        1 => number().prop_map(|n| format!("k=$(({n}))")),
        1 => words().prop_map(|w| format!("set -- {w}")),
        1 => Just("shift".to_owned()),
        1 => (scalar(), text()).prop_map(|(v, t)| format!("read -r {v} OPT <<< \"{t}\"")),
        1 => (scalar(), word(1)).prop_map(|(v, w)| format!("printf -v {v} '%s|' {w}")),
        1 => words().prop_map(|w| format!("eval torchrun {w}")),
        1 => words().prop_map(|w| format!("f {w}")),
        1 => scalar().prop_map(|v| format!("unset {v}")),
        1 => (1..4).prop_map(|n| format!("break {n}")),
        1 => (1..4).prop_map(|n| format!("((++rounds > 30)) && break\ncontinue {n}")),
        1 => (0..4).prop_map(|n| format!("return {n}\ntorchrun returned $?")),
        1 => (scalar(), word(1)).prop_map(|(v, w)| format!("local {v}={w}\ntorchrun local $?")),
        1 => Just("export -f f".to_owned()),
        1 => Just("export A n_1".to_owned()),
        1 => words().prop_map(|w| format!("bash -c 'f \"$@\"; torchrun new \"$A\" $n_1 $#' {w}")),
        1 => (scalar(), word(1)).prop_map(|(v, w)| format!("{v}=$(cat <<EOF\n{} ${v}\nEOF\n)", w.replace('\'', ""))),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let body = vec(inner, 1..4).prop_map(|lines| lines.join("\n"));
        prop_oneof![
            (condition(), body.clone(), body.clone()).prop_map(|(c, a, b)| format!("if {c}; then\n{a}\nelse\n{b}\nfi")),
            (words(), body.clone()).prop_map(|(w, b)| format!("for i in {w}; do\n{b}\n{GUARD}\ndone")),
            (1..4, body.clone()).prop_map(|(n, b)| format!("for ((k = 0; k < {n}; k++)); do\n{b}\n{GUARD}\ndone")),
            (word(1), pattern(), body.clone(), body.clone())
                .prop_map(|(w, p, a, b)| format!("case {w} in\n{p}*|zz) {a} ;;\n*) {b} ;;\nesac")),
            body.clone().prop_map(|b| format!("(\n{b}\n)")),
            (condition(), body.clone()).prop_map(|(c, b)| format!("{c} && {{\n{b}\n}}")),
            (body.clone(), words()).prop_map(|(b, w)| format!("g() {{\nlocal A=$1 L\n{b}\n}}\ng {w}")),
            body.prop_map(|b| format!("{{\n{b}\n}}")),
        ]
    })
}

/// Ends a loop that would go on, and empties what would grow.
const GUARD: &str = "((++rounds > 30)) && break\n\
    ((${#A} + ${#B} + ${#OPT} + ${#n_1} + ${#L[@]} + ${#M[@]} > 200)) && A= B= OPT= n_1= L=() M=()";

/// A random script.
pub fn script() -> impl Strategy<Value = String> {
    vec(statement(), 1..8).prop_map(|statements| {
        let all = statements.join("\n");
        format!("i=1 k=2 rounds=0\nf() {{ torchrun f \"$@\" $#; }}\n{all}\ntorchrun end \"$A\" \"$B\" \"${{L[@]}}\" \"${{M[@]}}\"\n")
    })
}
