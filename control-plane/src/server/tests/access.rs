use expect_test::expect;
use ostiary_proto::{
    ApplyRequest, CheckRequest, DecideRequest, EventsRequest, GetApprovalRequest, GetPolicyRequest,
    GetSessionRequest, KillRequest, ListApprovalsRequest, ListResourcesRequest,
    ListSessionsRequest, SearchRequest, WatchApprovalsRequest,
};

use super::*;

/// Each method once, as this caller: "yes" if authorization let it through, whatever came then.
async fn row(plane: &Plane, token: &str) -> Vec<(&'static str, Code)> {
    let code = |status: Result<(), Status>| status.err().map_or(Code::Ok, |status| status.code());
    macro_rules! call {
        ($client:ident.$method:ident($message:expr)) => {
            (
                concat!(stringify!($client), ".", stringify!($method)),
                code(
                    plane
                        .$client()
                        .$method(with_token(token, $message))
                        .await
                        .map(|_| ()),
                ),
            )
        };
    }
    vec![
        call!(policy.check(CheckRequest::default())),
        call!(policy.apply(ApplyRequest::default())),
        call!(policy.get(GetPolicyRequest::default())),
        call!(resources.list(ListResourcesRequest {})),
        call!(approvals.list(ListApprovalsRequest::default())),
        call!(approvals.get(GetApprovalRequest {
            id: "zzzz".to_owned()
        })),
        call!(approvals.watch(WatchApprovalsRequest {})),
        call!(approvals.approve(DecideRequest {
            id: "zzzz".to_owned(),
            ..DecideRequest::default()
        })),
        call!(approvals.deny(DecideRequest {
            id: "zzzz".to_owned(),
            ..DecideRequest::default()
        })),
        call!(sessions.list(ListSessionsRequest::default())),
        call!(sessions.get(GetSessionRequest {
            id: "ffff".to_owned()
        })),
        call!(sessions.search(SearchRequest::default())),
        call!(sessions.events(EventsRequest {
            session_id: "ffff".to_owned(),
            ..EventsRequest::default()
        })),
        call!(sessions.kill(KillRequest {
            session_id: "ffff".to_owned(),
            ..KillRequest::default()
        })),
    ]
}

#[tokio::test]
async fn each_role_may_call_what_it_needs_and_nothing_else() {
    let plane = Plane::new().await;
    let callers = [
        ("admin", plane.token("ada", ADMIN)),
        ("reviewer", plane.token("dora", DBA)),
        ("auditor", plane.token("sam", AUDITOR)),
        ("agent", plane.token("agent-7", &["agents"])),
        (
            "almost",
            plane.token("eve", &["Platform", "dba ", "auditor"]),
        ),
        ("gateway", plane.gateway_token.clone()),
    ];
    let mut lines: Vec<String> = Vec::new();
    let heading = callers.iter().map(|(name, _)| format!("{name:>9}"));
    let heading = format!("{:17}{}", "", heading.collect::<String>());
    for (_, token) in &callers {
        for (at, (method, code)) in row(&plane, token).await.into_iter().enumerate() {
            if lines.len() == at {
                lines.push(format!("{method:17}"));
            }
            lines[at].push_str(match code {
                Code::PermissionDenied => "       no",
                Code::Unauthenticated => "     who?",
                _ => "      yes",
            });
        }
    }
    let matrix = format!("{heading}\n{}\n", lines.join("\n"));
    expect![[r#"
                             admin reviewer  auditor    agent   almost  gateway
        policy.check           yes      yes      yes       no       no     who?
        policy.apply           yes       no       no       no       no     who?
        policy.get             yes       no      yes       no       no     who?
        resources.list         yes      yes      yes       no       no     who?
        approvals.list          no      yes      yes       no       no     who?
        approvals.get           no      yes      yes       no       no     who?
        approvals.watch         no      yes      yes       no       no     who?
        approvals.approve       no      yes       no       no       no     who?
        approvals.deny          no      yes       no       no       no     who?
        sessions.list           no       no      yes       no       no     who?
        sessions.get            no       no      yes       no       no     who?
        sessions.search         no       no      yes       no       no     who?
        sessions.events         no       no      yes       no       no     who?
        sessions.kill          yes       no       no       no       no     who?
    "#]]
    .assert_eq(&matrix);
}

#[tokio::test]
async fn without_a_token_only_health_and_reflection_answer() {
    let plane = Plane::new().await;
    let list = plane.resources().list(ListResourcesRequest {}).await;
    refused(
        list,
        Code::Unauthenticated,
        "no token: the password must be an OIDC access token",
    );
    let mut health = tonic_health::pb::health_client::HealthClient::new(plane.channel.clone());
    let request = tonic_health::pb::HealthCheckRequest::default();
    let answer = health.check(request).await.unwrap().into_inner();
    assert_eq!(
        answer.status(),
        tonic_health::pb::health_check_response::ServingStatus::Serving
    );
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let mut reflection = ServerReflectionClient::new(plane.channel.clone());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = reflection
        .server_reflection_info(tokio_stream::once(request))
        .await;
    let answer = answers.unwrap().into_inner().message().await.unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.unwrap().message_response else {
        panic!("no list of services");
    };
    let names: Vec<String> = list.service.into_iter().map(|one| one.name).collect();
    assert!(
        names.contains(&"ostiary.v1.Gateway".to_owned()),
        "{names:?}"
    );
}

#[tokio::test]
async fn two_authorization_headers_are_none() {
    let plane = Plane::new().await;
    let mut request = plane.by("ada", ADMIN, ListResourcesRequest {});
    let second = "Bearer x".parse().unwrap();
    request.metadata_mut().append("authorization", second);
    let status = plane.resources().list(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}
