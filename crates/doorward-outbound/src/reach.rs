use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who can be reached at an address. What the server is told to fetch must not become a way to what only the server can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everybody, on the internet.
    Public,
    /// Those within walls: this machine, and private networks. Only where the owner says so.
    Private,
    /// Nobody that publishes anything: the link itself and what clouds tell their machines there, everybody at once, nobody.
    Never,
}

impl Reach {
    /// Of an address. One that carries another within it reaches whom that reaches.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            // the metadata of a cloud, beside those on the link
            [100, 100, 100, 200] => Self::Never,
            // "this network", the link (RFC 3927), documentation, groups, reserved and everybody
            [0, ..] | [169, 254, ..] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => {
                Self::Never
            }
            // this machine; private (RFC 1918); behind a carrier's NAT (RFC 6598); the IETF's; benchmarks (RFC 2544)
            [127, ..] | [10, ..] | [172, 16..32, ..] | [192, 168, ..] => Self::Private,
            [100, 64..128, ..] | [192, 0, 0, _] | [198, 18..20, ..] => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let within = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Self::of_v4(Ipv4Addr::new(a, b, c, d))
        };
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Private,
            // an IPv4 address: mapped, translated (RFC 6052), or as the network of one (6to4, RFC 3056)
            [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => within(high, low),
            [0x2002, high, low, ..] => within(high, low),
            // the metadata of a cloud
            [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Self::Never,
            // unique local (RFC 4193), translated within walls (RFC 8215)
            [0xfc00..0xfe00, ..] | [0x64, 0xff9b, 1, ..] => Self::Private,
            // documentation (RFC 3849, RFC 9637), Teredo
            [0x2001, 0xdb8 | 0, ..] | [0x3fff, 0..0x1000, ..] => Self::Never,
            // the internet is 2000::/3; all else is the link, a group, or nothing yet
            [0x2000..0x4000, ..] => Self::Public,
            _ => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_who_can_be_reached_there() {
        let of = |reach, addresses: &[&str]| {
            for address in addresses {
                assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
            }
        };
        of(Reach::Public, &["1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.0.1", "192.1.0.1", "223.255.255.255"]);
        of(Reach::Public, &["2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]);
        of(Reach::Private, &["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"]);
        of(Reach::Private, &["100.64.0.1", "192.0.0.8", "198.18.0.1", "198.19.255.255"]);
        of(Reach::Private, &["::1", "fc00::1", "fdff::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:c0a8:101::1"]);
        of(Reach::Never, &["0.0.0.0", "0.1.2.3", "169.254.169.254", "100.100.100.200", "192.0.2.1", "224.0.0.1"]);
        of(Reach::Never, &["255.255.255.255", "240.0.0.1", "::", "::1.2.3.4", "fe80::1", "fec0::1", "ff02::1"]);
        of(Reach::Never, &["fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"]);
        of(Reach::Never, &["2001:db8::1", "2001::1", "3fff::1", "3fff:fff::1", "4000::1"]);
        of(Reach::Public, &["3fff:1000::1", "3ffe::1"]);
    }
}
