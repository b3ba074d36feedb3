"""The shipped settings as the tests know them: an operator may edit ``layers/settings``, and no test reads those."""
