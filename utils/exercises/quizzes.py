"""The questions on the way through the lessons, here, so that no cell shows its answer."""

from __future__ import annotations

import difflib

from utils.exercises.questions import Quiz, multiple_choice


def quiz(name: str) -> Quiz:
    """The question with this name, such as "01.dim"; make it the last line of a cell.

    Raises `ValueError` for a name that is unknown.
    """
    if name not in QUIZZES:
        near = difflib.get_close_matches(str(name), QUIZZES, n=3, cutoff=0.4)
        raise ValueError(
            f"there is no question {name!r}. Near it: {', '.join(near or sorted(QUIZZES)[:3])}."
        )
    return QUIZZES[name]


QUIZZES = {
    "01.dim": multiple_choice(
        "Which call gives you one sum for each sample in `batch`?",
        ["batch.sum()", "batch.sum(dim=0)", "batch.sum(dim=1)"],
        "batch.sum(dim=1)",
        "`dim` names the dimension that goes away, and the batch dimension has to stay.",
    ),
    "01.cat": multiple_choice(
        "Three samples have the shape (3,). What are the shapes of their `stack` and their `cat`?",
        ["(3, 3) and (3, 3)", "(3, 3) and (9,)", "(9,) and (3, 3)"],
        "(3, 3) and (9,)",
        "`stack` adds a dimension; `cat` makes the only one that is there longer.",
    ),
    "01.calls": multiple_choice(
        "How many PyTorch calls does `sum_stack` make for 300 samples?",
        [2, 300, 301],
        2,
        "One `stack` and one `sum`. The loop would make 300.",
    ),
    "02.batch": multiple_choice(
        "`photos` has the shape (2, 427, 640, 3), NHWC. Which call makes it NCHW?",
        [
            "photos.permute(0, 2, 3, 1)",
            "photos.permute(0, 3, 1, 2)",
            "photos.reshape(2, 3, 427, 640)",
        ],
        "photos.permute(0, 3, 1, 2)",
        "The samples stay first, the channels come from place 3, then rows and columns follow.",
    ),
    "02.who": multiple_choice(
        "`nn.LSTM(8, 5)` gets 4 sequences of 7 steps, (4, 7, 8). Which dimension is its batch?",
        ["dimension 0", "dimension 1", "it refuses the shape"],
        "dimension 1",
        "It reads (step, sample, feature). Say `batch_first=True` for (sample, step, feature).",
    ),
    "02.broadcast": multiple_choice(
        "`images` is (64, 8, 8). Divide it by what, so that the brightest pixel of each becomes 1?",
        ["images.amax(dim=(1, 2))", "images.amax(dim=(1, 2), keepdim=True)", "images.amax(dim=0)"],
        "images.amax(dim=(1, 2), keepdim=True)",
        "It is (64, 1, 1). The first, (64,), is an error. The last, (8, 8), runs and is wrong.",
    ),
    "03.inside": multiple_choice(
        "How many PyTorch calls does `slant_vmap` make for all 1,797 images?",
        {
            "15": "",
            "122": "That was the loop, for eight images.",
            "26957": "The loop makes so many.",
        },
        15,
        "The body runs once, on one tensor that hides the dimension of 1,797.",
    ),
    "03.in-dims": multiple_choice(
        "What is the shape of `torch.vmap(score, in_dims=(0, None))(weight, images[0])`?",
        {"(1797, 10)": "There is one image.", "(10,)": "", "(8,)": "The image is not mapped over."},
        "(10,)",
        "It maps over the ten rows of the weights, which all share one image.",
    ),
    "03.gradients": multiple_choice(
        "A model has a million weights. How many numbers do the gradients of 1,000 samples hold?",
        {"1,000,000": "That is one gradient.", "1,001,000": "", "1,000,000,000": ""},
        "1,000,000,000",
        "Each sample has a gradient as large as the model. Memory is the price of having them all.",
    ),
    "04.eval": multiple_choice(
        "You forget `model.eval()`. What happens in the validation?",
        ["an error", "the model learns from it", "`Dropout` makes loss and accuracy random"],
        "`Dropout` makes loss and accuracy random",
        "No error tells you. The weights stay, but a `BatchNorm` would take in the "
        "validation data.",
    ),
    "04.collate": multiple_choice(
        "A sample is the Python number `0.5`. What is the dtype of a batch of such samples?",
        ["torch.float16", "torch.float32", "torch.float64"],
        "torch.float64",
        "A Python `float` has 64 bits. A layer with float32 weights refuses the batch.",
    ),
    "05.shape": multiple_choice(
        "What is the shape of `pad_sequence(few, batch_first=True)`, for lengths 26, 89, "
        "29 and 25?",
        ["(4, 89)", "(89, 4)", "(4, 169)"],
        "(4, 89)",
        "As long as the longest. Without `batch_first=True` it is (89, 4): the batch comes second.",
    ),
    "05.naive": multiple_choice(
        "Lengths 26, 89, 29 and 25, padded, and the mean over dimension 1: which rows are right?",
        ["all: zeros add nothing", "the one of length 89", "none"],
        "the one of length 89",
        "It has no padding. The others also average the vector of byte 0, and divide by 89.",
    ),
    "05.owner": multiple_choice(
        "Sequences of 1, 0 and 3 positions, end to end. Which index belongs to them?",
        ["[0, 1, 2, 2]", "[0, 2, 2, 2]", "[1, 0, 3]"],
        "[0, 2, 2, 2]",
        "The empty sequence owns no position, so 1 does not occur.",
    ),
    "05.loss": multiple_choice(
        "Class 0 is a real class, and your targets are padded with 0. What does "
        "`ignore_index=0` do?",
        [
            "It leaves out the padding alone.",
            "It leaves out class 0 as well.",
            "It raises an error.",
        ],
        "It leaves out class 0 as well.",
        "Nobody can tell the two kinds of 0 apart. Use `pad_sequence(..., padding_value=-100)`.",
    ),
    "06.calls": multiple_choice(
        "How often does the loader call `dataset[...]` in one epoch?",
        {1: "Not even without shuffling.", 29: "That is the number of batches.", 1797: ""},
        1797,
        "Once for each sample. Then `collate_fn` stacks 64 small tensors for each column "
        "of a batch.",
    ),
    "06.trap": multiple_choice(
        "With which arguments is `dataset[...]` called 29 times?",
        [
            "batch_size=64",
            "sampler=order.split(64), batch_size=None",
            "batch_sampler=order.split(64)",
        ],
        "sampler=order.split(64), batch_size=None",
        "Its sampler yields 29 tensors, and each of them is one index for the data set.",
    ),
    "06.why": multiple_choice(
        "Which part of the bar goes away if the data set is asked for whole batches?",
        ["fetching", "collating", "the loader itself"],
        "collating",
        "One call fetches a batch that is stacked already. Fetching shrinks to it. The "
        "loader stays.",
    ),
    "06.workers": multiple_choice(
        "Your data are a tensor in memory, and loading is the bottleneck. What helps?",
        ["whole batches", "more workers", "a larger `prefetch_factor`"],
        "whole batches",
        "One call a batch. Workers have to send you every row; a longer queue makes that "
        "no faster.",
    ),
    "07.last": multiple_choice(
        "An array has 1,000 rows, cut into slices of 64. How many rows has the last slice?",
        [64, 40, 24],
        40,
        "1,000 = 15 · 64 + 40. A batch has up to 64 rows: count with `len(batch)`, never with 64.",
    ),
    "07.float": multiple_choice(
        "`data = np.random.rand(1000, 64)`. What does `torch.from_numpy(data[:64]).float()` do?",
        ["it shares memory", "it copies 64 rows, each time", "it copies all 1,000 rows"],
        "it copies 64 rows, each time",
        "`rand` makes float64. The slice and `from_numpy` share, and then `.float()` "
        "converts 64 rows.",
    ),
    "07.map": multiple_choice(
        "How much of the file is read by `np.load(path, mmap_mode='r')`, before anything "
        "is sliced?",
        ["all of it", "one chunk", "its header"],
        "its header",
        "A shape and a dtype are all that is needed to say where each row will be found.",
    ),
    "07.blocks": multiple_choice(
        "A chunk of 1,024 rows is made of two blocks. How many classes can a batch have at most, "
        "if each class is 2,000 neighbours?",
        [2, 4, 10],
        4,
        "A block of 512 neighbours touches two classes at most, and there are two blocks.",
    ),
}
