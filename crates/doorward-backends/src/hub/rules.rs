use doorward_auth::Admission;
use doorward_wire::json::Inbound;
use serde::Deserialize;

use super::{ChannelModel, Permitted};

/// Who may do something in a channel.
///
/// ```
/// use doorward_backends::hub::{ChannelRules, Rule};
///
/// let rules: ChannelRules = serde_json::from_str(r#"{ "subscribe": "any", "publish": { "claim": "groups" } }"#)?;
/// assert_eq!(rules.publish, Rule::Claim("groups".into()));
/// assert_eq!(rules.custom, Rule::Nobody);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Nobody.
    #[default]
    Nobody,
    /// Whoever was admitted, proven to be somebody or not.
    Any,
    /// Whoever was proven to be somebody.
    Authenticated,
    /// Whoever has this claim, for the primary keys that it lists.
    Claim(String),
}

/// What may be done in a channel, by whom. What is not said is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelRules {
    /// Who may subscribe.
    pub subscribe: Rule,
    /// Who may publish.
    pub publish: Rule,
    /// Who may send custom actions.
    pub custom: Rule,
}

impl Rule {
    fn permits(&self, admission: &Admission) -> Permitted {
        match self {
            Self::Nobody => Permitted::NOTHING,
            Self::Any => Permitted::WhatWasAskedFor,
            Self::Authenticated if admission.subject().is_some() => Permitted::WhatWasAskedFor,
            Self::Authenticated => Permitted::NOTHING,
            Self::Claim(name) => admission.claims().get(name).into_iter().flatten().cloned().collect(),
        }
    }

    fn permits_exactly(&self, admission: &Admission, pk: Option<&str>) -> bool {
        match self {
            Self::Claim(name) => {
                let listed = admission.claims().get(name);
                pk.is_some_and(|pk| listed.is_some_and(|listed| listed.iter().any(|listed| listed == pk)))
            }
            other => other.permits(admission) == Permitted::WhatWasAskedFor,
        }
    }
}

impl ChannelModel for ChannelRules {
    fn can_subscribe(&self, admission: &Admission, _message: &Inbound<'_>) -> Permitted {
        self.subscribe.permits(admission)
    }

    fn can_publish(&self, admission: &Admission, message: &Inbound<'_>) -> bool {
        self.publish.permits_exactly(admission, message.pk.as_deref())
    }

    fn can_send(&self, admission: &Admission, message: &Inbound<'_>) -> bool {
        self.custom.permits_exactly(admission, message.pk.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_or_rule_is_refused() {
        for wrong in [r#"{"subscribes":"any"}"#, r#"{"subscribe":"everybody"}"#, r#"{"subscribe":{"claims":"x"}}"#] {
            assert!(serde_json::from_str::<ChannelRules>(wrong).is_err(), "{wrong}");
        }
    }
}
