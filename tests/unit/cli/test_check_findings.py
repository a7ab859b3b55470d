"""Whatever ``jhext check`` finds has its file, its line, and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.offline.check import Report
from jhext.profiles.finding import Finding

FINE = "profiles: [{slug: a, display_name: A, allow_all: true}]\n"
CONFIGURE = "import jhext\njhext.configure(c, 'jhext.yaml')\n"
MAPPED = "hub: {profile_mapping_files: [mapping]}\n"

# Each: the file, what is in it or in more files, the place, a part of the suggestion.
FINDINGS: dict[str, tuple[str | dict[str, str], str, str]] = {
    # files
    "no yaml": ("a: [\n", "jhext.yaml:2", "brackets"),
    "tab": ("profiles:\n\t- a\n", "jhext.yaml:2", "place of tabs"),
    "unquoted colon": ("hub: a: b\n", "jhext.yaml:1", "quotes"),
    "key twice": ("hub: {}\nhub: {}\n", "jhext.yaml:2", "write it once"),
    "two documents": (FINE + "---\na: 1\n", "jhext.yaml:2", "keep one"),
    "unknown alias": ("hub: *a\n", "jhext.yaml:1", "write the anchor"),
    "tag": ("hub: !!python/name:os.system x\n", "jhext.yaml:1", "leave the tag out"),
    "control character": ("hub: '\x07'\n", "jhext.yaml:1", "take the character out"),
    "empty": ("", "jhext.yaml:1", "sections are profiles, "),
    "no mapping": ("- a\n", "jhext.yaml:1", "sections are profiles, "),
    # settings
    "unknown section": (FINE + "hubs: {}\n", "jhext.yaml:2", "did you mean 'hub'?"),
    "unknown key": (FINE + "hub:\n  default_acces: deny\n", "jhext.yaml:3", "'default_access'"),
    "another type": (FINE + "hub:\n  admin_bypass: 1\n", "jhext.yaml:3", "true or false"),
    "one of some": (FINE + "hub:\n  reload_policy: closed\n", "jhext.yaml:3", "'fail_closed'"),
    "secret in its place": (FINE + "hub:\n  cookie_secret: abc\n", "jhext.yaml:3", "mapping"),
    "identity": (FINE + "identity:\n  sources: []\n", "jhext.yaml:3", "sources"),
    "identity source": (
        FINE + "identity:\n  sources:\n  - {type: files, passwd: p, grop: g}\n",
        "jhext.yaml:4",
        "did you mean 'group'?",
    ),
    "storage": (
        FINE + "storage:\n  home:\n    source: {type: clam}\n",
        "jhext.yaml:4",
        "did you mean 'claim'",
    ),
    "storage between keys": (
        FINE + "storage:\n  home:\n    source: {type: claim, claim: none}\n",
        "jhext.yaml:4",
        "claim",
    ),
    "storage mounts": (
        FINE + "storage:\n  mounts:\n  - name: a\n    mount_path: /a\n",
        "jhext.yaml:4",
        "source",
    ),
    "profile of a mount": (
        "profiles: [{slug: gpu, display_name: A, allow_all: true}]\nstorage:\n  mounts:\n"
        "  - name: a\n    mount_path: /a\n    source: {type: empty_dir}\n    profiles: [gpuu]\n",
        "jhext.yaml:7",
        "did you mean 'gpu'?",
    ),
    "profile to make room": (
        FINE + "storage:\n  init:\n    room:\n      rescue_profile: resuce\n",
        "jhext.yaml:5",
        "name the slug of a profile",
    ),
    "profile of a quota": (
        "profiles: [{slug: rescue, display_name: A, allow_all: true}]\nstorage:\n  quota:\n"
        "    url: https://q.example.org/{username}\n    available: /free\n"
        "    rescue_profile: resuce\n",
        "jhext.yaml:6",
        "did you mean 'rescue'?",
    ),
    "claim of a profile": (
        "profiles:\n- slug: a\n  display_name: A\n  allow_all: true\n"
        "  kubespawner_override:\n    storage_claims:\n      hoem: {size: 5Gi}\n"
        "storage:\n  home: {source: {type: claim}}\n  claims: {home: {}}\n",
        "jhext.yaml:7",
        "did you mean 'home'?",
    ),
    "profile in python that storage names": (
        {
            "jhext.yaml": "storage: {init: {room: {rescue_profile: resuce}}}\n",
            "hub.py": CONFIGURE + "c.KubeSpawner.profile_list = ["
            "{'slug': 'rescue', 'display_name': 'A', 'allow_all': True}]\n",
        },
        "jhext.yaml:1",
        "did you mean 'rescue'?",
    ),
    "between sections": (
        FINE + "storage:\n  init:\n    create: chown\n    image: i\n",
        "jhext.yaml:4",
        "create",
    ),
    "culler": (FINE + "culler:\n  timeout: soon\n", "jhext.yaml:3", "timeout"),
    "pod": (FINE + "pod:\n  privileged_containers: a\n", "jhext.yaml:3", "write a list"),
    "nothing to start": ("hub: {}\n", "jhext.yaml:1", "write profiles, or default_access: allow"),
    # files of profiles and names
    "missing profile file": (
        FINE + "hub:\n  profile_files:\n  - none.yaml\n",
        "jhext.yaml:4",
        "mend the path",
    ),
    "missing mapping file": (
        FINE + "hub:\n  profile_mapping_files: [none]\n",
        "jhext.yaml:3",
        "mend the path",
    ),
    "missing names": (
        "profiles:\n- slug: a\n  display_name: A\n  allowed_users: {file: none}\n",
        "jhext.yaml:4",
        "mend the path",
    ),
    "names in another shape": (
        "profiles:\n- slug: a\n  display_name: A\n  allowed_users: {files: none}\n",
        "jhext.yaml:4",
        "{file: names.txt}",
    ),
    "broken names": (
        {
            "jhext.yaml": "profiles: [{slug: a, display_name: A, allowed_users: {file: users}}]",
            "users": "ada\n'b\"c\n",
        },
        "users:2",
        '"the whole name"',
    ),
    "section in a profile file": (
        {
            "jhext.yaml": FINE + "hub: {profile_files: [b.yaml]}\n",
            "b.yaml": "profiles: []\nhub: {}\n",
        },
        "b.yaml:2",
        "there can be profiles",
    ),
    "profile file without profiles": (
        {"jhext.yaml": FINE + "hub: {profile_files: [b.yaml]}\n", "b.yaml": "profiles: {}\n"},
        "b.yaml:1",
        "lines that begin with -",
    ),
    # mapping files
    "no mapping line": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "\nada a\n"},
        "mapping:2",
        "mean ada:a?",
    ),
    "half a mapping line": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "ada:\n"},
        "mapping:1",
        "name both",
    ),
    "deny everybody": ({"jhext.yaml": FINE + MAPPED, "mapping": "!*:a\n"}, "mapping:1", "instead"),
    "invisible": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "ada:a\n\u200bb:a\n"},
        "mapping:2",
        "anew",
    ),
    "denied twice": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "!!b:a\n"},
        "mapping:1",
        "write one !",
    ),
    "group called everybody": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "@*:a\n"},
        "mapping:1",
        "write * for everybody",
    ),
    "comment behind a line": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "b:a # for now\n"},
        "mapping:1",
        "a line of its own",
    ),
    "allowed and denied": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "b:a\n!b:A\n"},
        "mapping:1",
        "take one of them out",
    ),
    "group allowed and blocked": (
        {
            "jhext.yaml": "profiles: [{slug: a, display_name: A, blocked_groups: [staff]}]\n"
            + MAPPED,
            "mapping": "@staff:a\n",
        },
        "mapping:1",
        "take one of them out",
    ),
    "profile of nobody": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "b:aa\n"},
        "mapping:1",
        "mean 'a'",
    ),
    "profile unlike any": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "b:xyz\n"},
        "mapping:1",
        "line out",
    ),
    "capitals": ({"jhext.yaml": FINE + MAPPED, "mapping": "Ada:a\n"}, "mapping:1", "write 'ada'"),
    "two of a name": (
        {
            "jhext.yaml": "profiles:\n- {slug: a, display_name: T}\n- {slug: b, display_name: T}\n"
            + MAPPED,
            "mapping": "ada:T\n",
        },
        "mapping:1",
        "write the slug",
    ),
    "group of a line": (
        {"jhext.yaml": FINE + MAPPED, "mapping": "@stafff:a\n"},
        "mapping:1",
        "'staff'",
    ),
    # Python
    "no python": ({"hub.py": "c.x = (\n"}, "hub.py:1", "mend this line"),
    "python that fails": ({"hub.py": "c.x = 1\n1 / 0\n"}, "hub.py:2", "mend this line"),
    "another spawner": (
        {"hub.py": "a = 1\nc.JupyterHub.spawner_class = 'simple'\n"},
        "hub.py:2",
        "jhext.configure",
    ),
    "no spawner": ({"hub.py": "a = 1\n"}, "hub.py:1", "jhext.configure"),
    "spawner and configure": (
        {"jhext.yaml": FINE, "hub.py": "c.JupyterHub.spawner_class = 'simple'\n" + CONFIGURE},
        "hub.py:1",
        "leave it out",
    ),
    "trait in python": (
        {
            "jhext.yaml": FINE,
            "hub.py": "\nc.ProfileKubeSpawner.default_access = 'maybe'\n" + CONFIGURE,
        },
        "hub.py:2",
        "write any of ['deny', 'allow']",
    ),
    **{
        f"{trait} after configure": (
            {"jhext.yaml": FINE, "hub.py": CONFIGURE + f"c.ProfileKubeSpawner.{trait} = 5\n"},
            "hub.py:3",
            f"write {wanted}",
        )
        for trait, wanted in (
            ("default_access", "any of"),
            ("profile_files", "a list"),
            ("allowed_sensitive_overrides", "a set"),
            ("profile_list", "a list"),
        )
    },
    "list in python": (
        {
            "jhext.yaml": FINE,
            "hub.py": "c.KubeSpawner.profile_list = [\n  {\n    'display_name': 'P',\n"
            "    'kubespawner_override': {\n      'imagee': 'x'}}]\n" + CONFIGURE,
        },
        "hub.py:5",
        "did you mean 'image'?",
    ),
    "computed list": (
        {
            "jhext.yaml": FINE,
            "hub.py": "\nc.KubeSpawner.profile_list = [{'slug': s} for s in 'b']\n" + CONFIGURE,
        },
        "hub.py:2",
        "display_name",
    ),
    "dict in python": (
        {"hub.py": "import jhext\njhext.configure(\nc,\n{'profiles': [], 'hub': {\n'x': 1}})"},
        "hub.py:5",
        "known here: default_access, ",
    ),
    "file of a trait": (
        {
            "jhext.yaml": FINE,
            "hub.py": "a, b = '', '.'\n"
            + CONFIGURE
            + "c.ProfileKubeSpawner.profile_files = [\n  'none.yaml']\n",
        },
        "hub.py:5",
        "mend the path",
    ),
    "file by way of python": (
        {"jhext.yaml": FINE + "hub:\n  profile_files: [none.yaml]\n", "hub.py": CONFIGURE},
        "jhext.yaml:3",
        "mend the path",
    ),
    "missing settings": ({"hub.py": CONFIGURE}, "hub.py:2", "mend the path"),
    "missing secret": (
        {
            "jhext.yaml": FINE + "hub: {cookie_secret: {env: NOT_THERE}}",
            "hub.py": CONFIGURE,
        },
        "hub.py:2",
        "set NOT_THERE",
    ),
    "retired option of LDAP": (
        {"jhext.yaml": FINE, "hub.py": CONFIGURE + "\nc.LDAPAuthenticator.use_ssl = True\n"},
        "hub.py:4",
        "on_connect",
    ),
}


@pytest.mark.parametrize(("files", "place", "suggestion"), FINDINGS.values(), ids=FINDINGS)
def test_every_finding(expect_finding: Any, files: Any, place: str, suggestion: str) -> None:
    expect_finding(files, place, suggestion)


def test_an_empty_folder(shell: Any) -> None:
    (shell.folder / "profiles.d").mkdir()
    shell.write(jhext__yaml=FINE + "hub:\n  profile_files: [profiles.d]\n")
    [finding] = shell("check", "jhext.yaml", "--output", "json").json["findings"]
    assert (finding["file"], finding["line"]) == ("jhext.yaml", 3)
    assert "name another folder" in finding["suggestion"]


def test_a_file_of_a_folder_that_cannot_be_read(shell: Any) -> None:
    (shell.folder / "profiles.d").mkdir()
    (shell.folder / "profiles.d" / "a.yaml").symlink_to("nowhere")
    shell.write(jhext__yaml=FINE + "hub:\n  profile_files: [profiles.d]\n")
    [finding] = shell("check", "jhext.yaml", "--output", "json").json["findings"]
    assert (finding["file"], finding["line"]) == ("jhext.yaml", 3)
    assert finding["message"].startswith("profiles.d/a.yaml cannot be read")


@pytest.mark.parametrize(("file", "line"), [("", 1), ("jhext.yaml", 0)])
def test_no_report_is_without_a_place(file: str, line: int) -> None:
    finding = Finding("error", "", "", "is wrong", file, line, suggestion="mend it")
    with pytest.raises(ValueError, match="nobody knows where"):
        Report((finding,))


def test_people_read_the_suggestion_too(shell: Any) -> None:
    shell.write(jhext__yaml=FINE + "hubs: {}\n")
    ran = shell("check", "jhext.yaml")
    assert "jhext.yaml:2: hubs: unknown key; did you mean 'hub'?\n" in ran.stdout
