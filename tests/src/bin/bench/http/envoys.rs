//! Envoys to compare with: alone, with Lua, with `ext_authz`.

use ostiary_tests::{
    Result, ports,
    process::{Folder, Running},
};
use serde_json::{Value, json};

use crate::envoy;

/// The nearest that a Lua filter comes: the path is one of a list and a token is there, and in JSON the
/// value of `email` and whatever looks like an address is replaced, in the body held whole.
const LUA: &str = r#"
local routes = { "^/users/[^/]+$", "^/users$", "^/large$", "^/refunds$" }
function envoy_on_request(handle)
  local headers = handle:headers()
  local token = headers:get("authorization")
  local path = headers:get(":path")
  local known = false
  for _, route in ipairs(routes) do
    if string.find(path, route) then known = true end
  end
  if not known or headers:get(":method") ~= "GET" or token == nil or string.sub(token, 1, 7) ~= "Bearer " then
    handle:respond({[":status"] = "403"}, "denied")
  end
  headers:replace("authorization", "Bearer the-gateways-own")
end
function envoy_on_response(handle)
  if handle:headers():get("content-type") == "application/json" then
    local body = handle:body()
    if body ~= nil then
      local text = body:getBytes(0, body:length())
      text = string.gsub(text, '"email":"[^"]*"', '"email":"****"')
      text = string.gsub(text, "[%w%.%-_]+@[%w%-]+%.[%w%.%-]+", "****")
      handle:headers():replace("content-length", tostring(body:setBytes(text)))
    end
  end
end
"#;

/// Its filters, before the router.
pub(super) enum Kind {
    Plain,
    Lua,
    /// With the port of an authorization server.
    ExtAuthz(u16),
}

impl Kind {
    fn filters(&self) -> Vec<Value> {
        let api = "type.googleapis.com/envoy.extensions.filters.http";
        match self {
            Self::Plain => Vec::new(),
            Self::Lua => vec![json!({
                "name": "lua",
                "typed_config": {
                    "@type": format!("{api}.lua.v3.Lua"),
                    "default_source_code": {"inline_string": LUA},
                },
            })],
            Self::ExtAuthz(_) => vec![json!({
                "name": "authz",
                "typed_config": {
                    "@type": format!("{api}.ext_authz.v3.ExtAuthz"),
                    "transport_api_version": "V3",
                    "grpc_service": {"envoy_grpc": {"cluster_name": "authz"}, "timeout": "5s"},
                    "with_request_body": {"max_request_bytes": 1 << 20},
                },
            })],
        }
    }
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn cluster(name: &str, port: u16, options: &Value) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": options,
            },
        },
        "load_assignment": {"cluster_name": name, "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(port)}}]},
        ]},
    })
}

/// Starts one with two workers, as the gateways have.
pub(super) fn start(folder: &Folder, name: &str, api: u16, kind: &Kind) -> Result<(Running, u16)> {
    let (listen, admin) = (ports::free(), ports::free());
    let mut filters = kind.filters();
    filters.push(json!({
        "name": "router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }));
    let mut clusters = vec![cluster("api", api, &json!({"http_protocol_options": {}}))];
    if let Kind::ExtAuthz(port) = kind {
        clusters.push(cluster(
            "authz",
            *port,
            &json!({"http2_protocol_options": {}}),
        ));
    }
    let config = json!({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{
                "name": "plain", "address": address(listen),
                // The Lua filter holds the large answer whole.
                "per_connection_buffer_limit_bytes": 1 << 26,
                "filter_chains": [{"filters": [{
                    "name": "http",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                        "stat_prefix": "plain", "codec_type": "AUTO", "generate_request_id": false,
                        "route_config": {"virtual_hosts": [{
                            "name": "all", "domains": ["*"],
                            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "api", "timeout": "0s"}}],
                        }]},
                        "http_filters": filters,
                    },
                }]}],
            }],
            "clusters": clusters,
        },
    });
    let envoy = envoy::start(folder, name, &config, listen)?;
    Ok((envoy, listen))
}
