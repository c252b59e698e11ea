//! Roles, the server itself and the catalogue written to.

use expect_test::expect;

use super::super::check_all;

#[test]
fn roles_change_in_every_spelling() {
    check_all(
        &[
            "set role admin",
            "set local role 'admin'",
            "set session role none",
            "set role = x",
            "SET ROLE TO DEFAULT",
            "set \"role\" to admin",
            "set \"ROLE\" = admin",
            "reset role",
            "set session authorization bob",
            "set local session authorization bob",
            "set session session authorization default",
            "set session_authorization = bob",
            "reset session authorization",
            "select set_config('role', 'admin', false)",
            "select pg_catalog.set_config('ROLE', $1, true)",
            "select \"set_config\"(E'r\\x6fle', 'x', true)",
            "select set_config('ro' || 'le', 'admin', false)",
            "select set_config(setting_name => 'role', new_value => 'x', is_local => true)",
            "select set_config('search_path', '', false)",
            "select set_config($1, $2, false)",
            "select public.set_config('role', 'x', false)",
            "set role.x = 1",
            "discard all",
        ],
        expect![[r#"
            set role admin
              set-role: set-role role admin
            set local role 'admin'
              set-role: set-role role admin
            set session role none
              set-role: set-role role none
            set role = x
              set-role: set-role role x
            SET ROLE TO DEFAULT
              set-role: set-role role default
            set "role" to admin
              set-role: set-role role admin
            set "ROLE" = admin
              set-role: set-role role admin
            reset role
              set-role: set-role database
            set session authorization bob
              set-role: set-role role bob
            set local session authorization bob
              set-role: set-role role bob
            set session session authorization default
              set-role: set-role role default
            set session_authorization = bob
              set-role: set-role role bob
            reset session authorization
              set-role: set-role database
            select set_config('role', 'admin', false)
              set-role: set-role role admin | calls set_config
            select pg_catalog.set_config('ROLE', $1, true)
              set-role: set-role database | calls pg_catalog.set_config
            select "set_config"(E'r\x6fle', 'x', true)
              set-role: set-role role x | calls set_config
            select set_config('ro' || 'le', 'admin', false)
              set-role: set database, set-role database | calls set_config | dynamic
            select set_config(setting_name => 'role', new_value => 'x', is_local => true)
              set-role: set database, set-role database | calls set_config | dynamic
            select set_config('search_path', '', false)
              set: set setting search_path | calls set_config
            select set_config($1, $2, false)
              set-role: set database, set-role database | calls set_config | dynamic
            select public.set_config('role', 'x', false)
              call: call public.set_config() | calls public.set_config
            set role.x = 1
              set: set setting role.x
            discard all
              set: transaction database, set setting all | forget None
        "#]],
    );
}

#[test]
fn administration_is_named() {
    check_all(
        &[
            "do $$begin delete from t; end$$",
            "do language plpythonu 'x'",
            "copy t from program 'curl x'",
            "copy t to '/tmp/x'",
            "copy (select * from t) to program 'x'",
            "copy t (a, b) to stdout with (format csv)",
            "copy t from stdin",
            "alter system set a = b",
            "alter role r set search_path = x",
            "alter role all in database d reset all",
            "create role r in role admin, x",
            "create user u superuser password 'x'",
            "drop role a, b",
            "alter group g add user u",
            "grant select on t to r",
            "grant all on all tables in schema s to public",
            "grant admin to r with admin option",
            "revoke grant option for select (a) on table s.t, u from r cascade",
            "grant execute on function f(int) to r",
            "grant set on parameter work_mem to r",
            "alter default privileges in schema s grant select on tables to r",
            "reassign owned by a to b",
            "drop owned by a",
            "load 'x'",
            "prepare transaction 'x'",
            "commit prepared 'x'",
            "vacuum full a, b",
            "analyze t (a)",
            "cluster t using i",
            "reindex table concurrently t",
            "reindex schema s",
            "refresh materialized view concurrently v",
            "checkpoint",
            "lock table a, b in access exclusive mode nowait",
            "select * from a, b x for update of x skip locked",
            "select * from (select * from a) x for no key update",
            "listen c",
            "notify c, 'x'",
            "unlisten *",
            "truncate a, b cascade",
            "drop table a, s.b cascade",
            "drop function f(int), g",
            "drop trigger t on s.u",
            "comment on column s.t.c is 'x'",
            "security label for p on table t is 'x'",
            "alter extension e add table t",
            "drop database d with (force)",
        ],
        expect![[r#"
            do $$begin delete from t; end$$
              do: do database | dynamic
            do language plpythonu 'x'
              do: do database | dynamic
            copy t from program 'curl x'
              server-file: insert t, server-file database
            copy t to '/tmp/x'
              server-file: select t, server-file database
            copy (select * from t) to program 'x'
              server-file: select t, server-file database
            copy t (a, b) to stdout with (format csv)
              copy-out: select t, copy-out t
            copy t from stdin
              copy-in: insert t, copy-in t
            alter system set a = b
              administer: administer setting a
            alter role r set search_path = x
              role: role role r
            alter role all in database d reset all
              role: role role all
            create role r in role admin, x
              role: role role admin, role role r, role role x
            create user u superuser password 'x'
              role: role role u
            drop role a, b
              role: role role a, role role b
            alter group g add user u
              role: role role g, role role u
            grant select on t to r
              grant: grant t, grant role r
            grant all on all tables in schema s to public
              grant: grant schema s, grant role public
            grant admin to r with admin option
              grant: grant role admin, grant role r
            revoke grant option for select (a) on table s.t, u from r cascade
              grant: grant u, grant s.t, grant role r
            grant execute on function f(int) to r
              grant: grant f(), grant role r
            grant set on parameter work_mem to r
              grant: grant setting work_mem, grant role r
            alter default privileges in schema s grant select on tables to r
              grant: grant database, grant schema s, grant role r
            reassign owned by a to b
              grant: grant role a, grant role b
            drop owned by a
              drop: drop database, drop role a
            load 'x'
              administer: administer database
            prepare transaction 'x'
              administer: administer database
            commit prepared 'x'
              administer: administer database
            vacuum full a, b
              maintain: maintain a, maintain b
            analyze t (a)
              maintain: maintain t
            cluster t using i
              maintain: maintain i, maintain t
            reindex table concurrently t
              maintain: maintain t
            reindex schema s
              maintain: maintain schema s
            refresh materialized view concurrently v
              maintain: maintain v
            checkpoint
              maintain: maintain database
            lock table a, b in access exclusive mode nowait
              lock: lock a, lock b
            select * from a, b x for update of x skip locked
              lock: select a, select b, lock b
            select * from (select * from a) x for no key update
              lock: select a, lock a
            listen c
              listen: listen channel c
            notify c, 'x'
              notify: notify channel c
            unlisten *
              transaction: transaction database
            truncate a, b cascade
              truncate: truncate database, truncate a, truncate b
            drop table a, s.b cascade
              drop: drop database, drop a, drop s.b
            drop function f(int), g
              drop: drop f(), drop g()
            drop trigger t on s.u
              drop: alter s.u, drop trigger t
            comment on column s.t.c is 'x'
              alter: alter s.t
            security label for p on table t is 'x'
              alter: alter t
            alter extension e add table t
              alter: alter t, alter extension e
            drop database d with (force)
              drop: drop database d
        "#]],
    );
}

#[test]
fn no_setting_of_a_row_is_known_but_the_one_of_pg_dump() {
    check_all(
        &[
            "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'admin', false) from pg_settings where name = 'ROLE'",
            "select set_config(name, 'x', false) from pg_settings where name = 'work_mem'",
            "select set_config(name, 'x', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' or true",
            "select set_config(name, 'view', false) from pg_settings where name <> 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from pg_settings where name = $1",
            "select set_config(name, 'view', false) from s.pg_settings where name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from t where name = 'restrict_nonsystem_relation_kind'",
            "select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' union table t",
            "prepare p as select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'",
        ],
        expect![[r#"
            SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
              set: select pg_settings, set setting restrict_nonsystem_relation_kind | calls set_config
            select set_config(name, 'admin', false) from pg_settings where name = 'ROLE'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'x', false) from pg_settings where name = 'work_mem'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'x', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' or true
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name <> 'restrict_nonsystem_relation_kind'
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name = $1
              set-role: select pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from s.pg_settings where name = 'restrict_nonsystem_relation_kind'
              set-role: select s.pg_settings, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from t where name = 'restrict_nonsystem_relation_kind'
              set-role: select t, set database, set-role database | calls set_config | dynamic
            select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind' union table t
              set-role: select pg_settings, select t, set database, set-role database | calls set_config | dynamic
            prepare p as select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'
              set: select pg_settings, set setting restrict_nonsystem_relation_kind | calls set_config | prepare p
        "#]],
    );
}

#[test]
fn writing_to_the_catalogue_is_more_than_writing_rows() {
    check_all(
        &[
            "update pg_settings set setting = 'admin' where name = 'role'",
            "update pg_catalog.pg_settings s set setting = 'off' from t where s.name = t.name",
            "with x as (update only pg_settings set setting = 'off' where true) select 1",
            "prepare p as update pg_settings set setting = $1 where name = $2",
            "update public.pg_settings set setting = 'x' where true",
            "update pg_attribute set attname = 'city2' where attname = 'ssn'",
            "insert into pg_auth_members select * from t",
            "delete from pg_catalog.pg_policy where true",
            "merge into pg_class c using t on c.oid = t.a when matched then update set relname = 'x'",
            "select * from pg_settings for update",
            "with pg_class as (select 1) select * from pg_class",
        ],
        expect![[r#"
            update pg_settings set setting = 'admin' where name = 'role'
              set-role: set database, update pg_settings, set-role database | dynamic
            update pg_catalog.pg_settings s set setting = 'off' from t where s.name = t.name
              set-role: select t, set database, update pg_catalog.pg_settings, set-role database | dynamic
            with x as (update only pg_settings set setting = 'off' where true) select 1
              set-role: set database, update pg_settings, set-role database | dynamic | clean [true]
            prepare p as update pg_settings set setting = $1 where name = $2
              set-role: set database, update pg_settings, set-role database | dynamic | prepare p
            update public.pg_settings set setting = 'x' where true
              update: update public.pg_settings
            update pg_attribute set attname = 'city2' where attname = 'ssn'
              alter: update pg_attribute, alter pg_attribute
            insert into pg_auth_members select * from t
              alter: select t, insert pg_auth_members, alter pg_auth_members
            delete from pg_catalog.pg_policy where true
              alter: delete pg_catalog.pg_policy, alter pg_catalog.pg_policy
            merge into pg_class c using t on c.oid = t.a when matched then update set relname = 'x'
              alter: select t, update pg_class, merge pg_class, alter pg_class
            select * from pg_settings for update
              lock: select pg_settings, lock pg_settings
            with pg_class as (select 1) select * from pg_class
              select: select database
        "#]],
    );
}
