"""Walks PostgreSQL's parse tree (by pglast) and says what each statement does.

Written from the grammar and the server's behaviour, not from Ostiary's reader. Only the vocabulary
is shared: the verbs of `crates/operation/src/verb.rs`.
"""

from pglast import ast, enums, parse_sql

import builtins_of
from truth import ANY, Truth
from utility import Utility


class Rejected(Exception):
    """PostgreSQL's grammar does not accept the text."""


def parse(text):
    # The server refuses a message with a NUL inside its text; the parser would stop there.
    if "\0" in text:
        raise Rejected("NUL")
    try:
        return parse_sql(text)
    except Exception as error:  # pglast raises its own and, on odd bytes, the codec's
        raise Rejected(str(error)) from error


def accepts(text):
    try:
        parse(text)
    except Rejected:
        return False
    return True


def statements(text):
    """The truth about each statement of a text."""
    return [Walker().top(raw.stmt) for raw in parse(text)]


def children(node):
    if isinstance(node, (tuple, list)):
        yield from node
    elif isinstance(node, ast.Node):
        for slot in node:
            value = getattr(node, slot)
            if isinstance(value, (ast.Node, tuple)):
                yield value


class Walker(Utility):
    """Gathers one statement's effects."""

    def __init__(self, ctes=()):
        self.truth = Truth("")
        self.ctes = list(ctes)

    def top(self, stmt):
        self.truth.statement = type(stmt).__name__
        self.visit(stmt)
        if isinstance(stmt, ast.SelectStmt):
            self.truth.row_limit = row_limit(stmt)
            self.truth.clean = clean_outputs(stmt)
            if names_one_setting(stmt):
                self.truth.required = {it for it in self.truth.required if it[0] != "sql:set-role"}
                self.truth.allow("sql:set")
        elif isinstance(stmt, ast.InsertStmt) and stmt.selectStmt:
            self.truth.row_limit = row_limit(stmt.selectStmt)
        return self.truth

    def inner(self, stmt):
        """The truth about a statement within this one, its effects counted here too."""
        inner = Walker(self.ctes).top(stmt)
        self.truth.include(inner)
        return inner

    def visit(self, node):
        if node is None or isinstance(node, (str, int, float, bool)):
            return
        if isinstance(node, (tuple, list)):
            for child in node:
                self.visit(child)
            return
        handler = getattr(self, "on_" + type(node).__name__, None)
        if handler:
            handler(node)
        elif type(node).__name__.endswith("Stmt"):
            raise NotImplementedError(type(node).__name__)
        else:
            for child in children(node):
                self.visit(child)

    # Names

    def relation(self, verb, var):
        self.truth.require(verb, "relation", var.schemaname, var.relname)
        schema, name = var.schemaname, var.relname
        of_server = schema in ("pg_catalog", "pg_toast") or schema is None and name.startswith("pg_")
        if of_server and verb in ("sql:insert", "sql:update", "sql:delete", "sql:merge"):
            if name == "pg_settings":
                # A rule makes set_config of it.
                self.truth.require("sql:set-role")
                self.truth.allow("sql:set")
                self.truth.may_be_dynamic = True
            else:
                self.truth.require("sql:alter", "relation", schema, name)

    def create_relation(self, var):
        temporary = var.relpersistence == "t" and var.schemaname is None
        schema = "pg_temp" if temporary else var.schemaname
        self.truth.require("sql:create", "relation", schema, var.relname)

    def is_cte(self, var):
        return var.schemaname is None and var.catalogname is None and var.relname in self.ctes

    # Queries

    def with_clause(self, clause):
        """Brings the names of a WITH into scope; the caller puts `self.ctes` back."""
        if clause is None:
            return
        if clause.recursive:
            self.ctes = self.ctes + [cte.ctename for cte in clause.ctes]
        for cte in clause.ctes:
            self.visit(cte.ctequery)
            self.visit(cte.search_clause)
            self.visit(cte.cycle_clause)
            if not clause.recursive:
                self.ctes = self.ctes + [cte.ctename]

    def on_SelectStmt(self, select):
        self.select(select)

    def select(self, select):
        """Answers the relations that FOR UPDATE around this query would lock."""
        scope = self.ctes
        self.with_clause(select.withClause)
        sources = []
        if select.op != enums.SetOperation.SETOP_NONE:
            for side in (select.larg, select.rarg):
                sources += [(None, self.select(side))]
        else:
            if select.intoClause:
                self.create_relation(select.intoClause.rel)
            for part in (select.distinctClause, select.targetList):
                self.visit(part)
            for item in select.fromClause or ():
                sources += self.source(item)
            for part in (
                select.whereClause,
                select.groupClause,
                select.havingClause,
                select.windowClause,
                select.valuesLists,
            ):
                self.visit(part)
        for part in (select.sortClause, select.limitOffset, select.limitCount):
            self.visit(part)
        for lock in select.lockingClause or ():
            wanted = [var.relname for var in lock.lockedRels or ()]
            # The server refuses a name that two of them are known by, unless their schemas differ.
            names = [known_as for known_as, _ in sources]
            wanted = [name for name in wanted if names.count(name) < 2]
            for known_as, relations in sources:
                if not lock.lockedRels or known_as in wanted:
                    for var in relations:
                        self.relation("sql:lock", var)
                else:
                    for var in relations:
                        self.truth.allow("sql:lock", "relation", var.schemaname, var.relname)
        self.ctes = scope
        return [var for _, relations in sources for var in relations]

    def source(self, item):
        """An item of FROM; answers `(name it is known by, relations it locks)`."""
        if isinstance(item, ast.RangeVar):
            if self.is_cte(item):
                return []
            self.relation("sql:select", item)
            return [(item.alias.aliasname if item.alias else item.relname, [item])]
        if isinstance(item, ast.JoinExpr):
            sources = self.source(item.larg) + self.source(item.rarg)
            self.visit(item.quals)
            return sources
        if isinstance(item, ast.RangeSubselect):
            relations = self.select(item.subquery)
            return [(item.alias.aliasname if item.alias else None, relations)]
        if isinstance(item, ast.RangeTableSample):
            sources = self.source(item.relation)
            self.visit(item.args)
            self.visit(item.repeatable)
            return sources
        self.visit(item)
        return []

    def on_RangeVar(self, var):
        self.source(var)

    def on_RangeSubselect(self, item):
        self.source(item)

    def on_JoinExpr(self, item):
        self.source(item)

    def on_RangeTableSample(self, item):
        self.source(item)

    # Data modification

    def on_InsertStmt(self, insert):
        scope = self.ctes
        self.with_clause(insert.withClause)
        self.relation("sql:insert", insert.relation)
        self.visit(insert.cols)
        self.visit(insert.selectStmt)
        conflict = insert.onConflictClause
        if conflict:
            self.visit(conflict.infer)
            self.visit(conflict.targetList)
            self.visit(conflict.whereClause)
            if conflict.action == enums.OnConflictAction.ONCONFLICT_UPDATE:
                self.relation("sql:update", insert.relation)
        self.returning(insert)
        self.ctes = scope

    def on_UpdateStmt(self, update):
        scope = self.ctes
        self.with_clause(update.withClause)
        self.relation("sql:update", update.relation)
        self.visit(update.targetList)
        self.visit(update.fromClause)
        self.where(update)
        self.returning(update)
        self.ctes = scope

    def on_DeleteStmt(self, delete):
        scope = self.ctes
        self.with_clause(delete.withClause)
        self.relation("sql:delete", delete.relation)
        self.visit(delete.usingClause)
        self.where(delete)
        self.returning(delete)
        self.ctes = scope

    def on_MergeStmt(self, merge):
        scope = self.ctes
        self.with_clause(merge.withClause)
        self.relation("sql:merge", merge.relation)
        self.visit(merge.sourceRelation)
        self.visit(merge.joinCondition)
        for branch in merge.mergeWhenClauses:
            verb = {
                enums.CmdType.CMD_INSERT: "sql:insert",
                enums.CmdType.CMD_UPDATE: "sql:update",
                enums.CmdType.CMD_DELETE: "sql:delete",
            }.get(branch.commandType)
            if verb:
                self.relation(verb, merge.relation)
            self.visit(branch.condition)
            self.visit(branch.targetList)
            self.visit(branch.values)
        self.returning(merge)
        self.ctes = scope

    def where(self, stmt):
        if stmt.whereClause is None:
            self.truth.has_where = False
        self.visit(stmt.whereClause)

    def returning(self, stmt):
        # Columns of the target may also be read by its conditions.
        target = stmt.relation
        self.truth.allow("sql:select", "relation", target.schemaname, target.relname)
        if stmt.returningClause:
            self.relation("sql:select", target)
            self.visit(stmt.returningClause.exprs)

    # Expressions

    def on_FuncCall(self, call):
        parts = [part.sval for part in call.funcname]
        schema, name = (parts[-2] if len(parts) > 1 else None), parts[-1]
        spelled = call.funcformat == enums.CoercionForm.COERCE_SQL_SYNTAX
        if (schema, name) in builtins_of.OF_GRAMMAR:
            self.truth.optional |= {name, f"{schema}.{name}"}
        elif not spelled:
            self.truth.functions.add(f"{schema}.{name}" if schema else name)
            builtins_of.effects(self.truth, schema, name, call.args or ())
        for child in children(call):
            if child is not call.funcname:
                self.visit(child)

    def on_ColumnRef(self, column):
        # `t.f` is the function `f` of the row where there is no column of that name.
        if len(column.fields) > 1:
            self.field(column.fields[-1])

    def on_A_Indirection(self, node):
        self.visit(node.arg)
        for step in node.indirection:
            self.field(step)
            if isinstance(step, ast.A_Indices):
                self.visit(step)

    def field(self, step):
        if isinstance(step, ast.String):
            builtins_of.field(self.truth, step.sval)

    def on_TypeName(self, name):
        self.visit(name.typmods)


