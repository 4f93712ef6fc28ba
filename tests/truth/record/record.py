"""Record what the model of a launch looks like, by building it with the real Megatron-LM code.

    python record.py --tag core_v0.12.0 --megatron DIR --te DIR --te-version 2.2 launches.jsonl out.jsonl
    python record.py --tag core_v0.12.0 --megatron DIR --te none [--no-apex] launches.jsonl out.jsonl

A launch is an object with `name`, `argv` and, where it is known, `world`; "te": "none" or "apex": false in it
override the command line.
"""

import argparse
import json
import os
import sys
import tempfile
import traceback
from math import lcm


def _fork(work):
    """Run `work()` in a child process; its JSON-able result, what it wrote to stderr, and its exit state."""
    read, write = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(read)
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, 0)
                os.dup2(null, 1)
                os.dup2(errors.fileno(), 2)
                with os.fdopen(write, "w") as pipe:
                    json.dump(work(), pipe)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        state = os.waitpid(child, 0)[1]
        errors.seek(0)
        stderr = errors.read().decode(errors="replace").strip()
    if os.environ.get("RECORD_TRACE"):
        print(stderr, file=sys.stderr)
    return (json.loads(text) if state == 0 and text else None), stderr


def world_size(argv, has_etp):
    """The smallest world the parallel sizes of `argv` fit into."""
    sizes = {}
    for i, word in enumerate(argv):
        option, _, value = word.partition("=")
        if not value and i + 1 < len(argv):
            value = argv[i + 1]
        if value.isdigit():
            sizes[option] = int(value)
    tp = sizes.get("--tensor-model-parallel-size", 1)
    pp = sizes.get("--pipeline-model-parallel-size", 1)
    cp = sizes.get("--context-parallel-size", 1)
    ep = sizes.get("--expert-model-parallel-size", 1)
    if not has_etp:
        return max(1, tp * pp * cp * ep)
    etp = sizes.get("--expert-tensor-parallel-size", tp)
    return max(1, pp * lcm(max(1, tp * cp), max(1, etp * ep)))


def record(launch, given, has_etp):
    """The record of one launch."""
    import build

    argv = launch["argv"]
    world = launch.get("world") or world_size(argv, has_etp)
    out = {"name": launch["name"], "megatron": given.tag, "te": launch["te"], "argv": argv, "world": world}
    for extra in ("apex", "seed"):
        if extra in launch:
            out[extra] = launch[extra]
    seen, ranks, args = [], [], None
    for rank in range(world):
        if given.max_ranks and len(ranks) >= given.max_ranks:
            break
        result, stderr = _fork(lambda: build.run(given.megatron, argv, rank, world, seen, given.leave_stage))
        if result is None:
            return {**out, "failed_rank": rank, "crashed": stderr[-2000:]}
        if "rejected" in result:
            out.update(failed_rank=rank, rejected=result["rejected"])
            if result.get("exited"):
                out["stderr_last"] = stderr.splitlines()[-1] if stderr else ""
            return out
        if "rank" not in result:
            continue
        seen.append(result["place"])
        ranks.append(result["rank"])
        args = args or result["args"]
    return {**out, "args": args, "ranks": ranks}


def _serve(launches, given, te, apex):
    """Prepare one environment and record all launches that want it, on `given.jobs` processes."""
    import environment

    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        environment.prepare(given.megatron, te=te, apex=apex, scratch=scratch)
        import build

        try:
            build.warm(given.megatron)
        except ImportError as error:  # core_v0.6.0 and core_v0.7.0 need both packages to start
            taken = {"transformer_engine": te is None, "apex": not apex}
            if not taken.get((error.name or "").split(".")[0]):
                raise
            text = f"{type(error).__name__}: {error}"
            return {number: {"name": launch["name"], "megatron": given.tag, "te": launch["te"], "argv": launch["argv"],
                             "world": launch.get("world"), "failed_rank": 0, "rejected": text}
                    for number, launch in launches}
        from megatron.core import mpu

        has_etp = hasattr(mpu, "get_expert_tensor_parallel_rank")
        files = []
        for slot in range(given.jobs):
            file = os.path.join(scratch, f"out{slot}")
            child = os.fork()
            if child == 0:
                try:
                    with open(file, "w") as out:
                        for number, launch in launches[slot::given.jobs]:
                            done = record(launch, given, has_etp)
                            print(json.dumps([number, done]), file=out, flush=True)
                            if given.progress:
                                print(launch["name"], done.get("rejected") or done.get("crashed") or "built",
                                      file=sys.stderr)
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stderr.flush()
                    os._exit(0)
            files.append((child, file))
        for child, file in files:
            os.waitpid(child, 0)
            with open(file) as lines:
                results.update(json.loads(line) for line in lines)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--megatron", required=True, help="checkout of Megatron-LM at that tag")
    parser.add_argument("--te", default="none", help="checkout of Transformer Engine, or none")
    parser.add_argument("--te-version", help="its version, as the records name it")
    parser.add_argument("--no-apex", action="store_true", help="apex cannot be imported")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--max-ranks", type=int, default=0, help="build no more ranks of a launch than this")
    parser.add_argument("--leave-stage", action="store_true",
                        help="do not set the virtual pipeline stage before asking a chunk for its sharded state dict")
    parser.add_argument("--only", help="comma-separated launch names")
    parser.add_argument("--progress", action="store_true")
    parser.add_argument("launches")
    parser.add_argument("out")
    given = parser.parse_args()
    with open(given.launches) as file:
        launches = [json.loads(line) for line in file if line.strip()]
    if given.only:
        launches = [launch for launch in launches if launch["name"] in given.only.split(",")]
    groups = {}
    for number, launch in enumerate(launches):
        bare = given.te == "none" or launch.get("te") == "none"
        launch["te"] = "none" if bare else given.te_version
        apex = launch.get("apex", not given.no_apex)
        groups.setdefault((bare, apex), []).append((number, launch))
    results = {}
    for (bare, apex), members in groups.items():
        version = given.te_version if given.te_version and given.te_version.count(".") > 1 else f"{given.te_version}.0"
        te = None if bare else (given.te, version)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            code = 1
            try:
                with os.fdopen(write, "w") as pipe:
                    json.dump(list(_serve(members, given, te, apex).items()), pipe)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        if os.waitpid(child, 0)[1] or not text:
            raise SystemExit("the environment could not be set up")
        results.update(json.loads(text))
    with open(given.out, "w") as file:
        for number in sorted(results):
            print(json.dumps(results[number], separators=(",", ":")), file=file)


if __name__ == "__main__":
    main()
