//! Every port in memory: for tests, for the demo, and for applications that need no store.
