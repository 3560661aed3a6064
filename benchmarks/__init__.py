"""Measurements: how fast the engine and the explorers are, beside their peers."""
