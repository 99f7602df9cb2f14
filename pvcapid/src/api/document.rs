//! What the API's description says besides its endpoints.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

const ABOUT: &str = "Manages a Parallel Virtual Cluster.\n\n\
    Every argument may be sent in the query or in a form (URL-encoded or multipart); repeated \
    arguments are a list. Flags are `true`, `yes`, `on`, `1`, `t` or `y` for true, anything else \
    for false; those that are settings are refused if they are neither. Answers are JSON; a refusal has a `message`, which is a sentence, or one per \
    argument, and a stable `code`.";

/// The head of the document, to which the routes are added.
pub(super) fn head() -> OpenApi {
    let key = "An API token. Not needed while authentication is switched off, or after a login.";
    let key =
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-Api-Key", key)));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("PVC API").version("1.0").description(Some(ABOUT)).build())
        .components(Some(ComponentsBuilder::new().security_scheme("token", key).build()))
        .security(Some([SecurityRequirement::new("token", Vec::<String>::new())]))
        .build()
}
