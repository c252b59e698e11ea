//! Bodies as they stream: however they are cut, the same comes out, or the same is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ostiary_mask::body::{BodyMasker, Broken, Form};
use ostiary_mask::detect::Detector;
use ostiary_mask::{FieldPath, HashKey, Rewriter, Strategy};

const FIELDS: [&str; 4] = ["$..email", "$.users[*].ssn", "$.a.*", "$.\"odd name\""];

fn masker(form: Form) -> BodyMasker {
    let fields = FIELDS.map(|path| {
        let path: FieldPath = path.parse().expect("a path");
        (path, Strategy::Redact)
    });
    let detectors = Detector::ALL.map(|detector| (detector, Strategy::Redact));
    let rewriter = Rewriter::new(detectors, HashKey::new(vec![7; 32]));
    BodyMasker::new(form, fields.to_vec(), rewriter)
}

fn masked<'b>(
    form: Form,
    pieces: impl Iterator<Item = &'b [u8]>,
) -> Result<(Vec<u8>, u64), Broken> {
    let mut masker = masker(form);
    let mut out = Vec::new();
    for piece in pieces {
        masker.push(piece, &mut out)?;
    }
    masker.finish(&mut out)?;
    Ok((out, masker.masked()))
}

fuzz_target!(|bytes: &[u8]| {
    let [form, cut, body @ ..] = bytes else {
        return;
    };
    let form = match form % 3 {
        0 => Form::Json,
        1 => Form::Text,
        _ => Form::Events,
    };
    let whole = masked(form, [body].into_iter());
    let size = usize::from(*cut).max(1);
    let cut = masked(form, body.chunks(size));
    let single = masked(form, body.chunks(1));
    assert_eq!(whole, cut, "in pieces of {size}");
    assert_eq!(whole, single, "byte by byte");
});
