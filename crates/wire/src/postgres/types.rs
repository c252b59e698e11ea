//! OIDs of the built-in types that matter, from the server's `pg_type.dat`. They are the same in
//! every server and version; types that extensions and users make have OIDs from 16384 on.

/// `bool`: true or false.
pub const BOOL: u32 = 16;
/// `bytea`: bytes.
pub const BYTEA: u32 = 17;
/// `"char"`: one byte.
pub const CHAR: u32 = 18;
/// `name`: an identifier of the catalog, up to 63 bytes.
pub const NAME: u32 = 19;
/// `int8`: 64-bit integer.
pub const INT8: u32 = 20;
/// `int2`: 16-bit integer.
pub const INT2: u32 = 21;
/// `int4`: 32-bit integer.
pub const INT4: u32 = 23;
/// `text`: text.
pub const TEXT: u32 = 25;
/// `oid`: object identifier.
pub const OID: u32 = 26;
/// `json`: JSON kept as text.
pub const JSON: u32 = 114;
/// `xml`: XML.
pub const XML: u32 = 142;
/// `float4`: single-precision number.
pub const FLOAT4: u32 = 700;
/// `float8`: double-precision number.
pub const FLOAT8: u32 = 701;
/// `money`: money.
pub const MONEY: u32 = 790;
/// `macaddr`: MAC address.
pub const MACADDR: u32 = 829;
/// `inet`: IP address, with or without network.
pub const INET: u32 = 869;
/// `cidr`: IP network.
pub const CIDR: u32 = 650;
/// `unknown`: a literal whose type nothing decides.
pub const UNKNOWN: u32 = 705;
/// `bpchar`: `char(n)`: text padded with blanks.
pub const BPCHAR: u32 = 1042;
/// `varchar`: `varchar(n)`: text of limited length.
pub const VARCHAR: u32 = 1043;
/// `date`: date.
pub const DATE: u32 = 1082;
/// `time`: time of day.
pub const TIME: u32 = 1083;
/// `timestamp`: date and time.
pub const TIMESTAMP: u32 = 1114;
/// `timestamptz`: date and time with time zone.
pub const TIMESTAMPTZ: u32 = 1184;
/// `interval`: time span.
pub const INTERVAL: u32 = 1186;
/// `timetz`: time of day with time zone.
pub const TIMETZ: u32 = 1266;
/// `bit`: bits of fixed length.
pub const BIT: u32 = 1560;
/// `varbit`: bits of limited length.
pub const VARBIT: u32 = 1562;
/// `numeric`: exact number.
pub const NUMERIC: u32 = 1700;
/// `refcursor`: the name of a cursor.
pub const REFCURSOR: u32 = 1790;
/// `record`: a row of any type.
pub const RECORD: u32 = 2249;
/// `uuid`: UUID.
pub const UUID: u32 = 2950;
/// `jsonb`: JSON, decomposed.
pub const JSONB: u32 = 3802;

/// Array of `bool`.
pub const BOOL_ARRAY: u32 = 1000;
/// Array of `bytea`.
pub const BYTEA_ARRAY: u32 = 1001;
/// Array of `"char"`.
pub const CHAR_ARRAY: u32 = 1002;
/// Array of `name`.
pub const NAME_ARRAY: u32 = 1003;
/// Array of `int8`.
pub const INT8_ARRAY: u32 = 1016;
/// Array of `int2`.
pub const INT2_ARRAY: u32 = 1005;
/// Array of `int4`.
pub const INT4_ARRAY: u32 = 1007;
/// Array of `text`.
pub const TEXT_ARRAY: u32 = 1009;
/// Array of `oid`.
pub const OID_ARRAY: u32 = 1028;
/// Array of `json`.
pub const JSON_ARRAY: u32 = 199;
/// Array of `xml`.
pub const XML_ARRAY: u32 = 143;
/// Array of `float4`.
pub const FLOAT4_ARRAY: u32 = 1021;
/// Array of `float8`.
pub const FLOAT8_ARRAY: u32 = 1022;
/// Array of `money`.
pub const MONEY_ARRAY: u32 = 791;
/// Array of `macaddr`.
pub const MACADDR_ARRAY: u32 = 1040;
/// Array of `inet`.
pub const INET_ARRAY: u32 = 1041;
/// Array of `cidr`.
pub const CIDR_ARRAY: u32 = 651;
/// Array of `bpchar`.
pub const BPCHAR_ARRAY: u32 = 1014;
/// Array of `varchar`.
pub const VARCHAR_ARRAY: u32 = 1015;
/// Array of `date`.
pub const DATE_ARRAY: u32 = 1182;
/// Array of `time`.
pub const TIME_ARRAY: u32 = 1183;
/// Array of `timestamp`.
pub const TIMESTAMP_ARRAY: u32 = 1115;
/// Array of `timestamptz`.
pub const TIMESTAMPTZ_ARRAY: u32 = 1185;
/// Array of `interval`.
pub const INTERVAL_ARRAY: u32 = 1187;
/// Array of `timetz`.
pub const TIMETZ_ARRAY: u32 = 1270;
/// Array of `bit`.
pub const BIT_ARRAY: u32 = 1561;
/// Array of `varbit`.
pub const VARBIT_ARRAY: u32 = 1563;
/// Array of `numeric`.
pub const NUMERIC_ARRAY: u32 = 1231;
/// Array of `refcursor`.
pub const REFCURSOR_ARRAY: u32 = 2201;
/// Array of `record`.
pub const RECORD_ARRAY: u32 = 2287;
/// Array of `uuid`.
pub const UUID_ARRAY: u32 = 2951;
/// Array of `jsonb`.
pub const JSONB_ARRAY: u32 = 3807;

/// The first OID that no built-in type has.
pub const FIRST_USER_DEFINED: u32 = 16_384;

/// Whether any text is a valid value of this type, in text and in binary format alike, so that a
/// masked value can be put in its place.
///
/// - `name`: clients keep at most 63 bytes; a replacement must not be longer.
/// - `bpchar` and `varchar`: a length limit binds the server's columns, not what a client receives.
/// - The text must be in the client's encoding and without NUL.
///
/// `citext` is no built-in type, so its OID differs from database to database and the answer for it
/// is no.
pub const fn carries_text(type_id: u32) -> bool {
    matches!(type_id, TEXT | VARCHAR | BPCHAR | NAME | UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_of_text_carry_text() {
        for type_id in [TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN] {
            assert!(carries_text(type_id), "{type_id}");
        }
        for type_id in [
            0,
            BYTEA,
            CHAR,
            JSON,
            JSONB,
            XML,
            UUID,
            INT4,
            TEXT_ARRAY,
            u32::MAX,
        ] {
            assert!(!carries_text(type_id), "{type_id}");
        }
        for type_id in FIRST_USER_DEFINED..FIRST_USER_DEFINED + 100 {
            assert!(!carries_text(type_id), "{type_id}");
        }
    }
}
