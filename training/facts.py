"""Facts: what a video shows, as (subject, attribute, value) with the spans that prove it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Span = tuple[float, float]

RelationKind = Literal[
    "who", "what", "where", "when", "how_many", "how_much", "which", "is", "cloze", "mention"
]


class Relation(BaseModel):
    """What one sentence says of something, as a question's slots and its answer.

    The slots of a kind (the words in braces are parts of the sentence, in its own wording):

    - ``who``: ``predicate`` ("founded the observatory in 1847") and perhaps ``brief``, the same
      without its times; answer: a person or an organisation.
    - ``what``: ``predicate`` ("orbits Saturn", and perhaps ``brief``) or ``clause`` ("the team
      build": what did ... ); answer: a thing.
    - ``where``: ``thing`` ("Goddard Space Flight Center"), or ``clause`` ("did Anna build the
      bridge") and perhaps ``passive``, the same without the one who did it ("was the bridge
      built"); answer: a place.
    - ``when``: ``clause`` and perhaps ``passive``; answer: a year, date or time of day.
    - ``how_many``: ``noun`` ("segments") and ``rest`` ("does the mirror have", may be empty);
      answer: a number as it stands in the sentence.
    - ``how_much``: ``dimension`` ("tall", "far", "long", "heavy") and ``thing``, or ``clause``
      ("does the light reach"); answer: a number with its unit.
    - ``which``: ``type`` ("telescope"); answer: the named thing ("Webb space telescope").
    - ``is``: ``thing`` ("Titan"); answer: what it is ("the largest moon of Saturn").
    - ``cloze``: ``blanked`` (the sentence with one part as "____"); answer: that part.
    - ``mention``: ``type`` ("person", "place", "organisation", "name", "number"); answer: it.
    """

    model_config = ConfigDict(frozen=True)

    kind: RelationKind
    slots: dict[str, str]
    answer: str
    sentence: str


class Fact(BaseModel):
    """One (subject, attribute, value) with the spans that prove it.

    Attributes: ``title``, ``text``, ``speech``, ``colour``, ``brightness``, ``motion``, ``faces``
    of a shot; ``shots`` and ``duration`` of the video; ``relation`` for what a spoken or written
    sentence says, with its `Relation`. Spans are half-open, in seconds of the video's own clock.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    subject: str
    attribute: str
    value: str
    spans: tuple[Span, ...]
    evidence_ids: tuple[str, ...] = ()
    relation: Relation | None = None
