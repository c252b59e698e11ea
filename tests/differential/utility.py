"""Everything that is not a query or data modification."""

from pglast import ast, enums

from truth import ANY, Truth
from objects import Objects

T = enums.TransactionStmtKind
S = enums.VariableSetKind
A = enums.AlterTableType


def dotted(parts):
    return ".".join(part.sval for part in parts[-2:])


def schema_and_name(parts):
    names = [part.sval for part in parts]
    return (names[-2] if len(names) > 1 else None), names[-1]


def role_name(spec):
    R = enums.RoleSpecType
    words = {
        R.ROLESPEC_CURRENT_ROLE: "current_role",
        R.ROLESPEC_CURRENT_USER: "current_user",
        R.ROLESPEC_SESSION_USER: "session_user",
        R.ROLESPEC_PUBLIC: "public",
    }
    return words.get(spec.roletype, spec.rolename)


def option(options, name):
    """The last value given to an option; None if it is not given."""
    value = None
    for element in options or ():
        if element.defname == name:
            value = element
    return value


def is_on(element):
    """`defGetBoolean`."""
    if element is None:
        return False
    value = element.arg
    if value is None:
        return True
    if isinstance(value, ast.Integer):
        return value.ival != 0
    if isinstance(value, ast.Boolean):
        return value.boolval
    return str(getattr(value, "sval", "")).lower() in ("true", "on")


