"""Record what Python's argparse makes of random command lines for the flags of one Megatron-LM version.

    python parses.py --flags ../flags/core_v0.12.0.json.gz --count 400 --seed 1 > core_v0.12.0.json

The parser is built from the dump that flags.py made, with Megatron-LM's own conversion functions beside it, so that
neither torch nor Megatron-LM is needed. Run it with Python 3.11: later versions changed argparse.
"""

import argparse
import contextlib
import enum
import gzip
import io
import json
import random
import re
import signal
import sys


def _eval_pattern(pattern):
    if re.compile(r'[^,\d\[\]\(\)\+\*]').search(pattern):
        raise ValueError(f"Invalid pattern: {pattern}")
    return eval(pattern)


def frequency(name, checked):
    """moe_freq_type and its two siblings, in the version that looks before it evaluates or in the one that does not."""
    def convert(x):
        if '[' in x:
            return _eval_pattern(x) if checked else eval(x)
        return int(x)
    convert.__name__ = name
    return convert


def tuple_type(x):
    return tuple(int(i) for i in x.strip('()').split(','))


AttnBackend = enum.Enum("AttnBackend", ["flash", "fused", "unfused", "local", "auto"])
CudaGraphModule = enum.Enum("CudaGraphModule", ["attn", "mlp", "moe", "moe_router", "moe_preprocess", "mamba"])
_SCOPES = ["full_iteration", "attn", "mlp", "moe", "moe_router", "moe_preprocess", "mamba"]


def _named(name, function):
    function.__name__ = name
    return function


def conversion(action, tag):
    """The function behind the type's name, and the choices where they are an enum's members."""
    name = action["type"]
    before_0_13 = tag in ("core_v0.10.0", "core_v0.11.0", "core_v0.12.0")
    if action["dest"] == "attention_backend":
        return _named(name, lambda word: AttnBackend[word]), list(AttnBackend)
    if action["dest"] == "exit_signal":
        return _named(name, lambda word: signal.Signals[word]), list(signal.Signals)
    if name == "<lambda>":
        members = _SCOPES + (["full_iteration_inference"] if tag != "core_v0.16.0" else [])
        scope = enum.Enum("CudaGraphScope", members)
        return (lambda word: scope[word] if word != "full" else word), None
    if name == "_parse_cuda_graph_modules_arg":
        kept = {"full", "full_iteration", "full_iteration_inference"}
        return _named(name, lambda word: word if word in kept else CudaGraphModule[word]), None
    if name is None:
        return None, action["choices"]
    if name.endswith("_freq_type"):
        return frequency(name, not before_0_13), action["choices"]
    plain = {"int": int, "float": float, "str": str, "bool": bool, "tuple_type": tuple_type}
    return plain[name], action["choices"]


def build(dump, allow_abbrev):
    parser = argparse.ArgumentParser(prog="pretrain_gpt.py", allow_abbrev=allow_abbrev)
    for action in dump["actions"]:
        kind, options = action["action"], action["options"]
        wanted = {"dest": action["dest"], "default": action["default"]}
        if kind == "HelpAction":
            continue
        if kind == "BooleanOptionalAction":
            parser.add_argument(options[0], action=argparse.BooleanOptionalAction, **wanted)
            continue
        if kind == "StoreAction":
            wanted["nargs"] = action["nargs"]
            wanted["type"], wanted["choices"] = conversion(action, dump["tag"])
            if wanted["type"] is None:
                del wanted["type"]
            # The dump has an enum's member as text.
            if action["dest"] == "attention_backend":
                wanted["default"] = AttnBackend.auto
        names = {"StoreAction": "store", "StoreTrueAction": "store_true", "StoreFalseAction": "store_false"}
        parser.add_argument(*options, action=names[kind], **wanted)
    return parser


TRICKY = [
    "", " ", "-", "--", "-1", "-1.5", "-.5", "-1e-5", "1e-5", "1_000", "1__0", " 5 ", "+7", "0x10", "010", "inf", "-inf",
    "nan", "1.", ".5", "None", "True", "a b", "-a b", "--a b", "x=y", "it's", 'say "x"', "tab\there", "-5x", "-0", "1e400",
    "99999999999999999999", "-h5", "-1_0", "3.0", "\u00e9", "\u200b", "\\", "-x", "-xy=1",
    "[1,0]", "[1]*3+[0]", "([1]*3+[0]*1)*2", "[1]+1", "[1", "[]", "[1]*0", "[0]*2+[1]*3,", "([1],[0])", "[*[1,2],3]",
    "[1][0]", "[1,2][5]", "[01]", "2*[1]", "[2**3]", "[[1]*2]*2", "(1,2)", "1,2,3", "(4)", "()", "[1](2)", "[1]*[1]",
    "[1,,2]", "[1]**2", "[1]*-1", "[1] + [0]", "[+1]", "[1]2", "[(1)]", "[(1,)]", "[1]+(1,)", "[(])", "[1]*2)*2",
]


