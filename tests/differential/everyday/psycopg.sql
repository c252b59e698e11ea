BEGIN
---
SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = to_regtype($1)
ORDER BY t.oid
---
COMMIT
---
SELECT name, oid, array_oid, regtype, array_agg(label) AS labels
FROM (
    SELECT
        t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
        t.oid::regtype::text AS regtype, e.enumlabel AS label
    FROM pg_type t
    LEFT JOIN  pg_enum e
    ON e.enumtypid = t.oid
    WHERE t.oid = to_regtype($1)
    ORDER BY e.enumsortorder
) x
GROUP BY name, oid, array_oid, regtype
---
SELECT
    t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    coalesce(a.fnames, '{}') AS field_names,
    coalesce(a.ftypes, '{}') AS field_types
FROM pg_type t
LEFT JOIN (
    SELECT
        attrelid,
        array_agg(attname) AS fnames,
        array_agg(atttypid) AS ftypes
    FROM (
        SELECT a.attrelid, a.attname, a.atttypid
        FROM pg_attribute a
        JOIN pg_type t ON t.typrelid = a.attrelid
        WHERE t.oid = to_regtype($1)
        AND a.attnum > 0
        AND NOT a.attisdropped
        ORDER BY a.attnum
    ) x
    GROUP BY attrelid
) a ON a.attrelid = t.typrelid
WHERE t.oid = to_regtype($1)
---
SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    r.rngsubtype AS subtype_oid
FROM pg_type t
JOIN pg_range r ON t.oid = r.rngtypid
WHERE t.oid = to_regtype($1)
---
SELECT t.typname AS name, t.oid AS oid, t.typarray AS array_oid,
    t.oid::regtype::text AS regtype,
    r.rngtypid AS range_oid, r.rngsubtype AS subtype_oid
FROM pg_type t
JOIN pg_range r ON t.oid = r.rngmultitypid
WHERE t.oid = to_regtype($1)
---
select $1, $2
---
select * from shop.customers where id=$1
---
SAVEPOINT "_pg3_1"
---
insert into shop.customers(email) values ($1) returning id
---
RELEASE "sp"
---
DECLARE "nc" CURSOR FOR select * from shop.customers
---
FETCH FORWARD 3 FROM "nc"
---
MOVE 1 FROM "nc"
---
FETCH FORWARD 1 FROM "nc"
---
CLOSE "nc"
---
DECLARE "nc2" SCROLL CURSOR WITH HOLD FOR select 1
---
FETCH FORWARD ALL FROM "nc2"
---
copy shop.parent from stdin
---
copy (select * from shop.parent) to stdout (format binary)
---
insert into shop.parent values ($1)
---
ROLLBACK
---
DEALLOCATE ALL
---
listen ch
---
notify ch, 'x'
---
select pg_notify($1,$2)
---
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE
---
SELECT t.oid, typarray
FROM pg_type t JOIN pg_namespace ns
    ON typnamespace = ns.oid
WHERE typname = 'hstore';
---
SELECT t.oid, typarray, attname, atttypid
FROM pg_type t
JOIN pg_namespace ns ON typnamespace = ns.oid
JOIN pg_attribute a ON attrelid = typrelid
WHERE typname = 'pair' AND nspname = 'shop'
    AND attnum > 0 AND NOT attisdropped
ORDER BY attnum;
---
select set_config('TimeZone','UTC',false)
---
DECLARE "n" CURSOR WITHOUT HOLD FOR select * from shop.orders
---
FETCH FORWARD 2 FROM "n"
---
insert into shop.parent (a) values (1),(2)
---
insert into shop.parent values (1);insert into shop.parent values (2)
---
COPY shop.parent TO STDOUT WITH CSV HEADER
---
SELECT gid, prepared, owner, database FROM pg_prepared_xacts
