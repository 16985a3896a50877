# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw in the panel what a worker says of a previewed frame, and list the texts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.blender.inside.jobs import switch_on
from tests.blender.inside.stage import FOLDER, run


class Layout:
    """Keeps the texts of what is drawn in it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def column(self, **_: Any) -> Layout:
        return self

    def label(self, text: str, **_: Any) -> None:
        self.texts.append(text)

    def operator(self, name: str, **_: Any) -> None:
        self.texts.append(name)


def work() -> dict[str, Any]:
    """Hear a notice twice, and many others, and the picture; then that the worker is gone."""
    switch_on()
    from understudy.backend.contract.events import Noticed, PreviewMade
    from understudy.panels.shot import draw_answer
    from understudy.session import questions
    from understudy.worker_client.mailbox import Mailbox

    layout, mailbox = Layout(), Mailbox()
    worker: Any = SimpleNamespace(mailbox=mailbox, is_over=lambda: True)
    for _ in range(2):
        mailbox.put(Noticed(code="keys_left_out", text="Keys are left out."))
    for number in range(60):
        mailbox.put(Noticed(code="c", text=str(number)))
    mailbox.put(PreviewMade(path=str(FOLDER / "preview.png"), frame=3))
    questions._worker, questions.answers = worker, questions.Answers(is_asking=True, question="preview")
    questions.hear()
    drawn_in: Any = layout
    draw_answer(drawn_in, questions.answers)
    return {"drawn": layout.texts}


run(work)
