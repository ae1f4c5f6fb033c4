//! Messages as another implementation writes them (`python-9p` 0.1.0, the first three), and as the manual pages spell them.

use doorward_wire::ninep::{DIRECTORY, Data, Decoder, Few, Fid, Frame, OpenMode, Qid, Reply, Request, Stat, Tag};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn with_frame<T>(message: &[u8], read: impl FnOnce(Frame<'_>) -> T) -> T {
    let mut decoder = Decoder::new(65_536);
    let mut input = message;
    let read = read(decoder.next(&mut input).unwrap().unwrap());
    assert!(input.is_empty(), "bytes were left");
    read
}

#[track_caller]
fn asks(hex: &str, tag: Tag, request: Request<'_>) {
    with_frame(&bytes(hex), |frame| assert_eq!((frame.tag, Request::read(&frame)), (tag, Ok(request))));
    let mut written = Vec::new();
    request.write(tag, &mut written);
    assert_eq!(written, bytes(hex));
}

#[track_caller]
fn answers(hex: &str, tag: Tag, reply: Reply<'_>) {
    with_frame(&bytes(hex), |frame| assert_eq!((frame.tag, Reply::read(&frame)), (tag, Ok(reply))));
    let mut written = Vec::new();
    reply.write(tag, &mut written);
    assert_eq!(written, bytes(hex));
}

#[test]
fn what_python_9p_writes_is_read_and_written() {
    let version = Request::Version { msize: 8192, version: "9P2000" };
    asks("1300000064ffff002000000600395032303030", Tag::NONE, version);
    let attach = Request::Attach { fid: Fid(0), afid: Fid::NONE, uname: "u", aname: "" };
    asks("1400000068000000000000ffffffff0100750000", Tag(0), attach);
    let denied = Reply::Error { text: "permission denied" };
    answers("1a0000006b010011007065726d697373696f6e2064656e696564", Tag(1), denied);
}

#[test]
fn requests_are_spelled_as_the_manual_pages_say() {
    let tag = Tag(0x0201);
    asks(
        "13000000 66 0102 07000000 0100 75 0300 612f62",
        tag,
        Request::Auth { afid: Fid(7), uname: "u", aname: "a/b" },
    );
    asks("09000000 6c 0102 0403", tag, Request::Flush { old: Tag(0x0304) });
    let names = Few::new(&["cart", ".."]).unwrap();
    asks(
        "1b000000 6e 0102 07000000 08000000 0200 0400 63617274 0200 2e2e",
        tag,
        Request::Walk { fid: Fid(7), new: Fid(8), names },
    );
    asks("0c000000 70 0102 07000000 11", tag, Request::Open { fid: Fid(7), mode: OpenMode::WRITE.truncating() });
    let create = Request::Create { fid: Fid(7), name: "x", permissions: DIRECTORY | 0o755, mode: OpenMode::READ };
    asks("13000000 72 0102 07000000 0100 78 ed010080 00", tag, create);
    let read = Request::Read { fid: Fid(7), offset: 0x0102_0304_0506_0708, count: 9 };
    asks("17000000 74 0102 07000000 0807060504030201 09000000", tag, read);
    let write = Request::Write { fid: Fid(7), offset: 1, data: Data(b"hi") };
    asks("19000000 76 0102 07000000 0100000000000000 02000000 6869", tag, write);
    asks("0b000000 78 0102 07000000", tag, Request::Clunk { fid: Fid(7) });
    asks("0b000000 7a 0102 07000000", tag, Request::Remove { fid: Fid(7) });
    asks("0b000000 7c 0102 07000000", tag, Request::Stat { fid: Fid(7) });
}

#[test]
fn answers_are_spelled_as_the_manual_pages_say() {
    let tag = Tag(2);
    let qid = Qid { kind: 0x80, version: 5, path: 6 };
    answers(
        "13000000 65 ffff 00200000 0600 395032303030",
        Tag::NONE,
        Reply::Version { msize: 8192, version: "9P2000" },
    );
    answers("14000000 67 0200 80 05000000 0600000000000000", tag, Reply::Auth { qid });
    answers("14000000 69 0200 80 05000000 0600000000000000", tag, Reply::Attach { qid });
    answers("07000000 6d 0200", tag, Reply::Flush);
    let walk = Reply::Walk { qids: Few::new(&[qid]).unwrap() };
    answers("16000000 6f 0200 0100 80 05000000 0600000000000000", tag, walk);
    answers("18000000 71 0200 80 05000000 0600000000000000 e8ff0000", tag, Reply::Open { qid, iounit: 65_512 });
    answers("18000000 73 0200 80 05000000 0600000000000000 00000000", tag, Reply::Create { qid, iounit: 0 });
    answers("0d000000 75 0200 02000000 6869", tag, Reply::Read { data: Data(b"hi") });
    answers("0b000000 77 0200 02000000", tag, Reply::Write { count: 2 });
    answers("07000000 79 0200", tag, Reply::Clunk);
    answers("07000000 7b 0200", tag, Reply::Remove);
    answers("07000000 7f 0200", tag, Reply::Wstat);
}

#[test]
fn a_stat_record_has_its_length_before_it_twice_in_a_message_and_once_in_a_directory() {
    let stat = Stat {
        kind: 0,
        device: 0,
        qid: Qid { kind: 0x80, version: 5, path: 6 },
        mode: DIRECTORY | 0o500,
        read_at: 1,
        written_at: 2,
        length: 3,
        name: "/",
        owner: "b",
        group: "",
        writer: "",
    };
    let record = "3100 0000 00000000 80 05000000 0600000000000000 40010080 01000000 02000000 0300000000000000
                  0100 2f 0100 62 0000 0000";
    answers(&format!("3c000000 7d 0200 3300 {record}"), Tag(2), Reply::Stat { stat });
    asks(&format!("40000000 7e 0200 07000000 3300 {record}"), Tag(2), Request::Wstat { fid: Fid(7), stat });

    let mut listing = Vec::new();
    stat.write(&mut listing);
    assert_eq!((&listing, listing.len()), (&bytes(record), stat.size()));
    assert_eq!(Stat { name: "", owner: "", ..stat }.size(), 49, "the smallest record");
    stat.write(&mut listing);
    let mut rest = &listing[..];
    assert_eq!((Stat::read(&mut rest), Stat::read(&mut rest), rest), (Ok(stat), Ok(stat), &[][..]));
}
