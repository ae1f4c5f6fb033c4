"""The Autobahn cases against a WebSocket server that echoes: `python -m harness.autobahn ws://HOST:PORT/PATH`.

The cases are Autobahn's own files; the runner is the package `kosoku`. Left out: 9 (speed, and messages above the limit
of a gate), 12 and 13 (compression, which gates do not offer).
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass

from kosoku import FailureError, run_fuzzingclient

LEFT_OUT = ("9.*", "12.*", "13.*")


@dataclass
class Outcome:
    """How the cases went."""

    verdicts: Counter[str]
    closings: Counter[str]
    failures: list[str]

    @property
    def cases(self) -> int:
        """How many cases were run."""
        return self.verdicts.total()

    def __str__(self) -> str:
        def listed(counter: Counter[str]) -> str:
            return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))

        return f"{self.cases} Autobahn cases: {listed(self.verdicts)}; closing: {listed(self.closings)}"


async def run(url: str, only: tuple[str, ...] = ()) -> Outcome:
    """Runs the cases, all but those left out or `only` some of them."""
    try:
        results = await run_fuzzingclient(url, list(only) or None, list(LEFT_OUT), concurrency=4)
    except FailureError as failure:
        results = failure.results
    failures = [
        f"{case.case_id}: {case.behavior.value}, closing {case.behavior_close.value}: {case.result} {case.result_close}"
        for case in results
        if not case.passed
    ]
    return Outcome(
        Counter(case.behavior.value for case in results),
        Counter(case.behavior_close.value for case in results),
        failures,
    )


def main() -> int:
    """Prints the counts, then a line for each case that failed."""
    outcome = asyncio.run(run(sys.argv[1], tuple(sys.argv[2:])))
    print(outcome)
    print("\n".join(outcome.failures))
    return 1 if outcome.failures or not outcome.cases else 0


if __name__ == "__main__":
    sys.exit(main())
