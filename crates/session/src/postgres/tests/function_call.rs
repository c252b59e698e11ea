//! The FunctionCall message.

use super::client::query;
use super::policy::Rules;
use super::rig::{Rig, approved};

/// `lo_creat` with no arguments, a text result.
const CALL: &[u8] = b"F\0\0\0\x0e\0\0\x03\xbd\0\0\0\0\0\0";

#[test]
fn is_denied_unless_policy_names_it() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(CALL);
    let seen = rig.take();
    assert!(seen.contains("42501"), "{seen}");
    assert!(seen.contains("OID 957"), "{seen}");
    assert_eq!(rig.server.calls, 0);
    rig.works();
}

#[test]
fn is_carried_where_policy_permits_it() {
    let mut rig = Rig::open(Rules::Calls);
    rig.send(CALL);
    let seen = rig.take();
    assert!(seen.contains("<- FunctionCallResponse"), "{seen}");
    assert!(rig.client_saw("a value"), "{seen}");
    assert!(seen.contains("Replied 1 FUNCTION CALL"), "{seen}");
    assert_eq!(rig.server.calls, 1);
    rig.works();
}

#[test]
fn is_refused_where_columns_are_labelled() {
    let mut rig = Rig::open(Rules::LabelledCalls);
    rig.send(CALL);
    let seen = rig.take();
    assert!(seen.contains("labels-stay-in"), "{seen}");
    assert_eq!(rig.server.calls, 0);
    rig.works();
}

#[test]
fn its_result_is_withheld_where_columns_have_labels_meanwhile() {
    let mut rig = Rig::open(Rules::Calls);
    rig.server.silent = true;
    rig.send(CALL);
    rig.change(Rules::LabelledCalls);
    rig.server_says(b"V\0\0\0\x0f\0\0\0\x07a valueZ\0\0\0\x05I");
    let seen = rig.take();
    assert!(seen.contains("<- FunctionCallResponse"), "{seen}");
    assert!(!rig.client_saw("a value"), "{seen}");
}

#[test]
fn waits_for_people() {
    let mut rig = Rig::open(Rules::AskedCalls);
    rig.send(CALL);
    assert_eq!((rig.server.calls, rig.asked.len()), (0, 1));
    rig.approve(approved());
    assert_eq!(rig.server.calls, 1);
    rig.works();
}

#[test]
fn its_answer_is_no_answer_to_a_query() {
    let mut rig = Rig::open(Rules::Calls);
    rig.server.silent = true;
    rig.send(&query("SELECT 1"));
    rig.server_says(b"V\0\0\0\x08\xff\xff\xff\xff");
    rig.ended();
}
