"""Results in the places where teams keep them: experiment trackers, the hub, and a public database of evaluations."""
