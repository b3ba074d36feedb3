"""All users of an account, as a list."""


class ListedDirectory:
    """Users as the account's bulk calls show them."""

    def __init__(self, users):
        self._users = users

    def users(self, path):
        return (user for user in self._users if user.path.startswith(path))
