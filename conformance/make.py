#!/usr/bin/env python3
"""Writes the transcripts of this folder.

It computes every key, token, signature and code by itself, with Python's standard library and `cryptography`, from the
descriptions in README.md (`making/proofs.py`): none of Doorward's own code is used. Running it again must not change any file.
"""

from making import ladders, people, sockets

if __name__ == "__main__":
    for each in (ladders, people, sockets):
        each.flows()
