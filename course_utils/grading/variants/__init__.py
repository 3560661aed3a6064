"""Hidden inputs of each learner's own: a key in several variants, drawn from other seeds."""
