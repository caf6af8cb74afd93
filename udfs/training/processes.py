"""One process or several that train the same module: what each computes is added up, so that together they equal one."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from udfs.training.spec import Device, Outcome, TrainingError, TrainingJob

_PATIENCE = timedelta(hours=2)
"""How long a process waits for the others: one of them may be validating."""


@dataclass(frozen=True)
class Group:
    """This process' place among those that train together."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Return whether this process writes files and validates."""
        return self.rank == 0

    def add_up(self, parameters: Sequence[Tensor], totals: Tensor) -> Tensor:
        """Replace each gradient by its sum over the processes; return the sum of `totals` (k,).

        A parameter that no process used keeps no gradient, as in a single process, so that the optimiser leaves it alone.
        """
        if self.size == 1:
            return totals
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        used = torch.tensor([p.grad is not None for p in parameters], dtype=torch.float32, device=self.device)
        flat = torch.cat([*(g.reshape(-1).float() for g in grads), used, totals.to(self.device, torch.float32)])
        dist.all_reduce(flat, op=dist.ReduceOp.SUM)
        sizes = [*(g.numel() for g in grads), len(used), len(totals)]
        parts: list[Tensor] = list(flat.split(sizes))  # type: ignore[no-untyped-call]
        *summed, is_used, totals_of_all = parts
        for parameter, grad, flag in zip(parameters, summed, is_used.tolist(), strict=True):
            parameter.grad = grad.view_as(parameter).to(parameter.dtype) if flag else None
        return totals_of_all.double()

    def from_first(self, value: Any) -> Any:
        """Return the first process' value in every process; the others wait for it."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]


def train(job: TrainingJob) -> Outcome:
    """Train in this process alone."""
    return _run(job, Group(0, 1, choose(job.device, 0)))


def train_with_others(job: TrainingJob) -> Outcome:
    """Train as one of the processes that `pyspark.ml.torch.distributor.TorchDistributor` (or torchrun) has started.

    They talk by NCCL on CUDA devices, one device each, and by Gloo on CPUs.
    """
    with _group(job.device) as group:
        if group.is_first:
            logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
        return _run(job, group)


def choose(device: Device, local_rank: int) -> torch.device:
    """Return the device of a process.

    Raises:
        TrainingError: `cuda` where there is none.
    """
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise TrainingError("device: is cuda, but no CUDA device is visible; set device: auto or cpu")
    return torch.device("cuda", local_rank % torch.cuda.device_count())


@contextmanager
def _group(device: Device) -> Iterator[Group]:
    chosen = choose(device, int(os.environ["LOCAL_RANK"]))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), chosen)
    finally:
        dist.destroy_process_group()


def _run(job: TrainingJob, group: Group) -> Outcome:
    from udfs.training.loop import fit

    threads = torch.get_num_threads()
    if job.loop.threads:
        torch.set_num_threads(job.loop.threads)
    try:
        torch.manual_seed(job.loop.seed)
        return fit(job.task.build(), job.loop, job.train, job.validation, job.folder, group)
    finally:
        torch.set_num_threads(threads)
