"""What the flags of deploy and update accept, and what they say about what they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kubeless_cli.app import root
from kubeless_cli.flags import parse_pairs, split_values


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["function", *arguments])


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "hello.py"
    path.write_text("def handler(event, context):\n    return 'hi'\n")
    return str(path)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1,b:2", ["a=1", "b:2"]),
        ("a=1,", ["a=1"]),
        ("", []),
        ('"A=1,2",b=3', ["A=1,2", "b=3"]),
        ('"A={""x"":1}"', ['A={"x":1}']),
        ('A=say "hi"', ['A=say "hi"']),
        ("A=line 1\nline 2", ["A=line 1\nline 2"]),
        ("A= padded ", ["A= padded "]),
    ],
)
def test_commas_separate_values_unless_quoted(text: str, values: list[str]) -> None:
    assert split_values(text) == values


def test_quotes_that_do_not_fit_are_refused_instead_of_guessed() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        split_values('A={"x":1,"y":2}')


def test_pairs_take_both_separators_repeats_and_bare_keys() -> None:
    assert parse_pairs(("a:b,c=d,e", "url=http://h:1/x=y")) == {
        "a": "b",
        "c": "d",
        "e": "",
        "url": "http://h:1/x=y",
    }


def test_the_last_value_of_a_key_wins() -> None:
    assert parse_pairs(("a=1,b=2", "a=3")) == {"b": "2", "a": "3"}


@pytest.mark.parametrize(
    ("flag", "value", "found"),
    [
        ("--timeout", "soon", "'soon' is not a timeout"),
        ("--timeout", "0", "'0' is not a timeout"),
        ("--timeout", "-1", "'-1' is not a timeout"),
        ("--memory", "12Q", "'12Q' is not an amount"),
        ("--memory", "12K", "'K' is written 'k' or 'Ki'"),
        ("--memory", "0", "'0' is nothing"),
        ("--cpu", "half", "'half' is not an amount"),
        ("--handler", "hello", "exactly one dot"),
        ("--handler", "a.b.c", "exactly one dot"),
        ("--label", "a b=c", "'a b' is not a label key"),
        ("--label", "a=b c", "'b c' is not a label value"),
        ("--label", "-a-.x/y=c", "is not a DNS name"),
        ("--label", "function=x", "kubeless sets itself"),
        ("--env", "9a=1", "'9a' is not a variable name"),
        ("--env", "=1", "'' is not a variable name"),
        ("--env", 'A={"x":1,"y":2}', "do not fit"),
        ("--node-selectors", "a=b/c", "'b/c' is not a label value"),
        ("--secrets", "My_Secret", "'My_Secret' is not an object name"),
        ("--service-account", "Me", "'Me' is not an object name"),
        ("--port", "0", "0 is not in the range"),
        ("--servicePort", "65536", "65536 is not in the range"),
        ("--image-pull-policy", "Sometimes", "'Sometimes' is not one of"),
        ("--runtime-image", "a b", "'a b' is not an image"),
        ("--checksum", "md5:1", "'md5:1' is not a checksum"),
        ("--runtime", "python 3", "'python 3' is not a runtime id"),
        ("--namespace", "My-NS", "'My-NS' is not a namespace name"),
        ("--wait-timeout", "soon", "'soon' is not a duration"),
        ("--schedule", "* * * *", "found '* * * *', expected five fields"),
        ("--schedule", "TZ=UTC * * * * *", "A trigger has --time-zone for it"),
        ("--output", "xml", "'xml' is not one of"),
        ("--from-file", "nosuch.py", "'nosuch.py' does not exist"),
        ("--dependencies", "nosuch.txt", "'nosuch.txt' does not exist"),
    ],
)
def test_a_bad_value_is_refused_naming_its_flag(
    source: str, flag: str, value: str, found: str
) -> None:
    flags = {"--runtime": "python3.13", "--handler": "hello.handler", "--from-file": source}
    flags[flag] = value
    result = run("deploy", "hello", "--dryrun", *(part for pair in flags.items() for part in pair))
    assert result.exit_code == 2
    assert flag in result.stderr
    assert found in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize(
    "name", ["Hello", "1a", "a_b", "a.b", "-a", "a-", "ä", "a" * 64], ids=lambda name: name[:8]
)
def test_a_name_that_no_service_can_have_is_refused(name: str) -> None:
    result = run("deploy", "--dryrun", "--", name)
    assert result.exit_code == 2
    assert "NAME" in result.stderr


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ([], "--runtime"),
        (["--runtime", "python3.13"], "--handler"),
        (["--runtime", "python3.13", "--handler", "a.b"], "--from-file"),
        (["--runtime-image", "x", "--from-file", __file__], "--runtime"),
    ],
)
def test_what_a_function_can_not_do_without_is_named(flags: list[str], missing: str) -> None:
    result = run("deploy", "hello", "--dryrun", *flags)
    assert result.exit_code == 2
    assert f"{missing} " in result.stderr


def test_an_update_of_nothing_is_refused() -> None:
    result = run("update", "hello")
    assert result.exit_code == 2
    assert "Nothing to change" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["function", "delpoy"], "deploy"),
        (["function", "lst"], "list"),
        (["functon"], "function"),
        (["function", "xyzzy"], "'kubeless function --help' lists"),
    ],
)
def test_an_unknown_command_suggests_what_is_near(arguments: list[str], near: str) -> None:
    result = CliRunner().invoke(root, arguments, prog_name="kubeless")
    assert result.exit_code == 2
    assert near in result.stderr


@pytest.mark.parametrize("alias", ["list", "ls"])
def test_list_has_its_alias(alias: str) -> None:
    assert run(alias, "--help").exit_code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    result = CliRunner().invoke(root, ["completion", shell])
    assert result.exit_code == 0
    assert "_KUBELESS_COMPLETE" in result.stdout
