mod summary;
mod text;
