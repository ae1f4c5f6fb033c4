//! Values as they stand in the file, each parsed into a type that cannot be wrong.

mod host;
mod listen;
mod network;
mod size;
mod store_url;

pub use host::Host;
pub use listen::Listen;
pub use network::Network;
pub use size::Size;
pub use store_url::StoreUrl;

/// Reads a type out of a string, by its `FromStr`.
macro_rules! from_text {
    ($type:ty, $expected:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }

        impl $crate::config::keys::Value for $type {
            const KIND: $crate::config::keys::Kind = $crate::config::keys::Kind::Text;

            fn toml(&self) -> Option<String> {
                Some($crate::config::keys::quoted(&self.to_string()))
            }
        }
    };
}
use from_text;
