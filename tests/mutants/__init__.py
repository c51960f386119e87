"""Rules of the pipeline taken out of the real code, one at a time, and the tests that miss them: `make mutants`."""
