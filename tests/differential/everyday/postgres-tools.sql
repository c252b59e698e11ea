SELECT pg_catalog.set_config('search_path', '', false);
---
CREATE DATABASE r;
---
SELECT pg_catalog.pg_is_in_recovery()
---
--
-- PostgreSQL database dump
--
---
SET statement_timeout = 0;
---
SET lock_timeout = 0;
---
SET idle_in_transaction_session_timeout = 0;
---
SET client_encoding = 'UTF8';
---
SET standard_conforming_strings = on;
---
SET check_function_bodies = false;
---
SET xmloption = content;
---
SET client_min_messages = warning;
---
SET row_security = off;
---
CREATE SCHEMA shop;
---
CREATE COLLATION shop.coll (provider = libc, locale = 'C');
---
CREATE DOMAIN shop.email AS text
	CONSTRAINT email_check CHECK ((VALUE ~~ '%@%'::text));
---
CREATE TYPE shop.pair AS (
	a integer,
	b text
);
---
CREATE TYPE shop.status AS ENUM (
    'new',
    'paid'
);
---
CREATE CAST (shop.status AS integer) WITH INOUT;
---
CREATE FUNCTION shop.f(a integer, b text DEFAULT 'x'::text) RETURNS integer
    LANGUAGE sql
    AS $$select a$$;
---
CREATE PROCEDURE shop.p()
    LANGUAGE plpgsql
    AS $$ begin perform 1; end $$;
---
CREATE FUNCTION shop.trg() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin return new; end $$;
---
CREATE AGGREGATE shop.agg(integer) (
    SFUNC = int4pl,
    STYPE = integer
);
---
CREATE OPERATOR shop.=== (
    FUNCTION = int4eq,
    LEFTARG = integer,
    RIGHTARG = integer
);
---
CREATE TEXT SEARCH CONFIGURATION shop.tsc (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR asciiword WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR word WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR numword WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR email WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR url WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR host WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR sfloat WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR version WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword_numpart WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword_part WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword_asciipart WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR numhword WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR asciihword WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR url_path WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR file WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR "float" WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR "int" WITH simple;

ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR uint WITH simple;
---
CREATE FOREIGN DATA WRAPPER w;
---
CREATE SERVER srv FOREIGN DATA WRAPPER w;
---
CREATE USER MAPPING FOR app SERVER srv OPTIONS (
    x 'y'
);
---
SET default_tablespace = ''
---
SET default_table_access_method = heap;
---
CREATE TABLE shop.parent (
    a integer
);
---
CREATE TABLE shop.child (
    b integer
)
INHERITS (shop.parent);
---
CREATE TABLE shop.customers (
    id integer NOT NULL,
    email shop.email NOT NULL,
    name character varying(80) DEFAULT 'x'::character varying,
    data jsonb,
    tags text[],
    created timestamp with time zone DEFAULT now(),
    full_name text GENERATED ALWAYS AS (name) STORED
);
---
CREATE SEQUENCE shop.customers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
---
ALTER SEQUENCE shop.customers_id_seq OWNED BY shop.customers.id;
---
CREATE TABLE shop.events (
    id integer NOT NULL,
    at date NOT NULL
)
PARTITION BY RANGE (at);
---
CREATE TABLE shop.events_2024 (
    id integer NOT NULL,
    at date NOT NULL
);
---
CREATE TABLE shop.events_rest (
    id integer NOT NULL,
    at date NOT NULL
);
---
CREATE FOREIGN TABLE shop.ft (
    a integer
)
SERVER srv;
---
CREATE TABLE shop.orders (
    id bigint NOT NULL,
    customer integer,
    total numeric(10,2),
    state shop.status,
    during tstzrange,
    CONSTRAINT orders_total_check CHECK ((total >= (0)::numeric))
);
---
COMMENT ON TABLE shop.orders IS 'orders''s';
---
COMMENT ON COLUMN shop.orders.total IS 'sum';
---
CREATE VIEW shop.v AS
 SELECT c.email,
    count(*) AS count
   FROM (shop.customers c
     JOIN shop.orders o ON ((o.customer = c.id)))
  GROUP BY c.email;
---
CREATE MATERIALIZED VIEW shop.mv AS
 SELECT v.email,
    v.count
   FROM shop.v
  WITH NO DATA;
---
ALTER TABLE shop.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME shop.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
---
CREATE SEQUENCE shop.seq
    START WITH 1
    INCREMENT BY 5
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
---
CREATE UNLOGGED TABLE shop.temp1 (
    a integer
);
---
ALTER TABLE ONLY shop.events ATTACH PARTITION shop.events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
---
ALTER TABLE ONLY shop.events ATTACH PARTITION shop.events_rest DEFAULT;
---
ALTER TABLE ONLY shop.customers ALTER COLUMN id SET DEFAULT nextval('shop.customers_id_seq'::regclass);
---
SELECT pg_catalog.lo_create('16487');
---
COPY shop.child (a, b) FROM stdin;
---
COPY shop.customers (id, email, name, data, tags, created) FROM stdin;
---
COPY shop.events_2024 (id, at) FROM stdin;
---
COPY shop.events_rest (id, at) FROM stdin;
---
COPY shop.orders (id, customer, total, state, during) FROM stdin;
---
COPY shop.parent (a) FROM stdin;
---
COPY shop.temp1 (a) FROM stdin;
---
SELECT pg_catalog.setval('shop.customers_id_seq', 30, true);
---
BEGIN
---
select proname, oid from pg_catalog.pg_proc where proname in ('lo_open', 'lo_close', 'lo_creat', 'lo_create', 'lo_unlink', 'lo_lseek', 'lo_lseek64', 'lo_tell', 'lo_tell64', 'lo_truncate', 'lo_truncate64', 'loread', 'lowrite') and pronamespace = (select oid from pg_catalog.pg_namespace where nspname = 'pg_catalog')
---
COMMIT
---
ALTER TABLE ONLY shop.customers
    ADD CONSTRAINT customers_email_key UNIQUE (email);
---
ALTER TABLE ONLY shop.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
---
ALTER TABLE ONLY shop.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id, at);
---
ALTER TABLE ONLY shop.events_2024
    ADD CONSTRAINT events_2024_pkey PRIMARY KEY (id, at);
