"""Sources of every kind are read as NumPy reads them, and others are refused with advice."""

import os

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from utils.loading import ChunkedRows, chunks


@pytest.mark.parametrize("workers", [0, 1])
def test_weights_that_need_gradients_are_rows_like_any_other(workers):
    weight = torch.nn.Parameter(torch.ones(4, 2))
    loader = DataLoader(ChunkedRows(weight, batch_size=2), batch_size=None, num_workers=workers)
    batches = list(loader)
    assert len(batches) == 2
    assert not any(batch.requires_grad for batch in batches)


SOURCES = {
    "float32": np.random.default_rng(0).random((101, 3, 2), np.float32),
    "uint8": np.arange(101 * 4, dtype=np.int64).reshape(101, 4).astype(np.uint8),
    "bool": np.arange(101) % 3 == 0,
    "uint16": np.arange(101, dtype=np.uint16),
    "complex64": np.arange(101) * np.complex64(1j),
    "big-endian": np.arange(202, dtype=">i4").reshape(101, 2),
    "by columns": np.asfortranarray(np.arange(303.0).reshape(101, 3)),
    "backwards": np.arange(101.0)[::-1],
    "every second": np.arange(202)[::2],
    "a field of records": np.zeros(101, [("a", "u1"), ("b", "f4")])["b"],
    "no columns": np.zeros((101, 0)),
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("stored", ["memory", "read-only", "file", "map", "raw map"])
def test_sources_of_every_kind_are_read_as_numpy_reads_them(name, stored, tmp_path):
    source = values = SOURCES[name]
    if stored == "read-only":
        source = values.view()
        source.flags.writeable = False
    if stored in ("file", "map"):
        np.save(tmp_path / "x.npy", values)
        source = tmp_path / "x.npy"
        source = source if stored == "file" else np.load(source, mmap_mode="r")
    if stored == "raw map":
        if not values.size:
            pytest.skip("a file of no bytes cannot be mapped")
        values.tofile(tmp_path / "raw")
        source = np.memmap(tmp_path / "raw", values.dtype, "r", shape=values.shape)
    native = torch.from_numpy(values.astype(values.dtype.newbyteorder("="), order="C"))
    parts = list(ChunkedRows(source, batch_size=7)), list(chunks(source, 40))
    for batches in parts:
        got = torch.cat(batches) if batches else native[:0]
        torch.testing.assert_close(got, native, rtol=0, atol=0)
    shuffled = list(ChunkedRows(source, np.arange(len(values)), batch_size=7, shuffle=True))
    for got, rows in shuffled:
        torch.testing.assert_close(got, native[rows], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("sources", "error", "words"),
    [
        ((), ValueError, "No array was given"),
        ((np.zeros(3), np.zeros(4)), ValueError, "3 and 4 rows"),
        ((np.array(3.0),), ValueError, "single number"),
        (([1, 2, 3],), TypeError, "but got a list"),
        (({1: 2},), TypeError, "but got a dict. Convert it"),
        ((np.ma.masked_array([1, 2], [0, 1]),), TypeError, "its mask would be lost"),
        ((torch.eye(3).to_sparse(),), TypeError, "is a torch.sparse_coo tensor"),
        ((torch.ones(3, device="meta"),), TypeError, "is a meta tensor"),
        ((np.array(["a", "b"]),), TypeError, "no dtype for the <U1"),
        ((np.array([None, 1]),), TypeError, "no dtype for the object"),
        (("missing.npy",), FileNotFoundError, "There is no file"),
        (("short.npy",), ValueError, "written to the end"),
        (("nothing.npy",), ValueError, "written to the end"),
        (("text.npy",), ValueError, "one whole array of numbers"),
        (("objects.npy",), ValueError, "one whole array of numbers"),
        (("words.npy",), TypeError, "no dtype for the <U5"),
        (("number.npy",), ValueError, "single number"),
        (("several.npz",), ValueError, "a .npy file of its own"),
        ((".",), FileNotFoundError, "There is no file"),
    ],
)
def test_sources_that_cannot_be_read_say_why(sources, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("short.npy", np.zeros((1000, 10)))
    os.truncate("short.npy", 5000)
    (tmp_path / "nothing.npy").touch()
    (tmp_path / "text.npy").write_text("1, 2, 3\n")
    np.save("objects.npy", np.array([None, 1]), allow_pickle=True)
    np.save("words.npy", np.array(["hello"]))
    np.save("number.npy", 3.0)
    np.savez("several.npz", a=np.zeros(3))
    with pytest.raises(error, match=words):
        ChunkedRows(*sources, batch_size=2)


@pytest.mark.parametrize("stored", ["memory", "file"])
@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("V2", r"view\(np.int16\).*batch.view\(torch.bfloat16\)"),
        ("V1", r"view\(np.int8\).*batch.view\(torch.float8_e4m3fn\)"),
        ("V3", r"astype\(np.float32\)"),
        ([("a", "u1"), ("b", "f4")], r"records.*array\['a'\]"),
        ("datetime64[s]", r"view\(np.int64\)"),
        ("timedelta64[ns]", r"view\(np.int64\)"),
        ("longdouble", r"astype\(np.float32\)"),
    ],
)
def test_a_dtype_that_pytorch_lacks_has_advice_of_its_own(dtype, words, stored, tmp_path):
    source = np.zeros(3, dtype)
    if stored == "file":
        np.save(tmp_path / "x.npy", source)
        source = tmp_path / "x.npy"
    with pytest.raises(TypeError, match=words):
        ChunkedRows(source, batch_size=2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
@pytest.mark.parametrize("stored", ["memory", "file"])
def test_the_advice_for_short_floats_works(dtype, stored, tmp_path):
    values = torch.arange(-20.0, 20).to(dtype)
    whole = {1: np.int8, 2: np.int16}[dtype.itemsize]
    raw = values.view(getattr(torch, whole.__name__)).numpy().view(f"V{dtype.itemsize}")
    np.save(tmp_path / "x.npy", raw)  # as np.save writes arrays of ml_dtypes
    array = raw if stored == "memory" else np.load(tmp_path / "x.npy", mmap_mode="r")
    batches = list(ChunkedRows(array.view(whole), batch_size=7))
    assert torch.equal(torch.cat(batches).view(dtype).float(), values.float())
    parts = list(chunks(array.view(whole), 7))
    assert torch.equal(torch.cat(parts).view(dtype).float(), values.float())


def test_a_part_of_a_map_is_refused_and_a_private_map_too(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(100))
    for array in (
        np.load(tmp_path / "x.npy", mmap_mode="r")[10:],
        np.load(tmp_path / "x.npy", mmap_mode="c"),
    ):
        with pytest.raises(ValueError, match="Give the path"):
            ChunkedRows(array, batch_size=2)


def test_a_map_of_a_file_that_was_replaced_is_refused(tmp_path):
    for values in (np.arange(6.0), np.arange(20_000.0)):
        np.save(tmp_path / "x.npy", values)
        array = np.load(tmp_path / "x.npy", mmap_mode="r")
        assert torch.cat(list(ChunkedRows(array, batch_size=8))).tolist() == values.tolist()
        np.save(tmp_path / "new.npy", -values)
        os.replace(tmp_path / "new.npy", tmp_path / "x.npy")
        with pytest.raises(ValueError, match="it was replaced"):
            ChunkedRows(array, batch_size=2)
    (tmp_path / "x.npy").unlink()
    with pytest.raises(FileNotFoundError, match="has gone"):
        ChunkedRows(array, batch_size=2)
