"""What a refusal tells the user, the log and the metrics."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado import web

from jhext.errors import NOT_CONFIGURED, SpawnRefused, faulty_configuration, from_http_error
from jhext.refusal import Reason, Refusal
from jhext.upstream import SpawnException


@pytest.mark.parametrize("reason", Reason)
def test_refusals_are_http_errors_with_a_fixed_label(reason: Reason) -> None:
    """The hub counts what is none, or is one of 500 and above but no SpawnException, as its own."""
    error = SpawnRefused(Refusal(reason, "No."))
    assert isinstance(error, SpawnException)
    assert isinstance(error, web.HTTPError)
    assert error.status_code in (403, 429, 503)
    assert re.fullmatch("[a-z_]+", error.reason)
    assert error.reason == str(reason)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.NONE_PERMITTED, 403),
        (Reason.PROFILE, 403),
        (Reason.CHOICE, 403),
        (Reason.OPTIONS, 403),
        (Reason.CONFIG, 503),
    ],
)
def test_policy_says_403_and_faults_say_503(reason: Reason, status: int) -> None:
    assert SpawnRefused(Refusal(reason, "No.")).status_code == status


@given(message=st.text(min_size=1) | st.sampled_from(["<b>%s</b>", "{0.__class__}", "100%", "&"]))
def test_d29_messages_are_escaped_and_not_formatted(message: str) -> None:
    error = SpawnRefused(Refusal(Reason.OPTIONS, message, detail="<secret>"))
    assert error.jupyterhub_message == message
    html = error.jupyterhub_html_message
    assert not set("<>\"'") & set(html)
    assert unescape(html) == message
    assert error.message_html == html
    assert "<secret>" not in str(error)


def test_details_are_for_the_log_alone() -> None:
    error = SpawnRefused(faulty_configuration("profile 'gpu': the password is x"))
    assert error.jupyterhub_message == NOT_CONFIGURED
    assert "password" not in f"{error} {error.jupyterhub_html_message} {error.message}"
    assert error.refusal.detail == "profile 'gpu': the password is x"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(web.HTTPError(403, "No %s.", "x"), "No x.", id="arguments"),
        pytest.param(web.HTTPError(403, "100% full"), "100% full", id="percent"),
        pytest.param(web.HTTPError(403, "%s %s", 1), "You may not start a server.", id="wrong"),
        pytest.param(web.HTTPError(404), "You may not start a server.", id="no words"),
        pytest.param(
            SpawnException("Full.", reason="x", log_message="internal"), "Full.", id="two texts"
        ),
    ],
)
def test_words_of_the_operator(error: web.HTTPError, message: str) -> None:
    refusal = from_http_error(error)
    assert (refusal.message, refusal.reason) == (message, Reason.NONE_PERMITTED)


def test_message_for_users_comes_first() -> None:
    error = web.HTTPError(403, "internal")
    error.jupyterhub_message = "Not today."
    assert from_http_error(error).message == "Not today."


@pytest.mark.parametrize(("raised", "told"), [(403, 403), (409, 409), (429, 429), (404, 403)])
def test_a_refusal_of_the_operators_keeps_its_status(raised: int, told: int) -> None:
    assert SpawnRefused(from_http_error(web.HTTPError(raised, "No."))).status_code == told
