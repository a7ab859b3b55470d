"""The reference leaves nothing out."""

from pathlib import Path

from jhext import ProfileKubeSpawner
from jhext.profiles.schema import WrittenProfile
from jhext.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
KUBERNETES_OWN = {"Affinity", "NodeAffinity", "NodeSelector", "PodAffinity"}


def test_every_model_has_a_table() -> None:
    pages = "".join(page.read_text() for page in REFERENCE.glob("*.md"))
    models = {name for model in (Settings, WrittenProfile) for name in definitions(model)}
    missing = {name for name in models - KUBERNETES_OWN if f":{name}\n" not in pages}
    assert not missing


def definitions(model: type[Settings | WrittenProfile]) -> list[str]:
    return list(model.model_json_schema()["$defs"])


def test_every_trait_that_profiles_cannot_override_is_described() -> None:
    page = (REFERENCE / "spawner.md").read_text()
    assert not {name for name in ProfileKubeSpawner.deciding_traits if name not in page}
