"""What the sentence reader must not ask: bounds as numbers, labels as counts, aims as places."""

import pytest

from agents.embedded.relations import relations


def answers(text: str, *kinds: str) -> set[str]:
    """Return the answers of a sentence's relations of some kinds."""
    return {relation.answer for relation in relations(text) if relation.kind in kinds}


NO_NUMBER = [
    "The phone costs 300 dollars less than the tablet.",
    "The phone costs 300 dollars above the usual price.",
    "The bell weighs 20 tonnes more than the clock.",
    "The tower is 300 meters tall or more.",
    "The film lasts two hours or more.",
    "Marta Quill kept the light for 31 years or more.",
    "The shop sold 50 cars less than in 1990.",
    "The shop sold 50 cars fewer than in 1990.",
    "All but two members voted for it.",
    "The mayor closed all but 3 schools.",
    "All except two members voted for it.",
    "The judge heard none of the 12 jurors.",
    "Neither of the two pilots saw the mountain.",
    "The ship carried hardly 900 passengers.",
    "No fewer than 50 people attended the meeting.",
    "As many as 200 people died in the fire.",
    "The club sold close to 200 shirts in Leeds.",
    "Two or three people attended the meeting.",
    "Between 200 and 300 people attended the meeting.",
    "Between two hundred and three hundred people attended the meeting.",
    # Read as what one flies over.
    "The earthquake killed over 200 people in Japan.",
    "The bridge has no more than 40 arches.",
]


@pytest.mark.parametrize("text", NO_NUMBER)
def test_what_is_no_exact_number_is_not_asked_for(text: str) -> None:
    assert not answers(text, "how_many", "how_much")


KEPT_BOUNDS = [
    ("The tower is less than 300 meters tall.", "less than 300 meters"),
    ("The tower is almost 300 meters tall.", "almost 300 meters"),
    ("The lake is about 20 metres deep.", "about 20 metres"),
    ("The phone costs at least 300 dollars.", "at least 300 dollars"),
    ("The whale weighs more than 20 tonnes.", "more than 20 tonnes"),
    ("The statue weighs over 20 tonnes.", "over 20 tonnes"),
    ("The light reaches up to 27 kilometres.", "up to 27 kilometres"),
    ("Marta Quill kept the light for more than 31 years.", "more than 31 years"),
    ("Fewer than 50 people attended the meeting.", "Fewer than 50"),
    ("About 900 passengers boarded the ship.", "About 900"),
    ("The earthquake killed more than 200 victims.", "more than 200"),
    ("The fire destroyed up to 40 homes in Florida.", "up to 40"),
    ("The concert drew nearly 900 visitors.", "nearly 900"),
    ("There are more than 40 islands in the bay.", "more than 40"),
    ("A crowd of more than 200 people watched the match.", "more than 200"),
    ("The park has over 300 trees.", "over 300"),
    ("The ship carried up to 300 passengers.", "up to 300"),
]


@pytest.mark.parametrize(("text", "answer"), KEPT_BOUNDS)
def test_an_answer_keeps_its_bound(text: str, answer: str) -> None:
    assert answers(text, "how_many", "how_much") == {answer}


EXACT = [
    ("The tower is 300 meters tall.", "300 meters"),
    ("The phone costs 300 dollars.", "300 dollars"),
    ("Only two members voted for the plan.", "two"),
    ("The team has only two players.", "two"),
    ("The shop sold 300 tickets over the weekend.", "300"),
    ("A team of 12 scientists found the wreck.", "12"),
    ("The names of the 12 jurors were read.", "12"),
    ("The road runs between two cities.", "two"),
    ("The film is about two brothers.", "two"),
]


@pytest.mark.parametrize(("text", "answer"), EXACT)
def test_an_exact_number_is_still_asked_for(text: str, answer: str) -> None:
    assert answers(text, "how_many", "how_much") == {answer}


