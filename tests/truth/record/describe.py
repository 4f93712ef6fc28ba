"""Turns a built model chunk into the plain form of a record."""

import re
import traceback

import torch

_SHOWN = re.compile(r"(layernorm|self_attention|core_attention|linear_qkv|linear_fc1|layernorm_mlp|mlp"
                    r"|router|experts|output_layer)$")


def plain(value):
    """`value` as JSON: sequences as lists, mappings as objects, other things by their text."""
    if type(value) in (str, int, float, bool, type(None)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return re.sub(r"0x[0-9a-f]+", "0x...", str(value))


def _dtype(dtype):
    return str(dtype).removeprefix("torch.")


def _entry(value):
    if isinstance(value, torch.Tensor):
        return {"shape": list(value.shape), "dtype": _dtype(value.dtype)}
    return {"kind": type(value).__name__}


def _flatten(value, prefix=""):
    """The leaves of nested dicts and lists, by path."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = enumerate(value)
    else:
        yield prefix, value
        return
    for key, inner in pairs:
        yield from _flatten(inner, f"{prefix}/{key}" if prefix else str(key))


def _sharded(value):
    """One value of a sharded state dict."""
    kind = type(value).__name__
    if kind == "ShardedTensor":
        out = {
            "kind": kind,
            "key": value.key,
            "global_shape": list(value.global_shape),
            "local_shape": list(value.local_shape),
            "global_offset": list(value.global_offset),
            "dtype": _dtype(value.dtype),
            "replica_id": plain(value.replica_id),
        }
        if value.allow_shape_mismatch:
            out["allow_shape_mismatch"] = True
        if value.prepend_axis_num:
            out["prepend_axis_num"] = value.prepend_axis_num
        if value.axis_fragmentations is not None:
            out["axis_fragmentations"] = list(value.axis_fragmentations)
        if getattr(value, "flattened_range", None) is not None:
            out["flattened_range"] = [value.flattened_range.start, value.flattened_range.stop]
        return out
    if kind == "ShardedObject":
        return {
            "kind": kind,
            "key": value.key,
            "unique_key": value.unique_key,
            "global_shape": list(value.global_shape),
            "global_offset": list(value.global_offset),
            "replica_id": plain(value.replica_id),
        }
    if kind == "ShardedTensorFactory":
        parts = [_sharded(part) for _, part in _flatten(value.build())]
        return {
            "kind": kind,
            "key": value.key,
            "built": [p for p in parts if p["kind"] == "ShardedTensor"],
            "built_other": [p for p in parts if p["kind"] != "ShardedTensor"],
        }
    return _entry(value)


def _flat_dict(state_dict):
    """A state dict as it is, or, of the nested ones of the legacy models, its paths joined by '/'."""
    return {path: _entry(leaf) for key, value in state_dict.items() for path, leaf in _flatten(value, str(key))}


def _classes(model):
    out = {}
    for name, module in model.named_modules():
        if _SHOWN.search(name):
            out[re.sub(r"\.\d+(?=\.|$)", ".N", name)] = type(module).__name__
    return out


def chunk(model, metadata):
    """One virtual pipeline stage; `metadata` is what save_checkpoint would hand to sharded_state_dict, or None."""
    inner = model
    while hasattr(inner, "module"):
        inner = inner.module
    state_dict = _flat_dict(model.state_dict())
    out = {"class": type(inner).__name__, "state_dict": state_dict}
    saved = _flat_dict(model.state_dict_for_save_checkpoint())
    if saved != state_dict:
        out["state_dict_for_save_checkpoint"] = saved
    if hasattr(inner, "sharded_state_dict") and not saved.keys() - state_dict.keys():
        out["ssd_metadata"] = plain(metadata)
        try:
            made = inner.sharded_state_dict(**({} if metadata is None else {"metadata": metadata}))
            out["sharded_state_dict"] = {path: _sharded(value) for path, value in _flatten(made)}
        except Exception as error:
            out["sharded_error"] = "".join(traceback.format_exception_only(error))[-600:]
    out["module_classes"] = _classes(model)
    return out
