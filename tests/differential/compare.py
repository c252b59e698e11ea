"""The asymmetric rule: our analysis says the same as PostgreSQL's grammar, or says it cannot tell.

For each statement there is one of these outcomes:
  equal       every effect, relation and function is there, and nothing else
  over        something is there that the statement does not do; safe, but it may deny too much
  unreadable  declared unreadable
  wrong       an effect, relation or function is missing or has another name: the gateway would be
              confident and mistaken
A text PostgreSQL rejects does not count.
"""

import json
import subprocess
from collections import Counter
from dataclasses import dataclass, field

import oracle
from truth import matches

# Operands with a grammar of their own; PostgreSQL keeps them as nodes without a function's name.
SPELLED_FUNCTIONS = frozenset(
    """current_date current_time current_timestamp localtime localtimestamp current_role current_user
    session_user system_user user current_catalog current_schema coalesce greatest least nullif
    xmlconcat xmlelement xmlforest xmlparse xmlpi xmlroot xmlserialize xmlexists xmltable extract
    trim substring overlay position normalize json_object json_array json_objectagg json_arrayagg
    json_query json_value json_exists json_scalar json_serialize json json_table collation
    merge_action grouping cast treat""".split()
)


@dataclass
class Outcome:
    sql: str
    kind: str
    detail: list = field(default_factory=list)
    statement: str = ""


@dataclass
class Figures:
    """What came out of one corpus."""

    name: str
    # Not part of the sums: a whole class that is declared unreadable on purpose.
    apart: bool = False
    texts: int = 0
    rejected: int = 0
    statements: int = 0
    kinds: Counter = field(default_factory=Counter)
    outcomes: list = field(default_factory=list)

    def count(self, outcome):
        self.statements += 1
        self.kinds[outcome.kind] += 1
        if outcome.kind != "equal":
            self.outcomes.append(outcome)

    def of(self, kind):
        return [outcome for outcome in self.outcomes if outcome.kind == kind]


def analyses(program, texts, **reading):
    """Our analysis of each text."""
    lines = "".join(json.dumps({"sql": text, **reading}) + "\n" for text in texts)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(f"{program} failed: {done.stderr.strip()}")
    # `splitlines` would also cut at U+2028.
    return [json.loads(line)["statements"] for line in done.stdout.rstrip("\n").split("\n") if line]


def compare(name, texts, program, **reading):
    """Figures of a corpus: texts, or pairs of a text for PostgreSQL's parser and one for us."""
    figures = Figures(name)
    accepted = []
    for text in texts:
        theirs, ours = text if isinstance(text, tuple) else (text, text)
        figures.texts += 1
        try:
            accepted.append((ours, oracle.statements(theirs)))
        except oracle.Rejected:
            figures.rejected += 1
    answers = analyses(program, [text for text, _ in accepted], **reading)
    for (text, truths), answer in zip(accepted, answers, strict=True):
        for outcome in judge(text, truths, answer):
            figures.count(outcome)
    return figures


def judge(text, truths, ours):
    """One outcome for each statement of a text."""
    if len(truths) != len(ours):
        if len(ours) == 1 and ours[0]["unreadable"]:
            for truth in truths:
                yield Outcome(text, "unreadable", [ours[0]["unreadable"]], truth.statement)
            return
        detail = [f"{len(truths)} statements, we say {len(ours)}"]
        yield Outcome(text, "wrong", detail, "+".join(truth.statement for truth in truths))
        return
    for truth, our in zip(truths, ours):
        yield judge_statement(text, truth, our)


def judge_statement(text, truth, our):
    if our["unreadable"]:
        return Outcome(text, "unreadable", [our["unreadable"]], truth.statement)
    wrong = list(understated(truth, our))
    if wrong:
        return Outcome(text, "wrong", wrong, truth.statement)
    over = list(overstated(truth, our))
    return Outcome(text, "over" if over else "equal", over, truth.statement)


def understated(truth, our):
    accesses = [tuple(access) for access in our["accesses"]]
    for pattern in sorted(truth.required, key=repr):
        if not any(matches(pattern, access) for access in accesses):
            yield "missing " + show(pattern)
    for name in sorted(truth.functions - set(our["functions"])):
        yield f"missing function {name}"
    if our["has_where"] and not truth.has_where:
        yield "has_where is true, a WHERE is missing"
    if truth.dynamic and not our["dynamic"]:
        yield "dynamic is false"
    if our["row_limit"] is not None and our["row_limit"] != truth.row_limit:
        yield f"row_limit is {our['row_limit']}, not {truth.row_limit}"
    yield from outputs(truth, our)
    yield from named(truth, our)


def outputs(truth, our):
    """A column said to be clean must be; a column not spoken of is masked, so that is no harm."""
    if our["outputs"] is None or truth.statement != "SelectStmt":
        return
    true = [] if truth.clean is None else truth.clean
    if any(said and not (index < len(true) and true[index]) for index, said in enumerate(our["outputs"])):
        yield f"outputs are said to be clean: {our['outputs']}, are {truth.clean}"


def named(truth, our):
    ours = our["named"]
    if truth.named is None:
        if ours is not None:
            yield f"named is {ours['kind']}"
        return
    kind, name, inner = truth.named
    if ours is None or ours["kind"] != kind or ours["name"] != name:
        yield f"named is not {kind} {name}"
    elif inner is not None:
        for problem in understated(inner, ours["statement"]):
            yield "inside: " + problem


def overstated(truth, our):
    patterns = truth.required | truth.allowed
    for access in our["accesses"]:
        access = tuple(access)
        # What touches nothing is said to read the database.
        if access[1] == "database" and access[0] in ("sql:select", "sql:explain"):
            continue
        if not any(matches(pattern, access) for pattern in patterns):
            yield "extra " + show(access)
    for name in set(our["functions"]) - truth.functions - truth.optional - SPELLED_FUNCTIONS:
        yield f"extra function {name}"
    if truth.has_where and not our["has_where"]:
        yield "has_where is false"
    if our["dynamic"] and not (truth.dynamic or truth.may_be_dynamic):
        yield "dynamic is true"


def show(access):
    verb, kind, schema, name = access
    verb = "an effect" if not isinstance(verb, str) else verb.removeprefix("sql:")
    name = f"{schema}.{name}" if isinstance(schema, str) else name
    return f"{verb} {kind} {name}".rstrip()
