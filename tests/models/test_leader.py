"""A term is trusted until its deadline and not a moment longer."""

from cronzimus.models.leader import Term


def test_term_is_trusted_before_its_deadline_only() -> None:
    term = Term("me", 3, started=10.0, trusted_until=15.0)
    assert term.is_trusted(10.0) and term.is_trusted(14.999)
    assert not term.is_trusted(15.0) and not term.is_trusted(99.0)
