"""Functions of a Django project as kinds: a worker that finds the project in a folder, without being in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.processes import ROOT, Process
from tests.workers.rig import Rabbit, ready, task

# The settings stand where Millrace has a package of that name too, as those of many projects do.
FILES = {
    "config/__init__.py": "",
    "config/settings.py": """
from pathlib import Path
SECRET_KEY = "x"
INSTALLED_APPS = ["apps.shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parents[1] / "shop.sqlite3"}}
""",
    "apps/__init__.py": "",
    "apps/shop/__init__.py": "",
    "apps/shop/models.py": """
from django.db import models
class Order(models.Model):
    amount = models.FloatField()
""",
    "shop_handlers.py": '''
import os
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from apps.shop.models import Order
from django.db.models import Sum
from workers.registry import handler

@handler("shop.total")
def total(above: float = 0.0) -> float:
    """Sums the orders up.

    Args:
        above: smaller ones are passed over
    """
    return Order.objects.filter(amount__gt=above).aggregate(sum=Sum("amount"))["sum"] or 0.0
''',
    "random.py": "raise ImportError('this hides a module of Python')",
}
FILL = """
import shop_handlers
from django.core.management import call_command
call_command("migrate", run_syncdb=True, verbosity=0)
for amount in (1.0, 20.0, 300.0):
    shop_handlers.Order.objects.create(amount=amount)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTHON"))}
    ways = f"import sys; sys.path += [{str(tmp_path)!r}, {str(ROOT)!r}]"
    # -P: what stands in the folder where it is started must not come before Python's own.
    subprocess.run([sys.executable, "-P", "-c", f"{ways}\n{FILL}"], env=outside, cwd=tmp_path, check=True, timeout=150)
    return tmp_path


def test_a_function_of_a_django_project_is_run_with_its_models(
    rabbit: Rabbit, worker: Callable[..., Process], project: Path
) -> None:
    ready(worker(MILLRACE_HANDLERS="workers.handlers.demo,shop_handlers", MILLRACE_HANDLERS_FOLDER=str(project)))
    rabbit.put(task(1, "shop.total"), task(2, "shop.total", above=10.0))
    assert [rabbit.outcome(number)["value"] for number in (1, 2)] == ["321.0", "320.0"]
    kinds = {kind["name"]: kind for beat in rabbit.heartbeats() for kind in beat.get("kinds") or []}
    announced = kinds["shop.total"]
    assert announced["doc"] == "Sums the orders up."
    assert announced["schema"]["properties"]["above"]["description"] == "smaller ones are passed over"