---
ALTER TABLE ONLY shop.events_rest
    ADD CONSTRAINT events_rest_pkey PRIMARY KEY (id, at);
---
ALTER TABLE ONLY shop.orders
    ADD CONSTRAINT orders_during_excl EXCLUDE USING gist (during WITH &&);
---
ALTER TABLE ONLY shop.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
---
CREATE INDEX customers_data_idx ON shop.customers USING gin (data);
---
CREATE INDEX lower_name ON shop.customers USING btree (lower((name)::text)) WHERE (id > 3);
---
ALTER INDEX shop.events_pkey ATTACH PARTITION shop.events_2024_pkey;
---
ALTER INDEX shop.events_pkey ATTACH PARTITION shop.events_rest_pkey;
---
CREATE STATISTICS shop.st ON id, customer FROM shop.orders;
---
CREATE RULE r1 AS
    ON DELETE TO shop.temp1 DO INSTEAD NOTHING;
---
CREATE TRIGGER t1 BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.trg();
---
ALTER TABLE ONLY shop.orders
    ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES shop.customers(id) ON DELETE CASCADE;
---
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
---
CREATE POLICY pol ON shop.orders FOR SELECT USING ((total > (0)::numeric));
---
CREATE PUBLICATION pub WITH (publish = 'insert, update, delete, truncate');
---
ALTER PUBLICATION pub ADD TABLE ONLY shop.orders;
---
GRANT SELECT(email) ON TABLE shop.customers TO grp;
---
GRANT SELECT ON TABLE shop.ft TO app;
---
GRANT SELECT,INSERT ON TABLE shop.orders TO app;
---
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA shop GRANT SELECT ON TABLES  TO app;
---
REFRESH MATERIALIZED VIEW shop.mv;
---
DROP DATABASE r;
---
CREATE ROLE u1 NOSUPERUSER CREATEDB CREATEROLE INHERIT LOGIN;
---
DROP ROLE u1;
---
RESET search_path;
---
SELECT c.relname, ns.nspname FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid
 LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid
 WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'
 AND c.relkind OPERATOR(pg_catalog.=) ANY (array['r', 'm'])
 ORDER BY c.relpages DESC;
