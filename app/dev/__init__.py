"""`rampwright dev`: a whole ramp on one machine, its far side included, under one supervisor.

`home` is what it keeps on disk, `children` runs programs and runs them again, `far_side`, `partner` and `top_ups` set
up what a first start lacks, `run` puts these together.
"""
