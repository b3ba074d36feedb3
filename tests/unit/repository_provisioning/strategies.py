"""Names, patterns and rules as hypothesis makes them."""

from hypothesis import strategies as st

from repository_provisioning.domain.names import NamePattern

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@st.composite
def components(draw, alphabet=ALPHABET):
    words = draw(st.lists(st.text(alphabet, min_size=1, max_size=4), min_size=1, max_size=3))
    separators = st.sampled_from([".", "_", "__", "-", "--", "----"])
    return words[0] + "".join(draw(separators) + word for word in words[1:])


@st.composite
def names(draw, alphabet=ALPHABET):
    text = "/".join(draw(st.lists(components(alphabet), min_size=1, max_size=4)))
    return text if len(text) > 1 else text * 2


@st.composite
def patterns(draw):
    component = st.sampled_from(["a*", "*", "?", "b", "*b", "a?", "**", "ab", "*a*", "?*"])
    text = "/".join(draw(st.lists(component, min_size=1, max_size=4)))
    return NamePattern(text if len(text) > 1 or text == "*" else text * 2)
