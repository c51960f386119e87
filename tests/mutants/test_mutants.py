"""The list of mutants is of the code that is there; `make mutants` runs it."""

import pytest

from tests.mutants import in_lua, in_maintenance, in_request, in_worker
from tests.mutants.mutant import ROOT, Mutant

MUTANTS = [*in_lua.MUTANTS, *in_request.MUTANTS, *in_worker.MUTANTS, *in_maintenance.MUTANTS]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.rule}")
def test_each_is_of_text_that_is_there_once_and_of_tests_that_exist(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.text) == 1
    assert mutant.text != mutant.instead
    assert all((ROOT / test).is_file() for test in mutant.tests)


def test_each_rule_has_a_name_of_its_own_in_its_file() -> None:
    names = [(mutant.file, mutant.rule) for mutant in MUTANTS]
    assert len(set(names)) == len(names)
