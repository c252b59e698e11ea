//! However a stream is cut into messages, the same rows leave, each in a message of its own.

use ostiary_operation::sql::{CopyFormat, Layout};
use ostiary_wire::postgres::{Backend, frame};
use proptest::prelude::{Strategy as _, any, prop, prop_assert, proptest};

use super::binary;
use super::csv::Csv;
use super::stream::{Bad, Cells, Change, Stream, Took};
use super::text::Text;

type Row = Vec<Option<Vec<u8>>>;

/// Masks every second column, by text and by NULL in turn, and writes down what it saw.
#[derive(Default)]
struct Odd {
    seen: Vec<Row>,
    row: Row,
}

fn masked(index: usize) -> Change {
    match index % 4 {
        1 => Change::Text,
        3 => Change::Null,
        _ => Change::Keep,
    }
}

const MASK: &[u8] = b"[\\\t,\"x\n]";

impl Cells for Odd {
    fn cell(&mut self, index: usize, value: Option<&[u8]>, out: &mut Vec<u8>) -> Change {
        self.row.push(value.map(<[u8]>::to_vec));
        match value {
            None => Change::Keep,
            Some(_) => {
                out.extend_from_slice(MASK);
                masked(index)
            }
        }
    }

    fn row(&mut self) {
        self.seen.push(std::mem::take(&mut self.row));
    }
}

fn layout(format: CopyFormat, header: bool) -> Layout {
    let csv = format == CopyFormat::Csv;
    Layout {
        format,
        delimiter: if csv { b',' } else { b'\t' },
        null: if csv { "" } else { "\\N" }.to_owned(),
        quote: b'"',
        escape: b'"',
        header,
        encoding: None,
    }
}

fn names(columns: usize) -> Vec<Vec<u8>> {
    (0..columns)
        .map(|n| format!("c,\"{n}").into_bytes())
        .collect()
}

/// The stream of a server, unit by unit.
fn written(layout: &Layout, rows: &[Row]) -> Vec<Vec<u8>> {
    let text = Text::new(layout.delimiter, &layout.null);
    let csv = Csv::new(layout.delimiter, &layout.null, layout.quote, layout.escape);
    let columns = rows.first().map_or(0, Vec::len);
    let header: Row = names(columns).into_iter().map(Some).collect();
    let lines = layout.header.then_some(&header).into_iter().chain(rows);
    if layout.format != CopyFormat::Binary {
        return lines
            .map(|row| {
                let mut out = Vec::new();
                for (index, value) in row.iter().enumerate() {
                    if index > 0 {
                        out.push(layout.delimiter);
                    }
                    match layout.format {
                        CopyFormat::Csv => csv.write(value.as_deref(), b"", columns == 1, &mut out),
                        _ => text.write(value.as_deref(), &mut out),
                    }
                }
                out.push(b'\n');
                out
            })
            .collect();
    }
    let mut units: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| {
            let mut out = i16::try_from(row.len()).unwrap().to_be_bytes().to_vec();
            row.iter()
                .for_each(|value| binary::write(value.as_deref(), &mut out));
            out
        })
        .collect();
    units.push(vec![0xff, 0xff]);
    let mut first = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x03ext".to_vec();
    first.append(&mut units[0]);
    units[0] = first;
    units
}

/// What leaves of these messages, message by message.
fn leaves(
    layout: &Layout,
    columns: usize,
    messages: &[Vec<u8>],
) -> Result<(Vec<Vec<u8>>, Vec<Row>), Bad> {
    let mut stream = Stream::new(layout, names(columns));
    let mut cells = Odd::default();
    let mut left = Vec::new();
    for message in messages {
        let mut out = Vec::new();
        if stream.take(message, 1 << 20, &mut cells, &mut out)? == Took::AsItCame {
            assert!(out.is_empty());
            Backend::CopyData(message).encode(&mut out).unwrap();
        }
        let mut rest = out.as_slice();
        while let Some(frame) = frame::take(rest, usize::MAX).unwrap() {
            left.push(frame.body.to_vec());
            rest = &rest[frame.bytes.len()..];
        }
        assert!(rest.is_empty());
    }
    stream.finish()?;
    Ok((left, cells.seen))
}

