#!/usr/bin/env python3
"""Packs recorded (checkpoint, launch) pairs for tests/pairs.rs: `pairs.py RECORDED`.

RECORDED holds `<tag>.jsonl.xz` with one pair a line and `<tag>.ckpts.tar.xz` with the checkpoints behind them, as the
real loader saw them. Written to tests/truth/pairs:

- `<tag>.jsonl.gz`: the pairs, without what no test reads
- `pieces.gz`, `files.gz`: all checkpoints, cut into pieces as tests/truth/checkpoints/pack.py does it; paths begin with
  the tag
"""
import gzip, json, lzma, os, re, sys, tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "pairs")
KEEP = ["name", "fmt", "te", "torch", "argv", "world", "verdict", "missing", "unexpected", "mismatched",
        "untouched_params", "error_type", "situation", "prep", "tracker", "strict", "optimizer_given", "ckpt_dir",
        "launch_fmt"]
RANK = ["rank", "verdict", "missing", "unexpected", "mismatched", "untouched_params", "error_type", "secondary"]
EMPTY = (None, [], "")


def pieces(data):
    out, start = [], 0
    i = 48
    while i < len(data):
        if (data[i] * 7 + data[i - 1] * 13 + data[i - 2] * 31 + data[i - 3] * 61) % 64 == 0:
            out.append(data[start:i])
            start = i
            i += 48
        else:
            i += 1
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


def key(name):
    """A parameter's key in its state dict."""
    return name.removeprefix("module.")


# What a distributed load says about keys: Megatron's own words (its "unexpected" is torch's "missing"), then torch's.
TOLD = [("global_missing", r"Unexpected keys \(for this rank\): \{(.*?)\}"),
        ("global_unexpected", r"Missing keys \(for all ranks\): \{(.*?)\}"),
        ("first_missing", r"""^KeyError: ["']([\w.]+)(?:/[^'" ]*)?(?:'| from model not in state dict)"""),
        ("first_missing", r"^RuntimeError: Missing key in checkpoint state_dict: ([\w.]+?)(?:/[\w.]*)?\.$"),
        ("first_mismatched", r"Global shape mismatch for loaded .* tensor for key (\S+)")]


def told(text):
    found = {}
    for name, pattern in TOLD:
        match = re.search(pattern, text, re.DOTALL)
        if match and match[1] == "args":
            continue
        if match and name.startswith("first"):
            found[name] = match[1]
        elif match:
            found[name] = sorted(set(word.split("/")[0] for word in re.findall(r"'([^']*)'", match[1])))
    return found


def part(record, keep):
    out = {k: record[k] for k in keep if k in record and record[k] not in EMPTY}
    if "untouched_params" in out:
        out["untouched_params"] = [key(name) for name in out["untouched_params"]]
    text = record.get("reason") or record.get("error") or ""
    if text:
        out["error"] = text[:160]
        out |= told(text)
    if record.get("n_params") and record["n_untouched"] == record["n_params"]:
        del out["untouched_params"]
        # Nothing was loaded, or what was loaded held nothing that the model wants.
        out["untouched_all" if record.get("load_state_dict_result") else "not_loaded"] = True
    if any(result.get("strict") is False for result in record.get("load_state_dict_result") or []):
        out["second_try"] = True
    if "missing" in record:
        out["compared"] = True
    return out


def pair(record):
    out = part(record, KEEP)
    if record.get("tracker") == "":
        out["tracker"] = ""
    if record.get("per_rank"):
        out["per_rank"] = [part(rank, RANK) | {"rank": rank.get("rank", number)} for number, rank in enumerate(record["per_rank"])]
    return out


source = sys.argv[1]
known, stored, files = {}, [], []
os.makedirs(TARGET, exist_ok=True)
for name in sorted(os.listdir(source)):
    path = os.path.join(source, name)
    if name.endswith(".ckpts.tar.xz"):
        tag = name.removesuffix(".ckpts.tar.xz")
        with tarfile.open(path) as tar:
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
    elif name.endswith(".jsonl.xz") and ".saves." not in name:
        with lzma.open(path, "rt") as lines:
            pairs = [json.dumps(pair(json.loads(line)), separators=(",", ":")) for line in lines]
        write(name.removesuffix(".xz") + ".gz", "\n".join(pairs).encode())
write("pieces.gz", b"".join(stored))
write("files.gz", "\n".join([",".join(str(len(p)) for p in stored)] + files).encode())
