use ostiary_proto::AppendRequest;
use prost::Message as _;

use super::*;

fn event(seq: u64, padding: usize) -> Event {
    Event {
        session_id: "x".repeat(padding),
        seq,
        ..Event::default()
    }
}

fn sent(queue: &mut Queue) -> Vec<(u64, Vec<u64>)> {
    std::iter::from_fn(|| queue.next_message().map(<[u8]>::to_vec))
        .map(|bytes| {
            let request = AppendRequest::decode(bytes.as_slice()).unwrap();
            (
                request.batch,
                request.events.iter().map(|event| event.seq).collect(),
            )
        })
        .collect()
}

#[test]
fn maps_an_acknowledgement_back_to_each_connection() {
    let mut queue = Queue::new();
    for (connection, seq) in [(7, 1), (8, 1), (7, 2)] {
        queue.push(connection, &event(seq, 1)).unwrap();
    }
    assert_eq!(sent(&mut queue), [(1, vec![1, 1, 2])]);
    queue.push(8, &event(2, 1)).unwrap();
    assert_eq!(sent(&mut queue), [(2, vec![2])]);
    assert_eq!(queue.acknowledge(1), BTreeMap::from([(7, 2), (8, 1)]));
    assert_eq!(queue.acknowledge(1), BTreeMap::new());
    assert_eq!(queue.acknowledge(2), BTreeMap::from([(8, 2)]));
    assert_eq!((queue.len(), queue.bytes, queue.waiting_bytes), (0, 0, 0));
}

#[test]
fn believes_no_acknowledgement_of_what_was_not_sent() {
    let mut queue = Queue::new();
    queue.push(7, &event(1, 1)).unwrap();
    assert_eq!(queue.acknowledge(u64::MAX), BTreeMap::new());
    assert_eq!(sent(&mut queue), [(1, vec![1])]);
    assert_eq!(queue.acknowledge(2), BTreeMap::new());
    assert_eq!(queue.len(), 1);
}

#[test]
fn sends_again_in_order_what_was_not_acknowledged() {
    let mut queue = Queue::new();
    for seq in 1..=3 {
        queue.push(7, &event(seq, 1)).unwrap();
        assert_eq!(sent(&mut queue).len(), 1);
    }
    queue.push(7, &event(4, 1)).unwrap();
    assert_eq!(queue.acknowledge(1), BTreeMap::from([(7, 1)]));
    queue.rewind();
    assert_eq!(sent(&mut queue), [(1, vec![2]), (2, vec![3]), (3, vec![4])]);
    assert_eq!(queue.acknowledge(3), BTreeMap::from([(7, 4)]));
    assert_eq!((queue.len(), queue.bytes, queue.waiting_bytes), (0, 0, 0));
}

#[test]
fn an_acknowledgement_sends_what_is_owed_and_nothing_else() {
    let mut queue = Queue::new();
    for seq in 1..=3 {
        queue.push(7, &event(seq, 1)).unwrap();
        assert_eq!(queue.next_in_turn().is_some(), seq < 3);
    }
    assert!(queue.is_due());
    queue.acknowledge(1);
    assert!(queue.next_in_turn().is_some());
    assert!(queue.next_in_turn().is_none() && !queue.is_due());
    // Nobody has asked for this one.
    queue.push(7, &event(4, 1)).unwrap();
    queue.acknowledge(2);
    assert!(!queue.is_due());
    queue.push(7, &event(5, EAGER_BYTES)).unwrap();
    assert!(queue.is_due());
}

#[test]
fn cuts_messages_at_their_maximum_and_sends_a_larger_event_alone() {
    let mut queue = Queue::new();
    for (seq, size) in [(1, 200 << 10), (2, 100 << 10), (3, 300 << 10), (4, 1)] {
        queue.push(7, &event(seq, size)).unwrap();
    }
    assert!(queue.is_eager());
    assert_eq!(
        sent(&mut queue),
        [(1, vec![1]), (2, vec![2]), (3, vec![3]), (4, vec![4])]
    );
    assert!(!queue.is_eager());
}

#[test]
fn is_full_at_its_bounds_and_keeps_nothing_at_twice_that() {
    let mut queue = Queue::new();
    for _ in 0..MAX_EVENTS {
        queue.push(7, &event(1, 1)).unwrap();
    }
    for _ in 0..MAX_EVENTS {
        assert_eq!(queue.push(7, &event(2, 1)), Err(Full));
    }
    assert_eq!(queue.push(7, &event(3, 1)), Err(Full));
    assert_eq!(queue.len(), 2 * MAX_EVENTS);
    let mut queue = Queue::new();
    assert!(!queue.is_congested());
    queue.push(7, &event(1, MAX_BYTES - 110)).unwrap();
    assert!(queue.is_congested());
    assert_eq!(queue.push(7, &event(2, 100)), Err(Full));
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.push(7, &event(2, MAX_BYTES)), Err(Full));
    assert_eq!(queue.len(), 2);
}
