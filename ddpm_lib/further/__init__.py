"""Beyond DDPM, in reading order: names, precondition, variances, likelihood, distill."""
