//! The API and the authorization server of `ext_authz`: small and fast, in this process.

use std::{convert::Infallible, net::TcpListener, thread};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response, body::Incoming, header::HeaderValue, server::conn::http1,
    server::conn::http2, service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ostiary_tests::{Result, ports};

/// The small answer.
pub(super) const SMALL: &str = r#"{"id":7,"name":"Ada Brook","email":"ada.brook@example.com","city":"Lisbon","note":"lives in street 12 and likes the colour 7","orders":[{"id":41,"amount":900},{"id":42,"amount":12}]}"#;

type Body = BoxBody<Bytes, Infallible>;

/// A large answer: a list of people, of at least so many bytes.
pub(super) fn large(bytes: usize) -> String {
    let mut body = String::from("[");
    while body.len() < bytes {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str(SMALL);
    }
    body.push(']');
    body
}

/// An API in HTTP/1.1 with a small answer and this large one.
pub(super) fn api(large: String) -> Result<u16> {
    let large = Bytes::from(large);
    serve(false, move |request: &Request<Incoming>| {
        let body = match request.uri().path() {
            "/large" => large.clone(),
            _ => Bytes::from_static(SMALL.as_bytes()),
        };
        let mut response = Response::new(Full::new(body).boxed());
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert("content-type", json);
        response
    })
}

/// An authorization server that says yes to everything: `envoy.service.auth.v3.CheckResponse` with an
/// empty status, which is OK.
pub(super) fn authz() -> Result<u16> {
    const YES: &[u8] = b"\0\0\0\0\x02\x0a\0";
    serve(true, |_: &Request<Incoming>| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(Bytes::from_static(YES));
        let body = body.with_trailers(async move { Some(Ok(trailers)) });
        let mut response = Response::new(body.boxed());
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert("content-type", grpc);
        response
    })
}

/// Serves on a free port until the process ends.
fn serve(
    is_http2: bool,
    answer: impl Fn(&Request<Incoming>) -> Response<Body> + Clone + Send + Sync + 'static,
) -> Result<u16> {
    let port = ports::free();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::spawn(move || {
        let served: std::io::Result<Infallible> = runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let answer = answer.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let response = answer(&request);
                    async move {
                        // What is asked does not matter, but it has to be read.
                        let _ = request.into_body().collect().await;
                        Ok::<_, Infallible>(response)
                    }
                });
                let io = TokioIo::new(stream);
                // A connection that breaks is the other side's to tell.
                tokio::spawn(async move {
                    match is_http2 {
                        true => {
                            let http2 = http2::Builder::new(TokioExecutor::new());
                            let _ = http2.serve_connection(io, service).await;
                        }
                        false => {
                            let _ = http1::Builder::new().serve_connection(io, service).await;
                        }
                    }
                });
            }
        });
        let Err(error) = served;
        eprintln!("bench: a server ended: {error}");
    });
    Ok(port)
}
