//! The control plane as Envoy is told of it: an `envoy.config.core.v3.GrpcService`, serialised.
//!
//! The name of a cluster alone would do for Envoy, which then calls the service by that name. Names that
//! Istio gives (`outbound|7700||host`) are no authority (RFC 3986 3.2), and a server refuses the call.

use prost::Message;

/// The `:authority` of every call.
const AUTHORITY: &str = "ostiary";

#[derive(Message)]
struct GrpcService {
    #[prost(message, optional, tag = "1")]
    envoy_grpc: Option<EnvoyGrpc>,
}

#[derive(Message)]
struct EnvoyGrpc {
    #[prost(string, tag = "1")]
    cluster_name: String,
    #[prost(string, tag = "2")]
    authority: String,
}

/// The service behind `cluster`; nothing if the name is longer than 116 bytes: the host call takes text,
/// and a length above 127 is not encoded as such.
pub(crate) fn behind(cluster: &str) -> Option<String> {
    let service = GrpcService {
        envoy_grpc: Some(EnvoyGrpc {
            cluster_name: cluster.to_owned(),
            authority: AUTHORITY.to_owned(),
        }),
    };
    String::from_utf8(service.encode_to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_cluster_and_the_authority() {
        assert_eq!(
            behind("cp").as_deref(),
            Some("\n\x0d\n\x02cp\x12\x07ostiary")
        );
        assert!(behind(&"c".repeat(116)).is_some());
        assert_eq!(behind(&"c".repeat(117)), None);
    }
}
