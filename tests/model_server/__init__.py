"""A scripted model on loopback, for real agent programs in tests: no key, no cost, every word known beforehand.

scenario.py    what is answered to which request, as data (Python objects or JSON)
dialect.py     what one streaming API must be able to do
anthropic.py   Messages API             (one small file for each API)
chat.py        Chat Completions API
gemini.py      Gemini API
responses.py   Responses API
server.py      sockets, delays, silences, cut streams, and the log of what really left
__main__.py    the same by hand: python -m tests.model_server SCENARIO.json
"""
