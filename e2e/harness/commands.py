"""What the foreign echo servers do besides echoing, in the same words on both of them.

`headers`              answers with the request headers as a JSON object
`fragments`            answers with the text "one two three" in three frames
`close CODE REASON`    closes from the upstream's side
`flood SIZE`           sends numbered text messages of SIZE bytes, without an end of its own
anything else          comes back as it is
"""

from __future__ import annotations

FRAGMENTS = ("one ", "two ", "three")


def numbered(number: int, size: int) -> str:
    """The message with that number of a flood: a message that was cut or lost shows."""
    head = f"{number:08d}:"
    return head + chr(ord("a") + number % 26) * (size - len(head))
