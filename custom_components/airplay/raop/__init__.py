"""A sender for AirPlay receivers in pure Python.

`api` exports everything that another program uses: messages and errors of the sender
process, receivers read from TXT records, and requests that a receiver answers.
Importing this package imports nothing else: audio libraries stay in the sender.
"""
