use std::{fmt, path::PathBuf};

use doorward_auth::settings::Span;

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text in quotes.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A whole number and a unit in quotes: `"30s"`.
    Duration,
    /// A number of bytes, plain or with a unit: `"64KiB"`.
    Size,
    /// A list of texts.
    List,
    /// A table, or a list of them.
    Table,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Switch => "true or false",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::List => "list",
            Self::Table => "table",
        })
    }
}

/// One key of the configuration: the line it has in the default file and in the manual.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name in its table.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its default as TOML; `None` where it is unset.
    pub default: Option<String>,
    /// A value as TOML, for keys without a default.
    pub example: String,
    /// Whether it has to be given.
    pub required: bool,
    /// Its manual entry: the doc comment of the field.
    pub doc: String,
}

/// A table of the configuration that can list its keys.
pub trait Table {
    /// Its name, as in `[server]` or `[[gate]]`.
    const NAME: &'static str;

    /// What it is for.
    fn doc() -> String;

    /// All its keys, in the order in which they are documented.
    fn keys() -> Vec<Key>;

    /// The names of the keys that are not the same in `other`.
    fn changed(&self, other: &Self) -> Vec<&'static str>;
}

/// A value as it stands in TOML.
pub(super) trait Value {
    const KIND: Kind;

    /// As TOML; `None` where it is unset.
    fn toml(&self) -> Option<String>;
}

/// Joins the lines of a doc comment.
pub(super) fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Declares a table of the configuration: the struct, its defaults and the list of its keys with their manual entries, all out
/// of the same lines, so that they cannot drift.
///
/// A field is `name: Type = default` or, where it has to be given, `name (required): Type`; `like "..."` adds an example.
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])*
        $name:ident as $toml:literal {
            $(
                $(#[doc = $doc:literal])*
                $field:ident $(($required:ident))?: $type:ty $(= $default:expr)? $(, like $example:literal)?;
            )*
        }
    ) => {
        $(#[doc = $table_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::config::keys::table!(@default $type $(, $default)?),)* }
            }
        }

        impl $crate::config::keys::Table for $name {
            const NAME: &'static str = $toml;

            fn doc() -> String {
                $crate::config::keys::doc(&[$($table_doc),*])
            }

            fn keys() -> Vec<$crate::config::keys::Key> {
                let default = Self::default();
                vec![$($crate::config::keys::Key {
                    name: stringify!($field),
                    kind: <$type as $crate::config::keys::Value>::KIND,
                    default: $crate::config::keys::Value::toml(&default.$field),
                    example: String::from(concat!($($example)?)),
                    required: $crate::config::keys::table!(@required $($required)?),
                    doc: $crate::config::keys::doc(&[$($doc),*]),
                },)*]
            }

            fn changed(&self, other: &Self) -> Vec<&'static str> {
                let mut changed = Vec::new();
                $(if self.$field != other.$field {
                    changed.push(stringify!($field));
                })*
                changed
            }
        }
    };
    (@default $type:ty) => { <$type as Default>::default() };
    (@default $type:ty, $default:expr) => { $default };
    (@required) => { false };
    (@required required) => { true };
}
pub(super) use table;

impl Value for String {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        (!self.is_empty()).then(|| quoted(self))
    }
}

impl Value for PathBuf {
    const KIND: Kind = Kind::Text;

    fn toml(&self) -> Option<String> {
        Some(quoted(&self.to_string_lossy()))
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Switch;

    fn toml(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for u32 {
    const KIND: Kind = Kind::Number;

    fn toml(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for Span {
    const KIND: Kind = Kind::Duration;

    fn toml(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn toml(&self) -> Option<String> {
        self.as_ref().and_then(T::toml)
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: Kind = match T::KIND {
        Kind::Table => Kind::Table,
        _ => Kind::List,
    };

    fn toml(&self) -> Option<String> {
        Some(format!("[{}]", self.iter().filter_map(T::toml).collect::<Vec<_>>().join(", ")))
    }
}
