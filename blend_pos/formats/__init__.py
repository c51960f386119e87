"""How a language writes numbers here, where that is not as Django has it (FORMAT_MODULE_PATH)."""
