"""The Autobahn cases: the door's own WebSocket codec against the suite that the field measures itself by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import autobahn
from harness.door import ECHO, Door
from harness.foreign import echo_server


async def test_the_runner_finds_no_fault_in_a_foreign_server(behind: str) -> None:
    async with echo_server(behind) as server:
        outcome = await autobahn.run(server.url, ("1.*", "5.*"))
    assert outcome.cases == 36 and not outcome.failures, outcome


@pytest.mark.autobahn
@pytest.mark.timeout(900)
async def test_the_open_echo_gate_fails_no_case(folder: Path, record_property: Callable[[str, object], None]) -> None:
    async with Door(folder, ECHO) as door:
        outcome = await autobahn.run(door.url("/echo"))
    print(f"\n{outcome}")
    record_property("autobahn", str(outcome))
    assert outcome.cases >= 240, "the runner has run the whole list"
    assert not outcome.failures, "\n".join(outcome.failures)
