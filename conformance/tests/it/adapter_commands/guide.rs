//! The walk of the guide.
