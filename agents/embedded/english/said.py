"""One thing that a sentence says: the kind of question, its slots and its answer."""

from training.facts import RelationKind

Said = tuple[RelationKind, dict[str, str], str]
