"""What the sentence reader takes from sentences as they are spoken and written."""

import random

import pytest

from agents.embedded.relations import relations
from training.wording.asks import SHORTER


def said(text: str) -> dict[str, str]:
    """Each relation as "kind slots" with its answer; clozes apart."""
    found = {}
    for relation in relations(text):
        slots = dict(relation.slots)
        for shorter in SHORTER:
            if text := slots.pop(shorter, ""):
                found[f"{relation.kind} {text}"] = relation.answer
        if relation.kind != "cloze":
            asked = " ".join([relation.kind, *filter(None, slots.values())])
            found[asked] = relation.answer
    return found


def table(text: str) -> list[tuple[str, dict[str, str]]]:
    """Rows of a sentence and, indented, what it says: "kind slots -> answer"."""
    rows: list[tuple[str, dict[str, str]]] = []
    for line in text.strip().splitlines():
        if line.startswith("  "):
            asked, answer = line.strip().split(" -> ")
            rows[-1][1][asked] = answer
        elif not line.startswith("#"):
            rows.append((line, {}))
    return rows


EXPECTED = table("""
# What the issue asks for
This is the optical and science segment of the Webb space telescope in one of the largest \
cleanrooms in the world at NASA\u2019s Goddard Space Flight Center in Greenbelt, Maryland.
  where Goddard Space Flight Center -> Greenbelt, Maryland
  which telescope -> Webb space telescope
# Lectures
A neural network is a function with many parameters.
  is a neural network -> a function with many parameters
Photosynthesis is the process of turning light into energy.
  is photosynthesis -> the process of turning light into energy
DNA is a molecule that carries genetic information.
  is DNA -> a molecule that carries genetic information
The liver is the largest internal organ of the human body.
  is the liver -> the largest internal organ of the human body
Water consists of two hydrogen atoms and one oxygen atom.
  how_many hydrogen atoms does water consist of -> two
Albert Einstein published four papers in 1905.
  who published four papers in 1905 -> Albert Einstein
  when did Albert Einstein publish four papers -> 1905
  how_many papers did Albert Einstein publish in 1905 -> four
Tim Berners-Lee invented the World Wide Web at CERN in 1989.
  what did Tim Berners-Lee invent at CERN -> the World Wide Web
  when did Tim Berners-Lee invent the World Wide Web at CERN -> 1989
Professor Olga Ivanova teaches physics at the University of Oslo in Norway.
  who teaches physics at the University of Oslo in Norway -> Professor Olga Ivanova
  where the University of Oslo -> Norway
  which university -> University of Oslo
# News
The prime minister of Japan met the president of France in Paris on Tuesday.
  where did the prime minister of Japan meet the president of France -> Paris
  when did the prime minister of Japan meet the president of France in Paris -> Tuesday
The president of the bank, Maria Lopez, announced the decision on Wednesday.
  who announced the decision on Wednesday -> Maria Lopez
  is Maria Lopez -> The president of the bank
The storm destroyed 400 homes in Florida.
  how_many homes did the storm destroy in Florida -> 400
  what destroyed 400 homes in Florida -> The storm
Firefighters rescued two children from the building.
  how_many children did firefighters rescue from the building -> two
The treaty was signed in Versailles on 28 June 1919.
  where was the treaty signed -> Versailles
  when was the treaty signed in Versailles -> 28 June 1919
Elena Petrova won the gold medal in Tokyo.
  who won the gold medal in Tokyo -> Elena Petrova
  what did Elena Petrova win in Tokyo -> the gold medal
  mention place -> Tokyo
The winner of the race was Usain Bolt.
  who was the winner of the race -> Usain Bolt
# Documentaries
Anna Weber founded the observatory in 1931.
  who founded the observatory in 1931 -> Anna Weber
  who founded the observatory -> Anna Weber
  what did Anna Weber found -> the observatory
  when did Anna Weber found the observatory -> 1931
The observatory was founded by Anna Weber in 1931
  who founded the observatory in 1931 -> Anna Weber
  when was the observatory founded by Anna Weber -> 1931
In the 19th century, the railway reached the coast.
  when did the railway reach the coast -> the 19th century
Titan is the largest moon of Saturn, and it has a thick atmosphere.
  is Titan -> the largest moon of Saturn
The tower stands in Bergen.
  where the tower -> Bergen
  mention place -> Bergen
The Tappan Zee Bridge crosses the Hudson River.
  which bridge -> Tappan Zee Bridge
  which river -> Hudson River
  what crosses the Hudson River -> The Tappan Zee Bridge
Mount Everest, the highest mountain in the world, is 8,849 metres high.
  how_much high Mount Everest -> 8,849 metres
  is Mount Everest -> the highest mountain in the world
  which mountain -> Mount Everest
The Eiffel Tower is 330 metres high and was completed in 1889.
  how_much high the Eiffel Tower -> 330 metres
  when was the Eiffel Tower completed -> 1889
Marie Curie was born in Warsaw in 1867.
  where was Marie Curie born -> Warsaw
  when was Marie Curie born in Warsaw -> 1867
Harvard University was founded in 1636.
  when was Harvard University founded -> 1636
  which university -> Harvard University
The ship was carried to Bergen by Peter Olsen in 1890.
  who carried the ship to Bergen in 1890 -> Peter Olsen
  who carried the ship to Bergen -> Peter Olsen
  where was the ship carried to -> Bergen
The crew of Apollo 11 landed on the Moon in July 1969.
  when did the crew of Apollo 11 land on the Moon -> July 1969
The book was written by Jane Austen in 1813.
  who wrote the book in 1813 -> Jane Austen
Julius Caesar was murdered in Rome in 44 BC.
  when was Julius Caesar murdered in Rome -> 44 BC
The James Webb Space Telescope was launched on 25 December 2021 from French Guiana.
  where was the James Webb Space Telescope launched from -> French Guiana
  which telescope -> James Webb Space Telescope
The primary mirror is 6.5 metres wide and consists of 18 hexagonal segments.
  how_much wide the primary mirror -> 6.5 metres
  how_many hexagonal segments does the primary mirror consist of -> 18
The Sun is 150 million kilometres from Earth.
  how_much far the Sun from Earth -> 150 million kilometres
# Nature
Every year two million tourists visit the museum.
  how_many tourists visit the museum every year -> two million
About 3,000 people live on the island.
  how_many people live on the island -> About 3,000
The pack has eleven wolves.
  how_many wolves does the pack have -> eleven
An adult elephant weighs up to 6,000 kilograms.
  how_much heavy an adult elephant -> up to 6,000 kilograms
Scientists discovered a new species of frog in the mountains of Peru.
  what did scientists discover in the mountains of Peru -> a new species of frog
The Danube rises in the Black Forest and flows into the Black Sea.
  where does the Danube rise -> the Black Forest
  where does the Danube flow into -> the Black Sea
Lake Geneva lies between Switzerland and France.
  where Lake Geneva -> between Switzerland and France
  which lake -> Lake Geneva
There are 40 islands in the bay.
  how_many islands are there in the bay -> 40
# Meetings and workshops
The meeting starts at noon in the main hall.
  when does the meeting start in the main hall -> noon
  where does the meeting start -> in the main hall
The next meeting is on Thursday at 10 a.m.
  when is the next meeting -> Thursday at 10 a.m.
Peter will present the budget on Monday.
  who will present the budget on Monday -> Peter
  what will Peter present -> the budget
  when will Peter present the budget -> Monday
We moved the office to Hamburg in March 2020.
  where did we move the office to -> Hamburg
  when did we move the office to Hamburg -> March 2020
The camera costs $499 and weighs 650 grams.
  how_much expensive the camera -> $499
  how_much heavy the camera -> 650 grams
The bakery sells bread, cakes and pies.
  what does the bakery sell -> bread, cakes and pies
# Asked the way people ask: without the one who did it, for how long, how far and how often
Pieter Aalders made the lamp in Bruges.
  where did Pieter Aalders make the lamp -> Bruges
  where was the lamp made -> Bruges
The company moved the factory to Leeds in 1999.
  where was the factory moved to -> Leeds
  when was the factory moved to Leeds -> 1999
A great storm broke the tower in 1891.
  when was the tower broken -> 1891
Marta Quill kept the light for 31 years.
  how_much long did Marta Quill keep the light -> 31 years
Its light reaches 27 kilometres.
  how_much far does the light reach -> 27 kilometres
The fog bell rings every 20 seconds.
  how_much often does the fog bell ring -> every 20 seconds
The waves were 14 metres high.
  how_much high were the waves -> 14 metres
The team tested the lens in 1990.
  when was the lens tested -> 1990
Air France bought the aircraft in 1999.
  when did Air France buy the aircraft -> 1999
""")


