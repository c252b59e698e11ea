"""Definitions of, and rights to, everything else that has a name."""

from pglast import ast, enums

from truth import ANY

O = enums.ObjectType
RELATIONS = {
    O.OBJECT_TABLE,
    O.OBJECT_VIEW,
    O.OBJECT_INDEX,
    O.OBJECT_SEQUENCE,
    O.OBJECT_MATVIEW,
    O.OBJECT_FOREIGN_TABLE,
}
FUNCTIONS = {O.OBJECT_FUNCTION, O.OBJECT_PROCEDURE, O.OBJECT_ROUTINE, O.OBJECT_AGGREGATE}
ON_TABLE = {O.OBJECT_TRIGGER, O.OBJECT_RULE, O.OBJECT_POLICY, O.OBJECT_TABCONSTRAINT}


def strings(value):
    """The name in whatever form the grammar keeps it."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, ast.String):
        return [value.sval]
    if isinstance(value, ast.TypeName):
        return [part.sval for part in value.names]
    if isinstance(value, ast.ObjectWithArgs):
        return [part.sval for part in value.objname]
    if isinstance(value, ast.RangeVar):
        return [part for part in (value.schemaname, value.relname) if part]
    if isinstance(value, (tuple, list)):
        return [name for part in value for name in strings(part)]
    return []


def dotted_name(value):
    """`schema.name`; a leading database is the current one or refused."""
    return ".".join(strings(value)[-2:])


def split_name(names):
    if not names:
        return ANY, ANY
    return (names[-2] if len(names) > 1 else None), names[-1]


class Objects:
    """Handlers of `Walker` for definitions of other kinds."""

    def touch(self, verb, kind, value):
        """`verb` on an object of a kind, however the grammar names it."""
        if kind == O.OBJECT_ROLE:
            from utility import role_name

            name = role_name(value) if isinstance(value, ast.RoleSpec) else strings(value)[-1]
            self.truth.require("sql:role", "role", None, name)
            return
        names = strings(value)
        if isinstance(value, ast.TypeName) and names[0] == "pg_catalog":
            # `character` is `pg_catalog.bpchar` to the server; both names are right.
            names = []
        if not names:
            self.truth.require(verb)
        elif kind in RELATIONS:
            self.truth.require(verb, "relation", *split_name(names))
        elif kind in FUNCTIONS:
            self.truth.require(verb, "function", *split_name(names))
        elif kind == O.OBJECT_SCHEMA:
            self.truth.require(verb, "schema", None, names[-1])
        elif kind in ON_TABLE:
            self.truth.require(verb, ANY, ANY, names[-1])
            self.truth.require("sql:alter", "relation", *split_name(names[:-1]))
        elif kind == O.OBJECT_COLUMN:
            self.truth.require(verb, "relation", *split_name(names[:-1]))
        elif kind == O.OBJECT_ATTRIBUTE:
            self.truth.require(verb)
        elif kind in (O.OBJECT_CAST, O.OBJECT_TRANSFORM, O.OBJECT_LARGEOBJECT, O.OBJECT_DOMCONSTRAINT):
            self.truth.require(verb)
        elif kind in (O.OBJECT_OPCLASS, O.OBJECT_OPFAMILY):
            # The list starts with the access method.
            self.truth.require(verb, ANY, ANY, ".".join(names[1:]))
        else:
            self.truth.require(verb, ANY, ANY, ".".join(names[-2:]))

    def define(self, name):
        self.truth.require("sql:create", ANY, ANY, name)

    def grant_to(self, spec):
        from utility import role_name

        self.truth.require("sql:grant", "role", None, role_name(spec))

    # DROP, COMMENT, RENAME and so on

    def on_DropStmt(self, stmt):
        for value in stmt.objects:
            self.touch("sql:drop", stmt.removeType, value)
        self.truth.allow("sql:drop", "database")

    def on_CommentStmt(self, stmt):
        self.touch("sql:alter", stmt.objtype, stmt.object)

    def on_SecLabelStmt(self, stmt):
        self.touch("sql:alter", stmt.objtype, stmt.object)

    def on_RenameStmt(self, stmt):
        kind = stmt.renameType
        if kind == O.OBJECT_ROLE:
            self.truth.require("sql:role", "role", None, stmt.subname)
        elif kind == O.OBJECT_SCHEMA:
            self.truth.require("sql:alter", "schema", None, stmt.subname)
        elif kind in (O.OBJECT_ATTRIBUTE,) or stmt.relationType == O.OBJECT_TYPE and stmt.relation:
            self.truth.require("sql:alter")
        elif stmt.relation:
            self.truth.require("sql:alter", "relation", stmt.relation.schemaname, stmt.relation.relname)
        elif kind == O.OBJECT_DOMCONSTRAINT:
            self.truth.require("sql:alter", ANY, ANY, dotted_name(stmt.object))
        else:
            self.touch("sql:alter", kind, stmt.object or stmt.subname)

    def on_AlterObjectSchemaStmt(self, stmt):
        self.truth.require("sql:alter", "schema", None, stmt.newschema)
        if stmt.relation:
            self.truth.require("sql:alter", "relation", stmt.relation.schemaname, stmt.relation.relname)
        else:
            self.touch("sql:alter", stmt.objectType, stmt.object)

    def on_AlterOwnerStmt(self, stmt):
        self.grant_to(stmt.newowner)
        if stmt.relation:
            self.truth.require("sql:alter", "relation", stmt.relation.schemaname, stmt.relation.relname)
        else:
            self.touch("sql:alter", stmt.objectType, stmt.object)

    def on_AlterObjectDependsStmt(self, stmt):
        if stmt.relation:
            self.truth.require("sql:alter", "relation", stmt.relation.schemaname, stmt.relation.relname)
        else:
            self.touch("sql:alter", stmt.objectType, stmt.object)

    def on_DropOwnedStmt(self, stmt):
        self.truth.require("sql:drop", "database", None, "")
        self.truth.allow("sql:drop", "role")

    def on_ReassignOwnedStmt(self, stmt):
        for spec in (*stmt.roles, stmt.newrole):
            self.grant_to(spec)

    # Rights

    def on_GrantStmt(self, stmt):
        if stmt.targtype == enums.GrantTargetType.ACL_TARGET_DEFAULTS:
            pass
        elif stmt.targtype == enums.GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA:
            for value in stmt.objects:
                self.truth.require("sql:grant", "schema", None, value.sval)
        else:
            for value in stmt.objects:
                if stmt.objtype == O.OBJECT_PARAMETER_ACL:
                    self.truth.require("sql:grant", "setting", None, dotted_name(value).lower())
                else:
                    self.touch("sql:grant", stmt.objtype, value)
        for spec in stmt.grantees:
            self.grant_to(spec)

    def on_GrantRoleStmt(self, stmt):
        for role in stmt.granted_roles:
            self.truth.require("sql:grant", "role", None, role.priv_name)
        for spec in stmt.grantee_roles:
            self.grant_to(spec)

    def on_AlterDefaultPrivilegesStmt(self, stmt):
        self.truth.require("sql:grant", "database", None, "")
        for element in stmt.options or ():
            for value in element.arg:
                if element.defname == "schemas":
                    self.truth.require("sql:grant", "schema", None, value.sval)
                else:
                    self.grant_to(value)
        self.visit(stmt.action)

    # Roles

    def role(self, spec):
        from utility import role_name

        self.truth.require("sql:role", "role", None, role_name(spec) if spec else "all")

    def on_CreateRoleStmt(self, stmt):
        self.truth.require("sql:role", "role", None, stmt.role)
        self.members(stmt)

    def on_AlterRoleStmt(self, stmt):
        self.role(stmt.role)
        self.members(stmt)

    def members(self, stmt):
        for element in stmt.options or ():
            if element.defname in ("addroleto", "rolemembers", "adminmembers"):
                for spec in element.arg:
                    self.role(spec)

    def on_AlterRoleSetStmt(self, stmt):
        self.role(stmt.role)

    def on_DropRoleStmt(self, stmt):
        for spec in stmt.roles:
            self.role(spec)

    def on_CreateUserMappingStmt(self, stmt):
        self.truth.require("sql:create", "user mapping")

    def on_AlterUserMappingStmt(self, stmt):
        self.truth.require("sql:alter", "user mapping")

    def on_DropUserMappingStmt(self, stmt):
        self.truth.require("sql:drop", "user mapping")

    # The server

    def on_AlterSystemStmt(self, stmt):
        name = stmt.setstmt.name
        self.truth.require("sql:administer", "setting", None, name.lower() if name else "all")

    def on_CreatedbStmt(self, stmt):
        self.define(stmt.dbname)

    def on_DropdbStmt(self, stmt):
        self.truth.require("sql:drop", "database", ANY, stmt.dbname)

    def alter(self, name):
        self.truth.require("sql:alter", ANY, ANY, name)

    def on_AlterDatabaseStmt(self, stmt):
        self.alter(stmt.dbname)

    def on_AlterDatabaseSetStmt(self, stmt):
        self.alter(stmt.dbname)

    def on_AlterDatabaseRefreshCollStmt(self, stmt):
        self.alter(stmt.dbname)

    def on_CreateTableSpaceStmt(self, stmt):
        self.define(stmt.tablespacename)

    def on_DropTableSpaceStmt(self, stmt):
        self.truth.require("sql:drop", ANY, ANY, stmt.tablespacename)

    def on_AlterTableSpaceOptionsStmt(self, stmt):
        self.alter(stmt.tablespacename)

    # Schemas, types, operators

    def on_CreateSchemaStmt(self, stmt):
        from utility import role_name

        name = stmt.schemaname or role_name(stmt.authrole)
        self.truth.require("sql:create", "schema", None, name)
        if stmt.authrole:
            self.grant_to(stmt.authrole)
        self.visit(stmt.schemaElts)

    def on_CreateDomainStmt(self, stmt):
        self.define(dotted_name(stmt.domainname))
        self.visit(stmt.constraints)

    def on_AlterDomainStmt(self, stmt):
        self.alter(dotted_name(stmt.typeName))
        self.visit(stmt.def_)

    def on_CreateEnumStmt(self, stmt):
        self.define(dotted_name(stmt.typeName))

    def on_AlterEnumStmt(self, stmt):
        self.alter(dotted_name(stmt.typeName))

    def on_CompositeTypeStmt(self, stmt):
        self.define(dotted_name(stmt.typevar))

    def on_CreateRangeStmt(self, stmt):
        self.define(dotted_name(stmt.typeName))

    def on_AlterTypeStmt(self, stmt):
        self.alter(dotted_name(stmt.typeName))

    def on_DefineStmt(self, stmt):
        names = strings(stmt.defnames)
        if stmt.kind == O.OBJECT_AGGREGATE:
            self.truth.require("sql:create", "function", *split_name(names))
        else:
            self.define(".".join(names[-2:]))

    def on_AlterFunctionStmt(self, stmt):
        self.touch("sql:alter", O.OBJECT_FUNCTION, stmt.func)

    def on_AlterOperatorStmt(self, stmt):
        self.touch("sql:alter", O.OBJECT_OPERATOR, stmt.opername)

    def on_CreateOpClassStmt(self, stmt):
        self.define(dotted_name(stmt.opclassname))

    def on_CreateOpFamilyStmt(self, stmt):
        self.define(dotted_name(stmt.opfamilyname))

    def on_AlterOpFamilyStmt(self, stmt):
        self.alter(dotted_name(stmt.opfamilyname))

    def on_CreateCastStmt(self, _):
        self.truth.require("sql:create", "cast")

    def on_CreateTransformStmt(self, _):
        self.truth.require("sql:create", "transform")

    def on_CreateConversionStmt(self, stmt):
        self.define(dotted_name(stmt.conversion_name))

    def on_AlterCollationStmt(self, stmt):
        self.alter(dotted_name(stmt.collname))

    def on_AlterTSDictionaryStmt(self, stmt):
        self.alter(dotted_name(stmt.dictname))

    def on_AlterTSConfigurationStmt(self, stmt):
        self.alter(dotted_name(stmt.cfgname))

    def on_AlterStatsStmt(self, stmt):
        self.alter(dotted_name(stmt.defnames))

    # Extensions, servers, languages

    def on_CreateExtensionStmt(self, stmt):
        self.define(stmt.extname)

    def on_AlterExtensionStmt(self, stmt):
        self.alter(stmt.extname)

    def on_AlterExtensionContentsStmt(self, stmt):
        self.alter(stmt.extname)
        self.touch("sql:alter", stmt.objtype, stmt.object)

    def on_CreateFdwStmt(self, stmt):
        self.define(stmt.fdwname)

    def on_AlterFdwStmt(self, stmt):
        self.alter(stmt.fdwname)

    def on_CreateForeignServerStmt(self, stmt):
        self.define(stmt.servername)

    def on_AlterForeignServerStmt(self, stmt):
        self.alter(stmt.servername)

    def on_ImportForeignSchemaStmt(self, stmt):
        self.truth.require("sql:create", "schema", None, stmt.local_schema)
        self.truth.allow("sql:create")

    def on_CreatePLangStmt(self, stmt):
        self.define(stmt.plname)

    def on_CreateAmStmt(self, stmt):
        self.define(stmt.amname)

    def on_AlterEventTrigStmt(self, stmt):
        self.alter(stmt.trigname)

    def on_CreatePolicyStmt(self, stmt):
        self.define(stmt.policy_name)
        self.relation("sql:alter", stmt.table)
        self.visit(stmt.qual)
        self.visit(stmt.with_check)

    def on_AlterPolicyStmt(self, stmt):
        self.alter(stmt.policy_name)
        self.relation("sql:alter", stmt.table)
        self.visit(stmt.qual)
        self.visit(stmt.with_check)

    # Replication

    def on_CreatePublicationStmt(self, stmt):
        self.define(stmt.pubname)
        self.published(stmt)

    def on_AlterPublicationStmt(self, stmt):
        self.alter(stmt.pubname)
        self.published(stmt)

    def published(self, stmt):
        kinds = enums.PublicationObjSpecType
        if stmt.for_all_tables:
            self.truth.require("sql:select", "database", None, "")
        for spec in stmt.pubobjects or ():
            if spec.pubobjtype == kinds.PUBLICATIONOBJ_TABLE:
                self.relation("sql:select", spec.pubtable.relation)
                self.visit(spec.pubtable.whereClause)
            elif spec.pubobjtype == kinds.PUBLICATIONOBJ_TABLES_IN_SCHEMA:
                self.truth.require("sql:select", "schema", None, spec.name)

    def on_CreateSubscriptionStmt(self, stmt):
        self.define(stmt.subname)

    def on_AlterSubscriptionStmt(self, stmt):
        self.alter(stmt.subname)

    def on_DropSubscriptionStmt(self, stmt):
        self.truth.require("sql:drop", ANY, ANY, stmt.subname)
