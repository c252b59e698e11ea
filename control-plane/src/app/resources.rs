//! What is guarded, and how it is going.

use std::{collections::BTreeMap, sync::Arc};

use ostiary_policy::Mode;
use ostiary_proto::Resource;

use super::{Error, policies::Policies, sessions::Sessions};
use crate::{config::Config, store::Store};

/// Lists resources.
#[derive(Debug)]
pub struct Resources {
    resources: Vec<Resource>,
    store: Arc<dyn Store>,
    policies: Arc<Policies>,
    sessions: Arc<Sessions>,
}

impl Resources {
    pub(super) fn new(
        config: &Config,
        store: Arc<dyn Store>,
        policies: Arc<Policies>,
        sessions: Arc<Sessions>,
    ) -> Self {
        let resources = config.resources.iter().map(|resource| Resource {
            name: resource.name.clone(),
            kind: resource.kind.as_str().to_owned(),
            listen: resource.listen.to_string(),
            address: resource.address.to_string(),
            role: resource.role.clone(),
            ..Resource::default()
        });
        Self {
            resources: resources.collect(),
            store,
            policies,
            sessions,
        }
    }

    /// Every resource, in the order of the configuration.
    pub async fn list(&self) -> Result<Vec<Resource>, Error> {
        let mut open: BTreeMap<String, u32> = BTreeMap::new();
        for row in self.store.open_sessions().await? {
            let count = open.entry(row.session.resource).or_default();
            *count = count.saturating_add(1);
        }
        let running = self.policies.running();
        let mode = |name: &str| match running.as_ref().map(|running| running.bundle.mode(name)) {
            Some(Mode::Observe) => "observe",
            Some(Mode::Enforce) | None => "enforce",
        };
        let with_counts = |resource: &Resource| Resource {
            mode: mode(&resource.name).to_owned(),
            filters: self.sessions.filters(&resource.name),
            sessions: open.get(&resource.name).copied().unwrap_or(0),
            ..resource.clone()
        };
        Ok(self.resources.iter().map(with_counts).collect())
    }
}