@pytest.mark.parametrize(("text", "expected"), EXPECTED, ids=[text[:40] for text, _ in EXPECTED])
def test_says(text: str, expected: dict[str, str]) -> None:
    found = said(text)
    assert expected.items() <= found.items()


# Each has a reading that would make a wrong or a senseless question.
NOT_SAID = [
    ("The bridge built in 1931 carries trains.", ("who", "what", "when", "is")),
    ("She was born in London in 1912.", ("who", "when", "where")),
    ("It was designed by Frank Gehry.", ("who",)),
    ("The bill was not passed in 1990.", ("when",)),
    ("They said that the tower might open in 2030.", ("when", "what", "who")),
    ("Polar bears hunt seals on the sea ice.", ("what", "who", "where")),
    ("When the war ended, the bridge was rebuilt.", ("when", "what")),
    ("What is the capital of France?", ("is", "what", "where")),
    ("The last two years were hard.", ("how_many",)),
    ("In 1500 villages people speak the language.", ("when",)),
    ("The museum is one of the best places in town.", ("is", "where")),
    ("The speaker asked for two minutes of silence.", ("how_much",)),
    ("No company built the bridge in 1940.", ("when", "what", "who")),
    ("Nobody opened the gate in 1940.", ("when", "what")),
    ("Few people visited the island in 1950.", ("when", "what")),
    ("The parliament passed the budget for two years.", ("how_much",)),
    ("The cheetah runs 100 kilometres per hour.", ("how_much",)),
    ("The film shows the landing in Normandy in 1944.", ("where", "when")),
    ("She took the train in Oslo.", ("where", "when")),
    ("The crew reached Rome in 1944.", ("how_much",)),
    ("The cat sat on the mat that Anna found in the garden.", ("who",)),
]


