"""Which entries answer a question, an error message or a name, the best first.

Words are weighed as in BM25F (Robertson, Zaragoza and Taylor 2004): a rare word counts more, a
word of the title more than one of the text. A word that no entry has stands for those that begin
with it or are spelt like it. An error message is compared as a whole, too, without its numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from utils.finding.entries import Entry
from utils.finding.hits import Hit, Hits
from utils.finding.messages import asked, error_class, neutral
from utils.finding.vocabulary import asked_words, called_names, joined_words, stem, words_of

# How much a word counts where it stands.
WEIGHTS = {
    "question": 4.0,
    "symptom": 2.0,
    "message": 2.0,
    "function": 1.5,
    "answer": 1.5,
    "subject": 1.0,
    "text": 0.6,
}
SATURATION = 2.0
LENGTH = 0.5  # how far a long field is held against an entry, from 0 to 1
ALIKE = 0.8  # from which likeness on two messages are taken for one
MESSAGE_WORTH = 0.5  # of the same message, against all words found in one entry
NAMED = 2.0  # how much more a word counts that is written like a function
BEGUN, MISSPELT = 0.8, 0.6  # what a word counts that begins so, or is spelt like it


class Finder:
    """Entries that can be searched: made once, asked with each key that is pressed."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        fields = [_fields(entry) for entry in self.entries]
        self._found: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
        self._spelt: dict[str, str] = {}  # each word as it is written, and as it is compared
        for name, weight in WEIGHTS.items():
            spelt = [words_of("\n".join(field[name])) for field in fields]
            words = [Counter(map(stem, there)) for there in spelt]
            self._spelt |= {word: stem(word) for there in spelt for word in there}
            usual = sum(map(Counter.total, words)) / max(1, len(words)) or 1.0
            for number, counted in enumerate(words):
                long = 1 - LENGTH + LENGTH * counted.total() / usual
                for word, count in counted.items():
                    self._found[word].setdefault(number, {})[name] = weight * count / long
        self._sorted = sorted(self._spelt)
        self._said = [
            (frozenset(neutral(message).split()), number, message)
            for number, entry in enumerate(self.entries)
            for message in entry.messages
        ]
        self._uses = Counter(word for said, _, _ in self._said for word in said)
        self._worth = lru_cache(maxsize=2000)(self._worth_of_word)

    def search(self, text: str, limit: int = 10) -> Hits:
        """The entries that answer ``text`` best, at most ``limit``; none for an empty text."""
        asks = asked(text)
        words, names = asked_words(asks), called_names(asks)
        words += [word for word in joined_words(asks) if stem(word) in self._found]
        parts: dict[int, dict[str, float]] = defaultdict(dict)
        for word in words:
            begun = asks.lower().endswith(word)  # it may go on
            times = NAMED if stem(word) in names else 1.0
            for number, part, worth in self._worth(word, begun):
                parts[number][part] = parts[number].get(part, 0.0) + times * worth
        scores = {number: sum(part.values()) for number, part in parts.items()}
        most = max(scores.values(), default=1.0)
        same = self._same_message(asks)
        for number, (likeness, _) in same.items():
            scores[number] = scores.get(number, 0.0) + most * MESSAGE_WORTH * likeness
        order = sorted(scores, key=lambda number: (-scores[number], number))
        hits = []
        for number in order[:limit]:
            message = same[number][1] if number in same else ""
            part = "message" if message else max(parts[number], key=parts[number].__getitem__)
            hits.append(Hit(self.entries[number], part, message))
        return Hits(text, tuple(hits))

    def _worth_of_word(self, word: str, begun: bool) -> list[tuple[int, str, float]]:
        """What a word says for which entries, and in which part of them it stands most."""
        best: dict[int, tuple[float, str]] = {}
        for known, quality in self._meant(word, begun).items():
            found = self._found[known]
            rare = math.log(1 + (len(self.entries) - len(found) + 0.5) / (len(found) + 0.5))
            for number, fields in found.items():
                amount = sum(fields.values())
                worth = quality * rare * amount / (SATURATION + amount)
                if worth > best.get(number, (0.0, ""))[0]:
                    best[number] = (worth, max(fields, key=fields.__getitem__))
        return [(number, part, worth) for number, (worth, part) in best.items()]

    def _meant(self, word: str, begun: bool) -> dict[str, float]:
        """The known words that a word may stand for, and how much they count."""
        meant = {stem(word): 1.0} if stem(word) in self._found else {}
        if not meant or begun:
            ends = (bisect_left(self._sorted, end) for end in (word, f"{word}\uffff"))
            longer = {self._spelt[spelt] for spelt in self._sorted[slice(*ends)]}
            meant |= {known: BEGUN for known in longer if known not in meant}
        if not meant and len(word) >= 4:
            meant = {known: BEGUN for spelt, known in self._spelt.items() if word in spelt}
        if not meant and len(word) >= 4:
            wrong = 1 if len(word) < 8 else 2
            near = process.extract(
                word, self._spelt.keys(), scorer=OSA.distance, score_cutoff=wrong, limit=3
            )
            meant = {self._spelt[spelt]: MISSPELT for spelt, _, _ in near}
        return meant

    def _same_message(self, asks: str) -> dict[int, tuple[float, str]]:
        """The entries with a message like the one asked for: how alike, up to 1, and which.

        Alike is the share of one's words that the other has, too, the rare ones counting more.
        """
        wanted = frozenset(neutral(asks).split())
        if len(wanted) < 3:
            return {}
        whole = self._weight(wanted)
        best: dict[int, tuple[float, str]] = {}
        for said, number, message in self._said:
            shared = self._weight(said & wanted)
            likeness = shared / min(whole, self._weight(said))
            if likeness >= ALIKE and likeness > best.get(number, (0.0, ""))[0]:
                best[number] = (likeness, message)
        return best

    def _weight(self, words: Iterable[str]) -> float:
        return sum(1 / (1 + self._uses[word]) for word in words)


def _fields(entry: Entry) -> dict[str, list[str]]:
    return {
        "question": [entry.title],
        "symptom": list(entry.symptoms),
        "message": [message.removeprefix(error_class(message)) for message in entry.messages],
        "function": list(entry.functions),
        "answer": [entry.answer],
        "subject": [entry.subject],
        "text": [entry.body],
    }
