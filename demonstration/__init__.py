"""A demonstration: people who file and partners who answer, told in advance, and what became of each case."""
