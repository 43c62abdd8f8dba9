//! All JSON Schemas, compiled once, offline.