LABELS = [
    "Line three calls the function.",
    "Line 3 calls the function.",
    "The function in line three calls the helper.",
    "Lecture six starts with Newton.",
    "Step two adds the sugar.",
    "Section four describes the method.",
    "Question five asks for a proof.",
    "Exercise two uses the formula.",
    "Equation three shows the result.",
    "Theorem two proves the claim.",
    "Episode four shows the landing.",
    "Group two visits the museum.",
    "Platform nine serves trains to Oslo.",
    "Terminal two handles flights to Asia.",
    "Article five limits the power of the king.",
    "Building seven houses the labs.",
    "Bus line three stops at the market.",
    # No list has these two.
    "Bus nine stops at the market.",
    "Route two passes the church.",
    "Apollo 11 astronauts landed on the Moon.",
]


@pytest.mark.parametrize("text", LABELS)
def test_a_label_counts_nothing(text: str) -> None:
    assert not answers(text, "how_many")


COUNTS = [
    ("The tower has three bells.", "three"),
    ("Last year three ships left the port.", "three"),
    ("At night two guards watch the gate.", "two"),
    ("Yesterday two guards left the gate.", "two"),
    ("They answer two calls every day.", "two"),
    ("Add two drops of water.", "two"),
    ("In every group three visits failed.", "three"),
    ("The company builds three ships in Hamburg.", "three"),
    ("The village has two visits every year.", "two"),
]


@pytest.mark.parametrize(("text", "answer"), COUNTS)
def test_a_count_is_no_label(text: str, answer: str) -> None:
    assert answers(text, "how_many") == {answer}


NO_PLACE = [
    "The US declared war on Germany in 1941.",
    "War was declared on Germany in 1941.",
    "Professor Smith gave a lecture on Egypt on Monday.",
    "The lecture is on Egypt.",
    "Iran launched 300 drones at Israel on Saturday.",
    "The soldiers fired the rockets at the village.",
    "The fans shouted at the tower.",
    "The tourists looked at the castle.",
    "The government spent the money on Africa in 1999.",
    "The UN placed sanctions on Iran in 2010.",
    "The UN placed sanctions on Cuba in 2010.",
    "Anna Weber wrote a book on Norway in 1931.",
    "Anna Weber wrote a book on the river in 1931.",
    "Anna Weber published an article on Mars in 1931.",
    "The parliament held a debate on Ukraine on Monday.",
    "The pupils watched a film on Greenland on Monday.",
    "The band based the song on Paris.",
    "The country relied on Russia for gas.",
    "The team won a victory over Germany in 1954.",
    "The minister signed a treaty between Germany and France in 1963.",
]


@pytest.mark.parametrize("text", NO_PLACE)
def test_a_matter_or_an_aim_is_no_place(text: str) -> None:
    assert not answers(text, "where")


PLACES = [
    ("The rover landed on Mars in 1997.", "on Mars"),
    ("Scientists found water on Mars in 2008.", "on Mars"),
    ("Scientists found fossils on the beach.", "on the beach"),
    ("Scientists placed a camera on the island in 1999.", "on the island"),
    ("The hotel stands on Main Street.", "on Main Street"),
    ("The hotel is on the coast.", "on the coast"),
    ("Anna Weber lives on Crete.", "on Crete"),
    ("The plane crashed on Mount Erebus in 1979.", "on Mount Erebus"),
    ("The US dropped a bomb on Hiroshima in 1945.", "on Hiroshima"),
    ("The plane flew over Germany in 1941.", "over Germany"),
    ("The satellite passed over Norway on Monday.", "over Norway"),
    ("The ferry runs between Oslo and Kiel.", "between Oslo and Kiel"),
    ("Peter met Anna at the station.", "at the station"),
    ("The players trained at Wembley Stadium.", "Wembley Stadium"),
    ("Professor Smith gave a lecture in Oslo on Monday.", "Oslo"),
]


@pytest.mark.parametrize(("text", "answer"), PLACES)
def test_a_place_is_still_asked_for(text: str, answer: str) -> None:
    assert answers(text, "where") == {answer}


@pytest.mark.parametrize("score", ["3 to 1", "3-1", "3 - 1", "three to one"])
def test_a_score_is_no_part_of_a_name(score: str) -> None:
    text = f"Real Madrid beat Liverpool {score} in Paris."
    assert not answers(text, "who", "what", "where", "when", "how_many")
    assert "Liverpool 3" not in {relation.answer for relation in relations(text)}
