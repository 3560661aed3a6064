"""Grade many hand-ins: what is done already, what is written when, on one machine or several."""
