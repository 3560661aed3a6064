"""For authors and learners: build a key, give out an edition, check one's own answers."""
