"""Dump what the argument parser of one Megatron-LM version knows.

    python flags.py --tag core_v0.12.0 --megatron DIR > core_v0.12.0.json

core_v0.6.0 and core_v0.7.0 cannot be imported without Transformer Engine: give them --te and --te-version.
"""

import argparse
import contextlib
import json
import os
import runpy
import sys
import tempfile

import environment


class _Seen(Exception):
    """Carries the live parser out of the script."""


def live_parser(megatron):
    """The parser pretrain_gpt.py of that checkout is about to parse its command line with."""
    def stop(self, *_args, **_kwargs):
        raise _Seen(self)

    real = argparse.ArgumentParser.parse_args, argparse.ArgumentParser.parse_known_args
    sys.argv = ["pretrain_gpt.py"]
    argparse.ArgumentParser.parse_args = argparse.ArgumentParser.parse_known_args = stop
    try:
        runpy.run_path(os.path.join(megatron, "pretrain_gpt.py"), run_name="__main__")
    except _Seen as seen:
        return seen.args[0]
    finally:
        argparse.ArgumentParser.parse_args, argparse.ArgumentParser.parse_known_args = real
    raise SystemExit("pretrain_gpt.py ended without parsing anything")


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _action(action):
    kind = action.type
    return {
        "options": list(action.option_strings),
        "dest": action.dest,
        "action": type(action).__name__.lstrip("_"),
        "nargs": action.nargs,
        "const": _plain(action.const),
        "default": _plain(action.default),
        "type": None if kind is None else getattr(kind, "__name__", str(kind)),
        "choices": None if action.choices is None else [_plain(c) for c in action.choices],
        "required": action.required or None,
    }


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tag", required=True)
    options.add_argument("--megatron", required=True)
    options.add_argument("--te", help="checkout of Transformer Engine")
    options.add_argument("--te-version", help="its version")
    given = options.parse_args()
    te = given.te and (given.te, f"{given.te_version}.0" if given.te_version.count(".") < 2 else given.te_version)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(sys.stderr):
        environment.prepare(given.megatron, te=te, apex=True, scratch=scratch)
        parser = live_parser(given.megatron)
    json.dump({"tag": given.tag, "allow_abbrev": parser.allow_abbrev,
               "actions": [_action(a) for a in parser._actions]}, sys.stdout)


if __name__ == "__main__":
    main()
