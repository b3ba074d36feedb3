"""What each check means: rules over facts, without a call."""
