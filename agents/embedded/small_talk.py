"""What is said to the router without being a question about a video: greetings, thanks, "help"."""

import re

HELLO = (
    "Hello! Ask me what the videos show or say, for example: what is shown at 00:30? Who is named?"
)
THANKS = "You are welcome. Ask on."
_HELLO = re.compile(
    r"(?:(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|welcome|yo)"
    r"(?: there| again| all| everybody| everyone| you| friend| bot| nkr)*"
    r"|(?:and )?(?:who|what) are you|how are you(?: doing| today)*|what(?: else)? can you do"
    r"|what can i ask(?: you)?|what do you know|help|help me|test|ping)+"
)
_THANKS = re.compile(
    r"(?:many |okay |ok )?(?:thanks?(?: you)?|thx|cheers|great|nice|cool|perfect|okay|ok|got it"
    r"|i see|bye|goodbye|good ?night|see you|never mind)"
    r"(?: (?:a lot|so much|very much|again|then|bye))*"
)


def small_talk(said: str) -> str | None:
    """Return what is answered to what asks nothing about a video, None for all else."""
    words = re.sub(r"[^\w\s]+", " ", said.casefold().replace("\u2019", "'").replace("'", ""))
    words = " ".join(words.split())
    if not words:
        return None
    if _HELLO.fullmatch(words):
        return HELLO
    return THANKS if _THANKS.fullmatch(words) else None
