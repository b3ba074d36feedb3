"""Installs a release into an account from its files alone: no clone, no SAM CLI."""
