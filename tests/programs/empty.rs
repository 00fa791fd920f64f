//! Nothing: the examples beside this are the package.
