"""A sender for AirPlay receivers in pure Python.

`api` has all that another program uses: messages and errors to talk to the sender
process, receivers to read TXT records, and questions that a receiver answers itself.
Nothing here is imported before it is asked for: audio libraries stay in the sender.
"""
