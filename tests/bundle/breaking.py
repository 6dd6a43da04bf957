"""How samples are broken: a decorator that lists them, and edits at each stage of making a bundle."""

from good import Sample


def listing(samples):
    """`@broken(step, name, file, about)` over a function of the maker."""

    def broken(step, name, file, about):
        def take(make):
            samples.append(Sample(make, name, about, step, file))
            return make

        return take

    return broken


def with_files(story, edit):
    """Changes files before the manifest is signed: what the log's own key holder could do."""
    story.edit_files = edit
    return story.zip()


def replace(name, old, new):
    def edit(files):
        changed = files[name].replace(old, new, 1)
        assert changed != files[name], name
        files[name] = changed

    return edit


def after_signing(story, edit):
    """Changes files after the manifest was signed: what anybody could do."""
    story.edit_after = edit
    return story.zip()


def with_manifest(story, edit):
    story.edit_manifest = edit
    return story.zip()
