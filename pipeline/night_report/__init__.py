"""One night as a page of HTML: what moved, why, and the evidence. Read from the published tables, written as one file."""
