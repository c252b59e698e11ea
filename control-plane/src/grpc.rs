//! The services of `ostiary.v1` over the use cases: decode, ask, encode.

mod approvals;
mod auth;
mod gateway;
mod policy;
mod resources;
mod sessions;
mod status;
mod stream;

use std::sync::Arc;

use ostiary_proto::{
    approvals_server::ApprovalsServer, gateway_server::GatewayServer, policy_server::PolicyServer,
    resources_server::ResourcesServer, sessions_server::SessionsServer,
};
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;

use crate::app::App;
pub(crate) use auth::GatewayAuth;

/// Longest message taken from a filter or an operator: a statement with its parameters, a batch of
/// events, a bundle.
const MAX_MESSAGE: usize = 4 << 20;

/// Names that the health service knows, beside the empty one for all.
const SERVICES: [&str; 5] = [
    "ostiary.v1.Gateway",
    "ostiary.v1.Policy",
    "ostiary.v1.Resources",
    "ostiary.v1.Approvals",
    "ostiary.v1.Sessions",
];

/// Every service, with health and reflection.
pub(crate) async fn routes(
    app: &Arc<App>,
    gateway: GatewayAuth,
) -> Result<Routes, tonic_reflection::server::Error> {
    let mut routes = RoutesBuilder::default();
    let gateway = gateway::Gateway::new(app.clone(), gateway);
    routes.add_service(
        GatewayServer::new(gateway)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE),
    );
    routes.add_service(
        PolicyServer::new(policy::Policy::new(app.clone())).max_decoding_message_size(MAX_MESSAGE),
    );
    routes.add_service(ResourcesServer::new(resources::Resources::new(app.clone())));
    routes.add_service(ApprovalsServer::new(approvals::Approvals::new(app.clone())));
    routes.add_service(SessionsServer::new(sessions::Sessions::new(app.clone())));
    let (reporter, health) = tonic_health::server::health_reporter();
    for service in SERVICES {
        reporter
            .set_service_status(service, ServingStatus::Serving)
            .await;
    }
    routes.add_service(health);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(ostiary_proto::DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    routes.add_service(reflection);
    Ok(routes.routes())
}
