"""Leave out what this machine cannot run, and say so in the last lines."""

import shutil

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
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("left out on this machine")
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {str(reason).removeprefix('Skipped: ')}")
