"""PROTOCOL.md's transcript is what passes between the tool and an engine today, and it says every method."""

import json
import unittest

from assay_engine.serving import Server

from . import transcript


class Transcript(unittest.TestCase):
    def test_the_page_shows_what_passes(self):
        self.assertEqual([transcript.steady(line) for line in transcript.page()],
                         [transcript.steady(line) for line in transcript.dialogue()])

    def test_every_method_is_shown_and_answered(self):
        lines = [json.loads(line[2:]) for line in transcript.page()]
        self.assertEqual({line["method"] for line in lines[::2]}, set(Server._METHODS))
        for request, reply in zip(lines[::2], lines[1::2]):
            self.assertEqual((reply.keys(), reply["id"]), ({"id", "result"}, request["id"]))
