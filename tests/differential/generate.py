"""Statements made at random from a grammar; the same seed makes the same statements.

Names are taken from few, so that common table expressions, aliases, tables and columns collide, and
from PostgreSQL's keywords, wherever its grammar lets a keyword be a name.
"""

import random

from pglast import keywords

COLUMN_WORDS = sorted(keywords.UNRESERVED_KEYWORDS | keywords.COL_NAME_KEYWORDS)
FUNCTION_WORDS = sorted(keywords.UNRESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS)
ANY_WORDS = sorted(
    keywords.UNRESERVED_KEYWORDS
    | keywords.COL_NAME_KEYWORDS
    | keywords.TYPE_FUNC_NAME_KEYWORDS
    | keywords.RESERVED_KEYWORDS
)
TABLES = ["users", "orders", "a", "b", "c", "secrets", "Users", "t", "x", "delete", "select", "данные"]
QUOTED = ["Users", "a.b", 'q"t', "delete", "select", "from", " ", "users", "a/b", "--", "/*", "$$", "'", ";", "é"]
SCHEMAS = ["public", "s", "pg_catalog", "S", "pg_temp"]
COLUMNS = ["id", "name", "email", "a", "b", "c", "x", "users"]
FUNCTIONS = ["lower", "count", "now", "purge", "nextval", "max", "f", "pg_sleep", "coalesce_", "length"]
SPACES = [" ", " ", " ", " ", "\n", "\t", "  ", "\r\n", "\f", "\v", " /* c */ ", "/* ; ' \" $$ */", " -- '\n", "--;\n", "/* /* n */ */", "/**/", " --\r"]
LITERALS = [
    "1", "0", "1.5", ".5", "1e10", "0x1F", "1_000", "'x'", "'it''s'", "''", "E'a\\'b'", "E'\\\\'",
    "$$ delete from t $$", "$q$ ' $$ ; $q$", "b'01'", "x'1f'", "n'x'", "U&'d\\0061t'", "U&'d!0061' uescape '!'", "null", "true", "false",
    "'--'", "'/*'", "$_$;$_$", "'a'\n'b'", "$1", "date '2020-01-01'", "interval '1' day",
    "interval(3) '1 s'", "timestamp with time zone '2020-01-01'", "float8 '1'", "pg_catalog.int4 '7'",
    "current_date", "current_timestamp(2)", "localtime", "current_user", "session_user", "current_schema",
]
BINARY = ["+", "-", "*", "/", "%", "=", "<>", "!=", "<", ">=", "||", "&&", "@>", "~", "!~*", "->>", "#>", "<->", "=-", "@@", "^", "|", "OPERATOR(pg_catalog.+)", "OPERATOR(s.@@)", "and", "or", "like", "not ilike", "similar to", "is distinct from", "is not distinct from"]
TYPES = ["int", "text", "numeric(10,2)", "varchar(5)", "double precision", "timestamp(3) with time zone", "s.t", "int[]", "int array[3]", "interval day to second(3)", "bit varying(3)", "char", '"char"', "time without time zone", "national character varying(3)", "json", "xml", "setof_", "regclass", "public.users"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.depth = 0

    # Small steps

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, choices):
        return self.random.choice(choices)

    def many(self, make, least=1, most=3):
        return [make() for _ in range(self.random.randint(least, most))]

    def list(self, make, least=1, most=3):
        return ", ".join(self.many(make, least, most))

    def maybe(self, probability, make):
        return make() if self.chance(probability) else ""

    def join(self, *parts):
        return " ".join(part for part in parts if part)

    def quoted(self, name):
        return '"' + name.replace('"', '""') + '"'

    def column_id(self, names):
        roll = self.random.random()
        if roll < 0.08:
            return self.pick(COLUMN_WORDS)
        if roll < 0.2:
            return self.quoted(self.pick(QUOTED))
        name = self.pick(names)
        if name.lower() in keywords.RESERVED_KEYWORDS or self.chance(0.1):
            return self.quoted(name)
        return name

    def label(self):
        return self.pick(ANY_WORDS) if self.chance(0.15) else self.column_id(COLUMNS)

    def table(self):
        name = self.column_id(TABLES)
        roll = self.random.random()
        if roll < 0.2:
            return self.pick(SCHEMAS) + self.pick([".", " . "]) + (self.label() if self.chance(0.3) else name)
        if roll < 0.23:
            return "db.public." + name
        return name

    def column(self):
        roll = self.random.random()
        if roll < 0.3:
            return self.column_id(TABLES) + "." + self.label()
        if roll < 0.33:
            return "(" + self.column_id(TABLES) + ")." + self.label()
        return self.column_id(COLUMNS)

    def function(self):
        roll = self.random.random()
        if roll < 0.1:
            return self.pick(FUNCTION_WORDS)
        if roll < 0.2:
            return self.quoted(self.pick(QUOTED + FUNCTIONS))
        if roll < 0.35:
            return self.pick(SCHEMAS) + "." + self.pick(FUNCTIONS + ANY_WORDS)
        return self.pick(FUNCTIONS)

    def deeper(self, make, otherwise):
        if self.depth > 5 or self.chance(self.depth * 0.16):
            return otherwise()
        self.depth += 1
        try:
            return make()
        finally:
            self.depth -= 1

    # Expressions

    def expression(self):
        return self.deeper(self.compound, self.simple)

    def simple(self):
        return self.pick([self.column, self.column, lambda: self.pick(LITERALS)])()

    def type(self):
        return self.pick(TYPES)

    def compound(self):
        e = self.expression
        makers = [
            self.simple,
            self.simple,
            self.call,
            self.call,
            lambda: f"{e()} {self.pick(BINARY)} {e()}",
            lambda: f"{e()} {self.pick(BINARY)} {e()}",
            lambda: f"({e()})",
            lambda: f"({self.query()})",
            lambda: f"exists ({self.query()})",
            lambda: f"{e()} {self.pick(['in', 'not in'])} ({self.query() if self.chance(0.5) else self.list(e)})",
            lambda: f"{e()} {self.pick(['=', '<>', '<', 'like'])} {self.pick(['any', 'all', 'some'])} ({self.query() if self.chance(0.5) else e()})",
            lambda: f"case {self.maybe(0.3, e)} when {e()} then {e()} {self.maybe(0.5, lambda: 'else ' + e())} end",
            lambda: f"cast({e()} as {self.type()})",
            lambda: f"{self.simple()}::{self.type()}",
            lambda: f"array[{self.list(e, 0)}]",
            lambda: f"array({self.query()})",
            lambda: f"row({self.list(e, 0)})",
            lambda: f"({e()}, {self.list(e)})",
            lambda: f"{e()} {self.pick(['is null', 'is not null', 'isnull', 'notnull', 'is true', 'is not unknown', 'is document', 'is json', 'is json object with unique keys', 'is nfc normalized'])}",
            lambda: f"not {e()}",
            lambda: f"- {e()}",
            lambda: f"@ {e()}",
            lambda: f"{e()} between {self.pick(['', 'symmetric'])} {self.simple()} and {self.simple()}",
            lambda: f"{e()} like {self.simple()} escape {self.simple()}",
            lambda: f"{self.simple()} at time zone {self.simple()}",
            lambda: f"{self.simple()} at local",
            lambda: f'{self.simple()} collate "C"',
            lambda: f"({self.simple()})[{self.simple()}]",
            lambda: f"{self.column()}[{self.simple()}:{self.simple()}]",
            lambda: f"{self.column()}[:]",
            lambda: f"({self.query()}).{self.label()}",
            lambda: f"({self.call()}).{self.label()}",
            self.spelled,
            self.spelled,
        ]
        return self.pick(makers)()

    def spelled(self):
        e, s = self.expression, self.simple
        return self.pick(
            [
                lambda: f"extract({self.pick(['year', 'epoch', 'month', chr(39) + 'day' + chr(39), 'timezone'])} from {e()})",
                lambda: f"position({s()} in {s()})",
                lambda: f"substring({e()} from {s()} {self.maybe(0.5, lambda: 'for ' + s())})",
                lambda: f"substring({e()} similar {s()} escape {s()})",
                lambda: f"substring({self.list(e)})",
                lambda: f"trim({self.pick(['', 'both', 'leading', 'trailing'])} {self.maybe(0.5, lambda: s() + ' from')} {e()})",
                lambda: f"overlay({e()} placing {s()} from {s()})",
                lambda: f"coalesce({self.list(e)})",
                lambda: f"greatest({self.list(e)})",
                lambda: f"nullif({e()}, {e()})",
                lambda: f"xmlelement(name {self.label()}, xmlattributes({e()} as {self.label()}), {self.list(e)})",
                lambda: f"xmlforest({e()} as {self.label()})",
                lambda: f"xmlparse({self.pick(['document', 'content'])} {e()})",
                lambda: f"xmlserialize(content {e()} as text)",
                lambda: f"xmlroot({e()}, version no value, standalone yes)",
                lambda: f"xmlpi(name {self.label()}, {e()})",
                lambda: f"xmlconcat({self.list(e)})",
                lambda: f"xmlexists({s()} passing {e()})",
                lambda: f"json_object({s()}: {e()}, {s()}: {e()} absent on null)",
                lambda: f"json_object({s()} value {e()})",
                lambda: f"json_array({self.list(e)} null on null returning text)",
                lambda: f"json_array({self.query()})",
                lambda: f"json_arrayagg({e()} order by {e()})",
                lambda: f"json_objectagg({s()}: {e()} with unique keys) filter (where {e()})",
                lambda: f"json_value({e()}, '$' passing {e()} as {self.label()} returning int default {e()} on error)",
                lambda: f"json_query({e()}, '$' with unconditional array wrapper)",
                lambda: f"json_exists({e()}, '$' unknown on error)",
                lambda: f"json_scalar({e()})",
                lambda: f"json({e()})",
                lambda: f"normalize({e()}, nfc)",
                lambda: f"grouping({e()})",
                lambda: f"collation for ({e()})",
                lambda: f"treat({e()} as int)",
                lambda: f"({s()}, {s()}) overlaps ({e()}, {e()})",
            ]
        )()

    def call(self):
        """A call where an expression can be, with what can follow it."""
        if self.chance(0.05):
            return f"{self.function()}({self.list(self.expression, 0)}) within group (order by {self.list(self.order)})"
        return self.join(
            self.plain_call(),
            self.maybe(0.1, lambda: f"filter (where {self.expression()})"),
            self.maybe(0.15, lambda: "over " + self.window()),
        )

    def plain_call(self):
        arguments = self.pick(
            [
                lambda: "*",
                lambda: self.list(self.expression, 0),
                lambda: self.list(self.expression, 0),
                lambda: self.list(self.expression),
                lambda: f"distinct {self.list(self.expression)}",
                lambda: f"all {self.expression()}",
                lambda: f"{self.expression()} order by {self.expression()} desc nulls last",
                lambda: f"{self.column_id(COLUMNS)} => {self.expression()}",
                lambda: f"{self.column_id(COLUMNS)} := {self.expression()}",
                lambda: f"variadic {self.expression()}",
                lambda: f"'public.users', {self.expression()}",
            ]
        )()
        return f"{self.function()}{self.pick(['', '', ' '])}({arguments})"

    def window(self):
        if self.chance(0.3):
            return self.column_id(COLUMNS)
        return self.join(
            "(",
            self.maybe(0.2, lambda: "w"),
            self.maybe(0.5, lambda: f"partition by {self.list(self.expression)}"),
            self.maybe(0.5, lambda: f"order by {self.list(self.expression)}"),
            self.maybe(0.3, lambda: self.pick(["rows unbounded preceding", "range between 1 preceding and current row", f"groups between {self.simple()} preceding and {self.simple()} following exclude ties"])),
            ")",
        )

    # Queries

    def query(self):
        return self.deeper(self.full_query, lambda: "select " + self.simple())

    def full_query(self):
        return self.join(
            self.maybe(0.2, self.with_clause),
            self.body(),
            self.maybe(0.25, lambda: "order by " + self.list(self.order)),
            self.maybe(0.2, lambda: self.pick([f"limit {self.simple()}", "limit all", "limit 5", "fetch first 3 rows only", "fetch next row only", f"fetch first ({self.expression()}) rows only"])),
            self.maybe(0.1, lambda: f"offset {self.simple()} {self.pick(['', 'rows'])}"),
            self.maybe(0.1, lambda: f"for {self.pick(['update', 'share', 'no key update', 'key share'])} {self.maybe(0.4, lambda: 'of ' + self.column_id(TABLES))} {self.pick(['', 'nowait', 'skip locked'])}"),
        )

    def order(self):
        return self.join(self.expression(), self.pick(["", "", "asc", "desc", "using <"]), self.pick(["", "", "nulls first"]))

    def body(self):
        roll = self.random.random()
        if roll < 0.7:
            return self.select()
        if roll < 0.8:
            left, right = self.operand(), self.operand()
            return f"{left} {self.pick(['union', 'union all', 'intersect', 'except', 'except all', 'union distinct'])} {right}"
        if roll < 0.85:
            return "values " + self.list(lambda: f"({self.list(self.expression)})")
        if roll < 0.9:
            return self.pick(["table ", "table only "]) + self.table()
        return self.operand()

    def operand(self):
        if self.chance(0.5):
            return f"({self.query()})"
        return self.deeper(self.select, lambda: "select " + self.simple())

    def select(self):
        return self.join(
            "select",
            self.pick(["", "", "", "distinct", "all", f"distinct on ({self.list(self.expression)})"]),
            self.list(self.target, 0 if self.chance(0.05) else 1, 4),
            self.maybe(0.02, lambda: f"into {self.pick(['', 'temp', 'table', 'unlogged table'])} {self.table()}") if self.depth <= 1 else "",
            self.maybe(0.85, lambda: "from " + self.list(self.source)),
            self.maybe(0.5, lambda: "where " + self.expression()),
            self.maybe(0.2, lambda: "group by " + self.group()),
            self.maybe(0.1, lambda: "having " + self.expression()),
            self.maybe(0.05, lambda: f"window w as {self.window()}".replace(" as w", " as (w)")),
        )

    def group(self):
        return self.pick(
            [
                lambda: self.list(self.expression),
                lambda: f"rollup ({self.list(self.expression)})",
                lambda: f"cube ({self.list(self.expression)}), {self.expression()}",
                lambda: f"grouping sets (({self.expression()}), (), rollup ({self.expression()}))",
                lambda: f"distinct {self.list(self.expression)}",
                lambda: "()",
            ]
        )()

    def target(self):
        roll = self.random.random()
        if roll < 0.1:
            return "*"
        if roll < 0.2:
            return self.column_id(TABLES) + ".*"
        return self.join(self.expression(), self.maybe(0.4, lambda: self.pick(["as " + self.label(), self.quoted(self.pick(QUOTED)), "alias"])))

    def alias(self):
        return self.join(self.pick(["as", ""]), self.column_id(TABLES), self.maybe(0.2, lambda: f"({self.list(lambda: self.column_id(COLUMNS))})"))

    def source(self):
        return self.deeper(self.compound_source, lambda: self.table())

    def compound_source(self):
        s = self.source
        return self.pick(
            [
                lambda: self.join(self.pick(["", "", "only"]), self.table(), self.pick(["", "", "*"]) if self.chance(0.3) else "", self.maybe(0.5, self.alias)),
                lambda: self.join(self.table(), self.maybe(0.5, self.alias)),
                lambda: f"only ({self.table()}) {self.alias()}",
                lambda: f"{self.table()} {self.maybe(0.5, self.alias)} tablesample bernoulli ({self.expression()}) repeatable (1)",
                lambda: f"{self.pick(['', 'lateral'])} ({self.query()}) {self.maybe(0.9, self.alias)}",
                lambda: f"{s()} {self.pick(['join', 'inner join', 'left join', 'left outer join', 'right join', 'full outer join'])} {s()} {self.condition()}",
                lambda: f"{s()} {self.pick(['join', 'left join'])} {s()} {self.pick(['join', 'left join'])} {s()} {self.condition()} {self.condition()}",
                lambda: f"{s()} {self.pick(['cross join', 'natural join', 'natural left join', 'natural full outer join'])} {s()}",
                lambda: f"({s()} {self.pick(['cross join', 'natural join'])} {s()}) {self.maybe(0.5, self.alias)}",
                lambda: f"(({s()} cross join {s()})) {self.alias()}",
                lambda: f"{self.pick(['', 'lateral'])} {self.plain_call()} {self.pick(['', 'with ordinality'])} {self.maybe(0.7, self.alias)}",
                lambda: f"{self.plain_call()} as {self.column_id(TABLES)} ({self.column_id(COLUMNS)} int, {self.column_id(COLUMNS)} text)",
                lambda: f"rows from ({self.plain_call()}, {self.plain_call()} as (a int)) with ordinality {self.alias()}",
                lambda: f"xmltable({self.simple()} passing {self.simple()} columns a int path 'x', b for ordinality) {self.alias()}",
                lambda: f"json_table({self.expression()}, '$' columns (a int path '$', nested path '$' columns (b text))) {self.alias()}",
            ]
        )()

    def condition(self):
        return self.pick([lambda: f"on {self.expression()}", lambda: f"using ({self.column_id(COLUMNS)})", lambda: f"using ({self.column_id(COLUMNS)}) as {self.column_id(TABLES)}"])()

    def with_clause(self):
        return self.join("with", self.pick(["", "", "recursive"]), self.list(self.cte))

    def cte(self):
        query = self.modification() if self.chance(0.15) else self.query()
        return self.join(
            self.column_id(TABLES),
            self.maybe(0.2, lambda: f"({self.list(lambda: self.column_id(COLUMNS))})"),
            "as",
            self.pick(["", "", "materialized", "not materialized"]),
            f"({query})",
            self.maybe(0.05, lambda: f"search depth first by {self.column_id(COLUMNS)} set {self.column_id(COLUMNS)}"),
            self.maybe(0.05, lambda: f"cycle {self.column_id(COLUMNS)} set {self.column_id(COLUMNS)} to {self.simple()} default {self.simple()} using {self.column_id(COLUMNS)}"),
        )

    # Data modification

    def modification(self):
        return self.join(self.maybe(0.2, self.with_clause), self.pick([self.insert, self.update, self.delete, self.merge])())

    def returning(self):
        return self.maybe(0.3, lambda: "returning " + self.pick(["", "", "with (old as o, new as n)"]) + " " + self.list(self.target))

    def assignment(self):
        column = self.column_id(COLUMNS) + self.pick(["", "", f"[{self.simple()}]", "." + self.label()])
        if self.chance(0.2):
            return f"({self.column_id(COLUMNS)}, {column}) = {self.pick(['', 'row'])}({self.list(self.expression, 2, 2)})"
        if self.chance(0.1):
            return f"({self.column_id(COLUMNS)}, {column}) = ({self.query()})"
        return f"{column} = {self.pick(['default', self.expression()])}"

    def insert(self):
        return self.join(
            "insert into",
            self.table(),
            self.maybe(0.2, lambda: "as " + self.column_id(TABLES)),
            self.inserted(),
            self.maybe(0.3, self.conflict),
            self.returning(),
        )

    def inserted(self):
        if self.chance(0.1):
            return "default values"
        return self.join(
            self.maybe(0.5, lambda: f"({self.list(lambda: self.column_id(COLUMNS))})"),
            self.maybe(0.05, lambda: "overriding system value"),
            self.pick([self.query, self.query, lambda: f"({self.query()})", lambda: "values " + self.list(lambda: f"({self.list(lambda: self.pick(['default', self.expression()]))})")])(),
        )

    def conflict(self):
        return self.join(
            "on conflict",
            self.pick(["", "(a)", f"({self.column_id(COLUMNS)}, lower({self.column_id(COLUMNS)}) collate \"C\" text_ops) where {self.simple()}", "on constraint c"]),
            "do",
            self.pick(["nothing", f"update set {self.list(self.assignment)} {self.maybe(0.5, lambda: 'where ' + self.expression())}"]),
        )

    def target_table(self):
        return self.join(self.pick(["", "", "only"]), self.table(), self.pick(["", "", "*"]) if self.chance(0.2) else "", self.maybe(0.4, lambda: self.pick(["as ", ""]) + self.column_id(TABLES)))

    def where(self):
        return self.maybe(0.8, lambda: "where " + self.pick([self.expression(), self.expression(), "current of " + self.column_id(COLUMNS)]))

    def update(self):
        return self.join("update", self.target_table(), "set", self.list(self.assignment), self.maybe(0.4, lambda: "from " + self.list(self.source)), self.where(), self.returning())

    def delete(self):
        return self.join("delete from", self.target_table(), self.maybe(0.4, lambda: "using " + self.list(self.source)), self.where(), self.returning())

    def merge(self):
        return self.join("merge into", self.target_table(), "using", self.source(), "on", self.expression(), *self.many(self.branch), self.returning())

    def branch(self):
        matched = self.pick(["matched", "not matched", "not matched by source", "not matched by target"])
        condition = self.maybe(0.4, lambda: "and " + self.expression())
        if matched in ("matched", "not matched by source"):
            action = self.pick(["delete", "do nothing", f"update set {self.list(self.assignment)}"])
        else:
            action = self.pick(["do nothing", "insert default values", f"insert ({self.column_id(COLUMNS)}) values ({self.expression()})", f"insert overriding user value values ({self.list(self.expression)})"])
        return f"when {matched} {condition} then {action}"

    # Statements

    def statement(self):
        return self.pick([self.query, self.query, self.query, self.modification, self.modification, self.modification, self.utility])()

    def utility(self):
        q, t, n = self.query, self.table, lambda: self.column_id(TABLES)
        explained = lambda: self.pick([q, self.modification])()
        return self.pick(
            [
                lambda: f"explain {self.pick(['', 'analyze', 'analyse verbose', 'verbose', '(analyze)', '(analyze off)', '(costs off, analyze true)', '(format json)', '(analyze 0)', '(analyze, analyze false)', '(ANALYZE on, buffers)'])} {explained()}",
                lambda: f"prepare {n()} {self.pick(['', '(int, text)'])} as {explained()}",
                lambda: f"declare {n()} {self.pick(['', 'binary', 'no scroll'])} cursor {self.pick(['', 'with hold'])} for {q()}",
                lambda: f"copy ({explained()}) to {self.pick(['stdout', chr(39) + '/tmp/x' + chr(39), 'program ' + chr(39) + 'sh' + chr(39)])}",
                lambda: f"copy {t()} {self.pick(['', '(a, b)'])} {self.pick(['from stdin', 'to stdout', 'from ' + chr(39) + '/x' + chr(39), 'to program ' + chr(39) + 'x' + chr(39)])} {self.pick(['', 'csv', 'with (format csv, header)', 'binary'])}",
                lambda: f"create {self.pick(['', 'temp', 'unlogged'])} table {self.pick(['', 'if not exists'])} {t()} {self.pick(['', '(a, b)'])} {self.pick(['', 'on commit drop', 'with (fillfactor=10)'])} as {q()} {self.pick(['', 'with no data'])}",
                lambda: f"create {self.pick(['', 'or replace'])} {self.pick(['', 'temp'])} {self.pick(['', '', 'recursive'])} view {t()} (a, b) as {q()} {self.pick(['', 'with check option'])}",
                lambda: f"create materialized view {t()} as {q()}",
                lambda: f"create {self.pick(['', 'unique'])} index {self.pick(['', 'concurrently'])} {n()} on {t()} using btree (({self.expression()}), {self.column_id(COLUMNS)} desc) where {self.expression()}",
                lambda: f"create table {t()} (a int default {self.simple()}, b text check ({self.expression()}), c int references {t()} (a), like {t()}, foreign key (a) references {t()}, exclude using gist (a with =)) {self.maybe(0.3, lambda: 'inherits (' + t() + ')')}",
                lambda: f"alter table {self.pick(['', 'if exists', 'only'])} {t()} {self.list(self.alteration)}",
                lambda: f"drop {self.pick(['table', 'view', 'index', 'sequence', 'materialized view', 'foreign table'])} {self.pick(['', 'if exists'])} {self.list(t)} {self.pick(['', 'cascade', 'restrict'])}",
                lambda: f"drop function {self.list(lambda: self.function() + self.pick(['', '(int, text)', '()']))}",
                lambda: f"truncate {self.pick(['', 'table', 'only'])} {self.list(t)} {self.pick(['', 'restart identity', 'cascade'])}",
                lambda: f"lock {self.pick(['', 'table'])} {self.list(t)} {self.pick(['', 'in access exclusive mode', 'in share row exclusive mode nowait'])}",
                lambda: f"grant {self.pick(['select', 'all', 'select (a), update (b)', 'all privileges'])} on {self.pick(['', 'table'])} {self.list(t)} to {n()} {self.pick(['', 'with grant option'])}",
                lambda: f"revoke {n()}, {n()} from {n()}, public",
                lambda: f"comment on {self.pick(['table', 'view'])} {t()} is {self.pick(['null', chr(39) + 'x' + chr(39)])}",
                lambda: f"{self.pick(['vacuum', 'analyze', 'vacuum (full)', 'vacuum full verbose', 'analyze verbose', 'vacuum analyze'])} {self.list(t, 0)}",
                lambda: f"refresh materialized view {self.pick(['', 'concurrently'])} {t()}",
                lambda: f"create rule {n()} as on {self.pick(['insert', 'delete', 'update'])} to {t()} {self.maybe(0.5, lambda: 'where ' + self.expression())} do {self.pick(['', 'instead', 'also'])} {self.pick(['nothing', q(), self.modification(), f'({self.modification()}; {q()})', f'({q()})'])}",
                lambda: f"create function {self.function()}(a int default {self.expression()}) returns int language sql {self.pick([f'return {self.expression()}', f'begin atomic {self.modification()}; {q()}; end', 'as $$ delete from t $$'])}",
                lambda: f"create policy {n()} on {t()} using ({self.expression()}) with check ({self.expression()})",
                lambda: f"create trigger {n()} before update of a or delete on {t()} for each row when ({self.expression()}) execute function {self.function()}()",
                lambda: f"set {self.pick(['', 'local', 'session'])} {self.pick(['search_path', 'role', 'work_mem', 'a.b'])} {self.pick(['to', '='])} {self.pick(['x', 'default', chr(39) + 'x' + chr(39), '1', 'a, b'])}",
                lambda: self.pick(["reset all", "reset role", "show all", "show search_path", "discard all", "set role none", "set session authorization default", "set time zone 'UTC'", "begin", "commit", "rollback to savepoint x", "savepoint x"]),
                lambda: f"call {self.function()}({self.list(self.expression, 0)})",
                lambda: f"execute {n()} ({self.list(self.expression)})",
                lambda: f"do {self.pick(['', 'language plpgsql'])} $$ begin delete from t; end $$",
                lambda: f"create statistics {n()} on a, ({self.expression()}) from {t()}",
            ]
        )()

    def alteration(self):
        t = self.table
        return self.pick(
            [
                lambda: f"add column {self.column_id(COLUMNS)} int default {self.simple()}",
                lambda: f"add constraint {self.column_id(COLUMNS)} check ({self.expression()})",
                lambda: f"add foreign key (a) references {t()}",
                lambda: f"alter column {self.column_id(COLUMNS)} type text using {self.expression()}",
                lambda: f"alter {self.column_id(COLUMNS)} set default {self.expression()}",
                lambda: f"drop column if exists {self.column_id(COLUMNS)} cascade",
                lambda: f"inherit {t()}",
                lambda: "disable trigger all",
                lambda: "enable row level security",
                lambda: f"owner to {self.column_id(TABLES)}",
            ]
        )()

    def text(self):
        """One text: a statement, now and then several, dressed up."""
        statements = self.many(self.statement, 1, 1 if self.chance(0.9) else 4)
        return self.pick(["", "", "", ";", ";;"]) .join(["", *[self.dress(one) + ";" for one in statements]]).rstrip(";") + self.pick(["", ";"])

    def dress(self, sql):
        """Other white space, comments and letter case; the meaning stays."""
        if self.chance(0.4):
            return sql
        out = []
        at = 0
        while at < len(sql):
            char = sql[at]
            if char in "'\"$" or sql[at : at + 2] in ("--", "/*"):
                end = self.end_of_opaque(sql, at)
                out.append(sql[at:end])
                at = end
            elif char == " ":
                out.append(self.pick(SPACES))
                at += 1
            else:
                # A prefix of a literal keeps its letter: `E'…'` is no `e '…'`, but both cases work.
                out.append(self.pick([char.upper(), char.lower()]) if char.isascii() else char)
                at += 1
        return "".join(out)

    @staticmethod
    def end_of_opaque(sql, at):
        char = sql[at]
        if char == "$":
            tag_end = sql.find("$", at + 1)
            tag = sql[at : tag_end + 1]
            if tag_end < 0 or not tag[1:-1].replace("_", "a").isalnum() and tag != "$$" or tag[1:2].isdigit():
                return at + 1
            return sql.find(tag, tag_end + 1) + len(tag)
        if char not in "'\"":
            return at + 2
        escapes = char == "'" and at > 0 and sql[at - 1] in "eE"
        end = at + 1
        while end < len(sql):
            if escapes and sql[end] == "\\":
                end += 2
            elif sql[end] == char:
                return end + 1
            else:
                end += 1
        return end


def texts(seed, count):
    for number in range(count):
        yield Generator(f"{seed}/{number}").text()
