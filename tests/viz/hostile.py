"""Names that break what does not escape them."""

HOSTILE = [
    'quo"te',
    "back\\slash\\",
    r"\N \G \L \n \l \\",
    "<b>bold</b>",
    "</script><script>alert(1)</script>",
    "--> ]]> <!-- <![CDATA[",
    "&lt; &amp; &#65; &nonsense;",
    "new\nline\r\ttab",
    "nul\x00bell\x07",
    "\u202eturned",
    "עברית",
    "中文名字",
    "\ud800",
    "{a|b} n0:port",
    "'",
    " ",
    "n0 -> n1; }",
    "x" * 10_000,
]
