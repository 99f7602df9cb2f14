//! Logging in and out, for browsers.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use pvc_common::api::Message;
use utoipa::IntoParams;

use super::args::Args;
use super::error::ApiError;
use crate::app::App;
use crate::auth::{Caller, Gate};

const ROOT: &str = "/api/v1/";

/// Arguments of a login.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct LoginArgs {
    /// An API token.
    token: String,
}

/// Admits whoever knows a token, by a session cookie.
#[utoipa::path(post, path = "/api/v1/login", operation_id = "login", tag = "root",
    params(LoginArgs), security(()),
    responses((status = 200, body = Message), (status = 401, description = "No such token")))]
pub(super) async fn login(
    State(app): State<App>,
    caller: Caller,
    args: Args,
) -> Result<Response, ApiError> {
    let LoginArgs { token } = LoginArgs { token: args.required("token")?.to_owned() };
    let Some(gate) = app.gate() else { return Ok(Redirect::to(ROOT).into_response()) };
    let Some(admission) = gate.admission(&token) else {
        return Err(ApiError::unauthorized("Authentication failed"));
    };
    caller.admit(admission);
    let message = Json(Message::new("Authentication successful"));
    Ok(([(SET_COOKIE, gate.admit())], message).into_response())
}

/// Forgets the session cookie.
#[utoipa::path(post, path = "/api/v1/logout", operation_id = "logout", tag = "root",
    security(()), responses((status = 200, body = Message)))]
pub(super) async fn logout(State(app): State<App>) -> Response {
    if app.gate().is_none() {
        return Redirect::to(ROOT).into_response();
    }
    let message = Json(Message::new("Deauthentication successful"));
    ([(SET_COOKIE, Gate::dismissal())], message).into_response()
}
