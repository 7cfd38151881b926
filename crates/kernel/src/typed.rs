//! This owns text as it came in, before anybody has looked at it: it can be turned into what it should be, and into
//! nothing else.

use serde::{Deserialize, Deserializer};

use crate::private::{Private, kind};

/// What somebody typed. Not printable, serialisable, cloneable or storable.
pub type Typed = Private<kind::Typed>;

impl Default for Typed {
    fn default() -> Self {
        Self::new(String::new())
    }
}

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Typed {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
