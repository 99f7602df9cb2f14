//! Options for the database of an OSD.

use clap::Args;
use pvc_client::call::storage::osd::ExtDb;

use crate::storage::parse;

/// `-r` and `-s`: a database on another device than the data.
#[derive(Debug, Args)]
pub(super) struct ExtDbOptions {
    /// Put the database into the node's volume group for them, as large as this part of the data.
    #[arg(short = 'r', long, value_name = "RATIO", value_parser = parse::ratio)]
    ext_db_ratio: Option<String>,
    /// Put the database into the node's volume group for them, with this size, such as 6G.
    #[arg(
        short = 's', long, value_name = "SIZE", value_parser = parse::size,
        conflicts_with = "ext_db_ratio"
    )]
    ext_db_size: Option<String>,
}

impl ExtDbOptions {
    /// What was said, if anything.
    pub(super) fn choice(self) -> Option<ExtDb> {
        self.ext_db_size.map(ExtDb::Size).or_else(|| self.ext_db_ratio.map(ExtDb::Ratio))
    }
}