def names_one_setting(select):
    """pg_dump's `set_config(name, 'view, foreign-table', false)` of the row that has this one name; a
    value that is no role's, whatever `pg_settings` holds."""
    source, where = select.fromClause or (), select.whereClause
    return (
        len(source) == 1
        and isinstance(source[0], ast.RangeVar)
        and source[0].relname == "pg_settings"
        and isinstance(where, ast.A_Expr)
        and [part.sval for part in where.name] == ["="]
        and isinstance(where.rexpr, ast.A_Const)
        and getattr(where.rexpr.val, "sval", "") == "restrict_nonsystem_relation_kind"
        and len(select.targetList or ()) == 1
        and isinstance(select.targetList[0].val, ast.FuncCall)
        and builtins_of.literal(select.targetList[0].val.args, 1) in ("view, foreign-table", "view", "")
    )


def row_limit(select):
    """The number of rows a query is limited to by a plain literal."""
    count = select.limitCount
    if select.limitOption == enums.LimitOption.LIMIT_OPTION_WITH_TIES:
        return None
    if isinstance(count, ast.A_Const) and isinstance(count.val, ast.Integer):
        return count.val.ival
    return None


def clean_outputs(select):
    """For each column whether its value cannot depend on a row; None where columns are unknown."""
    if select.op != enums.SetOperation.SETOP_NONE or select.valuesLists:
        return None
    outputs = []
    for target in select.targetList or ():
        if is_wildcard(target.val):
            return None
        outputs.append(not carries_value(target.val))
    return outputs


def is_wildcard(value):
    """`*`, `t.*`, `(x).*`: as many columns as there are; within an expression it is one value."""
    last = ()
    if isinstance(value, ast.ColumnRef):
        last = value.fields
    elif isinstance(value, ast.A_Indirection):
        last = value.indirection
    return bool(last) and isinstance(last[-1], ast.A_Star)


def carries_value(node):
    if isinstance(node, (ast.ColumnRef, ast.SubLink)):
        return True
    if isinstance(node, ast.FuncCall):
        *schema, name = [part.sval for part in node.funcname]
        if schema not in ([], ["pg_catalog"]) or name not in builtins_of.CLEAN | {"count"}:
            return True
        if name == "count":
            return False
    return any(carries_value(child) for child in children(node))
