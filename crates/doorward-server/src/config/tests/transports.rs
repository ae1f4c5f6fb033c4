use super::*;

/// A gate that speaks Socket.IO, with a channel for its namespace.
const SOCKETIO: &str = r#"[[gate]]
name = "ui"
path = "/socket.io/"
backend = { hub = {} }
transport = { socketio = { namespaces = ["/default"] } }
ladder = [{ jwt = { issuer = "site" } }]
[[gate.channel]]
name = "/default"
subscribe = "any"
"#;

#[test]
fn a_gate_that_speaks_socket_io_is_read_without_a_warning() {
    assert_eq!(told(&format!("{ISSUER}{SOCKETIO}")), []);
}

#[test]
fn socket_io_stands_before_a_hub_alone() {
    let text = format!("{ISSUER}{}", SOCKETIO.replace("hub = {}", "9p = {}"));
    expect(
        &text,
        &[(
            "E12",
            "gate[0].transport.socketio",
            "what is behind the backend `9p` speaks no Socket.IO",
            "`backend = { hub = {} }`",
        )],
    );
}

#[test]
fn a_transport_that_cannot_be_read_is_told_and_nothing_is_said_of_what_stands_in_its_place() {
    let text = format!("{ISSUER}{}", SOCKETIO.replace("namespaces", "namespace"));
    expect(
        &text,
        &[("E12", "gate[0].transport.socketio.namespace", "unknown key `namespace`", "did you mean `namespaces`?")],
    );
    let text = format!("{ISSUER}{}", SOCKETIO.replace("[\"/default\"]", "\"/default\""));
    let (place, hint) = ("gate[0].transport.socketio.namespaces", "put it in brackets: `[\"/default\"]`");
    expect(&text, &[("E12", place, "expected a list", hint)]);
}

#[test]
fn a_hub_and_a_file_tree_have_no_keys() {
    let text = format!("{ISSUER}{}", GATE.replace("hub = {}", "9p = { root = \"/srv\" }"));
    let hint = "there are no known keys here: take `root` away";
    expect(&text, &[("E11", "gate[0].backend.9p.root", "unknown key `root`", hint)]);
}

#[test]
fn the_port_for_9p_is_its_own() {
    let text =
        |listen: &str| format!("{ISSUER}{}[ninep]\nlisten = \"{listen}\"\n", GATE.replace("hub = {}", "9p = {}"));
    assert_eq!(told(&text("127.0.0.1:5640")), []);
    let hint = "as in `127.0.0.1:5640`";
    expect(&text("127.0.0.1:8420"), &[("E14", "ninep.listen", "`127.0.0.1:8420` is taken by the public side", hint)]);
    expect(&text("127.0.0.1:8421"), &[("E14", "ninep.listen", "`127.0.0.1:8421` is taken by the internal side", hint)]);
}

#[test]
fn a_port_for_9p_without_a_file_tree_is_told() {
    let text = format!("{ISSUER}{GATE}[ninep]\nlisten = \"127.0.0.1:5640\"\n");
    expect(&text, &[("W14", "ninep.listen", "no gate has a file tree behind it", "`backend = { 9p = {} }`")]);
}

#[test]
fn a_path_without_the_slash_that_clients_of_socket_io_add_is_told() {
    let without = SOCKETIO.replace("/socket.io/", "/socket.io");
    let expected = ("W10", "gate[0].path", "they ask for `/socket.io/`", "`path = \"/socket.io/\"`");
    expect(&format!("{ISSUER}{without}"), &[expected]);
    let below = SOCKETIO.replace("/socket.io/", "/socket.io/*");
    assert_eq!(told(&format!("{ISSUER}{below}")), []);
}

#[test]
fn a_namespace_is_one_that_there_can_be_and_stands_once() {
    let names = SOCKETIO.replace("[\"/default\"]", "[\"/default\", \"/default\", \"admin\", \"/other\"]");
    expect(
        &format!("{ISSUER}{names}"),
        &[
            ("E12", "gate[0].transport.socketio.namespaces[1]", "`/default` stands twice", "take one of them away"),
            (
                "E12",
                "gate[0].transport.socketio.namespaces[2]",
                "a namespace is not `/` and a name",
                "as in `/` or `/default`",
            ),
            (
                "W12",
                "gate[0].transport.socketio.namespaces[3]",
                "nobody hears what is emitted there",
                "`name = \"/other\"`",
            ),
        ],
    );
    let none = SOCKETIO.replace("[\"/default\"]", "[]");
    let told = told(&format!("{ISSUER}{none}"));
    assert!(
        told.iter().any(|(_, path, message, _)| path.ends_with("namespaces") && message.contains("1 to 16")),
        "{told:?}"
    );
}
