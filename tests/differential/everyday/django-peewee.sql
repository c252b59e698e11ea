SELECT set_config('TimeZone', 'UTC', false)
---
SELECT oid, typarray FROM pg_type WHERE typname = 'hstore'
---
SELECT
                c.relname,
                CASE
                    WHEN c.relispartition THEN 'p'
                    WHEN c.relkind IN ('m', 'v') THEN 'v'
                    ELSE 't'
                END,
                obj_description(c.oid, 'pg_class')
            FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid)
---
SELECT "django_migrations"."id", "django_migrations"."app", "django_migrations"."name", "django_migrations"."applied" FROM "django_migrations"
---
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE "django_content_type"."app_label" = 'auth'
---
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'auth' AND "django_content_type"."model" IN ('user', 'group', 'permission'))
---
SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (1, 2, 3) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC
---
SELECT a1.attname, c2.relname, a2.attname
            FROM pg_constraint con
            LEFT JOIN pg_class c1 ON con.conrelid = c1.oid
            LEFT JOIN pg_class c2 ON con.confrelid = c2.oid
            LEFT JOIN
                pg_attribute a1 ON c1.oid = a1.attrelid AND a1.attnum = con.conkey[1]
            LEFT JOIN
                pg_attribute a2 ON c2.oid = a2.attrelid AND a2.attnum = con.confkey[1]
            WHERE
                c1.relname = 'auth_group' AND
                con.contype = 'f' AND
                c1.relnamespace = c2.relnamespace AND
                pg_catalog.pg_table_is_visible(c1.oid)
