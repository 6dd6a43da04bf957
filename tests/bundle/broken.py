"""Bundles that do not hold: for each rule of each step at least one."""

import broken_anchors
import broken_container
import broken_log
import broken_story

BROKEN = broken_container.SAMPLES + broken_log.SAMPLES + broken_anchors.SAMPLES + broken_story.SAMPLES
