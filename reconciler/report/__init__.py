"""Plan, Report and findings as text, JSON, Markdown, HTML and the formats of code hosts."""
