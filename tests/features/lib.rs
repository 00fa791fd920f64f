//! Nothing: what is here are the tests of the library, built with features that it does not ask for.
