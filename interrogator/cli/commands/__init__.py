"""The commands: a module each, with what may be asked (`parse`, quick) and the asking (`run`, which loads models)."""
