"""Makes a text shorter as long as PostgreSQL accepts it and the outcome stays of its kind."""

import re

import compare
import oracle
from pglast.parser import scan


class Server:
    """The analysis, kept running; answers one text at a time."""

    def __init__(self, program):
        self.program = program

    def judge(self, texts):
        """For each text its worst outcome, or None."""
        known = []
        for text in texts:
            try:
                known.append((text, oracle.statements(text)))
            except (oracle.Rejected, NotImplementedError):
                known.append((text, None))
        ours = iter(compare.analyses(self.program, [text for text, truth in known if truth is not None]))
        for text, truths in known:
            if truths is None:
                yield None
            else:
                yield worst(list(compare.judge(text, truths, next(ours))))


def worst(outcomes):
    for kind in ("wrong", "unreadable", "over", "equal"):
        for outcome in outcomes:
            if outcome.kind == kind:
                return outcome
    return None


def signature(outcome):
    """What must stay: the kind of the first problem."""
    first = outcome.detail[0] if outcome.detail else ""
    words = re.sub(r"\[.*|\d+", "", first).split()
    return outcome.kind, tuple(words[:3])


def shrink(text, program):
    """A short text with the same problem."""
    server = Server(program)
    wanted = signature(next(server.judge([text])))
    tokens = tokens_of(text)
    if signature(next(server.judge([" ".join(tokens)])) or compare.Outcome("", "")) != wanted:
        return text
    while True:
        for shorter in candidates(tokens):
            # Many at once: starting a process is what costs.
            outcomes = server.judge([" ".join(cut) for cut in shorter])
            found = [c for c, outcome in zip(shorter, outcomes) if outcome and signature(outcome) == wanted]
            if found:
                tokens = min(found, key=len)
                break
        else:
            return " ".join(tokens)


def candidates(tokens):
    """Batches of shorter texts, the boldest first."""
    groups = []
    open_at = []
    for index, token in enumerate(tokens):
        if token == "(":
            open_at.append(index)
        elif token == ")" and open_at:
            start = open_at.pop()
            groups.append(tokens[:start] + tokens[start + 1 : index] + tokens[index + 1 :])
            groups.append(tokens[:start] + tokens[index + 1 :])
            if index - start > 2:
                groups.append(tokens[: start + 1] + ["1"] + tokens[index:])
                groups.append(tokens[:start] + ["1"] + tokens[index + 1 :])
                groups.append(tokens[start + 1 : index])
    yield sorted(groups, key=len)
    size = len(tokens) // 2
    while size >= 1:
        yield [tokens[:at] + tokens[at + size :] for at in range(0, len(tokens), max(1, size // 2))]
        size = size * 2 // 3 if size > 12 else size - 1


def tokens_of(text):
    return [text[t.start : t.end + 1] for t in scan(text) if "COMMENT" not in t.name]
