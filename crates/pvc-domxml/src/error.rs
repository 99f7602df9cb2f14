//! Why a text is not the definition of a VM.

/// Why a text is not the definition of a VM. Each message names the element to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A character that no XML may hold and on which libvirt's C strings end.
    #[error("character U+{code:04X} in line {line} is not allowed in XML")]
    ControlCharacter {
        /// Its code point.
        code: u32,
        /// Where it is, counted from 1.
        line: usize,
    },
    /// It cannot be parsed.
    #[error("not well-formed XML: {message}")]
    NotXml {
        /// What the parser said.
        message: String,
    },
    /// It is XML, but of something else.
    #[error("the root element is <{root}>, expected <domain>")]
    NotADomain {
        /// The root element.
        root: String,
    },
    /// An element is not there or empty.
    #[error("element <{element}> is missing or empty")]
    Missing {
        /// Its path below `<domain>`.
        element: &'static str,
    },
    /// An element holds something else than it should.
    #[error("element <{element}> holds `{text}`, expected {expected}")]
    Wrong {
        /// Its path below `<domain>`.
        element: &'static str,
        /// What it holds, shortened.
        text: String,
        /// What it should hold.
        expected: &'static str,
    },
}

impl DefinitionError {
    pub(crate) fn wrong(element: &'static str, text: &str, expected: &'static str) -> Self {
        Self::Wrong { element, text: text.chars().take(80).collect(), expected }
    }
}
