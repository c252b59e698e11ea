//! Texts made to look like less than they are.

mod calls;
mod definitions;
mod nested;
mod rights;
mod texts;
