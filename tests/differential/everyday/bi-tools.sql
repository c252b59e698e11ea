-- Metabase ran this query. Metabase:: userID: 1 queryType: MBQL queryHash: 8f2a
SELECT "public"."orders"."id" AS "id", "public"."orders"."total" AS "total", "Customers"."email" AS "Customers__email" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers" ON "public"."orders"."customer" = "Customers"."id" WHERE ("public"."orders"."created_at" >= CAST((NOW() + INTERVAL '-30 day') AS date) AND "public"."orders"."created_at" < CAST(NOW() AS date)) ORDER BY "public"."orders"."id" ASC LIMIT 1048575
---
SELECT DATE_TRUNC('month', "source"."created_at") AS "created_at", SUM("source"."total") AS "sum", COUNT(*) AS "count" FROM (SELECT "public"."orders"."created_at" AS "created_at", "public"."orders"."total" AS "total", CASE WHEN "public"."orders"."state" = 'paid' THEN 1 ELSE 0.0 END AS "paid" FROM "public"."orders") AS "source" WHERE "source"."total" > 0 GROUP BY DATE_TRUNC('month', "source"."created_at") ORDER BY DATE_TRUNC('month', "source"."created_at") ASC
---
SELECT CAST(EXTRACT(isodow FROM "public"."orders"."created_at" AT TIME ZONE 'UTC') AS integer) AS "d", percentile_cont(0.5) within group (order by "public"."orders"."total") AS "median", stddev_samp("public"."orders"."total") AS "s", FLOOR((("public"."orders"."total" - 0.0) / 25.0)) * 25.0 + 0.0 AS "bin" FROM "public"."orders" GROUP BY 1, 4 ORDER BY 1 ASC, 4 ASC LIMIT 2000
---
SELECT substring("public"."customers"."name" FROM 1 FOR 1234) AS "substring1", "public"."customers"."id" FROM "public"."customers" LIMIT 10000
---
with table_privileges as (
   select NULL as role, t.schemaname as schema, t.objectname as table,
     pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'update') as update,
     pg_catalog.has_table_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'DELETE') as delete
   from (
     select schemaname, tablename as objectname from pg_catalog.pg_tables
     union
     select schemaname, viewname as objectname from pg_views
     union
     select schemaname, matviewname as objectname from pg_matviews
   ) t
   where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')
)
select t.* from (select * from table_privileges) t
---
SELECT "c"."column_name" AS "name", CASE WHEN "c"."udt_schema" IN ('public', 'pg_catalog') THEN FORMAT('%s', "c"."udt_name") ELSE FORMAT('"%s"."%s"', "c"."udt_schema", "c"."udt_name") END AS "database-type", "c"."ordinal_position" - 1 AS "database-position", "c"."table_schema" AS "table-schema", "c"."table_name" AS "table-name", "pk"."column_name" IS NOT NULL AS "pk?", COL_DESCRIPTION(CAST(CAST(FORMAT('%I.%I', CAST("c"."table_schema" AS TEXT), CAST("c"."table_name" AS TEXT)) AS REGCLASS) AS OID), "c"."ordinal_position") AS "field-comment", (("column_default" IS NULL) OR (LOWER("column_default") = 'null')) AND ("is_nullable" = 'NO') AND NOT ((("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO')) AS "database-required", (("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO') AS "database-is-auto-increment" FROM "information_schema"."columns" AS "c" LEFT JOIN (SELECT "tc"."table_schema", "tc"."table_name", "kc"."column_name" FROM "information_schema"."table_constraints" AS "tc" INNER JOIN "information_schema"."key_column_usage" AS "kc" ON ("tc"."constraint_name" = "kc"."constraint_name") AND ("tc"."table_schema" = "kc"."table_schema") AND ("tc"."table_name" = "kc"."table_name") WHERE "tc"."constraint_type" = 'PRIMARY KEY') AS "pk" ON ("c"."table_schema" = "pk"."table_schema") AND ("c"."table_name" = "pk"."table_name") AND ("c"."column_name" = "pk"."column_name") WHERE "c"."table_schema" !~ '^information_schema|catalog_history|pg_' AND ("c"."table_schema" IN ('public')) UNION ALL SELECT "pa"."attname" AS "name", 'x', "pa"."attnum" - 1, "pn"."nspname", "pc"."relname", FALSE, NULL, FALSE, FALSE FROM "pg_catalog"."pg_class" AS "pc" INNER JOIN "pg_catalog"."pg_namespace" AS "pn" ON "pn"."oid" = "pc"."relnamespace" INNER JOIN "pg_catalog"."pg_attribute" AS "pa" ON "pa"."attrelid" = "pc"."oid" WHERE ("pc"."relkind" = 'm') AND ("pa"."attnum" >= 1) ORDER BY "table-schema" ASC, "table-name" ASC, "database-position" ASC
---
SELECT TRUE AS "_" FROM "public"."orders" WHERE 1 <> 1 LIMIT 0
---
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
---
-- Grafana
SELECT q.x AS "$__time", value FROM (SELECT 1 AS "$__time_column") q(x) WHERE false
---
SELECT floor(extract(epoch from "created_at")/300)*300 AS "time", avg(value) AS "avg", host AS metric FROM metrics WHERE "created_at" BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-02T00:00:00Z' AND host IN ('a','b') GROUP BY 1, 3 ORDER BY 1, 2
---
SELECT extract(epoch from created_at) AS time, total, lag(total) OVER (PARTITION BY customer ORDER BY created_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders WHERE created_at >= to_timestamp(1704067200) AND created_at <= to_timestamp(1704153600) ORDER BY 1
---
SELECT quote_ident(table_name) as "table" FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache') AND CASE WHEN array_length(string_to_array(current_setting('search_path'),','),1) > 1 THEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) ELSE true END
---
SELECT current_setting('server_version_num')::int/100 as version
---
select extversion from pg_extension where extname = 'timescaledb'
---
-- Tableau
BEGIN;declare "SQL_CUR0x7f8a1c" cursor with hold for SELECT "orders"."state" AS "state", SUM("orders"."total") AS "sum:total:ok" FROM "public"."orders" "orders" INNER JOIN ( SELECT "customers"."id" AS "id", COUNT(1) AS "X__alias__0" FROM "public"."customers" "customers" GROUP BY 1 HAVING (COUNT(1) > 0) ) "t0" ON ("orders"."customer" = "t0"."id") WHERE (("orders"."created_at" >= (TIMESTAMP '2023-01-01 00:00:00.000')) AND ("orders"."created_at" < (TIMESTAMP '2024-01-01 00:00:00.000'))) GROUP BY 1;fetch 10000 in "SQL_CUR0x7f8a1c"
---
close "SQL_CUR0x7f8a1c"
---
CREATE LOCAL TEMPORARY TABLE "#Tableau_1_2_Connect" ( "COL" INTEGER ) ON COMMIT PRESERVE ROWS
---
SELECT COUNT(1) AS "X__alias__0", ((CAST(TRUNC(EXTRACT(YEAR FROM "orders"."created_at")) AS INTEGER)) IN (2023, 2024)) AS "io", CAST("orders"."created_at" AS DATE) - CAST(DATE_TRUNC('WEEK', "orders"."created_at") AS DATE) AS "d", (CASE WHEN ("orders"."total" IS NULL) THEN NULL WHEN NOT ("orders"."total" IS NULL) THEN (CASE WHEN ("orders"."total" < 10) THEN 'a' ELSE 'b' END) END) AS "c" FROM "public"."orders" "orders" GROUP BY 2, 3, 4
---
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname like E'orders' and n.nspname like E'public') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum
---
set extra_float_digits = 3; set DateStyle = 'ISO'; set client_encoding = 'UTF8'; select oid, typbasetype from pg_type where typname = 'lo'; select version()
---
-- Power BI
select character_set_name from INFORMATION_SCHEMA.CHARACTER_SETS
---
select "_"."state" as "state", sum("_"."total") as "a0" from ( select "$Table"."id" as "id", "$Table"."total" as "total", "$Table"."state" as "state" from "public"."orders" "$Table" ) "_" where not "_"."total" is null and ("_"."state" = 'paid' and "_"."state" is not null) group by "_"."state" limit 1000001
---
/*** Load all supported types ***/
SELECT ns.nspname, a.typname, a.oid, a.typrelid, a.typbasetype, CASE WHEN pg_proc.proname='array_recv' THEN 'a' ELSE a.typtype END AS type, CASE WHEN pg_proc.proname='array_recv' THEN a.typelem WHEN a.typtype='r' THEN rngsubtype ELSE 0 END AS elemoid, CASE WHEN pg_proc.proname IN ('array_recv','oidvectorrecv') THEN 3 WHEN a.typtype='r' THEN 2 WHEN a.typtype='d' THEN 1 ELSE 0 END AS ord FROM pg_type AS a JOIN pg_namespace AS ns ON (ns.oid = a.typnamespace) JOIN pg_proc ON pg_proc.oid = a.typreceive LEFT OUTER JOIN pg_class AS cls ON (cls.oid = a.typrelid) LEFT OUTER JOIN pg_type AS b ON (b.oid = a.typelem) LEFT OUTER JOIN pg_class AS elemcls ON (elemcls.oid = b.typrelid) LEFT OUTER JOIN pg_range ON (pg_range.rngtypid = a.oid) WHERE a.typtype IN ('b', 'r', 'e', 'd') OR (a.typtype = 'c' AND cls.relkind='c') OR (pg_proc.proname='array_recv' AND (b.typtype IN ('b', 'r', 'e', 'd') OR (b.typtype = 'p' AND b.typname IN ('record', 'void')) OR (b.typtype = 'c' AND elemcls.relkind='c'))) OR (a.typtype = 'p' AND a.typname IN ('record', 'void')) ORDER BY ord
---
-- Looker
SELECT orders.state AS "orders.state", COALESCE(COALESCE(CAST( ( SUM(DISTINCT (CAST(FLOOR(COALESCE(orders.total ,0)*(1000000*1.0)) AS DECIMAL(65,0))) + ('x' || MD5(orders.id ::varchar))::bit(64)::bigint::DECIMAL(65) *18446744073709551616 + ('x' || SUBSTR(MD5(orders.id ::varchar),17))::bit(64)::bigint::DECIMAL(65) ) - SUM(DISTINCT ('x' || MD5(orders.id ::varchar))::bit(64)::bigint::DECIMAL(65) *18446744073709551616 + ('x' || SUBSTR(MD5(orders.id ::varchar),17))::bit(64)::bigint::DECIMAL(65)) ) AS DOUBLE PRECISION) / CAST((1000000*1.0) AS DOUBLE PRECISION), 0), 0) AS "t" FROM public.orders AS orders WHERE ((( orders.created_at ) >= ((SELECT (DATE_TRUNC('day', CURRENT_TIMESTAMP) + (-6 || ' day')::INTERVAL))) AND ( orders.created_at ) < ((SELECT ((DATE_TRUNC('day', CURRENT_TIMESTAMP) + (-6 || ' day')::INTERVAL) + (7 || ' day')::INTERVAL))))) GROUP BY 1 ORDER BY 2 DESC FETCH NEXT 500 ROWS ONLY
---
-- Superset
SELECT DATE_TRUNC('day', created_at) AS __timestamp, state AS state, count(*) AS count FROM public.orders JOIN (SELECT state AS state__, count(*) AS mme_inner__ FROM public.orders WHERE created_at >= TO_TIMESTAMP('2024-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY state ORDER BY mme_inner__ DESC LIMIT 100) AS anon_1 ON state = state__ GROUP BY state, DATE_TRUNC('day', created_at) ORDER BY count DESC LIMIT 50000
---
EXPLAIN SELECT * FROM (select 1 as a) AS virtual_table WHERE a > 0 LIMIT 1000
---
-- dbt
create  table "shop"."dbt"."orders__dbt_tmp" as ( with source as (select * from "shop"."public"."orders"), renamed as (select id as order_id, total::numeric(16,2) as amount from source) select * from renamed );
---
alter table "shop"."dbt"."orders" rename to "orders__dbt_backup"
---
alter table "shop"."dbt"."orders__dbt_tmp" rename to "orders"
---
drop table if exists "shop"."dbt"."orders__dbt_backup" cascade
---
delete from "shop"."dbt"."inc" where ( id) in ( select (id) from "inc__dbt_tmp213" ); insert into "shop"."dbt"."inc" ("id", "v") ( select "id", "v" from "inc__dbt_tmp213" )
---
/* {"app": "dbt", "dbt_version": "1.7.4", "profile_name": "p", "target_name": "dev", "node_id": "test.p.unique_orders_id.fed79b3a6e"} */ select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from ( select order_id as unique_field, count(*) as n_records from "shop"."dbt"."orders" where order_id is not null group by order_id having count(*) > 1 ) dbt_internal_test
---
merge into "inc" as DBT_INTERNAL_DEST using "inc__dbt_tmp" as DBT_INTERNAL_SOURCE on (DBT_INTERNAL_SOURCE.id = DBT_INTERNAL_DEST.id) when matched then update set "v" = DBT_INTERNAL_SOURCE."v" when not matched then insert ("id", "v") values ("id", "v")
---
-- pgAdmin
SELECT DISTINCT att.attname as name, att.attnum as OID, pg_catalog.format_type(ty.oid,NULL) AS datatype, att.attnotnull as not_null, CASE WHEN att.atthasdef OR att.attidentity != '' OR ty.typdefault IS NOT NULL THEN True ELSE False END as has_default_val, des.description, seq.seqtypid FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type ty ON ty.oid=atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid=ty.typnamespace JOIN pg_catalog.pg_class cl ON cl.oid=att.attrelid LEFT OUTER JOIN pg_catalog.pg_attrdef def ON adrelid=att.attrelid AND adnum=att.attnum LEFT OUTER JOIN (pg_catalog.pg_depend JOIN pg_catalog.pg_class cs ON classid='pg_class'::regclass AND objid=cs.oid AND cs.relkind='S') ON refobjid=att.attrelid AND refobjsubid=att.attnum LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=att.attrelid AND des.objsubid=att.attnum AND des.classoid='pg_class'::regclass) LEFT OUTER JOIN pg_catalog.pg_sequence seq ON cs.oid=seq.seqrelid WHERE att.attrelid = 16390::oid AND att.attnum > 0 AND att.attisdropped IS FALSE ORDER BY att.attnum
---
/*pga4dash*/ SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = 5)) AS "Total", (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active' AND datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = 5)) AS "Active") t UNION ALL SELECT 'tps_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT sum(xact_commit) + sum(xact_rollback) FROM pg_catalog.pg_stat_database) AS "Transactions") t
---
SET DateStyle=ISO; SET client_min_messages=notice; SELECT set_config('bytea_output','hex',false) FROM pg_show_all_settings() WHERE name = 'bytea_output'; SET client_encoding='utf-8';
---
SELECT roles.oid as id, roles.rolname as name, roles.rolsuper as is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END as can_create_role, CASE WHEN 'pg_signal_backend'=ANY(ARRAY(WITH RECURSIVE cte AS (SELECT pg_roles.oid,pg_roles.rolname FROM pg_roles WHERE pg_roles.oid = roles.oid UNION ALL SELECT m.roleid, pgr.rolname FROM cte cte_1 JOIN pg_auth_members m ON m.member = cte_1.oid JOIN pg_roles pgr ON pgr.oid = m.roleid) SELECT rolname FROM cte)) THEN True ELSE False END as can_signal_backend FROM pg_catalog.pg_roles as roles WHERE rolname = current_user
---
SELECT pg_catalog.pg_cancel_backend(4711)
---
-- DBeaver
SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname
---
SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass WHERE c.relnamespace=$1 AND c.relkind not in ('i','I','c')
---
SELECT x.* FROM public.orders x WHERE state = 'paid' ORDER BY x.id DESC
---
SET application_name = 'DBeaver 24.0 - Main <postgres>'; SET statement_timeout TO 0; select current_database(), current_schema(), session_user; show search_path;
---
select t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')
---
-- DataGrip
select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_xact_status(1)::text else pg_catalog.txid_current()::varchar::bigint::text end as current_txid
---
select T.oid table_id, relname table_name, C.oid::bigint trigger_id, xmin as state_number, tgname, pg_catalog.pg_get_triggerdef(C.oid) definition, tgenabled, tgtype & 31 bits, tgattr colls from pg_catalog.pg_trigger C join pg_catalog.pg_class T on T.oid = C.tgrelid where relnamespace = 2200::oid and not tgisinternal and pg_catalog.age(T.xmin) <= coalesce(nullif(greatest(pg_catalog.age('733'::varchar::xid), -1), -1), 2147483647)
---
select N.oid::bigint as id, datname as name, D.description, datistemplate as is_template, datallowconn as allow_connections, pg_catalog.pg_get_userbyid(N.datdba) as "owner" from pg_catalog.pg_database N left join pg_catalog.pg_shdescription D on N.oid = D.objoid order by case when datname = pg_catalog.current_database() then -1::bigint else N.oid::bigint end
---
-- PostgREST
WITH pgrst_source AS ( SELECT "public"."orders"."id", row_to_json("orders_customers_1".*)::jsonb AS "customers" FROM "public"."orders" LEFT JOIN LATERAL ( SELECT "customers_1"."email" FROM "public"."customers" AS "customers_1" WHERE "customers_1"."id" = "public"."orders"."customer" ) AS "orders_customers_1" ON TRUE WHERE "public"."orders"."state" = $1 LIMIT $2 OFFSET $3 ) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted FROM ( SELECT * FROM pgrst_source ) _postgrest_t
---
select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true), set_config('request.path', $5, true)
---
WITH pgrst_source AS (INSERT INTO "public"."orders"("customer", "total") SELECT "pgrst_body"."customer", "pgrst_body"."total" FROM (SELECT $1 AS json_data) pgrst_payload, LATERAL (SELECT CASE WHEN json_typeof(pgrst_payload.json_data) = 'array' THEN pgrst_payload.json_data ELSE json_build_array(pgrst_payload.json_data) END AS val) pgrst_uniform_json, LATERAL (SELECT "customer", "total" FROM json_to_recordset(pgrst_uniform_json.val) AS _("customer" integer, "total" numeric)) pgrst_body ON CONFLICT("id") DO UPDATE SET "customer" = EXCLUDED."customer" RETURNING "public"."orders".*) SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total FROM (SELECT "orders".* FROM "pgrst_source" AS "orders") _postgrest_t
---
-- Hasura
SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.or.customer"."customer" AS "customer") AS "_e")) AS "root" FROM (SELECT * FROM "public"."orders" WHERE (("public"."orders"."total") > (($1)::numeric)) LIMIT 10) AS "_root.base" LEFT OUTER JOIN LATERAL (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.or.customer.base"."email" AS "email") AS "_e")) AS "customer" FROM (SELECT * FROM "public"."customers" WHERE (("_root.base"."customer") = ("id")) LIMIT 1) AS "_root.or.customer.base") AS "_root.or.customer" ON ('true')) AS "_root"
---
-- PostGraphile
with __local_0__ as (select to_json((json_build_object('__identifiers'::text, json_build_array(__local_1__."id"), 'id'::text, (__local_1__."id"), '@customer'::text, (select json_build_object('email'::text, (__local_2__."email")) as object from "public"."customers" as __local_2__ where (__local_1__."customer" = __local_2__."id") and (TRUE) and (TRUE))))) as "@nodes" from (select __local_1__.* from "public"."orders" as __local_1__ where (TRUE) and (TRUE) order by __local_1__."id" ASC limit 10) __local_1__), __local_3__ as (select json_agg(to_json(__local_0__)) as data from __local_0__) select coalesce((select __local_3__.data from __local_3__), '[]'::json) as "data"
---
-- postgres_exporter, pganalyze
SELECT pg_database.datname, pg_database_size(pg_database.datname) as size FROM pg_database
---
SELECT slots.*, CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - restart_lsn AS lag FROM pg_replication_slots slots
---
SELECT current_database() datname, schemaname, relname, seq_scan, idx_scan, n_tup_ins, COALESCE(last_vacuum, '1970-01-01Z'), pg_total_relation_size(relid) as total FROM pg_stat_user_tables
---
WITH states AS (SELECT datname, unnest(array['active','idle','idle in transaction','idle in transaction (aborted)','fastpath function call','disabled']) AS state FROM pg_database) SELECT s.datname, s.state, COALESCE(count, 0) as count, COALESCE(max_tx_duration, 0) as max_tx_duration FROM states s LEFT JOIN (SELECT datname, state, count(*) AS count, MAX(EXTRACT(EPOCH FROM now() - xact_start))::float AS max_tx_duration FROM pg_stat_activity GROUP BY datname, state) AS a USING (datname, state)
---
SELECT blocked_locks.pid AS blocked_pid, blocking_activity.usename AS blocking_user, blocked_activity.query AS blocked_statement FROM pg_catalog.pg_locks blocked_locks JOIN pg_catalog.pg_stat_activity blocked_activity ON blocked_activity.pid = blocked_locks.pid JOIN pg_catalog.pg_locks blocking_locks ON blocking_locks.locktype = blocked_locks.locktype AND blocking_locks.DATABASE IS NOT DISTINCT FROM blocked_locks.DATABASE AND blocking_locks.relation IS NOT DISTINCT FROM blocked_locks.relation AND blocking_locks.pid != blocked_locks.pid JOIN pg_catalog.pg_stat_activity blocking_activity ON blocking_activity.pid = blocking_locks.pid WHERE NOT blocked_locks.GRANTED
---
SELECT nspname, relname, round((100 * pg_relation_size(indexrelid) / nullif(pg_relation_size(indrelid), 0))::numeric) / 100 AS index_ratio, pg_size_pretty(pg_relation_size(indexrelid)) AS index_size FROM pg_index I LEFT JOIN pg_class C ON (C.oid = I.indexrelid) LEFT JOIN pg_namespace N ON (N.oid = C.relnamespace) WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND C.relkind='i' AND pg_relation_size(indrelid) > 0
---
SELECT queryid, query, calls, total_exec_time, rows, 100.0 * shared_blks_hit / nullif(shared_blks_hit + shared_blks_read, 0) AS hit_percent FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 5
---
EXPLAIN (ANALYZE, COSTS, VERBOSE, BUFFERS, FORMAT JSON) SELECT * FROM orders WHERE id = 1
---
EXPLAIN (FORMAT YAML, SETTINGS true, WAL off, TIMING OFF, SUMMARY) UPDATE orders SET total = 0 WHERE id = 1
---
-- Debezium, Fivetran, Airbyte
SELECT catalog_xmin FROM pg_replication_slots WHERE slot_name = 'debezium'
---
SELECT ctid, xmin::text::bigint, * FROM "public"."orders" WHERE ctid >= '(0,0)'::tid AND ctid < '(1000,0)'::tid
---
SELECT (EXTRACT(EPOCH FROM CURRENT_TIMESTAMP)*1000)::bigint, txid_snapshot_xmax(txid_current_snapshot())
---
CREATE PUBLICATION dbz_publication FOR TABLE public.orders, ONLY public.customers (id, email) WHERE (id > 0) WITH (publish = 'insert, update')
---
SELECT COALESCE(CAST(s.character_maximum_length AS varchar), '') FROM information_schema.columns s WHERE table_schema NOT IN ('pg_catalog') LIMIT 100
---
COPY (SELECT "id", "total" FROM "public"."orders" WHERE "updated_at" > '2024-01-01') TO STDOUT WITH (FORMAT csv, HEADER, NULL '\N', QUOTE '"', ESCAPE E'\\', FORCE_QUOTE *, ENCODING 'UTF8')
---
COPY "public"."orders" ("id", "total") FROM STDIN WITH CSV DELIMITER E'\t' NULL AS ''
---
copy orders from stdin (format binary)
