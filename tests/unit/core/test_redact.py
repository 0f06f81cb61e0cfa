"""Redaction: known values everywhere, shapes where people read, and streams however they are cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from politerm.core.redact import MIN_LINE, Redactor, StreamRedactor, secrets_in

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nabc+/=\n-----END RSA PRIVATE KEY-----"


def test_known_values_are_replaced() -> None:
    redactor = Redactor(["hunter2-x", "hunter2-x-long", "short", "wörd→secret"])
    assert (
        redactor.known("a hunter2-x b hunter2-x-long c short wörd→secret") == "a [secret] b [secret] c short [secret]"
    )
    assert redactor.known("nothing here") == "nothing here"
    assert Redactor([]).known("anything") == Redactor(["short", "  "]).known("anything") == "anything"


def test_a_replacement_is_never_torn_apart() -> None:
    redactor = Redactor(["secret", "hunter"])
    assert redactor.known("hunter secrets") == "[secret] [secret]s"


def test_a_secret_as_it_stands_in_json() -> None:
    assert Redactor(['pa"ss\\word\u00e9']).known('{"x": "pa\\"ss\\\\word\\u00e9"}') == '{"x": "[secret]"}'


def test_the_lines_of_a_long_secret_are_secrets_too() -> None:
    redactor = Redactor([f"{PEM}\n"])
    assert redactor.known(f"x{PEM}y") == "x[secret]y"
    assert redactor.known("│ MIIEowIBAAKCAQEA7 │ abc+/=") == "│ [secret] │ abc+/="
    line = "x" * (MIN_LINE - 1)
    assert Redactor([f"{line}y\n{line}\nz"]).known(f"{line}y {line} ") == f"[secret] {line} "


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sk-proj-abcdefghijklmnop123", "[secret]"),
        ("key sk-ant-api03-abcdefgh_ijkl.", "key [secret]."),
        ("ghp_" + "a1" * 18 + " gho_" + "b" * 36, "[secret] [secret]"),
        ("github_pat_" + "a" * 30, "[secret]"),
        ("glpat-" + "a" * 20, "[secret]"),
        ("AKIAABCDEFGHIJKLMNOP", "[secret]"),
        ("xoxb-123456789012-abc", "[secret]"),
        ("AIza" + "a" * 35, "[secret]"),
        ("npm_" + "a" * 36 + " pypi-" + "b" * 40 + " hf_" + "c" * 34, "[secret] [secret] [secret]"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2QT4", "[secret]"),
        ("Authorization: Bearer abcdefghijklmnop==", "Authorization: Bearer [secret]"),
        (f"a\n{PEM}\nb", "a\n[secret]\nb"),
        ("-----BEGIN PRIVATE KEY-----\nabc\ndef(rest", "[secret](rest"),
        ("postgres://me:pw12@host/db", "postgres://me:[secret]@host/db"),
        ("password=hunter22 x", "password=[secret] x"),
        ("DB_PASSWORD=correcthorse;x", "DB_PASSWORD=[secret];x"),
        ("password = 'correcthorse'", "password = '[secret]'"),
        ('{"api_key": "abcdefgh", "n": 1}', '{"api_key": "[secret]", "n": 1}'),
        ("API-KEY: abc123def", "API-KEY: [secret]"),
        ("password:'hunter'", "password:'[secret]'"),
        ("redis://:pw12@host", "redis://:[secret]@host"),
        ("token=abcdef&x=1", "token=[secret]&x=1"),
        ("secret_token: abc123def", "secret_token: [secret]"),
        ("İ password=hunter22", "İ password=[secret]"),
        ("mine is hunter2-x", "mine is [secret]"),
    ],
)
def test_shapes_of_secrets(text: str, shown: str) -> None:
    redactor = Redactor(["hunter2-x"])
    assert redactor.shapes(text) == shown
    assert redactor.shapes(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "task-force desk-top sk-short",
        "token: string",
        "f(password=password, token=self.token)",
        "secret = get_secret1()",
        "max_tokens=128000, token_count: 4096",
        "https://example.org:8080/a@b",
        "the password is not here",
        "monkey=banana1234",
        "eyJhbGciOiJI.eyJ",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor([]).shapes(text) == text


SECRETS = ["abcabcabd", "abcabc", "cabdxx", "xabcabcy", "漢字漢字漢字"]


@settings(max_examples=300)
@given(
    text=st.lists(st.sampled_from([*SECRETS, "abc", "cab", "a", "b", "c", "x", "漢", "字", " "]), max_size=20).map(
        "".join
    ),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_a_stream_is_redacted_as_the_whole_would_be(text: str, cuts: list[int]) -> None:
    redactor = Redactor(SECRETS)
    stream, data = redactor.stream(), text.encode()
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(stream.feed(data[at : at + size]))
        at += size
    assert (b"".join(pieces) + stream.flush()).decode() == redactor.known(text)


def test_a_stream_holds_back_as_little_as_it_can() -> None:
    stream = StreamRedactor(["secret-value"])
    assert stream.feed(b"nothing to hide\r\n") == b"nothing to hide\r\n"
    assert not stream.holding
    assert stream.feed(b"see: secret-v") == b"see: "
    assert stream.holding
    assert stream.feed(b"x") == b"secret-vx"
    assert stream.feed(b"secret-value") == b"[secret]"
    assert stream.feed(b"secret-valu") == b""
    assert stream.flush() == b"secret-valu"
    assert stream.flush() == b""


def test_a_stream_without_secrets_passes_everything() -> None:
    stream = StreamRedactor([])
    assert stream.feed(b"\x00\xff") == b"\x00\xff"
    assert stream.flush() == b""


def test_a_secret_with_halves_of_characters_does_no_harm() -> None:
    assert StreamRedactor(["abc\ud800def"]).feed(b"abcdef.") == b"[secret]."


def test_secrets_of_an_environment() -> None:
    env = {
        "OPENAI_API_KEY": "sk-aaaaaaa",
        "OPENROUTER_APIKEY": "or-aaaaaaa",
        "GITHUB_TOKEN": " ghp_aaaaaa\n",
        "AWS_SECRET_ACCESS_KEY": "/aws/aaaaaaa",
        "PGPASSWORD": "pg-aaaaaaa",
        "my_passphrase": "pp-aaaaaaa",
        "CLIENT_SECRET": "topsecret",
        "SHORT_KEY": "sixsix",
        "SERVICE_CREDENTIALS": "cr-aaaaaaa",
        "DATABASE_URL": "postgres://me:db-aaaaaaa@host/db",
        "PATH": "/usr/bin:/bin",
        "PWD": "/home/me",
        "KEYBOARD": "keyboard",
        "MONKEY": "monkeys",
        "SSH_KEY_PATH": "/home/me/.ssh/id",
        "SSH_AUTH_SOCK": "/run/agent.sock",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key.json",
        "TOKEN_LIMIT": "1000000000",
        "MAX_TOKEN": "200000",
        "API_TOKEN": "abc",
        "DB_PASSWORD": "Password",
        "LANG": "C.UTF-8",
    }
    assert secrets_in(env) == {
        "sk-aaaaaaa", "or-aaaaaaa", "ghp_aaaaaa", "/aws/aaaaaaa", "pg-aaaaaaa", "pp-aaaaaaa", "topsecret", "cr-aaaaaaa",
        "db-aaaaaaa", "sixsix",
    }  # fmt: skip


@given(st.text(), st.lists(st.text(max_size=12), max_size=4))
def test_anything_can_be_redacted(text: str, secrets: list[str]) -> None:
    redactor = Redactor(secrets)
    redactor.shapes(text)
    assert all(value not in redactor.known(text) or value in "[secret]" for value in secrets if len(value.strip()) >= 6)


@pytest.mark.parametrize(
    "unit",
    [
        "password=",
        "token",
        "a-",
        "-----BEGIN PRIVATE KEY-----\n",
        "sk-",
        "eyJaaaaaaaaaa.",
        "://a:",
        "x",
        "password  ",
        "Bearer ",
    ],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    redactor = Redactor(["x" * 5000, "tokentokentokex"])
    stream = redactor.stream()
    started = time.perf_counter()
    redactor.shapes(text)
    for at in range(0, len(text), 4096):
        stream.feed(text[at : at + 4096].encode())
    assert time.perf_counter() - started < 10
