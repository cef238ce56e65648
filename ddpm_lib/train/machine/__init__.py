"""What the machine adds to Algorithm 1: several processes, compiling, precision, a probe, the cost of a run."""
