"""Is a page valid HTML? What the standard's parser objects to, and what its content models forbid.

The checker of the W3C does this too, but it needs Java and 30 MB; this needs one small package.
tests/site/test_html.py shows it a fault of each kind.
"""

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser

HTML = "{http://www.w3.org/1999/xhtml}"


def _names(text: str) -> set[str]:
    return set(text.split())


METADATA = _names("base link meta noscript script style template title")
PHRASING = _names(
    "a abbr area audio b bdi bdo br button canvas cite code data datalist del dfn em "
    "embed i iframe img input ins kbd label link map mark math meter noscript object "
    "output picture progress q ruby s samp script select slot small span strong sub "
    "sup svg template textarea time u var video wbr"
)
SECTIONING = {"article", "aside", "nav", "section"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6", "hgroup"}
FLOW = (
    PHRASING
    | SECTIONING
    | HEADINGS
    | _names(
        "address blockquote details dialog div dl fieldset figure footer form header hr "
        "main menu meta ol p pre search table ul"
    )
)
NOTHING: set[str] = set()
SCRIPTS = {"script", "template"}
TRANSPARENT = {"a", "ins", "del", "map", "audio", "video", "object", "noscript", "slot"}
CONTENT = {
    "html": {"head", "body"},
    "head": METADATA,
    "ul": {"li"} | SCRIPTS,
    "ol": {"li"} | SCRIPTS,
    "menu": {"li"} | SCRIPTS,
    "dl": {"dt", "dd", "div"} | SCRIPTS,
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"} | SCRIPTS,
    "colgroup": {"col", "template"},
    "thead": {"tr"} | SCRIPTS,
    "tbody": {"tr"} | SCRIPTS,
    "tfoot": {"tr"} | SCRIPTS,
    "tr": {"td", "th"} | SCRIPTS,
    "select": {"option", "optgroup", "hr", "button"} | SCRIPTS,
    "datalist": PHRASING | {"option"},
    "optgroup": {"option", "legend"} | SCRIPTS,
    "figure": FLOW | {"figcaption"},
    "details": FLOW | {"summary"},
    "fieldset": FLOW | {"legend"},
    "summary": PHRASING | HEADINGS,
    "legend": PHRASING | HEADINGS,
    "picture": {"source", "img"} | SCRIPTS,
    "hgroup": {"p", "h1", "h2", "h3", "h4", "h5", "h6"} | SCRIPTS,
    "dt": FLOW - SECTIONING - HEADINGS - {"header", "footer"},
    "th": FLOW - SECTIONING - HEADINGS - {"header", "footer"},
    "caption": FLOW - {"table"},
    "address": FLOW - SECTIONING - HEADINGS - {"header", "footer", "address"},
    **dict.fromkeys(["option", "textarea", "title", "script", "style"], NOTHING),
    **dict.fromkeys(
        _names(
            "p h1 h2 h3 h4 h5 h6 pre span em strong small s cite q dfn abbr data time code "
            "var samp kbd sub sup i b u mark bdi bdo label output button progress meter "
            "canvas ruby"
        ),
        PHRASING,
    ),
    **dict.fromkeys(
        _names(
            "body article section nav aside header footer main div blockquote dd li td "
            "figcaption form dialog search template"
        ),
        FLOW,
    ),
    **dict.fromkeys(
        _names("area base br col embed hr img input link meta source track wbr iframe"), NOTHING
    ),
}
INTERACTIVE = {"a", "button", "details", "embed", "iframe", "input", "label", "select", "textarea"}

GLOBAL = _names(
    "accesskey autocapitalize autocorrect autofocus class contenteditable dir "
    "draggable enterkeyhint hidden id inert inputmode is itemid itemprop itemref "
    "itemscope itemtype lang nonce part popover role slot spellcheck style tabindex "
    "title translate xmlns"
)
ATTRIBUTES = {
    name: _names(attributes)
    for name, attributes in {
        "a": "href target download ping rel hreflang type referrerpolicy",
        "base": "href target",
        "blockquote": "cite",
        "button": "disabled form name type value popovertarget popovertargetaction",
        "canvas": "height width",
        "col": "span",
        "colgroup": "span",
        "data": "value",
        "details": "open name",
        "dialog": "open closedby",
        "fieldset": "disabled form name",
        "form": ("accept-charset action autocomplete enctype method name novalidate target rel"),
        "img": (
            "alt src srcset sizes crossorigin usemap ismap width height loading decoding "
            "fetchpriority"
        ),
        "input": (
            "accept alt autocomplete checked disabled form height list max maxlength min "
            "minlength multiple name pattern placeholder readonly required size src step "
            "type value width"
        ),
        "label": "for",
        "li": "value",
        "link": ("href rel as media hreflang type sizes crossorigin integrity disabled color"),
        "meta": "name http-equiv content charset media property",
        "ol": "reversed start type",
        "optgroup": "disabled label",
        "option": "disabled label selected value",
        "output": "for form name",
        "progress": "value max",
        "meter": "value min max low high optimum",
        "q": "cite",
        "script": "src type async defer crossorigin integrity nomodule referrerpolicy",
        "select": "autocomplete disabled form multiple name required size",
        "source": "type media src srcset sizes width height",
        "style": "media type",
        "td": "colspan rowspan headers",
        "textarea": (
            "cols rows disabled form maxlength minlength name placeholder readonly required wrap"
        ),
        "th": "colspan rowspan headers scope abbr",
        "time": "datetime",
    }.items()
}
REQUIRED = {"img": {"src", "alt"}, "link": {"href", "rel"}, "optgroup": {"label"}, "html": {"lang"}}
POINTERS = {
    *("for", "headers", "form", "list", "aria-labelledby", "aria-describedby", "aria-controls"),
    *("aria-owns", "aria-details", "aria-activedescendant", "aria-flowto", "popovertarget"),
}
INPUTS = _names(
    "button checkbox color date datetime-local email file hidden image month number "
    "password radio range reset search submit tel text time url week"
)


def without_glyphs(text: str) -> str:
    """The page with each formula's MathML alone, and with code in one colour.

    They are most of a chapter, written by machines. Glyphs: tests/site/test_mathematics.py.
    """
    text = re.sub(r"(<mjx-math\b[^>]*>).*?(</mjx-math>)", r"\1\2", text, flags=re.DOTALL)
    return re.sub(r'<span class="[a-z][a-z0-9]{0,2}">([^<]*)</span>', r"\1", text)


def html_problems(text: str) -> list[str]:
    """Every way in which the page is not valid; the parser's objections come first."""
    parser = HTMLParser()
    root = parser.parse(text)
    problems = [
        f"line {where[0]}: {code} {' '.join(map(str, (data or {}).values()))}".strip()
        for where, code, data in parser.errors
        if code != "expected-named-entity"  # a bare & is allowed, as between parts of an address
    ]
    problems += list(_in_page(root))
    problems += list(_below(root, ()))
    return problems


def _name(node: Element) -> str:
    """The element's name; empty for a comment and for what is not HTML, as inside of <svg>."""
    tag = node.tag if isinstance(node.tag, str) else ""
    return tag.removeprefix(HTML) if tag.startswith(HTML) else ""


def _shown(node: Element) -> str:
    name = _name(node)
    for key in ("id", "class", "href", "src", "name"):
        if node.get(key):
            return f"<{name} {key}={node.get(key)!r}>"
    return f"<{name}>"


def _in_page(root: Element) -> Iterator[str]:
    nodes = [node for node in root.iter() if isinstance(node.tag, str)]
    ids = Counter(node.get("id") for node in nodes if node.get("id") is not None)
    for name, times in ids.items():
        if times > 1:
            yield f"the id {name!r} is there {times} times"
        if not name or re.search(r"\s", name):
            yield f"{name!r} is no id"
    for node in nodes:
        for key in POINTERS & set(node.attrib):
            for name in node.get(key, "").split():
                if name not in ids and _name(node):
                    yield f'{_shown(node)}: {key}="{name}" points to nothing'
    once = Counter(
        node.get("name") or node.get("http-equiv") or ("charset" if node.get("charset") else "")
        for node in nodes
        if _name(node) == "meta"
    )
    once.update(_name(node) for node in nodes if _name(node) in ("title", "base", "main"))
    for name in ("charset", "viewport", "description", "title", "base", "main"):
        if once[name] > 1:
            yield f"{name} is there {once[name]} times"
    titles = [node.text or "" for node in nodes if _name(node) == "title"]
    if not any(title.strip() for title in titles):
        yield "the page has no title"


def _below(node: Element, above: tuple[Element, ...]) -> Iterator[str]:
    name = _name(node)
    if not name:  # a comment, or of another language: <svg>, <math>
        return
    yield from _attributes(node)
    yield from _nesting(node, above)
    children = [child for child in node if _name(child) or _is_foreign(child)]
    allowed = _allowed(node, above)
    for child in children:
        kind = _name(child) or _foreign(child)
        if "-" in kind:
            continue  # the elements of MathJax
        if kind not in FLOW and not any(kind in kinds for kinds in CONTENT.values()):
            yield f"<{kind}> is no element of HTML"
        elif allowed is not None and kind not in allowed:
            in_body = kind in ("link", "meta") and child.get("itemprop") is not None
            if not in_body:
                yield f"{_shown(child)} may not stand in {_shown(node)}"
    kinds = [_name(child) for child in children]
    if name == "details" and (kinds[:1] != ["summary"] or kinds.count("summary") != 1):
        yield f"{_shown(node)} does not begin with its one <summary>"
    if name == "figure" and "figcaption" in kinds:
        first_or_last = kinds[0] == "figcaption" or kinds[-1] == "figcaption"
        if kinds.count("figcaption") > 1 or not first_or_last:
            yield f"{_shown(node)}: one <figcaption>, first or last"
    if name == "dl" and kinds and "div" not in kinds and (kinds[0], kinds[-1]) != ("dt", "dd"):
        yield f"{_shown(node)} does not begin with <dt> and end with <dd>"
    if (
        name in ("ul", "ol", "table", "tr", "dl")
        and "".join([node.text or "", *(child.tail or "" for child in node)]).strip()
    ):
        yield f"text may not stand in {_shown(node)}"
    for child in node:
        yield from _below(child, (*above, node))


def _is_foreign(node: Element) -> bool:
    return isinstance(node.tag, str) and not node.tag.startswith(HTML)


def _foreign(node: Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _allowed(node: Element, above: tuple[Element, ...]) -> set[str] | None:
    """The names of the elements that may stand in this one; None: any."""
    name = _name(node)
    if name == "div" and above and _name(above[-1]) == "dl":
        return {"dt", "dd"} | SCRIPTS
    if name == "noscript" and above and _name(above[-1]) == "head":
        return {"link", "meta", "style"}
    if name in TRANSPARENT and above:
        return _allowed(above[-1], above[:-1])
    return CONTENT.get(name)


def _attributes(node: Element) -> Iterator[str]:
    name = _name(node)
    if "-" in name:
        return
    for key in node.attrib:
        known = GLOBAL | ATTRIBUTES.get(name, set())
        if key not in known and not re.match(r"data-.|aria-.|on[a-z]+$|\{", str(key)):
            yield f"{_shown(node)} has an attribute {key}"
    for key in sorted(REQUIRED.get(name, set()) - set(node.attrib)):
        yield f"{_shown(node)} has no {key}"
    if name == "input" and node.get("type", "text") not in INPUTS:
        yield f"{_shown(node)} has no type {node.get('type')!r}"
    if name == "button" and node.get("type", "submit") not in ("button", "submit", "reset"):
        yield f"{_shown(node)} has no type {node.get('type')!r}"
    if (
        name == "a"
        and "href" not in node.attrib
        and {"target", "download", "rel"} & set(node.attrib)
    ):
        yield f"{_shown(node)} leads nowhere"
    for key in ("tabindex", "colspan", "rowspan", "width", "height"):
        value = node.get(key)
        if value is not None and not re.fullmatch(r"-?\d+", value):
            yield f'{_shown(node)}: {key}="{value}" is no whole number'
    for key in ("href", "src"):
        if re.search(r"[\s\\<>\"{}|^`]", node.get(key) or "") and ":" not in node.get(key, "")[:6]:
            yield f"{_shown(node)}: {key} is no address"


def _nesting(node: Element, above: tuple[Element, ...]) -> Iterator[str]:
    name = _name(node)
    outer = {_name(up): up for up in above}
    interactive = name in INTERACTIVE or node.get("tabindex") is not None
    if name == "a" and "href" not in node.attrib and node.get("tabindex") is None:
        interactive = False
    if name == "input" and node.get("type") == "hidden":
        interactive = False
    for around in ("a", "button"):
        if interactive and around in outer:
            yield f"{_shown(node)} may not stand in {_shown(outer[around])}"
    if name in ("label", "form", "header", "footer") and name in outer:
        nearest = next(
            _name(up) for up in reversed(above) if _name(up) in SECTIONING | {name, "main"}
        )
        if nearest == name:
            yield f"<{name}> stands in another"
    if name == "main" and outer.keys() & {"article", "aside", "footer", "header", "nav"}:
        yield "<main> stands in a part of the page"
    if name == "li" and not outer.keys() & {"ul", "ol", "menu"}:
        yield "<li> stands in no list"
