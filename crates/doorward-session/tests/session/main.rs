//! Sockets from their admission to their end, over TCP and over a pipe in memory.

#[cfg(test)]
mod support;

#[cfg(test)]
mod connections;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod fan_out;
#[cfg(test)]
mod following;
#[cfg(test)]
mod framings;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod marks;
#[cfg(test)]
mod observer;
#[cfg(test)]
mod races;
#[cfg(test)]
mod readmissions;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod suspensions;
#[cfg(test)]
mod time;
