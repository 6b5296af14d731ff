"""Sentences as tokens with their places in the text."""

import re
from dataclasses import dataclass
from functools import cached_property

from agents.embedded.english.lexicon import words

_TOKEN = re.compile(
    r"(?:[A-Z]\.){2,}"
    r"|(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Jr|Sr|Gen|Col|Capt|Lt|Sen|Gov|Rev)\.(?=\s)"
    r"|[A-Z]\.(?=\s[A-Z])"
    r"|[ap]\.m\."
    r"|o['\u2019]clock\b"
    r"|\d{1,2}:\d{2}\b"
    r"|[$€£]?\d+(?:,\d{3})*(?:\.\d+)?%?(?![\w-])"
    r"|(?:n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))\b"
    r"|\w+?(?=n['\u2019]t\b)"
    r"|\w+(?:-\w+)*(?:['\u2019](?!(?:s|re|ve|ll|d|m)\b)\w+)*"
    r"|[^\w\s]"
)


@dataclass(frozen=True)
class Token:
    """A word, number or punctuation mark at [start, end) of the text."""

    text: str
    start: int
    end: int

    @cached_property
    def lower(self) -> str:
        """The token in lower case, with a plain apostrophe."""
        return self.text.lower().replace("\u2019", "'")

    @property
    def is_word(self) -> bool:
        """Whether it is made of letters (and digits, hyphens), not a number or a mark."""
        return self.text[0].isalnum() and not self.is_number

    @property
    def is_capital(self) -> bool:
        """Whether it is a word with a capital in front."""
        return self.text[0].isupper()

    @property
    def is_number(self) -> bool:
        """Whether it is a numeral in figures."""
        return self.text.lstrip("$€£")[:1].isdigit() and not any(c.isalpha() for c in self.text)

    @property
    def is_mark(self) -> bool:
        """Whether it is a punctuation mark."""
        return (
            not self.text[0].isalnum()
            and not self.is_number
            and self.lower not in words("function.contraction")
        )


class Sentence:
    """A text and its tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [Token(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, place: int) -> Token:
        return self.tokens[place]

    def lower(self, place: int) -> str:
        """Return the token at a place in lower case, or nothing outside the sentence."""
        return self.tokens[place].lower if 0 <= place < len(self.tokens) else ""

    def is_in(self, place: int, *entries: str) -> bool:
        """Return whether the token's lower-case form stands in one of the lexicon's entries."""
        word = self.lower(place)
        return any(word in words(entry) for entry in entries)

    def slice(self, first: int, end: int) -> str:
        """Return the text of the tokens [first, end), as it stands."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]

    @cached_property
    def is_english(self) -> bool:
        """Whether function words say that this is English."""
        seen = {token.lower for token in self.tokens}
        return len(seen & words("language.english")) > len(seen & words("language.foreign"))

    @cached_property
    def is_heading(self) -> bool:
        """Whether capitals tell nothing here: all letters are small, or most words are capital."""
        longer = [
            t
            for t in self.tokens
            if t.is_word and (len(t.text) > 2 or t.lower in words("function.be"))
        ]
        capital = sum(t.is_capital and len(t.text) > 3 for t in longer)
        small = any(
            not t.is_capital and not t.lower.endswith("'s") and t.lower not in _small()
            for t in longer
        )
        return not any(c.isupper() for c in self.text) or (capital > 1 and not small)


def _small() -> frozenset[str]:
    """Return the words that stay small in a heading."""
    return words("function.small_in_heading") | words("function.preposition") | words(
        "function.determiner"
    ) | words("function.conjunction")  # fmt: skip
