import pytest
from tests.workers.support import *
from cronzimus.models.run import RunState

@pytest.mark.parametrize("f", ["noop","async_give"])
def test_smoke(f):
    ledger = Ledger(definition(f))
    with working(ledger) as (w, e):
        r = start_run(ledger, e)
        assert ledger.final(r) is RunState.SUCCESS, ledger.reports

@pytest.mark.parametrize("f", ["pid","linger", "scribble","die"])
def test_smokep(f):
    ledger = Ledger(definition(f, policy={"isolation":"process"}))
    with working(ledger) as (w, e):
        r = start_run(ledger, e)
        ledger.final(r)
        print(ledger.reports)
