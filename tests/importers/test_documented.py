"""The example of docs/importing.md says what happens."""

from pathlib import Path

from tests.cli.line import Line
from tests.house.documents import FENCE

PAGE = (Path(__file__).parents[2] / "docs" / "importing.md").read_text(encoding="utf-8")


def test_the_crontab_of_the_page_gives_the_account_of_the_page() -> None:
    crontab, account = [block["body"] for block in FENCE.finditer(PAGE) if not block["language"]]
    result = Line()("import", "crontab", "-", given=crontab)
    assert result.exit_code == 0
    assert result.stderr == account
