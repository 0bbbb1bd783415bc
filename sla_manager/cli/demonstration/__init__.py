"""An invented council with a year of history, made by the same commands as real life."""
