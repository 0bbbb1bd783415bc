"""Measurements in one run, as ratios: how much dearer our work is than the bare work beneath it."""
