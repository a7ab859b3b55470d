"""``jhext check`` finds what is wrong, tells where, and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

FINE = "profiles: [{slug: small, display_name: Small, allow_all: true}]"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("faulty", ["faulty.yaml"], 1),
        ("idle", ["idle.yaml", "--groups", "groups.txt"], 1),
        ("fine", ["fine.yaml"], 0),
    ],
)
def test_golden(golden: Any, name: str, arguments: list[str], code: int) -> None:
    golden("check", name, "check", *arguments, code=code)


def test_machines_get_the_place_of_everything(shell: Any) -> None:
    shell.write(
        jhext__yaml="profiles:\n  - slug: small\n    display_name: Small\n    allow_al: 1\n"
    )
    [finding] = shell("check", "jhext.yaml", "--output", "json").json["findings"]
    assert finding == {
        "level": "error",
        "where": "profile 'small'",
        "path": "allow_al",
        "message": "looks like an access rule and is none",
        "suggestion": "did you mean 'allow_all'?",
        "file": "jhext.yaml",
        "line": 4,
    }


@pytest.mark.parametrize(
    ("text", "line"), [("profiles: [\n", 2), ("profiles: 3", 1), ("- a", 1), ("", 1)]
)
def test_files_that_are_no_settings(shell: Any, text: str, line: int) -> None:
    shell.write(jhext__yaml=text)
    ran = shell("check", "jhext.yaml", "--output", "json")
    assert ran.code == 1
    assert {item["line"] for item in ran.json["findings"]} == {line}


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], ["."], ["jhext.yaml", "--groups", "no"]])
def test_what_cannot_be_read_is_no_finding(shell: Any, arguments: list[str]) -> None:
    shell.write(jhext__yaml=FINE)
    assert shell("check", *arguments).code == 2


CONFIGURE = "import jhext\njhext.configure(c, 'jhext.yaml')\n"


@pytest.mark.parametrize(
    ("config", "code", "line", "message"),
    [
        (CONFIGURE, 0, 0, ""),
        ("c = get_config()\n" + CONFIGURE, 0, 0, ""),
        ("load_subconfig('more.py')\n" + CONFIGURE, 0, 0, ""),
        ("print('hello')\n" + CONFIGURE, 0, 0, ""),
        (CONFIGURE + "\nundefined\n", 1, 4, "NameError: name 'undefined' is not defined"),
        ("c.x = (", 1, 1, "SyntaxError: '(' was never closed"),
        ("raise SystemExit('no')", 1, 1, "SystemExit: no"),
        ("", 1, 1, "is no jhext.ProfileKubeSpawner: jhext decides nothing in this hub"),
        (
            CONFIGURE + "c.KubeSpawner.profile_list = [{'display_name': 'Teaching'}]",
            1,
            3,
            "nobody can use it: no rule allows it and default_access is deny",
        ),
        (
            CONFIGURE + "c.JupyterHub.load_groups = {'Lab': []}\n"
            "c.ProfileKubeSpawner.profile_list = "
            "[{'slug': 't', 'display_name': 'T', 'allowed_groups': ['lab']}]",
            1,
            4,
            "no known source gives the group 'lab'",
        ),
        (CONFIGURE + "c.KubeSpawner.profile_list = lambda spawner: 1 / 0", 0, 0, ""),
    ],
)
def test_python_is_loaded_as_jupyterhub_does(
    shell: Any, config: str, code: int, line: int, message: str
) -> None:
    shell.write(jhext__yaml=FINE, more__py="", jupyterhub_config__py=config)
    ran = shell("check", "jupyterhub_config.py", "--output", "json")
    found = ran.json["findings"]
    assert ran.code == code
    assert [(item["line"], item["message"].endswith(message)) for item in found] == (
        [(line, True)] if message else []
    )


def test_python_that_is_faulty_tells_every_finding(shell: Any) -> None:
    shell.write(jhext__yaml="profiles: [{slug: a}, {slug: b}]", jupyterhub_config__py=CONFIGURE)
    ran = shell("check", "jupyterhub_config.py", "--output", "json")
    assert [item["path"] for item in ran.json["findings"]] == ["display_name", "display_name"]


FAULTY = "- {slug: a, display_name: A, allowed_user: [x]}\n"


@pytest.mark.parametrize(
    ("files", "file", "places"),
    [
        # Sections, traits and profiles; a section that is none once.
        (
            {"jhext__yaml": f"storrage: {{}}\nculler: {{timeout: 0}}\nprofiles:\n{FAULTY}"},
            "jhext.yaml",
            ["storrage", "culler.timeout", "allowed_user"],
        ),
        # That there are no profiles is no fault of the other sections.
        ({"jhext__yaml": "culler: {timeout: 0}\n"}, "jhext.yaml", ["culler.timeout"]),
        # They may stand in another file.
        (
            {
                "jhext__yaml": "include: [p.yaml]\nculler: {timeout: 0}\n",
                "p__yaml": f"profiles:\n{FAULTY}",
            },
            "jhext.yaml",
            ["culler.timeout", "allowed_user"],
        ),
        # What profiles are checked by is known although another key beside it is faulty.
        (
            {
                "jhext__yaml": "hub: {allowed_sensitive_overrides: [service_account], clams: x}\n"
                "profiles: [{slug: a, display_name: A, allow_all: true, "
                "kubespawner_override: {service_account: runner}}]\n"
            },
            "jhext.yaml",
            ["hub.clams"],
        ),
        # Traits that are set before, or after, the settings are read.
        (
            {
                "jhext__yaml": f"storrage: {{}}\nprofiles:\n{FAULTY}",
                "hub__py": "c.KubeSpawner.default_access = 'all'\n" + CONFIGURE,
            },
            "hub.py",
            ["c.KubeSpawner.default_access", "storrage", "allowed_user"],
        ),
        (
            {
                "jhext__yaml": f"profiles:\n{FAULTY}",
                "hub__py": "c.KubeSpawner.default_access = 'all'\n" + CONFIGURE,
            },
            "hub.py",
            ["c.KubeSpawner.default_access", "allowed_user"],
        ),
        (
            {
                "jhext__yaml": FINE,
                "hub__py": CONFIGURE
                + "c.KubeSpawner.admin_bypass = 'yes'\n"
                + "c.KubeSpawner.profile_list = "
                + "[{'slug': 'b', 'display_name': 'B', 'alow_all': 1}]\n",
            },
            "hub.py",
            ["c.KubeSpawner.admin_bypass", "alow_all"],
        ),
    ],
)
def test_all_that_is_wrong_is_told_at_once(
    shell: Any, files: dict[str, str], file: str, places: list[str]
) -> None:
    shell.write(**files)
    found = shell("check", file, "--output", "json").json["findings"]
    assert sorted(item["path"] or item["where"] for item in found) == sorted(places)


def test_secret_that_is_missing_is_told_by_its_place(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_HEX", "s3cret")
    shell.write(
        jhext__yaml=f"{FINE}\nhub: {{cookie_secret: {{env: NOT_THERE}}}}",
        jupyterhub_config__py=CONFIGURE,
    )
    ran = shell("check", "jupyterhub_config.py")
    assert ran.code == 1
    assert "the environment variable NOT_THERE is not set" in ran.stdout


def test_retired_options_of_ldap_are_translated(shell: Any) -> None:
    """What hubs of 2019 had: ``use_ssl``, and ``escape_userdn``."""
    lines = "c.LDAPAuthenticator.use_ssl = {}\nc.LDAPAuthenticator.escape_userdn = False\n"
    shell.write(
        jhext__yaml=FINE,
        on__py=CONFIGURE + lines.format(True),
        off__py=CONFIGURE + lines.format(False),
    )
    for file, meant in (("on.py", "on_connect"), ("off.py", "insecure")):
        found = shell("check", file, "--output", "json").json["findings"]
        assert {item["path"] for item in found} == {"use_ssl", "escape_userdn"}
        [(line, suggestion)] = [
            (item["line"], item["suggestion"]) for item in found if item["path"] == "use_ssl"
        ]
        assert line == 3
        assert meant in suggestion


@pytest.mark.parametrize(
    ("rule", "line", "is_told"),
    [
        ("allowed_groups: [gpu]", "", True),
        (
            "allowed_groups: [gpu]",
            "c.JupyterHub.authenticator_class = jhext.LDAPAuthenticator",
            True,
        ),
        ("allow_all: true, block_if: \"'interns' in groups\"", "", True),
        ("allow_all: true", "", False),
        ("allowed_groups: [gpu]", "c.Authenticator.manage_groups = True", False),
        ("allowed_groups: [gpu]", "c.LDAPAuthenticator.manage_groups = True", False),
        ("allowed_groups: [gpu]", "c.JupyterHub.load_groups = {'gpu': ['ann']}", False),
        ("allowed_groups: [gpu]", "c.JupyterHub.authenticator_class = 'dummy'", False),
    ],
)
def test_rules_about_groups_that_no_login_brings(
    shell: Any, rule: str, line: str, is_told: bool
) -> None:
    chosen = "c.JupyterHub.authenticator_class = 'jhext-ldap'\n"
    shell.write(
        jhext__yaml=f"profiles: [{{slug: a, display_name: A, {rule}}}]",
        hub__py=f"{CONFIGURE}{chosen}{line}\n",
    )
    found = shell("check", "hub.py", "--output", "json").json["findings"]
    told = [(item["line"], item["level"]) for item in found if "manage_groups" in str(item)]
    assert told == ([(3, "warning")] if is_told else [])


@pytest.mark.parametrize(("mode", "is_told"), [("user", True), ("platform", False)])
def test_claims_that_sources_of_identities_give(shell: Any, mode: str, is_told: bool) -> None:
    sources = "sources: [{type: fixed, values: {uid: 2001, gid: 2001}}], " if mode == "user" else ""
    shell.write(
        jhext__yaml=f"""
hub: {{claims_key: oauth_user}}
identity: {{{sources}mode: {mode}}}
profiles: [{{slug: a, display_name: A, allow_all: true}}]
"""
    )
    found = shell("check", "jhext.yaml", "--output", "json").json["findings"]
    told = [(item["line"], item["level"]) for item in found if "claims" in str(item)]
    assert told == ([(2, "warning")] if is_told else [])
