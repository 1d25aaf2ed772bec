"""The same training on 1, 2, 4 and 8 ranks: equal steps, and means over unequal batches."""

import json
import os

import pytest
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from utils.loading import ChunkedRows, TensorBatchSampler

ROWS, STEP = 1001, 48  # so that the last step has 41 rows, which 2, 4 and 8 ranks share unequally


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(ROWS, 5, dtype=torch.float64, generator=generator)
    return x, x.square().sum(dim=1, keepdim=True)


def model_of():
    torch.manual_seed(0)
    layers = torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    return torch.nn.Sequential(*layers).double()


def loss_of(model, batch, weight):
    x, y = batch
    return (model(x) - y).square().sum() * weight


def chunked(**ranks):
    options = {"batch_size": STEP // ranks["world_size"], "shuffle": True, "empty_last": True}
    return ChunkedRows(*data(), chunk_rows=200, **options, **ranks)


def sampled(**ranks):
    options = {"shuffle": True, "empty_last": True}
    return TensorBatchSampler(ROWS, STEP // ranks["world_size"], **options, **ranks)


def batches_of(loader):
    if isinstance(loader, ChunkedRows):
        return loader
    x, y = data()
    return ((x[rows], y[rows]) for rows in loader)


def curve(make, world_size):
    """The losses of two epochs, the ranks being played one after the other."""
    model = model_of()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    loaders = [make(rank=rank, world_size=world_size) for rank in range(world_size)]
    told = []
    for epoch in range(2):
        for loader in loaders:
            loader.set_epoch(epoch)
        weights = [loader.weights() for loader in loaders]
        for number, step in enumerate(zip(*map(batches_of, loaders), strict=True)):
            losses = [
                loss_of(model, batch, weight[number])
                for batch, weight in zip(step, weights, strict=True)
            ]
            loss = sum(losses) / world_size
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            told.append(f"{loss.item():.10f}")
    return told


@pytest.mark.parametrize("make", [chunked, sampled])
def test_the_loss_curve_is_the_same_on_any_number_of_ranks(make):
    alone = curve(make, 1)
    assert len(alone) == 42
    assert len(set(alone)) == 42
    for world_size in (2, 4, 8):
        assert curve(make, world_size) == alone


def test_weights_make_the_mean_over_ranks_the_mean_over_rows():
    values = torch.arange(65.0, dtype=torch.float64)
    options = {"batch_size": 8, "world_size": 4, "empty_last": True}
    ranks = [ChunkedRows(values, rank=rank, **options) for rank in range(4)]
    batches = [list(rank) for rank in ranks]
    assert [[len(batch) for batch in part] for part in batches] == [[8, 8, 1]] + 3 * [[8, 8, 0]]
    assert {len(rank) for rank in ranks} == {3}
    means = [
        sum(batch.sum() * rank.weights()[step] for rank, batch in zip(ranks, parts, strict=True))
        / 4
        for step, parts in enumerate(zip(*batches, strict=True))
    ]
    assert means == [values[:32].mean(), values[32:64].mean(), 64]
    ranks[0].load_state_dict(ranks[0].state_after(2))
    assert ranks[0].weights() == [4.0]


def of_a_process(rank, world_size, folder):
    """Two epochs of a real rank; after the first one and a half, its state is saved."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/met-{world_size}", rank=rank, world_size=world_size
    )
    torch.set_num_threads(1)
    model = DistributedDataParallel(model_of())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    loader = ChunkedRows(
        *data(), batch_size=STEP // world_size, shuffle=True, empty_last=True, chunk_rows=200
    )
    if os.path.exists(f"{folder}/saved"):
        saved = torch.load(f"{folder}/saved")
        model.module.load_state_dict(saved["model"])
        loader.load_state_dict(saved["loader"])
    told = []
    for epoch in range(loader.epoch, 2):
        loader.set_epoch(epoch)
        for batch, weight in zip(loader, loader.weights(), strict=True):
            loss = loss_of(model, batch, weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss = loss.detach()
            dist.all_reduce(loss)
            told.append(f"{loss.item() / world_size:.10f}")
            place = loader.state_dict()
            if world_size == 2 and rank == 0 and (epoch, place["batches"]) == (1, 10):
                saved = {"model": model.module.state_dict(), "loader": place}
                torch.save(saved, f"{folder}/half")
    if rank == 0:
        with open(f"{folder}/{world_size}.json", "w") as file:
            json.dump(told, file)
    dist.destroy_process_group()


@pytest.mark.thorough
def test_real_processes_have_the_same_loss_curve_and_go_on_with_more_of_them(tmp_path):
    def losses(world_size):
        arguments = world_size, str(tmp_path)
        torch.multiprocessing.spawn(of_a_process, arguments, nprocs=world_size)
        (tmp_path / f"met-{world_size}").unlink(missing_ok=True)
        return json.loads((tmp_path / f"{world_size}.json").read_text())

    alone = curve(chunked, 1)
    assert losses(1) == losses(2) == losses(4) == alone
    (tmp_path / "half").rename(tmp_path / "saved")  # taken on 2 ranks
    assert losses(4) == losses(1) == alone[31:]
