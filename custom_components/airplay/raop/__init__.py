"""A sender for AirPlay receivers in pure Python.

The parts that another program uses: `messages` and `errors` to talk to the sender
process, `receiver` to read TXT records, and `probe` to ask a receiver who it is.
Nothing here is imported before it is asked for: audio libraries stay in the sender.
"""
