"""Whatever people read in Spanish has English beside it.

After a change of texts, with gettext installed: `manage.py makemessages -l en --no-location --no-obsolete -i '.venv/*'
-i 'tests/*'`, translate, `manage.py compilemessages`.
"""

import ast
import gettext
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import axes
import django_celery_beat
import pytest
from django.conf import settings
from django.utils.translation import gettext as translated
from django.utils.translation import override

FOREIGN = (axes, django_celery_beat)
SAME_IN_SPANISH = {"No"}
NEVER_SHOWN = "Account locked"  # axes' own answer: ours is a page
FOLDER = Path(settings.BASE_DIR) / "locale" / "en" / "LC_MESSAGES"
CODE = ("blend_pos", "ventas", "cache_stock", "inventario")
OWN = [Path(settings.BASE_DIR) / app for app in CODE]
MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "gettext_noop"}
TRANSLATE = re.compile(r"""\{%\s*translate\s+(?:"([^"]*)"|'([^']*)')""")
BLOCK = re.compile(r"\{%\s*blocktranslate\b[^%]*%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)
Texts = Iterator[tuple[str, str]]
VARIABLE = re.compile(r"\{\{\s*(\w+)[^}]*\}\}")


def texts_in_code(*, folders: Sequence[Path] = OWN) -> Texts:
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS:
                    first = node.args[0] if node.args else None
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield str(path), first.value


def texts_in_templates() -> Texts:
    for app in CODE:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("templates/**/*.html")):
            page = path.read_text(encoding="utf-8")
            for double, single in TRANSLATE.findall(page):
                yield str(path), double or single
            for block in BLOCK.findall(page):
                yield str(path), VARIABLE.sub(r"%(\1)s", " ".join(block.split()))


class Missing(gettext.NullTranslations):
    """Answers for what a catalogue lacks: a text that is its own translation is not lacking."""

    def gettext(self, message: str) -> str:
        return f"missing: {message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"missing: {msgid1 if n == 1 else msgid2}"


@pytest.fixture(scope="module")
def english() -> gettext.GNUTranslations:
    with (FOLDER / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    catalogue.add_fallback(Missing())
    return catalogue


def is_missing(english: gettext.GNUTranslations, text: str) -> bool:
    return english.gettext(text).startswith("missing: ") and english.ngettext(text, text, 1).startswith("missing: ")


def test_every_text_has_english_beside_it(english: gettext.GNUTranslations) -> None:
    texts = [*texts_in_code(), *texts_in_templates()]
    assert len(texts) > 100
    assert [(path, text) for path, text in texts if is_missing(english, text)] == []


def test_the_compiled_catalogue_is_the_written_one(english: gettext.GNUTranslations) -> None:
    written = (FOLDER / "django.po").read_text(encoding="utf-8")
    assert "fuzzy" not in written
    assert not re.search(r'^msgstr(\[\d\])? ""\n(?!")', written.split("\n\n", 1)[1], re.MULTILINE)
    for entry in re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', written, re.MULTILINE):
        text, translation = (ast.literal_eval(f'"{each}"') for each in entry)
        assert english.gettext(text) == translation


def test_what_libraries_show_in_the_admin_is_spanish_too() -> None:
    folders = [Path(library.__path__[0]) for library in FOREIGN]
    texts = {text for _path, text in texts_in_code(folders=folders) if not text.startswith(NEVER_SHOWN)}
    assert len(texts) > 50
    with override("es"):
        assert {text for text in texts if translated(text) == text} == SAME_IN_SPANISH
