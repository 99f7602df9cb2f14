//! The vocabulary that the daemons, the API and the client must agree on.