def value_for(rng, action):
    if rng.random() < 0.12:
        return rng.choice(TRICKY)
    if action["choices"] and rng.random() < 0.9:
        choice = rng.choice(action["choices"])
        if action["dest"] == "exit_signal":
            return rng.choice(["SIGTERM", "SIGUSR1", "SIGCLD", "15"])
        return str(choice).rsplit(".", 1)[-1]
    kind = action["type"]
    if kind == "int":
        return str(rng.choice([0, 1, 2, 7, 128, 4096, -1, 10**6]))
    if kind == "float":
        return rng.choice(["0.1", "1e-4", "3", "-1", "1.0e5", "1_0.5", "1E3", "0"])
    if kind and kind.endswith("_freq_type"):
        return rng.choice([w for w in TRICKY if "[" in w] + ["1", "4"])
    if kind == "tuple_type":
        return rng.choice(["1,2", "(3,4)", "5", "(1,2", "1,", "x"])
    if kind in ("<lambda>", "_parse_cuda_graph_modules_arg"):
        return rng.choice(_SCOPES + ["full", "no_such"])
    return rng.choice(["/data/x", "name", "a-b", "1", "NullTokenizer", "a=b"])


def words_for(rng, action):
    option = rng.choice(action["options"])
    if option == "-h" or option == "--help":
        option = "--no-such-flag"
    nargs = action["nargs"]
    if rng.random() < 0.03:
        option = option[:-1]
    if rng.random() < 0.03:
        option = option.replace("_", "-")[:rng.randint(3, 12)]
    if nargs == 0:
        return [option] if rng.random() < 0.95 else [option + "=" + value_for(rng, action)]
    count = {None: 1, "*": rng.randint(0, 3), "+": rng.randint(1, 3), 3: 3}[nargs]
    if rng.random() < 0.05:
        count = rng.randint(0, 4)
    values = [value_for(rng, action) for _ in range(count)]
    if values and rng.random() < 0.2:
        return [f"{option}={values[0]}"] + values[1:]
    return [option] + values


def record(parser, argv, defaults):
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            namespace, extras = parser.parse_known_args(argv)
    except SystemExit as end:
        said = errors.getvalue()
        return {"code": end.code, "error": said[said.index("error: ") + 7:-1] if "error: " in said else ""}
    except BaseException as error:  # what argparse does not catch ends the program
        return {"code": 1, "error": f"{type(error).__name__}: {error}".split("\n")[0]}
    values = {dest: plain(value) for dest, value in vars(namespace).items()}
    changed = {dest: value for dest, value in values.items() if repr(value) != repr(defaults[dest])}
    return {"extras": extras, "arguments": changed}


def plain(value):
    """The value for JSON; numbers that JSON or 64 bits cannot hold become text."""
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, enum.Enum) and not isinstance(value, int):
        return value.name
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, int) and not -2**63 <= value < 2**63:
        return str(value)
    return int(value) if isinstance(value, signal.Signals) else value


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--flags", required=True)
    options.add_argument("--count", type=int, default=400)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--abbreviations", action="store_true", help="as if allow_abbrev were true")
    given = options.parse_args()
    with gzip.open(given.flags) as file:
        dump = json.load(file)
    parser = build(dump, given.abbreviations)
    rng = random.Random(given.seed)
    defaults = {k: plain(v) for k, v in vars(parser.parse_args([])).items()}
    runs = []
    for _ in range(given.count):
        actions = rng.choices(dump["actions"], k=rng.choice([0, 1, 1, 1, 2, 2, 3, 5, 8]))
        hard = [a for a in dump["actions"] if a["type"] not in (None, "int", "float", "str") or a["nargs"] not in (None, 0)]
        if rng.random() < 0.4:
            actions.append(rng.choice(hard))
        argv = [word for action in actions for word in words_for(rng, action)]
        while rng.random() < 0.1:
            argv.insert(rng.randint(0, len(argv)), rng.choice(TRICKY))
        runs.append({"argv": argv, **record(parser, argv, defaults)})
    json.dump({"tag": dump["tag"], "allow_abbrev": given.abbreviations, "runs": runs}, sys.stdout, ensure_ascii=False,
              separators=(",", ":"))


if __name__ == "__main__":
    main()
