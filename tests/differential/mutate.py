"""Texts changed at random, token by token; PostgreSQL's grammar tells which are still SQL."""

import random

from pglast import keywords
from pglast.parser import scan

import oracle

WORDS = sorted(
    keywords.UNRESERVED_KEYWORDS
    | keywords.COL_NAME_KEYWORDS
    | keywords.TYPE_FUNC_NAME_KEYWORDS
    | keywords.RESERVED_KEYWORDS
)
POOL = [
    *"()[],;.:*+-/<>=%^@|&~",
    *["::", "..", ":=", "=>", "||", "->>", "'x'", "1", "$1", '"q"', "users", "f(", "select", "from", "as", "table secrets", "(table secrets)", "(select 1 from secrets)"],
    *["case", "end", "begin atomic", "as case", "as end", ".case", "return", "; delete from other", "; select 1 end"],
    *["purge()", "not", "and", "or", "null", "where", "returning *", "for update", "limit 5", "only", "/* c */", "with", "union", "--\n"],
]
WRAPPERS = [
    "explain analyze {}",
    "explain (analyze off) {}",
    "prepare p as {}",
    "declare c cursor for {}",
    "create view v as {}",
    "create materialized view m as {}",
    "create table ctas as {}",
    "copy ({}) to stdout",
    "with q as ({}) select * from q",
    "with recursive users as ({}) delete from users where exists (table users)",
    "select ({})",
    "select * from ({}) q for update",
    "insert into target {}",
    "create rule r as on insert to target do also {}",
    "create rule r as on insert to target do instead ({}; delete from other)",
    "create function fn() returns int begin atomic {}; delete from other; end",
    "create function fn() returns int begin atomic {}; end; delete from other; select 1 end",
    "create function fn() returns int begin atomic {} case; end; delete from other; select 1 as end",
    "create function fn(begin atomic) returns int language sql as ''; {}; select 1 end",
    "create procedure fn() begin atomic select case when true then ({}) end; end; delete from other",
    "create policy p on target using (exists ({}))",
    "create schema sch {}",
    "{}; delete from other",
    "({})",
    "{} union select a from secrets",
    "({}) except (table secrets) limit 3",
    "update target set a = ({}) where true",
    "merge into target using ({}) q on true when matched then delete",
    "select array({}), exists ({})",
]


def tokens_of(text):
    try:
        return [text[t.start : t.end + 1] for t in scan(text) if "COMMENT" not in t.name]
    except Exception:
        return []


class Mutator:
    def __init__(self, seed, corpus):
        self.random = random.Random(seed)
        self.corpus = corpus

    def pick(self, items):
        return self.random.choice(items)

    def tokens(self):
        while True:
            tokens = tokens_of(self.pick(self.corpus))
            if 1 < len(tokens) < 120:
                return tokens

    def mutate(self):
        tokens = self.tokens()
        for _ in range(self.pick([1, 1, 1, 2, 2, 3])):
            tokens = self.pick(self.CHANGES)(self, tokens) or tokens
        text = " ".join(tokens)
        if self.random.random() < 0.2:
            text = self.pick(WRAPPERS).replace("{}", text.rstrip("; "))
        return text

    def place(self, tokens):
        return self.random.randrange(len(tokens))

    def delete(self, tokens):
        at = self.place(tokens)
        return tokens[:at] + tokens[at + self.pick([1, 1, 2, 3]) :]

    def insert(self, tokens):
        at = self.place(tokens)
        return tokens[:at] + [self.pick(POOL)] + tokens[at:]

    def replace(self, tokens):
        at = self.place(tokens)
        return tokens[:at] + [self.pick(POOL + WORDS)] + tokens[at + 1 :]

    def rename(self, tokens):
        """A word becomes a keyword."""
        places = [at for at, token in enumerate(tokens) if token.isidentifier()]
        if not places:
            return tokens
        at = self.pick(places)
        return tokens[:at] + [self.pick(WORDS)] + tokens[at + 1 :]

    def swap(self, tokens):
        at = self.place(tokens)
        return tokens[:at] + tokens[at + 1 : at + 2] + tokens[at : at + 1] + tokens[at + 2 :]

    def double(self, tokens):
        at = self.place(tokens)
        end = at + self.pick([1, 1, 2, 4])
        return tokens[:end] + tokens[at:end] + tokens[end:]

    def parenthesise(self, tokens):
        at = self.place(tokens)
        end = at + self.random.randrange(1, 8)
        return [*tokens[:at], "(", *tokens[at:end], ")", *tokens[end:]]

    def splice(self, tokens):
        """A group in parentheses, or the tail, comes from another text."""
        other = self.tokens()
        mine, theirs = groups(tokens), groups(other)
        if mine and theirs and self.random.random() < 0.7:
            start, end = self.pick(mine)
            from_, to = self.pick(theirs)
            return tokens[:start] + other[from_:to] + tokens[end:]
        return tokens[: self.place(tokens)] + other[self.place(other) :]

    CHANGES = [delete, insert, insert, replace, rename, rename, rename, swap, double, parenthesise, splice, splice, splice]


def groups(tokens):
    found, open_at = [], []
    for at, token in enumerate(tokens):
        if token == "(":
            open_at.append(at)
        elif token == ")" and open_at:
            found.append((open_at.pop(), at + 1))
    return found


def texts(seed, corpus, count):
    """`count` mutants that PostgreSQL accepts."""
    mutator = Mutator(seed, corpus)
    made = 0
    while made < count:
        text = mutator.mutate()
        if oracle.accepts(text):
            made += 1
            yield text
