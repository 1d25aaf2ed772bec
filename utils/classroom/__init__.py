"""A course with assignments: build, collect, grade, give feedback, export.

``python -m utils.classroom --help`` lists the commands; the teacher's guide is
`notebooks/assignments/README.md`. The marks are nbgrader's: here is what goes around it, so that
no submission stops the others and none reaches more of the machine than it needs.
"""
