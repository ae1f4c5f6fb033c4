//! Layers that talk over the open socket.
