//! The port to this machine: links, addresses, units, /proc.
