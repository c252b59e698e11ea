"""Compares outcomes and writes docs/compatibility.md."""

import fnmatch
import json
import sys
import tomllib
from collections import Counter

import fetch
from suites import SUITES

DOCUMENT = fetch.ROOT / "docs" / "compatibility.md"
REASONS = fetch.HERE / "differences.toml"


def kinds(outcomes):
    """How many tests have each outcome; what is no verdict (a digest of an output) counts as its own kind."""
    words = ("passed", "failed", "error", "skipped")
    return Counter(outcome if outcome in words else "compared" for outcome in outcomes.values())


def summary(outcomes):
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds(outcomes).items()))


def different(kept):
    """Tests with another outcome through the gateway: name, directly, through."""
    direct, through = kept["direct"], kept["through"]
    for name in sorted(direct.keys() | through.keys()):
        one, other = direct.get(name, "absent"), through.get(name, "absent")
        if one != other:
            yield name, one, other


def reasons():
    return tomllib.loads(REASONS.read_text()).get("difference", [])


def reason_of(suite, test, known):
    for entry in known:
        if entry["suite"] == suite and any(fnmatch.fnmatchcase(test, pattern) for pattern in entry["tests"]):
            return entry["reason"]
    return None


def differences(kept):
    known = reasons()
    for name, one, other in different(kept):
        reason = reason_of(kept["suite"], name, known) or "NO REASON IS KNOWN"
        yield f"  {name}: {one} -> {other} ({reason})"


def write():
    """Writes the page; answers the exit code."""
    known, rows, sections, unexplained = reasons(), [], [], 0
    for name, suite in SUITES.items():
        path = fetch.results() / f"{name}.json"
        if not path.exists():
            rows.append(f"| {cell(suite)} | {suite.version()} | | not run | not run | | |")
            continue
        kept = json.loads(path.read_text())
        found = list(different(kept))
        grouped = {}
        for test, one, other in found:
            reason = reason_of(name, test, known)
            unexplained += reason is None
            grouped.setdefault(reason or "no reason is known: a bug", []).append((test, one, other))
        rows.append(row(suite, kept, len(found)))
        if found:
            sections.append(section(suite, grouped))
    DOCUMENT.write_text(page(rows, sections))
    print(f"wrote docs/{DOCUMENT.name}; differences without a reason: {unexplained}", file=sys.stderr)
    return 1 if unexplained else 0


def row(suite, kept, count):
    cells = [cell(suite), kept["version"], kept["server"]]
    for side in "direct", "through":
        found = kinds(kept[side])
        failed = found["failed"] + found["error"]
        cells.append(f"{found['passed']:,} / {failed:,} / {found['skipped']:,}")
    compared = kinds(kept["direct"])["compared"]
    cells += [f"{compared:,}" if compared else "", str(count)]
    return f"| {' | '.join(cells)} |"


def cell(suite):
    return suite.TITLE.replace("|", "\\|")


def section(suite, grouped):
    lines = [f"### {suite.TITLE}", ""]
    for reason, tests in grouped.items():
        lines.append(f"- {reason[0].upper()}{reason[1:]}.")
        # What differs in its parameters only is told in one line.
        alike = Counter((test.split("[")[0], one, other) for test, one, other in tests)
        for (test, one, other), count in alike.items():
            cases = f", {count} cases" if count > 1 else ""
            lines.append(f"  - `{test}`: {word(one)} directly, {word(other)} through{cases}")
    return "\n".join(lines)


def word(outcome):
    return outcome if len(outcome) != 12 else "other output"


def page(rows, sections):
    measured = tomllib.loads(REASONS.read_text())["measured"].strip()
    return PAGE.format(measured=measured, rows="\n".join(rows), sections="\n\n".join(sections) or "None.")


PAGE = """# Compatibility

How real clients fare through the gateway when policy permits everything and masks nothing
([`tests/compat/policy`](../tests/compat/policy)). This page is written by

```sh
./bootstrap compat              # every suite; `just compat --list` names them
./bootstrap compat pgbench      # one of them
```

Each suite is taken as it is published and run first against PostgreSQL, then through the gateway, and the outcomes of
its tests are compared one by one. Left out are psycopg's tests of its pool, of types and those marked slow or timing, and what
of asyncpg's looks at its source and at the environment. Some tests fail without the gateway as well, on this server or with these
versions of the tools: what counts is the difference. A difference without a reason fails the run.

## Figures

Passed / failed / skipped. *Outputs* are texts that have to be the same to the byte.

{measured}

| suite | version | server | directly | through the gateway | outputs | differences |
|---|---|---|--:|--:|--:|--:|
{rows}

## Differences

{sections}

## Drivers

Beside the suites, drivers as their users install them play one scenario through the gateway in the end-to-end tests
(`just e2e drivers`): login, a masked read in text and binary, a denial with the session still usable, a transaction
with a denial inside, a prepared statement executed again and again, two pooled connections, a statement held and
approved, a held one cancelled, a batch or pipeline. They are tokio-postgres, psycopg, SQLAlchemy, asyncpg, node-postgres
and pgjdbc. psql has tests of its own there; sqlx has not been tried.
"""
