"""The sample corpus: customer messages of a made-up company, with planted truth. `docs/sample.md` says what is in it."""
