"""Texts for servers with `standard_conforming_strings` off, where a backslash escapes in every string.

PostgreSQL's parser is built with it on. So each string is written as `E'…'` for the parser, and
without the E for us: with the setting off the server reads both alike.
"""

import random
import re

from pglast.parser import scan

PLAIN = re.compile(r"[eE]?'(?:[^'\\]|\\.|'')*'", re.S)
TRICKS = ["\\'", "\\\\", "\\';", "''", "\\\\''", "\\n", "\\' --", "\\'/*", "\\x27", "\\047"]


def lax(seed, texts):
    """Pairs of a text for the parser and the same text for us."""
    chance = random.Random(seed)
    for text in texts:
        try:
            tokens = scan(text)
        except Exception:
            continue
        strings = [token for token in tokens if token.name == "SCONST"]
        if not strings or any(token.name in ("USCONST", "UIDENT") for token in tokens):
            continue
        parser, ours, at = [], [], 0
        for token in strings:
            literal = text[token.start : token.end + 1]
            if not PLAIN.fullmatch(literal):
                continue
            value = literal[literal.index("'") + 1 : -1]
            if literal[0] == "'":
                value = value.replace("\\", "\\\\")
            if chance.random() < 0.3:
                place = chance.randrange(len(value) + 1)
                # Not inside an escape or a doubled quote.
                if value[:place].count("\\") == 0 and value[:place].count("'") == 0:
                    value = value[:place] + chance.choice(TRICKS) + value[place:]
            gap = text[at : token.start]
            # What was kept apart by the E alone must stay apart.
            space = " " if literal[0] != "'" and gap[-1:].isalnum() else ""
            parser += [gap, space, "E'", value, "'"]
            ours += [gap, space, "'", value, "'"]
            at = token.end + 1
        yield "".join([*parser, text[at:]]), "".join([*ours, text[at:]])
