#!/usr/bin/env python3
"""Writes small files with what torch.save can hold beyond plain state dicts (torch 2.6.0), and what torch says of them.

expected.json: file -> {dotted path: [shape, dtype]} for tensors, null for other leaves.
"""
import collections, json, os, pickle, shutil, sys, types
import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint import metadata as parts

expected = {}

def listing(value, path=""):
    if isinstance(value, torch.Tensor):
        return {path: [list(value.shape), str(value.dtype).removeprefix("torch.")]}
    if isinstance(value, dict) and value:
        pairs = value.items()
    elif isinstance(value, (list, tuple)) and any(isinstance(v, (dict, list, tuple, torch.Tensor)) for v in value):
        pairs = enumerate(value)
    else:
        return {path: None}
    out = {}
    for key, inner in pairs:
        out.update(listing(inner, f"{path}.{key}" if path else str(key)))
    return out

def save(name, value, **how):
    torch.save(value, name, **how)
    expected[name] = listing(value)

base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
plain = collections.OrderedDict(weight=base, bias=torch.zeros(4, dtype=torch.bfloat16))
for protocol in (2, 3, 4, 5):
    save(f"protocol{protocol}.pt", plain, pickle_protocol=protocol)
save("views.pt", {"whole": base, "row": base[1], "column": base[:, 2], "transposed": base.t(), "none": base[:0],
                  "scalar": torch.tensor(3.0), "expanded": torch.ones(1).expand(7, 7)})
save("dtypes.pt", {str(d): torch.zeros(3, 2).to(d) for d in (
    torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool, torch.complex64, torch.complex128, torch.float8_e4m3fn, torch.float8_e5m2)})
save("unsigned.pt", {"a": torch.zeros(2, 3, dtype=torch.uint16), "b": torch.zeros(5, dtype=torch.uint32)})
save("parameters.pt", {"p": nn.Parameter(base), "buffer": nn.Buffer(base[0])})
save("module.pt", nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5)).state_dict())
save("meta.pt", {"m": torch.empty(1 << 20, 1 << 20, device="meta")})
save("sparse.pt", {"s": torch.eye(5).to_sparse()})
save("quantised.pt", {"q": torch.quantize_per_tensor(base, 0.1, 2, torch.quint8)})
save("nested.pt", {"a": {"b": [base, {"c": base[0]}]}, 7: torch.ones(1), ("x", 1): torch.ones(2), "empty": {},
                   "deep": {"list": [1, 2, 3], "none": None, "text": "x"}})
save("shared.pt", {"a": plain, "b": plain})
optimizer = torch.optim.AdamW([nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2, 2))])
optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
optimizer.step()
save("optimizer.pt", {"model": plain, "optimizer": optimizer.state_dict()})
save("legacy.pt", plain, _use_new_zipfile_serialization=False)
save("legacy_views.pt", {"whole": base, "row": base[1]}, _use_new_zipfile_serialization=False)
save("legacy_protocol4.pt", plain, _use_new_zipfile_serialization=False, pickle_protocol=4)
torch.jit.save(torch.jit.script(nn.Linear(2, 2)), "script.jit")

# Transformer Engine pickles a quantised parameter by a class method; the class stands in for its Float8Tensor.
module = types.ModuleType("transformer_engine")
sys.modules["transformer_engine"] = module

class Float8Tensor:
    def __init__(self, arguments):
        self.arguments = arguments

    @classmethod
    def _make_in_reduce_ex(cls, *arguments):
        return cls(arguments)

    def __reduce_ex__(self, protocol):
        return (Float8Tensor._make_in_reduce_ex, self.arguments)

Float8Tensor.__module__ = "transformer_engine"
module.Float8Tensor = Float8Tensor
data, scale = torch.zeros(4, 6, dtype=torch.uint8), torch.ones(1)
# The arguments of Transformer Engine 1.x and 2.x.
torch.save({"one": Float8Tensor((data, 4, scale, torch.bfloat16)),
            "two": Float8Tensor((torch.Size((2, 12)), data, scale, None, None, 4, torch.bfloat16, None))}, "quantised_te.pt")
expected["quantised_te.pt"] = {"one": [[4, 6], "bfloat16"], "two": [[2, 12], "bfloat16"]}

class Exploit:
    def __reduce__(self):
        return (os.system, ("echo harmless",))

# Never loaded here: moe-lint must list it without running anything.
torch.save({"weight": base, "evil": Exploit()}, "exploit.pt")
# torch.distributed.checkpoint alone, with names that start with `model.`.

shutil.rmtree("dcp", ignore_errors=True)
dcp.save({"model": dict(plain), "optimizer": {"step": torch.tensor(3)}, "epoch": 7}, checkpoint_id="dcp")
# A flattened tensor: Megatron-LM notes its real shape beside torch's own entries.
shutil.rmtree("flattened", ignore_errors=True)
os.makedirs("flattened")
size = torch.Size((2, 1, 1, 1024))
entry = parts.TensorStorageMetadata(parts.TensorProperties(dtype=torch.float32), size, [parts.ChunkStorageMetadata(torch.Size((0,) * 4), size)])
keys = ["optimizer.state.exp_avg.decoder.layers.mlp.linear_fc2.weight", "decoder.layers.mlp.linear_fc2.weight"]
index = parts.Metadata({key: entry for key in keys})
index.mcore_data = {keys[0]: {"nd_reformulated_orig_global_shape": (2, 16, 64)}, keys[1]: {}}
pickle.dump(index, open("flattened/.metadata", "wb"))
json.dump({"sharded_backend": "torch_dist", "sharded_backend_version": 1}, open("flattened/metadata.json", "w"))
json.dump(expected, open("expected.json", "w"), indent=1, sort_keys=True)
