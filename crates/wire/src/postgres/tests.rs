use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Every tag there is and one there is not, before bodies that mean something in many messages.
#[test]
fn no_tag_and_body_breaks_anything() {
    let bodies: [&[u8]; 9] = [
        b"",
        b"\0",
        b"\0\0\0\0",
        b"\0\0\0\x05\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff\0\0\0\0",
        b"a\0b\0\0\x01\0\x01\0\x01\0\0\0\x01x\0\0",
        b"Sa\0\0",
        b"\0\x01\xff\xff\xff\xff",
    ];
    for tag in 0..=u8::MAX {
        for body in bodies {
            let plain = [&[tag], body].concat();
            assert_eq!(exercise(&plain), Ok(()), "{tag} {body:?}");
            let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
            let framed = [&[tag], &length[..], body].concat();
            for cut in 0..=framed.len() {
                assert_eq!(exercise(&framed[..cut]), Ok(()), "{tag} {body:?}");
            }
        }
    }
}

#[test]
fn a_list_of_formats_may_be_empty_single_or_full() {
    use Format::{Binary, Text};
    assert_eq!(Format::of(&[], 7), Some(Text));
    assert_eq!(Format::of(&[Binary], 7), Some(Binary));
    assert_eq!(Format::of(&[Text, Binary], 1), Some(Binary));
    assert_eq!(Format::of(&[Text, Binary], 2), None);
}

proptest! {
    #[test]
    fn no_bytes_break_anything(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(exercise(&bytes), Ok(()));
    }

    #[test]
    fn no_bytes_after_a_tag_break_anything(
        tag in prop::sample::select(b"RK23CGHWdcDIENVvnAtS1sZTBPQXpfFE".to_vec()),
        bytes in vec(prop_oneof![3 => 0_u8..4, 1 => any::<u8>()], 0..60),
    ) {
        prop_assert_eq!(exercise(&[&[tag][..], &bytes].concat()), Ok(()));
    }
}
