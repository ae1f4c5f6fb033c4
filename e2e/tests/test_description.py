"""The description of the HTTP API, read by a tool that knows nothing of Doorward."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness.door import REPOSITORY

DESCRIPTION = REPOSITORY / "crates" / "doorward-web" / "src" / "manage" / "openapi.json"


def mistakes(description: dict) -> list[str]:
    return [error.message for error in OpenAPIV31SpecValidator(description).iter_errors()]


def test_the_description_of_the_http_api_is_openapi_3_1() -> None:
    description = json.loads(DESCRIPTION.read_text())
    assert description["openapi"].startswith("3.1.")
    assert mistakes(description) == []


@pytest.mark.parametrize("part", ["info", "openapi"])
def test_a_description_that_is_none_is_found(part: str) -> None:
    description = json.loads(DESCRIPTION.read_text())
    del description[part]
    assert mistakes(description) != []
