"""The whole program over HTTP against the far side: nothing is replaced, nothing sleeps, everything is drained."""
