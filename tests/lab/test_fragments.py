"""Pieces of bodies: what is missing, and what comes of laying one over another."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.lab.fragments import clashes, lacks, merged

KEYS = st.sampled_from(["name", "id", "properties", "subnets", "Etag", "", "$ref", "ünï"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "saas", "SAAS", "ß", "SS", "80", "\x00"])
)

ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
"""What Azure or a hostile stranger may answer: any JSON, items without names and two of a name among it."""


def _items(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A list of things that are told apart, as a plan writes it: every item by a key of its own."""

    def of(key: str) -> st.SearchStrategy[list[Any]]:
        other = "id" if key == "name" else "tags"
        item = st.builds(
            lambda name, more: {**more, key: name},
            st.sampled_from(["a", "B", "saas"]),
            st.dictionaries(st.sampled_from(["properties", "zones", other]), inner, max_size=2),
        )
        return st.lists(item, max_size=3, unique_by=lambda one: str(one[key]).casefold())

    return of("name") | of("id")


WANTED = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS | st.lists(SCALARS, max_size=3),
        lambda inner: st.dictionaries(KEYS, inner, max_size=3) | _items(inner),
        max_leaves=10,
    ),
    max_size=4,
)


@given(ANYTHING, WANTED)
def test_nothing_is_lacking_once_it_is_merged(there: Any, wanted: Any) -> None:
    assert lacks(merged(there, wanted), wanted) == ""
    assert clashes(merged(there, wanted), wanted) == ""


@given(ANYTHING, WANTED)
def test_what_is_so_already_is_left_exactly_as_it_is(there: Any, wanted: Any) -> None:
    once = merged(there, wanted)
    assert merged(once, wanted) == once
    if not lacks(there, wanted):
        assert once == there


@given(ANYTHING, WANTED)
def test_neither_side_is_changed(there: Any, wanted: Any) -> None:
    before = deepcopy((there, wanted))
    result = merged(there, wanted)
    _spoil(result)
    assert (there, wanted) == before


def _spoil(value: Any) -> None:
    """Change everything in a value that can be changed in place."""
    for item in list(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
        _spoil(item)
    if isinstance(value, dict | list):
        value.clear()


@given(st.dictionaries(KEYS, ANYTHING, max_size=4), WANTED)
def test_what_is_not_wanted_is_kept(there: dict[str, Any], wanted: dict[str, Any]) -> None:
    result = merged(there, wanted)
    assert {key: value for key, value in result.items() if key not in wanted} == {
        key: value for key, value in there.items() if key not in wanted
    }
    for key in there.keys() & wanted.keys():
        if isinstance(there[key], list) and _named(wanted[key]):
            touched = {str(item.get("name", item.get("id"))).casefold() for item in wanted[key]}
            assert _others(result[key], touched) == _others(there[key], touched)


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _others(items: list[Any], touched: set[str]) -> list[Any]:
    """The items that go by no name or id that is wanted."""
    return [
        item
        for item in items
        if not (isinstance(item, dict) and touched & {str(item.get(key)).casefold() for key in ("name", "id")})
    ]


@given(ANYTHING, WANTED)
def test_a_clash_is_something_that_is_there_and_lacking(there: Any, wanted: Any) -> None:
    if clashes(there, wanted):
        assert there is not None
        assert lacks(there, wanted)


@pytest.mark.parametrize(
    ("there", "wanted", "path"),
    [
        (None, {"location": "westeurope"}, "everything"),
        ({"location": "WestEurope"}, {"location": "westeurope"}, ""),
        ({"properties": {}}, {"properties": {"port": 80}}, "port"),
        ({"properties": {"port": "80"}}, {"properties": {"port": 80}}, "port"),
        ({"properties": {"on": 1}}, {"properties": {"on": True}}, "on"),
        ({"properties": {"subnets": None}}, {"properties": {"subnets": [{"name": "saas"}]}}, "subnets[saas]"),
        ({"properties": {"subnets": [{"name": "SaaS"}]}}, {"properties": {"subnets": [{"name": "saas"}]}}, ""),
        (
            {"subnets": [{"name": "saas", "properties": None}]},
            {"subnets": [{"name": "saas", "properties": {"natGateway": {"id": "/x"}}}]},
            "subnets[saas].properties",
        ),
        ({"pools": [{"id": "/a/B"}]}, {"pools": [{"id": "/A/b"}, {"id": "/a/c"}]}, "pools[c]"),
        ({"ports": ["80"]}, {"ports": ["80", "443"]}, "ports"),
        ({"zones": "1"}, {"zones": ["1"]}, "zones"),
    ],
)
def test_the_path_names_what_is_missing(there: Any, wanted: Any, path: str) -> None:
    assert lacks(there, wanted) == path


def test_items_are_told_apart_by_name_and_keep_what_else_they_have() -> None:
    there = {"etag": "1", "subnets": [{"name": "SAAS", "properties": {"prefix": "10.0.1.0/24"}}, {"name": "other"}]}
    wanted = {"subnets": [{"name": "saas", "properties": {"policies": "Disabled"}}, {"name": "third"}]}

    assert merged(there, wanted) == {
        "etag": "1",
        "subnets": [
            {"name": "SAAS", "properties": {"prefix": "10.0.1.0/24", "policies": "Disabled"}},
            {"name": "other"},
            {"name": "third"},
        ],
    }


def test_only_what_is_there_and_another_clashes() -> None:
    wanted = {"properties": {"subnets": [{"name": "saas", "properties": {"addressPrefix": "10.0.1.0/24"}}]}}

    assert clashes({"properties": {"subnets": [{"name": "other"}]}}, wanted) == ""
    taken = {"properties": {"subnets": [{"name": "Saas", "properties": {"addressPrefix": "10.0.9.0/24"}}]}}
    assert clashes(taken, wanted) == "subnets[saas].properties.addressPrefix"
