"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness.browser import Browser
from harness.foreign import CLIENTS, SERVERS


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short name: a Unix socket will lie in it, and the path of one has room for 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="doorward-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(params=list(SERVERS), ids=lambda kind: f"behind={kind}")
def behind(request: pytest.FixtureRequest) -> str:
    """The library that the server behind the gate is written with."""
    return request.param


@pytest.fixture(params=list(CLIENTS), ids=lambda kind: f"before={kind}")
def before(request: pytest.FixtureRequest) -> str:
    """The library that the client before the gate is written with."""
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of a file of tests: starting one takes two seconds."""
    async with Browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """A browser that knows nobody. The tests that use it run in their file's one loop."""
    yield chromium
    await chromium.forget()
