from cronzimus.models.run import Offer
from cronzimus.utils.ids import new_id
from cronzimus.workers.engine import Engine
from cronzimus.workers.engines.inline import InlineEngine


def test_engine_is_what_the_inline_one_is() -> None:
    inline = InlineEngine()
    engine: Engine = inline
    run_id = new_id()
    engine.offer([Offer(run_id, None)])
    assert inline.take(10) == [run_id]


def test_engine_carries_nothing_but_ids() -> None:
    assert [name for name in vars(Engine) if not name.startswith("_")] == [
        *("send", "receive", "report", "listen", "state", "close")
    ]
