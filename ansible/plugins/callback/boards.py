# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows what changed on which board, and one line for each board at the end."""

from __future__ import annotations

DOCUMENTATION = """
name: boards
type: stdout
short_description: One line for what changes on a board, and one for each board at the end
description:
  - A board that fails, or does not answer, is one red line with the reason.
  - What there is to do by hand stands below the reason at the moment of the failure.
"""

from ansible import constants as C
from ansible.plugins.callback import CallbackBase

# Modules whose message is a whole sentence of ours.
SPEAKING = ("ansible.builtin.fail", "ansible.builtin.assert", "fail", "assert")


class CallbackModule(CallbackBase):
    """Writes lines of the form BOARD: WHAT."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "cma_test.cma_test.boards"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.reasons = {}

    def _line(self, board, text, color=None):
        self._display.display(f"{board}: {text}", color=color)

    def _went_wrong(self, result, reason):
        board = result.host.get_name()
        first, *rest = [line for line in reason.splitlines() if line.strip()] or ["it does not say why"]
        # The first reason is the cause of those that follow.
        self.reasons.setdefault(board, first)
        self._line(board, first, C.COLOR_ERROR)
        for line in rest:
            self._display.display(f"  {line}")

    def v2_playbook_on_play_start(self, play):
        self._display.display(play.get_name(), color=C.COLOR_HIGHLIGHT)

    def v2_playbook_on_no_hosts_matched(self):
        self._display.display("no board of that name is in the inventory", color=C.COLOR_ERROR)

    def v2_runner_on_ok(self, result):
        if result.result.get("changed", False):
            self._line(result.host.get_name(), result.task.get_name().split(" : ")[-1], C.COLOR_CHANGED)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if ignore_errors:
            return
        found = result.result
        reason = str(found.get("msg", "")).removeprefix("Task failed: ").removeprefix("Action failed: ")
        if result.task.action not in SPEAKING:
            said = [text for text in (found.get("stderr"), found.get("module_stderr")) if text]
            reason = f"{result.task.get_name().split(' : ')[-1]}: {reason}"
            if said:
                reason += "\n" + str(said[0]).strip()
        self._went_wrong(result, reason)

    def v2_runner_on_unreachable(self, result):
        reason = " ".join(str(result.result.get("msg", "")).split()).removeprefix("Task failed: ")
        self._went_wrong(result, f"it does not answer: {reason}")

    def v2_runner_item_on_failed(self, result):
        pass

    def v2_playbook_on_stats(self, stats):
        self._display.display("")
        for board in sorted(stats.processed, key=lambda name: (name in self.reasons, name)):
            if board in self.reasons:
                self._line(board, self.reasons[board], C.COLOR_ERROR)
                continue
            changed = stats.summarize(board)["changed"]
            what = "nothing to do" if changed == 0 else "1 change" if changed == 1 else f"{changed} changes"
            self._line(board, f"ok, {what}", C.COLOR_OK)
