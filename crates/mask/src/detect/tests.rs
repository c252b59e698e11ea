use proptest::prelude::*;

use super::*;

fn scan_with(detectors: &[Detector], text: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    Scanner::new(detectors.iter().copied()).scan(text, &mut findings);
    findings
}

/// `expected` lists what is found, ` | ` between.
#[track_caller]
fn check(text: &str, expected: &str) {
    let findings = scan_with(&Detector::ALL, text.as_bytes());
    let found: Vec<_> = findings
        .iter()
        .map(|Finding { detector, range }| {
            format!("{detector}:{}", text.get(range.clone()).unwrap_or("?"))
        })
        .collect();
    assert_eq!(found.join(" | "), expected, "in {text:?}");
}

#[test]
fn names_are_those_of_labels_yaml() {
    for (n, detector) in Detector::ALL.into_iter().enumerate() {
        assert_eq!(detector.index(), n);
        assert_eq!(detector.to_string().parse(), Ok(detector));
    }
    assert_eq!(format!("{:>6}|", Detector::Ipv4), "  ipv4|");
    assert_eq!(
        "emial".parse::<Detector>().unwrap_err().to_string(),
        "unknown detector `emial`; known are `email`, `payment_card`, `us_ssn`, `phone`, `ipv4`, \
         `ipv6`, `jwt`, `private_key`, `aws_key`, `github_token`, `slack_token`, `gcp_key`"
    );
}

#[test]
fn gives_each_byte_to_one_finding() {
    check("10.0.0.1@example.com", "email:10.0.0.1@example.com");
    check(
        "(415)555-2671@example.com",
        "phone:(415)555-2671 | email:@example.com",
    );
    check("a@b.org,c@d.org", "email:a@b.org | email:c@d.org");
    check("a@b.org@c.org", "email:a@b.org | email:@c.org");
    check(
        "4111-1111-1111-1111 123-45-6789",
        "payment_card:4111-1111-1111-1111 | us_ssn:123-45-6789",
    );
    check("::ffff:192.0.2.128", "ipv6:::ffff:192.0.2.128");
}

#[test]
fn looks_only_for_what_is_wanted() {
    let text = "bob@example.com 10.0.0.1 123-45-6789 2001:db8::1 +14155552671";
    for detector in Detector::ALL.into_iter().take(6) {
        let found = scan_with(&[detector], text.as_bytes());
        let wanted = usize::from(detector != Detector::PaymentCard);
        assert_eq!(found.len(), wanted, "{detector}");
        assert!(found.iter().all(|finding| finding.detector == detector));
    }
    assert!(scan_with(&[], text.as_bytes()).is_empty());
    assert!(Scanner::default().is_empty());
    let scanner = Scanner::new([Detector::Ipv4, Detector::Email, Detector::Email]);
    assert_eq!(format!("{scanner:?}"), "{Email, Ipv4}");
}

#[test]
fn padding_does_not_hide_a_value() {
    let long = "a".repeat(100);
    check(
        &format!("{long}bob@example.com"),
        &format!("email:{}bob@example.com", "a".repeat(61)),
    );
    check(
        &format!("bob@example.com{long}"),
        &format!("email:bob@example.com{long}"),
    );
}

#[test]
fn takes_a_key_cut_short_to_the_end_of_the_value() {
    let material = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
    for begin in [
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\\n",
    ] {
        let key = format!("{begin}{material}\n{material}");
        check(&format!("x: {key}"), &format!("private_key:{key}"));
    }
    check("keys start with -----BEGIN PRIVATE KEY----- and so on", "");
    check("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEF", "");
}

#[test]
fn takes_time_in_proportion_whatever_is_repeated() {
    for piece in FRAGMENTS.iter().chain(&[
        "eyJ",
        "eyJa.",
        "xoxb-",
        "xoxb-1",
        "AIza",
        "AKIA",
        "ghs_",
        "ghs_.",
        "a@",
        "@a.",
        "1:",
        "f:",
        "+1",
        "(",
        "4111 ",
        "415 ",
        "1.",
        "1-",
        "-----BEGIN PRIVATE KEY----- ",
        "secret_access_key=a",
    ]) {
        let text = piece.repeat((1 << 18) / piece.len());
        scan_with(&Detector::ALL, text.as_bytes());
    }
}

