"""Run a notebook in a sandbox and say of each cell how it went: workers, kernels, rooms."""
