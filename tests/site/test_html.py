"""Every page of the site is valid HTML, and the checker finds what is not."""

from pathlib import Path

import pytest

from rules.html import html_problems, without_glyphs

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1 id="top">A page</h1>
<p>Text with <a href="#top">a link</a>, <code>code</code>, and
<mjx-container><svg viewBox="0 0 1 1"><path d="M0 0h1" stroke-width="2"/></svg></mjx-container>.</p>
<ul><li>one <ul><li>two</li></ul></li></ul>
<dl><dt>term</dt><dd><p>its meaning</p></dd></dl>
<table><thead><tr><th>x</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>
<details><summary>More <b>code</b></summary><pre>x = 1</pre></details>
<figure><img src="dot.svg" alt="A dot."><figcaption>A dot.</figcaption></figure>
<form action="search.html"><label for="q">Search</label> <input type="search" id="q" name="q">
<button type="button" aria-controls="top">Go</button></form>
<a href="#top"><div>a block in a link</div></a>
{fault}
</main></body></html>
"""
FAULTS = {
    "a paragraph in a summary": (
        "<details><summary><p>x</p></summary>y</details>",
        "<p> may not stand in <summary>",
    ),
    "a block in a paragraph": ("<p><span><div>x</div></span></p>", "unexpected-end-tag p"),
    "a block in a span": ("<span><div>x</div></span>", "<div> may not stand in <span>"),
    "a block in a link in a heading": (
        '<h2><a href="#top"><div>x</div></a></h2>',
        "<div> may not stand in <a href='#top'>",
    ),
    "an element that is not closed": ("<div><span>x</div>", "end-tag-too-early"),
    "an end without a beginning": ("</section>", "end-tag-too-early section"),
    "elements that overlap": ("<p><b><i>x</b></i></p>", "adoption-agency"),
    "the same attribute twice": ('<p class="a" class="b">x</p>', "duplicate-attribute"),
    "an id twice": ('<p id="top">x</p>', "the id 'top' is there 2 times"),
    "an id with a blank": ('<p id="a b">x</p>', "'a b' is no id"),
    "a label for nothing": ('<label for="gone">x</label>', 'for="gone" points to nothing'),
    "a description that is gone": (
        '<p aria-describedby="gone">x</p>',
        'aria-describedby="gone" points to nothing',
    ),
    "a list item in no list": ("<div><li>x</li></div>", "<li> may not stand in <div>"),
    "a paragraph in a list": ("<ul><p>x</p></ul>", "<p> may not stand in <ul>"),
    "text in a list": ("<ul>x<li>y</li></ul>", "text may not stand in <ul>"),
    "a term without a meaning": ("<dl><dt>x</dt></dl>", "does not begin with <dt> and end"),
    "a link in a link": ('<a href="#top"><span><a href="#top">x</a></span></a>', "start-tag"),
    "a button in a link": (
        '<a href="#top"><button type="button">x</button></a>',
        "<button> may not stand in <a",
    ),
    "a link in a button": (
        '<button type="button"><a href="#top">x</a></button>',
        "<a href='#top'> may not stand in <button>",
    ),
    "a paragraph in a button": (
        '<button type="button"><p>x</p></button>',
        "<p> may not stand in <button>",
    ),
    "no alt text": ('<img src="dot.svg">', "<img src='dot.svg'> has no alt"),
    "a slip in an attribute": ('<img src="dot.svg" alt="x" atl="y">', "has an attribute atl"),
    "an old attribute": ('<table border="1"><tr><td>x</td></tr></table>', "an attribute border"),
    "an old element": ("<center>x</center>", "<center> is no element of HTML"),
    "an unknown element": ("<blink2>x</blink2>", "<blink2> is no element of HTML"),
    "no type of input": ('<input type="slider" aria-label="x">', "has no type 'slider'"),
    "no type of button": ('<button type="go">x</button>', "has no type 'go'"),
    "no number": ('<p tabindex="yes">x</p>', 'tabindex="yes" is no whole number'),
    "an address with a blank": ('<a href="a page.html">x</a>', "href is no address"),
    "a second main": ("<main>x</main>", "main is there 2 times"),
    "a second title": ("<title>x</title>", "title"),
    "a figure with two captions": (
        "<figure><figcaption>x</figcaption>z<figcaption>y</figcaption></figure>",
        "one <figcaption>",
    ),
    "details without a summary": ("<details><p>x</p></details>", "its one <summary>"),
    "a style in the text": ("<p><style>p { color: red }</style></p>", "<style> may not stand"),
}
HEADS = {
    "no title": ("<title>A page</title>", "", "the page has no title"),
    "an empty title": ("<title>A page</title>", "<title> </title>", "the page has no title"),
    "no language": ('<html lang="en">', "<html>", "<html> has no lang"),
    "no doctype": ("<!DOCTYPE html>\n", "", "expected-doctype"),
    "two viewports": (
        "</head>",
        '<meta name="viewport" content="width=500"></head>',
        "viewport is there 2 times",
    ),
    "a block in the head": ("</title>", "</title><div>x</div>", "unexpected-end-tag head"),
}


def test_every_page_is_valid(site: Path) -> None:
    pages = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    assert len(pages) > 15
    problems = [
        f"{path.relative_to(site)}: {problem}"
        for path in pages
        for problem in html_problems(without_glyphs(path.read_text(encoding="utf-8")))
    ]
    assert not problems, "\n".join(problems)


def test_a_sound_page_has_no_problems() -> None:
    assert html_problems(PAGE.format(fault="")) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_text_is_found(name: str) -> None:
    fault, problem = FAULTS[name]
    found = html_problems(PAGE.format(fault=fault))
    assert any(problem in line for line in found), found


@pytest.mark.parametrize("name", HEADS)
def test_a_fault_around_the_text_is_found(name: str) -> None:
    old, new, problem = HEADS[name]
    page = PAGE.format(fault="")
    assert old in page
    found = html_problems(page.replace(old, new))
    assert any(problem in line for line in found), found