/// What must be found wherever it stands among ordinary neighbours.
const VALUES: [(&str, &str); 8] = [
    ("email", "bob.o'neil+x@mail.example.co.uk"),
    ("payment_card", "4111 1111 1111 1111"),
    ("us_ssn", "123-45-6789"),
    ("phone", "+49 30 901820"),
    ("phone", "(415) 555-2671"),
    ("ipv4", "192.168.1.254"),
    ("ipv6", "2001:db8::8a2e:370:7334"),
    ("gcp_key", "AIzaSyA1234567890abcdefghijklmnopqrstuv"),
];

#[test]
fn finds_values_among_ordinary_neighbours() {
    let around = [
        ("", ""),
        ("\"", "\""),
        ("<", ">"),
        ("{", "}"),
        ("value=", ";"),
        ("value: ", "."),
        ("[", "]"),
        ("\u{201c}", "\u{201d}"),
        ("値は", "です"),
        ("\n", "\r\n"),
        ("see ", ", then"),
        ("a\t", "\tb"),
        (">", "</td>"),
    ];
    for (name, value) in VALUES {
        for (left, right) in around {
            check(&format!("{left}{value}{right}"), &format!("{name}:{value}"));
        }
    }
}

/// Bytes that triggers, separators and digits are frequent in.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..6),
        4 => "[0-9]{1,5}".prop_map(String::into_bytes),
        8 => "[-@:.+()_ JGIKxzXey0-9a-f]{0,6}".prop_map(String::into_bytes),
        2 => prop::sample::select(FRAGMENTS).prop_map(|s| s.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const FRAGMENTS: &[&str] = &[
    "bob@example.com",
    "4111111111111111",
    "4111 1111 1111 1111",
    "123-45-6789",
    "(415) 555-2671",
    "+14155552671",
    "10.0.0.1",
    "2001:db8::1",
    "::",
    "eyJhbGciOiJIUzI1NiJ9",
    ".eyJzdWIiOiIxIn0",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "AKIAIOSFODNN7EXAMPLE",
    "secret_access_key",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "github_pat_",
    "ghp_",
    "AIza",
    "é",
];

proptest! {
    #[test]
    fn findings_are_ordered_disjoint_and_in_range(text in noise()) {
        let mut free = 0;
        for Finding { range, .. } in scan_with(&Detector::ALL, &text) {
            prop_assert!(free <= range.start && range.start < range.end);
            free = range.end;
        }
        prop_assert!(free <= text.len());
    }

    #[test]
    fn all_together_mark_what_each_marks_alone(text in noise()) {
        let together = scan_with(&Detector::ALL, &text);
        for detector in Detector::ALL {
            for Finding { range, .. } in scan_with(&[detector], &text) {
                for at in range {
                    let marked = together.iter().any(|found| found.range.contains(&at));
                    prop_assert!(marked, "{} at {} is lost", detector, at);
                }
            }
        }
    }

    /// Triggers are looked up in strides, so each place in a stride is another case.
    #[test]
    fn findings_do_not_depend_on_where_the_text_lies(text in noise(), blanks in 1..17_usize) {
        let moved = [vec![b' '; blanks], text.clone()].concat();
        let shifted: Vec<_> = scan_with(&Detector::ALL, &text)
            .into_iter()
            .map(|Finding { detector, range }| Finding {
                detector,
                range: range.start + blanks..range.end + blanks,
            })
            .collect();
        prop_assert_eq!(scan_with(&Detector::ALL, &moved), shifted);
    }

    #[test]
    fn findings_do_not_cut_characters(text in noise().prop_map(|b| String::from_utf8_lossy(&b).into_owned())) {
        for Finding { range, .. } in scan_with(&Detector::ALL, text.as_bytes()) {
            prop_assert!(text.get(range).is_some());
        }
    }

    #[test]
    fn text_without_triggers_has_no_findings(text in "[a-wyA-FLMNO-WYZ ,;!?\"']{0,80}") {
        prop_assert!(scan_with(&Detector::ALL, text.as_bytes()).is_empty());
    }
}
