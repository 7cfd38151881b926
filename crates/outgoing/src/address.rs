//! This owns which addresses may be connected to: a table of ranges, each with its reason, and nothing else.
//! The ranges are those of the IANA registries of special-purpose addresses, and what clouds keep for themselves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a peer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that anyone on the internet can reach.
    Public,
    /// Those and the operator's own: this machine and its networks.
    Own,
}

/// Whose addresses a range holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Anyone's.
    Public,
    /// The operator's, where a peer that the operator named may be.
    Own,
    /// Nobody's that this program has anything to say to.
    Never,
}

/// A range: its first address, how many bits of that count, whose it is, and what it is.
type Range<A> = (A, u32, Zone, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(a: u16, b: u16, c: u16, h: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, h)
}

/// IPv4; the first that fits counts.
pub const RANGES_V4: &[Range<Ipv4Addr>] = &[
    (v4(169, 254, 169, 254), 32, Zone::Never, "metadata of clouds"),
    (v4(100, 100, 100, 200), 32, Zone::Never, "metadata of Alibaba Cloud"),
    (v4(168, 63, 129, 16), 32, Zone::Never, "metadata of Azure"),
    (v4(0, 0, 0, 0), 32, Zone::Never, "unspecified"),
    (v4(0, 0, 0, 0), 8, Zone::Never, "this network"),
    (v4(10, 0, 0, 0), 8, Zone::Own, "private"),
    (v4(100, 64, 0, 0), 10, Zone::Own, "shared by a carrier or a mesh"),
    (v4(127, 0, 0, 0), 8, Zone::Own, "loopback"),
    (v4(169, 254, 0, 0), 16, Zone::Never, "link-local"),
    (v4(172, 16, 0, 0), 12, Zone::Own, "private"),
    (v4(192, 0, 0, 0), 24, Zone::Never, "protocol assignments, and metadata of Oracle Cloud"),
    (v4(192, 0, 2, 0), 24, Zone::Never, "documentation"),
    (v4(192, 88, 99, 0), 24, Zone::Never, "relays of 6to4"),
    (v4(192, 168, 0, 0), 16, Zone::Own, "private"),
    // Made for measuring; today the stand-in addresses of local proxies, which the operator may run.
    (v4(198, 18, 0, 0), 15, Zone::Own, "benchmarking"),
    (v4(198, 51, 100, 0), 24, Zone::Never, "documentation"),
    (v4(203, 0, 113, 0), 24, Zone::Never, "documentation"),
    (v4(224, 0, 0, 0), 4, Zone::Never, "multicast"),
    (v4(255, 255, 255, 255), 32, Zone::Never, "broadcast"),
    (v4(240, 0, 0, 0), 4, Zone::Never, "reserved"),
    (v4(0, 0, 0, 0), 0, Zone::Public, "public"),
];

/// IPv6; the first that fits counts. Addresses that carry one of IPv4 are judged by that one, see [`inner`].
pub const RANGES_V6: &[Range<Ipv6Addr>] = &[
    (v6(0xfd00, 0xec2, 0, 0x254), 128, Zone::Never, "metadata of AWS"),
    (v6(0xfd20, 0xce, 0, 0x254), 128, Zone::Never, "metadata of Google Cloud"),
    (v6(0, 0, 0, 0), 128, Zone::Never, "unspecified"),
    (v6(0, 0, 0, 1), 128, Zone::Own, "loopback"),
    (v6(0, 0, 0, 0), 96, Zone::Never, "IPv4-compatible"),
    (v6(0x64, 0xff9b, 1, 0), 48, Zone::Never, "translation into a network of its own"),
    (v6(0x2001, 0, 0, 0), 32, Zone::Never, "Teredo"),
    (v6(0x2001, 2, 0, 0), 48, Zone::Never, "benchmarking"),
    (v6(0x2001, 0, 0, 0), 23, Zone::Never, "protocol assignments"),
    (v6(0x2001, 0xdb8, 0, 0), 32, Zone::Never, "documentation"),
    (v6(0x2002, 0, 0, 0), 16, Zone::Never, "6to4"),
    (v6(0x3fff, 0, 0, 0), 20, Zone::Never, "documentation"),
    (v6(0x2000, 0, 0, 0), 3, Zone::Public, "public"),
    (v6(0xfc00, 0, 0, 0), 7, Zone::Own, "unique local"),
    (v6(0xfe80, 0, 0, 0), 10, Zone::Never, "link-local"),
    (v6(0xfec0, 0, 0, 0), 10, Zone::Never, "site-local"),
    (v6(0xff00, 0, 0, 0), 8, Zone::Never, "multicast"),
    (v6(0, 0, 0, 0), 0, Zone::Never, "not given out"),
];

