//! A node with disks, on which tasks are played.

mod adding;
mod grouping;
mod killed;
mod remembering;
mod removing;
mod replacing;
mod site;
