"""The golden transcripts, made anew by what makes them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from harness.door import REPOSITORY

FOLDER = REPOSITORY / "conformance"


def transcripts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in folder.glob("*.transcript")}


def test_making_the_transcripts_anew_changes_none_of_them(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "make.py", tmp_path)
    shutil.copytree(FOLDER / "making", tmp_path / "making", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, tmp_path / "make.py"], check=True, timeout=60)
    assert transcripts(tmp_path) == transcripts(FOLDER)
