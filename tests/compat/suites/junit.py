"""Outcomes of a pytest run."""

import xml.etree.ElementTree as Tree

import fetch


def run(target, name, python, folder, arguments, environment=None):
    """Runs pytest in `folder`; keeps its output in .cache/compat/results."""
    found = fetch.results() / f"{name}.{target.name}.xml"
    found.unlink(missing_ok=True)
    done = target.command(
        python, "-B", "-m", "pytest", "-q", f"--junitxml={found}", "-o", "junit_family=xunit1",
        *arguments, timeout=1800, environment=environment, cwd=folder,
    )
    found.with_suffix(".log").write_text(done.stdout + done.stderr)
    if not found.exists():
        raise SystemExit(f"compat: {name} did not run:\n{(done.stdout + done.stderr)[-3000:]}")
    return outcomes(found)


def outcomes(path):
    """Test to outcome; parts of one test that report on their own are counted."""
    found = {}
    for case in Tree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '').removeprefix('tests.')}::{case.get('name')}"
        what = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        found[name] = worse(found.get(name), {"failure": "failed"}.get(what, what))
    return found


def worse(one, other):
    order = ("error", "failed", "skipped", "passed")
    return next(what for what in order if what in (one, other))
