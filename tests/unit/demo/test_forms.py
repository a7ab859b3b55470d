"""What a form offers, as KubeSpawner's template writes it."""

from __future__ import annotations

from jhext.demo.forms import SpawnForm

PAGE = """
<form><input type="hidden" name="_xsrf" value="profile">
<input type="radio" name="profile" value="small" id="a">
<input type="radio" name="profile" value="g&amp;pu" checked />
<select name="profile-option-g&amp;pu--n--m">
  <option value="1">One<option value="2" selected>Two</select>
<select name="language"><option value="en">English</option></select>
<input data-name="profile-option-small--x--unlisted-choice"></form>
"""


def test_profiles_and_choices() -> None:
    form = SpawnForm.parse(PAGE)
    assert form.profiles == ("small", "g&pu")
    assert form.checked == "g&pu"
    assert form.choices == {("g&pu", "n--m"): ("1", "2")}


def test_page_without_a_form() -> None:
    assert SpawnForm.parse("<p>There is no server you may start here.") == SpawnForm((), None, {})
