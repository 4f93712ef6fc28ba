#!/usr/bin/env python3
"""Packs recorded checkpoints for tests/checkpoints.rs: `pack.py DIRECTORY_OF_TAGS`.

DIRECTORY_OF_TAGS/<tag>/**/<config>.<format>/ holds a checkpoint and `facts.json`, which torch itself wrote.
The files repeat each other a lot (every rank's file holds the same launch arguments), so they are cut into pieces
at places that the content decides, and each distinct piece is stored once:

- pieces.gz: all distinct pieces, one after the other
- files.gz: text; first a line with the lengths of the pieces, then a line a file: path, tab, numbers of its pieces
  (`7-9` for 7 to 9)
- facts.jsonl.gz: a line a checkpoint, facts.json without what the headers do not say. `args` are written as the
  difference to the last arguments before them.
"""
import gzip, json, os, sys


def pieces(data):
    out, start = [], 0
    for i in range(len(data)):
        if i - start >= 48 and (data[i] * 7 + data[i - 1] * 13 + data[i - 2] * 31 + data[i - 3] * 61) % 64 == 0:
            out.append(data[start:i])
            start = i
    return out + [data[start:]]


def write(name, data):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), "wb") as f:
        with gzip.GzipFile("", "wb", 9, f, 0) as z:
            z.write(data)


def ranges(numbers):
    out = []
    for n in numbers:
        if out and out[-1][1] + 1 == n:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


root = sys.argv[1]
known, stored, files, facts, last = {}, [], [], [], {}
for folder, folders, names in os.walk(root):
    folders.sort()
    if "facts.json" not in names:
        continue
    checkpoint = os.path.relpath(folder, root)
    found = json.load(open(os.path.join(folder, "facts.json")))
    line = {"checkpoint": checkpoint, "format": found["fmt"], "files": {}}
    for path, content in found["torch_save"].items():
        args = content.get("args") or {}
        line["files"][path] = {
            "tensors": {k: [v["shape"], v["dtype"]] for k, v in content["tensors"].items()},
            "other": content["other"],
            "has_args": bool(args),
            "args": {k: v for k, v in args.items() if k not in last or last[k] != v or type(last[k]) != type(v)},
            "without": [k for k in last if k not in args] if args else [],
        }
        last = args or last
    if found["distcp"]:
        entries = found["distcp"]["entries"]
        line["entries"] = {k: [v["size"], v["dtype"]] if "size" in v else None for k, v in entries.items()}
    facts.append(json.dumps(line, separators=(",", ":")))
    for inner, below, names in os.walk(folder):
        below.sort()
        for name in sorted(names):
            path = os.path.join(inner, name)
            if name == "facts.json":
                continue
            numbers = []
            for piece in pieces(open(path, "rb").read()):
                if piece not in known:
                    known[piece] = len(stored)
                    stored.append(piece)
                numbers.append(known[piece])
            files.append(os.path.relpath(path, root) + "\t" + ranges(numbers))
write("pieces.gz", b"".join(stored))
write("files.gz", "\n".join([",".join(str(len(p)) for p in stored)] + files).encode())
write("facts.jsonl.gz", "\n".join(facts).encode())
