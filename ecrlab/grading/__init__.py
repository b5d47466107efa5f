"""Grading a class: each notebook runs apart from the grader, and the judges run on what it handed in.

    submissions   the notebooks in a folder, its zips and its students' folders
    sandbox       one process for each, with limits
    executing     what that process does: it executes the cells
    hand_in       what `lab.check` writes under the grader: the answer and a copy of the registry
    judging       the judges, in the grader's process, on that copy
    results       what was reached and what was missing: for each student, and for the class
    pages         the results as pages

A notebook is untrusted: it may replace every function in its own process, loop for ever, or fill the disk.
"""
