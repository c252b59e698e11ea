"""Runs the corpora through `compare` and says what came out.

    main.py PROGRAM          everything; writes docs/sql-differential.md
    main.py PROGRAM quick    what needs no source package; writes nothing

Exit code 1 if a statement is confidently misread, or an everyday one is not read at all.
"""

import sys
from pathlib import Path

import corpora
import report
from compare import compare
from shrink import shrink

SHOWN = 12


def main(program, quick):
    parts = []

    def run(name, texts, **reading):
        figures = compare(name, texts, program, **reading)
        print(report.line(figures), flush=True)
        parts.append(figures)
        return figures

    everyday = [run(f"everyday: {name}", texts) for name, texts in corpora.everyday()]
    run("adversarial", corpora.adversarial_texts())
    seeds = corpora.everyday_texts() + corpora.adversarial_texts()
    lax = run("backslashes in all strings", corpora.lax(seeds), standard_conforming_strings=False)
    lax.apart = True
    run("generated", corpora.generated(1000 if quick else 10_000))
    run("mutants of the above", corpora.mutants(seeds, 1000 if quick else 20_000))
    if not quick:
        regression = []
        for release, major in (("bookworm", 15), ("sid", 18)):
            version, texts = corpora.regression(release, major)
            run(f"PostgreSQL {version}'s own tests", texts)
            regression += texts
        run("mutants of PostgreSQL's tests", corpora.mutants(regression, 40_000))

    wrong = [outcome for figures in parts for outcome in figures.of("wrong")]
    for problem in report.unlike(wrong)[:SHOWN]:
        print(f"\nwrong: {'; '.join(problem.detail)}\n  {shrink(problem.sql, program)}")
    unread = [outcome for figures in everyday for outcome in figures.of("unreadable")]
    for problem in report.unlike(unread)[:SHOWN]:
        print(f"\nunreadable, everyday: {problem.detail[0]}\n  {shrink(problem.sql, program)}")
    if not quick:
        document = Path(__file__).parents[2] / "docs" / "sql-differential.md"
        document.write_text(report.document(parts, lambda sql: shrink(sql, program)))
        print(f"\nwrote {document.relative_to(document.parents[1])}")
    print(f"\nconfident-wrong {len(wrong)}, everyday unreadable {len(unread)}")
    return 1 if wrong or unread else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "quick" in sys.argv[2:]))
