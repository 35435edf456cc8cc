"""Where the web listens, and what it leaves unwritten."""

import runpy

GUNICORN = runpy.run_path("site/config/gunicorn.py")


def test_the_web_listens_on_this_machine_alone() -> None:
    assert GUNICORN["bind"].startswith("127.0.0.1:")


def test_no_address_is_written_into_a_log_of_requests() -> None:
    """Links and invitations are in addresses."""
    assert "accesslog" not in GUNICORN
