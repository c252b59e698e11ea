//! Encodings by name, as `client_encoding` and COPY's ENCODING give them.

/// How names of encodings begin in which no byte of a longer character looks like ASCII. In the others
/// (SJIS, BIG5, GBK, UHC, GB18030, JOHAB) a delimiter can be half of a letter.
const PLAIN: [&str; 22] = [
    "abc",
    "alt",
    "euccn",
    "eucjis2004",
    "eucjp",
    "euckr",
    "euctw",
    "iso8859",
    "koi8",
    "latin",
    "muleinternal",
    "sqlascii",
    "tcvn",
    "unicode",
    "utf8",
    "vscii",
    "win125",
    "win866",
    "win874",
    "windows125",
    "windows866",
    "windows874",
];

/// Whether bytes that look like ASCII are ASCII in the encoding of this name.
pub(super) fn is_plain(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    PLAIN.iter().any(|plain| name.starts_with(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_ascii_is_ascii() {
        for name in [
            "UTF8",
            "utf-8",
            "LATIN1",
            "ISO_8859_5",
            "EUC_JP",
            "SQL_ASCII",
            "WIN1252",
        ] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "SJIS",
            "Shift_JIS",
            "BIG5",
            "WIN950",
            "GBK",
            "UHC",
            "GB18030",
            "JOHAB",
            "",
            "6",
        ] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
