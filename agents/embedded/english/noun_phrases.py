"""Noun phrases: where one that begins at a token ends, and what can be said of it."""

from dataclasses import dataclass

from agents.embedded.english.lexicon import is_plural, is_verb_form, lines, readings, words
from agents.embedded.english.names import Name
from agents.embedded.english.tokens import Sentence

_CLOSED = (
    "function.preposition", "function.conjunction", "function.subordinator", "function.be",
    "verb.modal", "function.pronoun", "function.negation",
)  # fmt: skip


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase of the tokens [start, end); ``head`` is the place of its main noun.

    ``determiner`` is its first word where that is an article or the like, ``number`` the place of
    a numeral in front or of what bounds it ("more than 200"), ``name`` the name that is its head.
    """

    start: int
    end: int
    head: int
    plural: bool
    determiner: str = ""
    number: int | None = None
    name: Name | None = None
    pronoun: bool = False
    core_end: int = 0


class Reader:
    """Reads noun phrases of one sentence with its names."""

    def __init__(self, sentence: Sentence, names: list[Name]) -> None:
        self.sentence = sentence
        self.names = {name.start: name for name in names}

    def noun_phrase(self, start: int, *, subject: bool = False) -> NounPhrase | None:
        """Return the noun phrase that begins at a token, with its "of ..." parts, or None.

        As a subject it ends before the verb; elsewhere a word in -s or -ed counts as a noun or as
        the end of what is understood.
        """
        core = self._core(start, subject=subject)
        if core is None:
            return None
        end = core.end
        while self.sentence.lower(end) == "of":
            part = self._core(end + 1, subject=subject)
            if part is None or part.pronoun:
                return None
            end = part.end
        return NounPhrase(
            core.start, end, core.head, core.plural, core.determiner, core.number, core.name,
            core.pronoun, core.end,
        )  # fmt: skip

    def _core(self, start: int, *, subject: bool) -> NounPhrase | None:
        sentence, place = self.sentence, start
        bounded = self.is_bounded(place)
        if (hedge := self.hedge_end(place)) > place:
            place = hedge
            if not self.is_number(place):
                return None
        determiner = ""
        if sentence.lower(place) == "that" and not subject:
            return None
        if self._determiner(place):
            determiner = sentence.lower(place)
            place += 1
        first, head, number, name = place, None, None, None
        while place < len(sentence):
            token = sentence[place]
            if place in self.names:
                name = self.names[place]
                head, place = name.end - 1, name.end
                continue
            if token.lower == "'s" and head is not None and self._owns(place):
                determiner, head, name = "'s", None, None
                place += 1
                continue
            if token.is_mark or token.lower.startswith("'") or token.lower == "n't":
                break
            if self.is_number(place):
                if head is not None:
                    break
                number = place if number is None else number
                place += 1
                continue
            if token.lower == "and" and self._adjectives_joined(place):
                place += 1
                continue
            if sentence.is_in(place, *_CLOSED) or self.is_finite(place):
                break
            if self._determiner(place):
                break
            if sentence.is_in(place, "function.adverb") or _adverb(token.lower):
                if head is not None or not self._open(place + 1):
                    break
                place += 1
                continue
            if head is not None and self._ends_before(
                place, head, name, subject=subject, counted=number is not None
            ):
                break
            participle = is_verb_form(token.lower, "past", "participle")
            if head is None and participle and not self._open(place + 1):
                break
            if not self._modifies_only(place):
                head = place
                name = None
            elif head is not None and not self._open(place + 1):
                break
            place += 1
        if head is None and place == first and sentence.is_in(place, "function.pronoun"):
            word = sentence.lower(place)
            return NounPhrase(place, place + 1, place, word in ("we", "they", "you"), pronoun=True)
        if head is None and number is not None and number == place - 1:
            head = number
        if head is None or head != place - 1:
            return None
        counted = number is not None or determiner in ("these", "those", "many", "several", "both")
        plural = is_plural(sentence.lower(head)) if name is None else self._plural_name(name)
        if bounded:
            number = start
        return NounPhrase(
            start, place, head, plural or (counted and plural), determiner, number, name,
            core_end=place,
        )  # fmt: skip

    def is_number(self, place: int) -> bool:
        """Return whether a token is a numeral, in figures or as a word."""
        if place >= len(self.sentence):
            return False
        token, parts = self.sentence[place], self.sentence.lower(place).split("-")
        if token.is_number or self.sentence.is_in(place, "number.word", "number.scale"):
            return True
        ones = words("number.word") | words("time.hour")
        return len(parts) == 2 and parts[0] in words("number.word") and parts[1] in ones

    def hedge_end(self, place: int) -> int:
        """Return the end of words that make a number less exact: "more than", "up to", "about"."""
        if self._two(place) in lines("number.bound"):
            return place + 2
        return place + self.sentence.is_in(place, "function.approximately")

    def _two(self, place: int) -> str:
        return f"{self.sentence.lower(place)} {self.sentence.lower(place + 1)}"

    def is_bounded(self, place: int) -> bool:
        """Return whether a numeral follows that is less exact for the words at a token."""
        end = self.hedge_end(place)
        exact = end == place or self.sentence.is_in(place, "function.exactly")
        return not exact and self.is_number(end)

    def hedges(self, place: int) -> bool:
        """Return whether a token is no preposition but surely begins "over 200", "only 200"."""
        end = self.hedge_end(place)
        if end == place or not self.is_number(end):
            return False
        several = end > place + 1 and not self._moves(place - 1)
        preposition = self.sentence.is_in(place, "function.preposition") and not several
        return not preposition or self._follows_opening(place) or self._measures(end)

    def _moves(self, place: int) -> bool:
        """Return whether a token is a verb of going: "drove up to two villages"."""
        verbs = readings(self.sentence.lower(place), "base", "third", "past")
        return not words("verb.going").isdisjoint(verbs)

    def _follows_opening(self, place: int) -> bool:
        """Return whether no verb but "have" stands before: "flew over 12 villages" counts them."""
        before = place - 1
        return (
            place == 0
            or self.sentence[before].is_mark
            or self.sentence.lower(before) in ("has", "have", "had", "having")
            or self.sentence.is_in(
                before, "function.preposition", "function.conjunction", "function.determiner",
                "function.subordinator", "function.adverb",
            )
        )  # fmt: skip

    def _measures(self, place: int) -> bool:
        money = self.sentence[place].text[0] in "$€£"
        return money or self.sentence.is_in(self.number_end(place), "number.unit")

    def bound_start(self, place: int) -> int:
        """Return where the words begin that make the numeral at a token less exact."""
        for start in (place - 2, place - 1):
            if start >= 0 and self.hedge_end(start) == place and self.is_bounded(start):
                return start
        return place

    def number_end(self, place: int) -> int:
        """Return the end of a numeral of one or more words: "two hundred and fifty"."""
        sentence, end = self.sentence, place + 1
        while self.is_number(end) or (
            sentence.lower(end) == "and"
            and sentence.is_in(end - 1, "number.scale")
            and self.is_number(end + 1)
        ):
            end += 1
        return end

    def is_finite(self, place: int) -> bool:
        """Return whether a token is a finite verb beyond doubt."""
        return self.sentence.is_in(place, "function.auxiliary")

    def _determiner(self, place: int) -> bool:
        return self.sentence.is_in(place, "function.determiner")

    def _plural_name(self, name: Name) -> bool:
        word = self.sentence.lower(name.end - 1)
        return word in ("alps", "andes", "rockies", "islands", "mountains", "falls", "states",
                        "netherlands", "philippines", "gardens", "beatles", "olympics")  # fmt: skip

    def _open(self, place: int) -> bool:
        """Return whether a token can go on a noun phrase."""
        if place >= len(self.sentence):
            return False
        token = self.sentence[place]
        return (
            token.is_word
            and not self.sentence.is_in(place, *_CLOSED)
            and not self.is_finite(place)
            and not self._determiner(place)
            and not self.sentence.is_in(place, "function.adverb")
        )

    def _owns(self, place: int) -> bool:
        """Return whether "'s" is a genitive here and not "is"."""
        after = self.sentence.lower(place + 1)
        return (self._open(place + 1) and not after.endswith("ing")) or self.is_number(place + 1)

    def _adjectives_joined(self, place: int) -> bool:
        """Return whether an "and" joins two words before one noun: "large and heavy stones"."""
        sentence = self.sentence
        before, after = place - 1, place + 1
        return (
            sentence.is_in(before, "adjective.common")
            and self._open(after)
            and self._open(after + 1)
            and after not in self.names
            and not is_verb_form(sentence.lower(after), "past", "third")
            and not is_verb_form(sentence.lower(after + 1), "past", "third")
        )

    def _modifies_only(self, place: int) -> bool:
        word = self.sentence.lower(place)
        return self.sentence.is_in(
            place, "adjective.common", "adjective.superlative_like", "number.ordinal"
        ) or self.sentence[place].text in words("adjective.demonym") or (
            len(word) > 6 and word.endswith(("est", "ful", "ous", "ish", "ical", "ible", "able"))
            and not word.endswith(("forest", "table", "cable", "harvest", "interest"))
        )  # fmt: skip

    def _ends_before(
        self, place: int, head: int, name: Name | None, *, subject: bool, counted: bool
    ) -> bool:
        """Return whether the word after a noun is no part of the noun phrase."""
        sentence = self.sentence
        word = sentence.lower(place)
        if word == "to" or is_verb_form(word, "gerund"):
            return not self._open(place + 1) or not subject
        past = is_verb_form(word, "past", "participle")
        third = is_verb_form(word, "third")
        plural = is_plural(sentence.lower(head)) and name is None
        base = is_verb_form(word, "base") and plural
        if not (past or third or base):
            return name is not None and sentence.is_in(place, "adjective.common")
        if self.is_finite(place + 1):
            return past and not third
        if not subject:
            return past or self._determiner(place + 1)
        if past:
            return True
        follows = self.starts_phrase(place + 1)
        if third:
            unsure = name is not None and not name.sure
            samples = counted and is_plural(word)
            if plural or samples or (unsure and self._open(place + 1)):
                # "Polar bears hunt": a name that opens the sentence may be no name.
                return False
            return (
                follows
                or self._open(place + 1)
                or place + 1 >= len(sentence)
                or (sentence[place + 1].is_mark)
            )
        return follows and not self._finite_later(place + 1)

    def starts_phrase(self, place: int) -> bool:
        """Return whether a token begins a noun phrase or a phrase with a preposition."""
        return (
            self._determiner(place)
            or self.is_number(place)
            or place in self.names
            or self.sentence.is_in(place, "function.preposition", "function.approximately")
            or self.hedges(place)
        )

    def _finite_later(self, place: int) -> bool:
        """Return whether a finite verb follows in the same clause."""
        while place < len(self.sentence):
            if self.is_finite(place):
                return True
            if self.sentence[place].is_mark or self.sentence.is_in(
                place, "function.conjunction", "function.subordinator"
            ):
                return False
            place += 1
        return False


def _adverb(word: str) -> bool:
    return len(word) > 4 and word.endswith("ly") and word not in words("name.not_adverb")