/// The IPv4 address that one of IPv6 stands for: `::ffff:0:0/96` (mapped) and `64:ff9b::/96` (NAT64, by which a network
/// without IPv4 reaches the rest). Forms that are no longer used are refused as they are.
#[must_use]
pub const fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits((high as u32) << 16 | low as u32))
        }
        _ => None,
    }
}

/// Whose an address is, and what its range is.
#[must_use]
pub fn zone(address: IpAddr) -> (Zone, &'static str) {
    match address {
        IpAddr::V4(address) => zone_v4(address),
        IpAddr::V6(address) => inner(address).map_or_else(|| zone_v6(address), zone_v4),
    }
}

fn zone_v4(address: Ipv4Addr) -> (Zone, &'static str) {
    let differing = |first: Ipv4Addr, bits: u32| (address.to_bits() ^ first.to_bits()).checked_shr(32 - bits);
    let found = RANGES_V4.iter().find(|(first, bits, ..)| differing(*first, *bits).unwrap_or(0) == 0);
    found.map_or((Zone::Never, "unknown"), |(.., zone, kind)| (*zone, *kind))
}

fn zone_v6(address: Ipv6Addr) -> (Zone, &'static str) {
    let differing =
        |first: Ipv6Addr, bits: u32| (address.to_bits() ^ first.to_bits()).checked_shr(128 - bits);
    let found = RANGES_V6.iter().find(|(first, bits, ..)| differing(*first, *bits).unwrap_or(0) == 0);
    found.map_or((Zone::Never, "unknown"), |(.., zone, kind)| (*zone, *kind))
}

