"""The quick comparisons of the press model, held to the limits of the validation report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.validation.catalogue import CATALOGUE
from tests.validation.comparison import Comparison, Effort

EVERY = [compare for compares in CATALOGUE.values() for compare in compares]


@pytest.mark.parametrize("compare", EVERY, ids=[compare.__name__ for compare in EVERY])
def test_every_limit_of_the_comparison_is_kept(compare: Callable[..., Comparison]) -> None:
    comparison = compare(Effort.QUICK)
    broken = [f"{n.name}: {n.value:g} {n.unit}, limit {n.limit_text}" for n in comparison.numbers if not n.holds]
    assert not broken, f"{comparison.title}: {'; '.join(broken)}"
    assert any(number.judged for number in comparison.numbers)
    assert "<svg" in comparison.svg
