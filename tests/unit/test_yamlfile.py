"""YAML files: nothing is dropped unseen, everything has its line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.finding import ConfigurationError, Finding
from jhext.yamlfile import parse_yaml, read_yaml

TEXT = b"""\
# a comment
profiles:
  - slug: small
    override: &base
      cpu: 1
      list: [a, b]
  - slug: large
    override:
      <<: *base
      cpu: 2
"""


def finding(content: bytes) -> Finding:
    with pytest.raises(ConfigurationError) as raised:
        parse_yaml(content, "profiles.yaml")
    (found,) = raised.value.findings
    assert found.file == "profiles.yaml"
    return found


def test_values_and_lines() -> None:
    document = parse_yaml(TEXT, "profiles.yaml")
    assert document.value == yaml.safe_load(TEXT)
    first: tuple[Any, ...] = ("profiles", 0)
    assert document.lines[first] == 3
    assert document.lines[*first, "override", "list", 1] == 6
    second: tuple[Any, ...] = ("profiles", 1, "override")
    assert document.lines[*second, "cpu"] == 10
    assert document.lines[*second, "list"] == 6, "where the anchor has it"


SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)
)


@given(VALUES)
def test_reads_what_yaml_writes(value: Any) -> None:
    assert parse_yaml(yaml.safe_dump(value).encode(), "x").value == value


DEEP = b"[" * 60 + b"1" + b"]" * 60


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"a: 1\nb:\n  c: 1\n  c: 2\n", 4, "the key 'c' is written twice"),
        (b"a: 1\nb: [\n", 3, "did not find expected node content"),
        (b"a: b: c\n", 1, "mapping values are not allowed"),
        (b"a: 1\n---\nb: 1\n", 2, "another document"),
        (b"a: *none\n", 1, "undefined alias"),
        (b"a: &a [*a]\n", 1, "contains itself"),
        (b"? [a]\n: 1\n", 1, "a key is one word or number"),
        (b"a: !!map b\n", 1, "a single value cannot be"),
        (b"a: !!bool maybe\n", 1, "a single value cannot be"),
        (b"a: !!int ''\n", 1, "a single value cannot be"),
        (b"a: !!timestamp now\n", 1, "a single value cannot be"),
        (b"a: !!set {b, c}\n", 1, "nothing here can be"),
        (b"a: 1\n<<: 5\n", 2, "only mappings can be merged"),
        (b"<<: {a: 1}\n<<: {b: 1}\n", 2, "the key '<<' is written twice"),
        (b"a: !!python/object:os.system {}\n", 1, "nothing here can be"),
        (b"a: !!python/name:os.system x\n", 1, "could not determine a constructor"),
        (b"a: 1\nb: \xff\n", 2, "is not UTF-8"),
        ("a: \xe9\nb: \x01\n".encode(), 2, "holds the control character '\\x01'"),
        (b"a: 1\nb: 2020-99-99\n", 2, "month must be in"),
        (b"a: " + b"1" * 5000, 1, "4300 digits"),
        (b"\n" + b"[" * 5000, 2, "nested too deeply"),
        (b"a: &a " + DEEP + b"\nb: " + DEEP.replace(b"1", b"*a"), 2, "nested too deeply"),
    ],
)
def test_refused_with_its_line(content: bytes, line: int, message: str) -> None:
    found = finding(content)
    assert (found.line, message in found.message) == (line, True), found


def test_aliases_of_aliases_do_not_fill_the_memory() -> None:
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 12):
        lines.append(b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)))
    assert "more than" in finding(b"\n".join(lines)).message


def test_merges() -> None:
    text = b"""\
a: &a {x: 1, deep: {y: 1}}
b: &b
  x: 2
  z: 2
c:
  z: 3
  <<: [*a, *b]
d: *a
"""
    document = parse_yaml(text, "x")
    assert document.value == yaml.safe_load(text)
    lines = {path: line for path, line in document.lines.items() if path[:1] == ("c",)}
    assert lines["c", "z"] == 6
    assert lines["c", "x"] == 1
    assert lines["c", "deep", "y"] == 1
    assert document.lines["d",] == 8
    assert document.lines["d", "deep", "y"] == 1
    assert document.line(["d", "none", "none"]) == 8


def test_anchor_used_twice_is_no_key_written_twice() -> None:
    text = b"a: &a {<<: {x: 1}, x: 2}\nb: *a\n"
    assert parse_yaml(text, "x").value == {"a": {"x": 2}, "b": {"x": 2}}


def test_same_without_libyaml() -> None:
    program = (
        "import sys; sys.modules['yaml._yaml'] = None\n"
        "from jhext.yamlfile import parse_yaml\n"
        "print(parse_yaml(sys.stdin.buffer.read(), 'x'))"
    )
    printed = subprocess.check_output([sys.executable, "-c", program], input=TEXT)
    assert printed.decode().strip() == str(parse_yaml(TEXT, "x"))


def test_empty_and_marked_files() -> None:
    assert parse_yaml(b"", "x").value is None
    assert parse_yaml("\ufeffä: 1\r\n".encode(), "x").value == {"ä": 1}


def test_unreadable_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigurationError, match="no regular file"):
        read_yaml(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigurationError, match=r"gone\.yaml: cannot be read: No such"):
        read_yaml(tmp_path / "gone.yaml")
    (tmp_path / "there.yaml").write_text("a: 1")
    assert read_yaml(tmp_path / "there.yaml") == {"a": 1}
