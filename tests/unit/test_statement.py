"""Statements whose parameters have names."""

import pytest

from eventstore.postgres.session import Statement, call


def test_names_become_positions_in_the_order_of_their_first_use() -> None:
    statement = Statement("SELECT :b::text, :a WHERE x = :b")
    assert statement(a=1, b=2) == ("SELECT $1::text, $2 WHERE x = $1", 2, 1)


@pytest.mark.parametrize("values", [{}, {"a": 1, "b": 2}, {"b": 1}])
def test_a_parameter_that_is_missing_or_unknown_is_a_defect(values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="differ"):
        Statement("SELECT :a")(**values)


def test_a_call_names_every_parameter_of_the_function() -> None:
    assert call("f", ("a", "b"), a="seen.a") == "f(p_a => seen.a, p_b => :b)"
