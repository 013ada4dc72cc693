"""What each upgrade reconciles because it is not history: roles, functions, keys, switches."""
