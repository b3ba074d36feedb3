"""All users of an account, as a list, and which of them administer IAM."""


class ListedDirectory:
    """Users as the account's bulk calls show them."""

    def __init__(self, users):
        self._users = users

    def users(self, path):
        return (user for user in self._users if user.path.startswith(path))


class ListedAdministrators:
    """The ARNs of the users that IAM takes for administrators."""

    def __init__(self, *arns):
        self._arns = arns

    def administers_iam(self, arn):
        return arn in self._arns
