#!/usr/bin/env python3
"""Makes sample bundles straight from docs/evidence-bundle.md, good ones and one or more that break each rule.

    make_bundle.py OUT [NAME...]

OUT gets NAME.zip for each sample, and `samples.json`: a list of {"name", "step", "file", "about", "trust"}. `step` is the
step of the document that refuses it, 0 for none; `file` the file that a verifier names; `trust` what the reader gives:
"key" (a vkey), "roots" (PEM), "witnesses" (vkeys). Needs Python 3 and the openssl program, nothing else."""

import datetime
import json
import os
import sys
import tempfile
import warnings

from authority import Workshop
from broken import BROKEN
from good import GOOD, Maker


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    out, wanted = sys.argv[1], sys.argv[2:]
    # A name twice in an archive is what one sample is for.
    warnings.simplefilter("ignore", UserWarning)
    os.makedirs(out, exist_ok=True)
    listed = []
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(Workshop(folder, datetime.datetime.now(datetime.timezone.utc)))
        for sample in GOOD + BROKEN:
            if wanted and sample.name not in wanted:
                continue
            data, trust = sample.make(maker), {}
            if isinstance(data, tuple):
                data, trust = data
            with open(os.path.join(out, sample.name + ".zip"), "wb") as file:
                file.write(data)
            listed.append({"name": sample.name, "step": sample.step, "file": sample.file, "about": sample.about, "trust": trust})
    with open(os.path.join(out, "samples.json"), "w") as file:
        json.dump(listed, file, indent=1)


if __name__ == "__main__":
    main()
