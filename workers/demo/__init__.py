"""Two real territories with invented people, and a plausible day in them.

Read `ground` (communes, places), `people` (who works there), `directory` (as rows), `load`, `day`.
"""
