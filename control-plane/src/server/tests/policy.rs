use ostiary_proto::{ApplyRequest, CheckRequest, GetPolicyRequest, watch_response::Message};

use super::*;

fn changed() -> std::collections::HashMap<String, String> {
    let mut files = bundle();
    files.insert(
        "b.cedar".to_owned(),
        r#"@id("no-ddl") forbid (principal, action in Action::"sql:ddl", resource);"#.to_owned(),
    );
    files.into_iter().collect()
}

#[tokio::test]
async fn applies_versions_and_streams_them_to_filters() {
    let plane = Plane::new().await;
    let mut filter = plane.watch().await;
    filter.message().await.unwrap();
    let apply = async |files| {
        let request = plane.by("ada", ADMIN, ApplyRequest { files });
        plane.policy().apply(request).await.unwrap().into_inner()
    };
    let same = apply(bundle().into_iter().collect()).await;
    assert_eq!((same.version, same.changed), (1, false));
    let next = apply(changed()).await;
    assert_eq!((next.version, next.changed), (2, true));
    let Some(Message::Snapshot(snapshot)) = filter.message().await.unwrap().unwrap().message else {
        panic!("no snapshot");
    };
    assert_eq!((snapshot.version, snapshot.hash), (2, next.hash.clone()));
    let get = async |version| {
        let request = plane.by("ada", ADMIN, GetPolicyRequest { version });
        plane.policy().get(request).await
    };
    let running = get(0).await.unwrap().into_inner();
    assert_eq!((running.version, running.applied_by.as_str()), (2, "ada"));
    assert_eq!(running.applied_us, NOW * 1_000_000);
    let first = get(1).await.unwrap().into_inner();
    assert_eq!(first.applied_by, "ostiary.yaml");
    refused(get(3).await, Code::NotFound, "no policy version 3");
}

#[tokio::test]
async fn refuses_a_bad_bundle_whole_and_keeps_the_running_one() {
    let plane = Plane::new().await;
    let mut files = changed();
    files.insert("c.cedar".to_owned(), "permit (".to_owned());
    files.insert("labls.yaml".to_owned(), String::new());
    let check = plane.by(
        "ada",
        ADMIN,
        CheckRequest {
            files: files.clone(),
        },
    );
    let checked = plane.policy().check(check).await.unwrap().into_inner();
    assert!(checked.problems.len() >= 2, "{:?}", checked.problems);
    let apply = plane.by("ada", ADMIN, ApplyRequest { files });
    let applied = plane.policy().apply(apply).await.unwrap().into_inner();
    assert_eq!(applied.problems, checked.problems);
    assert_eq!((applied.version, applied.changed), (0, false));
    let get = plane.by("ada", ADMIN, GetPolicyRequest { version: 0 });
    let running = plane.policy().get(get).await.unwrap().into_inner();
    assert_eq!(running.version, 1);
}

#[tokio::test]
async fn the_applied_version_outlives_a_restart() {
    let plane = Plane::new().await;
    let files = changed();
    let apply = plane.by("ada", ADMIN, ApplyRequest { files });
    plane.policy().apply(apply).await.unwrap();
    let mut filter = plane.watch().await;
    let before = filter.message().await.unwrap();
    drop(filter);
    let plane = plane.restart().await;
    let mut filter = plane.watch().await;
    assert_eq!(filter.message().await.unwrap(), before, "hash key included");
}
