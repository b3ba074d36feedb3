"""IAM policy drift: what access changed, and who changed it."""
