"""What pages show is true: PROTOCOL.md's transcript is what passes today, and README.md's function is an engine's."""

import json
import unittest

from assay_engine.serving import Server

from . import transcript
from .support import ENGINES


class Transcript(unittest.TestCase):
    def test_the_page_shows_what_passes(self):
        self.assertEqual([transcript.steady(line) for line in transcript.page()],
                         [transcript.steady(line) for line in transcript.dialogue()])

    def test_every_method_is_shown_and_answered(self):
        lines = [json.loads(line[2:]) for line in transcript.page()]
        self.assertEqual({line["method"] for line in lines[::2]}, set(Server._METHODS))
        for request, reply in zip(lines[::2], lines[1::2]):
            self.assertEqual((reply.keys(), reply["id"]), ({"id", "result"}, request["id"]))


class Readme(unittest.TestCase):
    def test_the_function_that_it_shows_is_the_engine_of_the_repository(self):
        page = (ENGINES.parent.parent / "README.md").read_text(encoding="utf-8")
        engine = (ENGINES / "numpy_conv2d.py").read_text(encoding="utf-8")
        start = page.index("@assay.operation")
        shown = page[start:page.index("```", start)]
        self.assertIn(shown, engine)
        self.assertLessEqual(len(shown.splitlines()), 10)
