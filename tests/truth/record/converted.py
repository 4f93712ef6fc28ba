#!/usr/bin/env python3
"""Converts recorded layout checkpoints with moe-lint and compares the result with what Megatron-LM saved, in torch.

    converted.py MOE_LINT DIRECTORY_OF_TAGS

DIRECTORY_OF_TAGS/<tag>/layouts/<case>/{sequential,grouped,te_grouped}.torch/ are the checkpoints of one set of weights in
all three layouts. Every direction of every case is converted, opened with torch.load and compared bit for bit; where
torch.load(weights_only=True) accepts the source, given the classes that it names, it must accept the target with the same.
Needs torch and nothing of Megatron-LM: its classes become plain tuples.
"""
import glob, importlib, os, pickle, subprocess, sys, tempfile, types

import torch

LAYOUTS = {"sequential": "sequential", "grouped": "grouped", "te_grouped": "te-grouped"}


class Unpickler(pickle.Unpickler):
    """Names of packages that are not installed stand for themselves."""

    def find_class(self, module, name):
        if module.split(".")[0] in ("megatron", "transformer_engine"):
            return lambda *args: (module, name, args)
        return super().find_class(module, name)


class Pickle:
    Unpickler = Unpickler

    @staticmethod
    def load(file, **keywords):
        return Unpickler(file, **keywords).load()


def load(path):
    return torch.load(path, map_location="cpu", pickle_module=Pickle, weights_only=False)


def named(name):
    """The class of that name, or one that stands for it where its package is not installed."""
    module, name = name.rsplit(".", 1)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        found = type(name, (), {"__module__": module, "__init__": lambda self, *args: None})
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
        setattr(sys.modules[module], name, found)
        return found


def weights_only(path, allowed):
    try:
        with torch.serialization.safe_globals([named(name) for name in allowed]):
            torch.load(path, map_location="cpu", weights_only=True)
            torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return True
    except pickle.UnpicklingError:
        return False


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else tensor


def differences(found, expected):
    for chunk in [key for key in expected if key.startswith("model")]:
        ours, theirs = found[chunk], expected[chunk]
        # Its place depends on Transformer Engine's version, not on the layout.
        keys = [{key for key in side if ".core_attention." not in key} for side in (ours, theirs)]
        yield from sorted(keys[0] ^ keys[1])
        for key in keys[0] & keys[1]:
            a, b = ours[key], theirs[key]
            if isinstance(b, torch.Tensor):
                if not isinstance(a, torch.Tensor) or (a.dtype, a.shape, a.stride()) != (b.dtype, b.shape, b.stride()):
                    yield key
                elif not torch.equal(bits(a), bits(b)):
                    yield key
    a, b = vars(found["args"]), vars(expected["args"])
    yield from (f"args.{key}" for key in a.keys() | b.keys() if key not in ("save", "load") and a.get(key) != b.get(key))
    rest = [key for key in expected if key != "args" and not key.startswith("model")]
    yield from (key for key in rest if repr(found.get(key)) != repr(expected[key]))


def main(program, root):
    directions = files = strict = wrong = 0
    for case in sorted(glob.glob(os.path.join(root, "*/layouts/*"))):
        for source in LAYOUTS:
            for target in LAYOUTS:
                if source == target:
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    written = os.path.join(folder, "written")
                    origin = os.path.join(case, source + ".torch")
                    words = [program, "convert", origin, written, "--experts", LAYOUTS[target], "--verify", "full"]
                    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
                    directions += 1
                    for path in sorted(glob.glob(os.path.join(written, "iter_*/*/*.pt"))):
                        name = os.path.relpath(path, written)
                        found, expected = load(path), load(os.path.join(case, target + ".torch", name))
                        differ = list(differences(found, expected))
                        # What the source needs beyond torch's own classes is enough for the target.
                        allowed = torch.serialization.get_unsafe_globals_in_checkpoint(os.path.join(origin, name))
                        if weights_only(os.path.join(origin, name), allowed):
                            strict += 1
                            differ += [] if weights_only(path, allowed) else ["weights_only"]
                        files += 1
                        wrong += bool(differ)
                        if differ:
                            print(f"{case} {source} -> {target} {name}: {differ[:5]}")
    print(f"torch {torch.__version__}: {directions} conversions, {files} files, {strict} of them with weights_only=True, {wrong} differ")
    return 1 if wrong or not directions else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
