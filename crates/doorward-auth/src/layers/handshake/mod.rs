//! Layers that are answered from the upgrade request alone.
