"""The policy block: defaults somebody burnt by others would choose."""

from cronzimus.models.policy import CatchUp, Isolation, Overlap, Policy


def test_defaults_lose_nothing_and_pile_nothing_up() -> None:
    policy = Policy()
    assert (policy.overlap, policy.max_instances, policy.max_running) == (Overlap.SKIP, 1, 1)
    assert (policy.catch_up, policy.misfire_grace) == (CatchUp.LATEST, 300)
    assert (policy.max_attempts, policy.timeout, policy.isolation) == (1, None, Isolation.THREAD)


def test_memory_is_limited_in_a_process_only() -> None:
    assert Policy.model_validate({"isolation": "process", "memory_limit_mb": 256}).memory_limit_mb == 256


def test_every_field_says_what_it_means() -> None:
    assert all(field.description for field in Policy.model_fields.values())
