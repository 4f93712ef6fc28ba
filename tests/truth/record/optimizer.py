#!/usr/bin/env python3
"""Packs recorded loads with optimizer, scheduler and random-number state for tests/optimizer.rs: `optimizer.py RECORDED`.

RECORDED holds `pairs/<tag>.jsonl.xz` with one load a line and `ckpts/<tag>.tar.xz` with the checkpoints behind them, as
the real loader saw them. Written to tests/truth/optimizer:

- `<tag>.jsonl.gz`: the loads, without what no test reads
- `pieces.gz`, `files.gz`: all checkpoints, cut into pieces as tests/truth/checkpoints/pack.py does it; paths begin with
  the tag
"""
import gzip, json, lzma, os, sys, tarfile
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "optimizer")
KEEP = ["name", "fmt", "te", "argv", "world", "verdict", "stage", "ckpt", "ckpt_tag", "group", "label", "prep", "launch_variant",
        "optimizer_restored", "scheduler_restored", "iteration_after"]
RANK = ["verdict", "stage", "optimizer_restored"]
WRONG = {"restored", "empty_shard"}


def pieces(data):
    """Cuts where the content says so, at least 48 bytes apart."""
    if len(data) < 96:
        return [data]
    a = np.frombuffer(data, dtype=np.uint8).astype(np.uint32)
    mixed = (a[3:] * 7 + a[2:-1] * 13 + a[1:-2] * 31 + a[:-3] * 61) % 64
    out, start = [], 0
    for cut in np.flatnonzero(mixed == 0) + 3:
        if cut - start >= 48:
            out.append(data[start:cut])
            start = int(cut)
    return out + [data[start:]]


def ranges(numbers):
    out = []
    for n in numbers:
        if out and out[-1][1] + 1 == n:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def write(name, data):
    with open(os.path.join(TARGET, name), "wb") as f:
        with gzip.GzipFile("", "wb", 9, f, 0) as z:
            z.write(data)


def part(record, keep):
    out = {k: record[k] for k in keep if record.get(k) not in (None, [], "")}
    text = record.get("reason") or record.get("error") or ""
    if text:
        out["error"] = f"{record.get('error_type')} {text}"[:200]
    if record.get("n_params") and record.get("n_untouched") == record["n_params"]:
        out["untouched_all"] = True
    elif record.get("untouched_params"):
        out["untouched"] = len(record["untouched_params"])
    # What a restored optimizer does not show.
    classes = {f"{what}: {how}" for what, found in (record.get("optimizer_touched") or {}).items() for how in found if how not in WRONG}
    if classes and record["verdict"] == "ok":
        out["state"] = sorted(classes)
    if record["verdict"] == "ok" and any(
            result.get("strict") is False and any(not key.endswith("_extra_state") for key in result["missing"] + result["unexpected"])
            for result in record.get("load_state_dict_result") or []):
        out["second_try"] = True
    rng = record.get("rng_restored") or {}
    if rng:
        out["rng"] = all(v for k, v in rng.items() if k != "tracker_names")
    return out


def load(record):
    out = part(record, KEEP)
    ranks = record.get("per_rank") or []
    if ranks:
        out["ranks"] = [part(rank, RANK) for rank in ranks]
    return out


if __name__ == "__main__":
    source = sys.argv[1]
    known, stored, files = {}, [], []
    os.makedirs(TARGET, exist_ok=True)
    for name in sorted(os.listdir(os.path.join(source, "ckpts"))):
        tag = name.removesuffix(".tar.xz")
        with tarfile.open(os.path.join(source, "ckpts", name)) as tar:
            for member in sorted(tar.getmembers(), key=lambda member: member.name):
                if not member.isfile():
                    continue
                numbers = []
                for piece in pieces(tar.extractfile(member).read()):
                    if piece not in known:
                        known[piece] = len(stored)
                        stored.append(piece)
                    numbers.append(known[piece])
                files.append(f"{tag}/{member.name.removeprefix('./')}\t{ranges(numbers)}")
    write("pieces.gz", b"".join(stored))
    write("files.gz", "\n".join([",".join(str(len(p)) for p in stored)] + files).encode())
    for name in sorted(os.listdir(os.path.join(source, "pairs"))):
        if ".saves." in name:
            continue
        with lzma.open(os.path.join(source, "pairs", name), "rt") as lines:
            loads = [json.dumps(load(json.loads(line)), separators=(",", ":")) for line in lines]
        write(name.removesuffix(".xz") + ".gz", "\n".join(loads).encode())
