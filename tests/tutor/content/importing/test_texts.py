"""OATutor's texts in our markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.content import markup, template_text
from tutor.content.importing import texts
from tutor.content.importing.listed import Unfit
from tutor.content.importing.texts import to_markup


def shown(text):
    """What a learner reads: our HTML without its tags, maths as its source."""
    html = markup.to_html(template_text.fill(to_markup(text).text, {}))
    html = re.sub(r'<math[^>]*alttext="([^"]*)".*?</math>', r"⟨\1⟩", html)
    return re.sub(r"<[^>]+>", "", html.replace("<br>", "|"))


class TestToMarkup:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (r"Solve $$2x=4$$ now", "Solve ⟨2x=4⟩ now"),
            (r"One\nTwo", "One|Two"),
            ("It costs $5, or $6.", "It costs $5, or $6."),
            (r"It costs $$\$4.50$$", "It costs ⟨$4.50⟩"),
            ("2*3*4 and 5+2**3", "2*3*4 and 5+2^3"),
            ("np.mean(x)**2", "np.mean(x)**2"),
            ("In [[1, 2], [3]]", "In [ [1, 2], [3]]"),
            (r"an angle of 30**{\circ}", "an angle of 30°"),
            (r"0 \leq \theta<2\pi", "0 ≤ θ&lt;2π"),
            ("$$respectively$$ and $$60-mile$$", "respectively and 60-mile"),
            (r"$$\frac{yes}{no}$$", "yes/no"),
            ("$$x=___$$?", "⟨x=\\text{____}⟩?"),
            ("fill in ___ here", "fill in ____ here"),
            ("a &lt; b", "a &lt; b"),
            (r"\(x+1\) stays", "⟨x+1⟩ stays"),
        ],
    )
    def test_shows_what_the_author_meant(self, written, read):
        assert shown(written) == read

    def test_takes_pictures_out_and_says_so(self):
        found = to_markup(r"Look:\n##figure1.gif##\nWhat is it?")
        assert (found.text, found.has_picture) == ("Look:\n\nWhat is it?", True)
        assert to_markup(r"\n##figure1.gif").has_picture
        assert not to_markup("No. #1 or #2").has_picture

    @pytest.mark.parametrize(
        ("written", "reason"),
        [
            ("See https://example.org/a.png", texts.FOREIGN),
            ("##https://example.org/a.png ##and text##", texts.PICTURE),
            ("What is $$@{n}+1$$?", texts.VARIABLES),
            ("Solve $$x=1", texts.BROKEN),
            (r"Take \sqrt{2} of it", texts.BROKEN),
            (r"$$\fraccos^c\left(a\righ$$", texts.BROKEN),
            (r"$$\frac{1}{$$", texts.BROKEN),
            (r"$$\fraccos+1$$", texts.BROKEN),
        ],
    )
    def test_refuses_what_cannot_be_shown(self, written, reason):
        with pytest.raises(Unfit) as caught:
            to_markup(written)
        assert caught.value.reason == reason

    @given(st.text(alphabet="ab $*`\\[]<>&_^{}n#@1.\n", max_size=40))
    def test_makes_texts_that_can_be_filled_in_and_load_nothing(self, text):
        try:
            converted = to_markup(text)
        except Unfit:
            return
        html = markup.to_html(template_text.fill(converted.text, {}))
        assert "http" not in html
        assert not re.search(r"<(?!/?(?:p|br|math|m[a-z]+|strong|em|code)\b)", html)