class Utility(Objects):
    """Handlers of `Walker` for utility statements."""

    # Session

    def on_TransactionStmt(self, stmt):
        if stmt.kind in (T.TRANS_STMT_PREPARE, T.TRANS_STMT_COMMIT_PREPARED, T.TRANS_STMT_ROLLBACK_PREPARED):
            self.truth.require("sql:administer", "database", None, "")
        else:
            self.truth.require("sql:transaction", "database", None, "")

    def on_ConstraintsSetStmt(self, _):
        self.truth.require("sql:transaction", "database", None, "")

    def on_VariableSetStmt(self, stmt):
        self.setting(stmt)

    def setting(self, stmt):
        name = (stmt.name or "").lower()
        if stmt.kind == S.VAR_SET_MULTI:
            if name == "session characteristics":
                for element in stmt.args:
                    self.truth.require("sql:set", "setting", None, "default_" + element.defname)
                self.truth.allow("sql:set")
            else:
                self.truth.require("sql:transaction", "database", None, "")
        elif stmt.kind == S.VAR_RESET_ALL:
            self.truth.require("sql:set", "setting", None, "all")
        elif name in ("role", "session_authorization"):
            role = ANY
            # The server refuses a list of roles.
            if stmt.kind == S.VAR_SET_VALUE and len(stmt.args) == 1:
                role = getattr(getattr(stmt.args[0], "val", None), "sval", ANY)
            self.truth.require("sql:set-role", ANY, ANY, role)
        else:
            self.truth.require("sql:set", "setting", None, name)

    def on_VariableShowStmt(self, stmt):
        self.truth.require("sql:show", "setting", None, stmt.name.lower())

    def on_DiscardStmt(self, stmt):
        if stmt.target == enums.DiscardMode.DISCARD_ALL:
            self.truth.require("sql:set", "setting", None, "all")
            self.truth.named = ("forget", None, None)
        self.truth.allow("sql:transaction")

    def on_ListenStmt(self, stmt):
        self.truth.require("sql:listen", "channel", None, stmt.conditionname)

    def on_UnlistenStmt(self, stmt):
        self.truth.require("sql:transaction")

    def on_NotifyStmt(self, stmt):
        self.truth.require("sql:notify", "channel", None, stmt.conditionname)

    def on_LockStmt(self, stmt):
        for var in stmt.relations:
            self.relation("sql:lock", var)

    def on_LoadStmt(self, _):
        self.truth.require("sql:administer")

    def on_CheckPointStmt(self, _):
        self.truth.require("sql:maintain", "database", None, "")

    # Statements by name

    def on_PrepareStmt(self, stmt):
        inner = self.inner(stmt.query)
        self.truth.named = ("prepare", stmt.name, inner)
        self.truth.row_limit = inner.row_limit

    def on_DeclareCursorStmt(self, stmt):
        inner = self.inner(stmt.query)
        self.truth.named = ("declare", stmt.portalname, inner)
        self.truth.row_limit = inner.row_limit

    def on_ExecuteStmt(self, stmt):
        self.visit(stmt.params)
        self.truth.dynamic = True
        self.truth.named = ("execute", stmt.name, None)
        self.truth.require("sql:unreadable")

    def on_FetchStmt(self, stmt):
        self.truth.dynamic = True
        self.truth.named = ("fetch", stmt.portalname, None)
        self.truth.require("sql:unreadable")

    def on_DeallocateStmt(self, stmt):
        self.truth.require("sql:transaction")
        self.truth.named = ("forget", stmt.name, None)

    def on_ClosePortalStmt(self, stmt):
        self.truth.require("sql:transaction")
        self.truth.named = ("forget", stmt.portalname, None)

    def on_ExplainStmt(self, stmt):
        query = stmt.query
        if isinstance(query, ast.ExecuteStmt):
            self.truth.dynamic = True
            self.truth.require("sql:unreadable")
            self.visit(query.params)
        inner = None if isinstance(query, ast.ExecuteStmt) else self.walk_alone(query)
        if inner and not is_on(option(stmt.options, "analyze")):
            plan_only(inner)
        if inner:
            self.truth.include(inner)
        self.truth.require("sql:explain", "database", None, "")

    def walk_alone(self, stmt):
        inner = type(self)(self.ctes)
        inner.visit(stmt)
        return inner.truth

    # Code

    def on_DoStmt(self, _):
        self.truth.dynamic = True
        self.truth.require("sql:do", "database", None, "")

    def on_CallStmt(self, stmt):
        schema, name = schema_and_name(stmt.funccall.funcname)
        self.truth.require("sql:call", "function", schema, name)
        self.visit(stmt.funccall)

    def on_CreateFunctionStmt(self, stmt):
        schema, name = schema_and_name(stmt.funcname)
        self.truth.require("sql:create", "function", schema, name)
        for parameter in stmt.parameters or ():
            self.visit(parameter.defexpr)
        if stmt.sql_body is None:
            self.truth.dynamic = True
        else:
            self.visit(stmt.sql_body)
        setting = option(stmt.options, "set")
        if setting:
            self.truth.allow("sql:set")

    def on_ReturnStmt(self, stmt):
        self.visit(stmt.returnval)

    def on_CreateTrigStmt(self, stmt):
        self.truth.require("sql:create", "trigger", None, stmt.trigname)
        self.relation("sql:alter", stmt.relation)
        schema, name = schema_and_name(stmt.funcname)
        self.truth.require("sql:call", "function", schema, name)
        self.truth.optional.add(f"{schema}.{name}" if schema else name)
        self.visit(stmt.whenClause)
        if stmt.constrrel:
            self.relation(ANY, stmt.constrrel)

    def on_CreateEventTrigStmt(self, stmt):
        self.truth.require("sql:create", "event trigger", None, stmt.trigname)
        schema, name = schema_and_name(stmt.funcname)
        self.truth.optional.add(f"{schema}.{name}" if schema else name)
        self.truth.require("sql:call", "function", schema, name)

    def on_RuleStmt(self, stmt):
        self.truth.require("sql:create", "rule", None, stmt.rulename)
        self.relation("sql:alter", stmt.relation)
        self.visit(stmt.whereClause)
        self.visit(stmt.actions)

    # Data

    def on_CopyStmt(self, stmt):
        program_or_file = stmt.filename is not None
        if program_or_file:
            self.truth.require("sql:server-file")
        way = "sql:copy-in" if stmt.is_from else "sql:copy-out"
        if stmt.relation:
            self.relation("sql:insert" if stmt.is_from else "sql:select", stmt.relation)
            if not program_or_file:
                self.relation(way, stmt.relation)
        else:
            self.visit(stmt.query)
            if not program_or_file:
                self.truth.require(way, "database", None, "")
        self.visit(stmt.whereClause)

    def on_TruncateStmt(self, stmt):
        for var in stmt.relations:
            self.relation("sql:truncate", var)
        if stmt.behavior == enums.DropBehavior.DROP_CASCADE:
            self.truth.require("sql:truncate", "database", None, "")

    # Tables and what resembles them

    def on_CreateStmt(self, stmt):
        self.create_relation(stmt.relation)
        for parent in stmt.inhRelations or ():
            self.relation(ANY, parent)
        for part in (stmt.tableElts, stmt.constraints, stmt.partbound, stmt.partspec):
            self.visit(part)

    def on_CreateForeignTableStmt(self, stmt):
        self.on_CreateStmt(stmt.base)

    def on_TableLikeClause(self, clause):
        self.relation("sql:select", clause.relation)

    def on_Constraint(self, constraint):
        self.visit(constraint.raw_expr)
        self.visit(constraint.where_clause)
        self.visit(constraint.exclusions and [pair[0] for pair in constraint.exclusions])
        if constraint.pktable:
            self.relation("sql:select", constraint.pktable)

    def on_CreateTableAsStmt(self, stmt):
        self.create_relation(stmt.into.rel)
        if isinstance(stmt.query, ast.ExecuteStmt):
            self.truth.dynamic = True
            self.truth.require("sql:unreadable")
            self.visit(stmt.query.params)
        else:
            self.visit(stmt.query)

    def on_ViewStmt(self, stmt):
        self.create_relation(stmt.view)
        self.visit(stmt.query)

    def on_RefreshMatViewStmt(self, stmt):
        self.relation("sql:maintain", stmt.relation)

    def on_IndexStmt(self, stmt):
        if stmt.idxname:
            # An index lies in the schema of its table.
            self.truth.require("sql:create", "relation", ANY, stmt.idxname)
        else:
            self.truth.require("sql:create", "index on")
        self.relation("sql:alter", stmt.relation)
        self.visit(stmt.indexParams)
        self.visit(stmt.whereClause)

    def on_CreateStatsStmt(self, stmt):
        if stmt.defnames:
            self.truth.require("sql:create", "statistics", None, dotted(stmt.defnames))
        else:
            self.truth.require("sql:create")
        self.visit(stmt.exprs)
        for var in stmt.relations:
            if isinstance(var, ast.RangeVar):
                self.relation("sql:alter", var)

    def on_CreateSeqStmt(self, stmt):
        self.create_relation(stmt.sequence)
        self.owned_by(stmt)

    def on_AlterSeqStmt(self, stmt):
        self.relation("sql:alter", stmt.sequence)
        self.owned_by(stmt)

    def owned_by(self, stmt):
        owner = option(stmt.options, "owned_by")
        if owner and len(owner.arg) > 1:
            schema, name = schema_and_name(owner.arg[:-1])
            self.truth.allow(ANY, "relation", schema, name)

    def on_AlterTableStmt(self, stmt):
        if stmt.objtype == enums.ObjectType.OBJECT_TYPE:
            var = stmt.relation
            name = f"{var.schemaname}.{var.relname}" if var.schemaname else var.relname
            self.truth.require("sql:alter", "type", None, name)
        else:
            self.relation("sql:alter", stmt.relation)
        self.visit(stmt.cmds)

    def on_AlterTableCmd(self, command):
        if command.newowner:
            self.truth.require("sql:grant", "role", None, role_name(command.newowner))
        value = command.def_
        if command.subtype in (A.AT_AddInherit, A.AT_DropInherit):
            self.relation(ANY, value)
        elif isinstance(value, ast.PartitionCmd):
            self.relation(ANY, value.name)
            self.visit(value.bound)
        else:
            self.visit(value)

    def on_ReplicaIdentityStmt(self, _):
        pass

    def on_VacuumStmt(self, stmt):
        if not stmt.rels:
            self.truth.require("sql:maintain", "database", None, "")
        for item in stmt.rels or ():
            self.relation("sql:maintain", item.relation)

    def on_ClusterStmt(self, stmt):
        if stmt.relation is None:
            self.truth.require("sql:maintain", "database", None, "")
        else:
            self.relation("sql:maintain", stmt.relation)
            if stmt.indexname:
                self.truth.allow("sql:maintain", "relation", None, stmt.indexname)

    def on_ReindexStmt(self, stmt):
        K = enums.ReindexObjectType
        if stmt.kind == K.REINDEX_OBJECT_SCHEMA:
            self.truth.require("sql:maintain", "schema", None, stmt.name)
        elif stmt.relation is not None:
            self.relation("sql:maintain", stmt.relation)
        else:
            self.truth.require("sql:maintain", "database", None, "")

    def on_AlterTableMoveAllStmt(self, _):
        self.truth.require("sql:alter", "database", None, "")


def plan_only(inner):
    """EXPLAIN without ANALYZE: nothing is written, what is named is read."""
    required = set()
    writes = ("sql:insert", "sql:update", "sql:delete", "sql:merge", "sql:lock", "sql:maintain", "sql:truncate")
    for verb, kind, schema, name in inner.required:
        if verb in writes and kind != "database":
            # That it is read; to say that it is written is more than that.
            required.add((frozenset({"sql:select", verb}), kind, schema, name))
            inner.allowed.add((ANY, kind, schema, name))
        elif verb == "sql:create":
            inner.allowed.add((ANY, kind, schema, name))
        else:
            required.add((verb, kind, schema, name))
    inner.required = required
