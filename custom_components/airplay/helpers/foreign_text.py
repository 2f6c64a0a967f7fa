"""Texts from outside, such as the names of receivers, made safe to show.

Home Assistant renders the texts of forms and issues as Markdown, with whatever their
placeholders contain, and shows the same placeholders in titles as they are. A backslash
would be visible there, so what makes a link, a picture, code, or HTML is replaced.
"""

import re
import unicodedata

# No name of a receiver is longer than 63 bytes, and no reason than a few sentences.
_MOST_CHARACTERS = 500
_REPLACED = str.maketrans({"[": "(", "]": ")", "<": "(", ">": ")", "`": "'"})
# Of what becomes a link without any brackets.
_SCHEME = re.compile(r":(?=//)")
_HOST = re.compile(r"(?<=www)\.", re.IGNORECASE)
_MAIL = re.compile(r"(?<=\S)@(?=\S)")
# Control, format, surrogate, and unassigned characters, and separators of lines. Among
# the format characters are those that reverse the text after them.
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
# Emoji and some scripts are written with them.
_JOINERS = "\u200c\u200d"


def inert(text: str) -> str:
    """Return a text of one line, of about 500 characters at most, without any link.

    It looks the same as Markdown and as plain text, except for bold and italics.
    """
    visible = "".join(
        each
        if each in _JOINERS or unicodedata.category(each) not in _INVISIBLE
        else " "
        for each in text[:_MOST_CHARACTERS]
    )
    plain = " ".join(visible.split()).translate(_REPLACED)
    return _MAIL.sub(" at ", _HOST.sub(" ", _SCHEME.sub(": ", plain)))