---
VACUUM (ANALYZE) pg_catalog.pg_proc;
---
VACUUM (ANALYZE) pg_catalog.pg_attribute;
---
VACUUM (ANALYZE) pg_catalog.pg_description;
---
VACUUM (ANALYZE) pg_catalog.pg_statistic;
---
VACUUM (ANALYZE) pg_catalog.pg_type;
---
VACUUM (ANALYZE) pg_catalog.pg_collation;
---
VACUUM (ANALYZE) pg_catalog.pg_class;
---
VACUUM (ANALYZE) pg_catalog.pg_depend;
---
VACUUM (ANALYZE) pg_catalog.pg_operator;
---
VACUUM (ANALYZE) pg_catalog.pg_rewrite;
---
VACUUM (ANALYZE) information_schema.sql_features;
---
VACUUM (ANALYZE) pg_catalog.pg_amop;
---
VACUUM (ANALYZE) pg_catalog.pg_amproc;
---
VACUUM (ANALYZE) pg_catalog.pg_index;
---
VACUUM (ANALYZE) pg_catalog.pg_opclass;
---
VACUUM (ANALYZE) pg_catalog.pg_init_privs;
---
VACUUM (ANALYZE) pg_catalog.pg_constraint;
---
VACUUM (ANALYZE) pg_catalog.pg_ts_config_map;
---
VACUUM (ANALYZE) pg_catalog.pg_conversion;
---
VACUUM (ANALYZE) pg_catalog.pg_opfamily;
---
VACUUM (ANALYZE) pg_catalog.pg_aggregate;
---
VACUUM (ANALYZE) pg_catalog.pg_cast;
---
VACUUM (ANALYZE) pg_catalog.pg_ts_template;
---
VACUUM (ANALYZE) pg_catalog.pg_language;
---
VACUUM (ANALYZE) pg_catalog.pg_authid;
---
VACUUM (ANALYZE) pg_catalog.pg_range;
---
VACUUM (ANALYZE) pg_catalog.pg_database;
---
VACUUM (ANALYZE) pg_catalog.pg_ts_parser;
---
VACUUM (ANALYZE) pg_catalog.pg_ts_dict;
---
VACUUM (ANALYZE) pg_catalog.pg_ts_config;
---
VACUUM (ANALYZE) pg_catalog.pg_shdescription;
---
VACUUM (ANALYZE) pg_catalog.pg_auth_members;
---
VACUUM (ANALYZE) pg_catalog.pg_namespace;
---
VACUUM (ANALYZE) pg_catalog.pg_tablespace;
---
VACUUM (ANALYZE) information_schema.sql_implementation_info;
---
VACUUM (ANALYZE) information_schema.sql_parts;
---
VACUUM (ANALYZE) information_schema.sql_sizing;
---
VACUUM (ANALYZE) pg_catalog.pg_am;
---
VACUUM (ANALYZE) pg_catalog.pg_extension;
---
VACUUM (ANALYZE) pg_catalog.pg_sequence;
---
VACUUM (ANALYZE) shop.events_2024;
---
VACUUM (ANALYZE) shop.events_rest;
---
VACUUM (ANALYZE) shop.child;
---
VACUUM (ANALYZE) shop.parent;
---
VACUUM (ANALYZE) shop.orders;
---
VACUUM (ANALYZE) shop.mv;
---
VACUUM (ANALYZE) shop.temp1;
---
VACUUM (ANALYZE) pg_catalog.pg_foreign_table;
---
VACUUM (ANALYZE) pg_catalog.pg_statistic_ext_data;
---
VACUUM (ANALYZE) pg_catalog.pg_user_mapping;
---
VACUUM (ANALYZE) pg_catalog.pg_subscription;
---
VACUUM (ANALYZE) pg_catalog.pg_attrdef;
---
VACUUM (ANALYZE) pg_catalog.pg_inherits;
---
VACUUM (ANALYZE) pg_catalog.pg_largeobject_metadata;
---
VACUUM (ANALYZE) pg_catalog.pg_statistic_ext;
---
VACUUM (ANALYZE) pg_catalog.pg_trigger;
---
VACUUM (ANALYZE) pg_catalog.pg_event_trigger;
---
VACUUM (ANALYZE) pg_catalog.pg_enum;
---
VACUUM (ANALYZE) pg_catalog.pg_db_role_setting;
---
VACUUM (ANALYZE) pg_catalog.pg_shdepend;
---
VACUUM (ANALYZE) pg_catalog.pg_foreign_data_wrapper;
---
VACUUM (ANALYZE) pg_catalog.pg_foreign_server;
---
VACUUM (ANALYZE) pg_catalog.pg_policy;
---
VACUUM (ANALYZE) pg_catalog.pg_replication_origin;
---
VACUUM (ANALYZE) pg_catalog.pg_default_acl;
---
VACUUM (ANALYZE) pg_catalog.pg_seclabel;
---
VACUUM (ANALYZE) pg_catalog.pg_shseclabel;
---
VACUUM (ANALYZE) pg_catalog.pg_parameter_acl;
---
VACUUM (ANALYZE) pg_catalog.pg_partitioned_table;
---
VACUUM (ANALYZE) pg_catalog.pg_transform;
---
VACUUM (ANALYZE) shop.customers;
---
VACUUM (ANALYZE) pg_catalog.pg_publication;
---
VACUUM (ANALYZE) pg_catalog.pg_publication_namespace;
---
VACUUM (ANALYZE) pg_catalog.pg_publication_rel;
---
VACUUM (ANALYZE) pg_catalog.pg_subscription_rel;
---
VACUUM (ANALYZE) pg_catalog.pg_largeobject;
---
WITH listed_tables (table_oid, column_list) AS (
  VALUES ('shop.orders'::pg_catalog.regclass, NULL::pg_catalog.text)
)
SELECT c.relname, ns.nspname, listed_tables.column_list FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid
 LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid
 JOIN listed_tables ON listed_tables.table_oid OPERATOR(pg_catalog.=) c.oid
 WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'
 ORDER BY c.relpages DESC;
