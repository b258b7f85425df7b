"""What the tool is compared with, where it is there: Terraform, and octoDNS in its own venv."""

import json
import shutil
import subprocess
import venv
from pathlib import Path
from typing import Final

from tests.benchmarks import shop
from tests.benchmarks.measure import STORE, Usage, run

_ZONES: Final = 100
_OCTODNS: Final = STORE / "octodns"

_TERRAFORM: Final = """\
resource "terraform_data" "product" {
  count = %d
  input = {
    store_id  = "SKU-${count.index}"
    name      = "Linen shirt no. ${count.index}"
    type      = "top"
    tags      = ["shirt", "summer", "linen"]
    image_url = "https://cdn.example-shop.com/products/${count.index}/front.jpg"
  }
}
"""


def has_terraform() -> bool:
    """Whether terraform is installed."""
    return shutil.which("terraform") is not None


def _terraform(folder: Path, *arguments: str) -> Usage:
    return run(
        ["terraform", *arguments, "-no-color"],
        folder=folder,
        environ={"TF_CLI_CONFIG_FILE": "", "CHECKPOINT_DISABLE": "1"},
    )


def terraform_folder(folder: Path, count: int, *, applied: bool) -> Path:
    """A Terraform folder with so many `terraform_data`, as new or as applied before."""
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(_TERRAFORM % count, encoding="utf-8")
    if applied:
        state = {
            "version": 4,
            "terraform_version": "1.0.0",
            "serial": 1,
            "lineage": "00000000-0000-0000-0000-000000000000",
            "outputs": {},
            "resources": [
                {
                    "mode": "managed",
                    "type": "terraform_data",
                    "name": "product",
                    "provider": 'provider["terraform.io/builtin/terraform"]',
                    "instances": [_instance(number) for number in range(count)],
                }
            ],
        }
        (folder / "terraform.tfstate").write_text(json.dumps(state), encoding="utf-8")
    _terraform(folder, "init", "-input=false")
    return folder


def _instance(number: int) -> dict[str, object]:
    """One object as Terraform's state holds it: what `terraform apply` would have written."""
    value = {
        "value": {
            "image_url": f"https://cdn.example-shop.com/products/{number}/front.jpg",
            "name": f"Linen shirt no. {number}",
            "store_id": f"SKU-{number}",
            "tags": ["shirt", "summer", "linen"],
            "type": "top",
        },
        "type": [
            "object",
            {
                "image_url": "string",
                "name": "string",
                "store_id": "string",
                "tags": ["tuple", ["string", "string", "string"]],
                "type": "string",
            },
        ],
    }
    attributes = {
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "input": value,
        "output": value,
        "triggers_replace": None,
    }
    return {
        "index_key": number,
        "schema_version": 0,
        "attributes": attributes,
        "sensitive_attributes": [],
    }


def terraform_plan(folder: Path) -> Usage:
    """Plan; nothing differs."""
    usage = _terraform(folder, "plan", "-input=false")
    assert "No changes" in usage.output, usage.output[-500:]
    return usage


def terraform_apply(folder: Path) -> Usage:
    """Create everything."""
    return _terraform(folder, "apply", "-input=false", "-auto-approve")


def has_octodns() -> bool:
    """Whether octoDNS is there, or could be installed now."""
    command = _OCTODNS / "bin" / "octodns-sync"
    if not command.exists():
        shutil.rmtree(_OCTODNS, ignore_errors=True)
        venv.create(_OCTODNS, with_pip=True)
        python = str(_OCTODNS / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--quiet", "octodns"]
        subprocess.run(pip, check=False, capture_output=True)
    return command.exists()


def octodns_folder(folder: Path, count: int) -> Path:
    """An octoDNS folder with so many records in 100 zones, the same in source and target."""
    zones = [f"zone{number:03d}.example." for number in range(_ZONES)]
    for side in ("source", "target"):
        (folder / side).mkdir(parents=True)
        for zone, name in enumerate(zones):
            lines = ["---"]
            for number in range(zone, count, _ZONES):
                tags = ", ".join(f'"{tag}"' for tag in shop.declared(number)["tags"])
                lines += [f"p{number:07d}:", "  ttl: 300", "  type: TXT", f"  values: [{tags}]"]
            text = "\n".join(lines) + "\n"
            (folder / side / f"{name}yaml").write_text(text, encoding="utf-8")
    config = ["---", "manager:", "  max_workers: 1", "providers:"]
    for side in ("source", "target"):
        config += [
            f"  {side}:",
            "    class: octodns.provider.yaml.YamlProvider",
            f"    directory: ./{side}",
            "    enforce_order: false",
        ]
    config.append("zones:")
    for name in zones:
        config += [f"  {name}:", "    sources: [source]", "    targets: [target]"]
    (folder / "config.yaml").write_text("\n".join(config) + "\n", encoding="utf-8")
    return folder


def octodns_plan(folder: Path) -> Usage:
    """Plan; nothing differs."""
    command = str(_OCTODNS / "bin" / "octodns-sync")
    return run([command, "--config-file", "config.yaml", "--quiet"], folder=folder)
