//! Logging in, on both sides.

use expect_test::expect;

use super::client::{hello, password};
use super::policy::Rules;
use super::rig::{Rig, TOKEN, check};
use super::server::Auth;

#[test]
fn logs_in_whatever_the_server_asks_for() {
    for auth in [Auth::Trust, Auth::Cleartext, Auth::Md5, Auth::Scram] {
        let mut rig = Rig::new(Rules::Plain, auth).logged_in();
        assert_eq!(rig.logins[0].token, TOKEN);
        rig.works();
    }
}

#[test]
fn takes_over_a_login_with_scram() {
    let mut rig = Rig::new(Rules::Plain, Auth::Scram);
    rig.send(&hello());
    check(
        &mut rig,
        &expect![[r#"
        == 1 ConnectionOpened app as alice []
        -> Startup 3.0 user=shop_app database=app
        <- Authentication CleartextPassword
    "#]],
    );
    rig.send(&password(TOKEN));
    check(
        &mut rig,
        &expect![[r#"
        !! OpenSession app alice
        -> Password (SCRAM first)
        -> Password (SCRAM last)
        == 2 LoggedIn agent-7 as shop_app on 16.1
        <- Authentication Ok
        <- ParameterStatus server_version=16.1
        <- ParameterStatus client_encoding=UTF8
        <- ParameterStatus standard_conforming_strings=on
        <- BackendKeyData 42
        <- ReadyForQuery I
    "#]],
    );
}
