"""What a token's roles mean, and who may do what."""

import pytest

from countersign_core import roles
from countersign_core.roles import Role, parse_roles


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["ADMIN"], {Role.ADMIN}),
        (["OPS"], {Role.OPERATOR}),
        (["ops", "viewer"], {Role.OPERATOR, Role.VIEWER}),
        (["OPS", "OPERATOR"], {Role.OPERATOR}),
        (["EMPEROR", ""], set()),
        ([], set()),
        (["ADMIN "], set()),
    ],
)
def test_known_names_count_and_others_are_left_out(names, expected):
    assert parse_roles(names) == expected


def test_an_admin_may_do_all_that_any_person_may():
    for name in ("READERS", "OPERATORS", "INTEGRATORS", "SUBMITTERS", "ADMINS"):
        assert Role.ADMIN in getattr(roles, name)


def test_a_viewer_only_reads():
    assert Role.VIEWER in roles.READERS
    for name in ("OPERATORS", "INTEGRATORS", "SUBMITTERS", "ADMINS"):
        assert Role.VIEWER not in getattr(roles, name)


def test_no_set_mixes_people_and_services():
    """A service acts for every org; a person never does."""
    for name, value in vars(roles).items():
        if isinstance(value, frozenset):
            assert value <= roles.SERVICE_ROLES or not value & roles.SERVICE_ROLES, name


def test_every_alias_leads_to_a_role():
    assert set(roles.ALIASES.values()) <= set(Role)
    assert not set(roles.ALIASES) & set(Role.__members__)
