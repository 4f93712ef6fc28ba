"""Turns recorded launches into the compact form that the tests read.

    python compact.py recorded.jsonl [more.jsonl ...] > ../expect/TAG.jsonl

Ranks that hold the same state dicts share them; a tensor is written as `bfloat16[2,3]`, anything else as `object`,
in the global state with the grid of its shards: `object[2,4]`.
"""

import json
import sys


def entry(value):
    """One entry of a rank's own state dict."""
    if "shape" in value:
        return f"{value['dtype']}{json.dumps(value['shape'], separators=(',', ':'))}"
    return "object"


def sharded(state):
    """(key, entry) of everything that a sharded state dict would write."""
    for value in state.values():
        grid = json.dumps(value.get("global_shape"), separators=(",", ":"))
        if value["kind"] == "ShardedTensor":
            yield value["key"], f"{value['dtype']}{grid}"
        elif value["kind"] == "ShardedObject":
            yield value["key"], f"object{grid}"
        else:
            for built in value.get("built", []):
                yield built["key"], f"{built['dtype']}{json.dumps(built['global_shape'], separators=(',', ':'))}"


def compact(record):
    out = {key: record.get(key) for key in ("name", "te", "argv", "world")}
    out["apex"] = record.get("apex", True)
    if "yaml" in record:
        out["yaml"] = record["yaml"]
    if record.get("rejected"):
        out["rejected"] = f"{record['rejected']} {record.get('stderr_last') or ''}".strip()
        return out
    chunks, indexes, ranks, whole, errors = [], {}, [], {}, []
    for rank in record["ranks"]:
        of_rank = []
        for chunk in rank["chunks"]:
            state = {key: entry(value) for key, value in sorted(chunk["state_dict"].items())}
            text = json.dumps(state)
            if text not in indexes:
                indexes[text] = len(chunks)
                chunks.append(state)
            of_rank.append(indexes[text])
            if chunk.get("sharded_error"):
                errors.append(chunk["sharded_error"])
            for key, value in sharded(chunk.get("sharded_state_dict") or {}):
                if whole.setdefault(key, value) != value:
                    raise SystemExit(f"{record['name']}: {key} is {whole[key]} and {value}")
        file = rank["ckpt_name"].split("/", 1)[1]
        ranks.append([rank["tp"], rank["pp"], rank["ep"], rank.get("etp"), file, of_rank])
    out.update(chunks=chunks, ranks=ranks)
    out["global"] = whole if whole and not errors else None
    if errors:
        out["global_error"] = errors[0]
    out["args"] = {key: value for key, value in record["args"].items() if value is not None}
    return out


for path in sys.argv[1:]:
    with open(path) as file:
        for line in file:
            print(json.dumps(compact(json.loads(line)), separators=(",", ":")))