---
VACUUM (FULL) shop.orders;
---
REINDEX (VERBOSE) DATABASE postgres;
---
REINDEX SCHEMA shop;
---
CLUSTER;
---
CREATE MATERIALIZED VIEW shop.mv AS
 SELECT email,
    count
   FROM shop.v
  WITH NO DATA;
---
CREATE ROLE u1 NOSUPERUSER CREATEDB CREATEROLE INHERIT LOGIN NOREPLICATION NOBYPASSRLS;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_proc;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_attribute;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_description;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_statistic;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_type;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_class;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_operator;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_depend;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_rewrite;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) information_schema.sql_features;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_amop;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_amproc;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_index;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_constraint;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_ts_config_map;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_init_privs;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_opclass;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_conversion;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_opfamily;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_aggregate;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_cast;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_ts_template;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_collation;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_language;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_authid;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_range;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_database;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_ts_parser;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_ts_dict;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_ts_config;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_shdescription;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_auth_members;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_namespace;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_tablespace;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) information_schema.sql_implementation_info;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) information_schema.sql_parts;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) information_schema.sql_sizing;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_am;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_extension;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_sequence;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.events_2024;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.events_rest;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.child;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.parent;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.orders;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.mv;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.temp1;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_foreign_table;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_statistic_ext_data;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_user_mapping;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_subscription;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_attrdef;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_inherits;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_largeobject_metadata;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_statistic_ext;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_trigger;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_event_trigger;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_enum;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_db_role_setting;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_shdepend;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_foreign_data_wrapper;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_foreign_server;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_policy;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_replication_origin;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_default_acl;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_seclabel;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_shseclabel;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_parameter_acl;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_partitioned_table;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_transform;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) shop.customers;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_publication;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_publication_namespace;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_publication_rel;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_subscription_rel;
---
VACUUM (SKIP_DATABASE_STATS, ANALYZE) pg_catalog.pg_largeobject;
---
VACUUM (ONLY_DATABASE_STATS);
---
WITH listed_objects (object_oid, column_list) AS (
  VALUES ('shop.orders'::pg_catalog.regclass, NULL::pg_catalog.text)
)
SELECT c.relname, ns.nspname, listed_objects.column_list FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid
 LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid
 LEFT JOIN listed_objects ON listed_objects.object_oid OPERATOR(pg_catalog.=) c.oid
 WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'
 AND listed_objects.object_oid IS NOT NULL
 ORDER BY c.relpages DESC;
---
VACUUM (SKIP_DATABASE_STATS, FULL) shop.orders;
---
SET transaction_timeout = 0;
---
CREATE TABLE shop.events_2024 (
    id integer CONSTRAINT events_id_not_null NOT NULL,
    at date CONSTRAINT events_at_not_null NOT NULL
);
---
CREATE TABLE shop.events_rest (
    id integer CONSTRAINT events_id_not_null NOT NULL,
    at date CONSTRAINT events_at_not_null NOT NULL
);
---
SELECT c.relname, ns.nspname FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid
 CROSS JOIN LATERAL (SELECT c.relkind IN ('p', 'I')) as p (inherited)
 LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid
 WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'
 AND c.relkind OPERATOR(pg_catalog.=) ANY (array['r', 'm'])
 ORDER BY c.relpages DESC;
