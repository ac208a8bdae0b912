"""The registry: images by digest, over the same API and with the same credentials that Docker has."""
