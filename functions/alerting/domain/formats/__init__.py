"""One alert as each medium shows it."""