@pytest.mark.parametrize(("text", "kinds"), NOT_SAID, ids=[text[:40] for text, _ in NOT_SAID])
def test_keeps_silent(text: str, kinds: tuple[str, ...]) -> None:
    assert not [r for r in relations(text) if r.kind in kinds]


def test_a_part_of_the_board_is_not_the_board() -> None:
    found = relations("Half of the board rejected the plan in 1999.")
    (when,) = [relation for relation in found if relation.kind == "when"]
    assert "passive" not in when.slots


def test_all_answers_stand_in_their_sentence() -> None:
    for text, _ in EXPECTED:
        for relation in relations(text):
            assert relation.answer in text
            assert relation.sentence == text
            assert relation.slots or relation.kind == "mention"


def test_clozes_give_back_the_sentence() -> None:
    for text, _ in EXPECTED:
        clozes = [r for r in relations(text) if r.kind == "cloze"]
        assert 1 <= len(clozes) <= 4
        for cloze in clozes:
            assert cloze.slots["blanked"].replace("____", cloze.answer) == text
            assert 1 <= len(cloze.answer.split()) <= 5
            assert text.casefold().count(cloze.answer.casefold()) == 1


OTHER = [
    "Der Turm steht seit 1931 in Bergen und ist 29 Meter hoch.",
    "La torre se encuentra en la ciudad de Madrid desde 1931.",
    "L'observatoire a été fondé en 1931 par Marie Curie.",
    "Башня стоит в Бергене с 1931 года.",  # noqa: RUF001
    "東京タワーは1958年に建てられました。",
    "INTRODUCTION TO MACHINE LEARNING",
    "Project Timeline and Next Steps",
    "this is the segment of the webb space telescope at the center in greenbelt",
]


@pytest.mark.parametrize("text", OTHER)
def test_other_languages_and_headings_give_clozes_or_nothing(text: str) -> None:
    assert {r.kind for r in relations(text)} <= {"cloze"}


@pytest.mark.parametrize(
    "text", ["", " ", "Hm.", "||||| ____ ----- 000", "@@ ## !! ++ 12 %% ((", "…"]
)
def test_noise_gives_nothing(text: str) -> None:
    assert relations(text) == []


def test_any_text_is_read_without_an_error() -> None:
    rng = random.Random(0)
    words = " ".join(text for text, _ in EXPECTED).split()
    words += ["'", "\u2019s", "n't", "'s", ",", ";", ":", "—", "“", "”", "."]
    for _ in range(400):
        ranges = (range(1, 0x300), range(1, 0xD800), range(0xE000, 0x20000), range(32, 33))
        noise = "".join(chr(rng.choice(rng.choice(ranges))) for _ in range(rng.randint(0, 60)))
        shuffled = " ".join(rng.choice(words) for _ in range(rng.randint(1, 40)))
        for text in (noise, shuffled, shuffled.upper(), shuffled.lower(), shuffled + noise):
            plain = " ".join(text.split())
            for relation in relations(text):
                assert relation.answer
                assert relation.answer in plain
