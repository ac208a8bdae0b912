"""What the tests, the demo and the benchmarks stand on: real Engines, Git, HTTP, ssh, and runs of the command line."""
