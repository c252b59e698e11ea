//! The head of a request, as the API it is for reads it.

use ostiary_operation::{
    http::{self, Refused},
    kubernetes,
};

use super::{Api, Request};

/// The head of a request, as its API reads it.
#[derive(Debug)]
pub(super) enum Head {
    Http(http::Head),
    Kubernetes(Box<kubernetes::Head>),
}

impl Head {
    pub(super) fn read(api: Api, request: &Request) -> Result<Self, Refused> {
        let (method, target) = (&request.method, &request.target);
        match api {
            Api::Http => http::Head::read(method, target, &request.headers).map(Self::Http),
            Api::Kubernetes => {
                let head = kubernetes::Head::read(method, target, &request.headers)?;
                Ok(Self::Kubernetes(Box::new(head)))
            }
        }
    }

    /// Why it cannot pass even where policy lets it.
    pub(super) fn unsupported(&self) -> Option<&'static str> {
        match self {
            Self::Http(_) => None,
            Self::Kubernetes(head) => head.unsupported(),
        }
    }
}
