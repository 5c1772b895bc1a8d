"""A small family of programmes, written from docs/adding-a-programme.md: a cooperative asks for boats in a bay."""
