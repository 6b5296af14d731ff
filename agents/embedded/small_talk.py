"""What is said to the router without being a question about a video: greetings, thanks, "help"."""

import re

from agents.embedded.plain_question import straight

HELLO = (
    "Hello! Ask me what the videos show or say, for example: what is shown at 00:30? Who is named?"
)
THANKS = "You are welcome. Ask on."
_GREETING = (
    r"(?:(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|welcome|yo)"
    r"(?: (?:there|again|all|everybody|everyone|you|friend|bot|nkr))*"
    r"|(?:who|what) are you|how are you(?: doing)?(?: today)?|what(?: else)? can you do"
    r"|what can i ask(?: you)?|what do you know|help|help me|test|ping)"
)
_THANKING = (
    r"(?:(?:many )?thanks?(?: you)?|thx|cheers|great|nice|cool|perfect|okay|ok|got it|i see"
    r"|bye|goodbye|good ?night|see you|never mind|a lot|so much|very much|again|then)"
)
_HELLO = re.compile(rf"{_GREETING}(?: (?:and )?{_GREETING})*")
_THANKS = re.compile(rf"{_THANKING}(?: {_THANKING})*")


def small_talk(said: str) -> str | None:
    """Return what is answered to what asks nothing about a video, None for all else."""
    words = re.sub(r"[^\w\s]+", " ", straight(said).casefold().replace("'", ""))
    words = " ".join(words.split())
    # Dots or an emoji ask nothing.
    if _HELLO.fullmatch(words) or (said.strip() and not words and "?" not in said):
        return HELLO
    return THANKS if _THANKS.fullmatch(words) else None
