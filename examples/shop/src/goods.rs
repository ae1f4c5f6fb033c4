//! What is for sale.

/// A thing in the shop.
pub(crate) struct Good {
    /// Its name in the cart, and that of its picture.
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// In cents.
    pub(crate) price: u32,
}

pub(crate) const GOODS: [Good; 6] = [
    Good {
        sku: "lantern",
        name: "Storm lantern",
        about: "Burns for twenty hours, and stays lit in the wind.",
        price: 4_900,
    },
    Good { sku: "rope", name: "Hemp rope", about: "Twelve metres, three strands, tarred ends.", price: 2_450 },
    Good {
        sku: "kettle",
        name: "Camp kettle",
        about: "A litre and a half, enamelled, with a wooden grip.",
        price: 3_800,
    },
    Good { sku: "mug", name: "Enamel mug", about: "Holds coffee, soup and pencils.", price: 1_150 },
    Good {
        sku: "blanket",
        name: "Wool blanket",
        about: "Woven on narrow looms, and heavier than it looks.",
        price: 8_900,
    },
    Good { sku: "compass", name: "Brass compass", about: "Points north, closes with a click.", price: 5_600 },
];

/// A price as it is written.
pub(crate) fn euros(cents: u64) -> String {
    format!("€{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use doorward_auth::ports::Sku;

    use super::*;

    #[test]
    fn everything_that_is_for_sale_can_lie_in_a_cart() {
        assert!(GOODS.iter().all(|good| good.sku.parse::<Sku>().is_ok()));
        assert_eq!((euros(4_900), euros(5), euros(123_456)), ("€49.00".into(), "€0.05".into(), "€1234.56".into()));
    }
}
