"""Follow-up questions written out without a language model: "And at 00:12?" asks what was asked.

A follow-up leans on the question before it, on its answer, or on the place in the video that both
are about. What it leaves out is put back in words of that question.
"""

import re

from agents.embedded.plain_question import straight
from training.scoring import is_refusal, times

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_QUOTED = r"[\"'](?P<quoted>[^\"]+?)[\"'](?=[\s,.?!;:)]|$)"
# Characters; nobody's follow-up is longer, and the time that patterns take grows with the square.
LONGEST = 2000
_OPENING = re.compile(
    r"^(?:and|but|so|ok(?:ay)?|then|also|now|right|what about|how about|what of|the same|same|"
    r"and what about|and how about|and what of|and the same|and then)\b[\s,]*(?P<rest>.*?)\s*\??$",
    re.IGNORECASE,
)
_SAME = re.compile(r"^(?:the same|same|again|for|with|is it)\b\s*", re.IGNORECASE)
_NEXT = re.compile(
    r"^(?:then what|(?:and |but |so )?"
    r"(?:what(?:'s| is| was| comes| came| happens| happened| follows)"
    r"(?: shown| said| there)?|what|which(?: one)?(?: comes| came| is| was)?)? ?"
    r"(?:then|next|(?:right |just |directly )?after(?:wards?| that| this| it)?|later|following"
    r"|(?:(?:is|comes|about) )?the (?:next|following)(?: one| slide| title| sentence)?"
    r"|(?:the )?(?:one )?after(?: that| this| it)))\s*\??$",
    re.IGNORECASE,
)
_PREVIOUS = re.compile(
    r"^(?:(?:and |but |so )?"
    r"(?:what(?:'s| is| was| comes| came| happens| happened| precedes)"
    r"(?: shown| said| there)?|what|which(?: one)?(?: comes| came| is| was)?)? ?"
    r"(?:(?:right |just |directly )?before(?:hand| that| this| it)?|earlier|previously"
    r"|(?:(?:is|comes|about) )?the (?:previous|preceding)(?: one| slide| title| sentence)?"
    r"|(?:the )?(?:one )?before(?: that| this| it)))\s*\??$",
    re.IGNORECASE,
)
_VERBS = (
    *("is", "are", "was", "were", "do", "does", "did", "has", "have", "had"),
    *("can", "could", "will", "would", "should", "may", "might", "must"),
)
# Behind these it stands for nothing, as in "is there", "has there been".
_NO_PLACE = "".join(rf"(?<!\b{verb} )" for verb in _VERBS)
_THERE = re.compile(
    r"\b(?:at the same (?:time|moment)|at (?:that|this) (?:moment|time|point)|in (?:that|this) "
    r"(?:place|shot|scene|moment)|on (?:that|this) (?:slide|card|screen)|during (?:that|this)|"
    rf"while (?:that|this) is (?:shown|said)|then|{_NO_PLACE}there|"
    r"meanwhile)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:he|she|him|they|them|her(?=\s*[?.]|$))\b", re.IGNORECASE)
