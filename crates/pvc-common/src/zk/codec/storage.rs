//! Text forms of what concerns the storage: JSON, for it is ours.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fence::{decode, encode};
use super::{BadText, Text};
use crate::model::BenchmarkRecord;

#[derive(Serialize, Deserialize)]
struct BenchmarkText {
    id: i64,
    test_format: i64,
    result: Value,
}

impl Text for BenchmarkRecord {
    fn encode(&self) -> String {
        let Self { id, test_format, result } = self.clone();
        encode(&BenchmarkText { id, test_format, result })
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let BenchmarkText { id, test_format, result } = decode(text)?;
        Ok(Self { id, test_format, result })
    }
}
