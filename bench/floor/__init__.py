"""`passage bench floor`: the whole happy path against a bare workflow of the same shape, on the same servers."""
