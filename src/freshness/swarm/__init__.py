"""The promotion of Docker Swarm's services: one write for each, and our own judgement of what came of it."""
