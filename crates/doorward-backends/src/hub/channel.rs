use std::{borrow::Borrow, fmt, str::FromStr};

use doorward_wire::json::may_name_a_channel;
use serde::Deserialize;

/// A text that cannot be the name of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a channel's name is 1 to 255 bytes without control characters and without any of `*?[]:`")]
pub struct UnfitName;

/// The name of a channel, in a form that no broker reads as a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ChannelName(Box<str>);

impl ChannelName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ChannelName {
    type Error = UnfitName;

    fn try_from(name: String) -> Result<Self, UnfitName> {
        if may_name_a_channel(&name) { Ok(Self(name.into())) } else { Err(UnfitName) }
    }
}

impl FromStr for ChannelName {
    type Err = UnfitName;

    fn from_str(name: &str) -> Result<Self, UnfitName> {
        name.to_owned().try_into()
    }
}

impl Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