_PERSONS = re.compile(r"\b(?:his|her|their)\b", re.IGNORECASE)
_THING = re.compile(
    r"\b(?:it|(?:that|this)(?: one|(?= (?:said|shown|mentioned|seen))|(?=\s*\??$)))(?!\w)",
    re.IGNORECASE,
)
_STANDS_FOR_NOTHING = re.compile(
    r"\b(?:do|does|did) it (?:say|read|take)\b|\btime is it\b"
    r"|\bis it (?:said|mentioned|stated|told|true|raining|snowing|possible)\b",
    re.IGNORECASE,
)
_ITS = re.compile(r"\bits\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=\s)[A-Z][\w'-]*(?:\s+(?:of\s+|the\s+)?[A-Z0-9][\w'-]*)*")
_THE = re.compile(
    r"\b(?:the|a|an)\s+[a-z][\w-]*(?:\s+(?!(?:in|at|on|of|to|is|was|did|for|from|by|"
    r"that|when|while|after|before)\b)[a-z][\w-]*){0,2}",
    re.IGNORECASE,
)
# Where in the video a question looks: up to its end, or to the comma that ends the clause.
_PLACE = re.compile(
    rf"\b(?:(?:exactly |right |just )?(?:at|on|in|when|while|during|as|under|after|before|with|"
    rf"beside)\b[^\"?,]*?)(?:{_TIME}|{_QUOTED})[^?,]*",
    re.IGNORECASE,
)  # fmt: skip
_SPEECH = re.compile(r"\b(?:said|say|says|voice|spoken|speaker|sentence|words|hear|heard)\b", re.I)
_ASPECT = r"\b(?:the )?(?:colou?r|brightness|light|motion|movement|direction|title|heading|text)\b"
_ORDINAL = r"\b(?:the )?(?:first|second|third|fourth|fifth|last)\b(?: one)?"
_ASKS_ONLY = re.compile(
    r"(?:and |but )?(?P<wh>when|where|why|who|how|by whom|for whom|since when|at what time|how long"
    r"|how often|in (?:which|what) year)\s*\?*",
    re.IGNORECASE,
)
_WH = r"(?:what|when|where|which|who|whom|whose|why|how)"
_VERB = f"(?:{'|'.join(_VERBS)})"
_PREPOSITION = r"(?:at|in|on|for|from|to|by|with|of|about|since|until|under|after|before|during)"
# A question by its first word, or by what comes after the place that it names first.
_WHOLE = re.compile(
    rf"(?:{_PREPOSITION} )?{_WH}\b|{_VERB}\b|(?:tell|name|say|describe|give|list|explain|show)\b"
    rf"|.*,\s*(?:{_PREPOSITION} )?(?:{_WH}|{_VERB})\b",
    re.IGNORECASE,
)
# A question's own word and what it asks for, up to its verb.
_CLAUSE = re.compile(
    r"^.*?\b(?=(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would)\b)", re.IGNORECASE
)
_WHO = re.compile(r"\b(?:who|whom|which person|what person)\b", re.IGNORECASE)


def contextualize(question: str, before: str, answer: str) -> str:
    """Return a question that stands alone, whatever it leaned on.

    ``before`` is the question that was asked before it, as it stands alone, and ``answer`` what was
    answered. A question that leans on neither is returned as it is, as is one that is very long.
    """
    asked = straight(question)
    if not before or not asked or max(map(len, (asked, before, answer))) > LONGEST:
        return asked
    answer = "" if is_refusal(answer) else answer.strip().rstrip(".")
    if found := _side(asked):
        return _sequence(found, before, answer)
    if wh := _ASKS_ONLY.fullmatch(asked):
        return wh["wh"][0].upper() + wh["wh"][1:] + " " + _CLAUSE.sub("", before)
    if opening := _OPENING.match(asked):
        rest = opening["rest"]
        if not _is_whole(rest):
            return _exchanged(_SAME.sub("", rest), before)
        asked = rest[0].upper() + rest[1:].rstrip(".!") + "?"
    return _spelled_out(asked, before, answer)


def _side(asked: str) -> str | None:
    """Return whether what comes after or before is asked for, if nothing but that is."""
    if _NEXT.match(asked):
        return "after"
    return "before" if _PREVIOUS.match(asked) else None


def _is_whole(text: str) -> bool:
    """Tell whether a text has a question's own word and verb."""
    return bool(_WHOLE.match(text)) and len(text.split()) > 2


def _sequence(side: str, before: str, answer: str) -> str:
    """Ask for what comes before or after what was asked or answered last."""
    kind = "said" if _SPEECH.search(before) else "shown"
    moments = times(answer)
    if answer and not moments and (kind == "said" or not _is_look(before)):
        anchor = f'"{answer}"'
    elif moments and (quoted := re.search(_QUOTED, before)):
        anchor = f'"{quoted["quoted"]}"'
    elif place := re.search(rf"{_TIME}|{_QUOTED}", answer if moments else before):
        anchor = place.group()
    else:
        anchor = f'"{answer or _thing(before)}"'
    if _is_look(before) and (found := _PLACE.search(before)):
        return _joined(before[: found.start()], f"{side} {anchor}", before[found.end() :])
    return f"What is {kind} {side} {anchor}?"


def _is_look(question: str) -> bool:
    looks = r"\b(colou?r|bright|light|move|moving|motion|direction|faces|people)\w*\b"
    return bool(re.search(looks, question, re.IGNORECASE))


