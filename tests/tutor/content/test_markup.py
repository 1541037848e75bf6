"""Nothing that an author, an import or a learner writes gets to run in a page."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.content import maths
from tutor.content.markup import render, sanitize_html, to_html, to_inline_html

ALLOWED_NAMES = (
    "p br hr b strong i em u s sub sup code pre kbd samp blockquote ul ol li dl dt dd table "
    "caption thead tbody tfoot tr th td"
)
ALLOWED = set(ALLOWED_NAMES.split()) | set(maths._ELEMENTS)
HARMLESS_ATTRIBUTES = {"alttext", "colspan", "rowspan"} | set(maths._ATTRIBUTES)


class _Page(HTMLParser):
    """Reads HTML as a browser would and keeps what it found."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def assert_harmless(text):
    page = _Page(text)
    assert page.tags <= ALLOWED
    assert page.attributes <= HARMLESS_ATTRIBUTES


class TestToHtml:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("one\n\ntwo", "<p>one</p>\n<p>two</p>"), ("one\ntwo", "<p>one<br>two</p>"),
            ("a < b & c", "<p>a &lt; b &amp; c</p>"), (r"\$5 and \$6", "<p>$5 and $6</p>"),
            ("**bold** *it* `a*b*c`",
            "<p><strong>bold</strong> <em>it</em> <code>a*b*c</code></p>"),
            ("2*3*4", "<p>2*3*4</p>"), ("2 * 3 * 4", "<p>2 * 3 * 4</p>"), ("$5", "<p>$5</p>"),
            ("", ""), ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ],
    )  # fmt: skip
    def test_marks_up(self, text, html):
        assert to_html(text) == html

    def test_shows_maths_with_words_for_it(self):
        shown = to_html(r"so $\frac{1}{2}x^2 < 5 \times y$.")
        assert 'alttext="1 over 2x squared &lt; 5 times y"' in shown
        assert "<mfrac>" in shown
        assert shown.startswith('<p>so <math display="inline"')

    def test_shows_display_maths(self):
        assert 'display="block"' in to_html("$$x = 3$$")

    def test_a_dollar_sign_inside_maths_may_be_escaped(self):
        assert to_inline_html(r"$\$3 + x$").count("<math") == 1

    def test_shows_the_source_of_a_formula_that_fails(self):
        assert to_inline_html(r"$\frac{$") == r"<code>\frac{</code>"

    def test_inline_has_no_paragraph(self):
        assert render("a *b*", inline=True) == "a <em>b</em>"
        assert render("<i>a</i>", "html") == "<i>a</i>"


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>", "<iframe src=//evil>", "<b onclick=alert(1)>x</b>",
    "<style>*{background:url(//evil)}</style>", "<p style='background:url(//evil)'>x</p>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<form action=//evil><input>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<body onload=alert(1)>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>", "<!--<img src=x onerror=alert(1)>-->",
    "<img src='http://latex.codecogs.com/gif.latex?\\text{<script>alert(1)</script>}'>",
    "<img src='http://latex.codecogs.com/gif.latex?\\href{javascript:alert(1)}{x}'>",
    "<img alt='<script>alert(1)</script>' src='http://evil/x'>", "<td colspan='<img src=x>'>",
    "<img src='http://evil/latex.codecogs.com?x'>", "<img src='//latex.codecogs.com.evil/?x'>",
    "<object data=x>", "<embed src=x>", "<base href=//evil>", "<meta http-equiv=refresh content=0>",
    r"$\text{<script>alert(1)</script>}$", r"$\href{javascript:alert(1)}{x}$", r"$\style{x}{y}$",
    r"$\unicode{x3C}script\unicode{x3E}$", r'$\class{" onload="alert(1)}{x}$', r'$"><script>$',
    r"$\newcommand{\a}{\a\a}\a$", "`<script>`", "**<script>**", "*<img src=x>*", r"\<script>",
    r"$\mathchoice{<img src=x>}{}{}{}$", r"$\color{red<script>}{x}$", "$" + "{" * 900 + "$",
]  # fmt: skip


class TestAttacks:
    @pytest.mark.parametrize("text", ATTACKS)
    def test_are_harmless_in_text_and_html(self, text):
        assert_harmless(to_html(text))
        assert_harmless(sanitize_html(text))

    @given(st.text("<>\"'&/= abimgscrptonlxy$\\{}*`_^\n", max_size=80) | st.text(max_size=80))
    def test_no_text_gets_through(self, text):
        assert_harmless(to_html(text))
        assert_harmless(sanitize_html(text))

    @given(st.lists(st.sampled_from(ATTACKS), max_size=4), st.text(max_size=10))
    def test_no_mixture_gets_through(self, attacks, glue):
        assert_harmless(to_html(glue.join(attacks)))
        assert_harmless(sanitize_html(glue.join(attacks)))


class TestSanitizeHtml:
    def test_drops_titles(self):
        assert sanitize_html('<p title="a <img src=x>" lang="de">b</p>') == "<p>b</p>"

    def test_keeps_tables_and_lists(self):
        text = '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table><ul><li>b</li></ul>'
        assert sanitize_html(text) == text

    def test_turns_formula_images_into_maths(self):
        shown = sanitize_html('T <img src="http://latex.codecogs.com/gif.latex?T_{1}" border="0"/>')
        assert "<msub><mi>T</mi><mrow><mn>1</mn></mrow></msub>" in shown

    def test_drops_the_looks_of_a_formula(self):
        address = r"http://latex.codecogs.com/gif.latex?\bf \large \color{red} {\pi_{a&gt;1}(B)}"
        shown = sanitize_html(f'<img src="{address}">')
        assert "<mi>π</mi>" in shown
        assert "red" not in shown

    def test_replaces_other_images_by_a_note(self):
        shown = sanitize_html('<img src="https://x.org/a.png" alt="An ER diagram">')
        assert shown == "<em>[Image not shown: An ER diagram]</em>"
        assert "no description" in sanitize_html('<img src="data:image/png;base64,xx">')

    def test_headings_become_bold_paragraphs(self):
        assert sanitize_html("<h2>A</h2>") == "<p><strong>A</strong></p>"

    def test_unknown_tags_leave_their_text(self):
        assert sanitize_html("<font color=red>a</font><center>b</center>") == "ab"


def test_spoken_falls_back_to_the_source():
    assert maths.spoken(r"\sum_{i=1}^n i") == r"\sum_{i=1}^n i"
    assert maths.spoken(r"\sqrt{12}") == "square root of 12"
    assert not re.search(r"[\\{}]", maths.spoken(r"\frac{\sqrt{2}}{3} \le x_1"))
