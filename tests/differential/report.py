"""Figures as text."""

import re
from collections import defaultdict

from pglast import get_postgresql_version

INTRODUCTION = """# The SQL analysis against PostgreSQL's own grammar

Ostiary reads SQL with a reader of its own (`crates/operation`). This page says how its answers compare with
those of PostgreSQL's parser, version {version}, taken from PostgreSQL's sources by way of
[pglast](https://pypi.org/project/pglast/). It is written by

```sh
just differential
```

`tests/differential` walks PostgreSQL's parse tree and works out, apart from Ostiary's code, what each statement
does: the effects and the relations each one falls on (with the scopes of common table expressions), the functions
called, whether an UPDATE or DELETE lacks its WHERE, the statements inside PREPARE, DECLARE, EXPLAIN and
definitions, the literal LIMIT, and which output columns cannot carry a stored value. Then each statement is one of

- **equal**: the same effects, relations and functions;
- **over**: something more than the statement does, which may deny too much;
- **unreadable**: declared as such, which policy denies unless it says otherwise;
- **wrong**: something is missing or has another name, without saying so. One of these fails the run.

Texts that PostgreSQL's grammar refuses count neither way: the server refuses them too.
"""

CORPORA = """
| corpus | what it is |
|---|---|
| everyday | what psql's `\\d` family, pg_dump, the other tools, drivers, object mappers and BI tools send; recorded from servers 15, 16 and 18, or written down |
| adversarial | attempts to look like less than one is, by class |
| backslashes in all strings | the two above as a server with `standard_conforming_strings` off reads them, with escapes strewn in: a backslash in a plain string is then unreadable on purpose, so this corpus is left out of the sums |
| generated | made at random from a grammar: names that collide or are keywords, nesting, odd white space, comments and case |
| mutants | the texts of other corpora with tokens dropped, doubled, swapped, renamed and spliced, as far as PostgreSQL still accepts them |
| PostgreSQL's own tests | the scripts of its regression tests, contrib modules and languages, from Debian's source packages |
"""


def percent(part, whole):
    return f"{100 * part / whole:.2f} %" if whole else "-"


def line(figures):
    kinds = figures.kinds
    return (
        f"{figures.name:36} {figures.texts:6} texts {figures.rejected:5} refused {figures.statements:6} statements"
        f"  wrong {kinds['wrong']:4}  unreadable {kinds['unreadable']:4} ({percent(kinds['unreadable'], figures.statements)})"
        f"  over {kinds['over']:4}"
    )


def unlike(outcomes):
    """One outcome for each kind of problem, the most frequent first."""
    alike = defaultdict(list)
    for outcome in outcomes:
        alike[outcome.statement, sort_of(outcome.detail[0])].append(outcome)
    return [min(group, key=lambda o: len(o.sql)) for group in sorted(alike.values(), key=len, reverse=True)]


def groups(parts, kind):
    """Outcomes of a kind by what is said and the sort of statement, the most frequent first."""
    alike = defaultdict(list)
    for figures in parts:
        if figures.apart and kind == "unreadable":
            continue
        for outcome in figures.of(kind):
            what = sort_of(outcome.detail[0])
            alike[outcome.statement, what].append(outcome)
    return sorted(alike.items(), key=lambda item: (-len(item[1]), item[0]))


def sort_of(problem):
    """A problem without the names in it."""
    problem = problem.removeprefix("inside: ")
    for pattern, instead in (
        (r"^(missing|extra) function .*", r"\1 function"),
        (r"^(missing|extra) ((?:an effect|[a-z-]+) (?:[a-z]+)) .*", r"\1 \2"),
        (r"^outputs are .*", "columns said to be clean that are not"),
        (r"^row_limit is .*", "a row limit that is none"),
        (r"^\d+ statements, we say \d+", "another number of statements"),
        (r"^named is .*", "another statement by name"),
    ):
        problem = re.sub(pattern, instead, problem)
    return problem


def document(parts, shrink):
    version = get_postgresql_version()
    version = ".".join(str(number) for number in version)
    lines = [INTRODUCTION.format(version=version), "## Figures", "", *table(parts), CORPORA.rstrip("\n")]
    for kind, title in (
        ("wrong", "Misread"),
        ("unreadable", "Declared unreadable"),
        ("over", "Said to do more than they do"),
    ):
        lines += ["", f"## {title}", "", *listing(parts, kind, shrink)]
    return "\n".join(lines).rstrip("\n") + "\n"


def table(parts):
    yield "| corpus | texts | refused by PostgreSQL | statements | wrong | unreadable | over |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for figures in parts:
        kinds = figures.kinds
        yield (
            f"| {figures.name} | {figures.texts:,} | {figures.rejected:,} | {figures.statements:,} | {kinds['wrong']:,}"
            f" | {kinds['unreadable']:,} ({percent(kinds['unreadable'], figures.statements)}) | {kinds['over']:,} |"
        )
    parts = [figures for figures in parts if not figures.apart]
    whole = sum(figures.statements for figures in parts)
    total = {kind: sum(figures.kinds[kind] for figures in parts) for kind in ("wrong", "unreadable", "over")}
    yield (
        f"| **all** | {sum(f.texts for f in parts):,} | {sum(f.rejected for f in parts):,} | {whole:,} | **{total['wrong']:,}**"
        f" | **{total['unreadable']:,} ({percent(total['unreadable'], whole)})** | {total['over']:,} |"
    )


def listing(parts, kind, shrink, most=40):
    found = groups(parts, kind)
    if not found:
        yield "None."
        return
    yield "| times | statement | what is said | for example, shortened |"
    yield "|--:|---|---|---|"
    for (statement, what), outcomes in found[:most]:
        example = shrink(min(outcomes, key=lambda o: len(o.sql)).sql)
        yield f"| {len(outcomes):,} | {statement.removesuffix('Stmt')} | {cell(what)} | {code(example)} |"
    rest = sum(len(outcomes) for _, outcomes in found[most:])
    if rest:
        yield f"| {rest:,} | | {len(found) - most} more kinds | |"


def cell(text):
    return visible(text).replace("|", "\\|")


def code(sql):
    text = visible(" ".join(sql.split()))
    text = text if len(text) <= 160 else text[:157] + "..."
    fence = "``" if "`" in text else "`"
    return f"{fence}{' ' if fence == '``' else ''}{text}{' ' if fence == '``' else ''}{fence}".replace("|", "\\|")


def visible(text):
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