---
WITH listed_objects (object_oid, column_list) AS (
  VALUES ('shop.orders'::pg_catalog.regclass, NULL::pg_catalog.text)
)
SELECT c.relname, ns.nspname, listed_objects.column_list FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid
 CROSS JOIN LATERAL (SELECT c.relkind IN ('p', 'I')) as p (inherited)
 LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid
 LEFT JOIN listed_objects ON listed_objects.object_oid OPERATOR(pg_catalog.=) c.oid
 WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'
 AND listed_objects.object_oid IS NOT NULL
 ORDER BY c.relpages DESC;
---
ALTER SCHEMA shop OWNER TO postgres;
---
ALTER COLLATION shop.coll OWNER TO postgres;
---
ALTER DOMAIN shop.email OWNER TO postgres;
---
ALTER TYPE shop.pair OWNER TO postgres;
---
ALTER TYPE shop.status OWNER TO postgres;
---
ALTER FUNCTION shop.f(a integer, b text) OWNER TO postgres;
---
ALTER PROCEDURE shop.p() OWNER TO postgres;
---
ALTER FUNCTION shop.trg() OWNER TO postgres;
---
ALTER AGGREGATE shop.agg(integer) OWNER TO postgres;
---
ALTER OPERATOR shop.=== (integer, integer) OWNER TO postgres;
---
CREATE TEXT SEARCH CONFIGURATION shop.tsc (
    PARSER = pg_catalog."default" );
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR asciiword WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR word WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR numword WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR email WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR url WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR host WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR sfloat WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR version WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword_numpart WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword_part WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword_asciipart WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR numhword WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR asciihword WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR hword WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR url_path WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR file WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR "float" WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR "int" WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc
    ADD MAPPING FOR uint WITH simple;
---
ALTER TEXT SEARCH CONFIGURATION shop.tsc OWNER TO postgres;
---
ALTER FOREIGN DATA WRAPPER w OWNER TO postgres;
---
ALTER SERVER srv OWNER TO postgres;
---
ALTER TABLE shop.parent OWNER TO postgres;
---
ALTER TABLE shop.child OWNER TO postgres;
---
ALTER TABLE shop.customers OWNER TO postgres;
---
ALTER TABLE shop.customers_id_seq OWNER TO postgres;
---
ALTER TABLE shop.events OWNER TO postgres;
---
ALTER TABLE shop.events_2024 OWNER TO postgres;
---
ALTER TABLE shop.events_rest OWNER TO postgres;
---
ALTER FOREIGN TABLE shop.ft OWNER TO postgres;
---
ALTER TABLE shop.orders OWNER TO postgres;
---
ALTER TABLE shop.v OWNER TO postgres;
---
ALTER TABLE shop.mv OWNER TO postgres;
---
ALTER TABLE shop.seq OWNER TO postgres;
---
ALTER TABLE shop.temp1 OWNER TO postgres;
---
ALTER LARGE OBJECT 16487 OWNER TO postgres;
---
SELECT pg_catalog.lo_open('16487', 131072);
---
SELECT pg_catalog.lowrite(0, '\x78');
---
SELECT pg_catalog.lo_close(0);
---
ALTER STATISTICS shop.st OWNER TO postgres;
---
ALTER PUBLICATION pub OWNER TO postgres;
---
INSERT INTO shop.customers VALUES
	(1, '1@x.de', 'n1', NULL, NULL, '2026-11-23 18:48:08.399162+00', DEFAULT),
	(2, '2@x.de', 'n2', NULL, NULL, '2026-11-23 18:48:08.399162+00', DEFAULT),
	(3, '3@x.de', 'n3', NULL, NULL, '2026-11-23 18:48:08.399162+00', DEFAULT),
	(4, '4@x.de', 'n4', NULL, NULL, '2026-11-23 18:48:08.399162+00', DEFAULT),
	(5, '5@x.de', 'n5', NULL, NULL, '2026-11-23 18:48:08.399162+00', DEFAULT) ON CONFLICT DO NOTHING;
---
INSERT INTO shop.orders OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 1.00, 'new', NULL),
	(2, 2, 2.00, 'new', NULL),
	(3, 3, 3.00, 'new', NULL),
	(4, 4, 4.00, 'new', NULL),
	(5, 5, 5.00, 'new', NULL) ON CONFLICT DO NOTHING;
