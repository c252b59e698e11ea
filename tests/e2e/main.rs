#[test]
fn pg() {
    let p = ostiary_tests::postgres::Postgres::start(&ostiary_tests::postgres::Settings {
        tls: true,
        ..Default::default()
    })
    .unwrap();
    let d = p.database().unwrap();
    assert_eq!(p.value(&d, "select count(*) from users").unwrap(), "3");
}
