"""How the pages under docs/ and the README are tested, and what their writers can say.

Every block of a page in `python`, `sh`, `bash` or `shell` is run as it is written, in order, in a
copy of the project with a database of its own (`ProjectCopy`). Shell blocks share one shell, so a
`cd`, a variable or a function stays. Python blocks share one interpreter, so names stay, until a
shell block runs or a file changes. A block that fails, or takes a minute, fails the page.

What should not simply be run says so in a comment on the line above it, which no reader sees:

    <!-- test: skip WHY -->                       is not run; the reason is needed
    <!-- test: fails -->                          must fail, with an exit code that is not 0
    <!-- test: server -->                         starts the server, which goes on running
    <!-- test: insert PATH after LINE -->         goes into a file, below the line that reads so
    <!-- test: replace PATH line LINE -->         takes the place of that line
    <!-- test: append PATH -->                    goes to the end of that file
    <!-- test: shown in PATH -->                  is not run: its lines stand in that file, a test
                                                  that runs them, or one that the page made
    <!-- test: as owner -->                       above `sql`, which is not run otherwise
    <!-- test: output -->                         above any other block: the block before printed
                                                  these lines; `…` stands for anything

A Python block with a title, as in ```` ```python title="app/models.py" ````, is not run but becomes
that file, or its end where the file exists. PATH may hold `*` where one file only fits. A block
that mentions http://127.0.0.1:8000 reaches a server that is started for it, on a free port, as
`scripts/dev` does, and again after a file has changed. Blocks that are indented instead of fenced,
and all other languages, are only shown.

What a page takes for granted (rows, a model, a setting) is prepared by a module of the same name
under tests/docs/preparations/: for docs/how-to/why.md that is `how_to/why.py`, for the README
`readme.py`. It defines `prepare(project: ProjectCopy)`, `finish(project)` to look at what the page
came to, or both. Names that the page's Python uses without an import are `project.names`.

Sybil would replace only the reading of blocks, which links and anchors need anyway: not smaller.
"""
