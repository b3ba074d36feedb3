"""GetAccountAuthorizationDetails comes in pages, with boundaries and tags."""

import pytest

READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"


@pytest.fixture
def users(aws, name):
    """Three users of one path, the last one with a boundary and a tag."""
    iam, users = aws.client("iam"), [f"{name[-8:]}-{number}" for number in range(3)]
    for user in users:
        iam.create_user(UserName=user, Path="/details/")
    iam.put_user_permissions_boundary(UserName=users[-1], PermissionsBoundary=READ_ONLY)
    iam.tag_user(UserName=users[-1], Tags=[{"Key": "team", "Value": "a"}])
    return users


def details(aws, page_size):
    pages = aws.client("iam").get_paginator("get_account_authorization_details")
    return list(pages.paginate(Filter=["User"], PaginationConfig={"PageSize": page_size}))


def test_every_user_is_on_one_page(aws, users):
    pages = details(aws, 2)

    names = [user["UserName"] for page in pages for user in page["UserDetailList"]]
    assert {len(page["UserDetailList"]) for page in pages[:-1]} == {2}
    assert [name for name in names if name in users] == users
    assert len(names) == len(set(names))


@pytest.mark.usefixtures("users")
def test_a_listing_shows_the_account_as_it_was_when_it_began(aws, name):
    iam = aws.client("iam")
    first = iam.get_account_authorization_details(Filter=["User"], MaxItems=1)

    iam.create_user(UserName=f"{name[-8:]}-late", Path="/details/")
    rest = iam.get_account_authorization_details(Filter=["User"], MaxItems=1000, Marker=first["Marker"])

    assert first["IsTruncated"]
    assert not rest["IsTruncated"]
    assert f"{name[-8:]}-late" not in [user["UserName"] for user in rest["UserDetailList"]]


def test_boundaries_and_tags_are_returned(aws, users):
    found = {user["UserName"]: user for page in details(aws, 1000) for user in page["UserDetailList"]}

    assert found[users[-1]]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": READ_ONLY,
    }
    assert found[users[-1]]["Tags"] == [{"Key": "team", "Value": "a"}]
    assert "PermissionsBoundary" not in found[users[0]]


def test_an_invented_marker_is_refused(aws):
    iam = aws.client("iam")

    with pytest.raises(iam.exceptions.ClientError, match="Invalid Marker"):
        iam.get_account_authorization_details(Marker="invented")