/// Whether a peer with this reach may have this address; otherwise what kind of address it is.
///
/// # Errors
/// The kind of address.
pub fn check(address: IpAddr, reach: Reach) -> Result<(), &'static str> {
    match (zone(address), reach) {
        ((Zone::Public, _), _) | ((Zone::Own, _), Reach::Own) => Ok(()),
        ((_, kind), _) => Err(kind),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(text: &str) -> (Zone, &'static str) {
        zone(text.parse().unwrap())
    }

    #[test]
    fn every_range_is_known_up_to_its_last_address() {
        for (first, bits, zone, kind) in RANGES_V4 {
            let last = first.to_bits() | u32::MAX.checked_shr(*bits).unwrap_or(0);
            let rest = RANGES_V4.iter().any(|(other, more, ..)| other.to_bits() == last && *more == 32);
            assert!(rest || zone_v4(last.into()) == (*zone, *kind), "{first}/{bits}");
        }
        // The last of all of IPv6 lies in a range of its own.
        for (first, bits, zone, kind) in RANGES_V6.iter().filter(|(_, bits, ..)| *bits > 0) {
            let last = first.to_bits() | u128::MAX.checked_shr(*bits).unwrap_or(0);
            let rest = RANGES_V6.iter().any(|(other, more, ..)| other.to_bits() == last && *more == 128);
            assert!(rest || zone_v6(last.into()) == (*zone, *kind), "{first}/{bits}");
        }
    }

    #[test]
    fn what_is_no_place_on_the_internet_is_known_by_name() {
        let kinds = [
            ("0.0.0.0", Zone::Never, "unspecified"),
            ("0.1.2.3", Zone::Never, "this network"),
            ("10.0.0.1", Zone::Own, "private"),
            ("11.0.0.1", Zone::Public, "public"),
            ("100.63.255.255", Zone::Public, "public"),
            ("100.64.0.1", Zone::Own, "shared by a carrier or a mesh"),
            ("100.100.100.200", Zone::Never, "metadata of Alibaba Cloud"),
            ("127.0.0.1", Zone::Own, "loopback"),
            ("169.254.1.1", Zone::Never, "link-local"),
            ("169.254.169.254", Zone::Never, "metadata of clouds"),
            ("172.15.255.255", Zone::Public, "public"),
            ("172.31.255.255", Zone::Own, "private"),
            ("192.0.0.192", Zone::Never, "protocol assignments, and metadata of Oracle Cloud"),
            ("192.168.1.1", Zone::Own, "private"),
            ("198.19.0.1", Zone::Own, "benchmarking"),
            ("224.0.0.1", Zone::Never, "multicast"),
            ("250.0.0.1", Zone::Never, "reserved"),
            ("255.255.255.255", Zone::Never, "broadcast"),
            ("::", Zone::Never, "unspecified"),
            ("::1", Zone::Own, "loopback"),
            ("::8.8.8.8", Zone::Never, "IPv4-compatible"),
            ("::ffff:127.0.0.1", Zone::Own, "loopback"),
            ("64:ff9b::8.8.8.8", Zone::Public, "public"),
            ("64:ff9b:1::8.8.8.8", Zone::Never, "translation into a network of its own"),
            ("2001::1", Zone::Never, "Teredo"),
            ("2001:db8::1", Zone::Never, "documentation"),
            ("2002:808:808::1", Zone::Never, "6to4"),
            ("2606:4700::1111", Zone::Public, "public"),
            ("4000::1", Zone::Never, "not given out"),
            ("fd00:ec2::254", Zone::Never, "metadata of AWS"),
            ("fd00:ec2::255", Zone::Own, "unique local"),
            ("fe80::1", Zone::Never, "link-local"),
            ("fec0::1", Zone::Never, "site-local"),
            ("ff02::1", Zone::Never, "multicast"),
        ];
        for (address, zone, name) in kinds {
            assert_eq!(kind(address), (zone, name), "{address}");
        }
    }

    #[test]
    fn link_local_and_metadata_are_refused_to_everyone() {
        for address in
            ["169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254"]
        {
            assert!(check(address.parse().unwrap(), Reach::Own).is_err(), "{address}");
        }
        assert!(check("192.168.1.7".parse().unwrap(), Reach::Own).is_ok());
        assert_eq!(check("192.168.1.7".parse().unwrap(), Reach::Public), Err("private"));
    }

    proptest! {
        #[test]
        fn an_address_that_is_refused_is_refused_in_every_form_that_carries_it(bits: u32) {
            let [a, b, c, d] = bits.to_be_bytes().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for reach in [Reach::Public, Reach::Own] {
                let plain = check(IpAddr::V4(bits.into()), reach);
                for form in [[0, 0, 0, 0, 0, 0xffff], [0x64, 0xff9b, 0, 0, 0, 0]] {
                    let [p, q, r, s, t, u] = form;
                    prop_assert_eq!(check(IpAddr::V6([p, q, r, s, t, u, high, low].into()), reach), plain);
                }
                let old = [[0x2002, high, low, 0, 0, 0, 0, 1], [0x64, 0xff9b, 1, 0, 0, 0, high, low]];
                for form in old {
                    prop_assert!(check(IpAddr::V6(form.into()), reach).is_err());
                }
            }
        }

        #[test]
        fn no_stranger_of_the_standard_library_is_public(bits: u32, words: u128) {
            let v4 = Ipv4Addr::from_bits(bits);
            let strange = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            prop_assert!(!strange || zone_v4(v4).0 != Zone::Public);
            let v6 = Ipv6Addr::from_bits(words);
            let strange = v6.is_loopback() || v6.is_multicast() || v6.is_unicast_link_local()
                || v6.is_unique_local() || v6.is_unspecified();
            prop_assert!(!strange || zone_v6(v6).0 != Zone::Public);
        }
    }
}
