"""The gate: is staging's image provably built from the validated commit?"""
