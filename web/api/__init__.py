"""The JSON API. Read endpoint.py, then bodies.py and answers.py, then routes.py: the whole table.

Each endpoint parses, calls one function, answers. What is refused is raised, and answered by
`web.answering`.
"""
