//! Times, as people and as machines read them.

use jiff::{Timestamp, tz::TimeZone};

/// Microseconds since the Unix epoch.
pub(crate) fn now_us() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0)
}

/// `2026-05-04 13:02:11` where the reader is; `-` for never.
pub(crate) fn local(us: u64) -> String {
    format(us, "%Y-%m-%d %H:%M:%S")
}

/// `13:02:11.123` where the reader is.
pub(crate) fn clock(us: u64) -> String {
    format(us, "%H:%M:%S%.3f")
}

/// RFC 3339 in UTC for machines; null for never.
pub(crate) fn instant(us: u64) -> serde_json::Value {
    match timestamp(us) {
        Some(time) => format!("{time:.6}").into(),
        None => serde_json::Value::Null,
    }
}

/// `4m 32s`, in at most two units.
pub(crate) fn span(us: u64) -> String {
    let seconds = us / 1_000_000;
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if us < 1_000 => format!("{us} us"),
        (0, 0, 0) if seconds == 0 => format!("{}.{} ms", us / 1_000, us / 100 % 10),
        (0, 0, 0) if seconds < 10 => format!("{seconds}.{}s", us / 100_000 % 10),
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        (_, _, _) => format!("{days}d {hours}h"),
    }
}

fn format(us: u64, pattern: &str) -> String {
    match timestamp(us) {
        Some(time) => time
            .to_zoned_datetime(TimeZone::system())
            .strftime(pattern)
            .to_string(),
        None => "-".to_owned(),
    }
}

fn timestamp(us: u64) -> Option<Timestamp> {
    let us = i64::try_from(us).ok().filter(|us| *us > 0)?;
    Timestamp::from_microsecond(us).ok()
}

#[cfg(test)]
mod tests {
    use super::{instant, local, span};

    #[test]
    fn spans_have_at_most_two_units() {
        let cases = [
            (12, "12 us"),
            (1_240, "1.2 ms"),
            (3_900_000, "3.9s"),
            (42_000_000, "42s"),
            (272_000_000, "4m 32s"),
            (7_260_000_000, "2h 1m"),
            (180_000_000_000, "2d 2h"),
        ];
        for (us, shown) in cases {
            assert_eq!(span(us), shown);
        }
    }

    #[test]
    fn never_is_a_dash_for_people_and_null_for_machines() {
        assert_eq!(local(0), "-");
        assert_eq!(local(u64::MAX), "-");
        assert!(instant(0).is_null());
        assert_eq!(
            instant(1_762_000_000_123_456),
            "2025-11-01T12:26:40.123456Z"
        );
    }
}
