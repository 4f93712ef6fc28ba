#!/usr/bin/env python3
"""Inputs for benches/headers.rs, and how long torch takes for the same: `headers.py DIRECTORY` (torch 2.6 or later)."""
import json, os, pickle, sys, time
import torch
from torch.distributed.checkpoint import FileSystemReader
from torch.distributed.checkpoint import metadata as m
from torch.distributed.checkpoint.filesystem import _StorageInfo

root = sys.argv[1]
os.makedirs(root, exist_ok=True)
big = os.path.join(root, "big.pt")
if not os.path.exists(big):
    state = {f"decoder.layers.{i}.mlp.linear_fc1.weight": torch.empty(4096, 1024, dtype=torch.bfloat16) for i in range(256)}
    with torch.serialization.skip_data():  # leaves holes instead of data
        torch.save({"model": state, "iteration": 1}, big)
dcp = os.path.join(root, "dcp")
if not os.path.exists(dcp):
    os.makedirs(dcp)
    entries, places = {}, {}
    for i in range(100_000):
        key, size = f"decoder.layers.{i // 100}.mlp.experts.{i % 100}.linear_fc1.weight", torch.Size((256, 128))
        chunk = m.ChunkStorageMetadata(torch.Size((0, 0)), size)
        properties = m.TensorProperties(dtype=torch.bfloat16)
        entries[key] = m.TensorStorageMetadata(properties, size, [chunk])
        places[m.MetadataIndex(key, torch.Size((0, 0)), 0)] = _StorageInfo("__0_0.distcp", i * 100, 100)
    with open(os.path.join(dcp, ".metadata"), "wb") as f:
        pickle.dump(m.Metadata(entries, None, places), f)
    with open(os.path.join(dcp, "__0_0.distcp"), "wb") as f:
        f.truncate(100_000 * 100)
    with open(os.path.join(dcp, "metadata.json"), "w") as f:
        f.write('{"sharded_backend": "torch_dist", "sharded_backend_version": 1}')
folder = os.path.join(root, "safetensors")
if not os.path.exists(folder):
    os.makedirs(folder)
    for file in range(40):  # 200k tensors in 40 files
        header, end = {}, 0
        for i in range(5000):
            name = f"model.layers.{file}.mlp.experts.{i}.down_proj.weight"
            header[name] = {"dtype": "BF16", "shape": [64, 128], "data_offsets": [end, end + 16384]}
            end += 16384
        text = json.dumps(header).encode()
        with open(os.path.join(folder, f"model-{file:05}-of-00040.safetensors"), "wb") as f:
            f.write(len(text).to_bytes(8, "little") + text)
            f.truncate(8 + len(text) + end)


def best(what):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        what()
        times.append(time.perf_counter() - start)
    return min(times)


print(f"torch.load(mmap=True): {best(lambda: torch.load(big, mmap=True, weights_only=False)) * 1e3:.1f} ms")
print(f"read_metadata(): {best(lambda: FileSystemReader(dcp).read_metadata()) * 1e3:.1f} ms")
for path in (big, os.path.join(dcp, ".metadata")):
    print(path, os.path.getsize(path), "bytes,", os.stat(path).st_blocks * 512, "on disk")
