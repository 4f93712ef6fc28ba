"""Process groups of any world size inside one process, by torch's `fake` backend."""

import torch
import torch.distributed as dist
from torch.testing._internal.distributed.fake_pg import FakeStore


def install():
    """Give every group the `fake` backend and let object collectives answer with the own object."""
    real_init, real_new = dist.init_process_group, dist.new_group

    def init_process_group(*_args, rank=-1, world_size=-1, **_kwargs):
        return real_init(backend="fake", rank=rank, world_size=world_size, store=FakeStore())

    def new_group(ranks=None, *_args, **_kwargs):
        return real_new(ranks=ranks, backend="fake")

    def all_gather_object(object_list, obj, group=None):
        object_list[:] = [obj] * len(object_list)

    def gather_object(obj, object_gather_list=None, *_args, **_kwargs):
        if object_gather_list is not None:
            object_gather_list[:] = [obj] * len(object_gather_list)

    def nothing(*_args, **_kwargs):
        return None

    for module in (dist, dist.distributed_c10d):
        module.init_process_group = init_process_group
        module.new_group = new_group
        module.all_gather_object = all_gather_object
        module.gather_object = gather_object
        module.broadcast_object_list = nothing
        module.barrier = nothing
    torch.distributed.init_process_group = init_process_group