def _exchanged(new: str, before: str) -> str:
    """Ask the question before of another time, title or name."""
    if (aspect := re.fullmatch(_ASPECT, new)) and (old := re.search(_ASPECT, before)):
        return before[: old.start()] + aspect.group().strip() + before[old.end() :]
    if (place := re.fullmatch(_ORDINAL, new)) and (old := re.search(_ORDINAL, before)):
        return before[: old.start()] + place.group() + before[old.end() :]
    if (moment := re.search(_TIME, new)) and (old := re.search(_TIME, before)):
        aside = new[: moment.start()].rpartition(",")[0] if "," in new else new[: moment.start()]
        look = re.search(r"\b(?:bright|dark|dim)\b", aside)
        asked = before[: old.start()] + moment.group() + before[old.end() :]
        return re.sub(r"\b(?:bright|dark|dim)\b", look.group(), asked) if look else asked
    bare = re.sub(r"^(?:at|on|in|when|while|during|about|with|by|of|to)\s+", "", new, flags=re.I)
    lead = new[: len(new) - len(bare)]
    if re.fullmatch(_TIME, bare):
        if found := _PLACE.search(before):
            return _joined(before[: found.start()], f"at {bare}", before[found.end() :])
        return _joined(before, f"at {bare}", "")
    if quoted := re.search(_QUOTED, before):
        inner = re.fullmatch(_QUOTED, bare)
        name = inner["quoted"] if inner else bare
        if lead.strip().lower() in ("when", "while", "during", "on", "in") and inner is None:
            found = _PLACE.search(before)
            start, end = found.span() if found else quoted.span()
            return _joined(before[:start], new, before[end:])
        return before[: quoted.start("quoted")] + name + before[quoted.end("quoted") :]
    if found := _PLACE.search(before):
        where = new if lead else f"on the slide {bare}" if bare[:1] in "\"'" else f"on {bare}"
        return _joined(before[: found.start()], where, before[found.end() :])
    names = [match.span() for match in _NAME.finditer(before)] or _things(before)
    if names:
        start, end = names[-1]
        return before[:start] + bare + before[end:]
    return _joined(before, new if lead else f"for {bare}", "")


def _spelled_out(asked: str, before: str, answer: str) -> str:
    """Put names and places where a question has but words that point at them."""
    if found := _THERE.search(asked):
        has_place = _PLACE.search(asked)
        if not has_place and (place := _place(before, answer)):
            asked = _joined(asked[: found.start()], place, asked[found.end() :])
    who = answer if answer and _WHO.search(before) else _last(_NAME, before)
    if who:
        asked = _PERSONS.sub(f"{who}'s", _PERSON.sub(who, asked, count=1), count=1)
    thing = _meant(before, answer)
    if thing and not times(thing) and not _STANDS_FOR_NOTHING.search(asked):
        asked = _ITS.sub(f"{thing}'s", _THING.sub(thing, asked, count=1), count=1)
    return asked


def _meant(before: str, answer: str) -> str:
    """Return what "it" stands for: the answer where a thing was asked for, or what was asked of."""
    asks_for_thing = re.match(r"(?:what|which)\b", before, re.IGNORECASE) and not _is_look(before)
    is_thing = answer and not times(answer) and any(letter.isalpha() for letter in answer)
    return answer if asks_for_thing and is_thing else _thing(before) or answer


def _place(before: str, answer: str) -> str:
    if found := _PLACE.search(before):
        return found.group().strip()
    if moments := re.search(_TIME, answer):
        return f"at {moments.group()}"
    if answer:
        verb = "is said" if _SPEECH.search(before) or len(answer.split()) > 4 else "is shown"
        return f'while "{answer}" {verb}'
    return ""


def _thing(before: str) -> str:
    if quoted := re.search(_QUOTED, before):
        return quoted["quoted"]
    # A name after the first word, or else what has an article.
    plain = re.sub(_PLACE, "", before)
    things = [plain[start:end] for start, end in _things(plain)]
    return things[-1] if things else _last(_NAME, before)


def _things(text: str) -> list[tuple[int, int]]:
    """Return where a text has things with an article, without the verb of "did the oak come"."""
    found = []
    for match in _THE.finditer(text):
        words = match.group().split()
        verb = re.search(r"\b(?:do|does|did|can|could|will|would)\s+$", text[: match.start()])
        cut = len(words[-1]) + 1 if verb and len(words) > 2 else 0
        found.append((match.start(), match.end() - cut))
    return found


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = [match.group().strip() for match in pattern.finditer(text)]
    return found[-1] if found else ""


def _joined(head: str, middle: str, tail: str) -> str:
    joined = " ".join(part.strip(" ?") for part in (head, middle, tail) if part.strip(" ?"))
    return re.sub(r"\s+([,.?])", r"\1", joined) + "?"
