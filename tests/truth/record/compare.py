"""Compare recordings with reference records of the same names.

    python compare.py reference.jsonl out.jsonl

Compared: refused or not (and how), the arguments, and for every rank and chunk the state dict and the
sharded state dict with all their fields. Prints one line a difference and a count.
"""

import json
import re
import sys


def _load(path):
    with open(path) as file:
        return {r["name"]: r for r in map(json.loads, file)}


def _differ(path, want, got, out):
    if isinstance(want, dict) and isinstance(got, dict):
        for key in want.keys() | got.keys():
            if key not in got:
                out.append(f"{path}/{key}: missing (want {str(want[key])[:100]})")
            elif key not in want:
                out.append(f"{path}/{key}: extra ({str(got[key])[:100]})")
            else:
                _differ(f"{path}/{key}", want[key], got[key], out)
    elif want != got:
        out.append(f"{path}: want {str(want)[:160]} got {str(got)[:160]}")


def _refusal(record):
    text = record.get("rejected") or record.get("crashed")
    return None if text is None else re.sub("0x[0-9a-f]+", "0x", text.strip())


def compare(want, got):
    """All differences between two records as text."""
    out = []
    if _refusal(want) != _refusal(got):
        return [f"refused: want {_refusal(want)} got {_refusal(got)}"]
    if want.get("stderr_last") and want["stderr_last"] != got.get("stderr_last"):
        out.append(f"stderr_last: want {want['stderr_last']} got {got.get('stderr_last')}")
    if "ranks" not in want:
        return out
    for name in ("te", "world"):
        _differ(name, want[name], got[name], out)
    # The reference may have been parsed without the arguments of the optional model optimizer, and looked at
    # before the process groups were made (where old versions fill local_rank in).
    theirs = {k: v for k, v in want["args"].items() if k != "local_rank"}
    _differ("args", theirs, {k: v for k, v in got["args"].items() if k in theirs}, out)
    mine = {r["rank"]: r for r in got["ranks"]}
    if len(want["ranks"]) != len(got["ranks"]):
        out.append(f"ranks: want {[r['rank'] for r in want['ranks']]} got {list(mine)}")
    for rank in want["ranks"]:
        path, other = f"rank{rank['rank']}", mine.get(rank["rank"])
        if other is None:
            out.append(f"{path}: missing")
            continue
        _differ(path, {k: v for k, v in rank.items() if k != "chunks"},
                {k: v for k, v in other.items() if k != "chunks"}, out)
        if len(rank["chunks"]) != len(other["chunks"]):
            out.append(f"{path}: {len(rank['chunks'])} chunks wanted, {len(other['chunks'])} got")
        for number, (a, b) in enumerate(zip(rank["chunks"], other["chunks"])):
            for side in (a, b):
                side.get("ssd_metadata") and side["ssd_metadata"].pop("dp_cp_group", None)
                if "sharded_error" in side:
                    side["sharded_error"] = side["sharded_error"].strip()[-200:]
            _differ(f"{path}.{number}", a, b, out)
            if list(a["state_dict"]) != list(b["state_dict"]):
                out.append(f"{path}.{number}: order of the state dict")
    return out


def main():
    want, got = _load(sys.argv[1]), _load(sys.argv[2])
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    same = 0
    for name in want:
        if name not in got:
            continue
        found = compare(want[name], got[name])
        same += not found
        for line in found[:limit]:
            print(f"{name}: {line}")
        if len(found) > limit:
            print(f"{name}: ... {len(found)} differences")
    print(f"{same} of {len(want.keys() & got.keys())} identical ({len(want)} references)")


if __name__ == "__main__":
    main()
