"""The questions that the demo and the smoke test ask, with what the videos show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question in a viewer's own words, and what a right answer has to contain."""

    text: str
    expected: str


SAMPLE = (
    Question("Who built the first tower?", "Ingrid Solbakken"),
    Question("What is on screen at 00:33?", "The Lamp"),
    Question("Which slide comes after The Great Storm?", "The Second Tower"),
    Question("How far does the light reach?", "27 kilometres"),
    Question("Where was the lamp made?", "Bruges"),
    Question("What happened in 1891?", "storm"),
    Question("How long did Marta Quill keep the light?", "31 years"),
    Question("What colour is the background at 00:47?", "purple"),
    Question("Who painted the ceiling of the chapel?", "does not show that"),
)
DEMO = SAMPLE[:3]

NASA = (
    Question("Where is Goddard Space Flight Center?", "Greenbelt"),
    Question("Which telescope is this about?", "Webb"),
)
