"""Sound as homes offer it: files and servers of all kinds, made on demand by ffmpeg.

Each plays as ffmpeg decodes it, or gives the one error that is right. A stable third of
them is in every run of the tests; `--corpus` takes all. `python -m tests.corpus FOLDER`
writes the files to a folder.
"""
