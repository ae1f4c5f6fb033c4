//! The edge, the transports, the configuration and the command line of Doorward.

pub mod config;