---
SELECT
                c.conname,
                array(
                    SELECT attname
                    FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
                    JOIN pg_attribute AS ca ON cols.colid = ca.attnum
                    WHERE ca.attrelid = c.conrelid
                    ORDER BY cols.arridx
                ),
                c.contype,
                (SELECT fkc.relname || '.' || fka.attname
                FROM pg_attribute AS fka
                JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
                WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
                cl.reloptions
            FROM pg_constraint AS c
            JOIN pg_class AS cl ON c.conrelid = cl.oid
            WHERE cl.relname = 'auth_group' AND pg_catalog.pg_table_is_visible(cl.oid)
---
SELECT
                indexname,
                array_agg(attname ORDER BY arridx),
                indisunique,
                indisprimary,
                array_agg(ordering ORDER BY arridx),
                amname,
                exprdef,
                s2.attoptions
            FROM (
                SELECT
                    c2.relname as indexname, idx.*, attr.attname, am.amname,
                    CASE
                        WHEN idx.indexprs IS NOT NULL THEN
                            pg_get_indexdef(idx.indexrelid)
                    END AS exprdef,
                    CASE am.amname
                        WHEN 'btree' THEN
                            CASE (option & 1)
                                WHEN 1 THEN 'DESC' ELSE 'ASC'
                            END
                    END as ordering,
                    c2.reloptions as attoptions
                FROM (
                    SELECT *
                    FROM
                        pg_index i,
                        unnest(i.indkey, i.indoption)
                            WITH ORDINALITY koi(key, option, arridx)
                ) idx
                LEFT JOIN pg_class c ON idx.indrelid = c.oid
                LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid
                LEFT JOIN pg_am am ON c2.relam = am.oid
                LEFT JOIN
                    pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key
                WHERE c.relname = 'auth_group' AND pg_catalog.pg_table_is_visible(c.oid)
            ) s2
            GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;
---
SELECT
                a.attname AS column_name,
                NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
                pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
                CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation,
                a.attidentity != '' AS is_autofield,
                col_description(a.attrelid, a.attnum) AS column_comment
            FROM pg_attribute a
            LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
            LEFT JOIN pg_collation co ON a.attcollation = co.oid
            JOIN pg_type t ON a.atttypid = t.oid
            JOIN pg_class c ON a.attrelid = c.oid
            JOIN pg_namespace n ON c.relnamespace = n.oid
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND c.relname = 'auth_group'
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid)
---
SELECT * FROM "auth_group" LIMIT 1
---
SELECT * FROM "auth_group_permissions" LIMIT 1
---
SELECT * FROM "auth_permission" LIMIT 1
---
SELECT * FROM "auth_user" LIMIT 1
---
SELECT * FROM "auth_user_groups" LIMIT 1
---
SELECT * FROM "auth_user_user_permissions" LIMIT 1
---
SELECT * FROM "django_admin_log" LIMIT 1
---
SELECT * FROM "django_content_type" LIMIT 1
---
SELECT * FROM "django_migrations" LIMIT 1
---
SELECT * FROM "django_session" LIMIT 1
---
SELECT * FROM "pgbench_history" LIMIT 1
---
SELECT * FROM "pgbench_tellers" LIMIT 1
---
SELECT * FROM "to_item" LIMIT 1
---
SELECT * FROM "to_user" LIMIT 1
---
INSERT INTO "auth_user" ("password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined") VALUES ('pbkdf2_sha256$1000000$Axrq2mBoWeZel3Hhf79eRZ$iNY/mZvt6kpqT9ePnRnCKdUqWpFY9RH6AjSAtWzRI4s=', NULL, false, 'a1795459973.523089', '', '', 'a@b.c', false, true, '2026-11-23 18:52:53.523219+00:00'::timestamptz) RETURNING "auth_user"."id"
---
SELECT "auth_group"."id", "auth_group"."name" FROM "auth_group" WHERE "auth_group"."name" = 'g' LIMIT 21
---
BEGIN
---
INSERT INTO "auth_user_groups" ("user_id", "group_id") VALUES (6, 1) ON CONFLICT DO NOTHING
---
COMMIT
---
SELECT "auth_permission"."id", "auth_permission"."name", "auth_permission"."content_type_id", "auth_permission"."codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, "auth_permission"."codename" ASC LIMIT 3
---
SELECT "auth_permission"."id" AS "id" FROM "auth_permission" INNER JOIN "auth_user_user_permissions" ON ("auth_permission"."id" = "auth_user_user_permissions"."permission_id") INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_user_user_permissions"."user_id" = 6 ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, "auth_permission"."codename" ASC
---
INSERT INTO "auth_user_user_permissions" ("user_id", "permission_id") SELECT * FROM UNNEST(('{6,6,6}'::int2[])::integer[], ('{21,22,23}'::int2[])::integer[]) ON CONFLICT DO NOTHING
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE ((UPPER("auth_user"."username"::text) LIKE UPPER('%a%') OR NOT ("auth_user"."email"::text ~ 'x')) AND "auth_user"."date_joined" >= '2000-01-01 00:00:00-06:00'::timestamptz AND NOT (EXISTS(SELECT 1 AS "a" FROM "auth_user_groups" U1 INNER JOIN "auth_group" U2 ON (U1."group_id" = U2."id") WHERE (U2."name" = 'q' AND U1."user_id" = ("auth_user"."id")) LIMIT 1))) ORDER BY "auth_user"."id" DESC LIMIT 5
---
SELECT ("auth_user_groups"."user_id") AS "_prefetch_related_val_user_id", "auth_group"."id", "auth_group"."name" FROM "auth_group" INNER JOIN "auth_user_groups" ON ("auth_group"."id" = "auth_user_groups"."group_id") WHERE "auth_user_groups"."user_id" IN (6, 5, 1)
---
SELECT ("auth_group_permissions"."group_id") AS "_prefetch_related_val_group_id", "auth_permission"."id", "auth_permission"."name", "auth_permission"."content_type_id", "auth_permission"."codename" FROM "auth_permission" INNER JOIN "auth_group_permissions" ON ("auth_permission"."id" = "auth_group_permissions"."permission_id") INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_group_permissions"."group_id" IN (1) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, "auth_permission"."codename" ASC
---
SELECT COUNT(*) FROM (SELECT LOWER("auth_user"."username") AS "l", ROW_NUMBER() OVER (ORDER BY "auth_user"."id" ASC) AS "r" FROM "auth_user" LEFT OUTER JOIN "auth_user_groups" ON ("auth_user"."id" = "auth_user_groups"."user_id") LEFT OUTER JOIN "auth_user_user_permissions" ON ("auth_user"."id" = "auth_user_user_permissions"."user_id") GROUP BY "auth_user"."id", 1) subquery
---
SELECT "auth_user"."username" AS "username", COUNT("auth_user_groups"."group_id") AS "n" FROM "auth_user" LEFT OUTER JOIN "auth_user_groups" ON ("auth_user"."id" = "auth_user_groups"."user_id") GROUP BY "auth_user"."id" HAVING COUNT("auth_user_groups"."group_id") > 0
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined", (SELECT U0."name" AS "name" FROM "auth_group" U0 INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id") WHERE U1."user_id" = ("auth_user"."id") LIMIT 1) AS "s" FROM "auth_user" WHERE EXISTS(SELECT 1 AS "a" FROM "auth_group" U0 INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id") WHERE U1."user_id" = ("auth_user"."id") LIMIT 1)
---
UPDATE "auth_user" SET "first_name" = (COALESCE("auth_user"."username", '') || COALESCE('x', '')), "last_login" = STATEMENT_TIMESTAMP() WHERE "auth_user"."id" = 6
---
INSERT INTO "auth_user" ("password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined") SELECT * FROM UNNEST(('{"","",""}')::varchar[], ('{NULL,NULL,NULL}')::timestamp with time zone[], ('{f,f,f}'::bool[])::boolean[], ('{b1795459973.78208730,b1795459973.78220441,b1795459973.78221562}')::varchar[], ('{"","",""}')::varchar[], ('{"","",""}')::varchar[], ('{"","",""}')::varchar[], ('{f,f,f}'::bool[])::boolean[], ('{t,t,t}'::bool[])::boolean[], ('{"2026-11-23 18:52:53.782195+00:00","2026-11-23 18:52:53.782213+00:00","2026-11-23 18:52:53.782222+00:00"}'::timestamptz[])::timestamp with time zone[]) ON CONFLICT DO NOTHING
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" LIMIT 2
---
UPDATE "auth_user" SET "email" = (CASE WHEN ("auth_user"."id" = 1) THEN 'a@b.c' WHEN ("auth_user"."id" = 5) THEN 'q' ELSE NULL END)::varchar(254) WHERE "auth_user"."id" IN (1, 5)
---
INSERT INTO "auth_user" ("password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined") VALUES ('', NULL, false, 'zz', '', '', '', false, true, '2026-11-23 18:52:53.788812+00:00'::timestamptz) ON CONFLICT("username") DO UPDATE SET "email" = EXCLUDED."email" RETURNING "auth_user"."id"
---
SELECT AVG("auth_user"."id") AS "x", SUM("auth_user"."id") AS "y", STDDEV_POP("auth_user"."id") AS "z" FROM "auth_user"
---
SELECT DISTINCT ON ("auth_user"."email") "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" ORDER BY "auth_user"."email" ASC LIMIT 1
---
SELECT DISTINCT DATE_TRUNC('month', "auth_user"."date_joined" AT TIME ZONE 'America/Chicago') AS "datefield" FROM "auth_user" WHERE "auth_user"."date_joined" IS NOT NULL ORDER BY 1 ASC
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" FOR UPDATE OF "auth_user" SKIP LOCKED
---
SAVEPOINT "s140240545602432_x1"
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."username" = 'zz' LIMIT 21
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."username" = 'zz' LIMIT 21 FOR UPDATE
---
UPDATE "auth_user" SET "last_login" = NULL, "email" = 'q', "date_joined" = '2026-11-23 18:52:02.269377+00:00'::timestamptz WHERE "auth_user"."id" = 5
---
RELEASE SAVEPOINT "s140240545602432_x2"
---
(SELECT "auth_user"."id" AS "col1", "auth_user"."password" AS "col2", "auth_user"."last_login" AS "col3", "auth_user"."is_superuser" AS "col4", "auth_user"."username" AS "col5", "auth_user"."first_name" AS "col6", "auth_user"."last_name" AS "col7", "auth_user"."email" AS "col8", "auth_user"."is_staff" AS "col9", "auth_user"."is_active" AS "col10", "auth_user"."date_joined" AS "col11" FROM "auth_user") UNION (SELECT "auth_user"."id" AS "col1", "auth_user"."password" AS "col2", "auth_user"."last_login" AS "col3", "auth_user"."is_superuser" AS "col4", "auth_user"."username" AS "col5", "auth_user"."first_name" AS "col6", "auth_user"."last_name" AS "col7", "auth_user"."email" AS "col8", "auth_user"."is_staff" AS "col9", "auth_user"."is_active" AS "col10", "auth_user"."date_joined" AS "col11" FROM "auth_user" WHERE "auth_user"."id" = 1) ORDER BY "col1" ASC
---
(SELECT "auth_user"."email" AS "email" FROM "auth_user") UNION ALL (SELECT "auth_user"."username" AS "username" FROM "auth_user")
---
DECLARE "_django_curs_140240545602432_sync_1" NO SCROLL CURSOR WITH HOLD FOR SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined", CASE WHEN "auth_user"."id" > 1 THEN 'x' ELSE 'y' END AS "c" FROM "auth_user" ORDER BY 12 ASC
---
FETCH FORWARD 2 FROM "_django_curs_140240545602432_sync_1"
---
CLOSE "_django_curs_140240545602432_sync_1"
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."username"::text LIKE 'b%'
---
DELETE FROM "auth_user_groups" WHERE "auth_user_groups"."user_id" IN (7, 8, 9)
---
DELETE FROM "auth_user_user_permissions" WHERE "auth_user_user_permissions"."user_id" IN (7, 8, 9)
---
DELETE FROM "django_admin_log" WHERE "django_admin_log"."user_id" IN (7, 8, 9)
---
DELETE FROM "auth_user" WHERE "auth_user"."id" IN (9, 8, 7)
---
select 1 as id
---
EXPLAIN (ANALYZE true) SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."id" = 1
---
SELECT ARRAY_AGG("auth_user"."id" ORDER BY "auth_user"."id" DESC) AS "x", STRING_AGG("auth_user"."username", ',' ) AS "y" FROM "auth_user"
---
SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined", to_tsvector(COALESCE("auth_user"."username", '')) AS "v", ts_rank(to_tsvector(COALESCE("auth_user"."username", '')), plainto_tsquery('a')) AS "q" FROM "auth_user" WHERE to_tsvector(COALESCE("auth_user"."username", '')) @@ (plainto_tsquery('a'))
---
TRUNCATE "django_admin_log", "django_content_type", "auth_user", "auth_group", "auth_user_user_permissions", "auth_group_permissions", "django_session", "auth_permission", "auth_user_groups" RESTART IDENTITY;
---
INSERT INTO "django_content_type" ("app_label", "model") SELECT * FROM UNNEST(('{auth,auth,auth}')::varchar[], ('{permission,group,user}')::varchar[]) RETURNING "django_content_type"."id"
---
INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add permission","Can change permission","Can delete permission","Can view permission","Can add group","Can change group","Can delete group","Can view group","Can add user","Can change user","Can delete user","Can view user"}')::varchar[], ('{1,1,1,1,2,2,2,2,3,3,3,3}'::int2[])::integer[], ('{add_permission,change_permission,delete_permission,view_permission,add_group,change_group,delete_group,view_group,add_user,change_user,delete_user,view_user}')::varchar[]) RETURNING "auth_permission"."id"
---
INSERT INTO "django_content_type" ("app_label", "model") VALUES ('contenttypes', 'contenttype') RETURNING "django_content_type"."id"
---
CREATE TABLE "x_m" ("id" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, "a" varchar(10) NOT NULL, "b" jsonb NOT NULL, "c" integer GENERATED ALWAYS AS (("id" + 1)) STORED)
---
COMMENT ON TABLE "x_m" IS 'c'
---
ALTER TABLE "x_m" ALTER COLUMN "a" TYPE varchar(20), ALTER COLUMN "a" DROP NOT NULL
---
COMMENT ON COLUMN "x_m"."a" IS 'z'
---
ALTER TABLE "x_m" ADD COLUMN "n" integer DEFAULT 1 NOT NULL
---
ALTER TABLE "x_m" ALTER COLUMN "n" DROP DEFAULT
---
ALTER TABLE "x_m" DROP COLUMN "n" CASCADE
---
DROP TABLE "x_m" CASCADE
---
SELECT
                s.relname AS sequence_name,
                a.attname AS colname
            FROM
                pg_class s
                JOIN pg_depend d ON d.objid = s.oid
                    AND d.classid = 'pg_class'::regclass
                    AND d.refclassid = 'pg_class'::regclass
                JOIN pg_attribute a ON d.refobjid = a.attrelid
                    AND d.refobjsubid = a.attnum
                JOIN pg_class tbl ON tbl.oid = d.refobjid
                    AND tbl.relname = 'auth_user'
                    AND pg_catalog.pg_table_is_visible(tbl.oid)
            WHERE
                s.relkind = 'S';
---
SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = COALESCE('shop', current_schema()) ORDER BY tablename
---
SELECT c.column_name, c.is_nullable, c.data_type,
                c.column_default,
                pg_catalog.format_type(a.atttypid, a.atttypmod),
                c.is_identity
            FROM information_schema.columns AS c
            INNER JOIN pg_catalog.pg_namespace AS n
                ON (n.nspname = c.table_schema)
            INNER JOIN pg_catalog.pg_class AS t
                ON (t.relname = c.table_name AND t.relnamespace = n.oid)
            INNER JOIN pg_catalog.pg_attribute AS a
                ON (a.attrelid = t.oid AND a.attname = c.column_name)
            WHERE c.table_name = 'child'
                AND c.table_schema = COALESCE('shop', current_schema())
                AND NOT a.attisdropped
            ORDER BY c.ordinal_position
---
SELECT kc.column_name
            FROM information_schema.table_constraints AS tc
            INNER JOIN information_schema.key_column_usage AS kc ON (
                tc.table_name = kc.table_name AND
                tc.table_schema = kc.table_schema AND
                tc.constraint_name = kc.constraint_name)
            WHERE
                tc.constraint_type = 'PRIMARY KEY' AND
                tc.table_name = 'child' AND
                tc.table_schema = COALESCE('shop', current_schema())
            ORDER BY kc.ordinal_position
---
SELECT
                i.relname, idxs.indexdef, idx.indisunique,
                ARRAY(
                    SELECT pg_get_indexdef(idx.indexrelid, k + 1, TRUE)
                    FROM generate_subscripts(idx.indkey, 1) AS k
                    ORDER BY k)
            FROM pg_catalog.pg_class AS t
            INNER JOIN pg_catalog.pg_namespace AS n ON t.relnamespace = n.oid
            INNER JOIN pg_catalog.pg_index AS idx ON t.oid = idx.indrelid
            INNER JOIN pg_catalog.pg_class AS i ON idx.indexrelid = i.oid
            INNER JOIN pg_catalog.pg_indexes AS idxs ON (
                idxs.tablename = t.relname
                AND idxs.indexname = i.relname
                AND idxs.schemaname = n.nspname)
            WHERE t.relname = 'child' AND t.relkind = 'r'
                AND n.nspname = COALESCE('shop', current_schema())
            ORDER BY idx.indisunique DESC, i.relname;
---
SELECT DISTINCT
                kcu.column_name, ccu.table_name, ccu.column_name,
                tc.constraint_name, rc.delete_rule, rc.update_rule
            FROM information_schema.table_constraints AS tc
            JOIN information_schema.key_column_usage AS kcu
                ON (tc.constraint_name = kcu.constraint_name AND
                    tc.constraint_schema = kcu.constraint_schema AND
                    tc.table_name = kcu.table_name AND
                    tc.table_schema = kcu.table_schema)
            JOIN information_schema.constraint_column_usage AS ccu
                ON (ccu.constraint_name = tc.constraint_name AND
                    ccu.constraint_schema = tc.constraint_schema)
            JOIN information_schema.referential_constraints AS rc
                ON (rc.constraint_name = tc.constraint_name AND
                    rc.constraint_schema = tc.constraint_schema)
            WHERE
                tc.constraint_type = 'FOREIGN KEY' AND
                tc.table_name = 'child' AND
                tc.table_schema = COALESCE('shop', current_schema())
---
SELECT viewname, definition FROM pg_catalog.pg_views WHERE schemaname = COALESCE('shop', current_schema()) ORDER BY viewname
---
CREATE TABLE IF NOT EXISTS "pm" ("id" SERIAL NOT NULL PRIMARY KEY, "a" VARCHAR(255) NOT NULL, "b" INTEGER)
---
CREATE UNIQUE INDEX IF NOT EXISTS "pm_a" ON "pm" ("a")
---
CREATE INDEX IF NOT EXISTS "pm_b" ON "pm" ("b")
---
INSERT INTO "pm" ("a", "b") VALUES ('x', 1) RETURNING "pm"."id"
---
INSERT INTO "pm" ("a") VALUES ('y'), ('z') ON CONFLICT ("a") DO UPDATE SET "b" = EXCLUDED."b" RETURNING "pm"."id"
---
SELECT "t1"."id", "t1"."a", "t1"."b" FROM "pm" AS "t1" WHERE (("t1"."a" IN ('x', 'y')) AND ("t1"."b" IS NOT NULL)) ORDER BY "t1"."b" LIMIT 10 OFFSET 0
---
UPDATE "pm" SET "b" = ("pm"."b" + 1) WHERE ("pm"."a" = 'x') RETURNING "pm"."id", "pm"."a", "pm"."b"
---
SELECT "t1"."id", "t1"."a", "t1"."b" FROM "pm" AS "t1" WHERE ("t1"."a" = 'q') LIMIT 1 OFFSET 0
---
INSERT INTO "pm" ("a") VALUES ('q') RETURNING "pm"."id"
---
DELETE FROM "pm" WHERE ("pm"."a" = 'x')
---
SELECT COUNT("t1"."id") FROM "pm" AS "t1" LIMIT 1
---
DROP TABLE IF EXISTS "pm" CASCADE
---
TRUNCATE "auth_user_user_permissions", "auth_group", "auth_permission", "auth_user_groups", "auth_user", "django_session", "django_content_type", "auth_group_permissions", "django_admin_log" RESTART IDENTITY;
