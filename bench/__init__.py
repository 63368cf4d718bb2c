"""The speeds that we promise, measured as ratios in one run: `make bench`."""
