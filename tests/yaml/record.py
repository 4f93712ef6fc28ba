"""Writes table.json: what PyYAML's safe_load makes of texts. Run with PyYAML 6.

Values are `null`, `true`, texts; {"int": digits}, {"float": repr}, {"list": [...]}, {"map": [[key, value], ...]},
{"other": 1} for times and bytes, {"error": 1} where it raises.
"""
import datetime
import itertools
import json
import pathlib

import yaml


def shown(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, list):
        return {"list": [shown(item) for item in value]}
    if isinstance(value, dict):
        return {"map": [[shown(key), shown(item)] for key, item in value.items()]}
    assert isinstance(value, (datetime.date, bytes)), type(value)
    return {"other": 1}


def loaded(text):
    try:
        return shown(yaml.safe_load(text))
    except Exception:
        return {"error": 1}


SCALARS = """
1e-5 1e5 1.e-5 1.0e-5 1.0e5 1.0E+5 1.5e3 .5 -.5 +.5 5. 1_000 1_000.5 1__0 _1 1_ 010 0o10 08 018 0x1F 0xfg 0b101 0b12 -0x10 +7 -7
007 00 0 -0 +0 0_7 1:30 1:30:59 1:60 01:30 -1:30 1:30.5 190:20:30.15 .inf -.inf +.inf .Inf .INF .iNf .nan .NaN .NAN -.nan inf nan
yes Yes YES yEs no No NO true True TRUE tRUE false False FALSE on On ON off Off OFF y n Y N oN null Null NULL nULL ~ ~~ none None
2024-01-01 2024-1-1 2024-13-01 2024-02-30 2024-01-01T10:00:00 2024-01-01T10:00:00Z 2024-01-01t10:00:00.5+02:00 2024-1-1T1:00:00 24-01-01
= == << <<x . .. ... - -- --flag -x +x +. -. 1.2.3 1-2 1e 1e+ e5 0x 0b 0.0 0. 00.5 09.5 9223372036854775807 9223372036854775808
123456789012345678901234567890 1,000 1;2 a:b a#b ${VAR} $VAR @file `x` %x !x !!str &a *a ? ?x | > "1" '1' "a\\tb" "\\x41" 'it''s'
bf16 1b 0-9 ([0]*5+[1]*21)*3 1/2 1.0.0 +1_0 -1_0.0 1_.0 1._0 0b1_0 0x_1 0_ 1e-05 5e-324 1.7976931348623157e+309 4.0e-0
""".split()

DOCUMENTS = [
    "", "# only a comment\n", "---\n", "--- 1\n...\n", "--- 1\n--- 2\n", "a: 1\na: 2\nb: 3\n", "1: a\ntrue: b\n1.0: c\n", "~: x\n: y\n",
    "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "a: &x {p: 1}\nb: &y {p: 2, q: 3}\nc: {<<: [*x, *y], r: 4}\n", "b: {q: 1, <<: {q: 2, z: 3}}\n",
    "a: {<<: 1}\n", "a: {<<: [1]}\n", "a: {\"<<\": {p: 1}}\n", "a: {=: 1}\n", "a: =\n", "a: <<\n", "[a, b]: 1\n", "{a: 1}: 2\n", "? [a]\n: 1\n",
    "a: *nowhere\n", "a: &a [1, *a]\n", "- &x 1\n- *x\n- &x 2\n- *x\n", "a: |\n  x\n  y\n", "a: |-\n  x\n", "a: |+\n  x\n\n", "a: >\n  x\n  y\n\n  z\n", "a: |\n  1",
    "a: x\n  y\n", "a: \"x\n  y\"\n", "a: 'x\n\n  y'\n", "a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: !!bool \"yes\"\ne: !!null x\n", "a: !foo 1\n", "a: !!python/tuple [1]\n",
    "a: ! 1\n", "a: !!binary aGk=\n", "a: !!timestamp 2024-01-01\n", "a: !!int x\n", "a: !!bool x\n", "a: [1, 2,]\n", "a: [1, , 2]\n", "a: {b, c: }\n", "a: {b: 1, b: 2}\n",
    "a: b: c\n", "a:\n  - 1\n  -\n  - - 2\n    - 3\n", "a:\n- 1\n- 2\nb: 3\n", "a:\n\t- 1\n", "\ta: 1\n", "a:\t1\n", "a: 1\t# c\n", "a: 1 #c\nb: 1#c\n", "a: 'x\n", "a: [1\n", "a: }\n",
    "a : 1\n", "a:1\n", "\"a\":1\n", "{\"a\":1}\n", "{a:1}\n", "- a\nb: 1\n", "a: 1\n b: 2\n", "  a: 1\n  b: 2\n", "a: @x\n", "a: `x`\n", "a: %x\n", "%YAML 1.1\n---\na: 1\n", "a: \"\\q\"\n", "a: \"\\u00e9\\n\"\n",
    "# c\na: 1\n\n# d\n\nb:   # e\n  c: 2\n", "\ufeffa: 1\n", "a: 'é'\nb: ü\n", "a: - 1\n", "- - - 1\n", "-1\n", "- -1\n", "--- a: 1\n", "a: &x\nb: *x\n", "*x : 1\n", "&x a: *x\n", "a: !!set {x, y}\n", "a: !!map {x: 1}\nb: !!seq [1]\n",
    "--micro-batch-size: 1\n--bf16: true\n--moe-layer-freq: ([0]*3+[1]*58)\n--rotary-percent: 1.0\n--lr: 1e-4\n--x: ${A}/b\n--y: [1 2]\n", "a: {? b : 1}\n", "a: \"b\" c\n", "a: 1\n---\n", "a: 1\n...\n", "a: [a b, c d]\nb: [ ]\nc: {}\n",
    "a: 1\r\nb: 2\r\n", "a: x y  \nb: ' x '\n", "a: \"\"\nb: ''\nc:\n", "a: \x07\n", "a:\n  b: 1\n c: 2\n", "a: [\n1,\n2\n]\n", "a: {\n  b: 1,\n  c: [x,\n y]}\n", "key with spaces: v\n", "a: 1\t\n", "a:\n\t\n  b: 1\n", "a: 1 # x\ty\n",
    "a: x\ty\n", "a: 'x'\t\n", "[1,\t2]\n", "a: 'x\ty'\n", "a: |\n  x\ty\n\tz\n", "{: 1}\n", "{a: 1, : 2}\n", "? \n: y\n", "- ! 'x'\n", "a:\n  # \tc\n  b: 1\n",
    "a: &x 1\nb: &x 2\n", "- ?x\n", "a: [b?, c?d]\n", "a: \"x\\ty\"\n", "\t\n", "a: 1\n\t", "a: 1\n\t# c\n", "[!!str , 1]\n", "a?b: 1\n? a\n? b\n",
]

TEMPLATES = ["{}", "a: {}\n", "- {}\n", "[{}]", "{{k: {}}}", "{}: v\n"]
TEXTS = [t.format(s) for t, s in itertools.product(TEMPLATES[1:2] + TEMPLATES[3:4], SCALARS)] + DOCUMENTS
TEXTS += ["{}: v\n".format(s) for s in SCALARS[:60]]
ROWS = [json.dumps([text, loaded(text)], ensure_ascii=True) for text in dict.fromkeys(TEXTS)]
pathlib.Path(__file__).with_name("table.json").write_text("[\n" + ",\n".join(ROWS) + "\n]\n")
