"""What makes the notebooks a course: exercises that look at the registry, quizzes that explain, progress that is kept.

exercises   what an exercise is, and how it is judged by the state of the registry
quizzes     cards with choices, each wrong one explained
exam        exams, in which nothing helps
questions   answers in a sentence, beside a model answer
progress    what this learner has tried, solved and missed
class_board  the progress of a class, as a table and a page
seeds       what the seed of a lab varies, so that every student works in a world of their own
explanations  frequent errors: what they mean, their causes, the cure
cells       the errors of a notebook's cells, which `lab.why()` explains
tracebacks  errors that end at the learner's own line
start_here, authentication, push_and_pull …   the exercises and cards of one notebook each
"""
