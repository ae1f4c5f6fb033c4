use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> PathPattern {
    text.parse().unwrap()
}

fn table(patterns: &[&'static str]) -> PathTable<&'static str> {
    let mut table = PathTable::default();
    for text in patterns {
        table.insert(None, pattern(text), *text).unwrap();
    }
    table
}

fn found(table: &PathTable<&'static str>, path: &str) -> Option<&'static str> {
    table.find("app.example", &RequestPath::read(path).unwrap()).map(|found| *found.entry)
}

#[test]
fn a_pattern_is_exact_has_variables_or_ends_in_a_star() {
    for text in ["/", "/chat", "/ws/", "/room/{id}", "/{a}/x/{b2_c}", "/files/*", "/*", "/u/{id}/*", "/größe"] {
        assert_eq!(pattern(text).to_string(), text);
    }
    assert_eq!(pattern("/{owner}/room/{id}").variables().collect::<Vec<_>>(), ["owner", "id"]);
    assert!(pattern("/files/*").has_tail() && !pattern("/files").has_tail());
}

#[test]
fn every_mistake_in_a_pattern_is_named() {
    let wrong = [
        ("", PathError::NoSlash),
        ("chat", PathError::NoSlash),
        ("/chat?x=1", PathError::Query),
        ("/chat#x", PathError::Query),
        ("/a//b", PathError::EmptySegment),
        ("//", PathError::EmptySegment),
        ("//*", PathError::EmptySegment),
        ("/a//*", PathError::EmptySegment),
        ("/a/../b", PathError::Dots),
        ("/.", PathError::Dots),
        ("/a\0b", PathError::Character),
        ("/a\\b", PathError::Character),
        ("/a%20b", PathError::EncodedPattern),
        ("/a*", PathError::Star),
        ("/*/a", PathError::Star),
        ("/a/**", PathError::Star),
        ("/{}", PathError::Variable),
        ("/{Id}", PathError::Variable),
        ("/x{id}", PathError::Variable),
        ("/{id}x", PathError::Variable),
        ("/{1d}", PathError::Variable),
        ("/{a}/{a}", PathError::VariableTwice("a".into())),
        ("/.well-known/x", PathError::Reserved),
        ("/chat/ticket", PathError::Reserved),
        ("/ticket", PathError::Reserved),
        ("/ticket/*", PathError::Reserved),
    ];
    for (text, error) in wrong {
        assert_eq!(text.parse::<PathPattern>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_request_finds_the_most_exact_of_the_patterns_that_fit() {
    let table = table(&["/", "/room/lobby", "/room/{id}", "/room/*", "/files/*", "/files/{a}/b"]);
    let expected = [
        ("/", Some("/")),
        ("/room/lobby", Some("/room/lobby")),
        ("/room/l%6Fbby", Some("/room/lobby")),
        ("/room/7", Some("/room/{id}")),
        ("/room/7/8", Some("/room/*")),
        ("/room", Some("/room/*")),
        ("/files/x/b", Some("/files/{a}/b")),
        ("/files/x/c/d/e", Some("/files/*")),
        ("/Room/lobby", None),
        ("/room/lobby/", Some("/room/*")),
        ("/roo", None),
        ("/rooms", None),
        ("/.well-known/x", None),
    ];
    for (path, entry) in expected {
        assert_eq!(found(&table, path), entry, "{path}");
    }
}

#[test]
fn variables_are_decoded_and_named_after_the_pattern() {
    let table = table(&["/{owner}/room/{id}"]);
    let path = RequestPath::read("/acme/room/a%20b+%C3%BC").unwrap();
    let variables = table.find("", &path).unwrap().variables;
    assert_eq!(variables["path.owner"], "acme");
    assert_eq!(variables["path.id"], "a b+ü");
}

#[test]
fn a_request_path_that_could_be_read_in_two_ways_is_refused() {
    let wrong = [
        ("", PathError::NoSlash),
        ("*", PathError::NoSlash),
        ("http://x/", PathError::NoSlash),
        ("//", PathError::EmptySegment),
        ("/a//b", PathError::EmptySegment),
        ("/a/./b", PathError::Dots),
        ("/a/%2e%2E/b", PathError::Dots),
        ("/a/..", PathError::Dots),
        ("/a%2Fb", PathError::Character),
        ("/a%5cb", PathError::Character),
        ("/a\\b", PathError::Character),
        ("/a%00b", PathError::Character),
        ("/a%0d%0a", PathError::Character),
        ("/a%", PathError::Encoding),
        ("/a%4", PathError::Encoding),
        ("/a%zz", PathError::Encoding),
        ("/a%+1", PathError::Encoding),
        ("/%ff", PathError::Encoding),
        ("/%C0%AE%C0%AE", PathError::Encoding),
        ("/a?b", PathError::Query),
    ];
    for (path, error) in wrong {
        assert_eq!(RequestPath::read(path), Err(error), "{path}");
    }
}

#[test]
fn the_last_part_ticket_means_the_gate_above() {
    let table = table(&["/", "/chat", "/files/*"]);
    for (path, gate) in
        [("/ticket", "/"), ("/chat/ticket", "/chat"), ("/files/a/ticket", "/files/*"), ("/files/%74icket", "/files/*")]
    {
        let path = RequestPath::read(path).unwrap();
        assert!(path.asks_for_ticket());
        assert_eq!(table.find("", &path).map(|found| *found.entry), Some(gate));
    }
    assert!(!RequestPath::read("/chat/tickets").unwrap().asks_for_ticket());
    assert!(!RequestPath::read("/ticket/chat").unwrap().asks_for_ticket());
}

#[test]
fn an_owners_host_comes_before_any_host_and_is_found_under_no_other() {
    let mut table = PathTable::default();
    table.insert(Some("Owner.Example"), pattern("/chat"), "the owner's").unwrap();
    table.insert(None, pattern("/chat"), "everybody's").unwrap();
    table.insert(Some("owner.example"), pattern("/own"), "own").unwrap();
    let at = |host, path| table.find(host, &RequestPath::read(path).unwrap()).map(|found| *found.entry);
    assert_eq!(at("owner.example", "/chat"), Some("the owner's"));
    assert_eq!(at("OWNER.example", "/chat"), Some("the owner's"));
    assert_eq!(at("other.example", "/chat"), Some("everybody's"));
    assert_eq!(at("other.example", "/own"), None);
}

#[test]
fn two_gates_cannot_have_the_same_host_and_path_up_to_the_names_of_variables() {
    let mut table = PathTable::default();
    table.insert(None, pattern("/room/{id}"), 1).unwrap();
    assert_eq!(table.insert(None, pattern("/room/{name}"), 2), Err(PathError::Taken));
    assert_eq!(table.insert(Some("a.example"), pattern("/room/{id}"), 3), Ok(()));
    assert_eq!(table.insert(None, pattern("/room/{id}/*"), 4), Ok(()));
    assert_eq!(table.entries().count(), 3);
}

#[test]
fn a_query_becomes_variables_and_a_name_that_stands_twice_becomes_none() {
    let variables = query_variables("myid=bob&a=1&a=2&b=x+y%26z&flag&=empty&").unwrap();
    let pairs: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("query.", "empty"), ("query.b", "x y&z"), ("query.flag", ""), ("query.myid", "bob")]);
    assert_eq!(query_variables("a=%00"), Err(PathError::Character));
    assert_eq!(query_variables("a=%f"), Err(PathError::Encoding));
    assert_eq!(query_variables("a=%ff"), Err(PathError::Encoding));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_has_no_dots_and_no_slashes(text in ".*") {
        if let Ok(path) = RequestPath::read(&text) {
            for segment in &path.segments {
                prop_assert!(segment != ".." && segment != "." && !segment.contains(['/', '\\', '\0']));
            }
        }
        let _ = query_variables(&text);
    }

    #[test]
    fn any_pattern_that_is_read_prints_as_it_was_written(text in "/[a-z{}*/.%?]{0,12}") {
        if let Ok(pattern) = text.parse::<PathPattern>() {
            prop_assert_eq!(pattern.to_string(), text);
        }
    }

    #[test]
    fn a_literal_pattern_finds_itself_however_it_is_encoded(
        segments in prop::collection::vec("[a-zA-Z0-9 äß~_-]{1,8}", 1..4), encode in any::<bool>()
    ) {
        prop_assume!(segments.last().is_some_and(|last| last != "ticket"));
        let text: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let mut table = PathTable::default();
        table.insert(None, text.parse().unwrap(), ()).unwrap();
        let asked = if encode {
            let encoded = |segment: &String| segment.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            segments.iter().map(|segment| format!("/{}", encoded(segment))).collect()
        } else {
            text
        };
        prop_assert!(table.find("", &RequestPath::read(&asked).unwrap()).is_some());
    }
}
