//! The server knows each agent by its own name and groups, and its own RBAC counts beside policy.

use ostiary_tests::Result;

use super::cluster::with_cluster;

#[test]
fn the_servers_own_rules_are_about_the_agent() -> Result<()> {
    with_cluster(|it| {
        // Past the gateway, its account sees everything.
        let both = it.agent_itself("both", &["analysts", "deployers"])?;
        both.run(&["get", "pods"])?.ok()?;
        both.run(&["get", "deployments"])?.ok()?;
        let one = it.agent_itself("one", &["analysts", "system:masters"])?;
        one.run(&["get", "pods"])?.ok()?;
        let ran = one.run(&["get", "deployments"])?.exits(1)?;
        let by_server = r#"User "agent:one" cannot list resource "deployments""#;
        assert!(ran.err.contains(by_server), "{ran:?}");
        let ran = one.run(&["--as=admin", "get", "deployments"])?.exits(1)?;
        assert!(ran.err.contains("does not impersonate"), "{ran:?}");
        Ok(())
    })
}
