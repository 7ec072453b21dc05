"""What is answered about alerts fits what the API document says."""

from pydantic import TypeAdapter

from cronzimus.api.alert_shapes import AlertView, NotificationView, alert_view, notification_view
from tests.api.fake_alerts import NOW, a_notification, an_alert


def test_views_have_the_fields_of_their_models() -> None:
    TypeAdapter(AlertView).validate_python(alert_view(an_alert()))
    TypeAdapter(NotificationView).validate_python(notification_view(a_notification()))


def test_only_what_waits_says_when_it_is_tried_again() -> None:
    assert notification_view(a_notification())["next_at"] == NOW
    assert notification_view(a_notification(failed_at=NOW))["next_at"] is None


def test_a_message_not_yet_put_together_has_no_title() -> None:
    assert notification_view(a_notification(message=None))["title"] is None
