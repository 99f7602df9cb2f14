//! `PUT /sriov/vf/{node}/{vf}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::state::{VfLinkState, Word};
use utoipa::IntoParams;

use super::existing;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, VfWish};
use crate::fetch;

/// The greatest VLAN; 4095 is reserved.
const MAX_VLAN: u32 = 4094;
/// The greatest priority that fits the three bits of a VLAN's tag.
const MAX_QOS: u32 = 7;

/// Arguments of a change; what is not given stays as it is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// The VLAN it is in, up to 4094; 0 for none.
    vlan_id: Option<u32>,
    /// Its priority there, up to 7.
    vlan_qos: Option<u32>,
    /// Least rate of sending, in Mbit/s; 0 for none.
    tx_rate_min: Option<u32>,
    /// Greatest rate of sending, in Mbit/s; 0 for none.
    tx_rate_max: Option<u32>,
    /// What it tells its VM of the cable: `auto`, `enable` or `disable`.
    #[param(value_type = Option<String>)]
    link_state: Option<VfLinkState>,
    /// Whether packets with foreign sender addresses are dropped.
    spoof_check: Option<bool>,
    /// Whether its VM may change its address and see all packets.
    trust: Option<bool>,
    /// Whether its VM may ask how load is spread.
    query_rss: Option<bool>,
}

impl SetArgs {
    fn parse(args: &Args) -> Result<Self, ApiError> {
        let words: Vec<(&str, VfLinkState)> =
            VfLinkState::ALL.iter().map(|word| (word.text(), *word)).collect();
        Ok(Self {
            vlan_id: at_most(args, "vlan_id", MAX_VLAN)?,
            vlan_qos: at_most(args, "vlan_qos", MAX_QOS)?,
            tx_rate_min: at_most(args, "tx_rate_min", u32::MAX)?,
            tx_rate_max: at_most(args, "tx_rate_max", u32::MAX)?,
            link_state: args.choice("link_state", &words)?,
            spoof_check: args.switch("spoof_check")?,
            trust: args.switch("trust")?,
            query_rss: args.switch("query_rss")?,
        })
    }

    fn wish(self) -> VfWish {
        VfWish {
            vlan_id: self.vlan_id,
            vlan_qos: self.vlan_qos,
            tx_rate_min: self.tx_rate_min,
            tx_rate_max: self.tx_rate_max,
            link_state: self.link_state,
            spoof_check: self.spoof_check,
            trust: self.trust,
            query_rss: self.query_rss,
        }
    }
}

fn at_most(args: &Args, name: &str, most: u32) -> Result<Option<u32>, ApiError> {
    let Some(text) = args.text(name) else { return Ok(None) };
    text.parse().ok().filter(|number| *number <= most).map(Some).ok_or_else(|| {
        let help = format!("{text} is not valid; expected a whole number from 0 to {most}");
        ApiError::argument(name, help)
    })
}

/// Sets something of a virtual function; its node brings that to the card.
#[utoipa::path(put, path = "/api/v1/sriov/vf/{node}/{vf}", operation_id = "sriov_vf_set",
    tag = "sriov",
    params(("node" = String, Path, description = "Short host name"),
        ("vf" = String, Path, description = "Name of the function"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not changed")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path((node, name)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wish = SetArgs::parse(&args)?.wish();
    let view = app.view()?;
    let (node, vf, _) = existing(&view, &node, &name).map_err(|_| {
        let why = format!("ERROR: No VF '{name}' found on node '{node}'.");
        ApiError::refused("no-such-vf", why)
    })?;
    let done = apply(&app, || async {
        let was = fetch::vf_settings(app.store(), &node, &vf).await?;
        change::set_vf(&node, &vf, &was, &wish)
    });
    Ok(Json(Message::new(done.await?)))
}
