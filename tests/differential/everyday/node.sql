select $1::int as a
---
select * from shop.orders where id=$1
---
BEGIN
---
COMMIT
---
select 1; select 2
---
LISTEN x
---
select b.oid, b.typarray
      from pg_catalog.pg_type a
      left join pg_catalog.pg_type b on b.oid = a.typelem
      where a.typcategory = 'A'
      group by b.oid, b.typarray
      order by b.oid
---
select * from shop.customers where id = any($1)
---
insert into shop.parent ("a")values($1),($2)
---
savepoint "s0"
---
select pg_notify($1, $2)
---
unlisten "ch"
---
select "id","total" from "shop"."orders" order by id limit 2
---
select version();
---
set search_path to "shop","public"
---
drop table if exists "kn2"
---
drop table if exists "kn"
---
create type "kn_e" as enum ('a', 'b')
---
SET client_min_messages TO warning;SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE;
---
WITH ranges AS (  SELECT pg_range.rngtypid, pg_type.typname AS rngtypname,         pg_type.typarray AS rngtyparray, pg_range.rngsubtype    FROM pg_range LEFT OUTER JOIN pg_type ON pg_type.oid = pg_range.rngtypid)SELECT pg_type.typname, pg_type.typtype, pg_type.oid, pg_type.typarray,       ranges.rngtypname, ranges.rngtypid, ranges.rngtyparray  FROM pg_type LEFT OUTER JOIN ranges ON pg_type.oid = ranges.rngsubtype WHERE (pg_type.typtype IN('b', 'e'));
---
DROP TABLE IF EXISTS "SqFriend" CASCADE;
---
DROP TABLE IF EXISTS "SqItems" CASCADE;
---
DROP TABLE IF EXISTS "SqUsers" CASCADE;
---
DROP TYPE IF EXISTS "public"."enum_SqUsers_st";
---
SELECT DISTINCT tc.constraint_name as constraint_name, tc.constraint_schema as constraint_schema, tc.constraint_catalog as constraint_catalog, tc.table_name as table_name,tc.table_schema as table_schema,tc.table_catalog as table_catalog,tc.initially_deferred as initially_deferred,tc.is_deferrable as is_deferrable,kcu.column_name as column_name,ccu.table_schema  AS referenced_table_schema,ccu.table_catalog  AS referenced_table_catalog,ccu.table_name  AS referenced_table_name,ccu.column_name AS referenced_column_name FROM information_schema.table_constraints AS tc JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name WHERE constraint_type = 'FOREIGN KEY' AND tc.table_name = 'SqUsers' AND tc.table_catalog = 'postgres'
---
SELECT t.typname enum_name, array_agg(e.enumlabel ORDER BY enumsortorder) enum_value FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public' AND t.typname='enum_SqUsers_st' GROUP BY 1
---
DROP TYPE IF EXISTS "public"."enum_SqUsers_st"; DO 'BEGIN CREATE TYPE "public"."enum_SqUsers_st" AS ENUM(''a'', ''b''); EXCEPTION WHEN duplicate_object THEN null; END';
---
CREATE TABLE IF NOT EXISTS "SqUsers" ("id"   SERIAL , "name" VARCHAR(255) UNIQUE, "tags" VARCHAR(255)[], "d" JSONB, "st" "public"."enum_SqUsers_st", "r" tstzrange, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, "deletedAt" TIMESTAMP WITH TIME ZONE, PRIMARY KEY ("id"));
---
SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey AS indkey, array_agg(a.attnum) as column_indexes, array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' and t.relname = 'SqUsers' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname;
---
CREATE INDEX "sq_users_d" ON "SqUsers" USING gin ("d")
---
CREATE TABLE IF NOT EXISTS "SqItems" ("id"   SERIAL , "n" DECIMAL(10,2), "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, "SqUserId" INTEGER REFERENCES "SqUsers" ("id") ON DELETE SET NULL ON UPDATE CASCADE, PRIMARY KEY ("id"));
---
CREATE TABLE IF NOT EXISTS "SqFriend" ("createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, "SqUserId" INTEGER  REFERENCES "SqUsers" ("id") ON DELETE CASCADE ON UPDATE CASCADE, "fId" INTEGER  REFERENCES "SqUsers" ("id") ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY ("SqUserId","fId"));
---
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'SqUsers'
---
SELECT pk.constraint_type as "Constraint",c.column_name as "Field", c.column_default as "Default",c.is_nullable as "Null", (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) as "Type", (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid=e.enumtypid WHERE t.typname=c.udt_name) AS "special", (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd on (pgd.objoid=st.relid) WHERE c.ordinal_position=pgd.objsubid AND c.table_name=st.relname) AS "Comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE  cu ON tc.table_schema=cu.table_schema and tc.table_name=cu.table_name and tc.constraint_name=cu.constraint_name and tc.constraint_type='PRIMARY KEY') pk ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name WHERE c.table_name = 'SqUsers' AND c.table_schema = 'public'
---
ALTER TABLE "SqUsers" ALTER COLUMN "name" DROP NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "name" DROP DEFAULT;ALTER TABLE "SqUsers"  ADD UNIQUE ("name");ALTER TABLE "SqUsers" ALTER COLUMN "name" TYPE VARCHAR(255) ;
---
ALTER TABLE "SqUsers" ALTER COLUMN "tags" DROP NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "tags" DROP DEFAULT;ALTER TABLE "SqUsers" ALTER COLUMN "tags" TYPE VARCHAR(255)[];
---
ALTER TABLE "SqUsers" ALTER COLUMN "d" DROP NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "d" DROP DEFAULT;ALTER TABLE "SqUsers" ALTER COLUMN "d" TYPE JSONB;
---
ALTER TABLE "SqUsers" ALTER COLUMN "st" DROP NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "st" DROP DEFAULT;DO 'BEGIN CREATE TYPE "public"."enum_SqUsers_st" AS ENUM(''a'', ''b''); EXCEPTION WHEN duplicate_object THEN null; END';ALTER TABLE "SqUsers" ALTER COLUMN "st" TYPE "public"."enum_SqUsers_st" USING ("st"::"public"."enum_SqUsers_st");
---
ALTER TABLE "SqUsers" ALTER COLUMN "r" DROP NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "r" DROP DEFAULT;ALTER TABLE "SqUsers" ALTER COLUMN "r" TYPE tstzrange;
---
ALTER TABLE "SqUsers" ALTER COLUMN "createdAt" SET NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "createdAt" DROP DEFAULT;ALTER TABLE "SqUsers" ALTER COLUMN "createdAt" TYPE TIMESTAMP WITH TIME ZONE;
---
ALTER TABLE "SqUsers" ALTER COLUMN "updatedAt" SET NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "updatedAt" DROP DEFAULT;ALTER TABLE "SqUsers" ALTER COLUMN "updatedAt" TYPE TIMESTAMP WITH TIME ZONE;
---
ALTER TABLE "SqUsers" ALTER COLUMN "deletedAt" DROP NOT NULL;ALTER TABLE "SqUsers" ALTER COLUMN "deletedAt" DROP DEFAULT;ALTER TABLE "SqUsers" ALTER COLUMN "deletedAt" TYPE TIMESTAMP WITH TIME ZONE;
---
ALTER TABLE "SqItems" ALTER COLUMN "n" DROP NOT NULL;ALTER TABLE "SqItems" ALTER COLUMN "n" DROP DEFAULT;ALTER TABLE "SqItems" ALTER COLUMN "n" TYPE DECIMAL(10,2);
---
ALTER TABLE "SqItems" ALTER COLUMN "createdAt" SET NOT NULL;ALTER TABLE "SqItems" ALTER COLUMN "createdAt" DROP DEFAULT;ALTER TABLE "SqItems" ALTER COLUMN "createdAt" TYPE TIMESTAMP WITH TIME ZONE;
---
ALTER TABLE "SqItems" ALTER COLUMN "updatedAt" SET NOT NULL;ALTER TABLE "SqItems" ALTER COLUMN "updatedAt" DROP DEFAULT;ALTER TABLE "SqItems" ALTER COLUMN "updatedAt" TYPE TIMESTAMP WITH TIME ZONE;
---
ALTER TABLE "SqItems" DROP CONSTRAINT "SqItems_SqUserId_fkey"
---
ALTER TABLE "SqItems"  ADD FOREIGN KEY ("SqUserId") REFERENCES "SqUsers" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
---
ALTER TABLE "SqFriend" ALTER COLUMN "createdAt" SET NOT NULL;ALTER TABLE "SqFriend" ALTER COLUMN "createdAt" DROP DEFAULT;ALTER TABLE "SqFriend" ALTER COLUMN "createdAt" TYPE TIMESTAMP WITH TIME ZONE;
---
ALTER TABLE "SqFriend" ALTER COLUMN "updatedAt" SET NOT NULL;ALTER TABLE "SqFriend" ALTER COLUMN "updatedAt" DROP DEFAULT;ALTER TABLE "SqFriend" ALTER COLUMN "updatedAt" TYPE TIMESTAMP WITH TIME ZONE;
---
INSERT INTO "SqUsers" ("id","name","d","createdAt","updatedAt") VALUES (DEFAULT,$1,$2,$3,$4) RETURNING "id","name","tags","d","st","r","createdAt","updatedAt","deletedAt";
---
INSERT INTO "SqItems" ("id","n","createdAt","updatedAt","SqUserId") VALUES (DEFAULT,$1,$2,$3,$4) RETURNING "id","n","createdAt","updatedAt","SqUserId";
---
SELECT "SqUser".*, "SqItems"."id" AS "SqItems.id", "SqItems"."n" AS "SqItems.n", "SqItems"."createdAt" AS "SqItems.createdAt", "SqItems"."updatedAt" AS "SqItems.updatedAt", "SqItems"."SqUserId" AS "SqItems.SqUserId" FROM (SELECT "SqUser"."id", "SqUser"."name", "SqUser"."tags", "SqUser"."d", "SqUser"."st", "SqUser"."r", "SqUser"."createdAt", "SqUser"."updatedAt", "SqUser"."deletedAt" FROM "SqUsers" AS "SqUser" WHERE ("SqUser"."deletedAt" IS NULL AND ("SqUser"."name" ILIKE '%a' OR CAST(("SqUser"."d"#>>'{a,b}') AS DOUBLE PRECISION) = 1 OR "SqUser"."tags" @> ARRAY['x']::VARCHAR(255)[])) ORDER BY "SqUser"."name" DESC NULLS LAST LIMIT 2) AS "SqUser" LEFT OUTER JOIN "SqItems" AS "SqItems" ON "SqUser"."id" = "SqItems"."SqUserId" AND "SqItems"."n" > 0 ORDER BY "SqUser"."name" DESC NULLS LAST;
---
SELECT count(DISTINCT("SqUser"."id")) AS "count" FROM "SqUsers" AS "SqUser" LEFT OUTER JOIN "SqItems" AS "SqItems" ON "SqUser"."id" = "SqItems"."SqUserId" WHERE ("SqUser"."deletedAt" IS NULL);
---
SELECT "SqUser".*, "SqItems"."id" AS "SqItems.id", "SqItems"."n" AS "SqItems.n", "SqItems"."createdAt" AS "SqItems.createdAt", "SqItems"."updatedAt" AS "SqItems.updatedAt", "SqItems"."SqUserId" AS "SqItems.SqUserId" FROM (SELECT "SqUser"."id", "SqUser"."name", "SqUser"."tags", "SqUser"."d", "SqUser"."st", "SqUser"."r", "SqUser"."createdAt", "SqUser"."updatedAt", "SqUser"."deletedAt" FROM "SqUsers" AS "SqUser" WHERE ("SqUser"."deletedAt" IS NULL) LIMIT 1) AS "SqUser" LEFT OUTER JOIN "SqItems" AS "SqItems" ON "SqUser"."id" = "SqItems"."SqUserId";
---
INSERT INTO "SqUsers" ("name","createdAt","updatedAt") VALUES ($1,$2,$3) ON CONFLICT ("name") DO UPDATE SET "name"=EXCLUDED."name","updatedAt"=EXCLUDED."updatedAt" RETURNING "id","name","tags","d","st","r","createdAt","updatedAt","deletedAt";
---
INSERT INTO "SqUsers" ("id","name","createdAt","updatedAt") VALUES (DEFAULT,'b','2026-11-23 18:52:56.336 +00:00','2026-11-23 18:52:56.336 +00:00'),(DEFAULT,'c','2026-11-23 18:52:56.336 +00:00','2026-11-23 18:52:56.336 +00:00') ON CONFLICT ("name") DO UPDATE SET "tags"=EXCLUDED."tags" RETURNING "id","name","tags","d","st","r","createdAt","updatedAt","deletedAt";
---
UPDATE "SqUsers" SET "st"=$1,"updatedAt"=$2 WHERE ("deletedAt" IS NULL AND "name" = $3) RETURNING "id","name","tags","d","st","r","createdAt","updatedAt","deletedAt"
---
UPDATE "SqItems" SET "n"="n"+ 1,"updatedAt"='2026-11-23 18:52:56.342 +00:00' WHERE "id" = 1 RETURNING *
---
SELECT sum("n") AS "sum" FROM "SqItems" AS "SqItem";
---
START TRANSACTION;
---
SELECT "id", "name", "tags", "d", "st", "r", "createdAt", "updatedAt", "deletedAt" FROM "SqUsers" AS "SqUser" WHERE ("SqUser"."deletedAt" IS NULL AND "SqUser"."name" = 'q');
---
CREATE OR REPLACE FUNCTION pg_temp.testfunc(OUT response "SqUsers", OUT sequelize_caught_exception text) RETURNS RECORD AS $func_db52c779e7b44861a954a44366061554$ BEGIN INSERT INTO "SqUsers" ("id","name","createdAt","updatedAt") VALUES (DEFAULT,'q','2026-11-23 18:52:56.348 +00:00','2026-11-23 18:52:56.348 +00:00') RETURNING * INTO response; EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS sequelize_caught_exception = PG_EXCEPTION_DETAIL; END $func_db52c779e7b44861a954a44366061554$ LANGUAGE plpgsql; SELECT (testfunc.response)."id", (testfunc.response)."name", (testfunc.response)."tags", (testfunc.response)."d", (testfunc.response)."st", (testfunc.response)."r", (testfunc.response)."createdAt", (testfunc.response)."updatedAt", (testfunc.response)."deletedAt", testfunc.sequelize_caught_exception FROM pg_temp.testfunc(); DROP FUNCTION IF EXISTS pg_temp.testfunc();
---
UPDATE "SqUsers" SET "deletedAt"=$1 WHERE "deletedAt" IS NULL AND "name" = $2
---
UPDATE "SqUsers" SET "deletedAt"=$1 WHERE "deletedAt" IS NULL
---
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
---
SELECT "id", "name", "tags", "d", "st", "r", "createdAt", "updatedAt", "deletedAt" FROM "SqUsers" AS "SqUser" WHERE ("SqUser"."deletedAt" IS NULL) FOR UPDATE SKIP LOCKED;
---
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type LIKE '%TABLE' AND table_name != 'spatial_ref_sys';
---
ALTER TABLE "public"."SqItems" ADD COLUMN "z" INTEGER;
---
ALTER TABLE "SqItems" ALTER COLUMN "z" DROP NOT NULL;ALTER TABLE "SqItems" ALTER COLUMN "z" DROP DEFAULT;ALTER TABLE "SqItems" ALTER COLUMN "z" TYPE VARCHAR(255);
---
ALTER TABLE "SqItems" RENAME COLUMN "z" TO "y";
---
ALTER TABLE "public"."SqItems" DROP COLUMN "y";
---
SELECT schema_name FROM information_schema.schemata WHERE schema_name <> 'information_schema' AND schema_name != 'public' AND schema_name !~ E'^pg_';
---
SELECT * FROM current_schema()
---
SELECT * FROM current_database()
---
SELECT "table_schema", "table_name", obj_description((quote_ident("table_schema") || '.' || quote_ident("table_name"))::regclass, 'pg_class') AS table_comment FROM "information_schema"."tables" WHERE ("table_schema" = 'public' AND "table_name" = 'to_user') OR ("table_schema" = 'public' AND "table_name" = 'to_item')
---
SELECT TRUE FROM information_schema.columns WHERE table_name = 'pg_class' and column_name = 'relispartition'
---
SELECT columns.*, pg_catalog.col_description((quote_ident(table_catalog) || '.' || quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass::oid, ordinal_position) AS description, ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype"::text AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type" FROM "information_schema"."columns" LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = ( SELECT "cls"."oid" FROM "pg_catalog"."pg_class" AS "cls" LEFT JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "cls"."relnamespace" WHERE "cls"."relname" = "columns"."table_name" AND "ns"."nspname" = "columns"."table_schema" ) WHERE ("table_schema" = 'public' AND "table_name" = 'to_user') OR ("table_schema" = 'public' AND "table_name" = 'to_item')
---
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression", CASE "cnst"."contype" WHEN 'p' THEN 'PRIMARY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'x' THEN 'EXCLUDE' END AS "constraint_type", "a"."attname" AS "column_name" FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid" INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace" LEFT JOIN "pg_attribute" "a" ON "a"."attrelid" = "cnst"."conrelid" AND "a"."attnum" = ANY ("cnst"."conkey") WHERE "t"."relkind" IN ('r', 'p') AND (("ns"."nspname" = 'public' AND "t"."relname" = 'to_user') OR ("ns"."nspname" = 'public' AND "t"."relname" = 'to_item'))
---
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "i"."relname" AS "constraint_name", "a"."attname" AS "column_name", CASE "ix"."indisunique" WHEN 't' THEN 'TRUE' ELSE'FALSE' END AS "is_unique", pg_get_expr("ix"."indpred", "ix"."indrelid") AS "condition", "types"."typname" AS "type_name", "am"."amname" AS "index_type" FROM "pg_class" "t" INNER JOIN "pg_index" "ix" ON "ix"."indrelid" = "t"."oid" INNER JOIN "pg_attribute" "a" ON "a"."attrelid" = "t"."oid"  AND "a"."attnum" = ANY ("ix"."indkey") INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "t"."relnamespace" INNER JOIN "pg_class" "i" ON "i"."oid" = "ix"."indexrelid" INNER JOIN "pg_type" "types" ON "types"."oid" = "a"."atttypid" INNER JOIN "pg_am" "am" ON "i"."relam" = "am"."oid" LEFT JOIN "pg_constraint" "cnst" ON "cnst"."conname" = "i"."relname" WHERE "t"."relkind" IN ('r', 'p') AND "cnst"."contype" IS NULL AND (("ns"."nspname" = 'public' AND "t"."relname" = 'to_user') OR ("ns"."nspname" = 'public' AND "t"."relname" = 'to_item'))
---
SELECT "con"."conname" AS "constraint_name", "con"."nspname" AS "table_schema", "con"."relname" AS "table_name", "att2"."attname" AS "column_name", "ns"."nspname" AS "referenced_table_schema", "cl"."relname" AS "referenced_table_name", "att"."attname" AS "referenced_column_name", "con"."confdeltype" AS "on_delete", "con"."confupdtype" AS "on_update", "con"."condeferrable" AS "deferrable", "con"."condeferred" AS "deferred" FROM ( SELECT UNNEST ("con1"."conkey") AS "parent", UNNEST ("con1"."confkey") AS "child", "con1"."confrelid", "con1"."conrelid", "con1"."conname", "con1"."contype", "ns"."nspname", "cl"."relname", "con1"."condeferrable", CASE WHEN "con1"."condeferred" THEN 'INITIALLY DEFERRED' ELSE 'INITIALLY IMMEDIATE' END as condeferred, CASE "con1"."confdeltype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END as "confdeltype", CASE "con1"."confupdtype" WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END as "confupdtype" FROM "pg_class" "cl" INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_constraint" "con1" ON "con1"."conrelid" = "cl"."oid" WHERE "con1"."contype" = 'f' AND (("ns"."nspname" = 'public' AND "cl"."relname" = 'to_user') OR ("ns"."nspname" = 'public' AND "cl"."relname" = 'to_item')) ) "con" INNER JOIN "pg_attribute" "att" ON "att"."attrelid" = "con"."confrelid" AND "att"."attnum" = "con"."child" INNER JOIN "pg_class" "cl" ON "cl"."oid" = "con"."confrelid"  AND "cl"."relispartition" = 'f'INNER JOIN "pg_namespace" "ns" ON "cl"."relnamespace" = "ns"."oid" INNER JOIN "pg_attribute" "att2" ON "att2"."attrelid" = "con"."conrelid" AND "att2"."attnum" = "con"."parent"
---
SELECT "udt_schema", "udt_name" FROM "information_schema"."columns" WHERE "table_schema" = 'public' AND "table_name" = 'to_user' AND "column_name"='st'
---
SELECT "e"."enumlabel" AS "value" FROM "pg_enum" "e" INNER JOIN "pg_type" "t" ON "t"."oid" = "e"."enumtypid" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = 'public' AND "t"."typname" = 'to_user_st_enum' ORDER BY "e"."enumsortorder"
---
SELECT * FROM "information_schema"."tables" WHERE "table_schema" = $1 AND "table_name" = $2
---
INSERT INTO "to_user"("name", "d", "st", "v", "at", "del") VALUES ($1, DEFAULT, DEFAULT, 1, DEFAULT, DEFAULT) RETURNING "id", "st", "v", "at", "del"
---
INSERT INTO "to_item"("id", "n", "uId") VALUES (DEFAULT, $1, $2) RETURNING "id"
---
SELECT DISTINCT "distinctAlias"."to_user_id" AS "ids_to_user_id", "distinctAlias"."to_user_id" FROM (SELECT "to_user"."id" AS "to_user_id", "to_user"."name" AS "to_user_name", "to_user"."d" AS "to_user_d", "to_user"."st" AS "to_user_st", "to_user"."v" AS "to_user_v", "to_user"."at" AS "to_user_at", "to_user"."del" AS "to_user_del", "to_user__to_user_items"."id" AS "to_user__to_user_items_id", "to_user__to_user_items"."n" AS "to_user__to_user_items_n", "to_user__to_user_items"."uId" AS "to_user__to_user_items_uId" FROM "to_user" "to_user" LEFT JOIN "to_item" "to_user__to_user_items" ON "to_user__to_user_items"."uId"="to_user"."id" WHERE (((("to_user"."name" LIKE $1))) OR ((("to_user"."id" IN ($2, $3)))) OR (((NOT("to_user"."del" IS NULL)))))) "distinctAlias" ORDER BY "distinctAlias"."to_user_id" DESC, "to_user_id" ASC LIMIT 2 OFFSET 0
---
SELECT "to_user"."id" AS "to_user_id", "to_user"."name" AS "to_user_name", "to_user"."d" AS "to_user_d", "to_user"."st" AS "to_user_st", "to_user"."v" AS "to_user_v", "to_user"."at" AS "to_user_at", "to_user"."del" AS "to_user_del", "to_user__to_user_items"."id" AS "to_user__to_user_items_id", "to_user__to_user_items"."n" AS "to_user__to_user_items_n", "to_user__to_user_items"."uId" AS "to_user__to_user_items_uId" FROM "to_user" "to_user" LEFT JOIN "to_item" "to_user__to_user_items" ON "to_user__to_user_items"."uId"="to_user"."id" WHERE ( (((("to_user"."name" LIKE $1))) OR ((("to_user"."id" IN ($2, $3)))) OR (((NOT("to_user"."del" IS NULL))))) ) AND ( "to_user"."id" IN (3) ) ORDER BY "to_user"."id" DESC
---
INSERT INTO "to_user"("name", "d", "st", "v", "at", "del") VALUES ($1, DEFAULT, DEFAULT, 1, DEFAULT, DEFAULT) ON CONFLICT ( "name" ) DO UPDATE SET "name" = EXCLUDED."name" RETURNING "id", "st", "v", "at", "del"
---
SELECT DISTINCT "distinctAlias"."u_id" AS "ids_u_id", "distinctAlias"."u_id" FROM (SELECT "u"."id" AS "u_id", "u"."name" AS "u_name", "u"."d" AS "u_d", "u"."st" AS "u_st", "u"."v" AS "u_v", "u"."at" AS "u_at", "u"."del" AS "u_del", "i"."id" AS "i_id", "i"."n" AS "i_n", "i"."uId" AS "i_uId" FROM "to_user" "u" LEFT JOIN "to_item" "i" ON "i"."uId"="u"."id" AND ("i"."n" > $1) WHERE ( "u"."name" ILIKE $2 AND "u"."id" IN (SELECT "x"."id" AS "x_id" FROM "to_user" "x" WHERE "x"."del" IS NULL) ) AND ( "u"."del" IS NULL )) "distinctAlias" ORDER BY "distinctAlias"."u_id" ASC NULLS LAST, "u_id" ASC LIMIT 2
---
SELECT "u"."id" AS "u_id", "u"."name" AS "u_name", "u"."d" AS "u_d", "u"."st" AS "u_st", "u"."v" AS "u_v", "u"."at" AS "u_at", "u"."del" AS "u_del", "i"."id" AS "i_id", "i"."n" AS "i_n", "i"."uId" AS "i_uId" FROM "to_user" "u" LEFT JOIN "to_item" "i" ON "i"."uId"="u"."id" AND ("i"."n" > $1) WHERE ( "u"."name" ILIKE $2 AND "u"."id" IN (SELECT "x"."id" AS "x_id" FROM "to_user" "x" WHERE "x"."del" IS NULL) ) AND ( "u"."del" IS NULL ) AND ( "u"."id" IN (3) ) ORDER BY "u"."id" ASC NULLS LAST
---
UPDATE "to_user" SET "name" = upper("name"), "v" = "v" + 1 WHERE "id"=$1 RETURNING *
---
UPDATE "to_user" SET "del" = CURRENT_TIMESTAMP, "v" = "v" + 1 WHERE "id" = $1 AND "del" IS NULL
---
UPDATE "to_user" SET "del" = NULL, "v" = "v" + 1 WHERE "id" = $1 AND "del" IS NOT NULL
---
DELETE FROM "to_user" WHERE "id" = $1
---
TRUNCATE TABLE "to_user"
---
SELECT "table_schema", "table_name", obj_description((quote_ident("table_schema") || '.' || quote_ident("table_name"))::regclass, 'pg_class') AS table_comment FROM "information_schema"."tables"
---
SELECT "n"."nspname", "t"."typname" FROM "pg_type" "t" INNER JOIN "pg_namespace" "n" ON "n"."oid" = "t"."typnamespace" WHERE "n"."nspname" = 'public' AND "t"."typname" = 'to_user_st_enum'
---
CREATE TYPE "public"."to_user_st_enum" AS ENUM('a', 'b')
---
CREATE TABLE "to_user" ("id" SERIAL NOT NULL, "name" character varying(50), "d" jsonb, "st" "public"."to_user_st_enum" NOT NULL DEFAULT 'a', "v" integer NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "del" TIMESTAMP WITH TIME ZONE, CONSTRAINT "UQ_79e9a58e6edc48127a05484ab53" UNIQUE ("name"), CONSTRAINT "PK_3f59ef7cf83906bf9c2520d9ebd" PRIMARY KEY ("id"))
---
CREATE INDEX "IDX_79e9a58e6edc48127a05484ab5" ON "to_user"  ("name")
---
CREATE TABLE "to_item" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "n" numeric(10,2) NOT NULL, "uId" integer, CONSTRAINT "CHK_1cba56f81e83377e54f2b3e83a" CHECK ("n" > 0), CONSTRAINT "PK_8116d4e75ff69b27c4c39ddb298" PRIMARY KEY ("id"))
---
ALTER TABLE "to_item" ADD CONSTRAINT "FK_174949d125de3e8c574bcce3eb5" FOREIGN KEY ("uId") REFERENCES "to_user"("id") ON DELETE CASCADE ON UPDATE NO ACTION
---
create table "kn" ("id" serial primary key, "name" varchar(50) not null, "d" jsonb default '{}', "e" "kn_e", "arr" text[], "created_at" timestamptz not null default CURRENT_TIMESTAMP, "updated_at" timestamptz not null default CURRENT_TIMESTAMP, "u" uuid default gen_random_uuid(), check ("id" > 0))
---
comment on table "kn" is 'c'
---
alter table "kn" add constraint "kn_name_unique" unique ("name")
---
create index "kn_name_index" on "kn" ("name")
---
create table "kn2" ("id" bigserial primary key, "kn_id" integer)
---
alter table "kn2" add constraint "kn2_kn_id_foreign" foreign key ("kn_id") references "kn" ("id") on delete CASCADE
---
alter table "kn" add column "x" text null
---
alter table "kn" alter column "name" drop default
---
alter table "kn" alter column "name" drop not null
---
alter table "kn" alter column "name" type varchar(80) using ("name"::varchar(80))
---
alter table "kn" rename "d" to "dd"
---
alter table "kn" drop constraint "kn_name_unique"
---
select * from information_schema.tables where table_name = $1 and table_schema = current_schema()
---
select * from information_schema.columns where table_name = $1 and column_name = $2 and table_schema = current_schema()
---
select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema = current_schema()
---
insert into "kn" ("name") values ($1), ($2) returning "id"
---
insert into "kn" ("id", "name") values ($1, $2) on conflict ("id") do update set "id" = excluded."id", "name" = excluded."name" returning *
---
insert into "kn" ("id", "name") values ($1, $2) on conflict ("id") do nothing
---
select "k"."id", count(*)::int as n from "kn" as "k" left join "kn2" on "kn2"."kn_id" = "k"."id" where "k"."id" in (select "id" from "kn") and ("k"."name" ilike $1 or "x" is null) group by "k"."id" having count(*) > $2 order by "k"."id" desc nulls last limit $3 offset $4
---
update "kn" set "name" = upper("name") where "id" = $1
---
update "kn" set "id" = "id" + $1 where "id" = $2
---
delete from "kn" where jsonb_path_query_first("dd", $1)::int = $2
---
with "w" as (select * from "kn") select * from "w" union select * from "kn"
---
select * from "kn" limit $1 for update skip locked
---
truncate "kn" restart identity