fn check(format: CopyFormat, header: bool, rows: &[Row], cuts: &[usize]) {
    let layout = layout(format, header);
    let columns = rows.first().map_or(0, Vec::len);
    let units = written(&layout, rows);
    let expected: Vec<Row> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().enumerate();
            let cells = cells.map(|(index, value)| match masked(index) {
                Change::Keep => value.clone(),
                Change::Text => value.as_ref().map(|_| MASK.to_vec()),
                Change::Null => None,
            });
            cells.collect()
        })
        .collect();
    let whole = leaves(&layout, columns, &units).unwrap();
    assert_eq!(whole.1, rows);
    assert_eq!(whole.0.len(), units.len());
    // Quotes around a NULL or a mask say nothing, so the rows are compared, not the bytes.
    let mut again = Stream::new(&layout, names(columns));
    let mut cells = Odd::default();
    for message in &whole.0 {
        again
            .take(message, 1 << 20, &mut cells, &mut Vec::new())
            .unwrap();
    }
    assert_eq!(cells.seen, expected);

    let stream = units.concat();
    let mut cut: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    cut.extend([0, stream.len()]);
    cut.sort_unstable();
    let parts: Vec<Vec<u8>> = cut
        .windows(2)
        .map(|pair| stream[pair[0]..pair[1]].to_vec())
        .collect();
    assert_eq!(leaves(&layout, columns, &parts).unwrap(), whole);
    let bytes: Vec<Vec<u8>> = stream.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(leaves(&layout, columns, &bytes).unwrap(), whole);
}

fn value() -> impl proptest::strategy::Strategy<Value = Option<Vec<u8>>> {
    let special = prop::sample::select(b"\\\t\n\r,\"'xN.\0\xff\x08".to_vec());
    prop::option::of(prop::collection::vec(special, 0..9))
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_rows(
        rows in (1..6_usize).prop_flat_map(|columns| {
            prop::collection::vec(prop::collection::vec(value(), columns), 1..6)
        }),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        header: bool,
    ) {
        for format in [CopyFormat::Text, CopyFormat::Csv, CopyFormat::Binary] {
            check(format, header, &rows, &cuts);
        }
    }

    #[test]
    fn no_bytes_panic_or_grow(
        bytes: Vec<u8>, columns in 0..4_usize, begun: bool, header: bool, cut in 1..40_usize
    ) {
        for format in [CopyFormat::Text, CopyFormat::Csv, CopyFormat::Binary] {
            let mut stream = Stream::new(&layout(format, header), names(columns));
            let mut data = if begun && format == CopyFormat::Binary {
                b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec()
            } else {
                Vec::new()
            };
            data.extend(&bytes);
            let mut out = Vec::new();
            for message in data.chunks(cut) {
                if stream.take(message, 1 << 20, &mut Odd::default(), &mut out).is_err() {
                    break;
                }
            }
            prop_assert!(out.len() <= (data.len() + 40) * 40);
        }
    }
}

#[test]
fn a_line_that_does_not_hold_the_names_is_masked() {
    let layout = layout(CopyFormat::Text, true);
    let (left, seen) = leaves(&layout, 2, &[b"a\tb\n".to_vec()]).unwrap();
    assert_eq!(seen, [[Some(b"a".to_vec()), Some(b"b".to_vec())]]);
    assert_eq!(left, [b"a\t[\\\\\\t,\"x\\n]\n".to_vec()]);
}

#[test]
fn holds_no_more_than_its_limit() {
    let mut stream = Stream::new(&layout(CopyFormat::Csv, false), names(1));
    let mut cells = Odd::default();
    let mut out = Vec::new();
    assert_eq!(
        stream.take(b"\"aaaa", 8, &mut cells, &mut out),
        Ok(Took::Written)
    );
    assert_eq!(
        stream.take(b"aaaa", 8, &mut cells, &mut out),
        Err(Bad::Long(8))
    );
}

#[test]
fn ends_only_between_rows() {
    let text = layout(CopyFormat::Text, false);
    assert_eq!(leaves(&text, 1, &[b"a".to_vec()]), Err(Bad::Cut));
    assert_eq!(leaves(&text, 1, &[b"a\\\n".to_vec()]), Err(Bad::Cut));
    assert_eq!(leaves(&text, 1, &[b"a\tb\n".to_vec()]), Err(Bad::Columns));
    assert_eq!(leaves(&text, 3, &[b"a\tb\n".to_vec()]), Err(Bad::Columns));
    assert_eq!(leaves(&text, 0, &[b"\n".to_vec()]).unwrap().1, [Row::new()]);
    assert_eq!(leaves(&text, 0, &[b"a\n".to_vec()]), Err(Bad::Columns));
    let binary = layout(CopyFormat::Binary, false);
    let header = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    assert_eq!(
        leaves(&binary, 1, std::slice::from_ref(&header)),
        Err(Bad::Cut)
    );
    assert!(leaves(&binary, 1, &[header.clone(), vec![0xff, 0xff]]).is_ok());
    assert!(leaves(&binary, 1, &[header.clone(), vec![0xff, 0xff], vec![0]]).is_err());
    let mut oids = header;
    oids[12] = 1;
    assert!(leaves(&binary, 1, &[oids]).is_err());
}