---
SET default_transaction_read_only = off;
---
CREATE ROLE app;
---
ALTER ROLE app WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS;
---
ALTER ROLE grp WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
---
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;
---
ALTER ROLE app SET work_mem TO '5MB';
---
GRANT grp TO app GRANTED BY postgres;
---
DROP DATABASE r WITH (FORCE);
---
ALTER SEQUENCE shop.customers_id_seq OWNER TO postgres;
---
ALTER VIEW shop.v OWNER TO postgres;
---
ALTER MATERIALIZED VIEW shop.mv OWNER TO postgres;
---
ALTER SEQUENCE shop.seq OWNER TO postgres;
---
ALTER LARGE OBJECT 16502 OWNER TO postgres;
---
GRANT grp TO app WITH INHERIT TRUE GRANTED BY postgres;
---
CREATE EXTENSION IF NOT EXISTS amcheck WITH SCHEMA "pg_catalog"
---
SELECT n.nspname, x.extversion FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON x.extnamespace = n.oid
WHERE x.extname = 'amcheck'
---
WITH relation (pattern_id, oid, nspname, relname, reltoastrelid, relpages, is_heap, is_btree) AS (
SELECT DISTINCT ON (c.oid) NULL::INTEGER AS pattern_id,
c.oid, n.nspname, c.relname, c.reltoastrelid, c.relpages, c.relam = 2 AS is_heap, c.relam = 403 AS is_btree
FROM pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid
WHERE c.relpersistence != 't' AND c.relam = 2 AND c.relkind IN ('r', 'S', 'm', 't') AND c.relnamespace != 99
ORDER BY c.oid), toast (oid, nspname, relname, relpages) AS (
SELECT t.oid, 'pg_toast', t.relname, t.relpages
FROM pg_catalog.pg_class t INNER JOIN relation r ON r.reltoastrelid = t.oid
), index (oid, nspname, relname, relpages) AS (
SELECT c.oid, r.nspname, c.relname, c.relpages FROM relation r
INNER JOIN pg_catalog.pg_index i ON r.oid = i.indrelid INNER JOIN pg_catalog.pg_class c ON i.indexrelid = c.oid AND c.relpersistence != 't'
WHERE true AND c.relam = 403 AND c.relkind = 'i'
), toast_index (oid, nspname, relname, relpages) AS (
SELECT c.oid, 'pg_toast', c.relname, c.relpages FROM toast t INNER JOIN pg_catalog.pg_index i ON t.oid = i.indrelid
INNER JOIN pg_catalog.pg_class c ON i.indexrelid = c.oid AND c.relpersistence != 't'
WHERE true AND c.relam = 403 AND c.relkind = 'i')
SELECT pattern_id, is_heap, is_btree, oid, nspname, relname, relpages FROM (
SELECT pattern_id, is_heap, is_btree, NULL::OID AS oid, NULL::TEXT AS nspname, NULL::TEXT AS relname, NULL::INTEGER AS relpages
FROM relation WHERE pattern_id IS NOT NULL UNION
SELECT NULL::INTEGER AS pattern_id, is_heap, is_btree, oid, nspname, relname, relpages FROM relation UNION
SELECT NULL::INTEGER AS pattern_id, TRUE AS is_heap, FALSE AS is_btree, oid, nspname, relname, relpages FROM toast UNION
SELECT NULL::INTEGER AS pattern_id, FALSE AS is_heap, TRUE AS is_btree, oid, nspname, relname, relpages FROM index UNION
SELECT NULL::INTEGER AS pattern_id, FALSE AS is_heap, TRUE AS is_btree, oid, nspname, relname, relpages FROM toast_index
) AS combined_records ORDER BY relpages DESC NULLS FIRST, oid
---
SELECT v.blkno, v.offnum, v.attnum, v.msg FROM pg_catalog.pg_class c, "pg_catalog".verify_heapam(
relation := c.oid, on_error_stop := false, check_toast := true, skip := 'none'
) v WHERE c.oid = 1255 AND c.relpersistence != 't'
---
SELECT "pg_catalog".bt_index_check(index := c.oid, heapallindexed := false)
FROM pg_catalog.pg_class c, pg_catalog.pg_index i WHERE c.oid = 2691 AND c.oid = i.indexrelid AND c.relpersistence != 't' AND i.indisready AND i.indisvalid AND i.indislive
