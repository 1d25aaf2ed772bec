"""Leave out what this machine cannot run, and say so in the last lines."""

import os
import shutil

if "PYTEST_XDIST_WORKER" in os.environ:  # threads that have to wait for a CPU slow all tests down
    workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

REASONS = {
    "accelerator": "needs a GPU or another accelerator, and PyTorch finds none",
    "browser": "needs Chromium: install it so that `chromium` is on the PATH",
}


def pytest_collection_modifyitems(items):
    missing = {
        "accelerator": not torch.accelerator.is_available(),
        "browser": shutil.which("chromium") is None,
    }
    for item in items:
        for marker, reason in REASONS.items():
            if missing[marker] and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter):
    passed = terminalreporter.stats.get("passed", [])
    noted = [pair for report in passed for pair in getattr(report, "user_properties", [])]
    needed = sorted(text for name, text in noted if name == "needed")
    if needed:
        terminalreporter.section("what each lesson needs on one CPU with 1 GiB")
        columns = f"{'lesson':28}{'time':>10}{'CPU':>10}{'peak':>12}{'a worker':>12}"
        for line in (columns, *needed):
            terminalreporter.line(line)
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("left out on this machine")
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {str(reason).removeprefix('Skipped: ')}")
