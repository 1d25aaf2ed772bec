"""Words as they are compared: small, without endings, names also in their pieces."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

COMMON = """
a about after all also am an and any are as at be been before but by can cannot could did do
does doing for from get gets getting give gives given go had has have he her here him his how i
if in into is it its like made make makes many may me more most much must my need no not of on
one only or other our out over own she should so some such than that the their them then there
these they this those to too try trying under until up us use used using very via want was way
we were what when where whether which while who whose why will with without work works would you
your pytorch torch tensor tensors utils self error python
"""
STOP = frozenset(COMMON.split())
# What people write, and the word that the notebooks use.
SAME = {
    "oom": "out of memory",
    "ram": "memory",
    "vram": "gpu memory",
    "cuda": "cuda gpu",
    "gpu": "gpu cuda device",
    "ddp": "ddp distributed",
    "lr": "learning rate",
    "bn": "batch norm",
    "batchnorm": "batch norm",
    "dl": "dataloader",
    "amp": "mixed precision autocast",
    "fp16": "float16 half precision",
    "fp32": "float32",
    "bf16": "bfloat16",
    "img": "image",
    "picture": "image",
    "df": "dataframe pandas",
    "mmap": "memory map memmap",
    "memmap": "memmap memory map",
    "seq": "sequence",
    "var": "variable",
    "stuck": "hang",
    "freeze": "hang",
    "deadlock": "hang",
    "concatenate": "concatenate cat",
    "concat": "concatenate cat",
    "merge": "combine",
    "multiply": "multiply product matmul",
    "jagged": "jagged nested ragged unequal",
    "ragged": "ragged unequal length",
    "unequal": "unequal ragged different",
    "varying": "unequal different",
    "variable": "variable unequal",
    "uneven": "unequal",
    "reproducible": "reproducible seed same",
    "deterministic": "deterministic seed same",
    "vectorize": "vectorize batch loop",
    "vectorise": "vectorize batch loop",
    "imbalanced": "imbalanced weighted class",
    "rnn": "rnn hidden state",
    "rolling": "rolling sliding window",
    "multiprocessing": "multiprocessing worker process",
    "subprocess": "worker process",
    "detach": "detach graph",
    "leak": "leak grow memory",
    "slow": "slow fast time",
    "faster": "fast slow time",
    "speed": "speed fast slow",
}
IRREGULAR = {"indices": "index", "matrices": "matrix", "axes": "axis", "vertices": "vertex"}
ENDINGS = [
    ("ies", "y"),
    ("ied", "y"),
    ("ication", "y"),
    ("sses", "ss"),
    ("ches", "ch"),
    ("shes", "sh"),
]
NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+[a-z]\w*", flags=re.IGNORECASE)
PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*|\d+[a-z]*|[^\W\d_]+")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word of small letters without the ending of a plural or of a form of a verb."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, instead in ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and re.search("[aeiouy]", rest):
            doubled = rest[-1] == rest[-2] and rest[-1] not in "lsz"
            return (rest[:-1] if doubled else rest).removesuffix("e")
    return word.removesuffix("e") if len(word) > 4 else word


def split_names(text: str) -> list[list[str]]:
    """The names in ``text``, in small letters; each as it is, then its pieces if it has several.

    ``torch.take_along_dim`` is ``take_along_dim``, ``take``, ``along``, ``dim``; ``DataLoader``
    is ``dataloader``, ``data``, ``loader``.
    """
    found = []
    for dotted in NAME.findall(text):
        for name in dotted.split("."):
            pieces = [piece.lower() for piece in PIECE.findall(name)]
            found.append([name.lower(), *(pieces if len(pieces) > 1 else [])])
    return found


def words_of(text: str) -> list[str]:
    """The words of ``text`` in small letters, without those that every text has."""
    return [word for names in split_names(text) for word in names if word not in STOP]


def asked_words(text: str) -> list[str]:
    """The words of a question, with what else people call them, each stem once."""
    single = [word for name in split_names(text) for word in name]
    told = [other for word in single for other in SAME.get(word, word).split()]
    kept = {stem(word): word for word in [*told, *single] if word not in STOP}
    return list(kept.values())


def joined_words(text: str) -> list[str]:
    """Words that stand side by side as one: of ``data loader`` this is ``dataloader``."""
    return [one[0] + other[0] for one, other in itertools.pairwise(split_names(text))]


def called_names(text: str) -> frozenset[str]:
    """The words of ``text`` written like functions: ``x.roll``, ``roll(``, ``as_tensor``."""
    found = re.findall(r"\w+(?=\()|(?<=\.)[a-z]\w+|\w+_\w*", text)
    return frozenset(stem(name.lower()) for name in found)
