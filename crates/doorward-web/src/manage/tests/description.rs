use std::collections::BTreeSet;

use doorward_auth::Scope;
use serde_json::Value;

use super::world::{World, fits};
use crate::manage::{ROUTES, reply::DESCRIPTION, route::PREFIX};

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

#[test]
fn every_route_is_described_and_every_operation_is_a_route() {
    let routes: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| {
            let path = format!("{PREFIX}{}", route.path.trim_start_matches('/'));
            let scopes: Vec<_> = route.needs.scopes().iter().map(|scope| scope.as_str().to_owned()).collect();
            (route.method.as_str().to_ascii_lowercase(), path, scopes)
        })
        .collect();
    assert_eq!(routes.len(), ROUTES.len(), "no route is there twice");
    let description = description();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item[**method].is_object()) {
            let operation = &item[*method];
            let scope = |way: &Value| way["key"][0].as_str().unwrap().to_owned();
            let scopes = operation["security"].as_array().unwrap().iter().map(scope).collect::<Vec<_>>();
            described.insert(((*method).to_owned(), path.clone(), scopes));
        }
    }
    assert_eq!(routes, described);
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_it_answers_with() {
    let description = description();
    let mut names = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for operation in METHODS.iter().map(|method| &item[*method]).filter(|operation| operation.is_object()) {
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
            assert!(operation["summary"].is_string() && operation["responses"]["default"].is_object(), "{path}");
        }
    }
}

#[test]
fn the_scopes_that_a_new_key_may_be_given_are_all_that_there_are() {
    let described = description();
    let listed = &described["components"]["schemas"]["NewApiKey"]["properties"]["scopes"]["items"]["enum"];
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    assert_eq!(listed, Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>());
}

#[test]
fn the_check_of_answers_against_the_description_finds_what_is_wrong() {
    let schema = serde_json::json!({ "$ref": "#/components/schemas/NodeReceipt" });
    let good = serde_json::json!({ "node": "here", "ended": 1, "within_ms": 2 });
    assert_eq!(fits(&schema, &good), Ok(()));
    for (field, value) in [("ended", Value::from(-1)), ("node", Value::Null), ("more", Value::from(1))] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(fits(&schema, &bad).is_err(), "{bad}");
    }
    let time = serde_json::json!({ "type": "string", "format": "date-time" });
    assert!(fits(&time, &"yesterday".into()).is_err());
}

#[tokio::test]
async fn the_description_and_the_page_of_problems_are_open_to_everybody() {
    let world = World::new();
    let answer = world.ask(http::Method::GET, "/openapi.json", None, None).await;
    assert_eq!((answer.status.as_u16(), &answer.json["openapi"]), (200, &Value::from("3.1.0")));
    let page = world.ask(http::Method::GET, "/problems", None, None).await;
    assert!(page.text.contains("\n## not-found\n"), "{}", page.text);
}
