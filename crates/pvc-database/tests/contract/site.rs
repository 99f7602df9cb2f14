//! What the cases need: zones, and who answers for them.

use pvc_database::Zones;

pub(crate) trait Site {
    type Port: Zones;

    fn port(&self) -> &Self::Port;

    /// What is answered to a question for a name and a type.
    async fn answers(&self, name: &str, kind: &str) -> Vec<String>;

    /// Somebody else has a zone.
    async fn occupy(&self, zone: &str);

    /// Has the database take no writes, or take them again.
    async fn follow(&self, follows: bool);
}
