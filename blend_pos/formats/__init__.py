"""How a language writes numbers and moments here, where that is not as Django has it (FORMAT_MODULE_PATH)."""
