"""What a statement does, found out from PostgreSQL's own parse tree."""

from dataclasses import dataclass, field


class _Any:
    """Stands in a pattern for whatever is there."""

    def __repr__(self):
        return "*"


ANY = _Any()


def matches(pattern, access):
    """Whether an access `(verb, kind, schema, name)` is what the pattern asks for."""
    return all(
        want is ANY or want == have or (isinstance(want, frozenset) and have in want)
        for want, have in zip(pattern, access)
    )


@dataclass
class Truth:
    """One statement."""

    statement: str
    # Patterns an analysis must have an access for.
    required: set = field(default_factory=set)
    # Patterns of accesses that are no exaggeration.
    allowed: set = field(default_factory=set)
    # Functions called by name.
    functions: set = field(default_factory=set)
    # Functions that are named but not called yet.
    optional: set = field(default_factory=set)
    # False if an UPDATE or DELETE anywhere in it has no WHERE.
    has_where: bool = True
    # Runs text or code the statement does not show; or may, as far as its text tells.
    dynamic: bool = False
    may_be_dynamic: bool = False
    # The literal LIMIT of the outermost query.
    row_limit: object = None
    # For a plain SELECT without stars: whether each column is free of stored values.
    clean: object = None
    # ("prepare", name, Truth), ("execute", name) and so on.
    named: object = None

    def require(self, verb, kind=ANY, schema=ANY, name=ANY):
        self.required.add((verb, kind, schema, name))

    def allow(self, verb=ANY, kind=ANY, schema=ANY, name=ANY):
        self.allowed.add((verb, kind, schema, name))

    def include(self, inner):
        self.required |= inner.required
        self.allowed |= inner.allowed
        self.functions |= inner.functions
        self.optional |= inner.optional
        self.has_where &= inner.has_where
        self.dynamic |= inner.dynamic
        self.may_be_dynamic |= inner.may_be_dynamic
